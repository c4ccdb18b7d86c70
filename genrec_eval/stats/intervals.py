"""Confidence intervals of means over units, of whole-run metrics, and of paired differences.

Which method applies follows from the sample alone: Wilson for rates, the bootstrap for means (BCa where
all scores lie on one side of 0, percentiles where they lie on both, as paired differences do), Student's t
for very few or very many units, a closed-form bound when all units agree, and the jackknife for metrics of
the whole run. Intervals are two-sided: at level 0.95 each end is missed in 2.5 % of runs.

How well they hold, measured on the synthetic world with 4,000 samples each: at 95 %, means and paired
differences over 50 to 1,000 units are covered in 93.6 to 97.4 % of samples (up to 98.4 % where scores take
two or three values), and models that are equally good are told apart in 2.0 to 2.6 % of runs each way
(``tests/audit/test_interval_coverage.py`` repeats the main ones). What wears them out is few units that
score at all: 94 % for mean reciprocal rank when 5 of 50 units do, 80 % at worst over 10 units.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri, stdtrit

from genrec_eval.stats.resample import exact_means, replicate_means
from genrec_eval.stats.sample import Bounds, Sample

BOOTSTRAP_UNITS = 20_000
"""Up to this many units means are bootstrapped; beyond, the normal approximation is as good."""
SMALLEST_BOOTSTRAP = 8
"""Fewer units resample to too few different means; Student's t is wider there, and right."""

