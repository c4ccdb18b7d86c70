"""Validity of the scores that come with a list: do they tell its items apart, do they fall?"""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import Bool, blocks, excluded
from genrec_eval.protocol.arrays import PAD, Float64, Int64

_REASONS = (
    "Slots without a score are left out. Users without an answer (unanswered), with an empty list"
    " (empty-list) or without scores (no-scores) are excluded and counted"
)


def _scored(lists: RankedLists, k: int) -> tuple[Float64, Int64, dict[str, Bool]]:
    """Scores of the first ``k`` slots, NaN where there is none, how many there are, and reasons."""
    top = lists.items[:, :k]
    if lists.scores is None:
        scores = np.empty((len(lists), 0))
    else:
        scores = np.where(top != PAD, lists.scores[:, :k], np.nan)
    counts = np.count_nonzero(~np.isnan(scores), axis=1)
    return scores, counts, excluded(lists, counts, "no-scores")


@define(
    Definition(
        name="tied",
        title="Tied scores",
        summary="Share of the listed slots whose score stands at another slot of the list too.",
        formula="slots in the first k whose score equals that of another of them / slots that have a score",
        degenerate=f"{_REASONS}. A list of one item scores 0.",
        source="This project.",
        direction="lower",
        unit="share",
        traps=(
            "Whoever sorts by tied scores gets the order of the sorting routine: see the tie bounds of the"
            " accuracy metrics for what that can be worth."
        ),
        needs=("scores",),
    )
)
def tied(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of slots that share their score."""
    scores, counts, reasons = _scored(lists, k)
    alike = np.zeros(len(lists), np.int64)
    for rows in blocks(len(lists), scores.shape[1]):
        ordered = np.sort(scores[rows], axis=1)  # NaN last, and unequal to itself
        same = np.zeros((len(ordered), ordered.shape[1] + 1), bool)
        same[:, 1:-1] = ordered[:, 1:] == ordered[:, :-1]
        alike[rows] = np.count_nonzero(same[:, 1:] | same[:, :-1], axis=1)
    return UnitScores(values=alike / np.maximum(counts, 1), reasons=reasons)


@define(
    Definition(
        name="misordered",
        title="Misordered scores",
        summary="Share of neighbours in the list whose scores rise instead of falling.",
        formula="pairs of neighbours in the first k with score(r) < score(r + 1) / pairs with two scores",
        degenerate=f"{_REASONS}, as are those with no two scores side by side (one-item).",
        source="This project.",
        direction="lower",
        unit="share",
        traps=(
            "Near 1: the scores are losses, as negative log-probabilities are. In between: the list was not"
            " sorted by them. The order of the list counts everywhere else, never the scores."
        ),
        needs=("scores",),
    )
)
def misordered(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of rising neighbours."""
    scores, _, reasons = _scored(lists, k)
    rising, pairs = np.zeros(len(lists), np.int64), np.zeros(len(lists), np.int64)
    for rows in blocks(len(lists), scores.shape[1]):
        first, second = scores[rows, :-1], scores[rows, 1:]
        rising[rows] = np.count_nonzero(first < second, axis=1)
        pairs[rows] = np.count_nonzero(~(np.isnan(first) | np.isnan(second)), axis=1)
    reasons["one-item"] = (pairs == 0) & ~np.logical_or.reduce(list(reasons.values()))
    return UnitScores(values=rising / np.maximum(pairs, 1), reasons=reasons)
