"""A model card in Markdown: what one model of a run is, how it did, for whom, and what that does not show."""

from __future__ import annotations

import json
from pathlib import Path

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.numbers import count, figure
from genrec_eval.protocol.results import Estimate, Ruling, Verdict
from genrec_eval.reporting.answer import rule, worst_first
from genrec_eval.reporting.contents.deviations import deviations
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.contents.limits import limits
from genrec_eval.reporting.contents.provenance import provenance
from genrec_eval.reporting.contents.scope import NOT_STATED, group_sizes, scope
from genrec_eval.reporting.markdown import escape, table
from genrec_eval.reporting.results import Results, mapping, read_json

MOST_ROWS = 400
"""Rows of a table; what is left out is counted."""

_LONG = 5000
_ARROWS = {"higher": " ↑", "lower": " ↓"}


def model_card(directory: Path, model: str) -> str:
    """Write the card of one model of a scored run.

    Parameters
    ----------
    directory
        The run directory.
    model
        Name of the model in the suite.

    Raises
    ------
    UsageError
        When the run has no figures of that model, or was not scored.
    """
    from genrec_eval.reporting.page.assemble import material_of

    results = Results.load(directory)
    run = mapping(read_json(directory / "run.json")) if (directory / "run.json").is_file() else {}
    known = list(dict.fromkeys(row.model for row in results.estimates))
    if model not in known:
        raise UsageError(
            f"{directory} has no figures of a model '{model}'{did_you_mean(model, known)}"
            f" (it has: {', '.join(known) or 'none'})"
        )
    on = Ground.of(material_of(results, run, directory))
    parts = [
        f"# Model card: {escape(model)}",
        f"From run {escape(results.run)} of the suite {escape(on.suite.get('name') or NOT_STATED)},"
        " by genrec-eval. Every figure has its interval; ↑ higher is better, ↓ lower is better.",
        *_details(on, model),
        *_factors(on),
        *_figures(on, model),
        *_claims(on, model),
        *_caveats(on),
        *_provenance(on),
    ]
    return "\n\n".join(parts) + "\n"


def _details(on: Ground, model: str) -> list[str]:
    facts = on.models.get(model, {})
    rows = [
        ("Description", facts.get("description")),
        ("Adapter", facts.get("adapter")),
        ("Identity", json.dumps(facts["identity"], ensure_ascii=False) if facts.get("identity") else None),
        ("Planted flaw", on.flaws.get(model)),
    ]
    details = [f"- {title}: {escape(text)}" for title, text in rows if text]
    use = [
        f"- {said.title}: {escape('; '.join(said.lines)) if said.stated else f'**{NOT_STATED}**'}"
        for said in scope(on).parties
    ]
    return ["## Model details", "\n".join(details) or NOT_STATED, "## Intended use and scope", "\n".join(use)]


def _factors(on: Ground) -> list[str]:
    sizes = group_sizes(on)
    rows = [
        f"- {escape(group)} in {escape(scenario)}: "
        + ", ".join(f"{escape(value)} ({count(n)})" for value, n in values.items())
        for (scenario, group), values in sizes.items()
    ]
    said = "\n".join(rows) or "The cases hold no groups: nothing is known of differences between people."
    return ["## Factors", f"Groups of units, with their number.\n\n{said}" if rows else said]


def _figures(on: Ground, model: str) -> list[str]:
    whole = [row for row in on.results.estimates if row.model == model and row.baseline is None]
    parts = ["## Figures", _table(on, [row for row in whole if row.slice == "all"], grouped=False)]
    if groups := [row for row in whole if row.slice != "all"]:
        parts += ["## Figures by group", _table(on, groups, grouped=True)]
    return parts


def _table(on: Ground, rows: list[Estimate], grouped: bool) -> str:
    head = ["scenario", "metric", *(["group"] if grouped else []), "figure", "n", "excluded"]
    body = []
    for row in rows[:MOST_ROWS]:
        unit = on.results.unit(row.metric)
        shown = figure(row.value, row.low, row.high, unit=unit, reason=row.reason)
        body.append(
            [
                escape(row.scenario),
                escape(on.results.title(row.metric)) + _ARROWS.get(on.results.direction(row.metric), ""),
                *([escape(row.slice)] if grouped else []),
                escape(shown),
                count(row.n),
                escape(", ".join(f"{count(n)} {why}" for why, n in row.excluded.items()) or "none"),
            ]
        )
    text = table(head, body)
    left = len(rows) - MOST_ROWS
    return text + (f"\n\n{count(left)} more figures stand in estimates.json." if left > 0 else "")


def _claims(on: Ground, model: str) -> list[str]:
    rows = [row for row in worst_first(on.results.verdicts) if row.model == model and row.gate]
    if not rows:
        return ["## Claims", "The suite makes no claim about this model."]
    said = [
        f"- **{escape(row.verdict)}**{_foreseen(row)}:"
        f" {escape(row.claim)}. {escape(on.results.title(row.metric))} {escape(rule(row, on.results))}."
        f" {escape(row.reason)}"
        for row in rows
    ]
    return ["## Claims", "\n".join(said)]


def _foreseen(row: Verdict) -> str:
    return " (as expected)" if row.verdict == row.expected == Ruling.FAIL else ""


def _caveats(on: Ground) -> list[str]:
    said = [
        f"- {escape(limit.sentence, _LONG)} Because: {escape(limit.cause, _LONG)}." for limit in limits(on)
    ]
    parts = ["## Caveats", "\n".join(said)]
    if found := deviations(on):
        parts += [
            "## Deviations from the plan",
            "\n".join(f"- {escape(what)}: {escape(more, _LONG)}" for what, more in found),
        ]
    return parts


def _provenance(on: Ground) -> list[str]:
    made = provenance(on)
    rows = [f"- {escape(of)}: {escape(digest)}" for of, digest in made.digests]
    rows += [f"- {escape(title)}: {escape(command, _LONG)}" for title, command, _ in made.commands if command]
    wanted = {"Played", "Seed", "Versions", "Git"}
    rows += [f"- {escape(title)}: {escape(said, _LONG)}" for title, said in made.facts if title in wanted]
    return ["## Provenance", "\n".join(rows)]
