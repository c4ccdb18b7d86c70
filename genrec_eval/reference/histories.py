"""Histories as matrices that end with the latest item, and cut for training."""

from __future__ import annotations

import numpy as np

from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged
from genrec_eval.reference.lists import row_numbers


class Known:
    """The items that were trained on, numbered from 0 for a network that knows no others.

    Parameters
    ----------
    counts
        int64[n_items], training interactions per item.
    """

    def __init__(self, counts: Int64) -> None:
        self.n_items = len(counts)
        self.items = np.flatnonzero(counts > 0)
        self._numbers = np.full(len(counts), -1, np.int32)
        self._numbers[self.items] = np.arange(len(self.items))

    def __len__(self) -> int:
        return len(self.items)

    def renumber(self, histories: Ragged) -> Ragged:
        """Histories in the numbers of the network, without the items that it does not know."""
        known = histories.values >= 0
        known[known] = self._numbers[histories.values[known]] >= 0
        numbers = self._numbers[histories.values[known]]
        return Ragged.group(row_numbers(histories)[known], numbers, len(histories))

    def spread(self, scores: Float64) -> Float64:
        """float64[n, n_items] from float64[n, len(self)]: items that were not trained on come last."""
        found = np.repeat(scores.min(axis=1, keepdims=True) - 1.0, self.n_items, axis=1)
        found[:, self.items] = scores
        return found


def known_only(histories: Ragged) -> Ragged:
    """Histories without items outside the catalogue."""
    known = histories.values >= 0
    return Ragged.group(row_numbers(histories)[known], histories.values[known], len(histories))


def latest(histories: Ragged, width: int) -> Int32:
    """int32[n, width], the latest items of each history, the last at the end; -1 before the first."""
    place = np.arange(-width, 0) + histories.offsets[1:, None]
    inside = place >= histories.offsets[:-1, None]
    return np.where(inside, np.append(histories.values, np.int32(-1))[np.where(inside, place, -1)], -1)


def windows(histories: Ragged, width: int) -> tuple[Int64, Int32]:
    """Cut histories into windows that overlap by one item, from the latest backwards.

    Every item but the first of a history is foreseen exactly once. Histories of one item give none.

    Returns
    -------
    int64[m], int32[m, width]
        The history of each window, and its items; -1 before the first.

    >>> rows, cut = windows(Ragged.from_lists([[1, 2, 3, 4, 5], [6], [7, 8]]), 3)
    >>> rows.tolist(), cut.tolist()
    ([0, 0, 2], [[3, 4, 5], [1, 2, 3], [-1, 7, 8]])
    """
    steps = width - 1
    counts = np.maximum(-(-(histories.lengths - 1) // steps), 0)
    rows = np.repeat(np.arange(len(histories)), counts)
    back = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    stops = histories.offsets[1:][rows] - back * steps
    starts = np.maximum(stops - width, histories.offsets[:-1][rows])
    lengths = stops - starts
    offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    source = np.repeat(starts - offsets[:-1], lengths) + np.arange(offsets[-1])
    return rows, latest(Ragged(offsets, histories.values[source]), width)
