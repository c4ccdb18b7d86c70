"""Metrics that no scenario computes itself: of answers, and of groups of units under another metric.

They are scored beside every scenario, from the statuses of its records and from its scores.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

from genrec_eval.core.errors import UsageError, did_you_mean

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.metrics.base import Metric
    from genrec_eval.metrics.lists import GroupCodes

ELSEWHERE = ("answers", "units")
"""What these metrics are ``on``."""

JUDGED = ("judged texts", "pairs")
"""What judges' figures are on: measured where they are asked for, and nowhere else."""


def with_bases(
    scenario: str, metrics: Iterable[Metric], takes: Sequence[str], always: Iterable[Metric] = ()
) -> list[Metric]:
    """Metrics that a scenario names, each once, then those whose groups they compare, or by which it is told
    what they leave out.

    Parameters
    ----------
    takes
        What the scenario's own metrics are on.
    always
        What is measured anyway; none of it is in the result.

    Raises
    ------
    UsageError
        When a metric is on something else, or compares groups by one that is.
    """
    from genrec_eval.metrics.grouped.by_group import base_of, unlabelled_of

    there = {metric.id for metric in always}
    found = {metric.id: metric for metric in metrics}
    for metric in list(found.values()):
        on = metric.definition.on
        if on not in (*takes, *ELSEWHERE):
            raise UsageError(
                f"scenario '{scenario}': metric '{metric.id}' is about {on}, not about {takes[0]}"
            )
        base = base_of(metric) or unlabelled_of(metric)
        if base is None or base.definition.on in JUDGED:
            continue
        if base.id not in there and base.definition.on not in (*takes, "answers"):
            raise UsageError(
                f"scenario '{scenario}': metric '{metric.id}' compares groups by '{base.id}', which is about"
                f" {base.definition.on}, not about {takes[0]}"
            )
        found.setdefault(base.id, base)
    return [metric for name, metric in found.items() if name not in there]


def refuse_unmeasured(scenario: str, kind: str, metrics: Iterable[Metric]) -> None:
    """Refuse groups under a metric that the scenario does not measure, and answers where nothing is asked.

    Raises
    ------
    UsageError
        One sentence.
    """
    metrics = list(metrics)
    there = {metric.id for metric in metrics}
    for metric in metrics:
        on = metric.definition.on
        if on == "answers" and kind == "log":
            raise UsageError(
                f"scenario '{scenario}': metric '{metric.id}' is about answers, and nothing is asked here"
            )
        if on != "units":
            continue
        from genrec_eval.metrics.grouped.by_group import base_of

        base = base_of(metric)
        if base is not None and base.id not in there:
            raise UsageError(
                f"scenario '{scenario}': metric '{metric.id}' compares groups by '{base.id}', which it does"
                f" not measure{did_you_mean(base.id, there)}"
            )


def refuse_ungrouped(scenario: str, metrics: Iterable[Metric], cases: pa.Table) -> None:
    """Refuse figures of groups that the cases do not have, before anything is asked.

    Raises
    ------
    UsageError
        One sentence.
    """
    wanted = [metric for metric in metrics if metric.definition.on == "units"]
    if not wanted:
        return
    import numpy as np

    from genrec_eval.metrics.base import UnitScores
    from genrec_eval.metrics.grouped.by_group import GroupedUnits, score_units
    from genrec_eval.metrics.lists import GroupCodes
    from genrec_eval.scenarios.ranking.groups import named_groups

    columns = [name for name in cases.column_names if name.startswith("group.")]
    named = {name.removeprefix("group."): named_groups(cases.column(name)) for name in columns}
    nobody = GroupedUnits(
        UnitScores(values=np.empty(0)),
        {name: GroupCodes(one.codes[:0], one.names) for name, one in named.items()},
    )
    for metric in wanted:
        refuse_no_group(scenario, metric, named)
        try:
            score_units(metric, nobody)
        except UsageError as error:
            raise UsageError(f"scenario '{scenario}': {error}") from None


def refuse_no_group(scenario: str, metric: Metric, groups: Mapping[str, GroupCodes]) -> None:
    """Refuse a metric of groups by one that the scenario does not have."""
    by = str(metric.parameters.get("by", ""))
    if by in groups:
        return
    known = f"its groups: {', '.join(groups) or 'none'}"
    if not by:
        said = f"needs by, a group of the scenario, as in {metric.definition.name}(by=gender) ({known})"
    else:
        near = did_you_mean(by, groups)
        said = f"compares groups by '{by}', which the scenario does not have{near} ({known})"
        said += f"; write groups: [{by}] among its options"
    raise UsageError(f"scenario '{scenario}': metric '{metric.id}' {said}")
