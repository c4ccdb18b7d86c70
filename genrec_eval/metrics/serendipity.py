"""Relevant and unexpected: serendipity, and unexpectedness alone."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, distinct, owners, part, ratio, required
from genrec_eval.protocol.arrays import Float64, Int64


@define(
    Definition(
        name="serendipity",
        title="Serendipity",
        summary="Relevant items that popularity, or the user's own history, would not have suggested.",
        formula=(
            "sum over hits in the first k of surprise / k; of=popularity: surprise at rank r is"
            " max(p - q, 0) with p = (n + 1 - r) / n and q = (n + 1 - popularity rank) / n of n items, where"
            " equal counts share a rank and an item never seen in training has q = 0; of=embeddings: surprise"
            " is 1 - mean cosine between the item and those of the history"
        ),
        degenerate=(
            "Users without relevant items (no-truth) are excluded and counted, with of=embeddings also those"
            " whose history holds no item with an embedding (no-history). No answer scores 0. A repeated"
            " item counts once; unknown ids and misses score 0."
        ),
        source="of=popularity: RecTools Serendipity; of=embeddings: recommenders (Zhang et al. 2012).",
        direction="higher",
        bounds=(0.0, 2.0),
        traps=(
            "Two different things under one name. RecTools divides by the length of a short list. Popularity"
            " ranks are dense: with few distinct counts they end far above the number of items."
        ),
        parameters={"of": ("popularity", ("popularity", "embeddings"))},
        meanings={"of": "what makes an item expected: its popularity, or likeness to the history"},
        needs=("of",),
    )
)
def serendipity(lists: RankedLists, *, k: int, of: str) -> UnitScores:
    """Surprise of the hits among the first ``k``."""
    hits = lists.hits.top(k)
    items = lists.items[hits.rows, hits.ranks].astype(np.int64)
    reasons = {"no-truth": lists.truth.lengths == 0}
    if of == "embeddings":
        required(lists.catalogue.embeddings, "embeddings", "serendipity(of=embeddings)")
        surprise, size = _unlike_history(lists, hits.rows, items)
        reasons["no-history"] = (size == 0) & ~reasons["no-truth"]
    else:
        n = max(lists.n_items, 1)
        wanted = (n - hits.ranks) / n
        surprise = np.maximum(wanted - _expected(lists.train_counts)[items], 0.0)
    summed = np.bincount(hits.rows, weights=surprise, minlength=len(lists))
    return UnitScores(values=summed / k, reasons=reasons)


def _expected(counts: Int64) -> Float64:
    """float64[n], how much anybody is expected to get each item; equal counts share a popularity rank.

    >>> _expected(np.array([3, 5, 3, 0]))
    array([0.75, 1.  , 0.75, 0.  ])
    """
    n = max(len(counts), 1)
    distinct_counts, level = np.unique(counts, return_inverse=True)
    rank = len(distinct_counts) - level
    return np.where(counts > 0, (n + 1 - rank) / n, 0.0)


def _unlike_history(lists: RankedLists, rows: Int64, items: Int64) -> tuple[Float64, Int64]:
    """1 minus the mean cosine of each hit to its user's history, and the size of every history."""
    catalogue, history = lists.catalogue, lists.history
    assert catalogue.embeddings is not None
    exists = np.append(catalogue.embedded, False)
    size = np.bincount(owners(history)[exists[history.values]], minlength=len(lists))
    surprise = np.zeros(len(items))
    users, first = np.unique(rows, return_index=True)
    ends = np.append(first[1:], len(rows))
    longest = int(history.lengths[users].max(initial=1))
    for some in blocks(len(users), longest * max(catalogue.embeddings.shape[1], 1)):
        seen = history.take(users[some])
        known = np.flatnonzero(exists[seen.values])
        sums = np.zeros((len(seen), catalogue.embeddings.shape[1]))
        np.add.at(sums, owners(seen)[known], catalogue.directions(seen.values[known]))
        centre = sums / np.maximum(size[users[some]], 1)[:, None]
        span = slice(first[some.start], ends[some.stop - 1])
        of = np.repeat(np.arange(len(seen)), (ends - first)[some])
        surprise[span] = 1 - (catalogue.directions(items[span]) * centre[of]).sum(axis=1)
    surprise[~exists[items]] = 0.0
    return surprise, size


