"""The comparison in the terminal: what differs, what was paired, what changed, what is missing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from genrec_eval.audit.comparing.types import Change, Comparison, Difference
from genrec_eval.core.numbers import count, rough
from genrec_eval.reporting.comparison.words import (
    DECIDED,
    KINDS,
    WORDS,
    answer,
    by_group,
    caution,
    figure_of,
    flip_groups,
    flip_rows,
    moved,
    none,
    overall,
    sides,
    support,
    tally,
    unmoved,
    where,
)
from genrec_eval.reporting.console import plain, say, styled
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, plural

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    Change.WORSE: "bold red",
    Change.BETTER: "green",
    Change.DIFFERENT: "yellow",
    Change.INCONCLUSIVE: "yellow",
    Change.EQUIVALENT: "",
    Change.UNCHANGED: "",
    Change.NOT_COMPARED: "dim",
}
_NARROW = 110
"""Columns below which rows are lines and no table."""
_CALM = 6
"""Up to so many figures that did not change stand in rows of their own."""


def print_comparison(comparison: Comparison, console: Console) -> None:
    """Print what differs beside the answers, what was paired, what changed, flips, and what is missing.

    Parameters
    ----------
    comparison
        The comparison.
    console
        Where to print; its width decides between a table and lines.
    """
    say(console, f"{line(comparison.candidate, 300)} against {line(comparison.reference, 300)}", "bold")
    say(console, answer(comparison), "bold")
    for said in comparison.remarks:
        say(console, line(said, 600))
    console.print()
    _settings(comparison, console)
    _pairs(comparison, console)
    _differences(comparison, overall(comparison), console)
    for name, rows in by_group(comparison).items():
        say(console, f"By {line(name, 60)}: {tally(rows, 'figure')}", "bold")
        decided = [row for row in rows if row.change in DECIDED]
        if decided:
            _differences(comparison, decided, console)
        else:
            console.print()
    _flips(comparison, console)
    _missing(comparison, console)


def _settings(comparison: Comparison, console: Console) -> None:
    if warning := caution(comparison):
        text = styled(console, "WARNING ! ", "bold red")
        console.print(text.append(plain(console, warning)))
    if not comparison.settings:
        say(console, "No setting differs between the two runs.", "dim")
        console.print()
        return
    say(console, "Settings that differ", "bold")
    for setting in comparison.settings:
        mark = "unsound ! " if setting.unsound else ""
        values = f"{line(none(setting.reference), 120)} → {line(none(setting.candidate), 120)}"
        name = f"{line(setting.what, 60)} {line(setting.name, 120)}"
        text = styled(console, mark, "red")
        console.print(text.append(plain(console, f"{name}: {values}")))
        if setting.unsound:
            say(console, line(setting.unsound, 1000), "dim", indent=4)
    console.print()


def _pairs(comparison: Comparison, console: Console) -> None:
    for row in comparison.pairs:
        rest = [
            f"{count(n)} {said}"
            for n, said in (
                (row.only_reference, "only in the reference"),
                (row.only_candidate, "only in the candidate"),
                (row.changed, "asked something else"),
            )
            if n
        ]
        said = f"{line(row.scenario, 60)}: {count(row.paired)} units paired"
        say(console, f"{said}; {', '.join(rest)}" if rest else f"{said}, all that there are")
        for name, ids in row.named.items():
            if not ids:
                continue
            shown = ", ".join(line(one, 60) for one in list(ids)[:10])
            say(console, f"{line(name.replace('_', ' '), 60)}: {shown}", "dim", indent=4)
    if comparison.pairs:
        console.print()


def _differences(comparison: Comparison, rows: Sequence[Difference], console: Console) -> None:
    if not rows:
        return
    inside = [row for row in rows if row.change is Change.EQUIVALENT]
    calm = inside if len(inside) > _CALM else []
    shown = [row for row in moved(rows) if row not in calm]
    if console.width >= _NARROW and shown:
        _table(comparison, shown, console)
        for row in shown:
            if row.value is None or row.low is None:  # the table has no figure for it
                say(console, f"{_name(row, comparison)}: {line(row.reason, 1000)}", "dim")
    elif shown:
        for row in shown:
            _line(comparison, row, console)
    if calm:
        word, symbol = WORDS[Change.EQUIVALENT]
        names = "; ".join(_name(row, comparison) for row in calm)
        say(console, f"{word} {symbol} {count(len(calm))} figures: {names}")
    word, symbol = WORDS[Change.UNCHANGED]
    for model, scenario, slices in unmoved(rows):
        figures = plural(sum(len(metrics) for _, metrics in slices), "figure")
        names = "; ".join(
            f"{', '.join(line(one, 120) for one in metrics)}{f' for {of}' if of else ''}"
            for of, metrics in slices
        )
        where = f"{model} in {scenario}"
        say(console, f"{word} {symbol} {where}: {figures} identical for every unit: {names}")
    console.print()


def _line(comparison: Comparison, row: Difference, console: Console) -> None:
    word, symbol = WORDS[row.change]
    before, after = sides(row)
    shown = figure_of(row)
    said = f": {before} → {after}, difference {shown}" if shown.known else ""
    text = styled(console, f"{word} {symbol} ", STYLES[row.change])
    console.print(text.append(plain(console, f"{_name(row, comparison)}{said}")))
    say(console, line(row.reason, 1000), indent=4)
    say(console, "; ".join(support(row)), "dim", indent=4)


def _table(comparison: Comparison, rows: Sequence[Difference], console: Console) -> None:
    from rich.table import Table
    from rich.text import Text

    numbers = [_numbers(row) for row in rows]
    heads = ("before", "after", "difference", "p, adjusted", "would show", "pairs", "would decide")
    told = [at for at in range(len(heads)) if any(row[at] != "—" for row in numbers)]
    table = Table(box=None, padding=(0, 2, 0, 0), pad_edge=False, header_style="bold")
    table.add_column(Text("change"), no_wrap=True)
    table.add_column(Text("metric"), overflow="fold")
    for at in told:
        table.add_column(Text(heads[at]), justify="right", no_wrap=True)
    for row, cells in zip(rows, numbers, strict=True):
        word, symbol = WORDS[row.change]
        table.add_row(
            styled(console, f"{word} {symbol}", STYLES[row.change]),
            *(Text(plain(console, text)) for text in (_name(row, comparison), *(cells[at] for at in told))),
        )
    console.print(table)


def _numbers(row: Difference) -> list[str]:
    shown = figure_of(row)
    return [
        *(text or "—" for text in sides(row)),
        str(shown) if shown.known else "—",
        p_text(row.p if row.p_adjusted is None else row.p_adjusted),
        "—" if row.detectable is None else rough(row.detectable, row.unit, True),
        count(row.n),
        count(row.needed),
    ]


def _name(row: Difference, comparison: Comparison) -> str:
    return " · ".join(filter(None, (line(row.metric, 120), where(row, comparison))))


def _flips(comparison: Comparison, console: Console) -> None:
    rows = flip_rows(comparison)
    if not rows:
        return
    say(console, "Flips", "bold")
    for one in flip_groups(comparison):
        say(console, one)
    for scenario, model, metrics, counts in rows:
        said = ", ".join(
            f"{count(counts[kind])} {KINDS[kind][0].lower()}" for kind in KINDS if kind in counts
        )
        say(console, f"{line(', '.join(metrics), 200)} · {line(model, 60)} · {line(scenario, 60)}: {said}")
    console.print()


def _missing(comparison: Comparison, console: Console) -> None:
    if not comparison.missing:
        return
    say(console, "What could not be compared", "bold")
    for said in comparison.missing:
        say(console, f"- {line(said, 1000)}")
    console.print()
