"""Is what tells groups of users apart more than chance? Labels are dealt anew, and the clearest pair counts.

Under the hypothesis that the labels mean nothing, any deal of them over the users was as likely as the one
that was seen. The statistic is the greatest of all pairs' differences in their own standard errors, so that
one p-value answers for all pairs at once (max-T, Westfall & Young 1993), and nearly holds also where the
groups differ in spread and size (Chung & Romano 2013): where only the spreads differ, 4 to 6 % of runs have
p <= 0.05, and 12 % where a group of 30 units lies at two far ends and one of 400 at none (simulated).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

REPLICATES = 4_999
ENOUGH = 400
"""Deals as clear as the data after which no more are drawn: p is then 0.08 or more, and known to 5 %."""
DEALT_UNITS = 20_000
"""Up to this many units labels are dealt anew; beyond, each group is drawn from all units by itself."""
DRAWN_UNITS = 2_000
"""Up to this many units of a group are drawn one by one; the mean of more is as good as normal."""
DRAWN_KINDS = 64
"""Up to this many different values it is drawn how often each occurs, whatever the size of the group."""

STEADY_UNITS = 30
"""Units with the spread of all that are added to each group's own spread: a small group of which none happens
to have a hit would seem to be known exactly, and no real difference could stand out beside it."""

_BLOCK = 1 << 17
"""Units dealt at a time: what stays in a core's cache is dealt faster."""
_TIED = 1e-9


def label_test(rows: Float64, seed: int, *, replicates: int = REPLICATES) -> float | None:
    """p-value of the clearest of all differences between the means of groups of different units.

    Parameters
    ----------
    rows
        float64[n, 2 g], what each unit adds: g sums (value times weight), then g counts (weight); each
        unit enters one column.
    replicates
        B, the most deals that are drawn; the p-value is (b + 1) / (B + 1) with b of them at least as clear as
        the data (Phipson & Smyth 2010), or :data:`ENOUGH` over the deals until as many were (Besag &
        Clifford 1991).

    Returns
    -------
    float or None
        None where fewer than two groups have two units.

    >>> rows = np.zeros((40, 4)); rows[:20, 0] = np.arange(20); rows[:20, 2] = 1; rows[20:, 3] = 1
    >>> label_test(rows, seed=1)
    0.0002
    """
    g = rows.shape[1] // 2
    counts = rows[:, g:]
    sizes = (counts > 0).sum(axis=0)
    kept = np.flatnonzero(sizes > 1)
    if len(kept) < 2:
        return None
    inside = (counts[:, kept] > 0).any(axis=1)
    labels = counts[:, kept][inside].argmax(axis=1)
    order = np.argsort(labels, kind="stable")
    weights = counts[:, kept][inside].sum(axis=1)[order]
    values = rows[:, :g][:, kept][inside].sum(axis=1)[order]
    values = values - weights * (values.sum() / weights.sum())
    if (np.abs(values) <= 1e-12 * np.abs(rows[:, :g]).max(initial=0.0)).all():
        return 1.0  # all units agree, whatever they are called
    starts = np.concatenate([[0], np.cumsum(sizes[kept])[:-1]])
    spread = float(values @ values) / len(values) / float(weights.mean()) ** 2
    steady = spread, sizes[kept]
    observed = _clearest(*_moments(values[None], weights[None], starts, sizes[kept]), *steady)[0]
    rng = generator(seed, "group labels", len(values), len(kept))
    dealt = _drawn if len(values) > DEALT_UNITS else _dealt
    done = far = 0
    for moments in dealt(values, weights, sizes[kept], rng, replicates):
        clear = np.flatnonzero(_clearest(*moments, *steady) >= observed * (1 - _TIED))
        if far + len(clear) >= ENOUGH:
            return ENOUGH / (done + int(clear[ENOUGH - far - 1]) + 1)
        done, far = done + len(moments[0]), far + len(clear)
    return (far + 1) / (replicates + 1)


