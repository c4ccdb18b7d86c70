"""Scores of units, one metric at a time: all of the main one, and of the others what is shown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from genrec_eval.audit.score import StoredScores
from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.instances.cases import Cases, positions
from genrec_eval.reporting.instances.flipped import Mask
from genrec_eval.reporting.results import Results

NO_SCORE = "no score"


@dataclass(frozen=True, slots=True)
class Placed:
    """A metric of n units, in the order of the cases' units."""

    values: Float64
    scored: Mask
    of_each: bool
    """False for a value of the whole run, whose share of one unit says nothing of its answer."""
    reasons: dict[str, Mask]

    def take(self, rows: Int64) -> Placed:
        """Those of units ``rows``."""
        reasons = {name: mask[rows] for name, mask in self.reasons.items()}
        return Placed(np.round(self.values[rows], 8), self.scored[rows], self.of_each, reasons)

    def words(self, first: int, last: int) -> list[float | str]:
        """Value, or why there is none, of those from ``first`` to ``last``."""
        found: list[float | str] = self.values[first:last].tolist()
        for at in np.flatnonzero(~self.scored[first:last]).tolist():
            found[at] = next((name for name, mask in self.reasons.items() if mask[first + at]), NO_SCORE)
        return found


class Scores:
    """The scores of a run; without its file, none.

    Attributes
    ----------
    fault
        Why scores cannot be shown; empty where they can.
    """

    def __init__(self, directory: Path) -> None:
        path = directory / "scores.parquet"
        self.fault = ""
        self._stored: StoredScores | None = None
        if path.is_file():
            try:
                self._stored = StoredScores(path)
            except UsageError as error:
                self.fault = str(error)

    def close(self) -> None:
        """Close the file."""
        if self._stored is not None:
            self._stored.__exit__()

    def of(self, model: str, scenario: str, metric: str, cases: Cases) -> Placed | None:
        """One metric of one model; None when nothing of the kind is stored."""
        found = None if self._stored is None else self._stored.get(model, scenario, metric)
        if found is None:
            return None
        units, scores = found
        rows = positions(units, cases.unit_ids)
        if len(rows) == len(cases.unit_ids) and (rows == np.arange(len(rows))).all():
            return _placed(scores)
        known = rows >= 0
        inside = UnitScores(
            values=scores.values[known], reasons={name: mask[known] for name, mask in scores.reasons.items()}
        ).place(rows[known], len(cases.unit_ids), NO_SCORE)
        return _placed(scores, inside)


def _placed(scores: UnitScores, inside: UnitScores | None = None) -> Placed:
    one = inside or scores
    return Placed(
        one.values,
        one.scored,
        scores.total is None,
        dict(one.reasons),
    )


def main_metric(
    results: Results, scores: Scores, scenario: str, models: Sequence[str], cases: Cases
) -> str | None:
    """The metric that tells worse instances from better ones.

    The first of the scenario that has a better side and a value for each unit; one that a claim of the suite
    is about comes before one that none is about.
    """
    claimed = {row.metric for row in results.verdicts if row.scenario == scenario and row.gate}
    sided = [m for m in results.metrics(scenario) if results.direction(m) in ("higher", "lower")]
    for metric in sorted(sided, key=lambda metric: metric not in claimed):
        for model in models:
            found = scores.of(model, scenario, metric, cases)
            if found is not None:
                if found.of_each:
                    return metric
                break
    return None


def misses(
    results: Results, scores: Scores, scenario: str, model: str, cases: Cases
) -> np.ndarray[Any, np.dtype[np.int16]]:
    """int16[n units], how many margins of claims and checks each misses by itself."""
    count = np.zeros(len(cases.unit_ids), np.int16)
    rules = {
        row.metric: row
        for row in results.verdicts
        if (row.scenario, row.model, row.slice) == (scenario, model, "all")
        and row.rule in ("at_least", "at_most")
    }
    for metric, row in rules.items():
        found = scores.of(model, scenario, metric, cases)
        if found is not None and found.of_each:
            count += _beyond(row, found.values) & found.scored
    return count


def _beyond(row: Verdict, values: Float64) -> Mask:
    return values > row.margin if row.rule == "at_most" else values < row.margin
