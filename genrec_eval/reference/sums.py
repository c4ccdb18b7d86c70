"""Lists of models that score items by sparse sums: in blocks, and exact in integers."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse

from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.lists import (
    Bools,
    choose,
    first_unseen,
    known_pairs,
    level_blocks,
    ordered,
    shared_order,
)

if TYPE_CHECKING:
    from genrec_eval.reference.popularity import Popularity

UNIT = 1 << 24
"""Weights are integers in multiples of 1 / UNIT, so that sums are the same in any order."""

SEEN = -(1 << 50)
"""Pushes what is in the history below any sum of weights."""


def binary(lists: Ragged, n_items: int, times: int = 1) -> Any:
    """Who has what, as a sparse matrix.

    Returns
    -------
    scipy CSR array, int64[len(lists), n_items]
        ``times`` where the list holds the item.
    """
    rows, items = known_pairs(lists)
    return sparse.csr_array((np.full(len(rows), times, np.int64), (rows, items)), shape=(len(lists), n_items))


def sparse_lists(
    sums_of: Callable[[Int64], Any], cells: Int64, model: Popularity, batch: RankBatch, width: int
) -> tuple[Int32, Float64]:
    """Lists by highest sum, then popularity, then catalogue code.

    Scores carry the popularity as a fraction of 1 / UNIT, so they are equal only where the code decides.

    Parameters
    ----------
    sums_of
        Rows of the batch → scipy CSR array, int64[len(rows), n_items], in multiples of 1 / UNIT;
        negative for items of the row's history.
    cells
        int64[n], most entries that each row's sums can have.
    model
        Knows the popularity.
    batch
        What is asked.
    width
        Length of the lists.

    Returns
    -------
    int32[n, width], float64[n, width]
        -1 and 0 after the end of a list.
    """
    share = np.append(model.counts / (float(model.counts.max(initial=0)) + 1.0), 0.0)
    items = np.empty((len(batch), width), np.int32)
    scores = np.empty((len(batch), width), np.float64)
    for part in level_blocks(cells):
        sums, history = sums_of(part), batch.history.take(part)
        if batch.candidates is None:
            best, units = _best(sums, model.place, model.order, width)
            units[_fill_up(best, history, model.order)] = 0
        else:
            chosen = choose(batch.candidates.take(part), history)
            best, units = _best_candidates(sums, model.place, *chosen, len(part), width)
        items[part], scores[part] = best, (units + share[best]) / UNIT
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
