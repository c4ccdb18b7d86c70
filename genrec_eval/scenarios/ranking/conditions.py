"""Metrics under a condition of play: part of the metric's identity, as in ``ndcg(since=3)@10``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from genrec_eval.metrics.base import Metric
from genrec_eval.metrics.spelling import SPELLING, parts_of

CONDITIONS = {
    "shots": ("cold-start", "so many items of the user are known"),
    "since": ("preference-shift", "interactions known since the taste changed; settled: it never did"),
    "candidates_are": (
        "rerank",
        "full: ranked among all items new to the user; sampled: ranked among sampled candidates",
    ),
    "resolve": (
        "generative-retrieval",
        "any: a shared semantic id counts as each of its items; first: as the first of them in the catalogue",
    ),
}
"""Parameter that a scenario adds to its metrics → the scenario, and what it says."""

LOST = "lost_"
"""Before the name of a metric: what a shift of preferences costs by it."""


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


def apart(spelling: str) -> tuple[str, dict[str, str], bool]:
    """A spelling without what only a scenario adds to it: conditions by name, and whether it is a loss.

    >>> apart("lost_ndcg(gain=exp,since=3)@10")
    ('ndcg(gain=exp)@10', {'since': '3'}, True)
    """
    match = SPELLING.fullmatch(spelling.strip())
    if match is None:
        return spelling, {}, False
    parts = parts_of(match["parameters"])
    found = dict(parts)
    conditions = {name: value for name, value in found.items() if name in CONDITIONS}
    lost = match["name"].startswith(LOST) and "since" in conditions
    kept = ",".join(f"{name}={value}" for name, value in parts if name not in CONDITIONS)
    name = match["name"].removeprefix(LOST) if lost else match["name"]
    if not conditions:
        return spelling, {}, False
    inside, cutoff = f"({kept})" if kept else "", f"@{match['k']}" if match["k"] else ""
    return f"{name}{inside}{cutoff}", conditions, lost
