"""How different the items of one list are from each other."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import blocks, ratio, required, top_of
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged


@define(
    Definition(
        name="ild",
        title="Intra-list diversity",
        summary="Mean distance between the items of a list.",
        formula=(
            "mean over pairs of the first k slots of d(i, j); of=attributes: 1 - |A_i ∩ A_j| / |A_i ∪ A_j|"
            " (Jaccard); of=embeddings: 1 - cosine"
        ),
        degenerate=(
            "Unknown ids and items without attributes (or with an embedding of zeros) are left out; a"
            " repeated item is at distance 0 from itself. Users without an answer (unanswered), with an"
            " empty list (empty-list) or with fewer than two items left (one-item) are excluded and counted."
        ),
        source="Smyth & McClave 2001, Ziegler et al. 2005; RecTools and RecPack, over k (k - 1) / 2 pairs.",
        direction="none",
        bounds=(0.0, 2.0),
        traps=(
            "Libraries disagree on a list of one item: 0 in RecPack and RecTools, none here. recommenders'"
            " diversity is of=embeddings with who-has-what as embedding."
        ),
        parameters={"of": ("attributes", ("attributes", "embeddings"))},
        meanings={"of": "what items are compared by"},
        needs=("of",),
    )
)
def ild(lists: RankedLists, *, k: int, of: str) -> UnitScores:
    """Mean pairwise distance of the first ``k``."""
    if of == "embeddings":
        required(lists.catalogue.embeddings, "embeddings", "ild(of=embeddings)")
        total, number = _cosine(lists.items, k, lists.catalogue)
    else:
        attributes = required(lists.catalogue.attributes, "attributes", "ild")
        total, number = _jaccard(lists.items, k, attributes, len(lists.catalogue.attribute_names))
    pairs = number * (number - 1) // 2
    return ratio(lists, total, pairs, "one-item")


def _cosine(items: Int32, k: int, catalogue: Catalogue) -> tuple[Float64, Int64]:
    """Sum of distances over each list's pairs, and its number of items with an embedding."""
    assert catalogue.embeddings is not None
    exists = np.append(catalogue.embedded, False)
    total, number = np.zeros(len(items)), np.zeros(len(items), np.int64)
    for rows in blocks(len(items), min(k, items.shape[1]) * max(catalogue.embeddings.shape[1], 1)):
        top = top_of(items[rows], k)
        together = catalogue.directions(top).sum(axis=1)
        count = np.count_nonzero(exists[top], axis=1)
        # |sum of m unit vectors|² is m plus twice the sum of the cosines of all pairs
        cosines = ((together * together).sum(axis=1) - count) / 2
        total[rows] = np.maximum(count * (count - 1) / 2 - cosines, 0.0)
        number[rows] = count
    return total, number


def _jaccard(items: Int32, k: int, attributes: Ragged, n_attributes: int) -> tuple[Float64, Int64]:
    """Sum of distances over each list's pairs, and its number of items with attributes."""
    width = min(k, items.shape[1])
    total, number = np.zeros(len(items)), np.zeros(len(items), np.int64)
    n_attributes = max(n_attributes, int(attributes.values.max(initial=-1)) + 1)
    sizes = np.append(attributes.lengths, 0)
    for rows in blocks(len(items), width * max(width, n_attributes)):
        top = top_of(items[rows], k)
        count = np.count_nonzero(sizes[top], axis=1)
        number[rows] = count
        if not count.any():
            continue
        has = _indicators(top, attributes, n_attributes)
        both = (has @ has.transpose(0, 2, 1)).astype(np.float64)  # whole numbers below 2^24: exact in float32
        size = sizes[top].astype(np.float64)
        either = size[:, :, None] + size[:, None, :] - both
        alike = np.divide(both, either, out=np.zeros_like(both), where=either > 0)
        same = alike.sum(axis=(1, 2)) - count  # each item is like itself
        total[rows] = np.maximum(count * (count - 1) / 2 - same / 2, 0.0)
    return total, number


def _indicators(top: Int32, attributes: Ragged, n_attributes: int) -> np.ndarray:
    """float32[m, k, attributes], whether the item of each slot has each attribute."""
    slots = np.flatnonzero(top.ravel() >= 0)
    of = attributes.take(top.ravel()[slots].astype(np.int64))
    has = np.zeros((top.size, n_attributes), np.float32)
    has[np.repeat(slots, of.lengths), of.values] = 1.0
    return has.reshape(*top.shape, n_attributes)
