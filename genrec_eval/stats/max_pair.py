"""Which two of many groups lie furthest apart, and is that more than chance?

With g groups there are g (g - 1) / 2 pairs, and the furthest of them is far apart by chance alone. Its
p-value is that of the furthest pair when labels mean nothing (max-T, Westfall & Young 1993), so that the
chance of even one false pair is bounded, whatever the number of groups.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.group_labels import REPLICATES, label_test, steadied
from genrec_eval.stats.resolution import deals, least_of_deals

Float64 = npt.NDArray[np.float64]
Int = npt.NDArray[np.integer]

EXACT_DEALS = 20_000
"""Up to this many different ways to deal the labels all of them are tried."""

_TIED = 1e-9


@dataclass(frozen=True, slots=True)
class MaxPair:
    """The pair of groups whose means differ most, in standard errors of the difference.

    Attributes
    ----------
    higher, lower
        Codes of the groups.
    difference
        Mean of the higher less mean of the lower.
    statistic
        The difference in its standard errors, steadied as those of the test are.
    p
        Share of deals of the labels in which some pair is as clearly apart.
    exact
        Whether all deals were tried.
    least_p
        The smallest p that these group sizes allow: above 0.05, no difference whatever could be found.
    n_higher, n_lower
        Units of the two groups.
    """

    higher: int
    lower: int
    difference: float
    statistic: float
    p: float
    exact: bool
    least_p: float
    n_higher: int
    n_lower: int


def max_pair(
    values: Float64, codes: Int, seed: int, *, least: int = 2, replicates: int = REPLICATES
) -> MaxPair | None:
    """The clearest of all differences between groups of different units, with the p-value of being it.

    Parameters
    ----------
    values
        float64[n], one for each unit.
    codes
        int[n], its group; units of a negative code are left out.
    least
        Units that a group must have; smaller ones are left out.
    replicates
        Deals that are drawn where there are more than :data:`EXACT_DEALS`.

    Returns
    -------
    MaxPair or None
        None where fewer than two groups are large enough.

    >>> found = max_pair(np.array([1.0, 2.0, 3.0, 7.0, 8.0, 9.5]), np.array([0, 0, 0, 1, 1, 1]), seed=1)
    >>> found.higher, found.lower, round(found.difference, 2), found.p, found.exact
    (1, 0, 6.17, 0.1, True)
    """
    units = np.bincount(codes[codes >= 0]) if (codes >= 0).any() else np.zeros(0, np.int64)
    kept = np.flatnonzero(units >= max(least, 2))
    if len(kept) < 2:
        return None
    place = np.full(len(units) + 1, -1)
    place[kept] = np.arange(len(kept))  # the last entry stands for units without a group
    labels = place[np.maximum(codes, -1)]
    values, labels = values[labels >= 0].astype(np.float64), labels[labels >= 0]
    ordered = np.argsort(labels, kind="stable")
    values, labels = values[ordered], labels[ordered]
    sizes = units[kept]
    first, second = np.triu_indices(len(kept), 1)
    means, statistics = _pairs((values - values.mean())[None], sizes)
    at = int(statistics[0].argmax())
    difference = float(means[0, first[at]] - means[0, second[at]])
    higher, lower = (first[at], second[at]) if difference >= 0 else (second[at], first[at])
    exact = deals(sizes) <= EXACT_DEALS
    if exact:
        p = _exact(values - values.mean(), sizes, float(statistics.max()))
    else:
        rows = np.zeros((len(values), 2 * len(kept)))
        rows[np.arange(len(values)), labels] = values
        rows[np.arange(len(values)), len(kept) + labels] = 1.0
        p = label_test(rows, seed, replicates=replicates) or 1.0
    return MaxPair(
        higher=int(kept[higher]),
        lower=int(kept[lower]),
        difference=abs(difference),
        statistic=float(statistics[0, at]),
        p=p,
        exact=exact,
        least_p=least_of_deals(sizes),
        n_higher=int(sizes[higher]),
        n_lower=int(sizes[lower]),
    )


def _pairs(ordered: Float64, sizes: Int) -> tuple[Float64, Float64]:
    """float64[B, g] means and float64[B, pairs] differences in standard errors, of units ordered by group."""
    starts = np.concatenate([[0], np.cumsum(sizes)[:-1]])
    means = np.add.reduceat(ordered, starts, axis=1) / sizes
    apart = ordered - np.repeat(means, sizes, axis=1)
    variances = np.add.reduceat(apart * apart, starts, axis=1) / (sizes * (sizes - 1))
    first, second = np.triu_indices(len(sizes), 1)
    between = np.abs(means[:, first] - means[:, second])
    spread = float((ordered[0] * ordered[0]).mean())  # of centred values: the same for every deal
    variances = steadied(variances, spread, sizes)
    errors = np.sqrt(variances[:, first] + variances[:, second])
    return means, np.divide(between, errors, out=np.zeros(between.shape), where=errors > 0)


def _exact(values: Float64, sizes: Int, observed: float) -> float:
    orders = np.array(list(_orders(tuple(range(len(values))), tuple(int(size) for size in sizes))))
    statistics = _pairs(values[orders], sizes)[1].max(axis=1)
    return float((statistics >= observed * (1 - _TIED)).mean())


def _orders(free: tuple[int, ...], sizes: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every deal: the units of the first group, then those of the second, ..."""
    from itertools import combinations

    if len(sizes) == 1:
        yield free
        return
    for chosen in combinations(free, sizes[0]):
        taken = set(chosen)
        for rest in _orders(tuple(unit for unit in free if unit not in taken), sizes[1:]):
            yield chosen + rest
