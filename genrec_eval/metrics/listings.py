"""How often a run lists each item, kept so that each user's lists can be taken out again."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.hits import Marks
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, top_of
from genrec_eval.protocol.arrays import Int32, Int64


@dataclass(frozen=True, slots=True)
class Taken:
    """What the lists of some consecutive users list, slot by slot.

    Attributes
    ----------
    users
        Their places among all users.
    items
        int32[m, k], item codes; -1 where there is no catalogue item.
    rows, ranks, nth
        int64 each: slots whose item stands ``nth`` times earlier in the same list, nth >= 1.
    """

    users: slice
    items: Int32
    rows: Int64
    ranks: Int64
    nth: Int64


class Listings:
    """Counts of listed items, with every user's codes.

    Taking one user out exactly needs the final counts at that user's items, so the codes of the first k
    slots are kept: 4 · n · k bytes, shared with the chunk where k is the whole width of its lists.

    Attributes
    ----------
    n_items
        Size of the catalogue.
    users
        Number of users so far.
    """

    def __init__(self, k: int) -> None:
        self.k = k
        self.users = 0
        self.n_items = 0
        self._parts: list[tuple[int, Int32, Marks]] = []

    def add(self, lists: RankedLists) -> None:
        """Take in the next users."""
        if self._parts and lists.n_items != self.n_items:
            raise ValueError(f"chunks of catalogues of {self.n_items} and {lists.n_items} items")
        self.n_items = lists.n_items
        items = lists.items
        kept = items if items.shape[1] <= self.k else np.ascontiguousarray(items[:, : self.k])
        self._parts.append((self.users, kept, lists.repeats.top(self.k)))
        self.users += len(lists)

    def counts(self, group: Int64 | None = None, groups: int = 1) -> Int64:
        """int64[groups · n_items], how often each item is listed, within each group of users.

        Parameters
        ----------
        group
            int64[users] in 0..groups-1, or -1 for users that are left out; all in one group by default.
        """
        found = np.zeros(groups * self.n_items, np.int64)
        for taken in self.each():
            inside = taken.items >= 0
            codes = taken.items[inside].astype(np.int64)
            if group is not None:
                of = np.repeat(group[taken.users], np.count_nonzero(inside, axis=1))
                codes = (codes + of * self.n_items)[of >= 0]
            found += np.bincount(codes, minlength=len(found))
        return found

    def each(self) -> Iterator[Taken]:
        """The users in order, a block at a time."""
        for start, items, repeats in self._parts:
            nth = _nth(items, repeats)
            for rows in blocks(len(items), items.shape[1]):
                first, last = np.searchsorted(repeats.rows, [rows.start, rows.stop])
                yield Taken(
                    users=slice(start + rows.start, start + rows.stop),
                    items=top_of(items[rows], self.k),
                    rows=repeats.rows[first:last] - rows.start,
                    ranks=repeats.ranks[first:last],
                    nth=nth[first:last],
                )


def _nth(items: Int32, repeats: Marks) -> Int64:
    """int64[marks], how many equal items stand before each repeat in its list."""
    keys = repeats.rows << 32 | (items[repeats.rows, repeats.ranks].astype(np.int64) & 0xFFFFFFFF)
    order = np.argsort(keys, kind="stable")
    ordered = keys[order]
    place = np.arange(len(keys))
    start = np.maximum.accumulate(np.where(np.diff(ordered, prepend=-1) != 0, place, 0))
    nth = np.empty(len(keys), np.int64)
    nth[order] = place - start + 1
    return nth


def without_each(taken: Taken, counts: Int64, codes: Int64 | None = None) -> npt.NDArray[np.int64]:
    """int64[m, k], the count that each slot stands for when the slots of one list are taken out in turn.

    A first slot takes its item from c to c - 1, a repeat of it from c - 1 to c - 2, and so on; 0 where
    there is no catalogue item.

    Parameters
    ----------
    counts
        What ``codes`` index.
    codes
        int64[m, k], ``taken.items`` by default.
    """
    codes = taken.items.astype(np.int64) if codes is None else codes
    steps = np.append(counts, 0)[codes]
    steps[taken.rows, taken.ranks] -= taken.nth
    steps[taken.items < 0] = 0
    return steps
