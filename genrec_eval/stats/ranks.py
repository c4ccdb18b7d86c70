"""Rank correlation of two scores, with ties: over items, within groups of items, and over systems."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator
from genrec_eval.stats.bootstrap import undefined_in
from genrec_eval.stats.fits import Student
from genrec_eval.stats.resample import replicate_sums
from genrec_eval.stats.sums import NOT_ASKED, Float64, Measure, by_unit, mean_of, undefined, unit_codes

Kind = Literal["spearman", "kendall"]

_REPLICATES = 2000
_BLOCK = 1 << 22
_CONSTANT = "one of the two scores is the same for all"


def correlation(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    *,
    kind: Kind = "spearman",
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Measure:
    """Spearman's rho (mid-ranks) or Kendall's tau-b of two scores, pooled over items.

    Rho has a percentile interval over resampled units, tau-b Student's t on its jackknife.

    Parameters
    ----------
    first, second
        float[n]; items without one of them (NaN) are left out.

    >>> found = correlation([1, 2, 3, 4, 5, 5], [1, 3, 2, 4, 4, 5], seed=None)
    >>> round(found.value, 3), found.n
    (0.897, 6)
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    if a.shape != b.shape:
        raise ValueError(f"{len(a)} scores beside {len(b)}")
    both = np.isfinite(a) & np.isfinite(b)
    a, b = a[both], b[both]
    codes, count = unit_codes(None if units is None else np.asarray(units)[both], len(a))
    if len(a) < 2:
        return undefined("fewer than two items have both scores", n=len(a), units=count, level=level)
    if np.ptp(a) == 0 or np.ptp(b) == 0:
        return undefined(_CONSTANT, n=len(a), units=count, level=level)
    value = coefficient(a, b, kind)
    plain = Measure(value=value, level=level, n=len(a), units=count, reason=NOT_ASKED)
    if seed is None:
        return plain
    if count < 4:
        return replace(plain, reason="fewer than four units say too little about the spread")
    if kind == "kendall":
        return _jackknife(plain, a, b, codes)
    return _percentiles(plain, _resampled(a, b, codes, count, seed))


def coefficient(a: Float64, b: Float64, kind: Kind) -> float:
    """The bare number; NaN where one side is constant.

    >>> import numpy as np
    >>> round(coefficient(np.array([1.0, 2, 3, 3]), np.array([1.0, 3, 2, 4]), "kendall"), 3)
    0.548
    """
    if kind == "kendall":
        concordant, tied_a, tied_b = (part.sum() for part in _pair_sums(a, b))
        whole = math.sqrt(tied_a * tied_b)
        return float(concordant / whole) if whole > 0 else math.nan
    one, other = _mid_ranks(a), _mid_ranks(b)
    one, other = one - one.mean(), other - other.mean()
    whole = math.sqrt(float((one**2).sum() * (other**2).sum()))
    return float((one * other).sum() / whole) if whole > 0 else math.nan


def grouped_correlation(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    groups: npt.ArrayLike,
    *,
    kind: Kind = "spearman",
    seed: int | None,
    level: float = 0.95,
) -> tuple[Measure, int]:
    """Mean of the correlations within groups (documents, prompts), and how many groups have none.

    This is the figure of SummEval and G-Eval, where groups with a constant score are passed over: they are
    counted here.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    codes, count = unit_codes(groups, len(a))
    values, skipped = [], 0
    for group in range(count):
        here = (codes == group) & np.isfinite(a) & np.isfinite(b)
        found = coefficient(a[here], b[here], kind) if here.sum() > 1 else math.nan
        if math.isfinite(found):
            values.append(found)
        else:
            skipped += 1
    empty = "no group has two items that differ in both scores"
    return mean_of(values, seed=seed, level=level, bounds=(-1.0, 1.0), empty=empty), skipped


def system_correlation(
    first: npt.ArrayLike,
    second: npt.ArrayLike,
    systems: Any,
    *,
    kind: Kind = "spearman",
    units: npt.ArrayLike,
    seed: int | None,
    level: float = 0.95,
) -> Measure:
    """Correlation of the means of systems; the systems are fixed, the units are resampled.

    Returns
    -------
    Measure
        ``n`` is the number of systems.
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    both = np.isfinite(a) & np.isfinite(b)
    names, system = np.unique(np.asarray(systems)[both], return_inverse=True)
    s = len(names)
    codes, count = unit_codes(np.asarray(units)[both], int(both.sum()))
    if s < 3:
        return undefined("fewer than three systems have both scores", n=s, units=count, level=level)
    hot = (system[:, None] == np.arange(s)).astype(np.float64)
    columns = by_unit(
        np.concatenate([hot, hot * a[both][:, None], hot * b[both][:, None]], axis=1), codes, count
    )

    def at(sums: Float64) -> Float64:
        with np.errstate(all="ignore"):
            one, other = sums[:, s : 2 * s] / sums[:, :s], sums[:, 2 * s :] / sums[:, :s]
        whole = np.isfinite(one).all(axis=1) & np.isfinite(other).all(axis=1)
        # rounding makes equal means differ, and a rank correlation would see that
        one, other = np.round(one, 12), np.round(other, 12)
        found = np.full(len(sums), np.nan)
        for row in np.flatnonzero(whole):
            found[row] = coefficient(one[row], other[row], kind)
        return found

    value = float(at(columns.sum(axis=0)[None, :])[0])
    if not math.isfinite(value):
        return undefined("all systems have the same mean on one side", n=s, units=count, level=level)
    plain = Measure(value=value, level=level, n=s, units=count, reason=NOT_ASKED)
    if seed is None:
        return plain
    if count < 4:
        return replace(plain, reason="fewer than four units say too little about the spread")
    return _percentiles(plain, at(replicate_sums(columns, seed=seed, replicates=_REPLICATES)))


