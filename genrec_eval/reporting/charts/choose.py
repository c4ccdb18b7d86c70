"""Which metrics of a scenario are drawn: those of its claims, then its first; the others stay in tables."""

from __future__ import annotations

import re

from genrec_eval.reporting.charts.chart import has_interval
from genrec_eval.reporting.compare import is_validity
from genrec_eval.reporting.results import Results

MOST = 4
"""Metrics that a scenario's charts show, however many it measures."""
LEAST = 2


def main_metrics(results: Results, scenario: str) -> list[str]:
    """At most :data:`MOST` metrics that have figures.

    Those that the suite makes claims on come first, in the order of the report. Where they are fewer than
    :data:`LEAST`, the first others with a better side fill up, one of each name: a second cutoff of the
    same metric is the business of a curve. Checks of lists are faults to count and not to rank, and are
    drawn only where there is nothing else.
    """
    drawable = {
        row.metric
        for row in results.estimates
        if row.scenario == scenario and row.slice == "all" and row.baseline is None and has_interval(row)
    }
    metrics = [metric for metric in results.metrics(scenario) if metric in drawable]
    plain = [metric for metric in metrics if not is_validity(metric)]
    claimed = {row.metric for row in results.verdicts if row.gate and row.scenario == scenario}
    chosen = [metric for metric in plain if metric in claimed][:MOST]
    sided = [metric for metric in plain if results.direction(metric) != "none"]
    for metric in [*sided, *(() if chosen or sided else plain or metrics)]:
        if len(chosen) >= LEAST:
            break
        if name_of(metric) not in {name_of(one) for one in chosen}:
            chosen.append(metric)
    return [metric for metric in metrics if metric in chosen]


def name_of(metric: str) -> str:
    """The name without parameters and cutoff.

    >>> name_of("ndcg(gain=exp)@10")
    'ndcg'
    """
    return re.split(r"[(@]", metric)[0]
