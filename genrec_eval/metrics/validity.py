"""Validity of generated lists: invalid, duplicate, seen and missing entries.

Generative recommenders produce dirty lists; accuracy treats the dirt as misses, these say how much of
it there is. A user without an answer is excluded (unanswered): no answer is not a bad list, and the
share of answers is reported beside every number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.hits import Marks
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Int64

_SHARED: dict[str, Any] = {
    "direction": "lower",
    "unit": "share",
    "degenerate": (
        "A user without an answer (unanswered) or with an empty list (empty-list) is excluded and counted."
    ),
}


def _share(lists: RankedLists, marks: Marks, k: int) -> UnitScores:
    """Share of the filled slots among the first ``k`` that are marked."""
    filled = np.minimum(lists.lengths, k)
    values = np.zeros(len(lists))
    np.divide(marks.counts(k), filled, out=values, where=filled > 0)
    return UnitScores(
        values=values,
        reasons={"unanswered": ~lists.answered, "empty-list": (filled == 0) & lists.answered},
    )


@define(
    Definition(
        name="invalid",
        title="Invalid",
        summary="Share of listed ids that are not in the catalogue.",
        formula="unknown ids in the first k / filled slots in the first k",
        source="This project; called hallucination or invalid-id rate elsewhere.",
        **_SHARED,
    )
)
def invalid(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of unknown ids."""
    return _share(lists, lists.unknown, k)


@define(
    Definition(
        name="duplicate",
        title="Duplicate",
        summary="Share of listed ids that stand earlier in the same list.",
        formula="slots in the first k that repeat an earlier id / filled slots in the first k",
        source="This project; 1 minus RecTools UnrepeatedReco when all ids are known.",
        traps="Unknown ids count too: a repeated invention is a repeat.",
        **_SHARED,
    )
)
def duplicate(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of repeats."""
    return _share(lists, lists.repeats, k)


@define(
    Definition(
        name="seen",
        title="Seen",
        summary="Share of listed ids that the user's history already holds.",
        formula="slots in the first k that hold an item of the history / filled slots in the first k",
        source="This project.",
        traps=(
            "Where people come back to items (music, groceries) seen items can be wanted. The whole history"
            " counts, also what a history limit kept from the model."
        ),
        **_SHARED,
    )
)
def seen(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of items already in the history."""
    return _share(lists, lists.seen, k)


@define(
    Definition(
        name="short",
        title="Short",
        summary="Share of the slots that the model could have filled and left empty.",
        formula=(
            "max(m - filled slots in the first k, 0) / m; m = min(k, catalogue items that the history does"
            " not hold)"
        ),
        source="This project; 1 minus RecTools SufficientReco where the catalogue has k new items for all.",
        **{
            **_SHARED,
            "degenerate": (
                "An empty list scores 1. A user without an answer (unanswered) or who has had the whole"
                " catalogue (nothing-new) is excluded and counted."
            ),
        },
    )
)
def short(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of empty slots among those that could be filled."""
    room = _room(lists, k)
    missing = np.maximum(room - np.minimum(lists.lengths, k), 0)
    return UnitScores(
        values=missing / np.maximum(room, 1),
        reasons={"unanswered": ~lists.answered, "nothing-new": (room == 0) & lists.answered},
    )


def _room(lists: RankedLists, k: int) -> Int64:
    """int64[n], the least of ``k`` and the number of items that are new to the user."""
    room = np.full(len(lists), k, np.int64)
    # a history may name an item twice, but only long ones need a closer look
    tight = np.flatnonzero(lists.n_items - lists.history.lengths < k)
    if len(tight):
        history = lists.history.take(tight)
        pairs = np.repeat(np.arange(len(tight)), history.lengths) * lists.n_items + history.values
        known = np.bincount(np.unique(pairs[history.values >= 0]) // lists.n_items, minlength=len(tight))
        room[tight] = np.minimum(lists.n_items - known, k)
    return room
