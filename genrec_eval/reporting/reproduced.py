"""Published figures that came with the data: thousands of them hold, and are told together."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.results import Results

LISTED = 100
"""Figures up to which a scenario's are listed one by one."""
_FEWEST = 5


@dataclass(frozen=True, slots=True)
class Reproduced:
    """The published figures of one metric in one scenario.

    Attributes
    ----------
    rows
        Those that were compared, the greatest difference first.
    missing
        How many have no figure of ours.
    rank
        Spearman's correlation of ours with the published over models; None for fewer than five models, or
        figures of groups.
    """

    scenario: str
    metric: str
    claim: str
    rows: tuple[Verdict, ...]
    missing: int
    rank: float | None

    @property
    def held(self) -> int:
        """How many are reproduced."""
        return sum(row.verdict is Ruling.PASS for row in self.rows)

    @property
    def count(self) -> int:
        """How many were published."""
        return len(self.rows) + self.missing

    @property
    def greatest(self) -> float:
        """The greatest difference, without its sign."""
        return max((abs(off(row)) for row in self.rows), default=0.0)


def off(verdict: Verdict) -> float:
    """Ours minus the published figure."""
    return (verdict.value or 0.0) - verdict.margin


def came_with_data(verdict: Verdict) -> bool:
    """Whether a claim about a published figure is one of the data, not of the suite."""
    return verdict.rule == "published" and verdict.gate and verdict.where is None


def folded(verdict: Verdict) -> bool:
    """Whether a verdict is told with its like: a figure of the data that is reproduced."""
    return came_with_data(verdict) and verdict.verdict is Ruling.PASS


def reproduced(verdicts: Iterable[Verdict]) -> list[Reproduced]:
    """The published figures of the data, by scenario and metric, in order of appearance."""
    groups: dict[tuple[str, str], list[Verdict]] = {}
    for row in verdicts:
        if came_with_data(row):
            groups.setdefault((row.scenario, row.metric), []).append(row)
    found = []
    for (scenario, metric), rows in groups.items():
        compared = [row for row in rows if row.value is not None]
        found.append(
            Reproduced(
                scenario=scenario,
                metric=metric,
                claim=rows[0].claim,
                rows=tuple(sorted(compared, key=lambda row: -abs(off(row)))),
                missing=len(rows) - len(compared),
                rank=_rank(compared),
            )
        )
    return found


def _rank(rows: list[Verdict]) -> float | None:
    if len(rows) < _FEWEST or any(row.slice != "all" for row in rows):
        return None
    import numpy as np

    from genrec_eval.stats.ranks import coefficient

    ours, theirs = (np.array(side) for side in zip(*((row.value, row.margin) for row in rows), strict=True))
    value = coefficient(ours.astype(np.float64), theirs.astype(np.float64), "spearman")
    return value if math.isfinite(value) else None


def told(fold: Reproduced, results: Results) -> str:
    """``"30 of 30 published figures reproduced: Win rate, greatest difference 4.9e-11 points"``."""
    from genrec_eval.audit.published import difference

    share = results.unit(fold.metric) == "share"
    size = difference(fold.greatest * (100 if share else 1)).lstrip("+")
    said = f"{fold.held:,} of {fold.count:,} published figures reproduced: {results.title(fold.metric)}"
    said += f", greatest difference {size}{' points' if share and fold.greatest else ''}"
    if fold.rank is not None:
        said += f", rank correlation over models {fold.rank:.3f}"
    return said


def told_apart(row: Verdict, results: Results) -> tuple[str, str, str]:
    """Ours, the published figure, and the difference, as text."""
    from genrec_eval.audit.published import difference, shown

    share = results.unit(row.metric) == "share"
    factor, sign = (100.0, " %") if share else (1.0, "")
    ours = "—" if row.value is None else shown(row.value * factor, (row.tolerance or 0.0) * factor) + sign
    apart = "—" if row.value is None else difference(off(row) * factor)
    return ours, shown(row.margin * factor) + sign, apart
