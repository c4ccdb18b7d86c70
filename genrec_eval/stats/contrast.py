"""Two groups of different units, such as the arms of an experiment: by how much do their values differ?"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np

from genrec_eval.stats.experiments import arm_difference
from genrec_eval.stats.fits import Ends, Fit, Student
from genrec_eval.stats.power import welch_freedom
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.statistic import Statistic

LEAST_BASE = 3.0
"""Standard errors from 0 within which the second group's value is nothing to divide by."""


@dataclass(frozen=True, slots=True)
class Fitted:
    """Value of a sample and the fit of it, or the reason why there is none."""

    value: float | None
    n: int
    fit: Fit | None = None
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Ratio:
    """One value over another, minus 1: Student's t for the logarithm of the ratio (delta method)."""

    log: Student
    method: str = "welch-log"

    def ends(self, level: float) -> Ends:
        low, high = self.log.ends(level)
        return math.expm1(low), math.expm1(high)

    def tails(self, null: float) -> Ends:
        return self.log.tails(math.log1p(null)) if null > -1 else (0.0, 1.0)


def groups(sample: Sample) -> tuple[Sample, Sample]:
    """The two groups of a contrast: units of positive weight, units of negative weight."""
    if sample.contrast is None or sample.weights is None:
        raise ValueError("a contrast tells its two groups by the sign of their weights")
    weights = sample.weights
    if not np.isfinite(weights[sample.scored]).all():
        raise ValueError("the weight of a scored unit is a finite number")
    found = []
    for mask in (weights > 0, weights < 0):
        sizes = np.abs(weights[mask & sample.scored])
        alike = bool((sizes == sizes[:1]).all())
        found.append(
            replace(
                sample,
                scored=sample.scored & mask,
                weights=None if alike else np.abs(weights),
                indicator=False,
                contrast=None,
            )
        )
    return found[0], found[1]


def contrasted(sample: Sample) -> Fitted:
    """Welch's t-test of the two groups; for ratios such as clicks per exposure on the jackknife's errors.

    >>> values, weights = np.array([1., 2, 3, 4, 2, 3, 4, 9]), np.array([1., 1, 1, 1, -1, -1, -1, -1])
    >>> one = Sample(values=values, scored=np.ones(8, bool), weights=weights, contrast="difference")
    >>> found = contrasted(one)
    >>> found.value, [round(end, 3) for end in found.fit.ends(0.95)], found.n
    (-2.0, [-6.671, 2.671], 8)
    """
    treated, control = groups(sample)
    found = arm_difference(treated, control)
    n = sum(found.n)
    if found.value is None:
        return Fitted(None, n, reason=found.reason if n else "no unit is scored")
    if sample.contrast == "lift":
        return _lift(Statistic.of(treated), Statistic.of(control))
    if found.error is None or found.freedom is None:
        return Fitted(found.value, n, reason=found.reason)
    return Fitted(found.value, n, Student(found.value, found.error, found.freedom, "welch"))


def _lift(one: Statistic, other: Statistic) -> Fitted:
    n = one.n + other.n
    if other.value <= 0:
        return Fitted(None, n, reason="the value to divide by is not above 0")
    value = one.value / other.value - 1
    if min(one.n, other.n) < 2:
        return Fitted(value, n, reason="one unit says nothing about the spread of its arm")
    if one.value <= 0 or other.value < LEAST_BASE * other.error:
        return Fitted(value, n, reason="a value lies too near 0 for a ratio")
    variances = [(each.error / each.value) ** 2 for each in (one, other)]
    if not sum(variances):
        return Fitted(value, n, reason="no unit differs from another of its arm")
    freedom = welch_freedom(variances, [one.n - 1, other.n - 1])
    return Fitted(value, n, Ratio(Student(math.log1p(value), math.sqrt(sum(variances)), freedom)))
