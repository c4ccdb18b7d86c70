"""The shared kernel of ranking metrics: which slots of which lists are marked, without a loop per user."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64, Ragged

_TABLE = 1 << 20
"""Bytes of the stamp table aimed at: it should stay in the processor's cache."""
_LARGEST = 1 << 26
"""Bytes it may take where a huge catalogue would leave too few lists in a block."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Marked slots of n lists, ordered by list, then by rank.

    Few slots of a list are hits, so all sums run over pairs instead of a matrix.

    Attributes
    ----------
    rows
        int64[m], the list of each marked slot.
    ranks
        int64[m], its position, from 0.
    n
        Number of lists.
    """

    rows: Int64
    ranks: Int64
    n: int

    @classmethod
    def of(cls, matrix: npt.NDArray[np.bool_]) -> Marks:
        """The true entries of bool[n, width]."""
        return cls._flat(np.flatnonzero(matrix), *matrix.shape)

    @classmethod
    def _flat(cls, slots: Int64, n: int, width: int) -> Marks:
        return cls(*np.divmod(slots, max(width, 1)), n)

    def top(self, k: int) -> Marks:
        """Those among the first ``k`` slots."""
        inside = self.ranks < k
        return self if inside.all() else Marks(self.rows[inside], self.ranks[inside], self.n)

    def counts(self, k: int) -> Int64:
        """int64[n], how many of each list's first ``k`` slots are marked."""
        return np.bincount(self.top(k).rows, minlength=self.n)

    def sums(self, weights: Float64) -> Float64:
        """float64[n], sum over each list of the weight of its marked ranks below ``len(weights)``."""
        top = self.top(len(weights))
        return np.bincount(top.rows, weights=weights[top.ranks], minlength=self.n).astype(
            np.float64, copy=False
        )

    def leaders(self) -> npt.NDArray[np.bool_]:
        """bool[m], the first mark of each list."""
        return np.diff(self.rows, prepend=-1) != 0

    def nth(self) -> Int64:
        """int64[m], 1 for the first mark of a list, 2 for its second, ..."""
        position = np.arange(len(self.rows))
        return position - np.maximum.accumulate(np.where(self.leaders(), position, 0)) + 1

    def first_of(self, items: Int32) -> Marks:
        """Only the first mark of each item in each list."""
        keys = self.rows << 32 | items[self.rows, self.ranks].astype(np.int64)
        order = np.argsort(keys, kind="stable")
        first = np.ones(len(keys), bool)
        first[order[1:]] = np.diff(keys[order]) != 0
        return self if first.all() else Marks(self.rows[first], self.ranks[first], self.n)


def members(items: Int32, sets: Ragged, n_items: int) -> Marks:
    """Slots whose item is in the set of their list.

    Each block of lists stamps its sets into a table of one byte per list and item, reads the table
    at the listed items, and wipes its stamps: time is linear in the slots, memory is one small table.

    >>> found = members(np.array([[3, 1, -1], [-2, 3, 0]], np.int32), Ragged.from_lists([[1], [3, 2]]), 4)
    >>> found.rows, found.ranks
    (array([0, 1]), array([1, 1]))
    """
    n, width = items.shape
    stride = n_items + 1  # column 0 stands for every empty slot and unknown id, and is never stamped
    block = max(1, min(max(16, _TABLE // stride), _LARGEST // stride, n))
    table = np.zeros(block * stride, bool)
    base = (np.arange(block, dtype=np.int64) * stride)[:, None]
    found: list[Int64] = []
    for start in range(0, n, block):
        part = items[start : start + block]
        offsets = sets.offsets[start : start + len(part) + 1]
        codes = sets.values[offsets[0] : offsets[-1]]
        stamps = np.repeat(base[: len(part), 0], np.diff(offsets)) + (codes + 1)
        stamps = stamps[codes >= 0]
        table[stamps] = True
        slots = np.maximum(part, PAD) + (base[: len(part)] + 1)
        found.append(np.flatnonzero(table[slots]) + start * width)
        table[stamps] = False
    return Marks._flat(np.concatenate(found) if found else np.empty(0, np.int64), n, width)


def repeats(items: Int32) -> Marks:
    """Slots that hold an id that stands earlier in the same list; unknown ids count like any other.

    >>> repeats(np.array([[7, 5, 7, -2, -2, -1, -1]], np.int32)).ranks
    array([2, 4])
    """
    n, width = items.shape
    slot = np.arange(width, dtype=np.int64)
    block = max(1, (1 << 16) // max(width, 1))
    found: list[Int64] = []
    for start in range(0, n, block):
        part = items[start : start + block].astype(np.int64)
        # Item above, slot below, in one integer: a plain sort brings equal items together in slot order.
        keys = np.sort(part << 32 | slot, axis=1)
        again = (keys[:, 1:] >> 32 == keys[:, :-1] >> 32) & (keys[:, 1:] >> 32 != PAD)
        rows, places = np.nonzero(again)
        flat = (rows + start) * width + (keys[rows, places + 1] & 0xFFFFFFFF)
        found.append(np.sort(flat))
    return Marks._flat(np.concatenate(found) if found else np.empty(0, np.int64), n, width)
