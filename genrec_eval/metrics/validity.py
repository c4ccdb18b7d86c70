"""Validity of generated lists: invalid, duplicate, seen, ambiguous and missing entries, and what is left.

Generative recommenders produce dirty lists; accuracy treats the dirt as misses, these say how much of
it there is. A user without an answer is excluded (unanswered): no answer is not a bad list, and the
share of answers is reported beside every number.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.hits import Marks, members
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import distinct, new_candidates, required
from genrec_eval.protocol.arrays import PAD, Int64

_SHARED: dict[str, Any] = {
    "direction": "lower",
    "unit": "share",
    "degenerate": (
        "A user without an answer (unanswered) or with an empty list (empty-list) is excluded and counted."
    ),
}

_ROOM = (
    "An empty list scores 1. A user without an answer (unanswered) or for whom there is nothing new to list"
    " (nothing-new) is excluded and counted."
)


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
            "max(m - filled slots in the first k, 0) / m; m = min(k, catalogue items, or candidates where"
            " there are any, that the history does not hold)"
        ),
        source="This project; 1 minus RecTools SufficientReco where the catalogue has k new items for all.",
        **{
            **_SHARED,
            "degenerate": _ROOM,
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


@define(
    Definition(
        name="collision",
        title="Collision",
        summary="Share of listed slots whose semantic id stands for several items.",
        formula="slots in the first k with an item that shares its semantic id / filled slots in the first k",
        source="This project; collisions of semantic ids as in Rajput et al. 2023 (TIGER).",
        traps=(
            "A hit of such a slot is luck between its items: comparing ids as strings counts any of them."
            " Unknown ids do not collide."
        ),
        needs=("ambiguous",),
        **_SHARED,
    )
)
def collision(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of slots with an ambiguous semantic id."""
    ambiguous = required(lists.catalogue.ambiguous, "ambiguous", "collision")
    return _share(lists, Marks.of(np.append(ambiguous, False)[np.maximum(lists.items[:, :k], PAD)]), k)


@define(
    Definition(
        name="outside",
        title="Outside the candidates",
        summary="Share of listed ids that were not among the candidates.",
        formula="slots in the first k that hold no candidate / filled slots in the first k",
        source="This project.",
        traps="An id outside the catalogue is outside the candidates as well.",
        needs=("candidates",),
        **_SHARED,
    )
)
def outside(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of items that nobody offered."""
    candidates = required(lists.candidates, "candidates", "outside")
    inside = members(lists.items, candidates, lists.n_items)
    missed = lists.items != PAD
    missed[inside.rows, inside.ranks] = False
    return _share(lists, Marks.of(missed), k)


@define(
    Definition(
        name="usable",
        title="Usable",
        summary="Share of the slots that hold what a shop could show: a known, new, unrepeated item.",
        formula=(
            "slots in the first k with a catalogue item (of the candidates, where there are any) that the"
            " history does not hold and that stands there for the first time / m; m = min(k, such items that"
            " exist)"
        ),
        source="This project; the other flaws of a list in one number.",
        **{**_SHARED, "direction": "higher", "degenerate": _ROOM.replace("scores 1", "scores 0")},
    )
)
def usable(lists: RankedLists, *, k: int) -> UnitScores:
    """Share of slots that survive filtering."""
    good = lists.items[:, :k] >= 0
    for marks in (lists.repeats.top(k), lists.seen.top(k)):
        good[marks.rows, marks.ranks] = False
    if lists.candidates is not None:
        inside = np.zeros_like(good)
        offered = members(lists.items[:, :k], lists.candidates, lists.n_items)
        inside[offered.rows, offered.ranks] = True
        good &= inside
    room = _room(lists, k)
    return UnitScores(
        values=np.count_nonzero(good, axis=1) / np.maximum(room, 1),
        reasons={"unanswered": ~lists.answered, "nothing-new": (room == 0) & lists.answered},
    )


def _room(lists: RankedLists, k: int) -> Int64:
    """int64[n], the least of ``k`` and the number of items new to the user that could be listed."""
    if lists.candidates is not None:
        rows, _ = new_candidates(lists, lists.candidates)
        return np.minimum(np.bincount(rows, minlength=len(lists)), k)
    room = np.full(len(lists), k, np.int64)
    # a history may name an item twice, but only long ones need a closer look
    tight = np.flatnonzero(lists.n_items - lists.history.lengths < k)
    if len(tight):
        rows, _ = distinct(lists.history.take(tight), lists.n_items)
        room[tight] = np.minimum(lists.n_items - np.bincount(rows, minlength=len(tight)), k)
    return room
