"""Sets of (user, item) pairs as arrays: membership and first occurrence without a Python object each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import Int64, Ragged, stable_order

_ODD = np.uint64(0x9E3779B97F4A7C15)
_BLOCK = 1 << 20
_MOST_BITS = 28  # of the table: 256 MB


def keys(rows: npt.NDArray[np.integer], columns: npt.NDArray[np.integer], width: int) -> Int64:
    """One int64 per pair: ``row * width + column``."""
    return rows.astype(np.int64) * width + columns


def keys_of(lists: Ragged, width: int, rows: npt.NDArray[np.integer] | None = None) -> Int64:
    """Keys of all entries of ``lists``; list ``i`` stands for row ``i``, or for ``rows[i]``."""
    owner = np.arange(len(lists)) if rows is None else rows.astype(np.int64)
    return keys(np.repeat(owner, lists.lengths), lists.values, width)


def first_of_each(values: Int64) -> Int64:
    """Positions at which a value appears for the first time, ascending.

    >>> first_of_each(np.array([7, 3, 7, 3, 5])).tolist()
    [0, 1, 4]
    """
    order = stable_order(values)
    ordered = values[order]
    first = order[np.append(True, ordered[1:] != ordered[:-1])[: len(order)]]
    first.sort()
    return first


def found_in(needles: Int64, haystack: Int64) -> npt.NDArray[np.bool_]:
    """Which ``needles`` are in ``haystack``: bool[len(needles)].

    Each side is sieved by a table of the other's hashes first, so that only few are sorted and searched.

    >>> found_in(np.array([1, 5, 5]), np.array([5, 9])).tolist()
    [False, True, True]
    """
    found = np.zeros(len(needles), bool)
    if not len(needles) or not len(haystack):
        return found
    left = haystack[_sieve(haystack, needles)]
    if not len(left):
        return found
    asked = np.flatnonzero(_sieve(needles, left))
    asked = asked[stable_order(needles[asked])]  # in order, a search finds its place in the cache
    left.sort()
    sought = needles[asked]
    found[asked] = left[np.minimum(np.searchsorted(left, sought), len(left) - 1)] == sought
    return found


def _sieve(values: Int64, others: Int64) -> npt.NDArray[np.bool_]:
    """True for all ``values`` that are among ``others``, and for a few more."""
    shift = np.uint64(64 - min(_MOST_BITS, max(10, (8 * len(others)).bit_length())))
    table = np.zeros(1 << (64 - int(shift)), bool)
    for block in _blocks(others):
        table[_hash(block, shift)] = True
    return np.concatenate([table[_hash(block, shift)] for block in _blocks(values)])


def _hash(values: Int64, shift: np.uint64) -> npt.NDArray[np.uint64]:
    return (values.view(np.uint64) * _ODD) >> shift


def _blocks(values: Int64) -> Iterator[Int64]:
    return (values[start : start + _BLOCK] for start in range(0, len(values), _BLOCK))
