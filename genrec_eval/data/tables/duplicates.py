"""Rows that say the same twice."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.data.dataset import Float32
from genrec_eval.protocol.arrays import Int32, Int64, distinct_of, stable_order

_MIX, _MIX_TOO = np.int64(0x1E3779B97F4A7C15), np.int64(0x2545F4914F6CDD1D)


@dataclass(frozen=True, slots=True)
class Duplicates:
    """How many rows were dropped, how many of them with another rating, and two pairs of source rows."""

    count: int
    conflicting: int
    examples: list[tuple[int, int]]


def duplicates(
    user: Int32, item: Int32, timestamp: Int64 | None, rating: Float32 | None, order: Int64
) -> tuple[npt.NDArray[np.bool_], Duplicates]:
    """Which entries of ``order`` to keep: the first of each (user, item, timestamp)."""
    keep = np.ones(len(order), bool)
    if not len(order):
        return keep, Duplicates(0, 0, [])
    pair = user.astype(np.int64) * (int(item.max()) + 1) + item
    # equal rows have equal marks and few others do: only rows whose mark comes twice are looked at
    mark = pair if timestamp is None else (pair * _MIX) ^ (timestamp * _MIX_TOO)
    ordered = np.sort(mark)
    twice = distinct_of(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return keep, Duplicates(0, 0, [])
    mark = mark[order]
    suspects = np.flatnonzero(twice[np.minimum(np.searchsorted(twice, mark), len(twice) - 1)] == mark)
    pair = pair[order][suspects]
    by_pair = stable_order(pair)  # within a pair by time, then by source position
    same = pair[by_pair][1:] == pair[by_pair][:-1]
    if timestamp is not None:
        when = timestamp[order][suspects][by_pair]
        same &= when[1:] == when[:-1]
    by_pair = suspects[by_pair]
    again = by_pair[1:][same]
    keep[again] = False
    if not len(again):
        return keep, Duplicates(0, 0, [])
    starts = np.append(True, ~same)
    first = by_pair[np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))][1:][same]
    originals, copies = order[first], order[again]
    conflicting = 0 if rating is None else int((rating[originals] != rating[copies]).sum())
    shown = np.argsort(copies, kind="stable")[:2]
    examples = [(int(originals[i]), int(copies[i])) for i in shown]
    return keep, Duplicates(len(again), conflicting, examples)
