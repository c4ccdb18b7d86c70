"""Coverage: how much of the catalogue the lists of a run reach."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Accumulator, Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Int64


@define(
    Definition(
        name="coverage",
        title="Coverage",
        summary="Share of the catalogue that appears in at least one list of the run.",
        formula="distinct catalogue items in the first k slots of any list / catalogue size",
        degenerate="Unknown ids do not count. Users without an answer add nothing. No user is excluded.",
        source="Herlocker et al. 2004 (catalogue coverage); the catalogue holds no padding item.",
        direction="none",
        unit="share",
        traps="Grows with the number of users: compare runs over the same users only.",
    )
)
class Coverage(Accumulator):
    """Catalogue coverage; a user's score is the share of items that only that user's list holds."""

    def __init__(self, *, k: int) -> None:
        self.k = k
        self.users = 0
        self.owner: Int64 | None = None

    def update(self, lists: RankedLists) -> None:
        """Note for each item one user who got it, and whether another one did."""
        if self.owner is None:
            self.owner = np.full(lists.n_items, -1, np.int64)
            self.shared = np.zeros(lists.n_items, bool)
        elif len(self.owner) != lists.n_items:
            raise ValueError(f"chunks of catalogues of {len(self.owner)} and {lists.n_items} items")
        top = lists.items[:, : self.k]
        held = top >= 0
        items = top[held]
        users = np.repeat(np.arange(len(lists)) + self.users, np.count_nonzero(held, axis=1))
        open_ = ~self.shared[items]
        items, users = items[open_], users[open_]
        self.shared[items[self.owner[items] >= 0]] = True
        # Whichever user's write survives, an item of two users shows a mismatch for one of them.
        self.owner[items] = users
        self.shared[items[self.owner[items] != users]] = True
        self.users += len(lists)

    def finish(self) -> UnitScores:
        """Coverage of the run, and what it would lose without each user."""
        owner = np.empty(0, np.int64) if self.owner is None else self.owner
        size = max(len(owner), 1)
        covered = owner >= 0
        sole = owner[covered & ~self.shared] if len(owner) else owner
        return UnitScores(
            values=np.bincount(sole, minlength=self.users) / size,
            total=np.count_nonzero(covered) / size,
            reach=min(self.k / size, 1.0),
        )
