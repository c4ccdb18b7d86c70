"""What a scenario measures of groups of users: attributes, metrics compared, and claims."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.protocol.results import Estimate, Verdict
from genrec_eval.reporting.answer import Outcome, outcome, rule, would_decide
from genrec_eval.reporting.charts.choose import main_metrics
from genrec_eval.reporting.page.against_rest import rests
from genrec_eval.reporting.page.detail import rows_by_metric
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.rules import SHAPES
from genrec_eval.reporting.text import line, visible
from genrec_eval.scenarios.ranking.groups import CROSSED, HISTORY

Rows = dict[str, list[Estimate]]
"""Metric → its estimates in one scenario."""


@dataclass(frozen=True, slots=True)
class Compared:
    """A metric of a scenario that compares the means of another over groups.

    Attributes
    ----------
    metric
        Its id, as in ``group_gap(by=gender)@10``.
    kind
        ``"group_gap"``, ``"group_ratio"``, ``"group_difference"`` or another family of :data:`KINDS`.
    by
        The attribute.
    of
        Id of the metric whose means are compared; empty where it is not among those of the scenario.
    group
        Of ``group_difference``: which one.
    least
        Units that a group must have.
    """

    metric: str
    kind: str
    by: str
    of: str
    group: str
    least: int


MEANS = ("group_gap", "group_ratio", "group_difference")
KINDS = (
    *MEANS,
    "demographic_parity",
    "equal_opportunity",
    "equalised_odds",
    "differential_fairness",
    "differential_fairness_amplification",
)
"""Families with a parameter ``by`` that names an attribute of users."""


def rows_of(material: Material, scenario: str) -> Rows:
    """The estimates of one scenario by metric."""
    found = rows_by_metric(material.results)
    return {metric: found[scenario, metric] for metric in material.results.metrics(scenario)}


def compared(results: Results, scenario: str) -> list[Compared]:
    """All figures of a scenario that compare groups of users."""
    found = []
    for metric in results.metrics(scenario):
        definition = results.definition(metric)
        kind, parameters = str(definition.get("name") or ""), mapping(definition.get("parameters"))
        by = str(parameters.get("by") or "")
        if kind in KINDS and by and by not in ("providers", "attributes"):
            least = parameters.get("least")
            found.append(
                Compared(
                    metric,
                    kind,
                    by,
                    _base(results, scenario, metric, str(parameters.get("of") or "")),
                    str(parameters.get("group") or ""),
                    least if isinstance(least, int) else LEAST,
                )
            )
    return found


def _base(results: Results, scenario: str, metric: str, of: str) -> str:
    """The metric of the scenario that ``of`` names, at the cutoff of ``metric`` where it has one."""
    if not of:
        return ""
    cut = metric.rpartition("@")[2] if "@" in metric else ""
    known = results.metrics(scenario)
    for spelled in (f"{of}@{cut}", of):
        if spelled in known:
            return spelled
    alike = [
        one
        for one in known
        if results.definition(one).get("name") == of.partition("(")[0]
        and one.rpartition("@")[2] in (cut, one)
    ]
    return alike[0] if alike else ""


def attributes(rows: Iterable[Estimate]) -> list[str]:
    """Names of the groups of a scenario, in the order of its cases."""
    return list(dict.fromkeys(row.slice.partition("=")[0] for row in rows if row.slice != "all"))


def crossed(attribute: str) -> bool:
    """Whether an attribute is an intersection of others."""
    return CROSSED in attribute


def declared(attribute: str) -> bool:
    """Whether it is one of persons; how much training knows of a user is looked at without being asked."""
    return attribute != HISTORY


def bases(material: Material, scenario: str, attribute: str, rows: Rows) -> list[str]:
    """The metrics whose means are compared over an attribute.

    Those of its claims, else those of what is measured of it, else the scenario's first plain mean that has
    a better side.
    """
    results = material.results
    known = [
        one for one in compared(results, scenario) if one.by == attribute and one.of and one.kind in MEANS
    ]
    claimed = {v.metric for v in results.verdicts if v.scenario == scenario and v.gate}
    sliced = {
        v.metric
        for v in results.verdicts
        if v.scenario == scenario and v.gate and v.slice.partition("=")[0] == attribute and v.baseline is None
    }
    found = [one.of for one in known if one.metric in claimed]
    found += [metric for metric in rows if metric in sliced]
    found = found or [one.of for one in known]
    chosen = list(dict.fromkeys(metric for metric in found if _parts(results, rows[metric], attribute)))
    return chosen or _first(results, scenario, rows, attribute)


def _first(results: Results, scenario: str, rows: Rows, attribute: str) -> list[str]:
    order = [m for m in main_metrics(results, scenario) if results.direction(m) != "none"]
    order += [m for m in rows if results.direction(m) != "none"]
    return next(([m] for m in order if _parts(results, rows[m], attribute)), [])


def _parts(results: Results, rows: Sequence[Estimate], attribute: str) -> bool:
    return any(where.partition("=")[0] == attribute for _, where in rests(results, rows))


@dataclass(frozen=True, slots=True)
class Decided:
    """A verdict beside a figure: its mark, what was asked, whether it was foreseen, what would decide it."""

    word: str
    shape: str
    style: str
    asked: str
    tag: str
    needed: str


def decided(results: Results, verdict: Verdict) -> Decided:
    """A verdict in a few words."""
    shape, style = SHAPES[verdict.verdict]
    tag = {Outcome.CAUGHT: "as expected", Outcome.MISSED: "planted flaw not caught"}.get(outcome(verdict), "")
    return Decided(verdict.verdict.value, shape, style, rule(verdict, results), tag, would_decide(verdict))


_OPEN, _CLOSE = "\ue000", "\ue001"
"""Around a name inside of a sentence, until the sentence is text of the page."""


def named(text: str, most: int = 60) -> str:
    """A stranger's name as a part of a sentence that :func:`sentence` makes."""
    return f"{_OPEN}{line(text.replace(_OPEN, '').replace(_CLOSE, ''), most)}{_CLOSE}"


def sentence(text: str) -> Markup:
    """Text of the page in which a name written from right to left turns no other word around.

    >>> sentence(f"{named('<b>')} has less")
    Markup('<bdi>&lt;b&gt;</bdi> has less')
    """
    return Markup(str(escape(visible(text))).replace(_OPEN, "<bdi>").replace(_CLOSE, "</bdi>"))


def of_group(row: Estimate) -> str:
    """The value of the group that an estimate is about."""
    return row.slice.partition("=")[2]
