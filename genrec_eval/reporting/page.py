"""What the report template is given: the sections, in the order of the page."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from markupsafe import Markup, escape

from genrec_eval.core.numbers import bound, figure, fixed
from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting import facts
from genrec_eval.reporting.answer import (
    RED,
    Outcome,
    answer,
    expected,
    outcome,
    place,
    quiet,
    remarks,
    rule,
    worst_first,
    would_decide,
)
from genrec_eval.reporting.compare import is_ruled, is_validity, uneventful
from genrec_eval.reporting.curves import Curve, curves
from genrec_eval.reporting.differences import difference_tables
from genrec_eval.reporting.distributions import Distribution, distributions, is_mean
from genrec_eval.reporting.exchanges import Exchange, exchanges
from genrec_eval.reporting.experiment import Watch, watches
from genrec_eval.reporting.gaps import not_tested, not_tested_groups
from genrec_eval.reporting.groundings import TIERS, Grounded, groundings
from genrec_eval.reporting.judged import is_judged
from genrec_eval.reporting.judges import Judges, judges
from genrec_eval.reporting.pieces import FLAG, VERDICTS
from genrec_eval.reporting.protocol import Leak, leaks, protocol
from genrec_eval.reporting.reproduced import LISTED, Reproduced, folded, reproduced, told, told_apart
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.svg import Scale, bars, definitions, gauge, key
from genrec_eval.reporting.tables import (
    Table,
    blocks,
    group_tables,
    groups_of,
    interval_name,
    matrix,
)
from genrec_eval.reporting.text import listing, plural, visible
from genrec_eval.reporting.texts import Texts, texts

_SHAPES = {
    Ruling.PASS: ("v-pass", "pass"),
    Ruling.FAIL: ("v-fail", "fail"),
    Ruling.INSUFFICIENT: ("v-open", "open"),
    Ruling.NOT_RUN: ("v-none", "none"),
}
_HELD = {True: ("PASS", "pass", "v-pass"), False: ("FAIL", "fail", "v-fail")}
_FOLDED = 8
"""Groups with more values than this start folded."""


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


@dataclass(frozen=True, slots=True)
class Spread:
    """The distribution of one metric: a histogram per model on one scale."""

    title: str
    metric: str
    ends: tuple[str, str]
    unit: str
    rows: tuple[tuple[str, int, Markup, str], ...]


@dataclass(frozen=True, slots=True)
class Section:
    """All there is on one scenario."""

    name: str
    anchor: str
    intervals: str
    matrix: list[Table]
    validity: list[Table]
    calm: list[Table]
    """Of the checks of the lists that found nothing."""
    calm_names: str
    differences: list[Table]
    check_differences: list[Table]
    groups: list[tuple[str, list[Table], list[Table], bool]]
    judges: Judges | None
    texts: Texts | None
    spreads: list[Spread]
    undistributed: list[str]
    grounded: list[Grounded]
    exchanges: list[Exchange]
    protocol: list[tuple[str, str]]
    leaks: list[Leak]
    curves: list[Curve]
    watches: list[Watch]


def page(results: Results, run: Mapping[str, Any], directory: Path) -> dict[str, Any]:
    """Assemble everything that the template shows.

    Parameters
    ----------
    results
        Estimates, verdicts and coverage.
    run
        The parsed ``run.json``; any key may be missing.
    directory
        The run directory, for scores and records.
    """
    order = results.models()
    flaws = _planted(results, run)
    told_alone = (verdict for verdict in worst_first(results.verdicts) if not folded(verdict))
    rows = [_ruled(results, verdict, order, flaws) for verdict in told_alone]
    known = expected(results.verdicts)
    foreseen = [row for row in rows if not row.verdict.gate and place(row.verdict) in known]
    spread = distributions(directory / "scores.parquet")
    quoted = exchanges(directory)
    grounded = groundings(directory)
    suite = mapping(run.get("suite"))
    head, body = facts.play(run)
    metrics = list(dict.fromkeys(row.metric for row in results.estimates))
    sections = [
        _section(results, scenario, number, order, spread, grounded, quoted, run, directory, flaws)
        for number, scenario in enumerate(results.scenarios(), 1)
        if results.metrics(scenario) or any(exchange.scenario == scenario for exchange in quoted)
    ]
    return {
        "shapes": definitions(),
        "run": results.run,
        "footer": "".join(letter for letter in results.run if letter.isalnum() or letter in "-_.")[:60],
        "name": str(suite.get("name") or results.run),
        "about": str(suite.get("description") or ""),
        "when": facts.moment(run.get("finished") or run.get("created")),
        "sentence": answer(results),
        "remarks": remarks(results),
        "verdicts_of_claims": [*VERDICTS.values(), FLAG],
        "cards": [row for row in rows if outcome(row.verdict) in RED and row not in foreseen],
        "rest": [row for row in rows if outcome(row.verdict) not in RED and not quiet(row.verdict)],
        "reproduced": [_published(results, fold) for fold in reproduced(results.verdicts)],
        "quiet": _folds([*foreseen, *(row for row in rows if quiet(row.verdict))]),
        "several": len(results.scenarios()) > 1,
        "models": {name: position for position, name in enumerate(order)},
        "keys": {name: key(position) for position, name in enumerate(order)},
        "flaws": flaws,
        "tested": facts.tested(results, run),
        "untested": not_tested(results),
        "untested_groups": not_tested_groups(results),
        "sections": sections,
        "definitions": [(m, results.title(m), results.definition(m)) for m in metrics],
        "anchors": {m: f"d{number}" for number, m in enumerate(metrics, 1)},
        "titles": {m: results.title(m) for m in [*metrics, *(row.metric for row in results.verdicts)]},
        "places": {section.name: section.anchor for section in sections},
        "text_places": _text_places(sections),
        "tiers": TIERS,
        "br": Markup("<br>"),
        "headed": _headed,
        "play_head": head,
        "play_body": body,
        "provenance": facts.provenance(results, run),
        "suite": facts.suite_text(run),
        "limits": facts.limits(results, run),
    }


def _section(
    results: Results,
    scenario: str,
    number: int,
    order: list[str],
    spread: Mapping[tuple[str, str, str], Distribution],
    grounded: list[Grounded],
    quoted: list[Exchange],
    run: Mapping[str, Any],
    directory: Path,
    flaws: Mapping[str, str],
) -> Section:
    judged = [m for m in results.metrics(scenario) if is_judged(results.definition(m))]
    metrics = [m for m in results.metrics(scenario) if m not in judged]
    calm = uneventful(results, scenario)
    written = texts(results, run, directory, scenario, flaws)
    spreads, undistributed = _spreads(results, scenario, order, spread)
    plain = [m for m in metrics if not is_validity(m)]
    ruled = [m for m in plain if is_ruled(results, scenario, m)]
    groups = []
    for group in groups_of(results, scenario):
        tables = group_tables(results, scenario, group, [*plain, *judged], order)
        lists = group_tables(results, scenario, group, [m for m in metrics if is_validity(m)], order)
        longest = max((table.height for table in [*tables, *lists]), default=0)
        groups.append((group, tables, lists, longest > _FOLDED * len(order)))
    return Section(
        name=scenario,
        anchor=f"s{number}",
        intervals=_intervals(results, scenario),
        matrix=[
            *matrix(results, scenario, ruled, order),
            *matrix(results, scenario, [m for m in plain if m not in ruled], order),
        ],
        validity=matrix(results, scenario, [m for m in metrics if is_validity(m) and m not in calm], order),
        calm=matrix(results, scenario, calm, order),
        calm_names=listing([results.title(m) for m in calm]),
        differences=difference_tables(results, scenario, [*plain, *judged], order),
        check_differences=difference_tables(results, scenario, [m for m in metrics if is_validity(m)], order),
        groups=groups,
        judges=judges(results, run, directory, scenario, order),
        texts=written,
        spreads=spreads,
        undistributed=undistributed,
        grounded=sorted(
            (row for row in grounded if row.scenario == scenario), key=lambda row: _place(row.model, order)
        ),
        exchanges=sorted(
            (
                exchange
                for exchange in quoted
                # texts that went well stand beside their evidence
                if exchange.scenario == scenario and not (exchange.status == "ok" and written)
            ),
            key=lambda exchange: (exchange.status == "ok", _place(exchange.model, order)),
        ),
        protocol=protocol(run, scenario),
        leaks=leaks(run, scenario),
        curves=curves(results, scenario, order),
        watches=watches(run, scenario),
    )


def _intervals(results: Results, scenario: str) -> str:
    rows = [row for row in results.estimates if row.scenario == scenario and row.interval]
    levels = list(dict.fromkeys(interval_name(row) + "s" for row in rows))
    methods = list(dict.fromkeys(str(row.interval).partition(", ")[0] for row in rows))
    return f"{listing(levels)} ({listing(methods)})" if rows else "intervals"


def _published(results: Results, fold: Reproduced) -> dict[str, Any]:
    """Published figures of one metric: a line, and the figures with the greatest differences."""
    listed = fold.rows[:LISTED]
    return {
        "told": told(fold, results),
        **dict(zip(("word", "style", "shape"), _HELD[fold.held == fold.count], strict=True)),
        "metric": fold.metric,
        "scenario": fold.scenario,
        "rows": [(row.model, row.slice, *told_apart(row, results)) for row in listed],
        "more": len(fold.rows) - len(listed),
    }


def _planted(results: Results, run: Mapping[str, Any]) -> dict[str, str]:
    """Model → its planted flaw, by the title of the measure that is to find it."""
    titles = {str(one.get("name")): str(one.get("title")) for one in results.definitions.values()}
    return {model: titles.get(flaw, flaw.replace("_", " ")) for model, flaw in facts.planted(run).items()}


def _text_places(sections: list[Section]) -> dict[tuple[str, str], str]:
    """(scenario, model) → anchor of its texts."""
    return {
        (section.name, writer.model): f"{section.anchor}t{number}"
        for section in sections
        if section.texts is not None
        for number, writer in enumerate(section.texts.writers, 1)
    }


def _headed(title: str) -> Markup:
    """The title of a metric, which may break before its cutoff and among its parameters."""
    # Escaped first: no entity holds any of these signs.
    return Markup(re.sub(r"(?<=[(,=])|(?=@)", "<wbr>", str(escape(visible(title)))))


def _place(model: str, order: list[str]) -> int:
    return order.index(model) if model in order else len(order)


def _folds(rows: list[Ruled]) -> list[tuple[list[Ruled], str]]:
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


def _ruled(results: Results, verdict: Verdict, order: list[str], flaws: Mapping[str, str]) -> Ruled:
    kind = outcome(verdict)
    shape, style = _SHAPES[verdict.verdict]
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
    position = _place(verdict.model, order)
    drawing = Markup("")
    against = _signed(verdict, results)
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


def _signed(verdict: Verdict, results: Results) -> tuple[float, ...]:
    # Where the margin lies on the scale of the figure, which for a comparison is model minus baseline.
    turn = -1 if (verdict.direction or results.direction(verdict.metric)) == "lower" else 1
    return {
        "better_by": (turn * verdict.margin,),
        "not_worse_by": (-turn * verdict.margin,),
        "within": (-verdict.margin, verdict.margin),
    }.get(verdict.rule, (verdict.margin,))


def _spreads(
    results: Results,
    scenario: str,
    order: list[str],
    spread: Mapping[tuple[str, str, str], Distribution],
) -> tuple[list[Spread], list[str]]:
    found: list[Spread] = []
    left: dict[str, list[str]] = {}
    for block in blocks(results.metrics(scenario)):
        for metric in block:
            rows = {
                model: spread[model, scenario, metric]
                for model in order
                if (model, scenario, metric) in spread
            }
            if not rows:
                continue
            values = {model: results.get(scenario, metric, model) for model in rows}
            title = results.title(metric)
            if all(row.binary for row in rows.values()):
                left.setdefault("0 or 1 for every unit, so that the share says all", []).append(title)
            elif not any(is_mean(row, e.value) for model, row in rows.items() if (e := values[model])):
                left.setdefault("a figure of the whole run and not a mean over units", []).append(title)
            elif all(row.constant for row in rows.values()):
                left.setdefault("the same for every unit", []).append(title)
            else:
                found.append(_spread(results, metric, rows, order))
    return found, [f"{listing(names)} ({why})" for why, names in left.items()]


def _spread(results: Results, metric: str, rows: Mapping[str, Distribution], order: list[str]) -> Spread:
    unit = results.unit(metric)
    factor = 100.0 if unit == "share" else 1.0
    top = max(max(row.shares) for row in rows.values())
    first = next(iter(rows.values()))
    places = max(0, 2 - math.ceil(math.log10((first.high - first.low) * factor)))
    lines = []
    for model, row in rows.items():
        middle = ", ".join(fixed(value * factor, places) for value in row.quartiles)
        at_zero = f"{row.zero / row.n:.0%} at 0".replace("%", " %")
        label = f"{plural(row.n, 'unit')}, quartiles {middle}, {at_zero}"
        if row.zero == row.n:
            lines.append((model, order.index(model), Markup(""), "all at 0"))
            continue
        note = f"{at_zero} · quartiles {middle}" if row.zero else f"quartiles {middle}"
        position = order.index(model)
        lines.append((model, position, bars(row.shares, top, position, label), note))
    ends = (fixed(first.low * factor, places), fixed(first.high * factor, places))
    return Spread(results.title(metric), metric, ends, "%" if unit == "share" else unit, tuple(lines))
