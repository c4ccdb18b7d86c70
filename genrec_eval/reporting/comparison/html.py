"""The comparison as a page: one file, nothing from the network, whole without its script."""

from __future__ import annotations

from pathlib import Path

from genrec_eval.audit.comparing.types import Comparison
from genrec_eval.reporting.comparison.panel import panel
from genrec_eval.reporting.html import environment, write_page
from genrec_eval.reporting.svg import definitions


def comparison_page(comparison: Comparison) -> str:
    """The page as text: the same object gives the same text."""
    run = comparison.candidate_run
    return str(
        environment("compare", "run")
        .get_template("compare.html.j2")
        .render(
            shapes=definitions(),
            comparison=panel(comparison, flips=True),
            footer="".join(letter for letter in run if letter.isascii() and letter.isalnum())[:60],
        )
    )


def write_comparison(comparison: Comparison, path: Path) -> Path:
    """Write :func:`comparison_page` and return the path."""
    return write_page(path, comparison_page(comparison))
