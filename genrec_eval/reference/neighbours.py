"""The arithmetic of ItemKNN: sparse, in blocks, and exact in integers."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse

from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.lists import (
    Bools,
    blocks,
    choose,
    first_unseen,
    known_pairs,
    level_blocks,
    ordered,
    shared_order,
)

if TYPE_CHECKING:
    from genrec_eval.reference.item_knn import ItemKNN

UNIT = 1 << 24
"""Similarities are integers in multiples of 1 / UNIT."""

_SEEN = -(1 << 50)
"""On the diagonal: pushes what is in the history below any sum of similarities."""


def neighbours(training: Training, most: int, shrinkage: float) -> Any:
    """Similarities of each item's nearest neighbours, with :data:`_SEEN` on the diagonal.

    Returns
    -------
    scipy CSR array, int64[n_items, n_items]
    """
    n = len(training.items)
    users, items = known_pairs(training.histories())
    matrix = sparse.csr_array((np.ones(len(users), np.int64), (users, items)), shape=(len(training.users), n))
    by_item = matrix.T.tocsr()
    counts = np.diff(by_item.indptr).astype(np.int64)
    roots = np.sqrt(counts.astype(np.float64))
    # Each row of the product touches at most the interactions of the users who have the item.
    work = by_item @ np.diff(matrix.indptr).astype(np.int64)
    parts = [np.empty((3, 0), np.int64)]
    for part in blocks(4 * np.minimum(work, n)):  # four working arrays of that size
        shared = by_item[part] @ matrix
        lengths = np.diff(shared.indptr)
        rows = np.repeat(np.arange(part.start, part.stop), lengths)
        cosines = shared.data / (roots[rows] * roots[shared.indices] + shrinkage)
        units = np.rint(cosines * UNIT).astype(np.int64)
        # One key per entry: the similarity decides, then the lower code.
        keys = units * n + (n - 1 - shared.indices)
        keys[(rows == shared.indices) | (units == 0)] = -1
        parts.append(_largest(keys, shared.indptr.astype(np.int64), most, part.start, n))
    diagonal = np.arange(n)
    rows, columns, units = np.concatenate([*parts, [diagonal, diagonal, np.full(n, _SEEN)]], axis=1)
    return sparse.csr_array((units, (rows, columns)), shape=(n, n))


def _largest(keys: Int64, starts: Int64, most: int, first: int, n: int) -> Int64:
    """Row, column and units of the ``most`` largest keys of each row, those below 0 left out."""
    kept = []
    for start, stop in itertools.pairwise(starts.tolist()):  # one step per item, not per user
        row = keys[start:stop]
        row = np.partition(row, -most)[-most:] if len(row) > most else row
        kept.append(row[row >= 0])
    rows = np.repeat(np.arange(first, first + len(kept)), [len(row) for row in kept])
    best = np.concatenate(kept)
    return np.stack([rows, n - 1 - best % n, best // n])


def recommend(model: ItemKNN, batch: RankBatch, width: int) -> tuple[Int32, Float64]:
    """Lists and scores of a batch.

    Returns
    -------
    int32[n, width], float64[n, width]
    """
    n_items = len(model.order)
    most = int(np.diff(model.similarity.indptr).max(initial=1))
    items = np.empty((len(batch), width), np.int32)
    scores = np.empty((len(batch), width), np.float64)
    for part in level_blocks(np.minimum((batch.history.lengths + 1) * most, n_items)):
        history = batch.history.take(part)
        rows, seen = known_pairs(history)
        n = len(history)
        sums = sparse.csr_array((np.ones(len(rows), np.int64), (rows, seen)), shape=(n, n_items))
        sums = sums @ model.similarity
        if batch.candidates is None:
            best, units = _best(sums, model.place, model.order, width)
            units[_fill_up(best, history, model.order)] = 0
        else:
            best, units = _best_candidates(
                sums, model.place, *choose(batch.candidates.take(part), history), n, width
            )
        items[part], scores[part] = best, units / UNIT
    return items, scores


def _best(sums: Any, place: Int64, order: Int32, width: int) -> tuple[Int32, Int64]:
    """Highest sums per row, ties by popularity; -1 where no positive sum is left."""
    n_rows, n_items = sums.shape
    # One key per entry: the sum decides, then the popularity; unique within a row.
    keys = np.where(sums.data > 0, sums.data * n_items + (n_items - 1 - place[sums.indices]), -1)
    lengths = np.diff(sums.indptr)
    widest = max(width, int(lengths.max(initial=0)))
    padded = np.full((n_rows, widest), -1, np.int64)
    padded[np.arange(widest) < lengths[:, None]] = keys
    if width < widest:
        padded = -np.partition(-padded, width - 1, axis=1)[:, :width]
    best = -np.sort(-padded, axis=1)
    found = best >= 0
    items = np.where(found, order[n_items - 1 - best % n_items], -1).astype(np.int32)
    return items, np.where(found, best // n_items, 0)


def _fill_up(best: Int32, history: Ragged, order: Int32) -> Bools:
    """Put popular items behind lists that are too short; bool mask of what was put."""
    empty = best < 0
    short = np.flatnonzero(empty[:, -1])
    if not len(short):
        return empty
    taken = history.take(short)
    lengths = taken.lengths + best.shape[1]
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    place = np.arange(best.shape[1])
    seen = np.empty(offsets[-1], np.int32)
    own = np.ones(len(seen), bool)
    behind = (offsets[1:] - best.shape[1])[:, None] + place
    seen[behind] = best[short]
    own[behind] = False
    seen[own] = taken.values
    popular = first_unseen(shared_order(order), Ragged(offsets, seen), len(order), best.shape[1])
    holes = empty[short]
    source = np.maximum(np.cumsum(holes, axis=1) - 1, 0)
    best[short] = np.where(holes, np.take_along_axis(popular, source, axis=1), best[short])
    return empty


def _best_candidates(
    sums: Any, place: Int64, rows: Int64, items: Int32, n: int, width: int
) -> tuple[Int32, Int64]:
    units = np.asarray(sums[rows, items]).ravel().astype(np.int64) if len(rows) else np.empty(0, np.int64)
    best, source = ordered(rows, items, (-units, place[items]), n, width)
    return best, np.append(units, 0)[source]
