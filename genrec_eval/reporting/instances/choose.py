"""Which instances stand in the page, and which in the file beside it."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import cycle

import numpy as np
import numpy.typing as npt

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.reporting.instances.flipped import Mask
from genrec_eval.reporting.instances.types import Budget

_TURNS = "wfswfswfsw"
"""Of ten places, four go to the worst, three to the flipped and three to a sample: any first part of the
list holds all three kinds, so that a smaller budget leaves none of them out."""


def shuffled(seed: int, scenario: str, n: int) -> Int64:
    """A place by chance for each of n cases, the same for all models: ties fall on the same cases."""
    drawn = generator(seed, "instances shown", scenario).permutation(n)
    place = np.empty(n, np.int64)
    place[drawn] = np.arange(n)
    return place


def worst_first(
    severity: npt.NDArray[np.int16],
    status: npt.NDArray[np.int16],
    badness: Float64,
    missed: npt.NDArray[np.int16],
    chance: Int64,
) -> Int64:
    """Cases with a record, the worst first.

    Answers that failed come first, then half answers, each in turns over their statuses so that no frequent
    one hides a rare one; then the others by score, those that miss more margins first among equals, then by
    chance.

    Parameters
    ----------
    severity
        int16[n], see :func:`~genrec_eval.reporting.instances.records.severity`; −1 without a record.
    badness
        float64[n], higher is worse; NaN without a score, which is no worse than any.

    Returns
    -------
    numpy.ndarray
        int64[m], rows of cases.

    Examples
    --------
    >>> none, by_row = np.zeros(4, np.int16), np.arange(4)
    >>> worst_first(np.array([0, 2, 0, -1]), none, np.array([0.1, 0.0, 0.9, 1.0]), none, by_row)
    array([1, 2, 0])
    """
    present = np.flatnonzero(severity >= 0)
    rank = np.zeros(len(severity), np.int64)
    for code in np.unique(status[severity > 0]).tolist():
        same = np.flatnonzero((status == code) & (severity > 0))
        rank[same[np.argsort(chance[same], kind="stable")]] = np.arange(len(same))
    scored = ~np.isnan(badness)
    by_score = np.where(scored, -badness, np.inf)
    fine = severity <= 0
    keys = (
        chance,
        np.where(fine, -missed, status),
        np.where(fine, by_score, rank),
        -severity,
    )
    order = np.lexsort([key[present] for key in keys])
    return present[order]


def inline(order: Int64, flipped: Mask, chance: Int64, each: int) -> list[int]:
    """Rows of the ``each`` instances that stand in the page, by how much they matter.

    Parameters
    ----------
    order
        int64[m], the worst first.
    flipped
        bool[n].
    """
    turned = order[flipped[order]]
    pools = {
        "w": iter(order[: 2 * each].tolist()),
        "f": iter(turned[np.argsort(chance[turned], kind="stable")][: 2 * each].tolist()),
        "s": iter(order[np.argsort(chance[order], kind="stable")][: 3 * each].tolist()),
    }
    found: dict[int, None] = {}
    for kind in cycle(_TURNS):
        if len(found) >= min(each, len(order)) or not pools:
            break
        if kind in pools:
            row = next((row for row in pools[kind] if row not in found), None)
            if row is None:
                del pools[kind]
            else:
                found[row] = None
    return list(found)


def shares(pairings: int, budget: Budget) -> list[int]:
    """Inline instances of each pairing of model and scenario; the last get none where there are too many.

    >>> shares(4, Budget()), shares(3, Budget(most=2))
    ([60, 60, 60, 60], [1, 1, 0])
    """
    if pairings * budget.each <= budget.most:
        return [budget.each] * pairings
    each, left = divmod(budget.most, pairings)
    return [each + (number < left) for number in range(pairings)]


def beside(counts: Sequence[int], budget: Budget) -> list[int | None]:
    """Sidecar rows of each scenario with so many instances; None for all.

    >>> beside([100, 300], Budget(beside=40)), beside([100], Budget(beside=None))
    ([10, 30], [None])
    """
    total = sum(counts)
    if budget.beside is None or total <= budget.beside:
        return [None] * len(counts)
    return [budget.beside * count // total for count in counts]
