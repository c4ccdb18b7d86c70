"""A short summary in Markdown, for the step summary of a CI job."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from genrec_eval.core.numbers import figure, sign
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import (
    Outcome,
    answer,
    as_planted,
    expected,
    outcome,
    place,
    purpose_of,
    quiet,
    worst_first,
)
from genrec_eval.reporting.caution import cautions
from genrec_eval.reporting.claimed import controls, doubt, figure_of, full_claim, simulated, units
from genrec_eval.reporting.compare import best
from genrec_eval.reporting.controlled import controlled
from genrec_eval.reporting.gaps import not_tested
from genrec_eval.reporting.reproduced import folded, reproduced, told
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.text import line

_SPECIAL = re.compile(r"[\\`*_{}\[\]#|~<>&@$]|(?<=[a-z]):(?=//)|\bwww\.|^[-+=]")
_MOST_ROWS = 40


def summary(estimates: Mapping[str, Any], run: Mapping[str, Any] | None = None) -> str:
    """Answer, verdicts, matrix and gaps as Markdown.

    Parameters
    ----------
    estimates
        The parsed ``estimates.json``.
    run
        The parsed ``run.json``: which models were made to fail, and what the data are.
    """
    results = Results.read(estimates)
    flaws = controls(results, run or {})
    rows = worst_first(results.verdicts)
    told_once = expected(rows)
    loud = [
        row
        for row in rows
        if not quiet(row) and not folded(row) and (row.gate or place(row) not in told_once)
    ]
    loud.sort(key=lambda row: as_planted(row, flaws))  # stable: what was planted comes last
    warned = cautions(results, run or {})
    said = answer(results, flaws, purpose=purpose_of(run or {}), warned=warned)
    parts = [f"## {escape(results.run)}", escape(said, 2000)]
    alarms = [one.alarm for one in controlled(results, flaws).values() if one.missed]
    parts += [f"**NOT FOUND** {escape(alarm, 1000)}" for alarm in alarms]
    if said := simulated(run or {}):
        parts.append(escape(said))
    if loud:
        told_rows = [
            [
                f"**{_word(row.verdict, outcome(row))}**",
                escape(f"“{line(row.claim)}”" if row.gate else row.claim),
                escape(f"{line(row.model)} (with a planted flaw)" if row.model in flaws else row.model),
                escape(_figure(row, results)),
                escape(
                    " ".join(
                        filter(None, (f"{full_claim(results, row)}.", doubt(results, row), warned.get(row)))
                    ),
                    600,
                ),
            ]
            for row in loud[:_MOST_ROWS]
        ]
        parts.append(table(["verdict", "claim", "model", "figure", "tested"], told_rows))
        if len(loud) > _MOST_ROWS:
            parts.append(f"{len(loud) - _MOST_ROWS} more verdicts stand in the report.")
    if folds := reproduced(results.verdicts):
        parts.append("\n".join(f"- {escape(told(fold, results))}" for fold in folds[:_MOST_ROWS]))
    for scenario in results.scenarios():
        metrics, models = results.metrics(scenario), results.models(scenario)
        if not metrics:
            continue
        head = ["metric", *(escape(model) for model in models)]
        body = []
        for metric in metrics:
            top = best(results, scenario, metric)
            arrow = {"higher": " ↑", "lower": " ↓"}.get(results.direction(metric), "")
            unit = sign(results.unit(metric))
            cells = []
            for model in models:
                row = results.get(scenario, metric, model)
                if row is None:
                    cells.append(results.absent(scenario, model))
                    continue
                shown = figure(row.value, row.low, row.high, reason=row.reason, unit=results.unit(metric))
                text = escape(str(shown).replace(" %", ""))
                cells.append(f"**{text}**" if model in top else text)
            body.append([escape(f"{results.title(metric)}{f' {unit}' if unit else ''}{arrow}"), *cells])
        parts.append(f"### {escape(scenario)}")
        parts.append(table(head, body))
        parts.append("Value with its interval; bold beats every model that is not, by the paired difference.")
    if gaps := not_tested(results):
        parts.append("### Not tested")
        parts.append("\n".join(f"- {escape(what)}: {escape(why)}" for what, why in gaps[:_MOST_ROWS]))
    return "\n\n".join(parts) + "\n"


def escape(text: object, limit: int = 300) -> str:
    """One line of at most ``limit`` characters in which nothing is markup, link, mention or HTML.

    >>> escape("a|b <img src=x> @team")
    'a&#124;b &#60;img src=x&#62; &#64;team'
    """
    # Numeric references, not backslashes: '@' and '|' keep their meaning on some hosts when backslashed.
    return _SPECIAL.sub(lambda match: f"{match[0][:-1]}&#{ord(match[0][-1])};", line(text, limit))


def _figure(row: Verdict, results: Results) -> str:
    shown = figure_of(results, row)
    return ", ".join(filter(None, (str(shown), units(results, row))))


def _word(ruling: str, kind: Outcome) -> str:
    return {Outcome.CAUGHT: "CAUGHT", Outcome.MISSED: "NOT CAUGHT", Outcome.FINDING: "FINDING"}.get(
        kind, str(ruling)
    )


def table(head: list[str], body: list[list[str]]) -> str:
    """A table of cells that are escaped already."""
    lines = [head, ["---"] * len(head), *body]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
