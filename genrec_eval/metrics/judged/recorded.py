"""What metrics of recorded judgements work on: the verdicts of one rater, beside those of others."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Reasons, UnitScores
from genrec_eval.protocol.arrays import Float64, Int64

FIRST, SECOND, TIE = 0, 1, 2
"""Codes of verdicts on a pair as given, whatever the order shown; -1 where there is none."""
GIVEN, SWAPPED = 0, 1
"""Codes of the order shown; -1 where it is not known."""
MAJORITY = "majority"
"""Name of what most people say; a person is held against the others."""

NOT_JUDGED = "not-judged"
NO_VERDICT = "no-verdict"
NO_REFERENCE = "no-reference"

SHARED: dict[str, Any] = {"on": "judgement log", "needs_cutoff": False, "resampling_unit": "prompt"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """The judgements of one rater, a judge or a person, one row each; or those about one system.

    Attributes
    ----------
    units
        Number of units; those without a row have the reason ``not-judged``.
    unit, item, order, repeat
        int64[m]: the unit, what was judged, :data:`GIVEN` or :data:`SWAPPED`, and which asking it was.
    verdict
        int64[m], of pairs; -1 where there is none.
    score
        float64[m]: score of a single answer, or probability that the first of a pair is better; NaN where
        there is none.
    silent
        bool[m], rows in which the rater answered without a verdict; where no answer came it is False.
    as_recorded
        int64[m]: 1 where our reading of the text is the recorded verdict, 0 where it is not, -1 without a
        text.
    labels
        ``labels(name)``: int64[m], the verdict of another rater, or of :data:`MAJORITY`, on each row's item.
    """

    units: int
    unit: Int64
    item: Int64
    order: Int64
    repeat: Int64
    verdict: Int64
    score: Float64
    silent: Bool
    as_recorded: Int64
    labels: Callable[[str], Int64]
    pairwise: bool = True
    _held: dict[str, Any] = field(default_factory=dict)

    def __len__(self) -> int:
        return self.units

    @property
    def judged(self) -> Bool:
        """bool[m], rows with a verdict."""
        return self.verdict >= 0 if self.pairwise else np.isfinite(self.score)

    @property
    def value(self) -> Float64:
        """float64[m]: the score, or the verdict as its code; NaN without one."""
        return np.where(self.judged, self.verdict, np.nan) if self.pairwise else self.score

    def both(self) -> tuple[Int64, Int64]:
        """Rows of the same item and repeat as shown in the given order and swapped."""
        if "both" not in self._held:
            key = self.item * (int(self.repeat.max(initial=0)) + 1) + self.repeat
            given, swapped = (np.flatnonzero(self.order == side) for side in (GIVEN, SWAPPED))
            _, one, other = np.intersect1d(key[given], key[swapped], return_indices=True)
            self._held["both"] = given[one], swapped[other]
        found: tuple[Int64, Int64] = self._held["both"]
        return found

    def asked_again(self) -> list[Int64]:
        """Rows with a verdict that answer one question, item and order, where there are two or more."""
        if "again" not in self._held:
            rows = np.flatnonzero(self.judged)
            key = self.item[rows] * 3 + self.order[rows] + 1
            order = np.argsort(key, kind="stable")
            rows, key = rows[order], key[order]
            parts = np.split(rows, np.flatnonzero(np.diff(key)) + 1) if len(rows) else []
            self._held["again"] = [part for part in parts if len(part) > 1]
        found: list[Int64] = self._held["again"]
        return found

    def without(self, has: Bool, reason: str) -> Reasons:
        """Reasons of the units that have no value: no row at all, or rows that do not count."""
        there = np.zeros(self.units, bool)
        there[self.unit] = True
        masks = {NOT_JUDGED: ~there & ~has, reason: there & ~has}
        return {name: mask for name, mask in masks.items() if mask.any()}

    def mean(self, values: Any, unit: Int64, reason: str, weights: Float64 | None = None) -> UnitScores:
        """The mean over rows, as one over units that weigh as much as they have rows.

        Parameters
        ----------
        values, unit
            The rows that count and their units.
        reason
            Why a unit has none that counts.
        """
        heavy = np.ones(len(unit)) if weights is None else weights
        count = np.bincount(unit, heavy, self.units)
        total = np.bincount(unit, np.asarray(values, np.float64) * heavy, self.units)
        has = count > 0
        even = not has.any() or bool((count[has] == count[has][0]).all())
        return UnitScores(
            values=np.divide(total, count, out=np.zeros(self.units), where=has),
            reasons=self.without(has, reason),
            weights=None if even else count.astype(np.float64),
        )

    def pooled(self, columns: Float64, alone: Any, unit: Int64, reason: str) -> UnitScores:
        """A function of sums over rows.

        Parameters
        ----------
        columns
            float64[r, m], what each row adds.
        alone
            float64[r], what a row says by itself; a unit's value is its mean.
        """
        sums = np.zeros((self.units, columns.shape[1]))
        np.add.at(sums, unit, columns)
        count = np.bincount(unit, minlength=self.units)
        total = np.bincount(unit, np.asarray(alone, np.float64), self.units)
        has = count > 0
        values = np.divide(total, count, out=np.zeros(self.units), where=has)
        return UnitScores(values=values, reasons=self.without(has, reason), sums=sums)


def majority(votes: Mapping[str, Int64], without: str | None = None) -> Int64:
    """int64[m], the one verdict that most people give; -1 where there is none.

    >>> majority({"a": np.array([0, 0, 2]), "b": np.array([0, 1, -1]), "c": np.array([1, 2, -1])})
    array([ 0, -1,  2])
    """
    cast = np.stack([codes for name, codes in votes.items() if name != without])
    counts = np.stack([(cast == code).sum(axis=0) for code in (FIRST, SECOND, TIE)])
    most = counts.max(axis=0)
    clear = (most > 0) & ((counts == most).sum(axis=0) == 1)
    return np.where(clear, counts.argmax(axis=0), -1).astype(np.int64)
