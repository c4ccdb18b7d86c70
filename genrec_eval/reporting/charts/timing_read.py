"""Timestamps and prices of single exchanges, read from the records of one model."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.core.errors import UsageError
from genrec_eval.engine.records import parts
from genrec_eval.reporting.charts.timing import Exchanges

_COLUMNS = ("key", "unit", "sent", "end", "output_tokens", "cost")


def read(directory: Path, model: str, scenario: str) -> Exchanges | None:
    """Each exchange once, by its key; None where records were not timed one by one.

    Raises
    ------
    UsageError
        When a file is not a table of records.
    """
    tables = []
    for path in parts(directory / "records", model, scenario):
        try:
            file = pq.ParquetFile(path)
            if any(name not in file.schema_arrow.names for name in _COLUMNS):
                return None
            table = file.read(columns=list(_COLUMNS))
        except (pa.ArrowInvalid, OSError) as error:
            raise UsageError(f"{path} cannot be read ({error}); redo it with 'genrec-eval run'") from None
        for name in ("key", "sent", "end"):
            table = table.filter(table.column(name).is_valid())
        tables.append(table)
    if not tables or not (rows := pa.concat_tables(tables)).num_rows:
        return None
    codes = rows.column("key").combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    _, first = np.unique(codes, return_index=True)
    rows = rows.take(pa.array(np.sort(first)))
    latency = np.sort(_numbers(rows, "end") - _numbers(rows, "sent"))
    units = rows.column("unit").combine_chunks().dictionary_encode().indices.to_numpy(zero_copy_only=False)
    return Exchanges(
        latency=latency[np.isfinite(latency)],
        cost=_by_unit(rows, "cost", units),
        tokens=_by_unit(rows, "output_tokens", units),
    )


def _numbers(rows: pa.Table, name: str) -> np.ndarray:
    return np.asarray(rows.column(name).to_numpy(), np.float64)


def _by_unit(rows: pa.Table, name: str, units: np.ndarray) -> np.ndarray:
    """Sums by unit; empty where no exchange has a number."""
    if rows.column(name).null_count == rows.num_rows:
        return np.empty(0)
    return np.bincount(units, np.nan_to_num(_numbers(rows, name)))
