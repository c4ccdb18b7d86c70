"""What ``genrec-eval data check`` prints."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from genrec_eval.cli.console import output
from genrec_eval.core.numbers import count, exact
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.quality.check import Checked
from genrec_eval.data.quality.finding import Finding

MARKS = {"ok": "ok", "note": "note", "warning": "PROBLEM"}
_STYLES = {"ok": "", "note": "yellow", "warning": "bold red"}
_SHARES = ("sparsity", "share")
_BAR = 40


def show(path: Path, kind: str, options: dict[str, Any], data: Dataset, checked: Checked) -> None:
    """Print all sections, the ratings, what the loader said and what was found."""
    console = output()
    given = ", ".join(f"{key}: {value}" for key, value in options.items())
    console.print(Text.assemble((str(path), "bold"), f": {data.name}, read as dataset: {kind} ({given})"))
    for line in (f"licence: {data.licence}", f"source: {data.source}", f"digest: {data.digest}"):
        if not line.endswith(": None"):
            console.print(Text(line))
    for section, facts in checked.sections.items():
        _table(console, section, [(name, _written(name, value)) for name, value in facts.items()])
    if checked.ratings is not None:
        _ratings(console, checked.ratings)
    if checked.told:
        console.print(Text("\nthe loader says", style="bold"))
        for line in checked.told:
            console.print(Text(f"  {line}"))
    _findings(console, checked.findings)


def _table(console: Console, title: str, rows: list[tuple[str, str]]) -> None:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    table.add_column()
    table.add_column(justify="right", overflow="fold")
    for name, value in rows:
        table.add_row(Text(name), Text(value))
    console.print(Text(f"\n{title}", style="bold"))
    console.print(table)


def _written(name: str, value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return count(value)
    if isinstance(value, float):
        # more digits than elsewhere: 99.99 % and 99.9 % differ by a factor of ten in what is there
        return f"{100 * value:.4g} %" if any(word in name for word in _SHARES) else exact(value)
    return str(value)


def _ratings(console: Console, ratings: dict[str, Any]) -> None:
    names = ("mean", "standard deviation", "distinct values")
    rows = [(name, _written(name, ratings[name])) for name in names]
    rows += [(f"quantile {name}", exact(value)) for name, value in ratings.get("quantiles", {}).items()]
    _table(console, "ratings", rows)
    counts = ratings.get("counts", {})
    if not counts:
        return
    most, total = max(counts.values()), sum(counts.values())
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 2))
    for column in range(4):
        table.add_column(justify="left" if column == 3 else "right")
    for value, n in counts.items():
        table.add_row(value, count(n), f"{100 * n / total:.3g} %", "#" * round(_BAR * n / most))
    console.print(table)


def _findings(console: Console, findings: list[Finding]) -> None:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("", "looked for", "found"):
        table.add_column(head, overflow="fold")
    order = ("warning", "note", "ok")
    for finding in sorted(findings, key=lambda finding: order.index(finding.severity)):
        examples = f"\n{'; '.join(finding.examples)}" if finding.examples else ""
        table.add_row(
            Text(MARKS[finding.severity], style=_STYLES[finding.severity]),
            Text(finding.name),
            Text(finding.sentence + examples),
        )
    console.print(Text("\nwhat looks wrong", style="bold"))
    console.print(table)
    wrong = sum(finding.severity == "warning" for finding in findings)
    notes = sum(finding.severity == "note" for finding in findings)
    said = f"{wrong} problem{'s' if wrong != 1 else ''} that a run would stumble over, {notes} to know of"
    console.print(Text(said if wrong or notes else "nothing looks wrong"))
