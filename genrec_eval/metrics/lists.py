"""What ranking metrics work on: lists of n users as arrays, with truth and history beside them."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged


@dataclass(frozen=True, slots=True, kw_only=True)
class RankedLists:
    """Lists of n users, exactly as generated, one row each.

    Attributes
    ----------
    items
        int32[n, width]; -1 after the end of a list; <= -2 for an id outside the catalogue,
        equal ids having equal codes within the run.
    truth
        Relevant item codes per user, without duplicates.
    history
        Item codes per user that count as seen.
    answered
        bool[n]; False where the model gave no answer: such a user scores as an empty list.
    n_items
        Size of the catalogue.
    train_counts
        int64[n_items], interactions of each item in training.
    scores
        float64[n, width] or None.
    """

    items: Int32
    truth: Ragged
    history: Ragged
    answered: object
    n_items: int
    train_counts: Int64
    scores: Float64 | None = None

    def __len__(self) -> int:
        return len(self.items)
