"""What is known of items from interactions: how often they were chosen, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Int64

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Interactions

NEVER = np.iinfo(np.int64).max
"""First time of an item that no interaction holds."""


def item_counts(interactions: Interactions, items: int) -> Int64:
    """int64[items], the number of interactions with each item."""
    return np.bincount(interactions.item, minlength=items).astype(np.int64, copy=False)


def first_seen(interactions: Interactions, items: int) -> Int64 | None:
    """int64[items], Unix seconds of the first interaction with each item; :data:`NEVER` without one.

    None when the interactions have no times.
    """
    when = interactions.timestamp
    return None if when is None else earliest(interactions.item, when, items)


def earliest(groups: npt.NDArray[np.integer], when: Int64, n: int) -> Int64:
    """int64[n], the earliest time of each group; :data:`NEVER` without one. ``when`` is ascending.

    >>> earliest(np.array([1, 0, 1]), np.array([3, 4, 9]), 2).tolist()
    [4, 3]
    """
    first = np.full(n, NEVER, np.int64)
    first[groups[::-1]] = when[::-1]  # of a repeated index the last value stays
    return first


def latest(groups: npt.NDArray[np.integer], when: Int64, n: int) -> Int64:
    """int64[n], the latest time of each group; the smallest int64 without one. ``when`` is ascending.

    >>> latest(np.array([1, 0, 1]), np.array([3, 4, 9]), 2).tolist()
    [4, 9]
    """
    last = np.full(n, np.iinfo(np.int64).min, np.int64)
    last[groups] = when
    return last
