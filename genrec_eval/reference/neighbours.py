"""Nearest neighbours among items and among users: sparse, in blocks, and exact in integers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse

from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32, Int64
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.lists import blocks
from genrec_eval.reference.sums import SEEN, UNIT, binary, sparse_lists

if TYPE_CHECKING:
    from genrec_eval.reference.item_knn import ItemKNNOptions, ItemSimilarity
    from genrec_eval.reference.user_knn import UserKNN


def neighbours(training: Training, options: ItemKNNOptions) -> Any:
    """Similarities of each item's nearest neighbours, with ``SEEN`` on the diagonal.

    Returns
    -------
    scipy CSR array, int64[n_items, n_items]
        Column j holds the neighbours of j.
    """
    n = len(training.items)
    matrix = binary(training.histories(), n)
    weights = None
    if options.weighting == "idf":
        weights = np.log((1 + n) / (1 + np.diff(matrix.indptr)))
    found = nearest_items(matrix, options.neighbours, options.shrinkage, weights)
    diagonal = np.arange(n)
    columns, rows, units = np.concatenate([found, [diagonal, diagonal, np.full(n, SEEN)]], axis=1)
    return sparse.csr_array((units, (rows, columns)), shape=(n, n))


def nearest_items(matrix: Any, most: int, shrinkage: float, weights: Float64 | None = None) -> Int64:
    """The ``most`` most similar other items of each item, those without anything in common left out.

    Parameters
    ----------
    matrix
        scipy CSR array, int64[n_users, n_items], 0 or 1.
    weights
        float64[n_users], what a user's interactions weigh instead of 1.

    Returns
    -------
    int64[3, m]
        Item, neighbour, and their cosine with shrinkage in multiples of 1 / UNIT.
    """
    n = matrix.shape[1]
    by_item = matrix.T.tocsr()
    if weights is not None:
        by_item = by_item @ sparse.diags_array(weights * weights)
    roots = np.sqrt(by_item.sum(axis=1).astype(np.float64))
    # Each row of the product touches at most the interactions of the users who have the item.
    work = matrix.T @ np.diff(matrix.indptr).astype(np.int64)
    parts = [np.empty((3, 0), np.int64)]
    for part in blocks(4 * np.minimum(work, n)):  # four working arrays of that size
        shared = by_item[part] @ matrix
        lengths = np.diff(shared.indptr)
        rows = np.repeat(np.arange(part.start, part.stop), lengths)
        units = _cosines(shared, roots[rows], roots, shrinkage)
        # One key per entry: the similarity decides, then the lower code.
        keys = units * n + (n - 1 - shared.indices)
        keys[(rows == shared.indices) | (units == 0)] = -1
        parts.append(_nearest(keys, shared.indptr.astype(np.int64), most, part.start, n))
    return np.concatenate(parts, axis=1)


def by_items(model: ItemSimilarity, batch: RankBatch, width: int) -> tuple[Int32, Float64]:
    """Lists by the summed weights of the items of each history.

    Returns
    -------
    int32[n, width], float64[n, width]
    """
    n = len(model.order)
    widest = int(np.diff(model.similarity.indptr).max(initial=1))
    return sparse_lists(
        lambda part: binary(batch.history.take(part), n) @ model.similarity,
        np.minimum((batch.history.lengths + 1) * widest, n),
        model,
        batch,
        width,
    )


def by_users(model: UserKNN, batch: RankBatch, width: int) -> tuple[Int32, Float64]:
    """Lists by the summed similarities of each history's nearest training users.

    Returns
    -------
    int32[n, width], float64[n, width]
    """
    most, shrinkage = model.options.neighbours, model.options.shrinkage
    others = model.histories
    n_users, n = others.shape
    by_item = others.T.tocsr()
    roots = np.sqrt(np.diff(others.indptr).astype(np.float64))
    popular = np.diff(by_item.indptr).astype(np.int64)

    def sums(part: Int64) -> Any:
        own = binary(batch.history.take(part), n)
        shared = own @ by_item
        lengths = np.diff(shared.indptr)
        rows = np.repeat(np.arange(len(part)), lengths)
        units = _cosines(shared, np.sqrt(np.diff(own.indptr).astype(np.float64))[rows], roots, shrinkage)
        keys = units * n_users + (n_users - 1 - shared.indices)
        keys[(batch.user_codes[part][rows] == shared.indices) | (units == 0)] = -1
        rows, users, units = _nearest(keys, shared.indptr.astype(np.int64), most, 0, n_users)
        near = sparse.csr_array((units, (rows, users)), shape=(len(part), n_users))
        return near @ others + own * SEEN

    work = binary(batch.history, n) @ popular
    return sparse_lists(sums, 4 * np.minimum(work, n_users) + n, model, batch, width)


def _cosines(shared: Any, own: Float64, roots: Float64, shrinkage: float) -> Int64:
    """Cosine with shrinkage of every entry of ``shared``, in multiples of 1 / UNIT."""
    return np.rint(shared.data / (own * roots[shared.indices] + shrinkage) * UNIT).astype(np.int64)


def _nearest(keys: Int64, starts: Int64, most: int, first: int, n: int) -> Int64:
    """Row, column and units of the ``most`` largest keys of each row, those below 0 left out."""
    kept = []
    for start, stop in itertools.pairwise(starts.tolist()):  # much faster than one sort of all
        row = keys[start:stop]
        row = np.partition(row, -most)[-most:] if len(row) > most else row
        kept.append(row[row >= 0])
    rows = np.repeat(np.arange(first, first + len(kept)), [len(row) for row in kept])
    best = np.concatenate([np.empty(0, np.int64), *kept])
    return np.stack([rows, n - 1 - best % n, best // n])
