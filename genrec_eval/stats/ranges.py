"""The range of several means over the same units: how far the highest lies above the lowest.

A range has a positive floor: of means that are all equal, the highest still lies above the lowest, and
resampling adds to it. So its interval is made from the differences of all pairs at once: it holds at least
as often as it says, and its low end is 0 unless some pair differs.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import stdtr, stdtrit

Float64 = npt.NDArray[np.float64]
Ends = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Range:
    """Highest mean less lowest, from simultaneous intervals of all pairs (Bonferroni, Student's t).

    Attributes
    ----------
    differences, errors
        float64[pairs], absolute difference of each pair of means, and its standard error.
    freedom
        float64[pairs], degrees of freedom.
    """

    value: float
    differences: Float64
    errors: Float64
    freedom: Float64
    method: str = "simultaneous-t"

    def ends(self, level: float) -> Ends:
        tail = (1 - level) / 2 / len(self.differences)
        half = -stdtrit(self.freedom, tail) * self.errors
        low, high = self.differences - half, self.differences + half
        return max(0.0, float(low.max())), float(high.max())

    def tails(self, null: float) -> Ends:
        """Small when some pair lies clearly above ``null``, and when all lie clearly below."""
        with np.errstate(divide="ignore", invalid="ignore"):
            z = (self.differences - null) / self.errors
        z = np.where(self.errors > 0, z, np.sign(self.differences - null) * math.inf)
        z = np.where(np.isnan(z), 0.0, z)
        pairs = len(self.differences)
        above = float(np.clip(stdtr(self.freedom, -z).min() * pairs, 0.0, 1.0))
        return above, float(np.clip(stdtr(self.freedom, z).max() * pairs, 0.0, 1.0))


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


def range_of(rows: Float64) -> Range | str:
    """The range of column means, with the errors of all pairs; a reason where there is none.

    Units may enter one column (groups of users) or several (answers of one user under several values): what
    they have in common cancels from a difference, whichever it is.

    Parameters
    ----------
    rows
        float64[n, 2 g], what each unit adds: g sums, then g counts.

    >>> rows = np.zeros((40, 4)); rows[:20, 0] = np.arange(20) % 2; rows[:20, 2] = 1; rows[20:, 3] = 1
    >>> found = range_of(rows)
    >>> found.value, round(found.ends(0.95)[0], 2)
    (0.5, 0.26)
    """
    g = rows.shape[1] // 2
    means, counts = column_means(rows.sum(axis=0))
    seen = np.flatnonzero(counts > 0)
    if len(seen) < 2:
        return "fewer than two groups have a value"
    sums, ones = rows[:, :g][:, seen], rows[:, g:][:, seen]
    pull = (sums - ones * means[seen]) / counts[seen]
    units = (ones > 0).sum(axis=0)
    first, second = np.triu_indices(len(seen), 1)
    apart = pull[:, first] - pull[:, second]
    least = np.minimum(units[first], units[second])
    if (least < 2).any():
        return "a group of one unit says nothing about the spread"
    # the smaller group decides: at its size the variance is least known
    errors = np.sqrt((apart * apart).sum(axis=0) * least / (least - 1))
    differences = np.abs(means[seen][first] - means[seen][second])
    freedom = (least - 1).astype(np.float64)
    return Range(float(differences.max()), differences, errors, freedom)
