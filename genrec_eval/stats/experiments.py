"""Randomised experiments on users: was the split sound, what is the effect, and CUPED to sharpen it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import chdtrc

from genrec_eval.stats.fits import Student
from genrec_eval.stats.power import welch_freedom
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.statistic import Statistic

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class RatioCheck:
    """Whether the arms have the sizes that randomisation should give them.

    Attributes
    ----------
    expected
        Units that each arm should have.
    statistic, p
        Pearson's chi-square and its p-value; below 0.001 the experiment is usually thrown away.
    """

    expected: tuple[float, ...]
    statistic: float
    p: float


def sample_ratio(counts: Sequence[int], shares: Sequence[float] | None = None) -> RatioCheck:
    """Test of sample-ratio mismatch (Fabijan et al. 2019).

    Parameters
    ----------
    counts
        Units in each arm, at least two arms.
    shares
        Planned shares, each above 0; equal by default. They need not add up to 1.

    >>> found = sample_ratio([50_000, 49_000])
    >>> round(found.statistic, 2), round(found.p, 4)
    (10.1, 0.0015)
    """
    planned = [1.0] * len(counts) if shares is None else list(shares)
    if len(counts) < 2 or len(planned) != len(counts) or min(planned) <= 0 or min(counts) < 0:
        raise ValueError("a sample-ratio check needs a count of at least 0 and a share above 0 for every arm")
    n = sum(counts)
    expected = tuple(n * share / sum(planned) for share in planned)
    if n == 0:
        return RatioCheck(expected, 0.0, 1.0)
    statistic = sum((count - want) ** 2 / want for count, want in zip(counts, expected, strict=True))
    return RatioCheck(expected, statistic, float(chdtrc(len(counts) - 1, statistic)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ArmDifference:
    """Treatment − control, of independent units.

    Attributes
    ----------
    value
        None when an arm has no unit.
    error, freedom
        Standard error and degrees of freedom.
    low, high, p
        Interval at ``level`` and two-sided p-value against 0; None when an arm has fewer than two units or
        no unit differs from another; ``reason`` then says so.
    n
        Units in treatment and control.
    """

    value: float | None
    n: tuple[int, int]
    level: float
    error: float | None = None
    freedom: float | None = None
    low: float | None = None
    high: float | None = None
    p: float | None = None
    reason: str | None = None


def arm_difference(treatment: Sample, control: Sample, *, level: float = 0.95) -> ArmDifference:
    """Welch's t-test of two arms, for means and for ratios such as clicks per impression.

    A ratio is a :class:`~genrec_eval.stats.sample.Sample` with one row per randomised unit, weighted by its
    denominator; its error is the jackknife's.

    >>> arms = [Sample(values=np.array(v), scored=np.ones(4, bool)) for v in ([1., 2, 3, 4], [2., 3, 4, 9])]
    >>> found = arm_difference(*arms)
    >>> found.value, round(found.low, 3), round(found.high, 3), round(found.p, 3)
    (-2.0, -6.671, 2.671, 0.3)
    """
    one, other = Statistic.of(treatment), Statistic.of(control)
    n = (one.n, other.n)
    if not one.n or not other.n:
        return ArmDifference(value=None, n=n, level=level, reason="an arm has no unit")
    value = one.value - other.value
    if min(n) < 2:
        reason = "one unit says nothing about the spread of its arm"
        return ArmDifference(value=value, n=n, level=level, reason=reason)
    variances = [one.error**2, other.error**2]
    if not sum(variances):
        return ArmDifference(value=value, n=n, level=level, reason="no unit differs from another of its arm")
    fit = Student(value, math.sqrt(sum(variances)), welch_freedom(variances, [one.n - 1, other.n - 1]))
    low, high = fit.ends(level)
    return ArmDifference(
        value=value,
        n=n,
        level=level,
        error=fit.error,
        freedom=fit.freedom,
        low=low,
        high=high,
        p=min(1.0, 2 * min(fit.tails(0.0))),
    )


@dataclass(frozen=True, slots=True)
class Cuped:
    """Outcomes with what was known before the experiment taken out.

    Attributes
    ----------
    theta
        Slope of the outcome on the covariate inside arms.
    adjusted
        float64[n], outcome − theta · (covariate − its mean).
    reduction
        Share of the variance inside arms that is gone, 0 to 1.
    without
        Units without a covariate, which stay as they were.
    """

    theta: float
    adjusted: Float64
    reduction: float
    without: int


def cuped(outcome: Float64, covariate: Float64, arm: npt.NDArray[np.int64]) -> Cuped:
    """Controlled experiment using pre-experiment data (Deng et al. 2013).

    Parameters
    ----------
    outcome
        float64[n], one per randomised unit.
    covariate
        float64[n], measured before the experiment, commonly the same outcome; NaN where a unit was not
        there yet.
    arm
        int64[n]; theta is pooled over arms and taken inside them, so that an effect does not leak into it.

    >>> before = np.array([1.0, 2.0, 3.0, 4.0])
    >>> found = cuped(2 * before + np.array([0.0, 0.0, 1.0, 1.0]), before, np.array([0, 0, 1, 1]))
    >>> found.theta, found.adjusted, found.reduction
    (2.0, array([5., 5., 6., 6.]), 1.0)
    """
    if not np.isfinite(outcome).all():
        raise ValueError("an outcome is not a finite number")
    if not len(outcome) == len(covariate) == len(arm):
        raise ValueError("outcome, covariate and arm have one entry per unit")
    known = np.isfinite(covariate)
    mean = float(covariate[known].mean()) if known.any() else 0.0
    shift = np.where(known, covariate, mean) - mean
    codes = np.unique(arm, return_inverse=True)[1].reshape(-1)
    x, y = _inside(shift, codes), _inside(outcome, codes)
    power = float(x @ x)
    theta = float(x @ y) / power if power else 0.0
    left, whole = y - theta * x, float(y @ y)
    return Cuped(
        theta=theta,
        adjusted=outcome - theta * shift,
        reduction=max(0.0, 1 - float(left @ left) / whole) if whole else 0.0,
        without=int((~known).sum()),
    )


def _inside(values: Float64, codes: npt.NDArray[np.int64]) -> Float64:
    """Deviations from the mean of each arm."""
    means = np.bincount(codes, weights=values) / np.maximum(np.bincount(codes), 1)
    return values - means[codes]
