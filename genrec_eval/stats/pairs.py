"""The difference of two means over the same units."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.fits import Constant, Fit, Student
from genrec_eval.stats.within_units import unresolvable

Float64 = npt.NDArray[np.float64]

_ROUNDING = 1e-12
"""Differences that vary by this share of the greatest value are equal."""


def paired_fit(rows: Float64, most: float) -> Fit | str:
    """First column mean less the second, each unit in both; a reason where so few units decide nothing.

    Student's t on the units' differences. Where they are all the same there is no spread to go by: the
    interval then says how many units of another kind may have gone unseen.

    Parameters
    ----------
    rows
        float64[n, 4], what each unit adds: two values, and 1 and 1.
    most
        The farthest that the two values of a unit can lie apart.

    >>> rows = np.ones((20, 4)); rows[:, 0] = np.arange(20) % 2
    >>> found = paired_fit(rows, 1.0)
    >>> found.value, [round(end, 2) for end in found.ends(0.95)]
    (-0.5, [-0.74, -0.26])
    >>> [round(end, 2) for end in paired_fit(np.ones((20, 4)), 1.0).ends(0.95)]
    [-0.17, 0.17]
    """
    said = unresolvable(rows)
    if said is not None:
        return said
    differences = rows[:, 0] - rows[:, 1]
    n, value = len(differences), float(differences.mean())
    spread = float(differences.std(ddof=1))
    if spread <= _ROUNDING * float(np.abs(rows[:, :2]).max(initial=1.0)):
        return Constant(value, n, lambda p: (value - p * (value + most), value + p * (most - value)))
    return Student(value, spread / math.sqrt(n), n - 1)
