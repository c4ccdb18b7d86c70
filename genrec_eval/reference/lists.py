"""Columnar list making that reference models share: skip what is seen, order candidates, plant flaws."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import PAD, Int32, Int64, Ragged

Bools = npt.NDArray[np.bool_]
Sequence = Callable[[Int64, int, int], Int32]
"""(rows, start, stop) → int32[len(rows), stop - start]: part of each row's preference order."""

CELLS = 1 << 23
"""Most cells of a working matrix; blocks of rows are cut so that memory does not grow with the batch."""


def blocks(weights: Int64) -> Iterator[slice]:
    """Cut rows into consecutive blocks of at most ``CELLS`` cells, one row at least.

    Parameters
    ----------
    weights
        int64[n], cells that each row needs.
    """
    total = np.cumsum(weights)
    start = 0
    while start < len(weights):
        before = total[start - 1] if start else 0
        stop = max(start + 1, int(np.searchsorted(total, before + CELLS, side="right")))
        yield slice(start, stop)
        start = stop


def level_blocks(weights: Int64) -> Iterator[Int64]:
    """Gather rows of about equal weight, so that a matrix as wide as the heaviest stays below ``CELLS``.

    Parameters
    ----------
    weights
        int64[n], cells that each row needs.
    """
    order = np.argsort(weights, kind="stable")
    start = 0
    while start < len(order):
        sizes = np.arange(1, len(order) - start + 1) * weights[order[start:]]
        stop = start + max(1, int(np.searchsorted(sizes, CELLS, side="right")))
        yield order[start:stop]
        start = stop


def row_numbers(lists: Ragged) -> Int64:
    """int64, the list that each value belongs to."""
    return np.repeat(np.arange(len(lists), dtype=np.int64), lists.lengths)


def known_pairs(lists: Ragged) -> tuple[Int64, Int32]:
    """Row and item of every entry that is in the catalogue, without duplicates, sorted by row and item."""
    rows = row_numbers(lists)
    keep = lists.values >= 0
    if not keep.any():
        return np.empty(0, np.int64), np.empty(0, np.int32)
    span = int(lists.values.max()) + 1
    keys = np.unique(rows[keep] * span + lists.values[keep])
    return keys // span, (keys % span).astype(np.int32)


def slice_rows(lists: Ragged, part: slice) -> Ragged:
    """Lists of consecutive rows, as views."""
    offsets = lists.offsets[part.start : part.stop + 1]
    return Ragged(offsets - offsets[0], lists.values[offsets[0] : offsets[-1]])


def first_unseen(sequence: Sequence, seen: Ragged, n_items: int, width: int) -> Int32:
    """The first ``width`` items of each row's preference order that the row has not seen.

    Parameters
    ----------
    sequence
        Each row's preference order; a permutation of 0..n_items-1.
    seen
        Item codes to skip per row.

    Returns
    -------
    int32[n, width]
        -1 after the end of a list.
    """
    lists = np.full((len(seen), width), PAD, np.int32)
    if not width:
        return lists
    for part in blocks(np.full(len(seen), n_items, np.int64)):
        history = slice_rows(seen, part)
        mask = np.zeros((len(history), n_items + 1), bool)
        mask[row_numbers(history), history.values] = True  # unknown items, -1, land in the spare column
        _fill(lists[part], sequence, mask, part.start)
    return lists


def _fill(lists: Int32, sequence: Sequence, seen: Bools, offset: int) -> None:
    n_items, width = seen.shape[1] - 1, lists.shape[1]
    filled = np.zeros(len(lists), np.int64)
    open_rows = np.arange(len(lists), dtype=np.int64)
    start, step = 0, width
    while len(open_rows) and start < n_items:
        stop = min(n_items, start + step)
        offered = sequence(open_rows + offset, start, stop)
        fresh = ~seen[open_rows[:, None], offered]
        place = filled[open_rows, None] + np.cumsum(fresh, axis=1) - 1
        fresh &= place < width
        row, column = np.nonzero(fresh)
        lists[open_rows[row], place[row, column]] = offered[row, column]
        filled[open_rows] += fresh.sum(axis=1)
        open_rows = open_rows[filled[open_rows] < width]
        start, step = stop, 2 * step  # few rows are left: look further ahead in one go


def shared_order(order: Int32) -> Sequence:
    """The preference order that is the same for every row."""
    return lambda rows, start, stop: np.broadcast_to(order[start:stop], (len(rows), stop - start))


def choose(candidates: Ragged, seen: Ragged) -> tuple[Int64, Int32]:
    """Row and item of every candidate that is in the catalogue and not seen, without duplicates."""
    rows, items = known_pairs(candidates)
    seen_rows, seen_items = known_pairs(seen)
    if len(items) and len(seen_items):
        span = np.int64(max(items.max(), seen_items.max()) + 1)
        keep = ~np.isin(rows * span + items, seen_rows * span + seen_items, assume_unique=True)
        rows, items = rows[keep], items[keep]
    return rows, items


def ordered(
    rows: Int64, items: Int32, keys: tuple[npt.NDArray[np.generic], ...], n: int, width: int
) -> tuple[Int32, npt.NDArray[np.int64]]:
    """Lists of each row's items by ``keys``, least first, the first key deciding.

    Returns
    -------
    int32[n, width], int64[n, width]
        Items, and the entry that each came from; -1 after the end of a list.
    """
    order = np.lexsort((*reversed(keys), rows))
    counts = np.bincount(rows, minlength=n)
    position = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts)
    inside = position < width
    lists = np.full((n, width), PAD, np.int32)
    source = np.full((n, width), PAD, np.int64)
    lists[rows[order][inside], position[inside]] = items[order][inside]
    source[rows[order][inside], position[inside]] = order[inside]
    return lists, source


def latest(history: Ragged, candidates: Ragged | None, count: int) -> Int32:
    """The latest distinct items of each history, newest first, within the candidates where there are any.

    Returns
    -------
    int32[n, count]
        -1 after the end.
    """
    rows, items = row_numbers(history)[::-1], history.values[::-1]
    span = np.int64(
        max(items.max(initial=0), 0 if candidates is None else candidates.values.max(initial=0)) + 1
    )
    keys = rows * span + items
    keep = items >= 0
    if candidates is not None:
        allowed_rows, allowed = known_pairs(candidates)
        keep &= np.isin(keys, allowed_rows * span + allowed)
    rows, items, keys = rows[keep], items[keep], keys[keep]
    newest = np.unique(keys, return_index=True)[1]
    return ordered(rows[newest], items[newest], (newest,), len(history), count)[0]


def closed_up(lists: Int32) -> Int32:
    """Move empty slots behind the items, keeping their order."""
    return np.take_along_axis(lists, np.argsort(lists == PAD, axis=1, kind="stable"), axis=1)


def planted_positions(width: int, share: float) -> Bools:
    """Positions of a list at which a flaw is planted, spread evenly.

    Of the first ``k`` positions ``floor(k * share)`` are planted, for every k.

    >>> planted_positions(10, 0.3).astype(int).tolist()
    [0, 0, 0, 1, 0, 0, 1, 0, 0, 1]
    """
    reached = np.floor(np.arange(width + 1) * share + 1e-9)  # 0.1 * 10 steps must reach 1
    return np.diff(reached) > 0
