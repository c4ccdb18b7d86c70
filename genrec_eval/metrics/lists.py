"""What ranking metrics work on: lists of n users as arrays, with truth and history beside them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.hits import Marks, members, repeats
from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64, Ragged


@dataclass(frozen=True, kw_only=True)
class RankedLists:
    """Lists of n users, exactly as generated, one row each.

    Attributes
    ----------
    items
        int32[n, width]; -1 after the end of a list; <= -2 for an id outside the catalogue,
        equal ids having equal codes within a list.
    truth
        Relevant item codes per user, without duplicates; a negative code is an item that no list
        can hit and that still counts as relevant.
    history
        Item codes per user that count as seen.
    answered
        bool[n]; False where the model gave no answer: such a user scores as an empty list.
    catalogue
        What is known of the items.
    grades
        float64, parallel to ``truth.values``: how relevant each item is (its rating); None when relevance
        is 0 or 1.
    rejected
        Item codes per user that the user is known not to want (rated below the threshold); None when
        nothing is known.
    candidates
        Item codes per user that the model had to choose from; None for the whole catalogue.
    scores
        float64[n, width], the model's own scores, NaN at empty slots; None when it gave none.
    cut
        int64[n], the moment (Unix seconds) for which each list was made; None when there is none.

    What several metrics need (``hits``, ``seen``, ``repeats``, ``unknown``, ``lengths``) is computed
    at first use and kept, so that all metrics at all cutoffs share it.
    """

    items: Int32
    truth: Ragged
    history: Ragged
    answered: npt.NDArray[np.bool_]
    catalogue: Catalogue
    grades: Float64 | None = None
    rejected: Ragged | None = None
    candidates: Ragged | None = None
    scores: Float64 | None = None
    cut: Int64 | None = None

    def __post_init__(self) -> None:
        n = len(self.items)
        for name in ("truth", "history", "answered", "rejected", "candidates", "scores", "cut"):
            part = getattr(self, name)
            if part is not None and len(part) != n:
                raise ValueError(f"{name} has {len(part)} rows for {n} lists")
        if self.grades is not None and len(self.grades) != len(self.truth.values):
            raise ValueError(f"grades has {len(self.grades)} entries for {len(self.truth.values)} in truth")
        if self.items.size and int(self.items.max()) >= self.n_items:
            raise ValueError(f"item code {self.items.max()} is outside the catalogue of {self.n_items}")
        if not self.answered.all():
            object.__setattr__(self, "items", np.where(self.answered[:, None], self.items, np.int32(PAD)))

    def __len__(self) -> int:
        return len(self.items)

    @property
    def n_items(self) -> int:
        """Size of the catalogue."""
        return len(self.catalogue)

    @property
    def train_counts(self) -> Int64:
        """int64[n_items], interactions of each item in training."""
        return self.catalogue.train_counts

    @cached_property
    def lengths(self) -> Int64:
        """int64[n], the number of filled slots of each list."""
        filled = self.items != PAD
        if (filled[:, 1:] > filled[:, :-1]).any():
            raise ValueError("a list has an empty slot before its end")
        return np.count_nonzero(filled, axis=1)

    @cached_property
    def hits(self) -> Marks:
        """Slots that hold a relevant item for the first time."""
        return members(self.items, self.truth, self.n_items).first_of(self.items)

    @cached_property
    def seen(self) -> Marks:
        """Slots that hold an item of the user's history."""
        return members(self.items, self.history, self.n_items)

    @cached_property
    def unknown(self) -> Marks:
        """Slots that hold an id outside the catalogue."""
        return Marks.of(self.items < PAD)

    @cached_property
    def repeats(self) -> Marks:
        """Slots that hold an id, known or not, that stands earlier in the list."""
        return repeats(self.items)
