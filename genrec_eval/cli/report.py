"""``genrec-eval report``: write the HTML report of a run again."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.cli.console import output


def report(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Where to write; report.html in the run by default."
        ),
    ] = None,
) -> int:
    """Write the report of a scored run as one self-contained HTML file."""
    from genrec_eval.api import load_run
    from genrec_eval.reporting.html import write_report

    done = load_run(run)
    _ = done.results  # says whether the run must be finished or scored first
    path = write_report(done.path, out)
    output().print(str(path), markup=False, highlight=False, soft_wrap=True)
    return 0
