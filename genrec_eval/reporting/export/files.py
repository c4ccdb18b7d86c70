"""Tables as csv and parquet files."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from genrec_eval.engine.rundir import whole_file
from genrec_eval.reporting.export.tables import Exported

if TYPE_CHECKING:
    import pyarrow as pa

FORMULA = r"^[=+\-@\t\r]"
"""What a spreadsheet takes for the start of a formula."""


def write_table(table: Exported, folder: Path, kind: str) -> tuple[Path, int]:
    """Write one table as ``<name>.<kind>``, all of it or nothing.

    Parameters
    ----------
    kind
        ``"parquet"`` keeps types and texts as they are. ``"csv"`` writes lists as JSON, null as nothing and
        empty text as ``""``; a text that a spreadsheet would run as a formula gets an apostrophe in front.

    Returns
    -------
    tuple
        The path and the number of rows.
    """
    path = folder / f"{table.name}.{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    with whole_file(path) as part:
        return path, (_csv if kind == "csv" else _parquet)(table, part)


def _parquet(table: Exported, path: Path) -> int:
    import pyarrow.parquet as pq

    rows = 0
    with pq.ParquetWriter(path, table.schema, compression="zstd") as writer:
        for batch in table.batches:
            writer.write_batch(batch.cast(table.schema))
            rows += len(batch)
    return rows


def _csv(table: Exported, path: Path) -> int:
    import pyarrow as pa
    import pyarrow.csv as pacsv

    flat = pa.schema([(one.name, _flat_type(one.type)) for one in table.schema])
    rows = 0
    with pacsv.CSVWriter(path, flat) as writer:
        for batch in _flattened(table, flat):
            writer.write_batch(batch)
            rows += len(batch)
    return rows


def _flat_type(kind: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return kind if pa.types.is_primitive(kind) else pa.string()


def _flattened(table: Exported, flat: pa.Schema) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa

    for batch in table.batches:
        columns = [
            harmless(_as_text(column)) if pa.types.is_string(kind) else column
            for column, kind in zip(batch.columns, flat.types, strict=True)
        ]
        yield pa.RecordBatch.from_arrays(columns, schema=flat)


def _as_text(column: pa.Array) -> pa.Array:
    import orjson
    import pyarrow as pa
    import pyarrow.types as types

    if types.is_nested(column.type):
        values = (None if value is None else orjson.dumps(value).decode() for value in column.to_pylist())
        return pa.array(values, pa.string())
    return column.cast(pa.string())


def harmless(column: pa.Array) -> pa.Array:
    """Texts that no spreadsheet runs.

    >>> import pyarrow as pa
    >>> harmless(pa.array(["=1+1", "plain", None])).to_pylist()
    ["'=1+1", 'plain', None]
    """
    import pyarrow.compute as pc

    risky = pc.match_substring_regex(column, FORMULA)
    return pc.if_else(risky, pc.binary_join_element_wise("'", column, ""), column)
