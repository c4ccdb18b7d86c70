"""Means of many cells, each drawn towards what the others say, by as much as it is noise itself.

Of many small cells the extreme ones are mostly those that were lucky or not. Empirical Bayes takes the spread
between cells from all of them, and keeps of each cell's deviation the share that is not noise. The sum of
squared errors falls; the error of one odd cell may rise, so that raw means and counts belong beside the
shrunk ones, and tests and gaps are made from the raw ones.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Towards = Literal["main effects", "grand mean", "none"]

LEAST_LEFT = 3
"""Cells beyond those that the expected means take up: below, the spread between cells cannot be told."""


@dataclass(frozen=True, slots=True)
class Shrunk:
    """Means of g cells, drawn towards those expected.

    Attributes
    ----------
    means
        float64[g], shrunk.
    expected
        float64[g], what they are drawn towards.
    pull
        float64[g], share of a cell's deviation that is taken away: 0 none, 1 all of it.
    spread
        Standard deviation between cells' true means around those expected.
    towards
        ``"none"`` where there are too few cells to shrink: the means are then the raw ones.
    """

    means: Float64
    expected: Float64
    pull: Float64
    spread: float
    towards: Towards


def shrink_means(means: Float64, variances: Float64, parts: Sequence[Int64] = ()) -> Shrunk:
    """Normal means with normal truths (Morris 1983); for equal variances the James-Stein estimator.

    Parameters
    ----------
    means, variances
        float64[g], raw means and their squared standard errors (above 0).
    parts
        int64[g] each: the value of every part of an intersection that the cell belongs to, as (gender, age).
        Means are then drawn towards the sum of the parts' own effects, where at least :data:`LEAST_LEFT`
        cells are left over to tell the spread around it; else towards the grand mean.

    Notes
    -----
    The variance between cells is that of Paule & Mandel (1982); the share taken away is
    (g - r - 2) / (g - r) · variance / (variance + between), with r numbers in the expected means.

    >>> found = shrink_means(np.array([0.1, 0.2, 0.3, 0.4, 0.5]), np.full(5, 0.01))
    >>> found.means, found.towards
    (array([0.14, 0.22, 0.3 , 0.38, 0.46]), 'grand mean')
    """
    g = len(means)
    for towards, design in _designs(g, parts):
        left = g - int(np.linalg.matrix_rank(design))
        if left < LEAST_LEFT:
            continue
        between, expected = _between(means, variances, design, left)
        pull = (left - 2) / left * variances / (variances + between)
        return Shrunk(means - pull * (means - expected), expected, pull, float(np.sqrt(between)), towards)
    return Shrunk(means.copy(), means.copy(), np.zeros(g), 0.0, "none")


def shrink_rates(hits: Float64, counts: Float64) -> Shrunk:
    """Binomial rates whose truths follow a beta distribution, fitted by maximum likelihood.

    Parameters
    ----------
    hits, counts
        float64[g], units of each cell that show something, and all its units.

    >>> found = shrink_rates(np.array([0.0, 10.0, 90.0, 50.0]), np.array([4.0, 100.0, 100.0, 100.0]))
    >>> found.means.round(2), found.towards
    (array([0.11, 0.1 , 0.89, 0.5 ]), 'grand mean')
    """
    from scipy.optimize import minimize
    from scipy.special import betaln, expit, logit

    raw = np.divide(hits, counts, out=np.zeros(len(hits)), where=counts > 0)
    if len(hits) < LEAST_LEFT + 1 or counts.sum() == 0:
        return Shrunk(raw, raw.copy(), np.zeros(len(hits)), 0.0, "none")

    def prior(at: Float64) -> tuple[float, float]:
        weight = float(np.exp(np.clip(at[1], -3.0, 14.0)))  # from 0.05 users to a million
        share = float(np.clip(expit(at[0]), 1e-9, 1 - 1e-9))
        return share * weight, (1 - share) * weight

    def surprise(at: Float64) -> float:
        a, b = prior(at)
        return -float((betaln(hits + a, counts - hits + b) - betaln(a, b)).sum())

    start = float(logit((hits.sum() + 0.5) / (counts.sum() + 1)))
    a, b = min(
        (minimize(surprise, np.array([start, weight]), method="Nelder-Mead") for weight in (0.0, 3.0, 6.0)),
        key=lambda one: float(one.fun),
    ).x.tolist()
    a, b = prior(np.array([a, b]))
    means = (hits + a) / (counts + a + b)
    spread = float(np.sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))
    return Shrunk(means, np.full(len(hits), a / (a + b)), (a + b) / (counts + a + b), spread, "grand mean")


def _designs(g: int, parts: Sequence[Int64]) -> list[tuple[Towards, Float64]]:
    whole = np.ones((g, 1))
    if not parts:
        return [("grand mean", whole)]
    columns = [part[:, None] == np.unique(part) for part in parts]
    return [("main effects", np.hstack([whole, *columns]).astype(np.float64)), ("grand mean", whole)]


def _between(means: Float64, variances: Float64, design: Float64, left: int) -> tuple[float, Float64]:
    """Variance between cells at which the weighted deviations are as large as they should be, and the fit."""

    def fit(between: float) -> tuple[float, Float64]:
        roots = 1 / np.sqrt(variances + between)
        found = np.linalg.lstsq(design * roots[:, None], means * roots, rcond=None)[0]
        expected = design @ found
        return float((((means - expected) * roots) ** 2).sum()), expected

    # as wide as the means themselves lie apart the deviations are small for sure
    low, high = 0.0, float(left and (np.ptp(means) ** 2) * len(means) / left)
    if high == 0 or fit(0.0)[0] <= left:
        return 0.0, fit(0.0)[1]
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if fit(middle)[0] > left else (low, middle)
    return high, fit(high)[1]
