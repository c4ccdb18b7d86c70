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
    reasons: dict[str, Mask]

    def take(self, rows: Int64) -> Placed:
        """Those of units ``rows``."""
        reasons = {name: mask[rows] for name, mask in self.reasons.items()}
        return Placed(np.round(self.values[rows], 8), self.scored[rows], reasons)

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

    def of_each(self, model: str, scenario: str, metric: str) -> bool | None:
        """Whether a metric says something of each unit; None when nothing of the kind is stored."""
        return None if self._stored is None else self._stored.of_each(model, scenario, metric)

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
        return _placed(inside)


def _placed(scores: UnitScores) -> Placed:
    return Placed(scores.values, scores.scored, dict(scores.reasons))


def told_of_each(results: Results, scores: Scores, scenario: str, models: Sequence[str]) -> list[str]:
    """The metrics of a scenario that say something of each unit, in the order of the report."""
    found = []
    for metric in results.metrics(scenario):
        told = (scores.of_each(model, scenario, metric) for model in models)
        if next((one for one in told if one is not None), False):
            found.append(metric)
    return found


def main_metric(results: Results, scenario: str, metrics: Sequence[str]) -> str | None:
    """The metric that tells worse instances from better ones, of those that say something of each.

    The first of the scenario that has a better side; one that a claim of the suite is about comes before one
    that none is about.
    """
    claimed = {row.metric for row in results.verdicts if row.scenario == scenario and row.gate}
    sided = [metric for metric in metrics if results.direction(metric) in ("higher", "lower")]
    return min(sided, key=lambda metric: metric not in claimed, default=None)


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
        if not scores.of_each(model, scenario, metric):
            continue
        found = scores.of(model, scenario, metric, cases)
        if found is not None:
            count += _beyond(row, found.values) & found.scored
    return count


def _beyond(row: Verdict, values: Float64) -> Mask:
    return values > row.margin if row.rule == "at_most" else values < row.margin
