"""Ridge regressions for many users or items at once: the half-steps of alternating least squares."""

from __future__ import annotations

import numpy as np

from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged
from genrec_eval.reference.lists import CELLS, known_pairs


def distinct(lists: Ragged) -> Ragged:
    """Each list's known items, sorted and without duplicates."""
    rows, items = known_pairs(lists)
    return Ragged(np.searchsorted(rows, np.arange(len(lists) + 1)).astype(np.int64), items)


def or_zero(values: Float64, codes: Int32) -> Float64:
    """Rows of ``values``, 0 for negative codes.

    >>> or_zero(np.array([1.0, 2.0]), np.array([1, -1], np.int32))
    array([2., 0.])
    """
    made: Float64 = np.concatenate([values, np.zeros((1, *values.shape[1:]))])[codes]
    return made


def ridge_rows(
    features: Float64,
    lists: Ragged,
    ridge: Float64,
    *,
    targets: Float64 | None = None,
    common: Float64 | None = None,
) -> Float64:
    r"""Solve one ridge regression per list.

    Row r is the minimum over x of :math:`\sum_{j \in r} (t_{rj} - x \cdot f_j)^2 + x C x^T + \lambda_r
    \|x\|^2`. The work of a row depends on that row alone, so the result is the same, bit for bit, however
    rows are grouped.

    Parameters
    ----------
    features
        float64[n_features, d].
    lists
        Feature codes of each row; none negative.
    ridge
        float64[rows], above 0.
    targets
        float64, parallel to ``lists.values``; all 1 when None.
    common
        float64[d, d], the same quadratic form for every row; none when None.

    Returns
    -------
    float64[rows, d]
        0 for an empty list.

    >>> ridge_rows(np.array([[1.0], [2.0]]), Ragged.from_lists([[0, 1], []]), np.array([1.0, 1.0]))
    array([[0.5],
           [0. ]])
    """
    d = features.shape[1]
    power, turned = np.zeros(d), np.eye(d)
    if common is not None:
        power, turned = np.linalg.eigh(common)  # in these directions the common form is a ridge too
    padded = np.concatenate([features @ turned, np.zeros((1, d))])
    solved = np.zeros((len(lists), d))
    lengths = lists.lengths
    # the next power of two of a row's own length: the shape of its product, and with it the rounding
    sizes = np.where(lengths > 0, 1 << np.ceil(np.log2(np.maximum(lengths, 1))).astype(np.int64), 0)
    for size in np.unique(sizes[sizes > 0]).tolist():
        rows = np.flatnonzero(sizes == size)
        most = max(1, CELLS // (d * (size + d)))
        for start in range(0, len(rows), most):
            part = rows[start : start + most]
            solved[part] = _block(
                padded,
                lists.take(part),
                size,
                ridge[part, None] + np.maximum(power, 0.0),
                _values(lists, part, targets),
            )
    # one product per row: a product of many rows is rounded by their number
    turned_back: Float64 = (solved[:, None, :] @ turned.T)[:, 0, :]
    return turned_back


def _values(lists: Ragged, rows: Int64, targets: Float64 | None) -> Float64 | None:
    if targets is None:
        return None
    lengths = lists.lengths[rows]
    ends = np.cumsum(lengths)
    taken: Float64 = targets[np.repeat(lists.offsets[rows] - (ends - lengths), lengths) + np.arange(ends[-1])]
    return taken


def _block(padded: Float64, lists: Ragged, size: int, diagonal: Float64, targets: Float64 | None) -> Float64:
    """Rows whose lists are filled up to ``size`` with a feature of zeros; ``diagonal`` is float64[n, d]."""
    n, d = len(lists), padded.shape[1]
    inside = np.arange(size) < lists.lengths[:, None]
    codes: Int32 = np.full((n, size), len(padded) - 1, np.int32)
    codes[inside] = lists.values
    wanted = inside.astype(np.float64)
    if targets is not None:
        wanted[inside] = targets
    chosen = padded[codes]
    across = chosen.transpose(0, 2, 1)
    if size < d:  # fewer equations than unknowns: solve for one weight per item instead (Woodbury)
        scaled = across / diagonal[:, :, None]
        places = np.arange(size)
        kernel = chosen @ scaled
        kernel[:, places, places] += 1.0
        return (scaled @ np.linalg.solve(kernel, wanted[:, :, None]))[:, :, 0].astype(np.float64, copy=False)
    places = np.arange(d)
    system = across @ chosen
    system[:, places, places] += diagonal
    return np.linalg.solve(system, across @ wanted[:, :, None])[:, :, 0].astype(np.float64, copy=False)
