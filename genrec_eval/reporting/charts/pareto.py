"""Dominance between points with two values: who is at least as good on both and better on one."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt


def front(first: npt.ArrayLike, second: npt.ArrayLike) -> npt.NDArray[np.bool_]:
    """Points that no other one dominates, higher being better on both.

    Equal points do not dominate each other.

    Parameters
    ----------
    first, second
        float[n], finite.

    Returns
    -------
    numpy.ndarray
        bool[n].

    Examples
    --------
    >>> front([1, 2, 3, 2], [3, 2, 1, 1]).tolist()
    [True, True, True, False]
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    kept = np.zeros(len(a), bool)
    best = -np.inf
    # from the best of the first value down: only a new best of the second one is on the front
    for value in np.unique(a)[::-1]:
        at = np.flatnonzero(a == value)
        top = b[at].max()
        if top > best:
            kept[at[b[at] == top]] = True
            best = top
    return kept


def dominators(first: npt.ArrayLike, second: npt.ArrayLike) -> list[list[int]]:
    """Of each point, those that dominate it.

    >>> dominators([1, 2], [1, 1])
    [[1], []]
    """
    a, b = np.asarray(first, np.float64), np.asarray(second, np.float64)
    beats = (a[:, None] >= a) & (b[:, None] >= b) & ((a[:, None] > a) | (b[:, None] > b))
    return [np.flatnonzero(column).tolist() for column in beats.T]
