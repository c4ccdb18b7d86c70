"""The executor for arms of a log: nothing is asked, so a record says no more than that a user was served."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa

from genrec_eval.engine.progress import Task
from genrec_eval.engine.records import drop_stale, part_name, write_part
from genrec_eval.models.logged import LoggedArm
from genrec_eval.protocol.status import Status
from genrec_eval.protocol.tables import RECORDS


def served(cases: pa.Table, rows: np.ndarray, arm: LoggedArm) -> pa.Table:
    """The cases that an arm served, of those at ``rows``, which are played."""
    return cases.take(np.intersect1d(rows, arm.rows(cases)))


def play_logged(cases: pa.Table, names: tuple[str, str], folder: Path, task: Task) -> None:
    """Write one record for each case.

    Parameters
    ----------
    cases
        Those of one arm.
    names
        Model and scenario, as in the suite.
    """
    n = len(cases)
    columns = {name: cases.column(name).combine_chunks() for name in ("case", "unit", "arm")}
    columns |= {name: pa.array(np.zeros(n, np.int16)) for name in ("repeat", "step", "attempts")}
    words = {"model": names[0], "scenario": names[1], "status": str(Status.LOGGED)}
    columns |= {
        name: pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [word])
        for name, word in words.items()
    }
    arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in RECORDS]
    if n:
        write_part(folder / part_name(*names, 0), pa.Table.from_arrays(arrays, schema=RECORDS))
    drop_stale(folder, *names, kept=1 if n else 0)
    task.advance(n)
