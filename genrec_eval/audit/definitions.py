"""Metric definitions as JSON, so that a report needs nothing but the run directory."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

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
        "name": definition.name,
        "title": definition.title,
        "summary": definition.summary,
        "formula": definition.formula,
        "degenerate": definition.degenerate,
        "source": definition.source,
        "traps": definition.traps,
        "direction": definition.direction,
        "unit": definition.unit,
        "bounds": list(definition.bounds),
        "values": definition.values,
        "resampling_unit": definition.resampling_unit,
        "parameters": dict(metric.parameters),
        "k": metric.k,
    }
