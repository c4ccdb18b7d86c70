"""Records of many fields, one a line, as JSON or as Python literals: only what is wanted is kept."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.json_lines import objects
from genrec_eval.data.tables.streams import clip, lines

Record = Mapping[str, Any]
Field = tuple[pa.DataType, Callable[[Record], Any]]

_BLOCK = 1 << 16


def read_records(path: Path, fields: Mapping[str, Field], *, literal: bool = False) -> pa.Table:
    """A table with one row per line.

    Parameters
    ----------
    fields
        Name → type and the function that takes the value from a record; null where it gives None.
    literal
        Whether lines are Python literals, as in ``{u'id': 1, 'free': True}``, instead of JSON.

    Raises
    ------
    UsageError
        For the first line that is no record, and for a file without any.
    """
    schema = pa.schema([(name, kind) for name, (kind, _) in fields.items()])
    chunks: list[pa.RecordBatch] = []
    values: dict[str, list[Any]] = {name: [] for name in fields}
    for _, record in _literals(path) if literal else objects(path):
        for name, (_, take) in fields.items():
            values[name].append(take(record))
        if len(values[schema.names[0]]) == _BLOCK:
            chunks.append(pa.record_batch(values, schema=schema))
            values = {name: [] for name in fields}
    if not chunks and not values[schema.names[0]]:
        raise UsageError(f"{path} holds no rows")
    chunks.append(pa.record_batch(values, schema=schema))
    return pa.Table.from_batches(chunks, schema=schema)


def text(*names: str) -> Field:
    """The first of the named fields that holds text or a number, as text."""

    def take(record: Record) -> str | None:
        for name in names:
            found = as_text(record.get(name))
            if found is not None:
                return found
        return None

    return pa.string(), take


def texts(*names: str) -> Field:
    """All texts in the first of the named fields that has any, lists in lists included, each once."""

    def take(record: Record) -> list[str]:
        for name in names:
            found = list(dict.fromkeys(_leaves(record.get(name), 3)))
            if found:
                return found
        return []

    return pa.list_(pa.string()), take


def number(name: str) -> Field:
    """The field as a float; null when it holds none."""

    def take(record: Record) -> float | None:
        value = record.get(name)
        if isinstance(value, str):
            try:
                value = float(value)
            except ValueError:
                return None
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    return pa.float64(), take


def joined(*names: str, limit: int = 20_000) -> Field:
    """The first of the named fields as one text: paragraphs are often a list."""
    _, leaves = texts(*names)

    def take(record: Record) -> str | None:
        return " ".join(leaves(record))[:limit] or None

    return pa.string(), take


def as_text(value: Any) -> str | None:
    """Text or number as text without blanks around it; None for anything else and for nothing."""
    if isinstance(value, str):
        # escapes in a literal can make half characters, which no table can hold
        return value.strip().encode("utf-8", "replace").decode() or None
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return str(value)


def _leaves(value: Any, depth: int) -> Iterator[str]:
    if isinstance(value, list | tuple):
        if depth:
            for part in value:
                yield from _leaves(part, depth - 1)
        return
    found = as_text(value)
    if found is not None:
        yield found


def _literals(path: Path) -> Iterator[tuple[int, Record]]:
    for line, raw in lines(path):
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")  # about escapes in texts
                found = ast.literal_eval(raw.decode().strip())
        except UnicodeDecodeError as error:
            byte = raw[error.start]
            raise UsageError(f"{path} line {line}: byte 0x{byte:02X} is not utf-8 text") from None
        except (ValueError, SyntaxError, MemoryError, RecursionError, TypeError):
            raise UsageError(
                f"{path} line {line} is no Python literal: {clip(raw[:80].decode('utf-8', 'replace'))}"
            ) from None
        if not isinstance(found, dict):
            raise UsageError(f"{path} line {line} is a {type(found).__name__} where a record is expected")
        yield line, found