@define(
    Definition(
        name="unexpectedness",
        title="Unexpectedness",
        summary="Share of the listed items that the list of the most popular new items does not hold.",
        formula=(
            "mean over the first k slots that hold a catalogue item new to the user of 1 - [item among the k"
            " most popular items (by training count) that are new to the user]; of items tied at the end of"
            " that list each counts with the share of them that finds room"
        ),
        degenerate=(
            "Unknown ids and items of the history are left out; a repeated item counts in each of its slots."
            " Users without an answer (unanswered), with an empty list (empty-list) or without any new"
            " catalogue item in it (no-new-item) are excluded and counted."
        ),
        source="Murakami et al. 2007; RePlay Unexpectedness with popularity as base recommender.",
        direction="none",
        unit="share",
        traps="RePlay divides by k, so that the empty slots of a short list are unexpected.",
    )
)
def unexpectedness(lists: RankedLists, *, k: int) -> UnitScores:
    """One minus the overlap with the user's popularity list."""
    counts = lists.train_counts
    total, number = np.zeros(len(lists)), np.zeros(len(lists), np.int64)
    order = np.argsort(-counts, kind="stable")
    place = np.empty(len(order), np.int64)
    place[order] = np.arange(len(order))
    falling = counts[order]
    seen = np.zeros(lists.items.shape, bool)
    seen[lists.seen.rows, lists.seen.ranks] = True
    history = int(lists.history.lengths.max(initial=0))
    for rows in blocks(len(lists), max(min(k, lists.items.shape[1]), history)):
        top = lists.items[rows, :k]
        new = (top >= 0) & ~seen[rows, :k]
        of, items = distinct(part(lists.history, rows), lists.n_items)
        border, inside = _last_level(of, place[items], falling, len(top), k)
        listed = np.where(new, counts[np.maximum(top, 0)] if len(counts) else 0, 0)
        missing = np.where(
            listed > border[:, None], 0.0, np.where(listed == border[:, None], 1 - inside[:, None], 1.0)
        )
        total[rows] = np.where(new, missing, 0.0).sum(axis=1)
        number[rows] = np.count_nonzero(new, axis=1)
    return ratio(lists, total, number, "no-new-item")


def _last_level(rows: Int64, places: Int64, falling: Int64, n: int, k: int) -> tuple[Int64, Float64]:
    """Count of the k-th most popular new item of each of n users, and the share of its ties that are in.

    Parameters
    ----------
    rows, places
        User and place in the order of popularity of every item that a user has seen.
    falling
        Counts in that order.
    """
    if not len(falling):
        return np.zeros(n, np.int64), np.ones(n)
    order = np.argsort(rows * np.int64(len(falling)) + places)
    rows, places = rows[order], places[order]
    sizes = np.bincount(rows, minlength=n)
    earlier = np.arange(len(rows)) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    # a seen item pushes the end of the list on by one when fewer than k new items stand before it
    pushed = np.bincount(rows[places - earlier < k], minlength=n)
    last = np.minimum(k + pushed, len(falling)) - 1
    border = falling[last]
    start = len(falling) - np.searchsorted(falling[::-1], border, side="right")
    stop = len(falling) - np.searchsorted(falling[::-1], border, side="left")
    before = np.bincount(rows[places < start[rows]], minlength=n)
    within = np.bincount(rows[(places >= start[rows]) & (places < stop[rows])], minlength=n)
    tied = stop - start - within
    room = np.minimum(k - (start - before), tied)
    return border, np.divide(room, tied, out=np.ones(n), where=tied > 0)
