"""How the exchanges of one model in one scenario ended, read from the stored records of any scenario."""

from __future__ import annotations

from collections.abc import Collection, Iterable

import numpy as np
import pyarrow as pa

from genrec_eval.metrics.answers import Answers
from genrec_eval.protocol.arrays import Float64, Int64, Vocabulary
from genrec_eval.scenarios.ranking.records import NOT_ATTEMPTED, rows_of, status_codes
from genrec_eval.scenarios.ranking.units import Units

COLUMNS = ("case", "status", "key", "sent", "end")
"""What is read of the records."""


def answers_of(
    cases: pa.Table, records: Iterable[pa.RecordBatch], timed: bool, aside: Collection[int] = ()
) -> Answers:
    """Every exchange that was tried, with its unit.

    Parameters
    ----------
    records
        With the columns :data:`COLUMNS`.
    timed
        False where answers were recorded elsewhere: their times here are those of reading a file.
    aside
        Steps that do not count; with any, the records have the column ``step`` too.
    """
    units = Units.of(cases)
    known = Vocabulary(cases.column("case").combine_chunks())
    rows: list[Int64] = []
    statuses: list[Int64] = []
    seconds: list[Float64] = []
    for block in records:
        codes = status_codes(block)
        tried = codes != NOT_ATTEMPTED
        if aside:
            steps = block.column("step").fill_null(0).to_numpy(zero_copy_only=False)
            tried &= ~np.isin(steps, list(aside))
        rows.append(rows_of(known, block)[tried])
        statuses.append(codes[tried])
        seconds.append(_seconds(block, timed)[tried])
    of_case = np.concatenate([np.empty(0, np.int64), *rows])
    return Answers(
        units=of_case if units.of_case is None else units.of_case[of_case],
        statuses=np.concatenate([np.empty(0, np.int64), *statuses]),
        seconds=np.concatenate([np.empty(0), *seconds]),
        n=len(units.ids),
    )


def _seconds(block: pa.RecordBatch, timed: bool) -> Float64:
    """NaN where an exchange has no time of its own: those of a batch have no key and share one."""
    if not timed or block.column("key").null_count == len(block):
        return np.full(len(block), np.nan)
    sent, end = (block.column(name).to_numpy(zero_copy_only=False) for name in ("sent", "end"))
    alone = block.column("key").is_valid().to_numpy(zero_copy_only=False)
    found: Float64 = np.where(alone, end - sent, np.nan).astype(np.float64)
    return found
