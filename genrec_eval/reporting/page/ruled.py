"""Verdicts as cards and rows of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from genrec_eval.core.numbers import bound, figure
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import RED, Outcome, outcome, rule, would_decide
from genrec_eval.reporting.reproduced import LISTED, Reproduced, told, told_apart
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import SHAPES, lines_at
from genrec_eval.reporting.svg import Scale, gauge
from genrec_eval.reporting.text import plural

HELD = {True: ("PASS", "pass", "v-pass"), False: ("FAIL", "fail", "v-fail")}


@dataclass(frozen=True, slots=True)
class Ruled:
    """A verdict as a card or a row."""

    verdict: Verdict
    word: str
    lead: str
    shape: str
    style: str
    tag: str
    figure: Any
    asked: str
    needed: str
    drawing: Markup
    where: str
    position: int


def ruled(results: Results, verdict: Verdict, order: list[str], flaws: Mapping[str, str]) -> Ruled:
    kind = outcome(verdict)
    shape, style = SHAPES[verdict.verdict]
    tag = {
        Outcome.FAILED: "",
        Outcome.MISSED: "planted flaw not caught",
        Outcome.FINDING: "built-in check",
        Outcome.CAUGHT: "caught as expected",
    }.get(kind, "" if verdict.gate else "built-in check")
    if kind is Outcome.FINDING and verdict.model in flaws:
        tag += f"; planted flaw: {flaws[verdict.model]}"
    if kind in {Outcome.CAUGHT, Outcome.MISSED}:
        # The word on the page follows what was expected; the ruling itself stands in the tag.
        shape, style = ("v-pass", "pass") if kind is Outcome.CAUGHT else ("v-fail", "fail")
    word = {Outcome.CAUGHT: "CAUGHT", Outcome.MISSED: "NOT CAUGHT", Outcome.FINDING: "FINDING"}.get(
        kind, str(verdict.verdict)
    )
    unit = results.unit(verdict.metric)
    shown = figure(verdict.value, verdict.low, verdict.high, unit=unit, reason=verdict.reason)
    position = place_of(verdict.model, order)
    drawing = Markup("")
    direction = verdict.direction or results.direction(verdict.metric)
    against = lines_at(verdict.rule, verdict.margin, direction)
    if shown.known and verdict.value is not None and verdict.low is not None and verdict.high is not None:
        zero = 0.0 if verdict.baseline is not None or verdict.low >= 0 else None
        scale = Scale.covering([verdict.low, verdict.high, *against, zero])
        label = f"{shown}, asked: {rule(verdict, results)}"
        low_end, high_end = scale.ends(unit)
        rules = [(at, f"asked {bound(at, unit)}" if at else "no difference") for at in against]
        if verdict.baseline is None:
            rules = [(at, rule(verdict, results)) for at in against]
        drawing = gauge(
            verdict.value, verdict.low, verdict.high, scale, position, label, rules, (low_end, high_end)
        )
    return Ruled(
        verdict=verdict,
        word=word,
        lead={Outcome.MISSED: "Not caught: "}.get(kind, "Does not hold: ") if kind in RED else "",
        shape=shape,
        style=style,
        tag=tag,
        figure=shown,
        asked=rule(verdict, results),
        needed=would_decide(verdict),
        drawing=drawing,
        where=(verdict.where or "").replace("\\", "/").rpartition("/")[2],
        position=position,
    )


def folds(rows: list[Ruled]) -> list[tuple[list[Ruled], str]]:
    # Built-in checks without a finding are worth a line that unfolds, not a row each.
    found: dict[Outcome, list[Ruled]] = {}
    for row in rows:
        found.setdefault(outcome(row.verdict), []).append(row)
    said = {
        Outcome.FINDING: "found what a claim expects",
        Outcome.UNDECIDED: "could not be decided",
        Outcome.NOT_RUN: "could not be run",
    }
    return [
        (group, f"{plural(len(group), 'built-in check')} {said.get(kind, 'without a finding')}")
        for kind, group in found.items()
    ]


def published(results: Results, fold: Reproduced) -> dict[str, Any]:
    """Published figures of one metric: a line, and the figures with the greatest differences."""
    listed = fold.rows[:LISTED]
    return {
        "told": told(fold, results),
        **dict(zip(("word", "style", "shape"), HELD[fold.held == fold.count], strict=True)),
        "metric": fold.metric,
        "scenario": fold.scenario,
        "rows": [(row.model, row.slice, *told_apart(row, results)) for row in listed],
        "more": len(fold.rows) - len(listed),
    }


def place_of(model: str, order: list[str]) -> int:
    return order.index(model) if model in order else len(order)
