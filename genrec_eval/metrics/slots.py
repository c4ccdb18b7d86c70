"""What metrics of listed items share: the slots that hold a catalogue item, reasons, distinct pairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import NEEDS, UnitScores
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64, Ragged

Bool = npt.NDArray[np.bool_]
Fact = TypeVar("Fact")

BLOCK = 1 << 21
"""Cells of a work array: a million users at once must not need a matrix of their lists in floats."""

OF_ITEMS = (
    "Users without an answer (unanswered), with an empty list (empty-list) or with unknown ids only"
    " (no-valid-item) are excluded and counted. Unknown ids are left out; a repeated item counts in each of"
    " its slots."
)
"""What :func:`mean_of_items` does in degenerate cases."""


def required(fact: Fact | None, need: str, metric: str) -> Fact:
    """``fact``, or the sentence that says what the data lacks.

    Raises
    ------
    UsageError
        When it is None.
    """
    if fact is None:
        raise UsageError(
            f"metric '{metric}' needs {NEEDS[need]}, which the data does not offer;"
            " take it out of the metrics"
        )
    return fact


def blocks(n: int, cells: int) -> Iterator[slice]:
    """Consecutive rows, few enough that ``cells`` per row stay below :data:`BLOCK`.

    >>> list(blocks(3, BLOCK // 2))
    [slice(0, 2, None), slice(2, 3, None)]
    """
    step = max(1, BLOCK // max(cells, 1))
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def part(lists: Ragged, rows: slice) -> Ragged:
    """Consecutive lists, as views."""
    offsets = lists.offsets[rows.start : rows.stop + 1]
    return Ragged(offsets - offsets[0], lists.values[offsets[0] : offsets[-1]])


def owners(lists: Ragged) -> Int64:
    """int64, the list that each value belongs to."""
    return np.repeat(np.arange(len(lists), dtype=np.int64), lists.lengths)


def distinct(lists: Ragged, n_items: int) -> tuple[Int64, Int64]:
    """Row and item of every catalogue item of each list, once each, ordered by row and item.

    >>> distinct(Ragged.from_lists([[2, 1, 2, -1], [], [0]]), 3)
    (array([0, 0, 2]), array([1, 2, 0]))
    """
    known = lists.values >= 0
    keys = owners(lists)[known] * np.int64(n_items) + lists.values[known]
    keys.sort()  # np.unique hashes whole numbers, many times slower
    keys = keys[np.diff(keys, prepend=-1) != 0]
    rows, items = np.divmod(keys, max(n_items, 1))
    return rows, items


def new_candidates(lists: RankedLists, candidates: Ragged) -> tuple[Int64, Int64]:
    """Row and item of every catalogue item among each user's candidates that the history does not hold."""
    rows, items = distinct(candidates, lists.n_items)
    seen_rows, seen = distinct(lists.history, lists.n_items)
    span = np.int64(max(lists.n_items, 1))
    new = ~np.isin(rows * span + items, seen_rows * span + seen, assume_unique=True)
    return rows[new], items[new]


def held(lists: RankedLists, k: int) -> Int64:
    """int64[n], how many of the first ``k`` slots hold a catalogue item."""
    return np.minimum(lists.lengths, k) - lists.unknown.counts(k)


def excluded(lists: RankedLists, scored: Int64 | Float64, reason: str) -> dict[str, Bool]:
    """Reasons of users for whom ``scored`` is not positive: no answer, an empty list, else ``reason``."""
    empty = lists.lengths == 0
    return {
        "unanswered": ~lists.answered,
        "empty-list": empty & lists.answered,
        reason: (scored <= 0) & ~empty,
    }


def mean_of_items(
    lists: RankedLists,
    k: int,
    values: Float64,
    counted: Bool | None = None,
    reason: str = "no-valid-item",
    also: Mapping[str, Bool] | None = None,
) -> UnitScores:
    """Mean of a value per item over the first ``k`` slots that hold a catalogue item.

    Parameters
    ----------
    values
        float64[n_items].
    counted
        bool[n_items], items that the mean is over; all by default.
    reason
        Why a user none of whose slots counts has no score.
    also
        Further reasons, for users who are not excluded for one of the usual ones.
    """
    # the last entry stands for everything outside the catalogue
    table = np.append(values if counted is None else np.where(counted, values, 0.0), 0.0)
    counts = np.append(np.ones(len(values), bool) if counted is None else counted, False)
    total, number = np.zeros(len(lists)), np.zeros(len(lists), np.int64)
    for rows in blocks(len(lists), min(k, lists.items.shape[1])):
        top = np.maximum(lists.items[rows, :k], PAD)
        total[rows] = table[top].sum(axis=1)
        number[rows] = np.count_nonzero(counts[top], axis=1)
    return ratio(lists, total, number, reason, also)


def ratio(
    lists: RankedLists,
    total: Float64,
    number: Int64 | Float64,
    reason: str,
    also: Mapping[str, Bool] | None = None,
) -> UnitScores:
    """``total / number`` per user; where ``number`` is 0, the user is excluded for ``reason``."""
    values = np.zeros(len(lists))
    np.divide(total, number, out=values, where=number > 0)
    reasons = excluded(lists, number, reason)
    free = ~np.logical_or.reduce(list(reasons.values())) if also else None
    for name, mask in (also or {}).items():
        assert free is not None
        reasons[name] = mask & free
        free = free & ~mask
    return UnitScores(values=values, reasons=reasons)


def top_of(items: Int32, k: int) -> Int32:
    """The first ``k`` slots with every unknown id and empty slot as -1."""
    return np.maximum(items[:, :k], np.int32(PAD))
