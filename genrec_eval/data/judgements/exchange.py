"""The exchange form of judgements: JSON lines or parquet, one judgement per row, columns of a log.

Only ``item``, ``system`` and ``judge`` are needed, and a verdict, a score or a status.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.judgements.log import SCHEMA, STATUSES, VERDICTS, JudgementLog, Rows
from genrec_eval.data.judgements.reading import digest_of, number_of, text_of
from genrec_eval.data.judgements.spec import JudgementLogSpec
from genrec_eval.data.tables.json_lines import objects
from genrec_eval.data.tables.streams import clip, first_line

_CHOICES = {"verdict": VERDICTS, "status": STATUSES, "order": ("given", "swapped")}


def read_exchange(spec: JudgementLogSpec, path: Path) -> JudgementLog:
    """Read a log.

    Raises
    ------
    UsageError
        When the file is of another form, has an unknown column, or a row is malformed (unless skipped).
    """
    rows = Rows(skip=spec.malformed == "skip")
    for place, row in _records(path):
        for name in row:
            if name not in SCHEMA.names:
                known = ", ".join(SCHEMA.names)
                raise UsageError(
                    f"{place}: unknown column '{name}'{did_you_mean(name, SCHEMA.names)} (known: {known})"
                )
        fault = _add(rows, row)
        if fault is not None:
            rows.fault(f"{place}: {fault}")
    return rows.finish(
        spec.label, licence=None, source=None, digest=digest_of([path]), annotators=spec.annotators
    )


def write_exchange(log: JudgementLog, path: Path) -> None:
    """Write a log as JSON lines or parquet, by the name's ending; columns without values are left out."""
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        pq.write_table(log.table, path)
        return
    import orjson

    used = [name for name in SCHEMA.names if log.table[name].null_count < len(log)]
    with path.open("wb") as stream:
        for batch in log.table.select(used).to_batches(10_000):
            for row in batch.to_pylist():
                stream.write(orjson.dumps(row) + b"\n")


def _records(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    if path.suffix == ".parquet":
        import pyarrow.parquet as pq

        try:
            table = pq.ParquetFile(path)
            start = 0
            for batch in table.iter_batches(10_000):
                for row in batch.to_pylist():
                    start += 1
                    yield f"{path} row {start}", row
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise UsageError(f"{path} is no readable parquet file: {first_line(error)}") from None
        return
    if not any(ending in (".jsonl", ".ndjson") for ending in path.suffixes):
        raise UsageError(f"{path}: a log of judgements is a .jsonl or .parquet file")
    for line, row in objects(path):
        yield f"{path} line {line}", row


def _add(rows: Rows, row: dict[str, Any]) -> str | None:
    """Add the row, or say what is wrong with it."""
    values: dict[str, Any] = {}
    for one in SCHEMA:
        value = row.get(one.name)
        if value is None:
            continue
        kind, read = _reader(one.type)
        found = read(value)
        if found is None:
            return f"column '{one.name}': {clip(value)} is no {kind}"
        if one.name in _CHOICES and found not in _CHOICES[one.name]:
            near = did_you_mean(str(found), _CHOICES[one.name])
            return f"column '{one.name}': {clip(found)} is none of {', '.join(_CHOICES[one.name])}{near}"
        values[one.name] = found
    for name in ("item", "system", "judge"):
        if not values.get(name):
            return f"no value in column '{name}'"
    wrong = [label for label in values.get("human", ()) if label is not None and label not in VERDICTS]
    if wrong:
        return f"column 'human': {clip(wrong[0])} is none of {', '.join(VERDICTS)}"
    judged = "verdict" in values if "other" in values else "score" in values
    if values.setdefault("status", "ok" if judged else "unparsed") == "ok" and not judged:
        return f"status is ok, but there is no {'verdict' if 'other' in values else 'score'}"
    if "verdict" in values and "other" not in values:
        return "a verdict about a pair, but no other"
    rows.add(**values)
    return None


def _reader(kind: pa.DataType) -> tuple[str, Any]:
    if pa.types.is_list(kind):
        inner = text_of if pa.types.is_string(kind.value_type) else number_of
        return (
            "list",
            lambda value: (
                [None if one is None else inner(one) for one in value] if isinstance(value, list) else None
            ),
        )
    if pa.types.is_floating(kind):
        return "finite number", lambda value: None if isinstance(value, str) else number_of(value)
    if pa.types.is_integer(kind):
        most = 2**15 if kind.bit_width == 16 else 2**31
        return (
            "whole number",
            lambda value: (
                value
                if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < most
                else None
            ),
        )
    return "text", text_of
