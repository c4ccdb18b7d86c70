"""What sampled candidates can be expected to give, exactly, from full rankings.

Ranking the relevant items among a few sampled ones is another question than ranking them among all, and
models that come out best under one can come out worst under the other (Krichene & Rendle 2020). The
expectation over the draw needs no draw: of the items ranked above a relevant one, the number that a sample
holds follows a hypergeometric law, or a binomial one when the sampler may draw an item twice.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Definition, Family, Metric, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import PAD, Float64, Int64, Ragged, distinct_of

_BLOCK = 1 << 21

_SHARED: dict[str, Any] = {
    "direction": "higher",
    "source": "Krichene & Rendle 2020, On sampled metrics for item recommendation (KDD), here without the"
    " approximation of one relevant item.",
    "parameters": {"negatives": (100, None), "replacement": (False, None)},
    "meanings": {
        "negatives": "how many items a sample draws beside the relevant ones",
        "replacement": "whether a sample may draw an item twice",
    },
    "degenerate": (
        "A user without relevant items is excluded (no-truth). A relevant item that the list does not hold"
        " is missed in every sample. Unknown ids, repeats and items of the history are no candidates and do"
        " not count as ranked above."
    ),
    "traps": (
        "Needs lists of the whole catalogue. What sampled candidates give is no estimate of the metric over"
        " the catalogue: it can order models the other way round."
    ),
}


def _standing(lists: RankedLists) -> tuple[Int64, Int64, Int64, Int64]:
    """User, place among the user's relevant items (from 0), eligible items above, and eligible in all.

    One entry per relevant item that is listed.
    """
    n = len(lists)
    hits = lists.hits
    bad = np.zeros(lists.items.shape, bool)
    for marks in (lists.unknown, lists.repeats, lists.seen):
        bad[marks.rows, marks.ranks] = True
    bad[hits.rows, hits.ranks] = True
    bad |= lists.items == PAD
    above = np.cumsum(~bad, axis=1)[hits.rows, hits.ranks]
    # an item that is relevant and known already is one item that no sample draws, not two
    taken = np.concatenate([_pairs(lists, lists.history), _pairs(lists, lists.truth)])
    drawn_never = np.bincount(distinct_of(taken) // max(lists.n_items, 1), minlength=n)
    eligible = np.maximum(lists.n_items - drawn_never, 0)[hits.rows]
    return hits.rows, hits.nth() - 1, np.minimum(above, eligible), eligible


def _pairs(lists: RankedLists, of: Ragged) -> Int64:
    """List and known item of each entry, as one number."""
    rows = np.repeat(np.arange(len(lists), dtype=np.int64), of.lengths)
    return (rows * lists.n_items + of.values)[of.values > PAD]


def _chances(above: Int64, total: Int64, drawn: int, most: int, replacement: bool) -> Float64:
    """float64[m, most]: chance that a sample holds 0, 1, ... of the items ranked above."""
    from scipy.special import xlogy

    x = np.arange(most)[None, :]
    a, n = above[:, None].astype(float), total[:, None].astype(float)
    if replacement:
        share = np.divide(a, n, out=np.zeros_like(a), where=n > 0)
        log = _choose(float(drawn), x) + xlogy(x, share) + xlogy(np.maximum(drawn - x, 0), 1 - share)
        return np.where(x <= drawn, np.exp(log), 0.0)
    m = np.minimum(drawn, n)
    possible = (x <= a) & (x <= m) & (m - x <= n - a)
    log = _choose(a, np.minimum(x, a)) + _choose(n - a, np.clip(m - x, 0, n - a)) - _choose(n, m)
    return np.where(possible, np.exp(log), 0.0)


def _choose(n: Any, k: Any) -> Any:
    from scipy.special import gammaln

    k = np.minimum(k, n)
    return gammaln(n + 1) - gammaln(k + 1) - gammaln(n - k + 1)


Worth = Callable[[Int64, int], Float64]
"""(places, k) → float64[m, k]: what a relevant item adds with 0, 1, ... sampled items above it."""


def _expected(
    lists: RankedLists, worth: Worth, best: Float64, k: int, negatives: int, replacement: bool
) -> UnitScores:
    if negatives < 1:
        raise UsageError(f"negatives={negatives}: a sample holds at least one item")
    user, place, above, total = _standing(lists)
    values = np.zeros(len(lists))
    step = max(1, _BLOCK // k)
    for start in range(0, len(user), step):
        part = slice(start, start + step)
        chances = _chances(above[part], total[part], negatives, k, replacement)
        values += np.bincount(
            user[part], weights=(chances * worth(place[part], k)).sum(axis=1), minlength=len(lists)
        )
    np.divide(values, best, out=values, where=best > 0)
    # sums of chances end a rounding apart where they are equal: such a difference is none
    values = np.clip(np.round(values, 12), 0.0, 1.0)
    return UnitScores(values=values, reasons={"no-truth": lists.truth.lengths == 0})


def _ranks(place: Int64, k: int) -> Int64:
    """int64[m, k]: rank of the item with 0, 1, ... sampled items above it."""
    return place[:, None] + np.arange(k)[None, :] + 1


def _family(name: str, title: str, of: str, function: Callable[..., UnitScores]) -> Family:
    made: Family = define(
        Definition(
            name=f"expected_{name}",
            title=f"Expected sampled {title}",
            summary=f"{of} that sampled candidates give on average over all draws, from the full ranking.",
            formula=f"E[{title} of the relevant items among themselves and `negatives` random others]",
            **_SHARED,
        )
    )(function)
    return made


def expected_recall(lists: RankedLists, *, k: int, negatives: int, replacement: bool) -> UnitScores:
    """Share of the relevant items that reach the first ``k`` of a sample, on average over draws."""
    best = lists.truth.lengths.astype(float)
    return _expected(lists, lambda p, k: (_ranks(p, k) <= k).astype(float), best, k, negatives, replacement)


def expected_ndcg(lists: RankedLists, *, k: int, negatives: int, replacement: bool) -> UnitScores:
    """NDCG of a sample, on average over draws."""
    ideal = np.concatenate([[0.0], np.cumsum(1 / np.log2(np.arange(2, k + 2)))])
    best = ideal[np.minimum(lists.truth.lengths, k)]

    def worth(place: Int64, k: int) -> Float64:
        ranks = _ranks(place, k)
        return np.where(ranks <= k, 1 / np.log2(ranks + 1), 0.0)

    return _expected(lists, worth, best, k, negatives, replacement)


def expected_map(lists: RankedLists, *, k: int, negatives: int, replacement: bool) -> UnitScores:
    """Average precision (over min(relevant, k)) of a sample, on average over draws."""
    best = np.minimum(lists.truth.lengths, k).astype(float)

    def worth(place: Int64, k: int) -> Float64:
        ranks = _ranks(place, k)
        return np.where(ranks <= k, (place[:, None] + 1) / ranks, 0.0)

    return _expected(lists, worth, best, k, negatives, replacement)


def expected_mrr(lists: RankedLists, *, k: int, negatives: int, replacement: bool) -> UnitScores:
    """Reciprocal rank of the first relevant item of a sample, on average over draws."""
    best = np.ones(len(lists))

    def worth(place: Int64, k: int) -> Float64:
        ranks = _ranks(place, k)
        return np.where((ranks <= k) & (place[:, None] == 0), 1 / ranks, 0.0)

    return _expected(lists, worth, best, k, negatives, replacement)


def expected_hit_rate(lists: RankedLists, *, k: int, negatives: int, replacement: bool) -> UnitScores:
    """Chance that a sample's first ``k`` hold a relevant item."""
    best = np.ones(len(lists))

    def worth(place: Int64, k: int) -> Float64:
        return ((_ranks(place, k) <= k) & (place[:, None] == 0)).astype(float)

    return _expected(lists, worth, best, k, negatives, replacement)


recall = _family("recall", "recall", "The recall", expected_recall)
ndcg = _family("ndcg", "NDCG", "The NDCG", expected_ndcg)
average_precision = _family("map", "MAP", "The average precision", expected_map)
mrr = _family("mrr", "MRR", "The reciprocal rank", expected_mrr)
hit_rate = _family("hit_rate", "hit rate", "The hit rate", expected_hit_rate)

EXPECTED = {"recall": recall, "ndcg": ndcg, "map": average_precision, "mrr": mrr, "hit_rate": hit_rate}
"""Metrics whose expectation under sampled candidates is known in closed form."""


def expected(metric: Metric, negatives: int) -> Metric:
    """The expectation of ``metric`` among ``negatives`` sampled items.

    >>> from genrec_eval.metrics.registry import metric
    >>> expected(metric("ndcg@10"), 50).id
    'expected_ndcg(negatives=50)@10'
    """
    family = EXPECTED[metric.definition.name]
    return Metric(
        definition=family.definition,
        function=family.function,
        k=metric.k,
        parameters={"negatives": negatives, "replacement": False},
    )
