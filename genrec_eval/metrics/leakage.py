"""What a model seems to know of the held-out interactions, as far as its lists tell."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, distinct, excluded, held, new_candidates, required, top_of
from genrec_eval.protocol.arrays import Float64, Int64

_NEVER = np.iinfo(np.int64).max


@define(
    Definition(
        name="future",
        title="Future items",
        summary="How much oftener than by chance the list holds items that only come up later.",
        formula=(
            "share of future items among the first k slots that hold a catalogue item - their share among all"
            " items (or candidates) new to the user; of=test_counts: items with held-out interactions and"
            " none in training; of=first_seen: items whose first interaction in the data is at or after the"
            " moment the list was made for"
        ),
        degenerate=(
            "Unknown ids are left out; a repeated item counts in each of its slots. Users without an answer"
            " (unanswered), with an empty list (empty-list), with unknown ids only (no-valid-item) or for"
            " whom no future item is to be had (no-future-item) are excluded and counted; all are where there"
            " is no training (no-training)."
        ),
        source="This project, after Ji et al. 2023 (TOIS), who count items that did not exist yet.",
        direction="lower",
        unit="share",
        bounds=(-1.0, 1.0),
        traps=(
            "Random lists are at 0 on average; a model that learns from interactions alone is at or below 0."
            " A model that reads descriptions may soundly be above: it favours new releases, or a few of them"
            " by chance, and where a handful of items is new that is several percent of the slots. With"
            " of=first_seen and a split that trains on what others did later, so may recent popularity."
        ),
        parameters={"of": ("test_counts", ("test_counts", "first_seen"))},
        meanings={
            "of": "test_counts: items that training does not hold at all; first_seen: items that came up"
            " after the moment of the list, even if others' training holds them"
        },
        needs=("of",),
    )
)
def future(lists: RankedLists, *, k: int, of: str) -> UnitScores:
    """Share of future items in the list beyond that in the catalogue."""
    if of == "first_seen":
        since = required(lists.catalogue.first_seen, "first_seen", "future(of=first_seen)")
        cut = required(lists.cut, "cut", "future(of=first_seen)")
        since = np.where(since == _NEVER, -_NEVER, since)
    else:
        later = required(lists.catalogue.test_counts, "test_counts", "future")
        since = np.where((later > 0) & (lists.train_counts == 0), _NEVER, -_NEVER)
        cut = np.zeros(len(lists), np.int64)
    listed = np.zeros(len(lists))
    table = np.append(since, -_NEVER)
    for rows in blocks(len(lists), min(k, lists.items.shape[1])):
        top = top_of(lists.items[rows], k)
        listed[rows] = np.count_nonzero((table[top] >= cut[rows, None]) & (top >= 0), axis=1)
    ahead, pool = _to_be_had(lists, since, cut)
    number = held(lists, k)
    share = np.divide(listed, number, out=np.zeros(len(lists)), where=number > 0)
    chance = np.divide(ahead, pool, out=np.zeros(len(lists)), where=pool > 0)
    reasons = excluded(lists, number, "no-valid-item")
    if of == "test_counts" and not lists.train_counts.any():  # everything would be of the future
        reasons["no-training"] = ~np.logical_or.reduce(list(reasons.values()))
    reasons["no-future-item"] = (ahead == 0) & ~np.logical_or.reduce(list(reasons.values()))
    return UnitScores(values=share - chance, reasons=reasons)


def _to_be_had(lists: RankedLists, since: Int64, cut: Int64) -> tuple[Int64, Int64]:
    """How many future items, and how many items in all, each user could be given that are new to them."""
    n = len(lists)
    if lists.candidates is not None:
        rows, items = new_candidates(lists, lists.candidates)
        return np.bincount(rows[since[items] >= cut[rows]], minlength=n), np.bincount(rows, minlength=n)
    rows, items = distinct(lists.history, lists.n_items)
    ordered = np.sort(since)
    ahead = len(ordered) - np.searchsorted(ordered, cut)
    ahead -= np.bincount(rows[since[items] >= cut[rows]], minlength=n)
    return ahead, lists.n_items - np.bincount(rows, minlength=n)


@define(
    Definition(
        name="peeking",
        title="Peeking",
        summary="Whether lists depart from the order of popularity as counting the test would have it.",
        formula=(
            "over pairs of catalogue items in the first k slots whose counts differ both in training and in"
            " training + test: (pairs that both the list and training + test put against the order of"
            " training) / (pairs that either of them does); users weigh as many pairs as they have there"
        ),
        degenerate=(
            "Users without an answer (unanswered), with an empty list (empty-list) or without such a pair"
            " (no-departure) are excluded and counted; when list and counts all agree, nothing can be told."
        ),
        source="This project: the Jaccard index of two sets of departures from the training's order.",
        direction="lower",
        unit="share",
        traps=(
            "Popularity counted with the test is at 1, popularity counted in training at 0; lists that are"
            " personal, recent or random depart from popularity at many pairs where the test does not, and"
            " are near 0. When all users get one list, a few pairs decide: look at a longer list too."
        ),
        needs=("test_counts",),
    )
)
def peeking(lists: RankedLists, *, k: int) -> UnitScores:
    """Overlap of the list's departures from training popularity with those of the test."""
    before = lists.train_counts
    after = before + required(lists.catalogue.test_counts, "test_counts", "peeking")
    both, either = np.zeros(len(lists)), np.zeros(len(lists))
    for rows in blocks(len(lists), min(k, lists.items.shape[1])):
        both[rows], either[rows] = _departures(top_of(lists.items[rows], k), before, after)
    values = np.divide(both, either, out=np.zeros(len(lists)), where=either > 0)
    return UnitScores(values=values, reasons=excluded(lists, either, "no-departure"), weights=either)


def _departures(top: np.ndarray, before: Int64, after: Int64) -> tuple[Float64, Float64]:
    """Pairs of each list that both, or either, of list and later counts put against the earlier counts."""
    both, either = np.zeros(len(top)), np.zeros(len(top))
    valid = top >= 0
    early, late = np.append(before, 0)[top], np.append(after, 0)[top]
    for lag in range(1, top.shape[1]):
        first, second = slice(None, -lag), slice(lag, None)
        was = early[:, first] - early[:, second]  # positive where the list keeps the order of training
        is_now = late[:, first] - late[:, second]
        clear = valid[:, first] & valid[:, second] & (was != 0) & (is_now != 0)
        listed = clear & (was < 0)
        tested = clear & ((was < 0) != (is_now < 0))
        both += np.count_nonzero(listed & tested, axis=1)
        either += np.count_nonzero(listed | tested, axis=1)
    return both, either
