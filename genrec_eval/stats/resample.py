"""The bootstrap: one set of resampling weights serves every column of scores."""

from __future__ import annotations

import functools
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator

Float64 = npt.NDArray[np.float64]

_BLOCK = 1 << 18
"""Weights drawn at a time: what stays in a core's cache is drawn twice as fast."""
_KEPT = 20_000_000
"""Weights up to which the last resamples are kept, as many as :func:`replicates_for` asks for: 40 MB."""


def replicates_for(n: int) -> int:
    """Number of bootstrap replicates for ``n`` units: the endpoints of a small sample deserve more.

    >>> replicates_for(100), replicates_for(20_000)
    (10000, 2000)
    """
    return max(2_000, min(10_000, 20_000_000 // max(n, 1)))


def replicate_sums(values: Float64, *, seed: int, replicates: int | None = None) -> Float64:
    """Sums over bootstrap resamples of units.

    All columns see the same resamples, which depend on ``seed``, ``n`` and ``replicates`` alone: the
    difference of two columns' replicates is the paired bootstrap of their difference, and the quotient
    of two columns' replicates is the bootstrap of their ratio.

    Parameters
    ----------
    values
        float64[n, m], finite.
    replicates
        B; by default :func:`replicates_for` of n.

    Returns
    -------
    float64[B, m]
        Bit for bit the same whatever the other columns, the block size, the number of threads and
        the linear algebra library, because all sums are exact (see :func:`on_grid`).
    """
    n, m = values.shape
    count = replicates_for(n) if replicates is None else replicates
    grid, scale = on_grid(values)
    sums = np.empty((count, m))
    for start, weights in resamples(n, seed=seed, replicates=count):
        sums[start : start + len(weights)] = weights @ grid
    return sums * scale


def resamples(n: int, *, seed: int, replicates: int) -> Iterator[tuple[int, Float64]]:
    """Number of the first resample of a block, and float64[b, n]: how often each unit is in each of it.

    The first resamples of more are those of fewer.
    """
    kept = n < 1 << 16 and n * replicates <= _KEPT
    for start, counts in _drawn(n, seed, replicates) if kept else _blocks(n, seed, replicates):
        yield start, counts.astype(np.float64)


@functools.lru_cache(maxsize=1)
def _drawn(n: int, seed: int, replicates: int) -> list[tuple[int, npt.NDArray[np.uint16]]]:
    """An audit asks for the same resamples for a dozen values, one after the other."""
    return [(start, counts.astype(np.uint16)) for start, counts in _blocks(n, seed, replicates)]


def _blocks(n: int, seed: int, replicates: int) -> Iterator[tuple[int, npt.NDArray[np.int64]]]:
    rng = generator(seed, "bootstrap", n)
    rows = max(4, _BLOCK // max(n, 1))
    for start in range(0, replicates, rows):
        size = min(rows, replicates - start)
        drawn = rng.integers(0, n, size=(size, n), dtype=np.int64)
        drawn += np.arange(size)[:, None] * n
        yield start, np.bincount(drawn.ravel(), minlength=size * n).reshape(size, n)


def exact_sums(values: Float64) -> Float64:
    """float64[m], the columns' sums in the arithmetic of :func:`replicate_sums`."""
    grid, scale = on_grid(values)
    return grid.sum(axis=0) * scale


def on_grid(values: Float64) -> tuple[Float64, Float64]:
    """Each column in whole multiples of a power of two, small enough to be summed exactly.

    With |whole| < 2**53 / n, every partial sum of n of them is a whole number below 2**53, so no order
    of addition rounds. For 20,000 units that keeps 38 bits: an error of 4e-12 of the greatest value.
    """
    n = max(len(values), 1)
    _, top = np.frexp(np.abs(values).max(axis=0, initial=0.0))
    bits = 53 - int(n).bit_length()
    exponent = bits - top
    return np.rint(np.ldexp(values, exponent)), np.ldexp(1.0, -exponent)
