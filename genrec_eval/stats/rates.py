"""Intervals of a rate: how many of n units show something."""

from __future__ import annotations

import math


def wilson(hits: float, n: int, level: float = 0.95) -> tuple[float, float]:
    """Score interval of a binomial proportion (Wilson 1927).

    Covers its level on average over proportions; at some it covers a little less.

    >>> tuple(round(end, 3) for end in wilson(0, 100))
    (0.0, 0.037)
    """
    from scipy.special import ndtri

    _check(hits, n)
    share, z = hits / n, float(ndtri((1 + level) / 2))
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half))


def clopper_pearson(hits: int, n: int, level: float = 0.95) -> tuple[float, float]:
    """Exact interval of a binomial proportion (Clopper & Pearson 1934).

    Covers at least its level at every proportion; wider than :func:`wilson` for it.

    >>> tuple(round(end, 3) for end in clopper_pearson(0, 100))
    (0.0, 0.036)
    """
    from scipy.special import betaincinv

    _check(hits, n)
    tail = (1 - level) / 2
    low = float(betaincinv(hits, n - hits + 1, tail)) if hits else 0.0
    high = float(betaincinv(hits + 1, n - hits, 1 - tail)) if hits < n else 1.0
    return low, high


def _check(hits: float, n: int) -> None:
    if not (n >= 1 and 0 <= hits <= n):
        raise ValueError(f"a rate has between 0 and n hits among n >= 1 units, not {hits} among {n}")
