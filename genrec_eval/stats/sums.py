"""A value with its interval for any function of sums over units: kappas, alphas, F1 and the like.

Such statistics are no means of unit scores, but functions of column sums
(:class:`~genrec_eval.stats.sample.Pooled`); rows of one unit stay together.

How well their intervals hold at 95 % (400 samples each): Cohen's kappa of two raters over three categories,
quadratic kappa over five, ordinal alpha of three raters and ratios are covered in 93.5 to 99.3 % of samples
from 50 items to 200 and in 96.3 to 99.7 % at 20; macro F1 with a class of 10 % in 96.8 to 97.3 %, and in 85 %
at 20 items, where that class often has one item or none. That is of the samples that have an interval: 57 %
of those of 20 items, of which 85 % are of one category, have none for kappa.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.resample import exact_sums
from genrec_eval.stats.sample import Pooled, Reach, Sample

Float64 = npt.NDArray[np.float64]
At = Callable[[Float64], Float64]
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
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    level: float = 0.95
    method: str | None = None
    n: int
    units: int
    reason: str | None = None


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
    """Value and interval of ``at(sums of columns)``, resampling units.

    The interval is that of pooled units: :func:`~genrec_eval.stats.intervals.intervals`.

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
        Where every unit is as good as any can be, so that the value is the greatest of ``bounds``: its ends
        when a share p of units were of the worst kind.

    >>> agree = np.repeat([1.0, 0.0], [80, 20])
    >>> found = of_sums(np.stack([agree, np.ones(100)], axis=1), lambda s: s[:, 0] / s[:, 1], seed=1)
    >>> found.value, round(found.low, 2), round(found.high, 2)
    (0.8, 0.71, 0.87)
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
    plain = Measure(value=value, level=level, n=counted, units=count, reason=NOT_ASKED)
    if seed is None:
        return plain
    if columns.size > _MOST_VALUES:
        return replace(plain, reason="too many units and categories for an interval")
    sample = Sample(
        values=np.zeros(count),
        scored=np.ones(count, bool),
        bounds=bounds,
        pooled=Pooled(rows=columns, combine=at, reach=reach if value == bounds[1] else None),
    )
    return _with_interval(plain, sample, seed)


def _with_interval(plain: Measure, sample: Sample, seed: int) -> Measure:
    found = intervals([sample], seed=seed, level=plain.level)[0]
    return replace(
        plain, low=found.low, high=found.high, method=found.method, units=found.n, reason=found.reason
    )


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
    return _with_interval(plain, sample, seed)


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
