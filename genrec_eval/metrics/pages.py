"""Pages of rows and columns: a list of ``k`` items fills the page row by row, as carousels do."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Float64

_MEANINGS = {"columns": "how many items stand side by side in a row of the page"}
_SHARED: dict[str, Any] = {
    "degenerate": (
        "A user without relevant items is excluded (no-truth); no answer scores 0. An item counts where it"
        " stands first in reading order; its further slots are misses."
    ),
    "parameters": {"columns": (5, None)},
    "meanings": _MEANINGS,
}


def discounts(k: int, columns: int) -> Float64:
    """float64[k], 1 / log2(row + column) of each slot in reading order, rows and columns from 1.

    >>> discounts(4, 2).round(3).tolist()
    [1.0, 0.631, 0.631, 0.5]
    """
    slot = np.arange(k)
    return 1.0 / np.log2(slot // columns + slot % columns + 2)


@define(
    Definition(
        name="page_ndcg",
        title="Page NDCG",
        summary="Gain of the page, discounted by the way from its upper left corner, over the best page.",
        formula="sum over hits at row i, column j of 1 / log2(i + j), over the same for the best page",
        source="After Felicioni et al. 2021 (two-dimensional NDCG for carousels), with equal weights.",
        direction="higher",
        traps="Equal to NDCG only for a single row; columns must be those of the page that people see.",
        **_SHARED,
    )
)
def page_ndcg(lists: RankedLists, *, k: int, columns: int) -> UnitScores:
    """Two-dimensional NDCG of the first ``k`` slots."""
    weights = discounts(k, columns)
    gained = lists.hits.sums(weights[: lists.items.shape[1]])
    best = np.concatenate([[0.0], np.cumsum(np.sort(weights)[::-1])])[np.minimum(lists.truth.lengths, k)]
    values = np.zeros(len(lists))
    np.divide(gained, best, out=values, where=best > 0)
    return UnitScores(values=values, reasons={"no-truth": lists.truth.lengths == 0})


@define(
    Definition(
        name="first_row",
        title="First row",
        summary="Share of users whose first row holds a relevant item: what is seen without scrolling.",
        formula="1 if the first `columns` of the k slots hold a hit else 0",
        source="This project.",
        direction="higher",
        values="indicator",
        **_SHARED,
    )
)
def first_row(lists: RankedLists, *, k: int, columns: int) -> UnitScores:
    """Whether the first row holds a relevant item."""
    values = (lists.hits.counts(min(columns, k)) > 0).astype(float)
    return UnitScores(values=values, reasons={"no-truth": lists.truth.lengths == 0})


@define(
    Definition(
        name="row_coherence",
        title="Row coherence",
        summary="How alike the items of a row are, by the attributes they share.",
        formula="mean over rows of the mean Jaccard similarity of the attribute sets of its pairs of items",
        source="This project.",
        direction="none",
        degenerate=(
            "Unknown ids and items without attributes are left out, and so is a row with fewer than two"
            " others. A user without a row of two (no-pair) or without an answer (unanswered) is excluded."
        ),
        traps="A page whose rows are all alike is coherent too: read it beside the diversity of the list.",
        parameters={"columns": (5, None)},
        meanings=_MEANINGS,
        needs=("attributes",),
    )
)
def row_coherence(lists: RankedLists, *, k: int, columns: int) -> UnitScores:
    """Mean similarity within rows."""
    attributes = lists.catalogue.attributes
    n = len(lists)
    if attributes is None:
        return UnitScores(values=np.zeros(n), reasons={"no-attributes": np.ones(n, bool)})
    member = np.zeros((lists.n_items, int(attributes.values.max(initial=-1)) + 1), np.float32)
    member[np.repeat(np.arange(lists.n_items), attributes.lengths), attributes.values] = 1.0
    sizes = attributes.lengths
    sums, rows_of = np.zeros(n), np.zeros(n)
    top = lists.items[:, :k]
    for start in range(0, top.shape[1], columns):
        row = top[:, start : start + columns]
        known = (row >= 0) & (sizes[np.maximum(row, 0)] > 0)
        pairs, alike = np.zeros(n), np.zeros(n)
        for a in range(row.shape[1]):
            for b in range(a + 1, row.shape[1]):
                both = np.flatnonzero(known[:, a] & known[:, b])
                left, right = row[both, a], row[both, b]
                shared = np.einsum("nd,nd->n", member[left], member[right])
                alike[both] += shared / (sizes[left] + sizes[right] - shared)
                pairs[both] += 1
        np.divide(alike, pairs, out=alike, where=pairs > 0)
        sums += np.where(pairs > 0, alike, 0.0)
        rows_of += pairs > 0
    values = np.divide(sums, rows_of, out=np.zeros(n), where=rows_of > 0)
    empty = (rows_of == 0) & lists.answered
    return UnitScores(values=values, reasons={"unanswered": ~lists.answered, "no-pair": empty})
