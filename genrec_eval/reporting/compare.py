"""Which model may be called best: only what the paired differences support."""

from __future__ import annotations

import re

from genrec_eval.protocol.results import Estimate, Ruling
from genrec_eval.reporting.results import Results

VALIDITY = frozenset(
    {
        "invalid",
        "duplicate",
        "seen",
        "short",
        "collision",
        "outside",
        "tied",
        "misordered",
        "future",
        "peeking",
    }
)
"""Metrics that say whether a list is a list at all; shown on their own."""


def is_validity(metric: str) -> bool:
    """True for metrics of list validity.

    >>> is_validity("duplicate@10"), is_validity("ndcg@10")
    (True, False)
    """
    return re.split(r"[(@]", metric)[0] in VALIDITY


def is_ruled(results: Results, scenario: str, metric: str) -> bool:
    """Whether built-in checks hold every model against a margin of this metric."""
    return any(
        row.metric == metric and row.scenario == scenario and row.slice == "all" and not row.gate
        for row in results.verdicts
    )


def broken(results: Results, scenario: str, metric: str) -> frozenset[str]:
    """Models of which a claim or check on this metric fails."""
    return frozenset(
        row.model
        for row in results.verdicts
        if (row.scenario, row.metric, row.slice) == (scenario, metric, "all")
        and row.verdict is Ruling.FAIL
        and row.rule in ("at_least", "at_most")
    )


def uneventful(results: Results, scenario: str) -> list[str]:
    """Metrics of list validity of which no claim speaks and whose built-in checks found nothing.

    A check that is open found nothing either; it is told among the verdicts.
    """
    told = {row.metric for row in results.verdicts if row.scenario == scenario and row.gate}
    calm = {
        (row.metric, row.model): row.verdict is not Ruling.FAIL
        for row in results.verdicts
        if row.scenario == scenario and row.slice == "all" and not row.gate
    }
    return [
        metric
        for metric in results.metrics(scenario)
        if is_validity(metric)
        and metric not in told
        and (found := [calm.get((metric, model)) for model in _scored(results, scenario, metric)])
        and all(found)
    ]


def _scored(results: Results, scenario: str, metric: str) -> list[str]:
    """Models with a figure: a check is made of no other."""
    rows = {model: results.get(scenario, metric, model) for model in results.meant(scenario)}
    return [model for model, row in rows.items() if row is not None and row.value is not None]


def beats(results: Results, scenario: str, metric: str, first: str, second: str, slice: str = "all") -> bool:
    """True when the interval of the paired difference lies wholly on the better side of 0 for ``first``."""
    sign = {"higher": 1, "lower": -1}.get(results.direction(metric), 0)
    for model, other, turn in ((first, second, sign), (second, first, -sign)):
        row = results.get(scenario, metric, model, slice, other)
        if row is not None and row.low is not None and row.high is not None:
            return (row.low > 0 and turn > 0) or (row.high < 0 and turn < 0)
    return False


def best(results: Results, scenario: str, metric: str, slice: str = "all") -> frozenset[str]:
    """The models that beat every other one; more than one when they cannot be told apart.

    Empty when nothing is shown: the metric has no direction or is one of list validity, where a fault
    counts and not a rank; or no model, nor a group of models that cannot be told apart, beats all others.
    """
    direction = results.direction(metric)
    values: dict[str, float] = {}
    for model in results.models(scenario):
        row = results.get(scenario, metric, model, slice)
        if row is not None and row.value is not None:
            values[model] = row.value
    if direction == "none" or is_validity(metric) or len(values) < 2:
        return frozenset()
    pick = max if direction == "higher" else min
    top = {pick(values, key=lambda name: values[name])}
    grown = True
    while grown:
        rest = [name for name in values if name not in top]
        joins = [n for n in rest if not all(beats(results, scenario, metric, t, n, slice) for t in top)]
        grown = bool(joins)
        top.update(joins)
    told_apart = any(beats(results, scenario, metric, a, b, slice) for a in top for b in top if a != b)
    return frozenset() if told_apart or len(top) == len(values) else frozenset(top)


def differences(results: Results, scenario: str, slice: str = "all") -> list[Estimate]:
    """Paired differences of a scenario, in their order."""
    return [
        row
        for row in results.estimates
        if row.scenario == scenario and row.baseline is not None and row.slice == slice
    ]


def stays_clear(row: Estimate) -> bool:
    """True when the difference is told apart from 0, after the adjustment for the number of pairs."""
    if row.low is None or row.high is None:
        return False
    if row.p_adjusted is not None:
        return row.p_adjusted < 1 - row.level
    return row.low > 0 or row.high < 0
