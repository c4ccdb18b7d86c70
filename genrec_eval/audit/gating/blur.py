"""Intervals of scores that are known to within a rounding, as large baselines keep them.

Every score that a baseline of many units keeps may be off by up to e. The mean of the differences then is
off by at most e, and their standard deviation, being a norm of what is left of them after projection, by at
most that of the errors: e · sqrt(n / (n - 1)), so that the standard error is off by at most e / sqrt(n - 1).
So the interval that the exact scores have lies inside :meth:`Blurred.ends` and around :meth:`Blurred.inner`,
and its p-values are at most :meth:`Blurred.tails`. A gate that passes on the one and fails on the others
decides nothing that the exact scores would decide the other way.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from genrec_eval.stats.constant import constant
from genrec_eval.stats.contrast import Fitted
from genrec_eval.stats.fits import Constant, Ends, Student
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.statistic import Statistic


@dataclass(frozen=True, slots=True)
class Blurred:
    """Student's t of differences that are each known to within ``rounding``.

    Attributes
    ----------
    agreeing
        What holds if the exact differences are all the same, where that may be; None where it cannot be.
    """

    fit: Student
    rounding: float
    n: int
    agreeing: Constant | None = None
    method: str = "t"

    def ends(self, level: float) -> Ends:
        """An interval around the exact one."""
        low, high = self._wider.ends(level)
        low, high = low - self.rounding, high + self.rounding
        if self.agreeing is not None and self.agreeing.reach is not None:
            least, greatest = self.agreeing.ends(level)
            low, high = min(low, least - self.rounding), max(high, greatest + self.rounding)
        return low, high

    def inner(self, level: float) -> Ends:
        """Bounds on the exact ends from the other side; they may have passed each other."""
        error = max(0.0, self.fit.error - self._slack)
        low, high = Student(self.fit.value, error, self.fit.freedom).ends(level)
        return low + self.rounding, high - self.rounding

    def tails(self, null: float) -> Ends:
        """At least the exact one-sided p-values, as far as those are below one half."""
        above = self._wider.tails(null + self.rounding)[0], self._wider.tails(null - self.rounding)[1]
        if self.agreeing is None:
            return above
        alike = self.agreeing.tails(null + self.rounding)[0], self.agreeing.tails(null - self.rounding)[1]
        return max(above[0], alike[0]), max(above[1], alike[1])

    @property
    def _slack(self) -> float:
        return self.rounding / math.sqrt(self.n - 1)

    @property
    def _wider(self) -> Student:
        return Student(self.fit.value, self.fit.error + self._slack, self.fit.freedom)


def blurred(sample: Sample, rounding: float) -> Fitted:
    """Fit a plain paired difference whose scores are known to within ``rounding``.

    By Student's t whatever the number of units: a vector is rounded only where there are so many that it is
    what they get anyway, and a group of them gets it too.
    """
    values = sample.values[sample.scored]
    n = len(values)
    if n < 2:
        reason = "one unit says nothing about the spread" if n else "no unit is scored"
        return Fitted(float(values.mean()) if n else None, n, reason=reason)
    fit = Student(float(values.mean()), float(values.std(ddof=1)) / math.sqrt(n), n - 1)
    agreeing = None
    if np.ptp(values) <= 2 * rounding * (1 + 1e-9):
        alike = Sample(values=np.full(n, fit.value), scored=np.ones(n, bool), bounds=sample.bounds)
        agreeing = constant(Statistic.of(alike), sample.bounds)
        if agreeing.reach is None:
            return Fitted(fit.value, n, reason="all units have the same value and the metric is unbounded")
    return Fitted(fit.value, n, Blurred(fit, rounding, n, agreeing))
