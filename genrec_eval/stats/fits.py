"""What a method found out about one sample: a value with an interval at any level, and p-values.

Interval and p-value are two readings of the same thing: a p-value is below 1 - level exactly when the
interval at that level leaves out the hypothesis, up to the resolution of the replicates.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.rates import wilson

Float64 = npt.NDArray[np.float64]
Ends = tuple[float, float]

LEAST_BEYOND = 5
"""Replicates that lie beyond an end of an interval, at least, for them alone to say where it is."""


class Fit(Protocol):
    """Value, method and what can be said about other values."""

    @property
    def method(self) -> str:
        """Name of the method, as reports show it."""

    def ends(self, level: float) -> Ends:
        """The interval at ``level``."""

    def tails(self, null: float) -> Ends:
        """One-sided p-values: small when the value lies clearly above ``null``, and clearly below."""


@dataclass(frozen=True, slots=True)
class Student:
    """Value and standard error; infinitely many degrees of freedom make it normal."""

    value: float
    error: float
    freedom: float
    method: str = "t"

    def ends(self, level: float) -> Ends:
        half = _quantile(self.freedom, (1 + level) / 2) * self.error
        return self.value - half, self.value + half

    def tails(self, null: float) -> Ends:
        if self.error == 0:
            return float(self.value <= null), float(self.value >= null)
        z = (self.value - null) / self.error
        return _below(self.freedom, -z), _below(self.freedom, z)


@dataclass(frozen=True, slots=True)
class Score:
    """A rate, by inverting the score test (Wilson 1927)."""

    value: float
    n: int
    method: str = "wilson"

    def ends(self, level: float) -> Ends:
        return wilson(self.value * self.n, self.n, level)

    def tails(self, null: float) -> Ends:
        from scipy.special import ndtr

        if not 0 < null < 1:
            return float(self.value <= null), float(self.value >= null)
        z = (self.value - null) / math.sqrt(null * (1 - null) / self.n)
        return float(ndtr(-z)), float(ndtr(z))


@dataclass(frozen=True, slots=True)
class Constant:
    """All units agree: with confidence 1 - alpha/2, units of another kind have at most probability p.

    Attributes
    ----------
    reach
        The least and greatest value when units of another kind have probability p; None when there is no
        telling.
    """

    value: float
    n: int
    reach: Callable[[float], Ends] | None
    method: str = "constant"

    def ends(self, level: float) -> Ends:
        assert self.reach is not None
        # the greatest probability of an event that n trials may fail to show (exact binomial, one-sided)
        return self.reach(-math.expm1(math.log((1 - level) / 2) / self.n))

    def tails(self, null: float) -> Ends:
        if self.value == null:
            return 1.0, 1.0
        low, high = 0.0, 1.0
        for _ in range(60 if self.reach is not None else 0):
            assert self.reach is not None
            middle = (low + high) / 2
            least, greatest = self.reach(middle)
            low, high = (middle, high) if null < least or null > greatest else (low, middle)
        chance = (1 - low) ** self.n if self.reach is not None else 1.0
        return (chance, 1.0) if self.value > null else (1.0, chance)


@dataclass(frozen=True, slots=True)
class Bootstrapped:
    """Ordered replicates, bias correction and acceleration (0 for plain percentiles).

    Attributes
    ----------
    error
        Standard error of the value.
    widen
        Standard error of the value over that of the replicates.
    """

    value: float
    error: float
    ordered: Float64
    bias: float
    acceleration: float
    freedom: float
    widen: float
    method: str

    def ends(self, level: float) -> Ends:
        tail = self.widen * _quantile(self.freedom, (1 + level) / 2)
        low, high = self._quantile(-tail), self._quantile(tail)
        if (1 - level) / 2 * (len(self.ordered) + 1) >= LEAST_BEYOND:
            return low, high
        # so far out lie too few replicates to be counted: no narrower than Student's t
        least, greatest = Student(self.value, self.error, self.freedom).ends(level)
        return min(low, least), max(high, greatest)

    def _quantile(self, z: float) -> float:
        """Replicate at position (B + 1) · share, for the share that BCa assigns to ``z`` (Efron 1987)."""
        from scipy.special import ndtr

        slope = max(1 - self.acceleration * (self.bias + z), 1e-6)
        share = float(ndtr(self.bias + (self.bias + z) / slope))
        last = len(self.ordered) - 1
        place = min(max(share * (len(self.ordered) + 1) - 1, 0.0), float(last))
        floor = int(place)
        left, right = float(self.ordered[floor]), float(self.ordered[min(floor + 1, last)])
        return left + (place - floor) * (right - left)

    def tails(self, null: float) -> Ends:
        return self._tail(null, 1), self._tail(null, -1)

    def _tail(self, null: float, sign: int) -> float:
        """One-sided p-value: at the level whose end is ``null``, which is where ends() looks it up.

        Further out than any replicate, or than BCa can reach, Student's t goes on from there.
        """
        from scipy.special import ndtri

        count = len(self.ordered)
        at = int(np.searchsorted(self.ordered, null, side="right" if sign == 1 else "left"))
        place = at - 1.0
        if 0 < at < count:
            left, right = float(self.ordered[at - 1]), float(self.ordered[at])
            place += (null - left) / (right - left)
        share = min(max((place + 1) / (count + 1), 1 / (count + 1)), count / (count + 1))
        shift = float(ndtri(share)) - self.bias
        slope = 1 + self.acceleration * shift
        found = _below(self.freedom, sign * (shift / slope - self.bias) / self.widen) if slope > 0 else 1.0
        if slope > 0 and at not in (0, count):
            return found
        student = Student(self.value, self.error, self.freedom).tails(null)
        return min(found, student[0] if sign == 1 else student[1])


def _quantile(freedom: float, share: float) -> float:
    from scipy.special import ndtri, stdtrit

    return float(ndtri(share) if math.isinf(freedom) else stdtrit(freedom, share))


def _below(freedom: float, z: float) -> float:
    from scipy.special import ndtr, stdtr

    return float(ndtr(z) if math.isinf(freedom) else stdtr(freedom, z))
