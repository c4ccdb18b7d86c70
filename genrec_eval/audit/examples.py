"""Worked examples: what a metric says of one small list, computed by the metric itself."""

from __future__ import annotations

import math
from functools import cache
from typing import TYPE_CHECKING, Any

from genrec_eval.core.numbers import exact, sign

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Metric, UnitScores

LISTED = (
    "Items A to F were met 6, 5, 4, 3, 2 and 1 times in training. One user's history is F; B and E are"
    " relevant; the list is A, B, B, X, of which X is in no catalogue"
)
SCORED = ", and its scores are 0.9, 0.7, 0.7 and 0.2"
RATED = "One user gave 5, 3 and 4 stars, of a scale from 1 to 5; predicted are 4, 3 and 2"


def example(metric: Metric) -> str | None:
    """One worked example in words; None where the metric needs more than a small list or a few ratings."""
    definition = metric.definition
    needs = set(metric.needs)
    if definition.combine is not None or definition.refit is not None or needs - {"scores"}:
        return None
    if definition.on not in ("lists", "ratings"):
        return None
    try:
        scores = metric(_lists(bool(needs)) if definition.on == "lists" else _ratings())
    except Exception:  # of a metric of one's own: a run is worth more than an example
        return None
    given = RATED if definition.on == "ratings" else LISTED + (SCORED if needs else "")
    return f"{given}. {_said(metric, scores)}"


def _said(metric: Metric, scores: UnitScores) -> str:
    if not scores.scored.any() and scores.total is None:
        reason = next(name for name, mask in scores.reasons.items() if mask.any())
        return f"Such a user is left out: {reason.replace('-', ' ')}."
    value = float(scores.values[0]) if scores.total is None else scores.total
    if scores.total is None and metric.link == "sqrt":
        value = math.sqrt(value)
    if not math.isfinite(value):
        return "There is no value."
    unit = sign(metric.definition.unit)
    shown = exact(100 * value) if unit == "%" else exact(value)
    return f"{metric.id} is {shown}{f' {unit}' if unit else ''}."


@cache  # the same lists for every metric, which share what they count
def _lists(scored: bool) -> Any:
    import numpy as np

    from genrec_eval.metrics.catalogue import Catalogue
    from genrec_eval.metrics.lists import RankedLists
    from genrec_eval.protocol.arrays import Ragged

    def row(*items: int) -> Ragged:
        return Ragged(np.array([0, len(items)]), np.array(items, np.int32))

    return RankedLists(
        items=np.array([[0, 1, 1, -2]], np.int32),
        truth=row(1, 4),
        history=row(5),
        answered=np.ones(1, bool),
        catalogue=Catalogue(train_counts=np.arange(6, 0, -1)),
        scores=np.array([[0.9, 0.7, 0.7, 0.2]]) if scored else None,
    )


def _ratings() -> Any:
    import numpy as np

    from genrec_eval.metrics.rated import RatedPairs

    return RatedPairs(
        offsets=np.array([0, 3]),
        truth=np.array([5.0, 3.0, 4.0]),
        predicted=np.array([4.0, 3.0, 2.0]),
        answered=np.ones(1, bool),
        scale=(1.0, 5.0),
    )
