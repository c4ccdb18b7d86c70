"""Bundles: lists whose order does not matter."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Int64

_SHARED: dict[str, Any] = {
    "direction": "higher",
    "degenerate": (
        "A case without relevant items is excluded (no-truth); no answer scores 0. A repeated item counts"
        " once; an unknown id is a wrong member."
    ),
}


def _members(lists: RankedLists, k: int) -> Int64:
    """int64[n], distinct ids among the first ``k`` slots, known or not."""
    return np.minimum(lists.lengths, k) - lists.repeats.counts(k)


@define(
    Definition(
        name="jaccard",
        title="Jaccard",
        summary="Overlap of the listed set with the wanted one.",
        formula="|listed and relevant| / |listed or relevant|, over the first k slots",
        source="Jaccard 1912.",
        traps="Cannot reach 1 where k differs from the size of the wanted set.",
        **_SHARED,
    )
)
def jaccard(lists: RankedLists, *, k: int) -> UnitScores:
    """Overlap of two sets."""
    hits, relevant = lists.hits.counts(k), lists.truth.lengths
    union = _members(lists, k) + relevant - hits
    values = np.divide(hits, union, out=np.zeros(len(lists)), where=union > 0)
    return UnitScores(values=values, reasons={"no-truth": relevant == 0})


@define(
    Definition(
        name="complete",
        title="Complete",
        summary="Share of bundles that are completed: every wanted item is listed.",
        formula="1 if the first k slots hold all relevant items else 0",
        source="This project.",
        values="indicator",
        **_SHARED,
    )
)
def complete(lists: RankedLists, *, k: int) -> UnitScores:
    """Whether nothing is missing."""
    relevant = lists.truth.lengths
    values = ((lists.hits.counts(k) == relevant) & (relevant > 0)).astype(float)
    return UnitScores(values=values, reasons={"no-truth": relevant == 0})