_LEAST_FREEDOM = 4.0
"""Degrees of freedom below which the kurtosis of a sample says too little to go by."""

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """A value with its interval.

    Attributes
    ----------
    value
        None when no unit is scored.
    low, high, method
        None when there is no interval; ``reason`` then says why. ``method`` is ``"bootstrap-bca"``,
        ``"bootstrap-percentile"``, ``"t"``, ``"wilson"``, ``"constant"`` or ``"jackknife"``.
    n
        Units behind the value.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float
    method: str | None = None
    reason: str | None = None
    n: int


def intervals(samples: Sequence[Sample], *, seed: int, level: float = 0.95) -> list[Interval]:
    """Value and interval of each sample.

    Give all samples at once: those over the same units share one set of resamples. The result for one
    sample does not depend on the others, bit for bit. For a paired difference pass
    :func:`~genrec_eval.stats.sample.paired` of two samples; for a slice, ``sample.where(mask)``.

    >>> scores = np.array([0.0, 0.0, 0.5, 1.0, 0.25, 0.0, 0.0, 0.25, 0.5, 0.0])
    >>> sample = Sample(values=scores, scored=np.ones(10, bool), bounds=(0.0, 1.0))
    >>> found = intervals([sample], seed=1)[0]
    >>> found.value, round(found.low, 2), round(found.high, 2), found.method, found.n
    (0.25, 0.07, 0.57, 'bootstrap-bca', 10)
    """
    done: dict[int, Interval] = {}
    waiting: dict[tuple[int, bytes], list[int]] = {}
    for index, sample in enumerate(samples):
        if sample.total is not None:
            done[index] = _whole_run(sample, level)
            continue
        values = sample.values[sample.scored]
        closed = _closed_form(values, sample, level)
        if closed is not None:
            done[index] = closed
        else:
            waiting.setdefault((len(values), np.packbits(sample.scored).tobytes()), []).append(index)
    for indices in waiting.values():
        columns = np.stack([samples[i].values[samples[i].scored] for i in indices], axis=1)
        for index, low, high, method in zip(indices, *_bootstrap(columns, seed, level), strict=True):
            value = float(samples[index].values[samples[index].scored].mean())
            done[index] = _clipped(value, low, high, samples[index], level, method, len(columns))
    return [done[index] for index in range(len(samples))]


def _closed_form(values: Float64, sample: Sample, level: float) -> Interval | None:
    """Interval of a mean that needs no resampling, or None."""
    if not np.isfinite(values).all():
        raise ValueError("a scored unit has a value that is not a finite number")
    n = len(values)
    if n == 0:
        return Interval(value=None, level=level, reason="no unit is scored", n=0)
    value = float(values.mean())
    if n == 1:
        return Interval(value=value, level=level, reason="one unit says nothing about the spread", n=1)
    if sample.indicator and np.isin(values, (0.0, 1.0)).all():  # means over repeats lie in between
        low, high = _wilson(value, n, level)
        return Interval(value=value, low=low, high=high, level=level, method="wilson", n=n)
    if (values == values[0]).all():
        return _constant(float(values[0]), n, sample.bounds, level)
    if not SMALLEST_BOOTSTRAP <= n <= BOOTSTRAP_UNITS:
        half = float(stdtrit(n - 1, (1 + level) / 2)) * float(values.std(ddof=1)) / math.sqrt(n)
        return _clipped(value, value - half, value + half, sample, level, "t", n)
    return None


def _bootstrap(columns: Float64, seed: int, level: float) -> tuple[Float64, Float64, list[str]]:
    """Low and high end and method of each column.

    Scores of one model lie on one side of 0 and most are 0: the bias correction and acceleration of BCa
    (Efron 1987) mend what plain percentiles miss of their skew. Differences of equally good models have no
    skew of their own; there BCa follows that of chance, and plain percentiles hold the level.

    Both are expanded to fit Student's t (Hesterberg 2015, section 5.3), with as many degrees of freedom as
    the kurtosis leaves: the variance of a variance is that of a normal sample with 2 n / (kurtosis - 1).
    """
    n = len(columns)
    means = replicate_means(columns, seed=seed)
    centre = exact_means(columns)
    # exact sums make ties exact, and a tie counts half
    below = ((means < centre).mean(axis=0) + (means <= centre).mean(axis=0)) / 2
    rows = np.ascontiguousarray((columns - centre).T)  # summed along rows, m changes no rounding
    rows /= np.maximum(np.abs(rows).max(axis=1, keepdims=True), np.finfo(float).tiny)
    squares = np.maximum((rows * rows).sum(axis=1), np.finfo(float).tiny)
    freedom = 2 * n / np.maximum(n * (rows**4).sum(axis=1) / (squares * squares) - 1, 2 * n / (n - 1))
    tail = math.sqrt(n / (n - 1)) * stdtrit(np.maximum(freedom, _LEAST_FREEDOM), (1 + level) / 2)
    one_sided = (columns.min(axis=0) >= 0) | (columns.max(axis=0) <= 0)
    bias = np.where(one_sided, ndtri(np.clip(below, 1 / len(means), 1 - 1 / len(means))), 0.0)
    skew = (rows * rows * rows).sum(axis=1) / (6 * squares * np.sqrt(squares))
    acceleration = np.where(one_sided, skew, 0.0)
    means.sort(axis=0)
    ends = []
    for z in (-tail, tail):
        slope = np.maximum(1 - acceleration * (bias + z), 1e-6)
        ends.append(_percentiles(means, ndtr(bias + (bias + z) / slope)))
    names = ["bootstrap-bca" if one else "bootstrap-percentile" for one in one_sided.tolist()]
    return ends[0], ends[1], names


def _percentiles(ordered: Float64, shares: Float64) -> Float64:
    """Quantile ``shares[j]`` of each sorted column j, at position (B + 1) · share."""
    last = len(ordered) - 1
    place = np.clip(shares * (len(ordered) + 1) - 1, 0, last)
    floor = np.floor(place).astype(np.int64)
    column = np.arange(ordered.shape[1])
    left, right = ordered[floor, column], ordered[np.minimum(floor + 1, last), column]
    return left + (place - floor) * (right - left)


def _wilson(share: float, n: int, level: float) -> tuple[float, float]:
    """Score interval of a binomial proportion (Wilson 1927)."""
    z = float(ndtri((1 + level) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def _constant(value: float, n: int, bounds: Bounds, level: float) -> Interval:
    """All units agree: with confidence 1 - alpha/2 another value has at most probability p."""
    low, high = bounds
    if low is None or high is None:
        reason = "all units have the same value and the metric is unbounded"
        return Interval(value=value, level=level, reason=reason, n=n)
    p = _rare(n, level)
    return Interval(
        value=value,
        low=value - p * (value - low),
        high=value + p * (high - value),
        level=level,
        method="constant",
        n=n,
    )


def _rare(n: int, level: float) -> float:
    """The greatest probability of an event that n trials may fail to show (one-sided, exact binomial)."""
    return -math.expm1(math.log((1 - level) / 2) / n)


def _whole_run(sample: Sample, level: float) -> Interval:
    """Jackknife from leave-one-out losses; its variance is biased upwards (Efron & Stein 1981)."""
    assert sample.total is not None
    losses = sample.values[sample.scored]
    n, value = len(losses), sample.total
    if n < 2:
        reason = "one unit says nothing about the spread" if n else "no unit is scored"
        return Interval(value=value if n else None, level=level, reason=reason, n=n)
    if (losses == losses[0]).all():
        if sample.reach is None:
            return Interval(value=value, level=level, reason="all units contribute the same", n=n)
        # As for a mean: up to n * p units of another kind may have been missed, each moving it by reach.
        half = n * _rare(n, level) * sample.reach
        return _clipped(value, value - half, value + half, sample, level, "constant", n)
    deviations = losses - losses.mean()
    error = math.sqrt((n - 1) / n * float((deviations * deviations).sum()))
    half = float(ndtri((1 + level) / 2)) * error
    return _clipped(value, value - half, value + half, sample, level, "jackknife", n)


def _clipped(
    value: float, low: float, high: float, sample: Sample, level: float, method: str, n: int
) -> Interval:
    """An interval inside the bounds of its metric."""
    least, greatest = sample.bounds
    return Interval(
        value=value,
        low=float(low if least is None else max(low, least)),
        high=float(high if greatest is None else min(high, greatest)),
        level=level,
        method=method,
        n=n,
    )
