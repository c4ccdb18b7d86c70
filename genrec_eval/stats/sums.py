"""A value with its interval for any function of sums over units: kappas, alphas, F1 and the like.

Such statistics are no means of unit scores, but functions of column sums: the resampler that serves means
serves them too (:func:`~genrec_eval.stats.resample.replicate_sums`), and rows of one unit stay together.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.bootstrap import shape
from genrec_eval.stats.fits import Bootstrapped, Student
from genrec_eval.stats.fitting import SMALLEST_BOOTSTRAP
from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.resample import exact_sums, replicate_sums
from genrec_eval.stats.sample import Sample

Float64 = npt.NDArray[np.float64]
At = Callable[[Float64], Float64]
Reach = Callable[[float], tuple[float, float]]
Bounds = tuple[float | None, float | None]

NOT_ASKED = "no interval was asked for"
_MOST_VALUES = 1 << 26
"""Entries of the column matrix up to which it is resampled: half a gigabyte."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    """A value with its interval and what it rests on.

    Attributes
    ----------
    value
        None when it is undefined; ``reason`` then says why.
    low, high, method
        None when there is no interval; ``reason`` then says why.
    n
        Observations behind the value: items, verdicts, pairs of votes.
    units
        Resampling units that they belong to.
    degenerate
        Resamples in which the statistic is undefined; the interval is that of the others.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str | None = None
    n: int
    units: int
    reason: str | None = None
    degenerate: int = 0


def undefined(reason: str, *, n: int = 0, units: int = 0, level: float = 0.95) -> Measure:
    """No value, and why."""
    return Measure(value=None, level=level, n=n, units=units, reason=reason)


def unit_codes(units: npt.ArrayLike | None, n: int) -> tuple[npt.NDArray[np.int64], int]:
    """Row → code of its unit, and how many units there are; every row is its own where none are given."""
    if units is None:
        return np.arange(n), n
    given = np.asarray(units)
    if len(given) != n:
        raise ValueError(f"{len(given)} units beside {n} rows")
    names, codes = np.unique(given, return_inverse=True)
    return codes.astype(np.int64).reshape(n), len(names)


def by_unit(columns: Float64, codes: npt.NDArray[np.int64], count: int) -> Float64:
    """float64[count, c], sums of the rows of each unit."""
    if count == len(columns):
        return columns
    sums = np.zeros((count, columns.shape[1]))
    np.add.at(sums, codes, columns)
    return sums


def of_sums(
    columns: Float64,
    at: At,
    *,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
    bounds: Bounds = (-1.0, 1.0),
    n: int | None = None,
    why: str = "it is undefined for these data",
    reach: Reach | None = None,
) -> Measure:
    """Value and percentile interval of ``at(sums of columns)``, resampling units.

    Percentiles are expanded as those of ratios are (:mod:`genrec_eval.stats.bootstrap`): Student's t with
    the degrees of freedom that the kurtosis leaves, at least to the jackknife's error.

    Parameters
    ----------
    columns
        float64[n, c], what each row adds; finite.
    at
        float64[B, c] → float64[B], with NaN where the statistic is undefined.
    units
        n unit ids; rows of one unit enter a resample together. None when each row is a unit.
    seed
        None for the value without an interval.
    n
        Observations behind the value; the number of rows by default.
    why
        Why the value would be undefined.
    reach
        For data in which no unit moves the value: its ends when a share p of units were of another kind.

    Returns
    -------
    Measure
        Without an interval where more than ``(1 - level) / 2`` of the resamples have no value: what is left
        of them would not be the tail that the interval names.

    >>> agree = np.repeat([1.0, 0.0], [80, 20])
    >>> found = of_sums(np.stack([agree, np.ones(100)], axis=1), lambda s: s[:, 0] / s[:, 1], seed=1)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.8, 0.72, 0.88)
    """
    codes, count = unit_codes(units, len(columns))
    counted = len(columns) if n is None else n
    if not count:
        return undefined("there is nothing to compare", level=level)
    columns = by_unit(columns, codes, count)
    with np.errstate(all="ignore"):
        value = float(at(exact_sums(columns)[None, :])[0])
        if not math.isfinite(value):
            return undefined(why, n=counted, units=count, level=level)
        # what comes before the interval, whose reason is all that is still to be found
        plain = Measure(value=value, level=level, n=counted, units=count, reason=NOT_ASKED)
        if seed is None:
            return plain
        return _with_interval(plain, columns, at, seed, bounds, reach)


