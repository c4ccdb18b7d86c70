"""A dataset: who interacted with what, when, and what is known of both."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genrec_eval.protocol.arrays import Int32, Int64, Ragged, Vocabulary

Float32 = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True, kw_only=True)
class Interactions:
    """Parallel arrays, one entry per interaction, ordered by (timestamp, position in the source).

    Attributes
    ----------
    user, item
        int32 codes in the dataset's vocabularies.
    rating
        float32, or None for implicit feedback.
    timestamp
        int64 Unix seconds, or None when the source has no times.
    row
        int64 place in the source, from 0; None where there is no source with an order of its own.
    """

    user: Int32
    item: Int32
    rating: Float32 | None = None
    timestamp: Int64 | None = None
    row: Int64 | None = None

    def __len__(self) -> int:
        return len(self.user)

    def where(self, mask: npt.NDArray[np.bool_]) -> Interactions:
        """The interactions for which ``mask`` holds, in the same order."""
        return Interactions(
            user=self.user[mask],
            item=self.item[mask],
            rating=None if self.rating is None else self.rating[mask],
            timestamp=None if self.timestamp is None else self.timestamp[mask],
            row=None if self.row is None else self.row[mask],
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenCases:
    """Evaluation cases that the source itself brings: impressions, a published test file.

    Attributes
    ----------
    user
        int32[n], user codes; a user may have several cases.
    history, truth
        Item codes per case, the history oldest first.
    candidates
        Item codes that were shown per case; None when the source does not say.
    timestamp
        int64[n] Unix seconds, or None.
    """

    user: Int32
    history: Ragged
    truth: Ragged
    candidates: Ragged | None = None
    timestamp: Int64 | None = None

    def __len__(self) -> int:
        return len(self.user)


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """Interactions with the catalogue and the users they refer to.

    Attributes
    ----------
    users, items
        Vocabularies of ids; code = row of the table beside it.
    item_table
        One row per item: ``item``, then any of ``title`` (with its year where known, as in
        ``Heat (1995)``), ``year``, ``aliases`` (list, written like titles),
        ``description``, ``genres`` (list), ``provider``, ``director``, ``cast`` (list), ``price``,
        ``runtime`` (minutes), ``semantic_id`` (list of tokens), ``embedding`` (list of float32) and
        attributes of the source.
    user_table
        One row per user: ``user``, then group attributes as strings (``gender``, ``age``, ...).
    groups
        Columns of ``user_table`` that slices may be made by.
    digest
        SHA-256 of the content that was loaded.
    facts
        Counts and warnings worth showing: rows read, duplicates dropped, rows refused and why.
    """

    name: str
    users: Vocabulary
    items: Vocabulary
    interactions: Interactions
    item_table: pa.Table
    user_table: pa.Table
    groups: tuple[str, ...] = ()
    digest: str = ""
    licence: str | None = None
    source: str | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)
    given: GivenCases | None = None
    """Cases for the split ``given``; the interactions are then all training."""
    reviews: pa.Table | None = None
    """What users wrote of items, one row per review: ``user``, ``item``, ``rating``, ``text``, and where
    known ``author`` (name as written), ``positive`` and ``negative`` (lists of aspects praised, criticised),
    ``feature`` (the aspect it is mainly about), ``explanation`` (the sentence about that), ``names`` (list
    of the private persons it names)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Training:
    """What a model may learn from: the training part of a split and the catalogue, nothing later."""

    dataset: str
    users: Vocabulary
    items: Vocabulary
    interactions: Interactions
    item_table: pa.Table
    user_table: pa.Table
    seed: int
    digest: str
    """Identifies data and split; part of the key of every model that was trained on it."""
    future: Interactions | None = None
    """The held-out interactions. Only models with a planted leak are handed them; all others get None."""
    reviews: pa.Table | None = None
    """The reviews that go with training interactions; see :class:`Dataset`."""

    def histories(self) -> Ragged:
        """Items per user code, oldest first."""
        return Ragged.group(self.interactions.user, self.interactions.item, len(self.users))
