"""The gate as a page: one file, nothing from the network, whole without its script."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.audit.gating.types import GateResult
from genrec_eval.reporting.gate.panel import panel
from genrec_eval.reporting.html import environment, write_page
from genrec_eval.reporting.svg import definitions
from genrec_eval.reporting.text import line


def gate_page(result: GateResult) -> str:
    """The page as text: the same object gives the same text."""
    return str(
        environment("gate", "run")
        .get_template("gate.html.j2")
        .render(
            shapes=definitions(),
            gate=panel(result),
            suite=line(result.suite, 120),
            run=line(result.run, 300),
            run_id=line(result.run_id, 120),
            baseline=None if result.baseline is None else line(result.baseline, 300),
            footer="".join(letter for letter in result.run_id if letter.isascii() and letter.isalnum())[:60],
        )
    )


def write_gate(result: GateResult, path: Path) -> Path:
    """Write :func:`gate_page` and return the path."""
    return write_page(path, gate_page(result))
