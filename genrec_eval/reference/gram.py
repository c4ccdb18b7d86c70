"""Which items go together in how many histories, as a dense matrix that is known to fit into memory."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Int64
from genrec_eval.reference.dense import Floats
from genrec_eval.reference.lists import blocks

EXACT_ITEMS = 10_000
"""Up to this many items matrices are float64; beyond, float32 halves the memory and the time."""

_PANEL = 512
"""Rows that are eliminated at once."""
_WORKING = 512 * 2**20
"""Bytes for working arrays beside the matrix."""


def need(n_items: int) -> int:
    """Bytes that a dense model of so many items needs at its peak."""
    size = 8 if n_items <= EXACT_ITEMS else 4
    return n_items * n_items * size + 3 * _PANEL * n_items * size + _WORKING


def modelled(name: str, counts: Int64, memory: float, most_items: int | None) -> Int64:
    """The items that get weights, ascending: those with interactions, the most popular ones if limited.

    Parameters
    ----------
    name
        Of the model, for the sentence.
    counts
        int64[n_items], training interactions per item.
    memory
        Gigabytes (10^9 bytes) that the model may use.
    most_items
        Most items to model; None for all.

    Raises
    ------
    UsageError
        When the matrix would need more than ``memory``; nothing has been allocated then.
    """
    wanted = np.argsort(-counts, kind="stable")[: int(np.count_nonzero(counts))][:most_items]
    bytes_ = need(len(wanted))
    if bytes_ > memory * 1e9:
        fitting = len(wanted)
        while need(fitting) > memory * 1e9 and fitting > 1:
            fitting = fitting * 99 // 100
        advice = f" or most_items to {fitting} (the others are then ranked by popularity)"
        raise UsageError(
            f"reference model '{name}' would need {bytes_ / 1e9:,.1f} GB of memory for {len(wanted):,} items,"
            f" but may use {memory:,g} GB; set its option memory to {bytes_ / 1e9 + 0.05:.1f}"
            f"{advice if fitting > 1 else ''}"
        )
    return np.sort(wanted)


def gram(histories: Any) -> Floats:
    """How many histories hold both items; on the diagonal, how many hold the item.

    Parameters
    ----------
    histories
        scipy CSR array [n_users, n], 0 or 1.

    Returns
    -------
    float64 or float32[n, n]
    """
    n = histories.shape[1]
    kind = np.float64 if n <= EXACT_ITEMS else np.float32  # counts are exact up to 2^24 in both
    by_item = histories.T.tocsr()
    together = np.empty((n, n), kind)
    for part in blocks(np.full(n, 2 * n, np.int64)):
        together[part] = (by_item[part] @ histories).toarray()
    return together


def invert(matrix: Floats) -> None:
    """Invert a symmetric positive definite matrix in place, by blocked Gauss-Jordan elimination.

    Needs one panel of memory besides; a call of LAPACK would need two to three more matrices, and its
    32-bit indices end at some 40,000 items. Positive definite matrices need no pivoting.

    >>> found = np.array([[2.0, 1.0], [1.0, 2.0]])
    >>> invert(found)
    >>> (found * 3).round(12).tolist()
    [[2.0, -1.0], [-1.0, 2.0]]
    """
    n = len(matrix)
    for start in range(0, n, _PANEL):
        here = slice(start, min(start + _PANEL, n))
        pivot = np.linalg.inv(matrix[here, here].astype(np.float64)).astype(matrix.dtype)
        columns = matrix[:, here].copy()
        columns[here] = 0
        rows = pivot @ matrix[here]
        rows[:, here] = pivot
        matrix[:, here] = 0
        for first in range(0, n, _PANEL):
            stripe = slice(first, first + _PANEL)
            matrix[stripe] -= columns[stripe] @ rows
        matrix[here] = rows
