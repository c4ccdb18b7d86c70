"""Area under the ROC curve, one per user: how often a relevant item stands above another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition
from genrec_eval.metrics.hits import Marks, members
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.ranked import Ratio, ranked
from genrec_eval.protocol.arrays import PAD, Float64, Int64, distinct_of

_SHARED: dict[str, Any] = {
    "direction": "higher",
    "needs_cutoff": False,
    "formula": (
        "(pairs of a relevant and another item with the relevant one above + half of the tied pairs) / pairs,"
        " over the candidates: the set that was asked about, else the catalogue without the history; with"
        " ties=zero a tied pair counts nothing"
    ),
    "degenerate": (
        "A user without a relevant item among the candidates (no-truth) or without another one (no-negatives)"
        " is excluded and counted. No answer scores 0; an empty list ties everything. Listed ids that are no"
        " candidates, and repeats, are passed over."
    ),
    "parameters": {"ties": ("half", ("half", "zero"))},
    "meanings": {
        "ties"
        "": "a tied pair counts half (average ranks), or zero as in Cornac, which only counts what is above"
    },
}

_TRAPS = (
    "A list is the top of a ranking: what it leaves out is tied below everything it names, so that a list of"
    " k items without a hit scores just under 0.5, and the value depends on how long the lists are; only"
    " lists over all candidates give the AUC that is meant. Most pairs lie far below the places that anyone"
    " sees: AUC can order models against NDCG. Without scores, listed items do not tie. Where ties count"
    " zero, a constant model scores 0 instead of 0.5."
)


@dataclass(frozen=True, slots=True)
class _Pairs:
    """Positive and negative candidates of each list, and those of its slots that hold one."""

    positives: Int64
    negatives: Int64
    hits: Marks
    misses: Marks

    @classmethod
    def of(cls, lists: RankedLists) -> _Pairs:
        fresh = lists.items >= 0
        fresh[lists.repeats.rows, lists.repeats.ranks] = False
        hit = np.zeros_like(fresh)
        hit[lists.hits.rows, lists.hits.ranks] = True
        truth = _keys(lists, lists.truth.values, lists.truth.lengths)
        if lists.candidates is not None:
            pool = _keys(lists, lists.candidates.values, lists.candidates.lengths)
            inside = np.zeros_like(fresh)
            marks = members(lists.items, lists.candidates, lists.n_items)
            inside[marks.rows, marks.ranks] = True
            fresh &= inside
            relevant = np.intersect1d(truth, pool, assume_unique=True)
            size = _per_list(lists, pool)
        else:
            past = _keys(lists, lists.history.values, lists.history.lengths)
            seen = np.zeros_like(fresh)
            seen[lists.seen.rows, lists.seen.ranks] = True
            fresh &= hit | ~seen  # what a user comes back to is a candidate all the same
            relevant = truth
            size = lists.n_items - _per_list(lists, np.setdiff1d(past, truth, assume_unique=True))
        positives = _per_list(lists, relevant)
        return cls(positives, size - positives, Marks.of(hit & fresh), Marks.of(fresh & ~hit))


def _keys(lists: RankedLists, values: Any, lengths: Int64) -> Int64:
    """Distinct pairs of list and known item, as one number each."""
    owner = np.repeat(np.arange(len(lists), dtype=np.int64), lengths)
    return distinct_of((owner * lists.n_items + values)[values > PAD])


def _per_list(lists: RankedLists, keys: Int64) -> Int64:
    return np.bincount(keys // max(lists.n_items, 1), minlength=len(lists))


def _auc(lists: RankedLists, ties: str) -> tuple[_Pairs, Float64, Bool, Bool]:
    """Pairs won in each list, and who has no positives or no negatives."""
    pairs = _Pairs.of(lists)
    first, stop = lists.tie_bounds
    width = max(lists.items.shape[1], 1)
    places = pairs.misses.rows * width + pairs.misses.ranks
    hits = pairs.hits
    head = np.searchsorted(places, hits.rows * width)
    above = np.searchsorted(places, hits.rows * width + first[hits.rows, hits.ranks]) - head
    upto = np.searchsorted(places, hits.rows * width + stop[hits.rows, hits.ranks]) - head
    tie = 0.5 if ties == "half" else 0.0
    won = pairs.negatives[hits.rows] - upto + tie * (upto - above)
    n = len(lists)
    rest = (pairs.positives - np.bincount(hits.rows, minlength=n)) * (
        pairs.negatives - np.bincount(pairs.misses.rows, minlength=n)
    )
    total = np.bincount(hits.rows, weights=won, minlength=n) + tie * rest
    total[~lists.answered] = 0.0
    return pairs, total, pairs.positives == 0, pairs.negatives == 0


def _per_user(lists: RankedLists, ties: str, *, weighted: bool) -> Ratio:
    pairs, won, unwanting, unsparing = _auc(lists, ties)
    return Ratio(
        numerator=won,
        denominator=pairs.positives * pairs.negatives,
        undefined=unwanting,
        reasons={"no-negatives": unsparing},
        weights=pairs.positives.astype(np.float64) if weighted else None,
    )


@ranked(
    Definition(
        name="auc",
        title="AUC",
        summary="Probability that a relevant item stands above another candidate, per user.",
        source="Rendle et al. 2009 (BPR); scikit-learn roc_auc_score per user; ties=zero as in Cornac.",
        traps=(
            f"{_TRAPS} RecBole's AUC and recommenders' auc pool the pairs of all users, which is another"
            " number:"
            " it also compares the scores of one user with those of another."
        ),
        **_SHARED,
    )
)
def auc(lists: RankedLists, *, ties: str) -> Ratio:
    """AUC of each user."""
    return _per_user(lists, ties, weighted=False)


@ranked(
    Definition(
        name="gauc",
        title="GAUC",
        summary="AUC per user, averaged with the number of relevant items as weight.",
        source="Zhu et al. 2017; RecBole GAUC: average ranks, weights by positives.",
        traps=(
            f"{_TRAPS} Weights differ: here by relevant items, as in RecBole; by impressions or clicks in the"
            " advertising literature. Users with many relevant items dominate."
        ),
        **_SHARED,
    )
)
def gauc(lists: RankedLists, *, ties: str) -> Ratio:
    """AUC of each user, weighing as much as the user has relevant items."""
    return _per_user(lists, ties, weighted=True)
