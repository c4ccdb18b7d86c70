"""Semantic ids: a short sequence of tokens for each item, made by residual k-means or brought by the data."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged
from genrec_eval.reference.lists import blocks

ROUNDS = 30
"""Most rounds of one k-means."""


@dataclass(frozen=True, kw_only=True)
class SemanticIds:
    """Token sequences of all items, all of one length.

    Attributes
    ----------
    tokens
        int32[n_items, length], numbers in ``names``.
    names
        What each token is written as.
    """

    tokens: Int32
    names: list[str]

    @cached_property
    def _groups(self) -> tuple[Int32, Int64]:
        """The distinct ids in lexicographic order, and the place of each item's id among them."""
        ids, place = np.unique(self.tokens, axis=0, return_inverse=True)
        return ids.astype(np.int32), place.reshape(-1)

    @property
    def ids(self) -> Int32:
        """int32[n_ids, length], the distinct ids in lexicographic order."""
        return self._groups[0]

    @property
    def id_of_item(self) -> Int64:
        """int64[n_items], the row of ``ids`` of each item."""
        return self._groups[1]

    @property
    def shared(self) -> np.ndarray:
        """bool[n_items], whether another item has the same id."""
        return np.bincount(self.id_of_item, minlength=len(self.ids))[self.id_of_item] > 1

    def items(self, order: Int64) -> Ragged:
        """The items of each id, sorted by ``order``, their place in some order."""
        ranked = np.argsort(order, kind="stable")
        return Ragged.group(self.id_of_item[ranked], ranked.astype(np.int32), len(self.ids))

    def numbered(self) -> SemanticIds:
        """Ids with one more token that tells items of the same id apart, in the order of the catalogue.

        As in TIGER: every id gets the token, also those that are unique. Ids that are all unique stay.
        """
        if not self.shared.any():
            return self
        order = np.argsort(self.id_of_item, kind="stable")
        counts = np.bincount(self.id_of_item)
        number = np.empty(len(order), np.int64)
        number[order] = np.arange(len(order)) - np.repeat(np.cumsum(counts) - counts, counts)
        made = [f"<{chr(ord('a') + self.tokens.shape[1])}_{value}>" for value in range(int(counts.max()))]
        last = (number + len(self.names)).astype(np.int32)
        return SemanticIds(tokens=np.column_stack([self.tokens, last]), names=[*self.names, *made])


def given_ids(training: Training) -> SemanticIds:
    """The ids of the column ``semantic_id`` of the item table.

    Raises
    ------
    UsageError
        When an item has no id or the ids differ in length.
    """
    items = training.item_table["item"].to_pylist()
    rows = training.item_table["semantic_id"].to_pylist()
    width = next((len(row) for row in rows if row), 0)
    for item, row in zip(items, rows, strict=True):
        if not row or len(row) != width or None in row:
            raise UsageError(
                f"the column 'semantic_id' gives item '{item}' {len(row or [])} tokens and other items"
                f" {width}; all need the same number, one at least; give them, or take ids: text"
            )
    names = sorted({token for row in rows for token in row})
    number = {name: place for place, name in enumerate(names)}
    tokens = np.array([[number[token] for token in row] for row in rows], np.int32)
    return SemanticIds(tokens=tokens.reshape(len(rows), width), names=names)


def residual_ids(vectors: Float64, levels: int, codes: int, seed: int) -> SemanticIds:
    """Residual quantisation by k-means: each level clusters what the levels before have left over.

    Parameters
    ----------
    vectors
        float64[n_items, d].
    codes
        Clusters per level; no more than there are distinct vectors.

    References
    ----------
    Rajput et al. (2023), Recommender systems with generative retrieval, NeurIPS: TIGER, with a residual
    autoencoder. Deng et al. (2025), OneRec: residual k-means in its place.

    >>> made = residual_ids(np.array([[0.0], [0.1], [5.0], [5.1], [5.1]]), 2, 2, seed=0)
    >>> [made.tokens[1].tolist() == row for row in made.tokens.tolist()], made.shared.tolist()
    ([False, True, False, False, False], [False, False, False, True, True])
    """
    left, tokens = vectors.copy(), []
    names: list[str] = []
    for level in range(levels):
        centres, nearest = k_means(left, codes, generator(seed, "semantic ids", level))
        left = left - centres[nearest]
        tokens.append(nearest + len(names))
        names += [f"<{chr(ord('a') + level)}_{code}>" for code in range(len(centres))]
    return SemanticIds(tokens=np.column_stack(tokens).astype(np.int32), names=names)


def k_means(vectors: Float64, codes: int, random: np.random.Generator) -> tuple[Float64, Int64]:
    """Lloyd's algorithm from a k-means++ start; an empty cluster moves to the worst fitted vector.

    Returns
    -------
    float64[k, d], int64[n]
        Centres, and the nearest one of each vector.
    """
    codes = min(codes, len(np.unique(vectors, axis=0)))
    centres = _spread_start(vectors, codes, random)
    nearest = np.full(len(vectors), -1, np.int64)
    for _ in range(ROUNDS):
        found, distance = _nearest(vectors, centres)
        counts = np.bincount(found, minlength=codes)
        empty = np.flatnonzero(counts == 0)
        if len(empty):  # ties in the distances of duplicates
            worst = np.argsort(-distance, kind="stable")[: len(empty)]
            found[worst] = empty
            counts = np.bincount(found, minlength=codes)
        if np.array_equal(found, nearest):
            break
        nearest = found
        sums = np.zeros_like(centres)
        np.add.at(sums, nearest, vectors)
        centres = np.where(counts[:, None] > 0, sums / np.maximum(counts, 1)[:, None], centres)
    return centres, _nearest(vectors, centres)[0]


def _spread_start(vectors: Float64, codes: int, random: np.random.Generator) -> Float64:
    chosen = [int(random.integers(len(vectors)))]
    distance = ((vectors - vectors[chosen[0]]) ** 2).sum(axis=1)
    while len(chosen) < codes:
        total = np.cumsum(distance)
        place = int(np.searchsorted(total, random.random() * total[-1], side="right"))
        chosen.append(min(place, len(vectors) - 1))
        distance = np.minimum(distance, ((vectors - vectors[chosen[-1]]) ** 2).sum(axis=1))
    return vectors[chosen]


def _nearest(vectors: Float64, centres: Float64) -> tuple[Int64, Float64]:
    found, distance = np.empty(len(vectors), np.int64), np.empty(len(vectors))
    own = (centres**2).sum(axis=1)
    for part in blocks(np.full(len(vectors), len(centres), np.int64)):
        apart = own - 2 * vectors[part] @ centres.T
        found[part] = apart.argmin(axis=1)
        distance[part] = apart.min(axis=1) + (vectors[part] ** 2).sum(axis=1)
    return found, distance
