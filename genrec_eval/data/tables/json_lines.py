"""JSON lines: read by the fast reader where it can, by line where it cannot."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.streams import clip, first_line, lines

if TYPE_CHECKING:
    from pathlib import Path

    from genrec_eval.data.tables.reading import Source


def objects(path: Path) -> Iterator[tuple[int, dict[str, Any]]]:
    """Line number and object of each line."""
    import orjson

    for line, raw in lines(path):
        try:
            found = orjson.loads(raw)
        except orjson.JSONDecodeError as error:
            raise UsageError(f"{path} line {line} is not JSON: {error}") from None
        if not isinstance(found, dict):
            raise UsageError(f"{path} line {line} is not a JSON object")
        yield line, found


def read_json_lines(source: Source, wanted: list[str]) -> pa.Table:
    """The columns ``wanted``, of the types that the source names or the first line shows."""
    from pyarrow import json as arrow_json

    first = next(objects(source.path), (0, {}))[1]
    types = {name: source.types.get(name) or _type_of(first.get(name)) for name in wanted}
    try:
        table = arrow_json.read_json(
            source.path,
            read_options=arrow_json.ReadOptions(block_size=1 << 24),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=pa.schema(list(types.items())), unexpected_field_behavior="ignore"
            ),
        ).select(wanted)
        table.validate(full=True)  # the fast reader takes any bytes for text
        return table
    except (pa.ArrowException, OSError) as error:
        return _slowly(source, wanted, error)


def _slowly(source: Source, wanted: list[str], error: Exception) -> pa.Table:
    """Read what the fast reader refuses (1 here, 1.5 or "1" there), or say which line is at fault."""
    values: dict[str, list[Any]] = {name: [] for name in wanted}
    for line, row in objects(source.path):
        for name in wanted:
            value = row.get(name)
            numeric = name in source.types and not pa.types.is_string(source.types[name])
            if isinstance(value, dict | bool) or (numeric and isinstance(value, str | list)):
                what = "is not a number" if numeric else "is no text, number or list"
                raise UsageError(f"{source.path} line {line}, column '{name}': {clip(value)} {what}")
            values[name].append(value)
    for name, column in values.items():
        if len({type(value) for value in column if value is not None} - {int, float}) > 0:
            values[name] = [str(v) if isinstance(v, int | float) else v for v in column]
    try:
        return pa.table(values)
    except (pa.ArrowException, ValueError, TypeError, OverflowError):
        raise UsageError(f"{source.path} cannot be read: {first_line(error)}") from error


def _type_of(value: Any) -> pa.DataType:
    """The type a column is read as, by its first value."""
    if isinstance(value, str):
        return pa.string()  # named, or texts that look like dates would be read as times
    if isinstance(value, list):
        numbers = bool(value) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in value)
        return pa.list_(pa.float64() if numbers else pa.string())
    return pa.int64() if isinstance(value, int) and not isinstance(value, bool) else pa.float64()
