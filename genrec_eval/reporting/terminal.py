"""The result in the terminal: word first, symbol second, colour third; plain where there is no tty."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.numbers import MINUS, count, figure, sign
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import (
    Outcome,
    alike,
    answer,
    outcome,
    quiet,
    sentence,
    worst_first,
    would_decide,
)
from genrec_eval.reporting.compare import best
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import interval_name
from genrec_eval.reporting.text import line, listing, plural

if TYPE_CHECKING:
    from rich.console import Console
    from rich.text import Text

_WORDS = {
    Outcome.FAILED: ("FAIL", "✗", "bold red"),
    Outcome.MISSED: ("NOT CAUGHT", "✗", "bold red"),
    Outcome.FINDING: ("FINDING", "▲", "red"),
    Outcome.UNDECIDED: ("INSUFFICIENT", "?", "yellow"),
    Outcome.NOT_RUN: ("NOT-RUN", "-", "dim"),
    Outcome.CAUGHT: ("CAUGHT", "✓", "green"),
    Outcome.HOLDS: ("PASS", "✓", "green"),
}
_PLAIN = str.maketrans(
    {"±": "~", MINUS: "-", "—": "-", "–": "-", "↑": "^", "↓": "v", "·": ",", "…": ".", "×": "x"}
)
_MODEL_WIDTH = 18
_GAP = 2


def print_results(estimates: Mapping[str, Any], console: Console, report: Path | None = None) -> None:
    """Print figures with intervals, verdicts and what was not run.

    Parameters
    ----------
    estimates
        The parsed ``estimates.json``.
    console
        Where to print; its width decides how many metrics stand side by side.
    report
        The HTML report, named at the end.
    """
    results = Results.read(estimates)
    for scenario in results.scenarios():
        _scenario(results, scenario, console)
    _not_run(results, console)
    _verdicts(results, console)
    if report is not None:
        console.print(_styled(console, f"Report: {report}", ""), soft_wrap=True)  # a path is copied whole


def print_trouble(estimates: Mapping[str, Any], console: Console) -> None:
    """Print what was not run or failed, and how the claims fared: for a quiet run that did not pass."""
    results = Results.read(estimates)
    _not_run(results, console)
    _line(console, _sentence(results))


def _scenario(results: Results, scenario: str, console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    models = results.meant(scenario)
    reasons: dict[str, int] = {}
    columns = [
        (
            metric,
            _plain(console, _head(results, metric)),
            [(_plain(console, text), top) for text, top in _cells(results, (scenario, metric), reasons)],
        )
        for metric in results.metrics(scenario)
        if any(results.get(scenario, metric, model) for model in models)
    ]
    if not columns:
        return
    level = next(interval_name(row) for row in results.estimates if row.scenario == scenario)
    _line(console, f"{scenario}: value ± half-width of its {level}", "bold")
    names = {model: _plain(console, line(model, _MODEL_WIDTH)) for model in models}
    first = max(len(name) for name in [*names.values(), "model"])
    marked = False
    for block in _blocks(columns, console.width - first):
        table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="bold")
        table.add_column(Text("model"), no_wrap=True)
        for _, head, _ in block:
            table.add_column(Text(head), justify="right", overflow="fold")
        for position, model in enumerate(models):
            row = [Text(names[model])]
            for _, _, cells in block:
                text, is_best = cells[position]
                marked = marked or is_best
                row.append(Text(text, style="bold" if is_best else ""))
            table.add_row(*row)
        console.print(table)
        console.print()
    for reason, number in reasons.items():
        _line(console, f"[{number}] {reason}", "dim")
    if marked:
        _line(console, "* better than every model without one: the paired interval excludes 0", "dim")
    if marked or reasons:
        console.print()


def _head(results: Results, metric: str) -> str:
    arrow = {"higher": " ↑", "lower": " ↓"}.get(results.direction(metric), "")
    unit = sign(results.unit(metric))
    return line(f"{results.title(metric)}{f' {unit}' if unit else ''}{arrow}", 40)


def _cells(results: Results, of: tuple[str, str], reasons: dict[str, int]) -> list[tuple[str, bool]]:
    scenario, metric = of
    top = best(results, scenario, metric)
    cells: list[tuple[str, bool]] = []
    for model in results.meant(scenario):
        row = results.get(scenario, metric, model)
        if row is None:
            cells.append((results.absent(scenario, model), False))
            continue
        shown = figure(row.value, row.low, row.high, unit=results.unit(metric), reason=row.reason)
        if not shown.known:
            number = reasons.setdefault(line(shown.reason), len(reasons) + 1)
            cells.append((f"— [{number}]", False))
            continue
        spread = shown.spread if shown.spread.startswith("±") else f"({shown.low}–{shown.high})"
        cells.append((f"{shown.value} {spread}{' *' if model in top else '  '}", model in top))
    return cells


def _blocks(columns: list[tuple[str, str, list[tuple[str, bool]]]], room: int) -> list[list[Any]]:
    blocks: list[list[Any]] = [[]]
    used = 0
    for column in columns:
        width = max(len(text) for text in [column[1], *(cell for cell, _ in column[2])]) + _GAP
        if blocks[-1] and used + width > room - _GAP:
            blocks.append([])
            used = 0
        blocks[-1].append(column)
        used += width
    return blocks


def _verdicts(results: Results, console: Console) -> None:
    from rich.padding import Padding

    rows = worst_first(results.verdicts)
    _line(console, _sentence(results), "bold")
    for row in rows:
        if not quiet(row):
            _verdict(results, row, console)
    # Four checks may be open for one reason: claims and reason are said once.
    groups: dict[tuple[Outcome, str, str], list[str]] = {}
    for kind, claim, checks in alike(rows):
        if kind is not Outcome.HOLDS:
            models = listing(list(dict.fromkeys(line(row.model, 60) for row in checks)))
            why = ". ".join(filter(None, (line(checks[0].reason), would_decide(checks[0]))))
            groups.setdefault((kind, models, why), []).append(line(claim, 200))
    for (kind, models, why), claims in groups.items():
        word, symbol, style = _WORDS[kind]
        text = _styled(console, f"{word} {symbol} ", style)
        console.print(text.append(_plain(console, f"{'; '.join(claims)} · {models}")))
        console.print(Padding(_styled(console, why, "dim"), (0, 0, 0, 4), expand=False))
    if held := sum(quiet(row) and outcome(row) is Outcome.HOLDS for row in rows):
        _line(console, f"PASS {plural(held, 'built-in check')} without a finding")
    console.print()


def _sentence(results: Results) -> str:
    # What was not run stands in lines of its own just above.
    return sentence(results.verdicts) if results.estimates or results.verdicts else answer(results)


def _verdict(results: Results, row: Verdict, console: Console) -> None:
    from rich.padding import Padding

    word, symbol, style = _WORDS[outcome(row)]
    text = _styled(console, f"{word} {symbol} ", style)
    lead = "does not hold: " if outcome(row) in {Outcome.FAILED, Outcome.FINDING} else ""
    text.append(_plain(console, f"{lead}{line(row.claim, 200)} · {line(row.model, 60)}"))
    if row.slice != "all":
        text.append(_plain(console, f" · {line(row.slice, 60)}"))
    console.print(text)
    for detail in filter(None, (line(row.reason), would_decide(row))):
        console.print(Padding(_styled(console, detail, "dim"), (0, 0, 0, 4), expand=False))


def _not_run(results: Results, console: Console) -> None:
    told: dict[tuple[str, str, str], list[str]] = {}
    for row in results.coverage:
        if row.state == "run" and not row.reason:
            continue
        word = {"not-run": "NOT-RUN", "partial": "PARTIAL", "run": "ERRORS"}[row.state]
        why = line(row.reason or "no reason", 1000).replace(f"model '{row.model}'", "the model")
        if row.state == "partial":
            why += f" ({count(row.answered)} of {count(row.attempted)} answered)"
        told.setdefault((word, row.scenario, why), []).append(line(row.model, 60))
    for (word, scenario, why), models in told.items():
        _line(console, f"{word} - {listing(models)} in {line(scenario, 60)}: {why}", "yellow")
    if told:
        console.print()


def _line(console: Console, text: str, style: str = "") -> None:
    # Text, never markup: names and reasons come from strangers.
    console.print(_styled(console, text, style))


def _styled(console: Console, text: str, style: str) -> Text:
    from rich.text import Text

    return Text(_plain(console, text), style=style)


def _plain(console: Console, text: str) -> str:
    if not console.options.ascii_only:
        return text
    return text.replace("±", "+/-").translate(_PLAIN).encode("ascii", "replace").decode()
