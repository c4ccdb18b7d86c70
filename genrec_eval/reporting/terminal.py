"""The result in the terminal: word first, symbol second, colour third; plain where there is no tty."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.numbers import count, figure, sign
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import (
    Outcome,
    alike,
    answer,
    as_planted,
    expected,
    only_foreseen,
    outcome,
    place,
    purpose_of,
    quiet,
    remarks,
    sentence,
    worst_first,
    would_decide,
    would_decide_all,
)
from genrec_eval.reporting.caution import cautions
from genrec_eval.reporting.claimed import bounded, controls, doubt, full_claim, to_be_had, units
from genrec_eval.reporting.compare import best, broken, is_ruled, is_validity, uneventful
from genrec_eval.reporting.console import plain, say, styled
from genrec_eval.reporting.contents.registered import plan_deviations, plan_sentence
from genrec_eval.reporting.controlled import Control, controlled
from genrec_eval.reporting.gaps import left_out
from genrec_eval.reporting.judged import asked_of, column_titles
from genrec_eval.reporting.reproduced import LISTED, Reproduced, folded, reproduced, told, told_apart
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import interval_name
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.reporting.titles import renamed

if TYPE_CHECKING:
    from rich.console import Console

_WORDS = {
    Outcome.FAILED: ("FAIL", "✗", "bold red"),
    Outcome.MISSED: ("NOT CAUGHT", "✗", "bold red"),
    Outcome.FINDING: ("FINDING", "▲", "red"),
    Outcome.UNDECIDED: ("INSUFFICIENT", "?", "yellow"),
    Outcome.NOT_RUN: ("NOT-RUN", "-", "dim"),
    Outcome.CAUGHT: ("CAUGHT", "✓", "green"),
    Outcome.HOLDS: ("PASS", "✓", "green"),
}
_MODEL_WIDTH = 18
_GAP = 2
_WIDE = 20
"""Letters of a head from which its parts stand in lines of their own."""
_MARKS = {
    "!": "fails a claim or check",
    "*": "better than every model without one: the paired interval excludes 0",
}
_STYLES = {"!": "red", "*": "bold", "": ""}


@dataclass(frozen=True, slots=True)
class _Telling:
    """What verdicts are told with: planted flaws, why to read them with care, and what the data hold."""

    planted: Mapping[str, Control]
    warned: Mapping[Verdict, str]
    had: Mapping[str, int]


Column = tuple[str, list[tuple[str, str]]]
"""Head, and (figure, mark) of each model."""


def print_results(
    estimates: Mapping[str, Any],
    console: Console,
    report: Path | None = None,
    run: Mapping[str, Any] | None = None,
) -> None:
    """Print figures with intervals, verdicts and what was not run.

    Parameters
    ----------
    estimates
        The parsed ``estimates.json``.
    console
        Where to print; its width decides how many metrics stand side by side.
    report
        The HTML report, named at the end.
    run
        The parsed ``run.json``: which models were made to fail, and what the data hold.
    """
    results = Results.read(estimates)
    for scenario in results.scenarios():
        _scenario(results, scenario, console)
    _not_run(results, console)
    for what, why in left_out(results):
        say(console, f"{line(what, 1000)}: {why}", "dim")
        console.print()
    _verdicts(results, console, run or {})
    if said := plan_sentence(run or {}):
        say(console, said)
        for _, departure in plan_deviations(run or {}):
            say(console, departure, "dim", indent=4)
    if report is not None:
        console.print(styled(console, f"Report: {report}", ""), soft_wrap=True)  # a path is copied whole


def print_trouble(
    estimates: Mapping[str, Any], console: Console, run: Mapping[str, Any] | None = None
) -> None:
    """Print what was not run or failed, and how the claims fared: for a quiet run that did not pass."""
    results = Results.read(estimates)
    _not_run(results, console)
    say(console, _sentence(results, controls(results, run or {}), run or {}))


def _scenario(results: Results, scenario: str, console: Console) -> None:
    models = results.meant(scenario)
    hidden, folded = _folded(results, scenario)
    shown = [
        metric
        for metric in results.metrics(scenario)
        if metric not in hidden and any(results.get(scenario, metric, model) for model in models)
    ]
    if not shown:
        return
    level = next(interval_name(row) for row in results.estimates if row.scenario == scenario)
    say(console, f"{scenario}: value ± half-width of its {level}", "bold")
    reasons: dict[str, int] = {}
    marks: set[str] = set()
    for heading, titles in _parts(results, scenario, shown):
        if heading:
            say(console, heading, "bold")
        columns = []
        for metric, title in titles.items():
            cells = _cells(results, (scenario, metric), reasons)
            head = plain(console, _head(results, metric, title))
            columns.append((head, [(plain(console, text), mark) for text, mark in cells]))
        marks |= _table(console, models, columns)
    for reason, number in reasons.items():
        say(console, f"[{number}] {reason}", "dim")
    for mark in (mark for mark in _MARKS if mark in marks):
        say(console, f"{mark} {_MARKS[mark]}", "dim")
    for said in folded:
        say(console, said, "dim")
    if marks or reasons or folded:
        console.print()


def _parts(results: Results, scenario: str, shown: list[str]) -> list[tuple[str, dict[str, str]]]:
    """(heading, metric → title): what checks hold every model to first, what judges said last."""
    asked = asked_of(results, scenario)
    judged = column_titles(asked)
    plain = [metric for metric in shown if metric not in judged]
    ruled = [metric for metric in plain if is_ruled(results, scenario, metric) and not is_validity(metric)]
    ruled.sort(key=lambda metric: not broken(results, scenario, metric))
    rest = [metric for metric in plain if metric not in ruled]
    parts = [
        ("held to rules" if rest else "", {metric: results.title(metric) for metric in ruled}),
        ("measured" if ruled else "", {metric: results.title(metric) for metric in rest}),
    ]
    questions = "; ".join(line(one.title, 200) for one in asked)
    parts.append((questions, {metric: title for metric, title in judged.items() if metric in shown}))
    return [(heading, titles) for heading, titles in parts if titles]


def _table(console: Console, models: list[str], columns: list[Column]) -> set[str]:
    """Print a table in as many parts as the width asks for; return the marks that it holds."""
    from rich.table import Table
    from rich.text import Text

    names = {model: plain(console, line(model, _MODEL_WIDTH)) for model in models}
    first = max(len(name) for name in [*names.values(), "model"])
    marks: set[str] = set()
    for block in _blocks(columns, console.width - first):
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
        table.add_column(Text("model"), no_wrap=True)
        for head, _ in block:
            table.add_column(Text(head), justify="right", overflow="fold")
        for position, model in enumerate(models):
            row = [Text(names[model])]
            for _, cells in block:
                text, mark = cells[position]
                marks.add(mark)
                row.append(Text(f"{text} {mark or ' '}", style=_STYLES[mark]))
            table.add_row(*row)
        console.print(table)
        console.print()
    return marks - {""}


def _folded(results: Results, scenario: str) -> tuple[frozenset[str], list[str]]:
    """Metrics of list validity that need no column, and what is said of them instead."""
    calm = uneventful(results, scenario)
    blank: dict[str, list[str]] = {}
    for metric in results.metrics(scenario):
        if is_validity(metric) and metric not in calm and (why := _unscored(results, scenario, metric)):
            blank.setdefault(why, []).append(metric)
    hidden = frozenset([*calm, *(metric for group in blank.values() for metric in group)])
    if len(hidden) == len(results.metrics(scenario)):
        return frozenset(), []  # a suite that asks for nothing else wants to see them

    def named(group: list[str]) -> str:
        return listing([results.title(metric) for metric in group])

    said = [f"no finding in {named(calm)}; the figures are in the report"] if calm else []
    return hidden, [*said, *(f"no figure in {named(group)}: {why}" for why, group in blank.items())]


def _unscored(results: Results, scenario: str, metric: str) -> str:
    """The one reason for which no model has a figure; empty where one has."""
    rows = [results.get(scenario, metric, model) for model in results.meant(scenario)]
    given = [row for row in rows if row is not None]
    if any(row.value is not None for row in given):
        return ""
    reasons = {line(row.reason or "no value") for row in given}
    return reasons.pop() if len(reasons) == 1 else ""


def _head(results: Results, metric: str, title: str) -> str:
    """The title with unit and direction; parameters stand in a line of their own."""
    arrow = {"higher": " ↑", "lower": " ↓"}.get(results.direction(metric), "")
    unit = sign(results.unit(metric))
    said = f"{line(title, 80)}{f' {unit}' if unit else ''}{arrow}"
    if len(said) <= _WIDE:
        return said
    return (
        said.replace(", ", ",\n", 1)
        .replace(": ", ":\n", 1)
        .replace("(", "\n(", 1)
        .replace(" against ", "\nagainst ", 1)
    )


def _cells(results: Results, of: tuple[str, str], reasons: dict[str, int]) -> list[tuple[str, str]]:
    """Figure and mark of each model."""
    scenario, metric = of
    top, faults = best(results, scenario, metric), broken(results, scenario, metric)
    cells: list[tuple[str, str]] = []
    for model in results.meant(scenario):
        row = results.get(scenario, metric, model)
        if row is None:
            cells.append((results.absent(scenario, model), ""))
            continue
        shown = figure(row.value, row.low, row.high, unit=results.unit(metric), reason=row.reason)
        if not shown.known:
            number = reasons.setdefault(line(shown.reason), len(reasons) + 1)
            cells.append((f"— [{number}]", ""))
            continue
        cells.append(
            (f"{shown.value} {shown.after}", "!" if model in faults else "*" if model in top else "")
        )
    return cells


def _blocks(columns: list[Column], room: int) -> list[list[Column]]:
    blocks: list[list[Column]] = [[]]
    used = 0
    for column in columns:
        head, cells = column
        width = max(len(text) for text in [*head.split("\n"), *(f"{cell}  " for cell, _ in cells)]) + _GAP
        if blocks[-1] and used + width > room - _GAP:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += width
    return blocks


def _verdicts(results: Results, console: Console, run: Mapping[str, Any]) -> None:
    flaws, had = controls(results, run), to_be_had(run)
    rows = worst_first(results.verdicts)
    foreseen = expected(rows)
    planted, warned = controlled(results, flaws), cautions(results, run)
    say(console, _sentence(results, flaws, run), "bold")
    for alarm in (one.alarm for one in planted.values() if one.missed):
        console.print(styled(console, "NOT FOUND ! ", "bold red").append(plain(console, alarm)))
    loud = [
        row for row in rows if not quiet(row) and not folded(row) and (row.gate or place(row) not in foreseen)
    ]
    for row in sorted(loud, key=lambda one: as_planted(one, flaws)):  # stable: what was planted comes last
        _verdict(results, row, console, _Telling(planted, warned, had))
    _reproduced(results, console)
    for kind, scenario, checks in alike(rows):
        if kind is not Outcome.HOLDS:  # those of a scenario are mostly open for one reason, its few units
            word, symbol, style = _WORDS[kind]
            claims = "; ".join(dict.fromkeys(line(row.claim, 200) for row in checks))
            models = _models(results, scenario, [row.model for row in checks])
            text = styled(console, f"{word} {symbol} ", style)
            console.print(text.append(plain(console, f"{claims} · {models}{_where(results, scenario)}")))
            bounds = bounded(results, checks, had)
            explained = {id(row) for group in bounds.values() for row in group}
            others = [row for row in checks if id(row) not in explained]
            for said in bounds:
                say(console, said, "dim", indent=4)
            if others:
                first = f"{'' if len(checks) == 1 else 'such as: '}{line(others[0].reason)}"
                why = ". ".join(filter(None, (first, would_decide_all(others))))
                say(console, why, "dim", indent=4)
    if foreseen:
        known = plural(len(foreseen), "built-in check")
        how = "expects" if only_foreseen(rows, foreseen) else "tells"
        say(console, f"FINDING {known} {'finds' if len(foreseen) == 1 else 'find'} what a claim {how}")
    if held := sum(quiet(row) and outcome(row) is Outcome.HOLDS for row in rows):
        say(console, f"PASS {plural(held, 'built-in check')} without a finding")
    console.print()


def _reproduced(results: Results, console: Console) -> None:
    """Published figures that came with the data: one line per metric, and each of them where they are few."""
    found = reproduced(results.verdicts)
    if found and sum(len(fold.rows) for fold in found) <= LISTED:
        _figures(results, found, console)
    for fold in found:
        kind = Outcome.HOLDS if fold.held == fold.count else Outcome.FAILED
        word, symbol, style = _WORDS[kind]
        text = styled(console, f"{word} {symbol} ", style)
        console.print(text.append(plain(console, told(fold, results) + _where(results, fold.scenario))))


def _figures(results: Results, found: list[Reproduced], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
    for head in ("figure", "model"):
        table.add_column(Text(head), overflow="fold")
    for head in ("ours", "published", "difference"):
        table.add_column(Text(head), justify="right", no_wrap=True)
    for fold in found:
        for row in fold.rows:
            where = "" if row.slice == "all" else f" · {line(row.slice, 60)}"
            named = [results.title(row.metric), f"{line(row.model, 60)}{where}", *told_apart(row, results)]
            table.add_row(*(Text(plain(console, text)) for text in named))
    console.print(table)
    console.print()


def _sentence(results: Results, flaws: Mapping[str, str], run: Mapping[str, Any]) -> str:
    # What was not run stands in lines of its own just above.
    if not results.estimates and not results.verdicts:
        return answer(results)
    return sentence(results.verdicts, flaws, purpose=purpose_of(run), warned=cautions(results, run))


def _verdict(results: Results, row: Verdict, console: Console, of: _Telling) -> None:
    word, symbol, style = _WORDS[outcome(row)]
    text = styled(console, f"{word} {symbol} ", style)
    lead = "does not hold: " if outcome(row) in {Outcome.FAILED, Outcome.FINDING} else ""
    where = _where(results, row.scenario)
    behind = units(results, row)
    tested, title = full_claim(results, row), line(row.claim, 200)
    n = f" ({behind})" if behind else ""
    doubted = doubt(results, row)
    # A title that says something else than was tested comes after it, as what its author said.
    first, second = (f"{tested}{n}", f"title: “{title}”") if doubted else (title, f"tested: {tested}{n}")
    text.append(plain(console, f"{lead}{first} · {line(row.model, 60)}{where}"))
    if row.slice != "all":
        text.append(plain(console, f" · {line(row.slice, 60)}"))
    console.print(text)
    made = of.planted[row.model].tag(row) if row.model in of.planted else ""
    needed = would_decide(row, of.had.get(row.scenario))
    why = line(renamed(row.reason, row.model, row.metric, results.title(row.metric)))
    for detail in filter(None, (second, doubted, why, needed, made)):
        say(console, detail, "dim", indent=4)
    if row in of.warned:
        say(console, of.warned[row], "yellow", indent=4)


def _models(results: Results, scenario: str, models: list[str]) -> str:
    distinct = list(dict.fromkeys(models))
    if len(distinct) > 2 and set(distinct) == set(results.meant(scenario)):
        return f"all {len(distinct)} models"
    return listing([line(model, 60) for model in distinct])


def _where(results: Results, scenario: str) -> str:
    return f" · {line(scenario, 60)}" if len(results.scenarios()) > 1 else ""


def _not_run(results: Results, console: Console) -> None:
    told: dict[tuple[str, str, str], list[str]] = {}
    for row in results.coverage:
        if row.state == "run" and not row.reason:
            continue
        if results.left_out(row):
            continue
        word = {"not-run": "NOT-RUN", "partial": "PARTIAL", "run": "ERRORS"}[row.state]
        why = line(row.reason or "no reason", 1000).replace(f"model '{row.model}'", "the model")
        if row.state == "partial":
            why += f" ({count(row.answered)} of {count(row.attempted)} answered)"
        told.setdefault((word, row.scenario, why), []).append(row.model)
    for (word, scenario, why), models in told.items():
        who = _models(results, scenario, models)
        say(console, f"{word} - {who} in {line(scenario, 60)}: {why}", "yellow")
    for who, said in remarks(results):
        say(console, f"NOTE - {who}: {said}", "yellow")
    if told or remarks(results):
        console.print()
