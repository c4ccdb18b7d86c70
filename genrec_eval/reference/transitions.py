"""The arithmetic of the Markov chain."""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.sparse as sparse

from genrec_eval.protocol.arrays import PAD, Float64, Int32, Ragged
from genrec_eval.reference.lists import row_numbers


def count(histories: Ragged, n_items: int, window: int) -> Any:
    """What followed each item: scipy float64 CSR [n_items, n_items].

    >>> count(Ragged.from_lists([[0, 1, 2], [0, 1]]), 3, 2).toarray()
    array([[0. , 2. , 0.5],
           [0. , 0. , 1. ],
           [0. , 0. , 0. ]])
    """
    rows, items = row_numbers(histories), histories.values
    total = sparse.csr_array((n_items, n_items), dtype=np.float64)
    for gap in range(1, min(window, int(histories.lengths.max(initial=0))) + 1):
        before, after = items[:-gap], items[gap:]
        real = (rows[:-gap] == rows[gap:]) & (before != after)
        weights = np.full(int(real.sum()), 1.0 / gap)
        total = total + sparse.csr_array((weights, (before[real], after[real])), shape=total.shape)
    total.sum_duplicates()
    return total


def last_items(history: Ragged) -> Int32:
    """int32[n], the last item of each history that is in the catalogue; -1 where there is none.

    >>> last_items(Ragged.from_lists([[3, 5, -1], [], [2]])).tolist()
    [5, -1, 2]
    """
    last = np.full(len(history), PAD, np.int32)
    known = np.flatnonzero(history.values >= 0)
    last[row_numbers(history)[known]] = history.values[known]  # the last assignment of a row stays
    return last


def probabilities(last: Int32, transitions: Any, popularity: Float64, smoothing: float) -> Float64:
    """float64[n, n_items], the smoothed probability of each item to come next."""
    seen = np.maximum(last, 0)
    counts = np.where(last >= 0, np.asarray(transitions.sum(axis=1)).ravel()[seen], 0.0)
    made = np.multiply.outer(smoothing / (counts + smoothing), popularity)
    known = np.flatnonzero(last >= 0)
    followed = transitions[last[known]].tocoo()
    rows = known[followed.row]
    made[rows, followed.col] += followed.data / (counts[rows] + smoothing)
    return made
