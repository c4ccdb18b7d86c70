"""Metric definitions as JSON, so that a report needs nothing but the run directory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from genrec_eval.audit.examples import example

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Metric


def definition_rows(metrics: Iterable[Metric]) -> dict[str, dict[str, Any]]:
    """Metric id → what there is to know about it, as plain JSON values.

    The ids are those that estimates carry in ``metric``; ``definition`` spells all parameters out.
    """
    return {metric.id: _row(metric) for metric in metrics}


def _row(metric: Metric) -> dict[str, Any]:
    definition = metric.definition
    return {
        "definition": metric.definition_id,
        "signature": metric.signature,
        "name": definition.name,
        "title": definition.title,
        "summary": definition.summary,
        "formula": definition.formula,
        "degenerate": definition.degenerate,
        "source": definition.source,
        "traps": definition.traps,
        "example": example(metric),
        "direction": definition.direction,
        "unit": definition.unit,
        "bounds": list(definition.bounds),
        "values": definition.values,
        "resampling_unit": definition.resampling_unit,
        "made": made_of(metric),
        "parameters": dict(metric.parameters),
        "k": metric.k,
    }


_WHOLE = {"texts": "texts", "explanations": "texts", "experiment": "arms", "ratings": "ratings"}


def made_of(metric: Metric) -> str:
    """What the value of a run is made of, beside the values per unit, in words."""
    from genrec_eval.metrics.base import Accumulator

    function, definition = metric.function, metric.definition
    if definition.refit is not None:
        return "estimated from all units at once; for its interval anew from every resample of them"
    if definition.combine is not None:
        return "computed from what is counted in each unit, added over all of them"
    if isinstance(function, type) and issubclass(function, Accumulator):
        return f"computed over all {_WHOLE.get(definition.on, 'lists')} at once"
    if metric.link == "sqrt":
        return "the root of their mean, weighted where the formula says so"
    if definition.on == "experiment":
        return "made of them as the formula says"
    return "their mean, weighted where the formula says so"
