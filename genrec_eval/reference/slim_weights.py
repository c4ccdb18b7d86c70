"""The arithmetic of SLIM: coordinate descent on the Gram matrix, for a block of items at a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import scipy.sparse as sparse

from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.reference.dense import Floats
from genrec_eval.reference.gram import gram
from genrec_eval.reference.lists import blocks
from genrec_eval.reference.neighbours import nearest_items
from genrec_eval.reference.sums import SEEN, UNIT, binary

if TYPE_CHECKING:
    from genrec_eval.reference.slim import SLIMOptions

_STILL = 1e-5
"""A column whose weights all move by less than this has converged."""


def weights(training: Training, items: Int64, options: SLIMOptions) -> Any:
    """Weights between all items, with ``SEEN`` on the diagonal.

    Parameters
    ----------
    training
        What to learn from.
    items
        int64[m], codes of the items to model.

    Returns
    -------
    scipy CSR array, int64[n_items, n_items]
        Row i, column j: how much i in the history adds to the score of j, in multiples of 1 / UNIT.
    """
    n = len(training.items)
    histories = binary(training.histories(), n)[:, items]
    target, near, _ = nearest_items(histories, options.neighbours, 0.0)
    together = gram(histories)
    free = _padded(target, near, len(items))
    found = np.zeros(free.shape)
    for part in blocks(np.full(len(items), free.shape[1] ** 2, np.int64)):
        chosen = free[part]
        # an empty slot (-1) has no entries in common with the target, so its weight stays 0
        shared = np.where(chosen >= 0, together[np.arange(part.start, part.stop)[:, None], chosen], 0.0)
        gathered = together[chosen[:, :, None], chosen[:, None, :]]
        found[part] = descend(gathered, shared, options.l1, options.l2, options.sweeps)
    units = np.rint(found * UNIT).astype(np.int64)
    columns, slots = np.nonzero(units)
    everything = np.arange(n)
    return sparse.csr_array(
        (
            np.concatenate([units[columns, slots], np.full(n, SEEN)]),
            (
                np.concatenate([items[free[columns, slots]], everything]),
                np.concatenate([items[columns], everything]),
            ),
        ),
        shape=(n, n),
    )


def _padded(rows: Int64, values: Int64, n: int) -> Int64:
    """int64[n, most], the values of each row, -1 behind them."""
    counts = np.bincount(rows, minlength=n)
    order = np.argsort(rows, kind="stable")
    place = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    padded = np.full((n, max(int(counts.max(initial=0)), 1)), -1, np.int64)
    padded[rows[order], place] = values[order]
    return padded


def descend(together: Floats, shared: Floats, l1: float, l2: float, sweeps: int) -> Float64:
    """Cyclic coordinate descent for n non-negative elastic nets at once.

    Parameters
    ----------
    together
        float[n, k, k], Gram matrix of the k columns of each problem.
    shared
        float[n, k], their products with the target.
    l1, l2
        Penalties.
    sweeps
        Most rounds.

    Returns
    -------
    float64[n, k]
        Each row depends on its own problem alone, to the last bit.
    """
    n, k = shared.shape
    found = np.zeros((n, k))
    moving = np.arange(n)
    gathered, targets = together.astype(np.float64), shared.astype(np.float64)
    scale = np.einsum("nkk->nk", gathered) + l2
    for _ in range(sweeps):
        if not len(moving):
            break
        current = found[moving]
        before = current.copy()
        for i in range(k):
            others = np.einsum("nk,nk->n", gathered[:, i], current) - gathered[:, i, i] * current[:, i]
            current[:, i] = np.maximum(targets[:, i] - others - l1, 0.0) / scale[:, i]
        found[moving] = current
        still = np.abs(current - before).max(axis=1) < _STILL
        if still.any():
            moving, gathered = moving[~still], gathered[~still]
            targets, scale = targets[~still], scale[~still]
    return found
