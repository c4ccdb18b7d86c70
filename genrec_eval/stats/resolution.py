"""What a test can show at most: the most extreme data of a few units have a p-value that decides nothing.

Two values and five paired units can be arranged in 32 ways, and the most extreme of them has a twin: no p
below 0.0625 can come out, whatever the model does. A verdict on such data would only tell how its interval
was made.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int = npt.NDArray[np.integer]

_MOST = 1 << 20
"""Units up to which it is looked for how many would do."""


@dataclass(frozen=True, slots=True)
class Resolution:
    """The smallest p-value that data of a shape allow.

    Attributes
    ----------
    least
        The smallest p.
    shape
        What it follows from, in words.
    units
        Units of the shape.
    factor
        What one unit more does to ``least``, where that is known; else it follows from ``sizes``.
    sizes
        Units of each group.
    """

    least: float
    shape: str
    units: int
    factor: float | None = None
    sizes: tuple[int, ...] = ()

    def reaches(self, threshold: float) -> bool:
        """Whether a p of at most ``threshold`` can come out."""
        return self.least <= threshold * (1 + 1e-9)

    def enough(self, threshold: float) -> int | None:
        """Units of the same shape with which ``threshold`` could be reached; None where none would.

        >>> Resolution(0.0625, "2 values and 5 paired units", 5, factor=0.5).enough(0.05)
        6
        >>> of_deals(np.array([3, 3])).enough(0.05)
        7
        """
        if self.reaches(threshold):
            return self.units
        if self.factor is not None:
            if not 0 < self.factor < 1:
                return None
            return self.units + math.ceil(math.log(threshold / self.least) / math.log(self.factor) - 1e-9)
        if len(self.sizes) < 2:
            return None
        shares = np.array(self.sizes) / sum(self.sizes)
        for units in range(sum(self.sizes) + 1, _MOST):
            sizes = np.maximum(np.floor(shares * units + 1e-9), 1).astype(int)
            spare = units - int(sizes.sum())
            sizes[np.argsort(sizes, kind="stable")[: max(spare, 0)]] += 1
            if least_of_deals(sizes) <= threshold:
                return units
        return None

    def also(self, other: Resolution) -> Resolution:
        """Of two tests of which the clearer one counts, after Bonferroni."""
        better = min(self, other, key=lambda one: one.least)
        return replace(better, least=min(1.0, 2 * better.least))


def of_deals(sizes: Int) -> Resolution:
    """Of labels dealt anew over units, in groups of these sizes.

    >>> of_deals(np.array([3, 3]))
    Resolution(least=0.1, shape='groups of 3 and 3', units=6, factor=None, sizes=(3, 3))
    """
    kept = tuple(int(size) for size in sizes if size > 1)
    words = [str(size) for size in kept]
    named = f"groups of {', '.join(words[:-1])} and {words[-1]}" if len(kept) > 1 else "fewer than two groups"
    return Resolution(least_of_deals(np.array(kept)), named, sum(kept), sizes=kept)


def of_labels(rows: Float64) -> Resolution:
    """Of groups of different units: rows of g sums, then g counts."""
    return of_deals((rows[:, rows.shape[1] // 2 :] > 0).sum(axis=0))


def least_of_deals(sizes: Int) -> float:
    """The smallest p that sizes of groups allow: groups of one size may swap their names without a change.

    >>> least_of_deals(np.array([3, 3])), round(least_of_deals(np.array([2, 3])), 3)
    (0.1, 0.1)
    """
    if len(sizes) < 2:
        return 1.0
    _, alike = np.unique(sizes, return_counts=True)
    swaps = math.prod(math.factorial(int(times)) for times in alike)
    return min(1.0, swaps / deals(sizes))


def deals(sizes: Int) -> float:
    """How many ways there are to deal labels over the units: a multinomial coefficient."""
    logs = math.lgamma(int(sizes.sum()) + 1) - sum(math.lgamma(int(size) + 1) for size in sizes)
    return float(round(math.exp(logs))) if logs < 34 else math.exp(min(logs, 700.0))
