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

    A sweep over all coordinates is followed by sweeps over those that are not 0, which are few, until a
    sweep over all of them moves nothing.

    Parameters
    ----------
    together
        float[n, k, k], Gram matrix of the k columns of each problem.
    shared
        float[n, k], their products with the target.
    l1, l2
        Penalties.
    sweeps
        Most sweeps over all coordinates, and most over the few after each of them.

    Returns
    -------
    float64[n, k]
        The problems do not influence each other.
    """
    found = np.zeros(shared.shape)
    moving = np.arange(len(shared))
    gathered, targets = together.astype(np.float64), shared.astype(np.float64) - l1
    for _ in range(sweeps):
        moved = _sweep(gathered, targets, l2, found, moving)
        going = moved >= _STILL
        moving, gathered, targets = moving[going], gathered[going], targets[going]
        if not len(moving):
            break
        found[moving] = _among_few(gathered, targets, l2, found[moving], sweeps)
    return found


def _among_few(gathered: Float64, targets: Float64, l2: float, current: Float64, sweeps: int) -> Float64:
    """Descend in the coordinates that are not 0; the others stay 0."""
    few = current > 0
    # a multiple of 16, so that the width, which is that of the fullest problem, changes no rounding
    width = min(-(-int(few.sum(axis=1).max()) // 16) * 16, current.shape[1])
    chosen = np.argsort(~few, axis=1, kind="stable")[:, :width]
    rows = np.arange(len(current))[:, None]
    inner = np.where(few[rows, chosen], targets[rows, chosen], -np.inf)  # -inf keeps what fills up at 0
    few_gram, found = (
        gathered[rows[:, :, None], chosen[:, :, None], chosen[:, None, :]],
        current[rows, chosen],
    )
    moving = np.arange(len(found))
    for _ in range(sweeps):
        going = _sweep(few_gram, inner, l2, found, moving) >= _STILL
        moving, few_gram, inner = moving[going], few_gram[going], inner[going]
        if not len(moving):
            break
    current[rows, chosen] = found
    return current


def _sweep(gathered: Float64, targets: Float64, l2: float, found: Float64, rows: Int64) -> Float64:
    """Set each coordinate of ``found[rows]`` in turn; how far the one that moved most has moved, per row."""
    current = found[rows]
    before = current.copy()
    for i in range(current.shape[1]):
        own = gathered[:, i, i]
        others = np.einsum("nk,nk->n", gathered[:, i], current) - own * current[:, i]
        current[:, i] = np.maximum(targets[:, i] - others, 0.0) / (own + l2)
    found[rows] = current
    moved: Float64 = np.abs(current - before).max(axis=1, initial=0.0)
    return moved
