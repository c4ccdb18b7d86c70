"""Accuracy by the places of the hits: reciprocal rank, average precision, bpref."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import NEEDS, Definition
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.ranked import DEGENERATE, TIE_TRAP, Ratio, hit_marks, ranked
from genrec_eval.protocol.arrays import Float64, Int64

_SHARED: dict[str, Any] = {"direction": "higher", "degenerate": DEGENERATE}


@ranked(
    Definition(
        name="mrr",
        title="MRR",
        summary="Mean over users of the reciprocal rank of the first relevant item.",
        formula="1 / rank of the first hit if rank <= k else 0",
        source="Voorhees 1999 (TREC-8 question answering), cut at k.",
        traps=(
            "trec_eval's recip_rank has no cutoff: the list is cut at k here. Only the first hit counts;"
            " DaisyRec deviates from that (Tamm et al. 2021). With one relevant item per user it is average"
            " precision." + TIE_TRAP
        ),
        **_SHARED,
    )
)
def mrr(lists: RankedLists, *, k: int, ties: str) -> Ratio:
    """Reciprocal rank of the first hit."""
    if ties == "expected":
        return Ratio(numerator=lists.tied_hits.first(k), denominator=1.0)
    top = hit_marks(lists, ties).top(k)
    first = top.leaders()
    values = np.zeros(len(lists))
    values[top.rows[first]] = 1.0 / (top.ranks[first] + 1)
    return Ratio(numerator=values, denominator=1.0)


@ranked(
    Definition(
        name="map",
        title="MAP",
        summary="Mean over users of average precision: precision at each hit, over the possible hits.",
        formula=(
            "sum over hits at rank r <= k of (hits up to r / r), divided by min(|relevant|, k); denominator="
            "relevant: by |relevant|; k: by k; list: by min(|relevant|, k, length of the list); hits: by the"
            " hits in the first k"
        ),
        source=(
            "Buckley & Voorhees 2000; denominator=relevant is trec_eval map_cut, min RecBole's, list"
            " LensKit's, hits torchmetrics'."
        ),
        traps=(
            "One list, five values: hits at ranks 2 and 4 of 5 with 8 relevant items give 0.125 (relevant),"
            " 0.2 (min, k, list), 0.5 (hits), and 0.347 in Elliot, whose MAP is the plain mean of precision"
            " at 1 to k. denominator=hits rewards a list that finds one item early and then nothing. Cornac"
            " takes the whole ranking. ties=worst puts hits last inside a tie; with denominator=hits that"
            " need not be the least value." + TIE_TRAP
        ),
        parameters={"denominator": ("min", ("min", "relevant", "k", "list", "hits"))},
        meanings={
            "denominator": (
                "the hits that are thought possible: min(|relevant|, k), all relevant items, k, no more than"
                " the list is long, or only those that were found"
            )
        },
        **_SHARED,
    )
)
def average_precision(lists: RankedLists, *, k: int, ties: str, denominator: str) -> Ratio:
    """Average precision of the first ``k``."""
    n, relevant = len(lists), lists.truth.lengths
    if ties == "expected":
        groups = lists.tied_hits
        if denominator == "hits":
            return Ratio(numerator=groups.mean_precision(k), denominator=1.0)
        summed = groups.sums(groups.precisions(k))
    else:
        top = hit_marks(lists, ties).top(k)
        precisions = top.nth() / (top.ranks + 1)
        summed = np.bincount(top.rows, weights=precisions, minlength=n).astype(np.float64, copy=False)
        if denominator == "hits":
            return Ratio(numerator=summed, denominator=np.bincount(top.rows, minlength=n))
    if denominator in {"relevant", "k"}:
        return Ratio(numerator=summed, denominator=relevant if denominator == "relevant" else k)
    possible = np.minimum(relevant, k)
    return Ratio(
        numerator=summed,
        denominator=np.minimum(possible, lists.lengths) if denominator == "list" else possible,
    )


@ranked(
    Definition(
        name="bpref",
        title="bpref",
        summary="How rarely items that the user is known not to want stand above relevant ones.",
        formula=(
            "sum over hits of (1 - min(unwanted items above it, R) / min(R, N)) / R, with R relevant and N"
            " unwanted items; items that nobody judged are passed over"
        ),
        source="Buckley & Voorhees 2004, in the form of trec_eval since version 8.",
        traps=(
            "Made for incomplete judgements: an item without a rating neither helps nor hurts, so that a list"
            " full of invented ids loses nothing but the places. A relevant item that the list leaves out"
            " counts 0. With few unwanted items known, one of them above a hit costs a lot." + TIE_TRAP
        ),
        needs_cutoff=False,
        needs=("rejected",),
        direction="higher",
        degenerate=(
            f"{DEGENERATE} A user of whom no unwanted item is known scores the share of relevant items"
            " listed."
        ),
    )
)
def bpref(lists: RankedLists, *, ties: str) -> Ratio:
    """Binary preference over judged items."""
    if lists.rejected is None:
        raise UsageError(f"metric 'bpref' needs {NEEDS['rejected']}, which this scenario does not give")
    hits, unwanted = lists.hits, lists.refused
    width = max(lists.items.shape[1], 1)
    places = unwanted.rows * width + unwanted.ranks

    def above(ranks: Int64) -> Int64:
        head = hits.rows * width
        return np.searchsorted(places, head + ranks) - np.searchsorted(places, head)

    relevant, known = lists.truth.lengths, lists.rejected.lengths
    limit = relevant[hits.rows]
    if ties == "order":
        over: Float64 = np.minimum(above(hits.ranks), limit).astype(np.float64)
    else:
        first, stop = lists.tie_bounds
        least, most = (above(bound[hits.rows, hits.ranks]) for bound in (first, stop))
        if ties == "expected":
            # each number from least to most is as probable as any other
            free = np.clip(limit - least, 0, most - least)
            base = np.minimum(least, limit)
            sums = (free + 1) * base + free * (free + 1) / 2 + (most - least - free) * limit
            over = sums / (most - least + 1)
        else:
            over = np.minimum(most if ties == "worst" else least, limit).astype(np.float64)
    share = over / np.maximum(np.minimum(limit, known[hits.rows]), 1)
    kept = np.bincount(hits.rows, weights=1 - share, minlength=len(lists))
    return Ratio(numerator=kept, denominator=relevant)
