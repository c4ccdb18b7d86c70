"""Tests of paired differences that need no model of the scores: sign flips, and McNemar for rates.

Under the hypothesis that two models are exchangeable for every unit, a difference is as likely as its
opposite. McNemar's test is the sign-flip test of differences of -1, 0 and 1.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator
from genrec_eval.stats.resample import on_grid

Float64 = npt.NDArray[np.float64]
Alternative = Literal["two-sided", "greater", "less"]

EXACT_UNITS = 16
"""Up to this many differences other than 0 all sign patterns are tried: 65,536 of them."""
FLIPPED_UNITS = 20_000
"""This many of the greatest differences are flipped one by one; the sum of the rest is close to normal."""
REPLICATES = 10_000

_BLOCK = 1 << 22


def sign_flip(
    differences: Float64 | Sequence[float],
    seed: int,
    *,
    alternative: Alternative = "two-sided",
    replicates: int = REPLICATES,
) -> float:
    """p-value of the mean of paired differences under flips of their signs.

    Parameters
    ----------
    differences
        float64[n], model − baseline, one per unit.
    alternative
        ``"greater"`` when only a positive mean speaks against the hypothesis.
    replicates
        B, the sign patterns that are drawn when there are too many to try all. The p-value is then
        (b + 1) / (B + 1) with b patterns at least as far out as the data (Phipson & Smyth 2010), so it is
        never 0 and its level holds exactly.

    Returns
    -------
    float
        Exact when at most :data:`EXACT_UNITS` differences are not 0; 1.0 when none is.

    >>> sign_flip([0.5, 0.25, 0.125, 1.0, 0.0], seed=1)
    0.125
    """
    return float(sign_flips(np.asarray(differences, np.float64)[:, None], seed, alternative, replicates)[0])


def sign_flips(
    differences: Float64, seed: int, alternative: Alternative = "two-sided", replicates: int = REPLICATES
) -> Float64:
    """:func:`sign_flip` of each column of float64[n, m], from one set of sign patterns.

    Returns
    -------
    float64[m]
        Each bit for bit what :func:`sign_flip` says of the column alone.
    """
    if not np.isfinite(differences).all():
        raise ValueError("a difference is not a finite number")
    n, m = differences.shape
    grid = on_grid(differences if n else np.zeros((1, m)))[0]
    grid = np.take_along_axis(grid, np.argsort(-np.abs(grid), axis=0, kind="stable"), axis=0)
    p = np.ones(m)
    drawn = []
    for column, other in enumerate((grid != 0).sum(axis=0).tolist()):
        if other > EXACT_UNITS:
            drawn.append(column)
        elif other:
            sums = _all_sums(grid[:other, column])
            p[column] = _share(sums, grid[:other, column].sum(), other, alternative, len(sums), 0)
    if drawn:
        p[drawn] = _by_chance(grid[:, drawn], n, seed, alternative, replicates)
    return p


def mcnemar(gained: int, lost: int, *, alternative: Alternative = "two-sided") -> float:
    """Exact p-value of McNemar's test of two rates over the same units (McNemar 1947).

    Parameters
    ----------
    gained, lost
        Units that only the model hits, and units that only the baseline hits.

    Returns
    -------
    float
        Twice the smaller binomial tail, at most 1; 1.0 when the models never differ.

    >>> round(mcnemar(9, 1), 6), mcnemar(0, 0)
    (0.021484, 1.0)
    """
    from scipy.special import bdtr

    if gained < 0 or lost < 0:
        raise ValueError("counts of units are at least 0")
    n = gained + lost
    if n == 0:
        return 1.0
    fewer = float(bdtr(gained, n, 0.5))  # P(as few gains or fewer)
    more = float(bdtr(lost, n, 0.5))  # P(as many gains or more), by symmetry
    return {"less": fewer, "greater": more, "two-sided": min(1.0, 2 * min(fewer, more))}[alternative]


def _all_sums(values: Float64) -> Float64:
    """float64[2**n], the sum under each pattern of signs."""
    sums = np.zeros(1)
    for value in values:
        sums = np.concatenate([sums + value, sums - value])
    return sums


def _by_chance(grid: Float64, n: int, seed: int, alternative: Alternative, replicates: int) -> Float64:
    rng = generator(seed, "sign-flip", n, replicates)
    flipped, rest = grid[:FLIPPED_UNITS], grid[FLIPPED_UNITS:]
    normal = rng.standard_normal(replicates)[:, None] * np.sqrt((rest * rest).sum(axis=0))
    observed = grid.sum(axis=0)
    rows = max(1, _BLOCK // len(flipped))
    sums = np.empty((replicates, grid.shape[1]))
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        bits = np.frombuffer(rng.bytes(size * -(-len(flipped) // 8)), np.uint8).reshape(size, -1)
        plus = np.unpackbits(bits, axis=1, count=len(flipped)).astype(np.float64)
        sums[start : start + size] = 2 * (plus @ flipped) - flipped.sum(axis=0)
    sums += normal
    return np.array(
        [
            _share(sums[:, column], float(observed[column]), n, alternative, replicates + 1, 1)
            for column in range(grid.shape[1])
        ]
    )


def _share(sums: Float64, observed: float, slack: int, alternative: Alternative, of: int, more: int) -> float:
    """Share of patterns at least as far out as what was seen.

    Sums on the grid are exact, but the values were rounded to it: what differs by less than that is a tie.
    """
    if alternative == "two-sided":
        beyond = np.abs(sums) >= abs(observed) - slack
    else:
        beyond = sums >= observed - slack if alternative == "greater" else sums <= observed + slack
    return (int(beyond.sum()) + more) / of
