"""Accuracy of ranked lists: recall, precision, F1, hit rate, reciprocal rank, average precision, NDCG.

Every metric here treats the edges alike: a repeated item counts at its first occurrence only and its
later slots are misses, an id outside the catalogue keeps its slot as a miss, a user without truth is
excluded and counted, and a user without an answer scores 0 and stays in the denominator.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Float64

_DEGENERATE = (
    "A user without relevant items is excluded and counted (no-truth). No answer scores 0. A repeated item"
    " counts once, at its first occurrence; unknown ids and repeats keep their slots as misses."
)
_SHARED: dict[str, Any] = {"direction": "higher", "degenerate": _DEGENERATE}


def _finish(lists: RankedLists, numerator: npt.ArrayLike, denominator: npt.ArrayLike) -> UnitScores:
    """Ratio per user, 0 where the denominator is 0, with users without truth excluded."""
    values = np.zeros(len(lists))
    np.divide(numerator, denominator, out=values, where=np.asarray(denominator) > 0)
    return UnitScores(values=values, reasons={"no-truth": lists.truth.lengths == 0})


def _discounts(k: int) -> Float64:
    return 1.0 / np.log2(np.arange(2, k + 2))


@define(
    Definition(
        name="recall",
        title="Recall",
        summary="Share of the relevant items that the list finds.",
        formula="hits in the first k / |relevant|; with denominator=min: / min(|relevant|, k)",
        source="trec_eval recall; denominator=min as in Liang et al. 2018 (Mult-VAE) and LensKit.",
        traps="With more than k relevant items the default cannot reach 1; denominator=min can.",
        parameters={"denominator": ("relevant", ("relevant", "min"))},
        **_SHARED,
    )
)
def recall(lists: RankedLists, *, k: int, denominator: str) -> UnitScores:
    """Share of the relevant items among the first ``k``."""
    relevant = lists.truth.lengths
    return _finish(lists, lists.hits.counts(k), np.minimum(relevant, k) if denominator == "min" else relevant)


@define(
    Definition(
        name="precision",
        title="Precision",
        summary="Share of the first k slots that hold a relevant item.",
        formula="hits in the first k / k; with denominator=list: / min(k, length of the list)",
        source="trec_eval P; denominator=list as in LensKit.",
        traps="denominator=list rewards short lists; an empty list still scores 0.",
        parameters={"denominator": ("k", ("k", "list"))},
        **_SHARED,
    )
)
def precision(lists: RankedLists, *, k: int, denominator: str) -> UnitScores:
    """Share of relevant items among the first ``k``."""
    slots = np.minimum(lists.lengths, k) if denominator == "list" else np.full(len(lists), k)
    return _finish(lists, lists.hits.counts(k), slots)


@define(
    Definition(
        name="f1",
        title="F1",
        summary="Harmonic mean of a user's precision and recall, averaged over users.",
        formula="2 · hits in the first k / (k + |relevant|)",
        source="van Rijsbergen 1979, per user.",
        traps="The mean of users' F1 is not the F1 of mean precision and mean recall; orderings can flip.",
        **_SHARED,
    )
)
def f1(lists: RankedLists, *, k: int) -> UnitScores:
    """Harmonic mean of precision (over ``k``) and recall (over all relevant items)."""
    return _finish(lists, 2 * lists.hits.counts(k), k + lists.truth.lengths)


@define(
    Definition(
        name="hit_rate",
        title="Hit rate",
        summary="Share of users whose first k slots hold at least one relevant item.",
        formula="1 if hits in the first k > 0 else 0",
        source="Deshpande & Karypis 2004 (for one relevant item it equals recall).",
        values="indicator",
        **_SHARED,
    )
)
def hit_rate(lists: RankedLists, *, k: int) -> UnitScores:
    """Whether any of the first ``k`` is relevant."""
    return _finish(lists, lists.hits.counts(k) > 0, np.ones(len(lists)))


@define(
    Definition(
        name="mrr",
        title="MRR",
        summary="Mean over users of the reciprocal rank of the first relevant item.",
        formula="1 / rank of the first hit if rank <= k else 0",
        source="Voorhees 1999 (TREC-8 question answering), cut at k.",
        traps="trec_eval's recip_rank has no cutoff.",
        **_SHARED,
    )
)
def mrr(lists: RankedLists, *, k: int) -> UnitScores:
    """Reciprocal rank of the first hit."""
    top = lists.hits.top(k)
    first = top.leaders()
    values = np.zeros(len(lists))
    values[top.rows[first]] = 1.0 / (top.ranks[first] + 1)
    return _finish(lists, values, np.ones(len(lists)))


@define(
    Definition(
        name="map",
        title="MAP",
        summary="Mean over users of average precision: precision at each hit, over the possible hits.",
        formula="sum over hits at rank r <= k of (hits up to r / r), divided by min(|relevant|, k)",
        source="Buckley & Voorhees 2000; denominator=relevant is trec_eval map_cut, min is RecBole's.",
        traps="Libraries differ in the denominator: min(|relevant|, k), |relevant| or k.",
        parameters={"denominator": ("min", ("min", "relevant", "k"))},
        **_SHARED,
    )
)
def average_precision(lists: RankedLists, *, k: int, denominator: str) -> UnitScores:
    """Average precision of the first ``k``."""
    top = lists.hits.top(k)
    summed = np.bincount(top.rows, weights=top.nth() / (top.ranks + 1), minlength=len(lists))
    relevant = lists.truth.lengths
    possible = {"min": np.minimum(relevant, k), "relevant": relevant, "k": np.full(len(lists), k)}
    return _finish(lists, summed, possible[denominator])


@define(
    Definition(
        name="ndcg",
        title="NDCG",
        summary="Discounted gain of the list over that of the best possible list; relevance is 0 or 1.",
        formula=(
            "DCG / ideal DCG; DCG = sum over hits at rank r <= k of 1 / log2(r + 1); ideal=k: the best list"
            " of k slots, min(|relevant|, k) hits; ideal=all: all relevant items without the cut;"
            " ideal=slots: k hits whatever the number of relevant items"
        ),
        source="Järvelin & Kekäläinen 2002; ideal=k as in trec_eval ndcg_cut, ideal=slots as in RecTools.",
        traps="With ideal=all or ideal=slots a perfect list can score below 1.",
        parameters={"ideal": ("k", ("k", "all", "slots"))},
        **_SHARED,
    )
)
def ndcg(lists: RankedLists, *, k: int, ideal: str) -> UnitScores:
    """Normalised discounted cumulative gain of the first ``k``."""
    gained = lists.hits.sums(_discounts(min(k, lists.items.shape[1])))
    relevant = lists.truth.lengths
    best = {"k": np.minimum(relevant, k), "all": relevant, "slots": np.full(len(lists), k)}[ideal]
    upto = np.concatenate([[0.0], np.cumsum(_discounts(int(best.max(initial=0))))])
    return _finish(lists, gained, upto[best])
