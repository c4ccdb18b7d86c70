"""Normalised discounted cumulative gain, binary and graded."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition
from genrec_eval.metrics.hits import Marks
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.ranked import DEGENERATE, TIE_TRAP, Ratio, hit_marks, ranked
from genrec_eval.protocol.arrays import Float64, Int64


def discounts(k: int, discount: str = "log2") -> Float64:
    """float64[k], what one unit of gain is worth at each rank.

    >>> discounts(3).round(3).tolist(), discounts(3, "java").round(3).tolist()
    ([1.0, 0.631, 0.5], [1.0, 1.0, 0.631])
    """
    if discount == "java":
        return 1.0 / np.maximum(np.log2(np.arange(1, k + 1)), 1.0)
    return 1.0 / np.log2(np.arange(2, k + 2))


@ranked(
    Definition(
        name="ndcg",
        title="NDCG",
        summary="Discounted gain of the list over that of the best possible list.",
        formula=(
            "DCG / ideal DCG; DCG = sum over hits at rank r <= k of gain / log2(r + 1); ideal=k: the best"
            " list of k slots; ideal=all: all relevant items without the cut; ideal=slots: k slots of the"
            " user's greatest gain, whatever the number of relevant items"
        ),
        source=(
            "Järvelin & Kekäläinen 2002; ideal=k as in trec_eval ndcg_cut, ideal=slots as in RecTools,"
            " gain=exp as in Burges et al. 2005; with ties=expected that of scikit-learn."
        ),
        traps=(
            "Without grades (ratings) relevance is 0 or 1 and all gains agree; with grades linear and exp"
            " differ and can order models differently; Elliot's 2^(rating - threshold + 1) - 1 is a third. A"
            " grade below 0 counts as 0. With ideal=all or ideal=slots a perfect list can score below 1: one"
            " relevant item at rank 1 of 10 scores 0.22 under RecTools' default. discount=java leaves ranks 1"
            " and 2 undiscounted. Scripts that sum over repeats exceed 1: seven copies of the target gave"
            " 3.64. A constant model scores 1 if ties fall in its favour: see ties." + TIE_TRAP
        ),
        direction="higher",
        degenerate=f"{DEGENERATE} A user none of whose relevant items has a gain above 0 has no truth.",
        parameters={
            "gain": ("linear", ("linear", "exp", "binary")),
            "discount": ("log2", ("log2", "java")),
            "ideal": ("k", ("k", "all", "slots")),
        },
        meanings={
            "gain": "of a grade g: linear g, exp 2^g - 1, binary 1; grades below 0 count as 0",
            "discount": "log2 divides by log2(r + 1) at rank r, java by max(log2(r), 1)",
            "ideal": "the best list: of k slots, of all relevant items, or of k slots that all hold the best",
        },
    )
)
def ndcg(lists: RankedLists, *, k: int, ties: str, gain: str, discount: str, ideal: str) -> Ratio:
    """Normalised discounted cumulative gain of the first ``k``."""
    if lists.grades is None or gain == "binary":
        return _binary(lists, k, ties, discount, ideal)
    rows, ranks, grades = lists.ideal_grades
    top = np.zeros(len(lists))
    top[rows[ranks == 0]] = grades[ranks == 0]
    gains = _gains(grades, top[rows], gain)
    if ideal == "slots":
        best = np.where(top > 0, discounts(k, discount).sum(), 0.0)
    else:
        within = ranks < k if ideal == "k" else np.ones(len(ranks), bool)
        weights = discounts(int(ranks.max(initial=-1)) + 1, discount)
        best = np.bincount(rows[within], weights=(gains * weights[ranks])[within], minlength=len(lists))
    gained = _graded(lists, _gains(lists.hit_grades, top[lists.hits.rows], gain), k, ties, discount)
    return Ratio(numerator=gained, denominator=best, undefined=~(top > 0))


def _binary(lists: RankedLists, k: int, ties: str, discount: str, ideal: str) -> Ratio:
    weights = discounts(min(k, lists.items.shape[1]), discount)
    if ties == "expected":
        groups = lists.tied_hits
        gained = groups.sums(groups.marked * _mean_discounts(lists, weights))
    else:
        gained = hit_marks(lists, ties).sums(weights)
    relevant = lists.truth.lengths
    best = {"k": np.minimum(relevant, k), "all": relevant, "slots": np.full(len(lists), k)}[ideal]
    upto = np.concatenate([[0.0], np.cumsum(discounts(int(best.max(initial=0)), discount))])
    return Ratio(numerator=gained, denominator=upto[best])


def _gains(grades: Float64, top: Float64, gain: str) -> Float64:
    """Gains in units of the user's greatest, which cancels in the ratio and keeps 2^g finite."""
    grades, scale = np.maximum(grades, 0.0), np.where(top > 0, top, 1.0)
    if gain == "linear":
        return grades / scale
    small = np.expm1(np.log(2) * np.minimum(grades, 500)) / np.expm1(np.log(2) * np.minimum(scale, 500))
    return np.where(scale > 500, np.exp2(np.minimum(grades - scale, 0.0)), small)


def _mean_discounts(lists: RankedLists, weights: Float64) -> Float64:
    """float64[g], mean discount over the slots of each tie group."""
    groups = lists.tied_hits
    upto = np.concatenate([[0.0], np.cumsum(weights)])
    reach = np.minimum(groups.starts + groups.sizes, len(weights))
    return (upto[reach] - upto[np.minimum(groups.starts, len(weights))]) / groups.sizes


def _graded(lists: RankedLists, gains: Float64, k: int, ties: str, discount: str) -> Float64:
    """float64[n], discounted gain of each list."""
    n, hits = len(lists), lists.hits
    weights = discounts(min(k, lists.items.shape[1]), discount)
    if ties == "expected":
        groups = lists.tied_hits
        per_group = np.bincount(groups.of, weights=gains, minlength=len(groups.rows))
        return groups.sums(per_group * _mean_discounts(lists, weights))
    if ties != "order":
        # the greatest gains of a tie come first, or last
        order = np.lexsort((-gains if ties == "best" else gains, lists.tied_hits.of))
        hits, gains = hit_marks(lists, ties), gains[order]
    return _weighted(hits, gains, weights, n)


def _weighted(marks: Marks, gains: Float64, weights: Float64, n: int) -> Float64:
    inside: Int64 = np.flatnonzero(marks.ranks < len(weights))
    summed = gains[inside] * weights[marks.ranks[inside]]
    return np.bincount(marks.rows[inside], weights=summed, minlength=n).astype(np.float64, copy=False)
