"""Metrics under a condition of play: part of the metric's identity, as in ``ndcg(since=3)@10``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from genrec_eval.metrics.base import Metric


@dataclass(frozen=True, slots=True)
class Condition:
    """A column of the case table whose values are asked about apart.

    Attributes
    ----------
    column
        Its name, which is also the name of the parameter.
    values
        Its values, in the order of the report.
    says
        What a value means, in words.
    """

    column: str
    values: Sequence[Any]
    says: str


def under(metric: Metric, condition: Condition, value: Any) -> Metric:
    """``metric`` over the cases in which the condition has ``value``; computed by the metric itself.

    The new one carries the identity alone and is never called.
    """
    definition = replace(
        metric.definition,
        summary=f"{metric.definition.summary} {condition.column}={value}: {condition.says}.",
        parameters={**metric.definition.parameters, condition.column: (None, None)},
    )
    return replace(metric, definition=definition, parameters={**metric.parameters, condition.column: value})
