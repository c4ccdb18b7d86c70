"""What suites say of metrics, held against the metrics: names that are none, rules that decide nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.numbers import bound
from genrec_eval.suite.gate import AGAINST_BASELINE, GateRule

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Metric
    from genrec_eval.suite.load import LoadedSuite
    from genrec_eval.suite.references import Fault


def gate_faults(loaded: LoadedSuite, measured: Mapping[str, Mapping[str, Metric]]) -> Iterator[Fault]:
    """Rules of the gate whose metric, limit or group is none."""
    for index, rule in enumerate(loaded.suite.gate.rules if loaded.suite.gate else ()):
        path: tuple[str | int, ...] = ("gate", "rules", index)
        if rule.scenario not in measured:
            continue
        if (said := unmeasured(rule.scenario, rule.metric, measured)) is not None:
            yield (*path, "metric"), said
            continue
        known = measured[rule.scenario]
        spelled = rule.metric if rule.metric in known else metric_id(rule.metric)
        if (fault := limit_fault(rule, known[spelled])) is not None:
            yield (*path, fault[0]), fault[1]
        group = rule.by or rule.slice.partition("=")[0]
        declared = getattr(loaded.suite.scenarios[rule.scenario].options, "groups", ())
        # scenarios have groups of their own besides; only what looks misspelt can be told before a run
        if group not in {"all", *declared} and (hint := did_you_mean(group, declared)):
            yield (*path, "by" if rule.by else "slice"), f"no group '{group}' in '{rule.scenario}'{hint}"


def metric_id(spelling: str) -> str:
    """The id of a metric that is spelled in another way, as ``ndcg(ideal=k)@10`` is; it imports numpy."""
    from genrec_eval.metrics.registry import metric

    return metric(spelling.strip()).id


def unmeasured(scenario: str, spelling: str, measured: Mapping[str, Mapping[str, Metric]]) -> str | None:
    """Why a scenario has no such metric; None where it has, or where it is at fault itself."""
    known = measured.get(scenario)
    if known is None or spelling in known:
        return None
    try:
        spelled = metric_id(spelling)
    except UsageError as error:
        spelled = spelling
        if not did_you_mean(spelled, filter(_of_the_scenario_alone, known)):
            return str(error)
    if spelled in known:
        return None
    hint = did_you_mean(spelled, known)
    return f"scenario '{scenario}' does not measure '{spelled}'{hint} (it measures: {', '.join(known)})"


def _of_the_scenario_alone(spelling: str) -> bool:
    """Whether a metric is one that only its scenario knows, as ndcg(shots=3)@10 is."""
    from genrec_eval.metrics.registry import metric

    try:
        metric(spelling)
    except UsageError:
        return True
    return False


def limit_fault(rule: GateRule, metric: Metric) -> tuple[str, str] | None:
    """The key that is at fault and a sentence about it; None where rule and metric fit.

    >>> from genrec_eval.metrics.registry import metric
    >>> rule = GateRule(scenario="top-k", metric="ndcg@10", at_least=50)
    >>> limit_fault(rule, metric("ndcg@10"))[1]
    'ndcg@10 lies between 0 and 1, so that at_least: 50 can never hold'
    """
    kind, margin, about = rule.kind, rule.margin, metric.definition
    low, high = about.bounds
    if kind in AGAINST_BASELINE and about.contrast is not None:
        said = f"{metric.id} compares two groups of users and has no difference by user"
        return kind, f"{said}; ask at_least or at_most of it"
    if kind in {"better_by", "not_worse_by"} and about.direction == "none":
        said = f"{metric.id} has no better or worse; ask at_least or at_most of it, or within the baseline"
        return kind, said
    share = about.unit == "share"
    ends = f"{metric.id} lies between {_end(low)} and {_end(high)}"
    if kind in {"at_least", "at_most"}:
        below, above = low is not None and margin < low, high is not None and margin > high
        trivial = (kind == "at_least" and (below or margin == low)) or (
            kind == "at_most" and (above or margin == high)
        )
        hint = (
            f"; a share is written as {margin / 100:g}, not {margin:g}" if share and 1 < margin <= 100 else ""
        )
        if trivial:
            return kind, f"{ends}, so that {kind}: {margin:g} always holds{hint}"
        if below or above:
            return kind, f"{ends}, so that {kind}: {margin:g} can never hold{hint}"
    elif low is not None and high is not None and margin >= high - low:
        hint = f"; {bound(margin / 100, 'share')} is written as {margin / 100:g}" if share else ""
        never = "can never hold" if kind == "better_by" else "can never break"
        return kind, f"{ends}, so that {kind}: {margin:g} {never}{hint}"
    return None


def _end(value: float | None) -> str:
    return "no bound" if value is None else f"{value:g}"