def _percentiles(plain: Measure, drawn: Float64) -> Measure:
    """Plain percentiles: ranks of a few systems jump, so that leaving out one unit tells of no error."""
    kept = drawn[np.isfinite(drawn)]
    lost = 1 - len(kept) / len(drawn)
    tail = (1 - plain.level) / 2
    if lost > tail:
        return replace(plain, reason=undefined_in(lost))
    low, high = np.quantile(kept, [tail, 1 - tail])
    return replace(
        plain,
        low=float(low),
        high=float(high),
        method="bootstrap-percentile",
        reason=None,
    )


def _resampled(a: Float64, b: Float64, codes: npt.NDArray[np.int64], count: int, seed: int) -> Float64:
    """float64[B], rho in resamples of units: ranks follow from how often each value was drawn."""
    rng = generator(seed, "rank correlation", count)
    (_, x), (_, y) = (np.unique(side, return_inverse=True) for side in (a, b))
    n = len(a)
    out = np.empty(_REPLICATES)
    rows = max(1, _BLOCK // n)
    for start in range(0, _REPLICATES, rows):
        size = min(rows, _REPLICATES - start)
        drawn = rng.integers(0, count, size=(size, count)) + np.arange(size)[:, None] * count
        weights = np.bincount(drawn.ravel(), minlength=size * count).reshape(size, count)[:, codes]
        total = weights.sum(axis=1, keepdims=True)
        ranks = []
        for side in (x, y):
            k = int(side.max()) + 1
            place = side[None, :] + np.arange(size)[:, None] * k
            held = np.bincount(place.ravel(), weights.ravel(), size * k).reshape(size, k)
            middle = np.cumsum(held, axis=1) - held / 2
            rank = middle[:, side]
            ranks.append(rank - (weights * rank).sum(axis=1, keepdims=True) / np.maximum(total, 1))
        one, other = ranks
        whole = np.sqrt((weights * one**2).sum(axis=1) * (weights * other**2).sum(axis=1))
        shared = (weights * one * other).sum(axis=1)
        kept = whole > 0
        out[start : start + size] = np.where(kept, shared / np.where(kept, whole, 1.0), np.nan)
    return out


def _mid_ranks(values: Float64) -> Float64:
    _, codes, counts = np.unique(values, return_inverse=True, return_counts=True)
    return (np.cumsum(counts) - (counts - 1) / 2)[codes]


def _pair_sums(a: Float64, b: Float64) -> tuple[Float64, Float64, Float64]:
    """Per item, over all others: concordant minus discordant, not tied in a, not tied in b."""
    n = len(a)
    out = np.zeros((3, n))
    rows = max(1, _BLOCK // n)
    for start in range(0, n, rows):
        here = slice(start, start + rows)
        one = np.sign(a[here, None] - a[None, :])
        other = np.sign(b[here, None] - b[None, :])
        out[:, here] = (one * other).sum(axis=1), np.abs(one).sum(axis=1), np.abs(other).sum(axis=1)
    return out[0], out[1], out[2]


def _jackknife(plain: Measure, a: Float64, b: Float64, codes: npt.NDArray[np.int64]) -> Measure:
    """Student's t from leaving out each unit: its pairs with all others, less those within it."""
    count = plain.units
    parts = np.stack(_pair_sums(a, b))
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(count + 1))
    left = np.empty((3, count))
    for unit in range(count):
        rows = order[bounds[unit] : bounds[unit + 1]]
        within = np.array([part.sum() for part in _pair_sums(a[rows], b[rows])]) if len(rows) > 1 else 0.0
        left[:, unit] = parts.sum(axis=1) - 2 * parts[:, rows].sum(axis=1) + within
    whole = np.sqrt(left[1] * left[2])
    if not (whole > 0).all():
        return replace(plain, reason="without one of the units one score is the same for all")
    without = left[0] / whole
    error = math.sqrt((count - 1) / count * float(((without - without.mean()) ** 2).sum()))
    assert plain.value is not None
    low, high = Student(plain.value, error, count - 1).ends(plain.level)
    return replace(plain, low=max(-1.0, low), high=min(1.0, high), method="jackknife", reason=None)
