"""Lists of models that give every item a score: in blocks of users, and the same however users are grouped.

A matrix product may differ in its last bits with the shape of the matrices, and a difference in the last
bit decides ties. So scores are rounded to a grid before they are ordered, and :func:`exact_product` gives
products that have no rounding at all. Sums by :mod:`scipy.sparse` (``histories @ weights``) need neither:
each row is summed by itself, in the order of its entries.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.lists import Bools, blocks, choose, ordered, row_numbers, slice_rows

Floats = npt.NDArray[np.floating]
ScoreBlock = Callable[[Int64], Floats]
"""Rows of the batch → float[len(rows), n_items], a fresh array; -inf for what must not be listed."""

STEP = 2.0**-20
"""Scores that fall on the same multiple of this are equal; popularity then decides."""


def top_lists(
    score_block: ScoreBlock, batch: RankBatch, width: int, counts: Int64, *, step: float = STEP
) -> tuple[Int32, Float64]:
    """The best unseen items of each row, within its candidates where the batch names any.

    Ordered by score, then popularity, then catalogue code. The scores that are returned carry the
    popularity as a fraction of ``step``, so they are equal only where the code decides; a row whose
    scores are all the same (a user of whom nothing is known) gets the popular items.

    Parameters
    ----------
    score_block
        Gives the scores of consecutive rows. Row results must depend on the row alone, up to rounding
        errors far below ``step``.
    batch
        What is asked.
    width
        Length of the lists, at most the number of items.
    counts
        int64[n_items], training interactions per item.
    step
        Grid of the scores. Magnitudes up to 2^33 steps keep the fraction exact enough to order a million
        counts.

    Returns
    -------
    int32[n, width], float64[n, width]
        Items and scores; -1 and 0 after the end of a list.

    Raises
    ------
    UsageError
        When a score is not a number: the model has diverged.
    """
    items = np.full((len(batch), width), PAD, np.int32)
    scores = np.zeros((len(batch), width), np.float64)
    for part in blocks(np.full(len(batch), len(counts), np.int64)):
        keys = steps(score_block(np.arange(part.start, part.stop)), counts, step)
        history = slice_rows(batch.history, part)
        if batch.candidates is None:
            known = history.values >= 0
            keys[row_numbers(history)[known], history.values[known]] = -np.inf
            rows, found = largest(keys, width)
        else:
            rows, found = choose(slice_rows(batch.candidates, part), history)
            listed = keys[rows, found] > -np.inf
            rows, found = rows[listed], found[listed]
        best = keys[rows, found]
        items[part], source = ordered(rows, found, (-best, found), len(keys), width)
        scores[part] = np.append(best * step, 0.0)[source]
    return items, scores


def steps(raw: Floats, counts: Int64, step: float) -> Float64:
    """Scores in whole steps, plus the popularity as a fraction of one; may overwrite ``raw``."""
    keys = raw.astype(np.float64, copy=False)
    if np.isnan(keys.max(initial=-np.inf)):  # the maximum passes NaN on, and costs no array
        raise UsageError(
            "a reference model gives scores that are not numbers: its training has diverged;"
            " lower the learning rate or raise the regularisation in its options"
        )
    keys = np.divide(keys, step, out=keys)
    np.rint(keys, out=keys)
    keys += counts / (float(counts.max(initial=0)) + 1.0)
    return keys


def largest(keys: Float64, width: int) -> tuple[Int64, Int32]:
    """Row and column of the ``width`` largest keys of each row, sorted by row and column.

    Ties at the end of the list go to the lower columns; -inf is never taken.

    >>> [found.tolist() for found in largest(np.array([[1.0, 3.0, 1.0, 1.0], [0.0, -np.inf, 2.0, 1.0]]), 3)]
    [[0, 0, 0, 1, 1, 1], [0, 1, 2, 0, 2, 3]]
    """
    n = keys.shape[1]
    edge = np.partition(keys, n - width, axis=1)[:, n - width, None]
    inside: Bools = (keys >= edge) & (keys > -np.inf)
    # argpartition would pick any of those tied at the edge
    crowded = np.flatnonzero(inside.sum(axis=1) > width)
    if len(crowded):
        equal = keys[crowded] == edge[crowded]
        above = inside[crowded] & ~equal
        room = width - above.sum(axis=1, keepdims=True)
        inside[crowded] = above | (equal & (np.cumsum(equal, axis=1) <= room))
    rows, columns = np.nonzero(inside)
    return rows, columns.astype(np.int32)


def exact_product(left: Floats, right: Floats) -> Float64:
    """``left @ right.T`` of factors that are first rounded so far that no sum needs rounding.

    Every product of two entries is a whole multiple of one unit and every sum of them stays below 2^53
    units, so the order of summation, and with it the shape of the block, cannot matter. Factors keep
    about 23 bits for 64 dimensions, as in float32; rows of ``left`` are scaled by themselves.

    Parameters
    ----------
    left
        float[n, d]
    right
        float[m, d]

    Returns
    -------
    float64[n, m]
    """
    dimensions = left.shape[1]
    bits = (53 - math.ceil(math.log2(max(dimensions, 1)))) // 2
    top = np.abs(left).max(axis=1, keepdims=True, initial=0.0)
    return _rounded(left, top, bits) @ _rounded(right, np.abs(right).max(initial=0.0), bits).T


def _rounded(values: Floats, top: npt.ArrayLike, bits: int) -> Float64:
    """Values as multiples of 2^-bits of the power of two above ``top``."""
    unit = np.ldexp(1.0, np.frexp(np.asarray(top, np.float64))[1] - bits)
    rounded: Float64 = np.rint(values / unit) * unit
    return rounded
