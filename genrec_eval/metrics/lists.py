"""What ranking metrics work on: lists of n users as arrays, with truth and history beside them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.hits import Marks, members, repeats
from genrec_eval.metrics.ties import TieGroups, tie_bounds
from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64, Ragged


@dataclass(frozen=True, slots=True)
class GroupCodes:
    """To which of some groups each of n units belongs.

    Attributes
    ----------
    codes
        int32[n], index into ``names``; -1 where the group is not known.
    names
        Of all groups of the run, in the order of reports; a chunk of units need not hold each of them.
    """

    codes: Int32
    names: tuple[str, ...]


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
    groups
        Name of a group of users → the group of each row.

    What several metrics need (``hits``, ``seen``, ``repeats``, ``unknown``, ``lengths``, ``filtered``, ...)
    is computed at first use and kept, so that all metrics at all cutoffs share it.
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
    groups: Mapping[str, GroupCodes] = field(default_factory=dict)

    def __post_init__(self) -> None:
        n = len(self.items)
        for name in ("truth", "history", "answered", "rejected", "candidates", "scores", "cut"):
            part = getattr(self, name)
            if part is not None and len(part) != n:
                raise ValueError(f"{name} has {len(part)} rows for {n} lists")
        if self.scores is not None and self.scores.shape != self.items.shape:
            raise ValueError(f"scores are {self.scores.shape} for items of {self.items.shape}")
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
    def remembered(self) -> dict[str, Any]:
        """Metric id → scores of these lists, for metrics that are made of others."""
        return {}

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

    @cached_property
    def refused(self) -> Marks:
        """Slots that hold an item known to be unwanted for the first time."""
        if self.rejected is None:
            raise ValueError("these lists know of no unwanted items")
        return members(self.items, self.rejected, self.n_items).first_of(self.items)

    @cached_property
    def filtered(self) -> RankedLists:
        """The lists as a careful shop would show them.

        Without unknown ids, repeats, seen items and, where there are candidates, items that are none of
        them; what is left closes up. The lists themselves when nothing has to go.
        """
        keep = self.items >= 0
        if self.candidates is not None:
            inside = np.zeros_like(keep)
            marks = members(self.items, self.candidates, self.n_items)
            inside[marks.rows, marks.ranks] = True
            keep &= inside
        for marks in (self.repeats, self.seen):
            keep[marks.rows, marks.ranks] = False
        kept = np.count_nonzero(keep, axis=1)
        if np.array_equal(kept, self.lengths):
            return self
        # row by row, the kept slots fill the first places
        places = np.arange(keep.shape[1]) < kept[:, None]
        items = np.full_like(self.items, PAD)
        items[places] = self.items[keep]
        scores = None
        if self.scores is not None:
            scores = np.full_like(self.scores, np.nan)
            scores[places] = self.scores[keep]
        return replace(self, items=items, scores=scores)

    @cached_property
    def unscored(self) -> npt.NDArray[np.bool_]:
        """bool[n], lists with an item that has no score."""
        if self.scores is None:
            return np.ones(len(self), bool)
        missing: npt.NDArray[np.bool_] = (np.isnan(self.scores) & (self.items != PAD)).any(axis=1)
        return missing

    @cached_property
    def tie_bounds(self) -> tuple[Int64, Int64]:
        """See :func:`~genrec_eval.metrics.ties.tie_bounds`; without scores every slot stands alone."""
        if self.scores is None:
            ranks = np.broadcast_to(np.arange(self.items.shape[1], dtype=np.int64), self.items.shape)
            return ranks, ranks + 1
        return tie_bounds(self.items, self.scores)

    @cached_property
    def tied_hits(self) -> TieGroups:
        """The tie groups that hold hits."""
        return TieGroups.around(self.hits, self.tie_bounds)

    @cached_property
    def best_hits(self) -> Marks:
        """Where the hits would be if every tie put them first."""
        return self.tied_hits.arranged(best=True)

    @cached_property
    def worst_hits(self) -> Marks:
        """Where the hits would be if every tie put them last."""
        return self.tied_hits.arranged(best=False)

    @cached_property
    def hit_grades(self) -> Float64:
        """float64, parallel to ``hits``: the grade of each hit; 1 without grades."""
        hits = self.hits
        if self.grades is None:
            return np.ones(len(hits.rows))
        owner = np.repeat(np.arange(len(self), dtype=np.int64), self.truth.lengths)
        keys = owner << 32 | self.truth.values.astype(np.int64) & 0xFFFFFFFF
        order = np.argsort(keys)
        wanted = hits.rows << 32 | self.items[hits.rows, hits.ranks].astype(np.int64)
        return self.grades[order[np.searchsorted(keys, wanted, sorter=order)]]

    @cached_property
    def ideal_grades(self) -> tuple[Int64, Int64, Float64]:
        """Relevant items from the highest grade down: list, rank in the best order, and grade of each."""
        owner = np.repeat(np.arange(len(self), dtype=np.int64), self.truth.lengths)
        ranks = np.arange(len(owner)) - np.repeat(self.truth.offsets[:-1], self.truth.lengths)
        if self.grades is None:
            return owner, ranks, np.ones(len(owner))
        return owner, ranks, self.grades[np.lexsort((-self.grades, owner))]
