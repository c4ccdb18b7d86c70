"""Boundaries for a fixed plan of a few looks: error spending (Lan & DeMets 1983).

Sharper than a confidence sequence where looks are few and their timing does not depend on the data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr, ndtri

Float64 = npt.NDArray[np.float64]
Spending = Literal["obrien-fleming", "pocock"]

_WIDEST = 8.0
"""Standard errors beyond which nothing is looked for: what lies there has probability 1e-15."""


def spending_boundaries(
    information: Sequence[float],
    *,
    alpha: float = 0.05,
    spending: Spending = "obrien-fleming",
    sides: Literal[1, 2] = 2,
) -> Float64:
    """Critical value of the z-statistic at each look.

    Parameters
    ----------
    information
        Share of the planned units that each look has seen, ascending, above 0 and at most 1.
    alpha
        Chance of ever crossing a boundary when there is no effect; for two sides both together.
    spending
        ``"obrien-fleming"`` is strict early and hardly above the fixed test at the end, ``"pocock"`` nearly
        constant.

    Returns
    -------
    float64[L]
        Stop where ``|z|`` (``z`` for one side) is at least this.

    >>> spending_boundaries([0.2, 0.4, 0.6, 0.8, 1.0]).round(3)
    array([4.877, 3.357, 2.68 , 2.29 , 2.031])
    >>> spending_boundaries([0.2, 0.4, 0.6, 0.8, 1.0], spending="pocock").round(3)
    array([2.438, 2.427, 2.41 , 2.397, 2.386])
    """
    _check(information)
    if not 0 < alpha < 1:
        raise ValueError(f"alpha lies between 0 and 1, not {alpha}")
    per_side = alpha / sides
    spent, found = 0.0, []
    walk = _Walk(sides)
    for share in information:
        allowed = sides * _spend(spending, per_side, share)
        low, high = 0.0, _WIDEST
        for _ in range(50):
            middle = (low + high) / 2
            low, high = (middle, high) if walk.crossing(share, middle) > allowed - spent else (low, middle)
        spent += walk.crossing(share, high)
        walk.stay(share, high)
        found.append(high)
    return np.array(found)


def crossing_probability(
    boundaries: Sequence[float], information: Sequence[float], *, sides: Literal[1, 2] = 2
) -> float:
    """Chance of crossing at any look when there is no effect.

    >>> round(crossing_probability([1.96] * 5, [0.2, 0.4, 0.6, 0.8, 1.0]), 3)  # looking five times
    0.142
    """
    _check(information)
    walk, total = _Walk(sides), 0.0
    for boundary, share in zip(boundaries, information, strict=True):
        total += walk.crossing(share, boundary)
        walk.stay(share, boundary)
    return total


class _Walk:
    """Density of the score process among runs that have not stopped (Armitage, McPherson & Rowe 1969)."""

    def __init__(self, sides: int) -> None:
        self.sides = sides
        self.share = 0.0
        self.places = np.zeros(1)
        self.mass = np.ones(1)

    def crossing(self, share: float, boundary: float) -> float:
        """Probability of crossing ``boundary``, in standard errors, at ``share`` of the information."""
        step, edge = math.sqrt(share - self.share), boundary * math.sqrt(share)
        above = ndtr((self.places - edge) / step)
        below = ndtr((-edge - self.places) / step) if self.sides == 2 else 0.0
        return float((self.mass * (above + below)).sum())

    def stay(self, share: float, boundary: float) -> None:
        """Go on with the runs inside the boundary."""
        step, edge = math.sqrt(share - self.share), boundary * math.sqrt(share)
        floor = -edge if self.sides == 2 else -_WIDEST * math.sqrt(share)
        nodes = max(96, int(6 * (edge - floor) / step))  # a few in every step, for Gauss-Legendre to be exact
        places, weights = np.polynomial.legendre.leggauss(nodes)
        places = floor + (places + 1) * (edge - floor) / 2
        density = np.exp(-(((places[:, None] - self.places) / step) ** 2) / 2) @ self.mass
        self.mass = density / (step * math.sqrt(2 * math.pi)) * weights * (edge - floor) / 2
        self.places, self.share = places, share


def _spend(spending: Spending, alpha: float, share: float) -> float:
    """Share of one side's alpha that may be spent by now."""
    if spending == "pocock":
        return alpha * math.log1p((math.e - 1) * share)
    return float(2 * ndtr(ndtri(alpha / 2) / math.sqrt(share)))


def _check(information: Sequence[float]) -> None:
    steps = np.diff([0.0, *information])
    if not len(steps) or (steps <= 0).any() or information[-1] > 1:
        raise ValueError("looks come at ascending shares of the planned units, above 0 and at most 1")
