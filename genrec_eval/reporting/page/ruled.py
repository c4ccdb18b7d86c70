"""Verdicts as cards and rows of the report."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from genrec_eval.core.numbers import bound
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import RED, Outcome, as_planted, outcome, rule, would_decide
from genrec_eval.reporting.claimed import bounded, doubt, figure_of, full_claim, units
from genrec_eval.reporting.controlled import Control
from genrec_eval.reporting.reproduced import LISTED, Reproduced, told, told_apart
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import SHAPES, lines_at
from genrec_eval.reporting.svg import Scale, gauge
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.reporting.titles import renamed
from genrec_eval.suite.rule import PAIRED

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
    tested: str
    """The sentence that was decided, beside the title that its author gave it."""
    units: str
    """Whether the figure is a difference, n and how many were excluded."""
    doubt: str
    """Where the title says something else than was tested: what was tested then stands before it."""
    reason: str
    """Why, with the title of the metric."""
    caution: str = ""
    """Why the verdict is to be read with care."""
    control: bool = False
    """A flaw found in a model made to fail."""


@dataclass(frozen=True, slots=True)
class Fold:
    """Rows that are worth a line that unfolds; what explains many of them at once is said once.

    Attributes
    ----------
    once
        (sentence, (claim, models) of each) for checks in which nothing was found and too little asked.
    """

    rows: list[Ruled]
    told: str
    once: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = ()
    loud: Ruled | None = None

    @property
    def first(self) -> Ruled:
        """Whose verdict the line shows."""
        return self.loud or self.rows[0]


@dataclass(frozen=True, slots=True)
class Telling:
    """What the verdicts of a run are told with.

    Attributes
    ----------
    order
        Models, in the order of the report.
    controls
        Models made to fail, and what came of it.
    cautions
        Why verdicts are to be read with care.
    had
        Scenario → users that its data hold.
    """

    results: Results
    order: list[str]
    flaws: Mapping[str, str]
    controls: Mapping[str, Control]
    cautions: Mapping[Verdict, str]
    had: Mapping[str, int]


def ruled(with_: Telling, verdict: Verdict) -> Ruled:
    results, order, flaws = with_.results, with_.order, with_.flaws
    kind = outcome(verdict)
    control = as_planted(verdict, flaws)
    shape, style = SHAPES[verdict.verdict]
    tag = {
        Outcome.FAILED: "",
        Outcome.MISSED: "planted flaw not caught",
        Outcome.FINDING: "built-in check",
        Outcome.CAUGHT: "caught as expected",
    }.get(kind, "" if verdict.gate else "built-in check")
    if verdict.model in with_.controls and kind is not Outcome.CAUGHT:
        tag = "; ".join(filter(None, (tag, with_.controls[verdict.model].tag(verdict))))
    if kind in {Outcome.CAUGHT, Outcome.MISSED}:
        # The word on the page follows what was expected; the ruling itself stands in the tag.
        shape, style = ("v-pass", "pass") if kind is Outcome.CAUGHT else ("v-fail", "fail")
    if control:
        style = "none"  # what was planted is no alarm about any system
    word = {Outcome.CAUGHT: "CAUGHT", Outcome.MISSED: "NOT CAUGHT", Outcome.FINDING: "FINDING"}.get(
        kind, str(verdict.verdict)
    )
    unit = results.unit(verdict.metric)
    paired = verdict.rule in PAIRED
    shown = figure_of(results, verdict)
    position = place_of(verdict.model, order)
    drawing = Markup("")
    direction = verdict.direction or results.direction(verdict.metric)
    against = lines_at(verdict.rule, verdict.margin, direction)
    if shown.known and verdict.value is not None and verdict.low is not None and verdict.high is not None:
        zero = 0.0 if verdict.baseline is not None or verdict.low >= 0 else None
        scale = Scale.covering([verdict.low, verdict.high, *against, zero])
        label = f"{shown}, asked: {rule(verdict, results)}"
        low_end, high_end = scale.ends(unit)
        rules = [(at, f"asked {bound(at, unit, paired)}" if at else "no difference") for at in against]
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
        needed=would_decide(verdict, with_.had.get(verdict.scenario)),
        drawing=drawing,
        where=(verdict.where or "").replace("\\", "/").rpartition("/")[2],
        position=position,
        tested=full_claim(results, verdict),
        units=units(results, verdict),
        doubt=doubt(results, verdict),
        reason=renamed(verdict.reason, verdict.model, verdict.metric, results.title(verdict.metric)),
        caution=with_.cautions.get(verdict, ""),
        control=control,
    )


def folds(
    rows: list[Ruled], results: Results, had: Mapping[str, int], claimed: str = "found what a claim expects"
) -> list[Fold]:
    # Built-in checks without a finding are worth a line that unfolds, not a row each.
    found: dict[Outcome, list[Ruled]] = {}
    for row in rows:
        found.setdefault(outcome(row.verdict), []).append(row)
    said = {
        Outcome.FINDING: claimed,
        Outcome.UNDECIDED: "could not be decided",
        Outcome.NOT_RUN: "could not be run",
    }
    return [
        _fold(
            group,
            f"{plural(len(group), 'built-in check')} {said.get(kind, 'without a finding')}",
            results,
            had,
        )
        for kind, group in found.items()
    ]


def _fold(group: list[Ruled], told: str, results: Results, had: Mapping[str, int]) -> Fold:
    once = []
    alike = bounded(results, [row.verdict for row in group], had)
    for sentence, verdicts in alike.items():
        whose: dict[str, list[str]] = {}
        for verdict in verdicts:
            whose.setdefault(verdict.claim, []).append(line(verdict.model, 80))
        once.append((sentence, tuple((line(claim, 300), listing(names)) for claim, names in whose.items())))
    explained = {id(verdict) for verdicts in alike.values() for verdict in verdicts}
    rest = [row for row in group if id(row.verdict) not in explained]
    return Fold(rest, told, tuple(once), None if rest else group[0])


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