def _with_interval(
    plain: Measure, columns: Float64, at: At, seed: int, bounds: Bounds, reach: Reach | None
) -> Measure:
    count, level, value = plain.units, plain.level, plain.value
    assert value is not None
    if count < 2:
        return replace(plain, reason="one unit says nothing about the spread")
    if columns.size > _MOST_VALUES:
        return replace(plain, reason="too many units and categories for an interval")
    without = at(exact_sums(columns)[None, :] - columns)
    steady = bool(np.isfinite(without).all())
    if steady and np.ptp(without) <= 1e-12 and abs(float(without[0]) - value) <= 1e-12:
        if reach is None:
            return replace(plain, reason="no unit moves the value")
        # the greatest probability of a disagreement that so many units may fail to show
        low, high = reach(-math.expm1(math.log((1 - level) / 2) / count))
        return replace(
            plain, reason=None, method="constant", low=_least(low, bounds), high=_most(high, bounds)
        )
    influence = (count - 1) * (without.mean() - without) if steady else None
    error = None if influence is None else math.sqrt(float((influence**2).sum()) / (count * (count - 1)))
    if count < SMALLEST_BOOTSTRAP:
        if error is None:
            return replace(plain, reason=f"{count} units are too few: without one of them it is undefined")
        low, high = Student(value, error, count - 1).ends(level)
        return replace(plain, reason=None, method="t", low=_least(low, bounds), high=_most(high, bounds))
    drawn = at(replicate_sums(columns, seed=seed))
    kept = np.sort(drawn[np.isfinite(drawn)])
    lost = len(drawn) - len(kept)
    if lost > (1 - level) / 2 * len(drawn):
        share = 100 * lost / len(drawn)
        return replace(plain, degenerate=lost, reason=f"it is undefined in {share:.1f} % of the resamples")
    widen, freedom = math.sqrt(count / (count - 1)), math.inf
    if influence is not None and error is not None:
        freedom = shape(influence)[0]
        widen = max(widen, error / max(float(kept.std()), np.finfo(float).tiny))
    spread = float(kept.std()) if error is None else error
    fit = Bootstrapped(value, spread, kept, 0.0, 0.0, freedom, widen, "bootstrap-percentile")
    low, high = fit.ends(level)
    return replace(
        plain,
        reason=None,
        method=fit.method,
        degenerate=lost,
        low=_least(low, bounds),
        high=_most(high, bounds),
    )


def _least(low: float, bounds: Bounds) -> float:
    return float(low if bounds[0] is None else max(low, bounds[0]))


def _most(high: float, bounds: Bounds) -> float:
    return float(high if bounds[1] is None else min(high, bounds[1]))


def mean_of(
    values: npt.ArrayLike,
    *,
    units: npt.ArrayLike | None = None,
    weights: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
    bounds: Bounds = (None, None),
    indicator: bool = False,
    empty: str = "there is nothing to count",
) -> Measure:
    """Mean over rows, with the interval that :func:`~genrec_eval.stats.intervals.intervals` gives units.

    Where units have several rows each, the mean is a ratio of sums over units.

    >>> found = mean_of([1.0, 0.0, 1.0, 1.0], units=["a", "a", "b", "c"], seed=1)
    >>> found.value, found.n, found.units
    (0.75, 4, 3)
    """
    numbers = np.asarray(values, np.float64)
    codes, count = unit_codes(units, len(numbers))
    if not count:
        return undefined(empty, level=level)
    heavy = np.ones(len(numbers)) if weights is None else np.asarray(weights, np.float64)
    total = np.bincount(codes, numbers * heavy, count)
    weight: Float64 = np.bincount(codes, heavy, count).astype(np.float64)
    if not weight.sum() > 0:
        return undefined(empty, level=level)
    value = float(total.sum() / weight.sum())
    plain = Measure(value=value, level=level, n=len(numbers), units=count, reason=NOT_ASKED)
    if seed is None:
        return plain
    even = bool((weight == weight[0]).all())
    sample = Sample(
        values=np.divide(total, weight, out=np.zeros(count), where=weight > 0),
        scored=weight > 0,
        bounds=bounds,
        indicator=indicator,
        weights=None if even else weight,
    )
    found = intervals([sample], seed=seed, level=level)[0]
    return Measure(
        value=value,
        low=found.low,
        high=found.high,
        level=level,
        method=found.method,
        n=len(numbers),
        units=found.n,
        reason=found.reason,
    )


def share_of(
    hits: npt.ArrayLike,
    *,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
    empty: str = "there is nothing to count",
) -> Measure:
    """Share of rows that show something; see :func:`mean_of`."""
    return mean_of(
        np.asarray(hits, bool),
        units=units,
        seed=seed,
        level=level,
        bounds=(0.0, 1.0),
        indicator=True,
        empty=empty,
    )
