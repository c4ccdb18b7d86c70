"""Do labels matter inside units, each with a value under several labels? Tests and intervals.

One user is asked under seven disclosed values: under the hypothesis that the values mean nothing, the seven
answers could have come in any order. So labels are shuffled inside each unit, all ways where they are few.
Rows are those of :mod:`genrec_eval.stats.ranges`: g sums, then g counts; a label that a unit was not asked
has count 0 and takes no part in its shuffles.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator
from genrec_eval.stats.fits import Constant, Fit
from genrec_eval.stats.ranges import Range, column_means, range_of
from genrec_eval.stats.resolution import Resolution

Float64 = npt.NDArray[np.float64]
Bool = npt.NDArray[np.bool_]
Ends = tuple[float, float]

REPLICATES = 5_000
"""Shuffles that are drawn where there are too many to try all."""
EXACT = 50_000
"""Up to this many arrangements all are tried."""
DECISIVE = 0.05
"""A test that can never give a smaller p-value decides nothing."""
_POOL = 5
"""Up to this many labels a shuffle is drawn from a table of all."""
MOST_UNITS = 20_000
"""Beyond so many units sums under shuffles are as good as normal, and drawn as such."""
_BLOCK = 1 << 21
_ROUNDING = 1e-12
"""Standard errors below it are those of units that all agree."""


@dataclass(frozen=True, slots=True)
class Null:
    """The range of label means, and what it is when labels are shuffled inside units.

    Attributes
    ----------
    observed
        Highest label mean less the lowest.
    shuffled
        float64[B], the same under each shuffle.
    exact
        Whether these are all arrangements.
    """

    observed: float
    shuffled: Float64
    exact: bool

    @property
    def mean(self) -> float:
        """Mean range where labels mean nothing."""
        return float(self.shuffled.mean())

    @property
    def p(self) -> float:
        """Share of arrangements with at least the observed range; (b + 1) / (B + 1) for drawn ones."""
        # sums in another order round differently, and what was seen is one of the arrangements
        beyond = int((self.shuffled >= self.observed - 1e-9 * max(1.0, self.observed)).sum())
        more = 0 if self.exact else 1
        return (beyond + more) / (len(self.shuffled) + more)


def shuffled_ranges(rows: Float64, seed: int, replicates: int = REPLICATES) -> Null | None:
    """Ranges of label means under shuffles inside units; None where fewer than two labels have a value.

    Parameters
    ----------
    rows
        float64[n, 2 g].

    >>> rows = np.array([[0.9, 0.5, 1, 1], [0.8, 0.6, 1, 1], [0.7, 0.4, 1, 1]])
    >>> found = shuffled_ranges(rows, seed=1)
    >>> round(found.observed, 6), found.p, len(found.shuffled)
    (0.3, 0.25, 4)
    """
    values, there = _cells(rows)
    counts = there.sum(axis=0)
    seen = np.flatnonzero(counts)
    if len(seen) < 2:
        return None
    values, there, counts = values[:, seen], there[:, seen], counts[seen]
    observed = float(np.ptp(values.sum(axis=0) / counts))
    moved = there.sum(axis=1) > 1
    fixed = values[~moved].sum(axis=0)
    lone = bool((there.sum(axis=1) == 1).any())
    values, there = values[moved], there[moved]
    # to rename all labels alike changes no range, so one unit may stand still where all have all labels
    still = int(len(there) > 0 and bool(there.all()) and not lone)
    if _arrangements(there[still:]) <= math.log(EXACT) + 1e-9:
        sums = fixed + values[:still].sum(axis=0) + _all_sums(values[still:], there[still:])
        return Null(observed, np.ptp(sums / counts, axis=1), True)
    sums = fixed + _drawn_sums(values, there, seed, replicates)
    return Null(observed, np.ptp(sums / counts, axis=1), False)


def resolution(rows: Float64) -> Resolution:
    """The smallest p that shuffles inside units of this shape can give.

    >>> resolution(np.ones((5, 4))).least, resolution(np.ones((5, 4))).enough(0.01)
    (0.0625, 8)
    """
    there = _cells(rows)[1]
    labels = int((there.sum(axis=0) > 0).sum())
    sizes = there.sum(axis=1)
    sizes = sizes[sizes > 1].astype(np.float64)
    if labels < 2 or not len(sizes):
        return Resolution(1.0, "no unit has a value under two labels", len(rows), factor=1.0)
    # the range sees which labels come out highest and lowest; the order of those in between is a tie
    pairs = labels * (labels - 1)
    least = pairs * math.exp(-float(np.log(sizes * (sizes - 1)).sum()))
    shape = f"{labels} values and {len(sizes)} paired unit{'' if len(sizes) == 1 else 's'}"
    return Resolution(min(least, 1.0), shape, len(sizes), factor=1 / pairs)


def unresolvable(rows: Float64) -> str | None:
    """Why no data of this shape could ever speak against the hypothesis; None where they could.

    >>> unresolvable(np.ones((5, 4)))
    'with 2 values and 5 paired units even the most extreme arrangement has p = 0.0625'
    >>> unresolvable(np.ones((6, 4))) is None
    True
    """
    found = resolution(rows)
    if found.least <= DECISIVE:
        return None
    if found.factor == 1.0:
        return found.shape
    return f"with {found.shape} even the most extreme arrangement has p = {found.least:.4g}"


def null_scale(rows: Float64) -> Float64:
    """float64[n], the variance that a shuffle gives each unit's share of a label mean.

    Means of shuffled labels have covariances in proportion to the sum of these, so that a null mean, which
    is no sum over units, follows a resample as the root of one.
    """
    values, there = _cells(rows)
    sizes = there.sum(axis=1)
    means = values.sum(axis=1) / np.maximum(sizes, 1)
    apart = np.where(there, values - means[:, None], 0.0)
    return np.asarray((apart * apart).sum(axis=1) / np.maximum(sizes - 1, 1))


def range_fit(rows: Float64, most: float = 1.0) -> Fit | str:
    """The range of label means with its interval; a reason where the shape of the data decides nothing.

    Where no unit tells any label from another there is no spread to go by: the interval then says how many
    units of another kind may have gone unseen, each apart by at most ``most``.
    """
    said = unresolvable(rows)
    if said is not None:
        return said
    found = range_of(rows)
    if isinstance(found, str) or (found.errors > _ROUNDING).any():
        return found
    return Constant(found.value, len(rows), lambda p: _unseen(found.value, p, most))


def _unseen(value: float, p: float, most: float) -> Ends:
    return max(0.0, value - p * (value + most)), value + p * (most - value)


@dataclass(frozen=True, slots=True)
class Excess:
    """A range less its mean under shuffled labels.

    What is left of a true range after its floor is taken away lies between the range less the floor, and
    the range: with small samples the floor hides much, so the upper end gives nothing away.
    """

    whole: Fit
    floor: float

    @property
    def method(self) -> str:
        return self.whole.method

    def ends(self, level: float) -> Ends:
        low, high = self.whole.ends(level)
        return low - self.floor, high

    def tails(self, null: float) -> Ends:
        return self.whole.tails(null + self.floor)[0], self.whole.tails(null)[1]

    def grown(self, by: float) -> Excess:
        """The same excess over ``by`` times as many units: its floor is lower, and so is its range."""
        floor = self.floor / math.sqrt(by)
        if not isinstance(self.whole, Range):
            return Excess(self.whole, floor)
        whole = replace(self.whole, differences=self.whole.differences - (self.floor - floor))
        return Excess(whole.grown(by), floor)


def excess_fit(rows: Float64, floor: float, most: float = 1.0) -> Fit | str:
    """:func:`range_fit` less ``floor``."""
    found = range_fit(rows, most)
    return found if isinstance(found, str) else Excess(found, floor)


@dataclass(frozen=True, slots=True)
class Spread:
    """Standard deviation between label means, with an interval that holds near 0.

    The estimate is off by at most the length of the error of all centred means (the triangle inequality);
    that length squared is a sum of squares, close to a multiple of F (Satterthwaite).

    Attributes
    ----------
    length
        Mean square of the error.
    freedom, units
        Degrees of freedom above and below.
    """

    value: float
    length: float
    freedom: float
    units: float
    method: str = "simultaneous-f"

    def ends(self, level: float) -> Ends:
        from scipy.special import fdtri

        half = math.sqrt(self.length * float(fdtri(self.freedom, self.units, level)))
        return max(0.0, self.value - half), self.value + half

    def tails(self, null: float) -> Ends:
        """Twice as sure as a test of one side would be: an error may show on either."""
        from scipy.special import fdtr, fdtrc

        apart = (self.value - null) ** 2 / self.length
        beyond = float(fdtrc(self.freedom, self.units, apart)) / 2
        within = 0.5 + float(fdtr(self.freedom, self.units, apart)) / 2
        return (beyond, within) if self.value >= null else (within, beyond)

    def grown(self, by: float) -> Spread:
        """The same over ``by`` times as many units."""
        return replace(self, length=self.length / by, units=self.units * by)


def spread_fit(rows: Float64, most: float = 0.5) -> Fit | str:
    """Population standard deviation of the label means; a reason where there is no interval."""
    whole = range_fit(rows)
    if isinstance(whole, str):
        return whole
    values, there = _cells(rows)
    means, counts = column_means(rows.sum(axis=0))
    seen = np.flatnonzero(counts > 0)
    value = float(means[seen].std())
    if not isinstance(whole, Range):
        return Constant(value, len(rows), lambda p: _unseen(value, p, most))
    pull = np.where(there, values - means, 0.0)[:, seen] / counts[seen]
    pull -= pull.mean(axis=1, keepdims=True)
    least = float(counts[seen].min())
    covariance = pull.T @ pull * least / (least - 1)
    trace, squares = float(np.trace(covariance)), float((covariance * covariance).sum())
    return Spread(value, trace / len(seen), trace * trace / squares, least - 1)


def _cells(rows: Float64) -> tuple[Float64, Bool]:
    """float64[n, g] values, 0 where there is none, and bool[n, g]."""
    g = rows.shape[1] // 2
    sums, counts = rows[:, :g], rows[:, g:]
    there = counts > 0
    return np.divide(sums, counts, out=np.zeros(sums.shape), where=there), there


def _arrangements(there: Bool) -> float:
    """Logarithm of how many arrangements there are."""
    return sum(math.lgamma(size + 1) for size in there.sum(axis=1).tolist())


def _all_sums(values: Float64, there: Bool) -> Float64:
    """float64[B, g], sums over units under every arrangement."""
    g = values.shape[1]
    sums = np.zeros((1, g))
    for row, mask in zip(values, there, strict=True):
        places = np.flatnonzero(mask)
        orders = np.zeros((math.factorial(len(places)), g))
        orders[:, places] = row[places][np.array(list(itertools.permutations(range(len(places)))))]
        sums = (sums[:, None, :] + orders[None, :, :]).reshape(-1, g)
    return sums


def _drawn_sums(values: Float64, there: Bool, seed: int, replicates: int) -> Float64:
    """float64[B, g], sums over units under shuffles drawn for each unit by itself."""
    g = values.shape[1]
    sums = np.zeros((replicates, g))
    patterns, of = np.unique(there, axis=0, return_inverse=True)
    for number, pattern in enumerate(patterns):
        places = np.flatnonzero(pattern)
        some = values[of.reshape(-1) == number][:, places]
        rng = generator(seed, "within-units", number, len(some), len(places), replicates)
        sums[:, places] += _shuffled(some, rng, replicates)
    return sums


def _shuffled(values: Float64, rng: np.random.Generator, replicates: int) -> Float64:
    """float64[B, h], column sums of float64[n, h] after each row is shuffled."""
    n, h = values.shape
    if n > MOST_UNITS:
        means = values.mean(axis=1, keepdims=True)
        spread = math.sqrt(float(((values - means) ** 2).sum()) / (h - 1))
        drawn = rng.standard_normal((replicates, h))
        return np.asarray(means.sum() + spread * (drawn - drawn.mean(axis=1, keepdims=True)))
    orders = np.array(list(itertools.permutations(range(h)))) if h <= _POOL else None
    every = None if orders is None else values[:, orders]  # float64[n, h!, h]
    sums, units = np.empty((replicates, h)), np.arange(n)
    step = max(1, _BLOCK // (n * h))
    for start in range(0, replicates, step):
        size = min(step, replicates - start)
        if every is None or orders is None:
            order = rng.random((size, n, h)).argsort(axis=2)
            shuffled = np.take_along_axis(values[None], order, axis=2)
        else:
            shuffled = every[units, rng.integers(0, len(orders), (size, n))]
        sums[start : start + size] = shuffled.sum(axis=1)
    return sums
