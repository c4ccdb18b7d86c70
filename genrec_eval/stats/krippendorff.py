"""Krippendorff's alpha: agreement of any number of raters, with labels missing anywhere.

``1 - observed / expected disagreement`` over the pairable labels, those of items with at least two
(Krippendorff 2011, "Computing Krippendorff's Alpha-Reliability").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.labels import coded_table
from genrec_eval.stats.sample import Reach
from genrec_eval.stats.sums import Float64, Measure, of_sums, undefined

Scale = Literal["nominal", "ordinal", "interval"]

_ONE_VALUE = "all labels that can be paired are the same, so that no disagreement is expected"
_MOST_RANKS = 64
"""Categories up to which ordinal alpha is resampled: every pair of them is a column."""


def krippendorff_alpha(
    labels: Any,
    *,
    scale: Scale = "nominal",
    order: Sequence[Any] | None = None,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Measure:
    """Alpha of the labels of items.

    Parameters
    ----------
    labels
        One row per item, one label per rater; None and NaN are missing, rows may be short.
    scale
        Whether labels are names, ranks or numbers.
    order
        All categories in their order, for ``"ordinal"``; sorted by default.
    units
        Unit id of each item, by which items are resampled.
    seed
        None for no interval.

    Returns
    -------
    Measure
        ``n`` counts the items with at least two labels. Undefined when there are none, and when all their
        labels are the same.

    >>> rows = [[1, 1], [2, 2], [3, 3], [3, 3], [2, 3], [1, 2], [4, 4], [1, 1], [2, 2], [5, 5]]
    >>> round(krippendorff_alpha(rows, seed=None).value, 3)
    0.752
    """
    codes, categories = coded_table(labels, order)
    counts = (codes >= 0).sum(axis=1) if codes.size else np.zeros(len(codes), np.int64)
    paired = counts > 1
    if not paired.any():
        return undefined("no item has two labels", level=level)
    codes, size = codes[paired], counts[paired].astype(np.float64)
    k = len(categories)
    if scale == "interval":  # no column for each value: fractions may be as many as there are labels
        columns, at, reach = _interval(codes, size, np.array(categories, np.float64))
    else:
        hot = np.stack([(codes == category).sum(axis=1) for category in range(k)], axis=1).astype(np.float64)
        columns, at = _nominal(hot, size) if scale == "nominal" else _ordinal(hot, size)
        reach = _reach(hot, scale)
        if scale == "ordinal" and k > _MOST_RANKS:
            seed = None
    return of_sums(
        columns,
        at,
        units=None if units is None else np.asarray(units)[paired],
        seed=seed,
        level=level,
        bounds=(None, 1.0),
        why=_ONE_VALUE,
        reach=reach,
    )


def _nominal(hot: Float64, size: Float64) -> tuple[Float64, Callable[[Float64], Float64]]:
    differ = (size**2 - (hot**2).sum(axis=1)) / (size - 1)

    def at(sums: Float64) -> Float64:
        n = sums[:, 1:].sum(axis=1)
        return _alpha(sums[:, 0], n**2 - (sums[:, 1:] ** 2).sum(axis=1), n)

    return np.concatenate([differ[:, None], hot], axis=1), at


def _interval(
    codes: npt.NDArray[np.int64], size: Float64, values: Float64
) -> tuple[Float64, Callable[[Float64], Float64], Reach]:
    there = codes >= 0
    labels = np.where(there, values[codes], 0.0)
    # centred, or squares of large numbers would leave no digits for their differences
    labels = np.where(there, labels - labels.sum() / size.sum(), 0.0)
    total, squares = labels.sum(axis=1), (labels**2).sum(axis=1)
    differ = 2 * (size * squares - total**2) / (size - 1)
    n = float(size.sum())
    expected = 2 * (n * float(squares.sum()) - float(total.sum()) ** 2) / (n * (n - 1))

    def at(sums: Float64) -> Float64:
        return _alpha(sums[:, 0], 2 * (sums[:, 1] * sums[:, 3] - sums[:, 2] ** 2), sums[:, 1])

    worst = float(np.ptp(labels[there])) ** 2
    return np.stack([differ, size, total, squares], axis=1), at, _ends(worst, expected)


def _ordinal(hot: Float64, size: Float64) -> tuple[Float64, Callable[[Float64], Float64]]:
    """The distance of two categories is that of their mid-ranks among all pairable labels."""
    k = hot.shape[1]
    one, other = np.triu_indices(k, 1)
    pairs = 2 * hot[:, one] * hot[:, other] / (size - 1)[:, None]

    def at(sums: Float64) -> Float64:
        counts = sums[:, :k]
        n = counts.sum(axis=1)
        ranks = np.cumsum(counts, axis=1) - counts / 2
        seen = (sums[:, k:] * (ranks[:, one] - ranks[:, other]) ** 2).sum(axis=1)
        total, squares = (counts * ranks).sum(axis=1), (counts * ranks**2).sum(axis=1)
        return _alpha(seen, 2 * (n * squares - total**2), n)

    return np.concatenate([hot, pairs], axis=1), at


def _alpha(seen: Float64, possible: Float64, n: Float64) -> Float64:
    kept = possible > 1e-12 * n**2
    return np.where(kept, 1 - (n - 1) * seen / np.where(kept, possible, 1.0), np.nan)


def _reach(hot: Float64, scale: Scale) -> Reach:
    """Ends for raters who agree throughout, when a share p of the labels were the worst disagreements."""
    counts = hot.sum(axis=0)
    n = counts.sum()
    if scale == "nominal":
        distance = (~np.eye(len(counts), dtype=bool)).astype(np.float64)
    else:
        place = np.cumsum(counts) - counts / 2
        distance = np.subtract.outer(place, place) ** 2
    used = counts > 0
    expected = float(counts @ distance @ counts) / (n * (n - 1))
    return _ends(float(distance[np.ix_(used, used)].max()), expected)


def _ends(worst: float, expected: float) -> Reach:
    return lambda p: (1 - p * worst / expected, 1.0)
