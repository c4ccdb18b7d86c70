"""Agreement of raters beyond chance: Cohen's kappa, weighted kappa and Fleiss' kappa.

A kappa depends on how often each category is used: read it beside the raw agreement
(:func:`~genrec_eval.stats.agreement.agreement`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.labels import coded, coded_table
from genrec_eval.stats.sums import At, Float64, Measure, of_sums, undefined

Int64 = npt.NDArray[np.int64]
Weights = Literal["nominal", "linear", "quadratic"]

_ONE_CATEGORY = "all labels are of one category, so that chance alone agrees as well"


def cohen_kappa(
    first: Sequence[Any] | npt.NDArray[Any],
    second: Sequence[Any] | npt.NDArray[Any],
    *,
    weights: Weights = "nominal",
    order: Sequence[Any] | None = None,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Measure:
    """Kappa of two raters over the items that both have labelled.

    ``1 - sum(w o) / sum(w e)``, with o the joint shares of labels, e the product of both raters' shares and
    w = 1 for different categories, their distance, or its square (Cohen 1960, 1968). The distance of numbers
    is their difference, whichever others occur; that of names is counted in ``order``.

    Parameters
    ----------
    first, second
        n labels each; None and NaN are missing.
    order
        All categories in their order, for weighted kappa of names; by default those that occur, sorted.
    units
        n unit ids by which items are resampled.
    seed
        None for no interval.

    Returns
    -------
    Measure
        Undefined when no item has both labels, and when all labels are of one category.

    Raises
    ------
    ValueError
        When the columns differ in length, or a label is none of ``order``.

    >>> found = cohen_kappa(["a", "b", "a", "b"] * 5, ["a", "b", "b", "b"] * 5, seed=1)
    >>> round(found.value, 3), round(found.low, 2), round(found.high, 2), found.n
    (0.5, 0.14, 0.89, 20)
    """
    if len(first) != len(second):
        raise ValueError(f"{len(first)} labels of one rater beside {len(second)} of the other")
    (a, b), categories = coded([first, second], order)
    both = (a >= 0) & (b >= 0)
    if not both.any():
        return undefined("no item is labelled by both", level=level)
    a, b = a[both], b[both]
    if weights == "quadratic" and _numbers(categories):
        columns, at, worst = _quadratic(np.array(categories, np.float64), a, b)
    else:
        columns, at, worst = _tabled(_distances(categories, weights), a, b)
    return of_sums(
        columns,
        at,
        units=None if units is None else np.asarray(units)[both],
        seed=seed,
        level=level,
        why=_ONE_CATEGORY,
        reach=_reach(columns, at, worst),
    )


def _tabled(distance: Float64, a: Int64, b: Int64) -> tuple[Float64, At, float]:
    """Columns, what they come to, and the worst disagreement, from a table of distances."""
    k = len(distance)
    columns = np.concatenate([distance[a, b][:, None], _hot(a, k), _hot(b, k)], axis=1)

    def at(sums: Float64) -> Float64:
        one, other = sums[:, 1 : k + 1], sums[:, k + 1 :]
        chance = ((one @ distance) * other).sum(axis=1)
        return _beyond(sums[:, 0], chance / one.sum(axis=1))

    return columns, at, float(distance.max(initial=0))


def _quadratic(values: Float64, a: Int64, b: Int64) -> tuple[Float64, At, float]:
    """The same for squared differences, which moments tell: scores may be as many as there are items."""
    values = values - values[np.concatenate([a, b])].mean()  # large numbers would leave no digits
    one, other = values[a], values[b]
    columns = np.stack([(one - other) ** 2, np.ones(len(a)), one, other, one**2 + other**2], axis=1)

    def at(sums: Float64) -> Float64:
        return _beyond(sums[:, 0], sums[:, 4] - 2 * sums[:, 2] * sums[:, 3] / sums[:, 1])

    return columns, at, float(np.ptp(values)) ** 2


def fleiss_kappa(
    labels: Any, *, units: npt.ArrayLike | None = None, seed: int | None, level: float = 0.95
) -> Measure:
    """Kappa of equally many, interchangeable raters per item (Fleiss 1971).

    Parameters
    ----------
    labels
        One row of labels per item; None and NaN are missing.

    Returns
    -------
    Measure
        Undefined when items have different numbers of labels (Krippendorff's alpha allows that), fewer than
        two, or all labels are of one category.

    >>> round(fleiss_kappa([["a", "a", "b"], ["b", "b", "b"], ["a", "a", "a"]], seed=None).value, 3)
    0.55
    """
    codes, categories = coded_table(labels)
    raters = (codes >= 0).sum(axis=1) if codes.size else np.zeros(len(codes), np.int64)
    if not raters.any():
        return undefined("there are no labels", level=level)
    if raters.min() != raters.max():
        why = f"items have {raters.min()} to {raters.max()} labels; Krippendorff's alpha allows for that"
        return undefined(why, n=len(codes), level=level)
    m, k = int(raters[0]), len(categories)
    if m < 2:
        return undefined("there is only one rater", n=len(codes), level=level)
    counts = np.stack([(codes == category).sum(axis=1) for category in range(k)], axis=1).astype(np.float64)
    differ = (m * m - (counts**2).sum(axis=1)) / (m * (m - 1))
    columns = np.concatenate([differ[:, None], counts], axis=1)

    def at(sums: Float64) -> Float64:
        items = sums[:, 1:].sum(axis=1)
        return _beyond(sums[:, 0] * m, items - (sums[:, 1:] ** 2).sum(axis=1) / items)

    return of_sums(
        columns, at, units=units, seed=seed, level=level, why=_ONE_CATEGORY, reach=_reach(columns, at, 1.0)
    )


def _distances(categories: Sequence[Any], weights: Weights) -> Float64:
    place = np.array(categories if _numbers(categories) else range(len(categories)), np.float64)
    gap = np.abs(np.subtract.outer(place, place))
    return {"nominal": (gap > 0).astype(np.float64), "linear": gap, "quadratic": gap**2}[weights]


def _numbers(categories: Sequence[Any]) -> bool:
    return all(isinstance(one, int | float) for one in categories)


def _hot(codes: Int64, k: int) -> Float64:
    return (codes[:, None] == np.arange(k)).astype(np.float64)


def _beyond(observed: Float64, expected: Float64) -> Float64:
    """1 - observed / expected disagreement, undefined where none is expected."""
    kept = expected > 1e-12 * np.maximum(np.abs(observed), 1.0)
    return np.where(kept, 1 - observed / np.where(kept, expected, 1.0), np.nan)


def _reach(
    columns: Float64, at: Callable[[Float64], Float64], worst: float
) -> Callable[[float], tuple[float, float]]:
    """Ends for raters who agree throughout, when a share p of the items were the worst disagreements."""

    def ends(p: float) -> tuple[float, float]:
        sums = columns.sum(axis=0)[None, :]
        value = float(at(sums)[0])
        sums[0, 0] += p * worst * len(columns)
        return float(at(sums)[0]), value

    return ends
