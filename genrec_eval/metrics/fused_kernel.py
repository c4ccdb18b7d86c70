"""The loop that numba compiles: many metrics of each list in one pass over it."""

from __future__ import annotations

from typing import Any

import numpy as np

HITS, ANY, FIRST, PRECISIONS, EARLY, GAINS = range(6)
"""What is found up to a cutoff: hits, whether any, 1 / rank of the first, precision at each hit summed, hits
among as many first slots as the user has relevant items, and, one row a discount, discounted hits."""

WHOLE, BY_LENGTH, BY_HITS = range(3)
"""What bounds the possible: nothing, the length of the list, or what was found."""


def score_rows(
    items: Any,
    offsets: Any,
    truth: Any,
    lengths: Any,
    rows: Any,
    stamps: Any,
    cutoffs: Any,
    weights: Any,
    kinds: Any,
    places: Any,
    limits: Any,
    possible: Any,
    out: Any,
) -> None:
    """Fill ``out[:, rows[0]:rows[1]]``; plain Python that numba takes as it is.

    Parameters
    ----------
    items, offsets, truth, lengths
        int32[n, width], int64[n + 1], int32, int64[n]: as in
        :class:`~genrec_eval.metrics.lists.RankedLists`. Nothing is checked here.
    stamps
        uint8[n_items + 1], all 0, and left so.
    cutoffs
        int64[c], ascending.
    weights
        float64[d, width], discounts of each rank.
    kinds, places, limits
        int64[m]: what each metric's numerator is, at which cutoff, and what bounds its denominator.
    possible
        float64[m, r], the denominators by the number of relevant items.
    out
        float64[m, n].
    """
    width, last, ways = items.shape[1], cutoffs.shape[0], weights.shape[0]
    slots = np.empty(width + 1, np.int64)
    found = np.zeros((GAINS + ways, last))
    gains = np.zeros(ways)
    for row in range(rows[0], rows[1]):
        start, stop = offsets[row], offsets[row + 1]
        relevant = stop - start
        for place in range(start, stop):
            if truth[place] >= 0:
                stamps[truth[place] + 1] = 1
        marked = 0
        for slot in range(width):  # without a branch: a processor cannot foresee the hits
            slots[marked] = slot
            marked += stamps[max(items[row, slot], -1) + 1]
        cut, hits, early, first, precisions = 0, 0, 0, 0.0, 0.0
        for way in range(ways):
            gains[way] = 0.0
        for mark in range(marked + 1):
            slot = slots[mark] if mark < marked else cutoffs[last - 1]
            while cut < last and slot >= cutoffs[cut]:
                found[HITS, cut] = hits
                found[ANY, cut] = min(hits, 1)
                found[FIRST, cut] = first
                found[PRECISIONS, cut] = precisions
                for way in range(ways):
                    found[GAINS + way, cut] = gains[way]
                cut += 1
            if mark == marked or stamps[items[row, slot] + 1] == 0:
                continue  # a repeat: its stamp was wiped at the first
            stamps[items[row, slot] + 1] = 0
            hits += 1
            if hits == 1:
                first = 1.0 / (slot + 1)
            if slot < relevant:
                early += 1
            precisions += hits / (slot + 1)
            for way in range(ways):
                gains[way] += weights[way, slot]
        for cut in range(last):
            found[EARLY, cut] = early
        for place in range(start, stop):
            if truth[place] >= 0:
                stamps[truth[place] + 1] = 0
        for metric in range(out.shape[0]):
            below = possible[metric, relevant]
            if limits[metric] == BY_LENGTH:
                below = min(below, float(lengths[row]))
            elif limits[metric] == BY_HITS:
                below = found[HITS, places[metric]]
            above = found[kinds[metric], places[metric]]
            out[metric, row] = above / below if below > 0 else 0.0
