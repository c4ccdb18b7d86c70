"""The range of several means over the same units: how far the highest lies above the lowest.

A range has a positive floor: of means that are all equal, the highest still lies above the lowest, and
resampling adds to it. So its interval is made from the differences of all pairs at once: it holds at least
as often as it says, and its low end is 0 unless some pair differs.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int = npt.NDArray[np.integer]
Ends = tuple[float, float]
Bounds = tuple[float | None, float | None]

UNMOVED = "all units of a group agree, and no bounds of the metric say how far others may lie"

LEAST_BASE = 3.0
"""Standard errors from 0 within which a mean is nothing to divide by."""

_ROUNDING = 1e-12
"""Values that differ by this share of the greatest are equal."""


@dataclass(frozen=True, slots=True)
class Range:
    """Highest mean less lowest, from simultaneous intervals of all pairs (Bonferroni, Student's t).

    Attributes
    ----------
    differences, errors
        float64[pairs], absolute difference of each pair of means, and its standard error.
    freedom
        float64[pairs], degrees of freedom.
    most
        The greatest possible range.
    """

    value: float
    differences: Float64
    errors: Float64
    freedom: Float64
    method: str = "simultaneous-t"
    most: float = math.inf

    def ends(self, level: float) -> Ends:
        from scipy.special import stdtrit

        tail = (1 - level) / 2 / len(self.differences)
        half = -stdtrit(self.freedom, tail) * self.errors
        low, high = self.differences - half, self.differences + half
        return max(0.0, float(low.max())), min(float(high.max()), self.most)

    def tails(self, null: float) -> Ends:
        """Small when some pair lies clearly above ``null``, and when all lie clearly below."""
        from scipy.special import stdtr

        with np.errstate(divide="ignore", invalid="ignore"):
            z = (self.differences - null) / self.errors
            z = np.where(self.errors > 0, z, np.sign(self.differences - null) * math.inf)
        z = np.where(np.isnan(z), 0.0, z)
        pairs = len(self.differences)
        above = float(np.clip(stdtr(self.freedom, -z).min() * pairs, 0.0, 1.0))
        return above, float(np.clip(stdtr(self.freedom, z).max() * pairs, 0.0, 1.0))

    def grown(self, by: float) -> Range:
        """The same differences over ``by`` times as many units."""
        return replace(self, errors=self.errors / math.sqrt(by), freedom=self.freedom * by)


@dataclass(frozen=True, slots=True)
class LowestOverHighest:
    """Lowest mean over highest: the range of the logarithms (delta method)."""

    log: Range
    method: str = "simultaneous-t-log"

    @property
    def value(self) -> float:
        return math.exp(-self.log.value)

    def ends(self, level: float) -> Ends:
        low, high = self.log.ends(level)
        return math.exp(-high), math.exp(-low)

    def tails(self, null: float) -> Ends:
        if null <= 0:
            return 0.0, 1.0
        above, below = self.log.tails(-math.log(null))
        return below, above

    def grown(self, by: float) -> LowestOverHighest:
        """The same over ``by`` times as many units."""
        return LowestOverHighest(self.log.grown(by))


def column_means(rows: Float64) -> tuple[Float64, Float64]:
    """Means and counts of each column: rows hold g sums, then g counts.

    Parameters
    ----------
    rows
        float64[..., n, 2 g] or already summed float64[..., 2 g].

    >>> column_means(np.array([3.0, 1.0, 6.0, 4.0]))[0]
    array([0.5 , 0.25])
    """
    sums, counts = np.split(rows, 2, axis=-1)
    return np.divide(sums, counts, out=np.full(sums.shape, np.nan), where=counts > 0), counts


def range_of(rows: Float64, bounds: Bounds = (None, None)) -> Range | str:
    """The range of column means, with the errors of all pairs; a reason where there is none.

    Units may enter one column (groups of users) or several (answers of one user under several values): what
    they have in common cancels from a difference, whichever it is.

    Parameters
    ----------
    rows
        float64[n, 2 g], what each unit adds: g sums, then g counts.
    bounds
        Least and greatest possible value of a unit that enters one column; see :func:`apart`.

    >>> rows = np.zeros((40, 4)); rows[:20, 0] = np.arange(20) % 2; rows[:20, 2] = 1; rows[20:, 3] = 1
    >>> found = range_of(rows, (0.0, 1.0))
    >>> found.value, round(found.ends(0.95)[0], 2)
    (0.5, 0.26)
    """
    g = rows.shape[1] // 2
    means, counts = column_means(rows.sum(axis=0))
    seen = np.flatnonzero(counts > 0)
    if len(seen) < 2:
        return "fewer than two groups have a value"
    # a million users: no copy of what is taken whole
    of = slice(None) if len(seen) == g else seen
    sums, ones = rows[:, :g][:, of], rows[:, g:][:, of]
    entered = ones > 0
    units = entered.sum(axis=0)
    first, second = np.triu_indices(len(seen), 1)
    least = np.minimum(units[first], units[second])
    if (least < 2).any():
        return "a group of one unit says nothing about the spread"
    differences = np.abs(means[seen][first] - means[seen][second])
    if not (entered.sum(axis=1) > 1).any():
        variances = apart(sums, ones, bounds)
        if isinstance(variances, str):
            return variances
        errors = np.sqrt(variances[first] + variances[second])
        freedom = _welch(variances, units, first, second)
        least_value, greatest = bounds
        most = math.inf if least_value is None or greatest is None else greatest - least_value
        return Range(float(differences.max()), differences, errors, freedom, most=most)
    pull = (sums - ones * means[seen]) / counts[seen]
    between = pull[:, first] - pull[:, second]
    # the smaller group decides: at its size the variance is least known
    errors = np.sqrt((between * between).sum(axis=0) * least / (least - 1))
    return Range(float(differences.max()), differences, errors, (least - 1).astype(np.float64))


def apart(sums: Float64, ones: Float64, bounds: Bounds = (None, None)) -> Float64 | str:
    """float64[g], squared standard error of each group's mean, for groups of different units.

    Where both bounds are known, one unit more at each of them is added to every group, to its spread alone
    (Agresti & Caffo 2000): a group whose units all agree would else be known exactly. Where they are not
    and some group's units all agree, a reason why there is no error.

    Parameters
    ----------
    sums, ones
        float64[n, g], what each unit adds to its group: value times weight, and weight.
    """
    whole, units = ones.sum(axis=0), (ones > 0).sum(axis=0)
    means = sums.sum(axis=0) / whole
    pull = sums - ones * means
    squares = (pull * pull).sum(axis=0)
    low, high = bounds
    if low is None or high is None:
        scale = np.abs(sums).max(axis=0, initial=0.0)
        if (squares <= (_ROUNDING * scale) ** 2 * units).any():
            return UNMOVED
        return squares / whole**2 * units / (units - 1)
    each = whole / units  # the weight of a unit as it is on average
    middle = (sums.sum(axis=0) + each * (low + high)) / (whole + 2 * each)
    squares += units * (each * (means - middle)) ** 2
    squares += (each * (low - middle)) ** 2 + (each * (high - middle)) ** 2
    found: Float64 = squares / (whole + 2 * each) ** 2 * (units + 2) / (units + 1)
    return found


def ratio_of(rows: Float64, bounds: Bounds = (None, None)) -> LowestOverHighest | str:
    """The lowest column mean over the highest, for groups of different units and means above 0.

    Parameters
    ----------
    rows, bounds
        As in :func:`range_of`.

    >>> rows = np.zeros((80, 4)); rows[:40, 0] = np.arange(40) % 2; rows[:40, 2] = 1
    >>> rows[40:, 1] = np.arange(40) % 4 > 0; rows[40:, 3] = 1
    >>> found = ratio_of(rows, (0.0, 1.0))
    >>> round(found.value, 3), round(found.ends(0.95)[0], 2)
    (0.667, 0.46)
    """
    g = rows.shape[1] // 2
    means, counts = column_means(rows.sum(axis=0))
    seen = np.flatnonzero(counts > 0)
    if len(seen) < 2:
        return "fewer than two groups have a value"
    sums, ones, means = rows[:, :g][:, seen], rows[:, g:][:, seen], means[seen]
    units = (ones > 0).sum(axis=0)
    if (units < 2).any():
        return "a group of one unit says nothing about the spread"
    variances = apart(sums, ones, bounds)
    if isinstance(variances, str):
        return variances
    if (means <= LEAST_BASE * np.sqrt(variances)).any():
        return "a group's mean lies too near 0 for a ratio"
    logs, relative = np.log(means), variances / means**2
    first, second = np.triu_indices(len(seen), 1)
    differences = np.abs(logs[first] - logs[second])
    errors = np.sqrt(relative[first] + relative[second])
    freedom = _welch(relative, units, first, second)
    return LowestOverHighest(Range(float(differences.max()), differences, errors, freedom))


def widest(ranges: Sequence[Range]) -> Range:
    """The widest of several ranges, with all their pairs at once."""
    return Range(
        max(one.value for one in ranges),
        np.concatenate([one.differences for one in ranges]),
        np.concatenate([one.errors for one in ranges]),
        np.concatenate([one.freedom for one in ranges]),
        most=max(one.most for one in ranges),
    )


def _welch(variances: Float64, units: Int, first: Int, second: Int) -> Float64:
    """float64[pairs], degrees of freedom of each difference (Welch 1938, Satterthwaite 1946)."""
    parts = variances**2 / (units - 1)
    whole = (variances[first] + variances[second]) ** 2
    least = np.minimum(units[first], units[second]) - 1.0
    return np.divide(whole, parts[first] + parts[second], out=least, where=whole > 0)
