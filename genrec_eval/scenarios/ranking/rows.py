"""Lists of cases put together, cut and chosen, as arrays."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.arrays import Int32, Int64, Ragged, distinct_of

if TYPE_CHECKING:
    from genrec_eval.data.splits.split import Split


def repeated(candidates: Int32, n: int) -> Ragged:
    """The same list for each of ``n`` cases."""
    return Ragged(np.arange(n + 1, dtype=np.int64) * len(candidates), np.tile(candidates, n))


def joined(first: Ragged, second: Ragged) -> Ragged:
    """Row by row, the list of ``first`` and then that of ``second``.

    >>> both = joined(Ragged.from_lists([[1], [2, 3]]), Ragged.from_lists([[4], []]))
    >>> both.values.tolist(), both.lengths.tolist()
    ([1, 4, 2, 3], [2, 2])
    """
    lengths = first.lengths + second.lengths
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    values = np.empty(int(offsets[-1]), np.int32)
    for part, starts in ((first, offsets[:-1]), (second, offsets[:-1] + first.lengths)):
        place = np.repeat(starts - part.offsets[:-1], part.lengths) + np.arange(len(part.values))
        values[place] = part.values
    return Ragged(offsets, values)


def entries(lists: Ragged, rows: Int64) -> Int64:
    """Positions in ``lists.values`` of the lists at ``rows``, one list after the other.

    >>> entries(Ragged.from_lists([[7, 8], [9], [5, 6]]), np.array([2, 0])).tolist()
    [3, 4, 0, 1]
    """
    lengths = lists.lengths[rows]
    ends = np.cumsum(lengths)
    total = int(ends[-1]) if len(ends) else 0
    return np.repeat(lists.offsets[rows] - (ends - lengths), lengths) + np.arange(total)


def latest(lists: Ragged, limit: int) -> Ragged:
    """The last ``limit`` entries of each list.

    >>> latest(Ragged.from_lists([[1, 2, 3], [4]]), 2).values.tolist()
    [2, 3, 4]
    """
    return latest_of(lists, np.full(len(lists), limit, np.int64))


def latest_of(lists: Ragged, limits: Int64) -> Ragged:
    """The last ``limits[i]`` entries of list i.

    >>> latest_of(Ragged.from_lists([[1, 2, 3], [4]]), np.array([2, 0])).values.tolist()
    [2, 3]
    """
    kept = np.minimum(lists.lengths, limits)
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    source = np.repeat(lists.offsets[1:] - offsets[1:], kept) + np.arange(offsets[-1])
    return Ragged(offsets, lists.values[source])


def take(split: Split, rows: Int64) -> Split:
    """The cases at ``rows`` of a split."""
    return replace(
        split,
        users=split.users[rows],
        truth=split.truth.take(rows),
        history=split.history.take(rows),
        grades=None if split.grades is None else split.grades[entries(split.truth, rows)],
        rejected=None if split.rejected is None else split.rejected.take(rows),
        candidates=None if split.candidates is None else split.candidates.take(rows),
        cut=None if split.cut is None else split.cut[rows],
    )


def sampled_users(users: Int32, most: int | None, seed: int) -> Int64 | None:
    """Rows of the cases of ``most`` users, drawn at random; None when all are asked."""
    distinct = distinct_of(users)
    if most is None or most >= len(distinct):
        return None
    drawn = generator(seed, "top-k users").choice(len(distinct), most, replace=False)
    return np.flatnonzero(np.isin(users, distinct[np.sort(drawn)]))
