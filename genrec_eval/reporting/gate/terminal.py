"""The gate in the terminal: the verdict, then its rules, worst first."""

from __future__ import annotations

from typing import TYPE_CHECKING

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.console import plain, say, styled
from genrec_eval.reporting.gate.words import (
    SYMBOLS,
    asked_of,
    compared,
    figure_of,
    outcome,
    sentences,
    support,
    where_of,
    worst_first,
)
from genrec_eval.reporting.text import line

if TYPE_CHECKING:
    from rich.console import Console

STYLES = {
    Ruling.FAIL: "bold red",
    Ruling.NOT_RUN: "yellow",
    Ruling.INSUFFICIENT: "yellow",
    Ruling.PASS: "green",
}


def print_gate(result: GateResult, console: Console) -> None:
    """Print the verdict, why the run is incomplete, every rule, and warnings.

    Parameters
    ----------
    result
        The verdict object.
    console
        Where to print.
    """
    whole = outcome(result)
    _marked(console, whole.ruling, whole.word, f"{whole.sentence} Exit code {whole.code}.", bold=True)
    for said in result.incomplete:
        _marked(console, Ruling.NOT_RUN, "INCOMPLETE", line(said, 1000))
    for row in worst_first(result):
        _row(row, console)
    for said in result.warnings:
        say(console, f"NOTE - {line(said, 1000)}", "yellow")


def _row(row: GateRow, console: Console) -> None:
    shown = figure_of(row)
    figures = f": {line(row.metric, 120)} {shown}" if shown.known else f": {line(row.metric, 120)}"
    _marked(
        console,
        row.verdict,
        str(row.verdict),
        f"{line(row.rule, 200)} · {where_of(row)}{figures}, asked {asked_of(row)}",
    )
    if row.verdict is Ruling.PASS:
        return
    for said in sentences(row):
        say(console, said, indent=4)
    behind = "; ".join(part for part in (compared(row), *support(row)) if part)
    say(console, f"{behind}{f' · {line(row.where, 300)}' if row.where else ''}", "dim", indent=4)


def _marked(console: Console, ruling: Ruling, word: str, text: str, bold: bool = False) -> None:
    head = styled(console, f"{word} {SYMBOLS[ruling]} ", STYLES[ruling])
    console.print(head.append(plain(console, text), style="bold" if bold else ""))
