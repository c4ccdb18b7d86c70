"""``genrec-eval explain``: what a metric is, down to the edges, and what other libraries mean by its name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import output

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Definition, Metric

Row = tuple[str, str]

_DIRECTIONS = {
    "higher": "higher is better",
    "lower": "lower is better",
    "none": "neither is better by itself",
}
_ON = {
    "lists": "ranked lists",
    "ratings": "predicted ratings",
    "answers": "how the exchanges with a model ended and how long they took, in every scenario",
    "units": "the scores of another metric of the scenario (of) and groups of its users, in every scenario",
    "arms": "ranked lists of the same users, asked in several ways, in scenario counterfactual",
    "experiment": "the log of an A/B test",
    "texts": "texts that models wrote",
    "explanations": "texts that models wrote, beside the facts they were given",
    "disclosures": "texts on the same facts, with each value of an attribute disclosed and without, in"
    " scenario explanation with `attributes`",
    "judged texts": "what judges said of texts; a suite's `judging` asks for it and names judge and rubric",
    "pairs": "what judges preferred; a suite's `judging` asks for it with task: pairwise",
    "judgement log": "recorded judgements, in scenario recorded-judgements",
    "probes of a judge": "answers of a judge to questions with a known answer, in scenario judge-probe",
    "alpaca pairs": "recorded preferences of AlpacaEval, in scenario recorded-judgements",
}
_LONG = 100
"""Texts above this are set off from the next by an empty line."""
_ASKED = 10
"""Cutoff of a metric that is named without one."""


def explain(
    metric: Annotated[
        str, typer.Argument(metavar="METRIC", help="As in a suite: ndcg@10, 'ndcg(gain=exp)@10', my.py:name.")
    ],
    preset: Annotated[
        str | None,
        typer.Option(metavar="NAME", help="Explain what this library means by the name, such as recbole."),
    ] = None,
) -> None:
    """Show a metric's formula, range, parameters, degenerate cases, known traps and source."""
    from rich.table import Table
    from rich.text import Text

    from genrec_eval.scenarios.ranking.conditions import apart

    plain, conditions, lost = apart(metric)
    bound, given = _read(plain, preset)
    table = Table(box=None, pad_edge=False, show_header=False, padding=(0, 2, 0, 0))
    table.add_column(no_wrap=True, style="bold")
    table.add_column(overflow="fold")
    for name, text in [*_conditions(metric, conditions, lost), *_facts(bound, given)]:
        if text:
            table.add_row(Text(name), Text(text))
            if len(text) > _LONG and not name.startswith(" "):
                table.add_row()
    output().print(table)


def _read(spelling: str, preset: str | None) -> tuple[Metric, bool]:
    """The metric, and whether its cutoff was given; without one any will do."""
    from genrec_eval.core.errors import UsageError
    from genrec_eval.metrics.registry import metric

    try:
        return metric(spelling, preset=preset, bare=True), True
    except UsageError as error:
        if "@" in spelling or "needs a cutoff" not in str(error):
            raise
        return metric(f"{spelling}@{_ASKED}", preset=preset, bare=True), False


def _conditions(spelling: str, conditions: dict[str, str], lost: bool) -> list[Row]:
    """What a scenario adds to the metric that the other rows are about."""
    from genrec_eval.scenarios.ranking.conditions import CONDITIONS

    rows = []
    for name, value in conditions.items():
        scenario, says = CONDITIONS[name]
        said = f"{spelling.strip()} is of scenario {scenario}, over its questions with {name}={value}: {says}"
        rows.append(("condition", said))
    if lost:
        rows.append(
            ("lost", "what the shift costs: the metric with since=settled minus that; less is better")
        )
    return rows


def _facts(metric: Metric, given: bool) -> list[Row]:
    from genrec_eval.audit.definitions import made_of
    from genrec_eval.metrics.base import NEEDS

    definition = metric.definition

    needed = [NEEDS[need] for need in metric.needs]
    return [
        ("metric", f"{definition.title}: {definition.summary}"),
        ("formula", definition.formula),
        (
            "cutoff",
            "" if given or metric.k is None else f"write one as in {metric.id}; shown for k = {metric.k}",
        ),
        ("direction", _DIRECTIONS[definition.direction]),
        ("range", _range(metric)),
        ("value per", f"{definition.resampling_unit}; the run's value is {made_of(metric)}"),
        ("works on", _ON.get(definition.on, definition.on)),
        ("needs", "; ".join(needed)),
        *_parameters(metric),
        ("degenerate cases", definition.degenerate),
        ("traps", definition.traps),
        ("source", definition.source),
        ("definition id", metric.definition_id),
        ("signature", metric.signature if definition.libraries else ""),
        *_presets(metric),
    ]


def _range(metric: Metric) -> str:
    definition = metric.definition
    low, high = definition.bounds
    kind = (
        ", shown in percent"
        if definition.unit == "share"
        else f" {definition.unit}"
        if definition.unit
        else ""
    )
    if high is None:
        return f"{'any number' if low is None else f'{low:g} and more'}{kind}"
    return f"{'up' if low is None else f'{low:g}'} to {high:g}{kind}"


def _parameters(metric: Metric) -> list[Row]:
    """Each parameter with the value in force and what else there is."""
    definition: Definition = metric.definition
    rows = []
    for name, (default, allowed) in definition.parameters.items():
        chosen = metric.parameters[name]
        shown = "none" if chosen == "" else chosen
        said = f"{shown}" + ("" if chosen != default else " (default)")
        others = [str(value) for value in allowed or () if value != chosen]
        if others:
            said += f"; else {', '.join(others)}"
        if chosen != default:
            said += f"; {'none' if default == '' else default} by default"
        if name in definition.meanings:
            said += f"\n{definition.meanings[name]}"
        rows.append((f"  {name}", said))
    return [("parameters", "as name(parameter=value)"), *rows] if rows else []


def _presets(metric: Metric) -> list[Row]:
    """What each library means by the plain name."""
    from genrec_eval.metrics.presets import PRESETS

    name = metric.definition.name
    rows = []
    for preset, found in PRESETS.items():
        if name in found.metrics:
            rows.append((f"  {preset}", f"{found.metrics[name]} ({found.library})"))
        elif name in found.refused:
            rows.append((f"  {preset}", f"cannot be had: {found.refused[name]}"))
    if not rows:
        return []
    return [
        ("elsewhere", f"what {name}(preset=NAME) stands for; more by 'genrec-eval list presets NAME'"),
        *rows,
    ]
