"""Figures about the extreme of several numbers at once: the greatest, the least, least over greatest.

Which of the numbers is the extreme one is chosen by the data, so that resampling pulls the figure away from
what it estimates. Simultaneous intervals of all numbers (Bonferroni, Student's t) hold whichever it is.

Distances that cannot fall below 0 have the same trouble with no extreme chosen; see
:mod:`genrec_eval.stats.distances`.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Ends = tuple[float, float]
Each = tuple[Float64, Float64]
Reading = Callable[[Float64, Float64], Ends]

_LEAST_LOG = -690.0
"""Natural logarithm of the smallest p-value that is told from 0."""

_STILL = 1e-12
"""Product of a share and the rest below which one of the two is 0 but for rounding."""
_NEAR, _FAR = 1e-6, 1e9
"""Standard errors; further in an interval is its value, further out all numbers are possible."""


@dataclass(frozen=True, slots=True)
class Simultaneous:
    """An extreme of several numbers.

    Attributes
    ----------
    count
        How many numbers there are.
    freedom
        Degrees of freedom of their standard errors.
    each
        z → float64[count] each, low and high end of every number at z standard errors.
    reading
        Ends of the figure when each number lies between its own two; never nearer for wider ones.
    """

    count: int
    freedom: float
    each: Callable[[float], Each]
    reading: Reading
    method: str = "simultaneous-t"

    def ends(self, level: float) -> Ends:
        return self._at((1 - level) / 2)

    def _at(self, tail: float) -> Ends:
        from scipy.special import stdtrit

        return self.reading(*self.each(float(-stdtrit(self.freedom, tail / self.count))))

    def tails(self, null: float) -> Ends:
        return (
            self._tail(lambda tail: self._at(tail)[0] > null),
            self._tail(lambda tail: self._at(tail)[1] < null),
        )

    def grown(self, by: float) -> Simultaneous:
        """The same numbers over ``by`` times as many units: what z standard errors were, more are."""
        return replace(self, freedom=self.freedom * by, each=lambda z: self.each(z / math.sqrt(by)))

    def _tail(self, leaves_out: Callable[[float], bool]) -> float:
        """The smallest tail at which the interval leaves a hypothesis out; 1 where none does."""
        low, high = _LEAST_LOG, float(np.log(0.5))
        if not leaves_out(0.5):
            return 1.0
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (low, middle) if leaves_out(float(np.exp(middle))) else (middle, high)
        return float(np.exp(high))


@dataclass(frozen=True, slots=True)
class Shares:
    """Shares of one whole with their standard errors, and how far each lies from another one or over it.

    A share that came out low has a low standard error for that, so that plain intervals end too early: of 20
    equal groups over 40 users one would lie clearly below its share in a fifth of samples. Wilson's interval,
    at as many observations as the standard error is worth, takes the error at the share that is asked about.

    Attributes
    ----------
    values, errors
        float64[g]; an error of 0 is that of ``n`` observations.
    """

    values: Float64
    errors: Float64
    n: int

    def at(self, z: float) -> Each:
        """Ends of each share.

        >>> low, high = Shares(np.array([0.0, 0.5]), np.array([0.0, 0.05]), 100).at(1.96)
        >>> low.round(3), high.round(3)
        (array([0.   , 0.404]), array([0.037, 0.596]))
        """
        varying = self.values * (1 - self.values)
        worth = np.full(len(self.values), float(self.n))
        # where no unit moves a share nothing says that it could not be moved
        np.divide(varying, self.errors**2, out=worth, where=(self.errors > 0) & (varying > _STILL))
        known = worth / np.clip(z, _NEAR, _FAR) ** 2  # observations over z²: neither end of it overflows
        middle = (self.values * known + 0.5) / (known + 1)
        half = np.sqrt(varying * known + 0.25) / (known + 1)
        low, high = np.maximum(middle - half, 0.0), np.minimum(middle + half, 1.0)
        return np.minimum(low, self.values), np.maximum(high, self.values)

    def apart(self, other: Shares | Float64, correlation: Float64, z: float) -> Each:
        """Ends of each share less that of ``other``, by the variances at the ends (Zou & Donner 2008)."""
        low, high = self.at(z)
        if not isinstance(other, Shares):
            return low - other, high - other
        least, most = other.at(z)
        difference = self.values - other.values
        down = _joint(self.values - low, most - other.values, correlation)
        up = _joint(high - self.values, other.values - least, correlation)
        return difference - down, difference + up

    def over(self, other: Shares | Float64, correlation: Float64, z: float) -> Each:
        """Ends of each share over that of ``other``, which is above 0: the same on logarithms."""
        low, high = self.at(z)
        if not isinstance(other, Shares):
            return low / other, high / other
        least, most = other.at(z)
        with np.errstate(divide="ignore", invalid="ignore", over="ignore"):
            ratios = self.values / other.values
            down = _joint(np.log(self.values / low), np.log(most / other.values), correlation)
            up = _joint(np.log(high / self.values), np.log(other.values / least), correlation)
            some = self.values > 0
            return (
                np.where(some & (low > 0), ratios * np.exp(-down), 0.0),
                np.where(some & (least > 0), ratios * np.exp(up), high / least),
            )


def _joint(one: Float64, two: Float64, correlation: Float64) -> Float64:
    found: Float64 = np.sqrt(np.maximum(one * one + two * two - 2 * correlation * one * two, 0.0))
    return found


def greatest_distance(low: Float64, high: Float64) -> Ends:
    """Of the number that is furthest from 0.

    >>> greatest_distance(np.array([0.1, -0.3]), np.array([0.2, 0.1]))
    (0.1, 0.3)
    """
    least = np.maximum(np.maximum(low, -high), 0.0)
    return float(least.max()), float(np.maximum(-low, high).max())


def least(low: Float64, high: Float64) -> Ends:
    """The least of numbers that are at least 0."""
    return max(float(low.min()), 0.0), max(float(high.min()), 0.0)


def least_over_greatest(low: Float64, high: Float64) -> Ends:
    """The least of numbers that are at least 0 over the greatest of them.

    >>> least_over_greatest(np.array([0.5, 1.0]), np.array([1.0, 2.0]))
    (0.25, 1.0)
    """
    low, high = np.maximum(low, 0.0), np.maximum(high, 0.0)
    most, bottom = float(high.max()), float(low.max())
    top = float(high.min())
    return float(low.min()) / most if most > 0 else 0.0, min(1.0, top / bottom) if bottom > 0 else 1.0
