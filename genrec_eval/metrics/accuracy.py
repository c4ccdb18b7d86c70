"""Accuracy of ranked lists by counting hits: recall, precision, F1, hit rate, R-precision.

What all accuracy metrics share at the edges is in :mod:`genrec_eval.metrics.ranked`.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.ranked import DEGENERATE, TIE_TRAP, Ratio, hit_counts, ranked
from genrec_eval.protocol.arrays import Int64

_SHARED: dict[str, Any] = {"direction": "higher", "degenerate": DEGENERATE}

_LIST = "list divides by the length of the list where it is shorter than k"


def _slots(lists: RankedLists, k: int, denominator: str) -> Int64:
    return np.minimum(lists.lengths, k) if denominator == "list" else np.full(len(lists), k)


@ranked(
    Definition(
        name="recall",
        title="Recall",
        summary="Share of the relevant items that the list finds.",
        formula="hits in the first k / |relevant|; with denominator=min: / min(|relevant|, k)",
        source="trec_eval recall; denominator=min as in Liang et al. 2018 (Mult-VAE) and LensKit.",
        traps=(
            "With more than k relevant items the default cannot reach 1; denominator=min can. The same list"
            " with 2 hits in 5 slots and 8 relevant items scores 0.25 or 0.40. With one relevant item per"
            " user (leave-one-out) recall is the hit rate and precision is recall / k, so that reporting all"
            " three reports one. torchmetrics counts as relevant only what the list it is given holds. A"
            " relevant item outside the catalogue stays in the denominator; libraries that drop cold items"
            " from the truth (Cornac's exclude_unknowns) score higher on the same lists." + TIE_TRAP
        ),
        parameters={"denominator": ("relevant", ("relevant", "min"))},
        meanings={
            "denominator": "relevant divides by all relevant items, min by no more than fit into k slots"
        },
        **_SHARED,
    )
)
def recall(lists: RankedLists, *, k: int, ties: str, denominator: str) -> Ratio:
    """Share of the relevant items among the first ``k``."""
    relevant = lists.truth.lengths
    possible = np.minimum(relevant, k) if denominator == "min" else relevant
    return Ratio(numerator=hit_counts(lists, ties, k), denominator=possible)


@ranked(
    Definition(
        name="precision",
        title="Precision",
        summary="Share of the first k slots that hold a relevant item.",
        formula="hits in the first k / k; with denominator=list: / min(k, length of the list)",
        source="trec_eval P; denominator=list as in LensKit and torchmetrics' adaptive_k.",
        traps=(
            "denominator=list rewards short lists: a model that lists only what it is sure of looks better,"
            " and five items with two hits score 0.4 instead of 0.2 at k = 10; an empty list still scores 0."
            " With few relevant items per user the greatest possible value is far below 1, and it differs"
            " between users: compare precision only over the same users and the same truth." + TIE_TRAP
        ),
        parameters={"denominator": ("k", ("k", "list"))},
        meanings={"denominator": f"k divides by k whatever the list holds; {_LIST}"},
        **_SHARED,
    )
)
def precision(lists: RankedLists, *, k: int, ties: str, denominator: str) -> Ratio:
    """Share of relevant items among the first ``k``."""
    return Ratio(numerator=hit_counts(lists, ties, k), denominator=_slots(lists, k, denominator))


@ranked(
    Definition(
        name="f1",
        title="F1",
        summary="Harmonic mean of a user's precision and recall, averaged over users.",
        formula="2 · hits in the first k / (k + |relevant|); with denominator=list: min(k, length) for k",
        source="van Rijsbergen 1979, per user; denominator=list as in trec_eval set_F.",
        traps=(
            "The mean of users' F1 is not the F1 of mean precision and mean recall: for two models the values"
            " 0.354 and 0.339 become 0.370 and 0.379 and the order flips (supplement of Elliot's Top-N"
            " paper). Papers rarely say which they give." + TIE_TRAP
        ),
        parameters={"denominator": ("k", ("k", "list"))},
        meanings={"denominator": f"of the precision inside: k divides by k; {_LIST}"},
        **_SHARED,
    )
)
def f1(lists: RankedLists, *, k: int, ties: str, denominator: str) -> Ratio:
    """Harmonic mean of precision and recall (over all relevant items)."""
    slots = _slots(lists, k, denominator)
    return Ratio(numerator=2 * hit_counts(lists, ties, k), denominator=slots + lists.truth.lengths)


@ranked(
    Definition(
        name="hit_rate",
        title="Hit rate",
        summary="Share of users whose first k slots hold at least one relevant item.",
        formula="1 if hits in the first k > 0 else 0; with ties=expected: the probability of that",
        source="Deshpande & Karypis 2004 (for one relevant item it equals recall); trec_eval success.",
        traps=(
            "Users with many relevant items hit nearly always, so the value says as much about the users as"
            " about the model. RecPack's HitK counts hits, not users with a hit. Some papers call recall with"
            " one relevant item a hit ratio: the same; with several it is not." + TIE_TRAP
        ),
        values="indicator",
        **_SHARED,
    )
)
def hit_rate(lists: RankedLists, *, k: int, ties: str) -> Ratio:
    """Whether any of the first ``k`` is relevant."""
    found = lists.tied_hits.any(k) if ties == "expected" else hit_counts(lists, ties, k) > 0
    return Ratio(numerator=found, denominator=1.0)


@ranked(
    Definition(
        name="r_precision",
        title="R-precision",
        summary="Share of relevant items among as many first slots as the user has relevant items.",
        formula="hits in the first |relevant| / |relevant|",
        source="Buckley & Voorhees 2000; trec_eval Rprec.",
        traps=(
            "It has no cutoff: lists shorter than a user's number of relevant items cannot reach 1, so ask"
            " for lists that are long enough. RecTools' Precision(r_precision=True) is cut at k: it is"
            " recall(denominator=min)@k here." + TIE_TRAP
        ),
        needs_cutoff=False,
        **_SHARED,
    )
)
def r_precision(lists: RankedLists, *, ties: str) -> Ratio:
    """Share of relevant items among the first R, with R relevant items."""
    relevant = lists.truth.lengths
    return Ratio(numerator=hit_counts(lists, ties, relevant), denominator=relevant)