def _dealt(
    values: Float64, weights: Float64, sizes: Int64, rng: np.random.Generator, replicates: int
) -> Iterator[tuple[Float64, Float64]]:
    """Means and squared standard errors of groups of these sizes, when all units are dealt to them anew."""
    n = len(values)
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    even = bool((weights == 1).all())  # then only sums of values and squares depend on the deal
    block = max(1, _BLOCK // max(n, len(sizes) ** 2))
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        if even:
            yield _plain_moments(rng.permuted(np.broadcast_to(values, (size, n)), axis=1), starts, sizes)
        else:
            places = rng.permuted(np.broadcast_to(np.arange(n), (size, n)), axis=1)
            yield _moments(values[places], weights[places], starts, sizes)


def _drawn(
    values: Float64, weights: Float64, sizes: Int64, rng: np.random.Generator, replicates: int
) -> Iterator[tuple[Float64, Float64]]:
    """Means and squared standard errors of groups of these sizes, drawn from all units with replacement.

    Both are drawn: a small group that happens to have no hit at all has no spread either, and its mean would
    seem to be known exactly.
    """
    n = len(values)
    even = bool((weights == 1).all())
    block = max(1, _BLOCK // max(DRAWN_UNITS, len(sizes) ** 2))
    kinds, times = np.unique(values, return_counts=True) if even else (values, np.ones(0))
    spread = float(values @ values) / n / float(weights.mean()) ** 2
    for start in range(0, replicates, block):
        size = min(block, replicates - start)
        means, variances = np.zeros((size, len(sizes))), np.zeros((size, len(sizes)))
        for group, units in enumerate(sizes.tolist()):
            if even and len(kinds) <= DRAWN_KINDS:
                often = rng.multinomial(units, times / n, size=size)
                mean = often @ kinds / units
                squares = often @ (kinds * kinds) - units * mean * mean
                of = mean, np.maximum(squares, 0.0) / (units * (units - 1))
            elif units <= DRAWN_UNITS:
                places = rng.integers(0, n, (size, units))
                found = _moments(values[places], weights[places], np.zeros(1, np.int64), np.array([units]))
                of = found[0][:, 0], found[1][:, 0]
            else:
                of = rng.standard_normal(size) * np.sqrt(spread / units), np.full(size, spread / units)
            means[:, group], variances[:, group] = of
        yield means, variances


def _moments(values: Float64, weights: Float64, starts: Int64, sizes: Int64) -> tuple[Float64, Float64]:
    """float64[B, g] each, means of the groups and their squared standard errors."""

    def sums(columns: Float64) -> Float64:
        return np.add.reduceat(columns, starts, axis=1)

    top, whole = sums(values), sums(weights)
    means = top / whole
    squares = sums(values * values)
    squares += means * (means * sums(weights * weights) - 2 * sums(values * weights))
    variances = np.maximum(squares, 0.0) / whole**2 * sizes / (sizes - 1)
    return means, variances


def _plain_moments(values: Float64, starts: Int64, sizes: Int64) -> tuple[Float64, Float64]:
    """The same where every unit weighs 1."""
    top = np.add.reduceat(values, starts, axis=1)
    means = top / sizes
    squares = np.add.reduceat(values * values, starts, axis=1) - means * top
    return means, np.maximum(squares, 0.0) / (sizes * (sizes - 1))


def steadied(variances: Float64, spread: float, sizes: npt.NDArray[np.integer]) -> Float64:
    """Squared standard errors of groups' means, with :data:`STEADY_UNITS` more of the spread of all units.

    Never below what they are: a small group that is spread wider than the others would seem to be well known.
    """
    found: Float64 = (variances * sizes + STEADY_UNITS * spread / sizes) / (sizes + STEADY_UNITS)
    return np.maximum(found, variances)


def _clearest(means: Float64, variances: Float64, spread: float, sizes: Int64) -> Float64:
    """float64[B], the greatest difference of two means in its standard errors."""
    variances = steadied(variances, spread, sizes)
    first, second = np.triu_indices(means.shape[1], 1)
    between = np.abs(means[:, first] - means[:, second])
    errors = np.sqrt(variances[:, first] + variances[:, second])
    return (between / errors).max(axis=1)
