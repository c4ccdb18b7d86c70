"""Intervals that stay valid however often one looks: asymptotic confidence sequences.

Looking at an ordinary interval until it excludes 0 finds an effect in the end, even where there is none.
These intervals hold at all looks together: the normal mixture of Robbins (1970), also known as mSPRT
(Johari et al. 2017), in the asymptotic form of Waudby-Smith et al. (2021, arXiv:2103.06476), which needs
no more than finite variances. The price is an interval about 1.5 times as wide at the planned size.

Units must come in one after the other with their outcome complete, such as users by the day they entered
with a fixed window of days; an outcome that still grows after its unit was counted is not covered.

Measured without an effect, looking at every second to sixteenth of 20,000 units (1,000 runs each; normal,
rates of 5 and 1 %, lognormal with sigma 1.5; arms of 50 : 50 and 10 : 90; planned for 500 and 2,000): wrong
at any look in 0 to 5.1 % of runs at level 0.95, one-sided in 0 to 4.2 %; a fixed interval in 46 to 72 %.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import lambertw, log_ndtr

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Side = Literal["two-sided", "greater", "less"]


@dataclass(frozen=True, slots=True)
class Looks:
    """A difference of two arms as it stood at each of L looks.

    Attributes
    ----------
    n
        int64[L], units of both arms together, ascending.
    difference, error
        float64[L], treatment − control and its standard error; NaN while an arm has fewer than two units.
    carriers
        float64[L], how many units carry the spread of the arm that has fewer of them: (sum d²)² / sum d⁴
        of the deviations d from its mean. About the number of events when they are rare, a third of the
        units when outcomes are normal.
    """

    n: Int64
    difference: Float64
    error: Float64
    carriers: Float64


@dataclass(frozen=True, slots=True)
class Sequence:
    """Confidence sequence: with probability ``level`` every interval of it holds the true difference.

    Attributes
    ----------
    low, high
        float64[L], infinite on the side that is not watched, and before ``start``.
    p
        float64[L], always-valid p-value, never rising: it is at most 1 - level exactly when an interval
        up to that look excluded the hypothesis.
    """

    low: Float64
    high: Float64
    p: Float64


def looks(values: Float64, treated: npt.NDArray[np.bool_], ends: Int64) -> Looks:
    """Differences of means after the first ``ends[l]`` units.

    Parameters
    ----------
    values
        float64[n], outcomes in the order in which the units came in.
    treated
        bool[n], whether a unit is in the treatment arm.
    ends
        int64[L], units seen at each look, ascending, at most n.

    >>> seen = looks(np.array([0.0, 1.0, 0.0, 3.0]), np.array([False, True, False, True]), np.array([2, 4]))
    >>> seen.difference, seen.error
    (array([nan,  2.]), array([nan,  1.]))
    """
    if not np.isfinite(values).all():
        raise ValueError("an outcome is not a finite number")
    shifted = (
        values - values.mean() if len(values) else values
    )  # squares of a large mean would drown the rest
    difference, variance, carriers = np.zeros(len(ends)), np.zeros(len(ends)), np.full(len(ends), np.inf)
    for arm, sign in ((treated, 1), (~treated, -1)):
        count = _running(arm.astype(np.float64), ends)
        count[count < 2] = np.nan
        one, two, three, four = (_running(np.where(arm, shifted**power, 0.0), ends) for power in (1, 2, 3, 4))
        mean = one / count
        squares = two - mean * one
        squares = np.where(squares > 1e-12 * two, squares, 0.0)  # what rounding leaves of equal outcomes
        fourths = four - 4 * mean * three + 6 * mean**2 * two - 3 * count * mean**4
        difference += sign * mean
        variance += squares / (count - 1) / count
        carried = np.divide(squares**2, fourths, out=np.zeros(len(ends)), where=fourths > 0)
        carriers = np.minimum(carriers, carried)
    return Looks(np.asarray(ends, np.int64), difference, np.sqrt(variance), carriers)


def _running(terms: Float64, ends: Int64) -> Float64:
    return np.concatenate([[0.0], np.cumsum(terms)])[ends]


def confidence_sequence(
    seen: Looks,
    *,
    planned: int,
    level: float = 0.95,
    null: float = 0.0,
    side: Side = "two-sided",
    start: float = 20,
) -> Sequence:
    """Intervals and p-values that hold under continuous looking.

    Parameters
    ----------
    planned
        Units of both arms together at which the intervals shall be tightest, fixed before the data.
    null
        The difference that the p-values speak of; minus a margin for a guardrail.
    side
        ``"greater"`` watches for differences above ``null`` and bounds them from below, ``"less"`` the other
        way round; both are tighter than the two-sided sequence.
    start
        :attr:`Looks.carriers` before which nothing is concluded: the variance is estimated, and the theory
        is asymptotic. An arm of which all users did nothing so far has no spread to go by.

    >>> rng = np.random.default_rng(1)
    >>> treated = rng.random(4000) < 0.5
    >>> values = rng.normal(0.2 * treated)
    >>> found = confidence_sequence(looks(values, treated, np.array([500, 4000])), planned=4000)
    >>> np.round(found.low, 2), np.round(found.high, 2), found.p.round(4)
    (array([-0.17,  0.07]), array([0.48, 0.26]), array([0.6716, 0.    ]))
    """
    if not 0 < level < 1 or planned < 1:
        raise ValueError("the level lies between 0 and 1, and at least one unit is planned")
    ready = (seen.carriers >= start) & (seen.error > 0)
    alpha = 1 - level
    prior = np.where(ready, seen.n * _mixture(planned, alpha if side == "two-sided" else 2 * alpha), 1.0)
    error = np.where(ready, seen.error, 1.0)
    z = np.where(ready, (np.nan_to_num(seen.difference) - null) / error, 0.0)
    shrink = np.sqrt(prior / (prior + 1))
    # minus the logarithm of the mixture's likelihood ratio, of which Ville's inequality bounds the maximum
    if side == "two-sided":
        evidence = 0.5 * np.log1p(prior) - (z * shrink) ** 2 / 2
        radius = np.sqrt(np.log1p(prior) - 2 * math.log(alpha)) / shrink * error
    else:
        evidence = 0.5 * np.log1p(prior) - _half_normal(z * shrink * (1 if side == "greater" else -1))
        radius = _solve(0.5 * np.log1p(prior) - math.log(alpha)) / shrink * error
    p = np.where(ready, np.exp(np.minimum(evidence, 0.0)), 1.0)
    low = np.where(ready & (side != "less"), seen.difference - radius, -np.inf)
    high = np.where(ready & (side != "greater"), seen.difference + radius, np.inf)
    return Sequence(low, high, np.minimum.accumulate(p))


def _mixture(planned: int, alpha: float) -> float:
    """Variance of the mixing distribution, in errors of one unit, that is best at ``planned`` units.

    The squared radius (x + 1) / x · log((x + 1) / alpha²) is least where log((x + 1) / alpha²) = x.
    """
    return float(-lambertw(-alpha * alpha / math.e, -1).real - 1) / planned


def _half_normal(a: Float64) -> Float64:
    """Logarithm of 2 · exp(a² / 2) · Phi(a): the mixture over effects on one side only."""
    return math.log(2) + a * a / 2 + log_ndtr(a)


def _solve(target: Float64) -> Float64:
    """The a of at least 0 with ``_half_normal(a) = target``, by bisection; target is at least 0."""
    low, high = np.zeros_like(target), np.sqrt(2 * target) + 1
    for _ in range(60):
        middle = (low + high) / 2
        under = _half_normal(middle) < target
        low, high = np.where(under, middle, low), np.where(under, high, middle)
    return high
