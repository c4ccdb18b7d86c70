"""How many units would decide, for figures whose interval is more than a value and a half-width.

The range of several groups' means has its high end from one pair and its low end from another, and neither
falls below 0: what more units would do follows from all pairs, not from the interval as it was printed.
"""

from __future__ import annotations

import math
from typing import Protocol, runtime_checkable

from genrec_eval.stats.fits import Ends

_MOST = 2.0**40
"""Times as many units; beyond, none would do."""


@runtime_checkable
class Growing(Protocol):
    """A fit that can say what it would be over more units, if what was found stays."""

    def grown(self, by: float) -> Growing:
        """The same over ``by`` times as many units."""

    def ends(self, level: float) -> Ends:
        """The interval at ``level``."""


def units_enough(fit: Growing, held: float, n: int, level: float) -> int | None:
    """About how many units it takes for the interval to leave ``held`` out; None where none would.

    Assumes that all groups grow alike, and that their differences stay.

    Parameters
    ----------
    n
        Units behind ``fit``.

    >>> import numpy as np
    >>> from genrec_eval.stats.ranges import Range
    >>> near = Range(0.03, np.array([0.03]), np.array([0.02]), np.array([1000.0]))
    >>> near.ends(0.95)[0], units_enough(near, 0.02, 1000, 0.95)  # its half-width is 0.039, not 0.03
    (0.0, 15369)
    """

    def decided(by: float) -> bool:
        low, high = fit.grown(by).ends(level)
        return low > held or high < held

    high = 2.0
    while not decided(high):
        high *= 2
        if high > _MOST:
            return None
    low = high / 2
    while n * (high - low) > 0.5 and high / low > 1.0001:
        middle = math.sqrt(low * high)
        low, high = (low, middle) if decided(middle) else (middle, high)
    return max(n + 1, math.ceil(n * high))
