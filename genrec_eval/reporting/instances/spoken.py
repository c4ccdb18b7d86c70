"""What judges said, by case: their table is read once, and told window by window."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int64
from genrec_eval.reporting.instances.cases import Cases, positions
from genrec_eval.reporting.quoted_judgements import COLUMNS, Said, said_in


class Spoken:
    """The judgements of a scenario; none where no judge was asked."""

    def __init__(self, directory: Path, run: Mapping[str, Any], scenario: str, cases: Cases) -> None:
        from genrec_eval.engine.rundir import JUDGEMENTS_FILE, RunDirectory

        self._run, self._cases = run, cases
        self._table = None
        if not (directory / JUDGEMENTS_FILE).is_file():
            return
        try:
            self._table = RunDirectory.open(directory).judgements(scenario, COLUMNS)
        except UsageError:
            return  # what is wrong with it is said where judges are shown
        import pyarrow as pa

        owner = positions(self._table.column("case").cast(pa.string()).combine_chunks(), cases.ids)
        self._order = np.argsort(owner, kind="stable")
        self._starts = np.searchsorted(owner[self._order], np.arange(len(cases) + 1))

    def of(self, rows: Int64) -> dict[tuple[str, int], tuple[Said, ...]]:
        """(model, case) → what was said of its answers."""
        if self._table is None or not len(self._table):
            return {}
        import pyarrow as pa

        spans = [self._order[self._starts[row] : self._starts[row + 1]] for row in rows.tolist()]
        at = np.sort(np.concatenate([*spans, np.zeros(0, np.int64)]).astype(np.int64))
        if not len(at):
            return {}
        place = dict(zip(self._cases.ids.take(pa.array(rows)).to_pylist(), rows.tolist(), strict=True))
        found = said_in(self._table.take(pa.array(at)), self._run)
        return {(model, place[case]): said for (model, case), said in found.items() if case in place}
