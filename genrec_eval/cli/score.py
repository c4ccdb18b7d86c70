"""``genrec-eval score``: redo everything right of the records, offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.cli.console import errors, output


def score(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    report: Annotated[
        bool, typer.Option(" /--no-report", help="Write no HTML report; 'genrec-eval report RUN' does later.")
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Redo scores, estimates, verdicts and report from the stored records; the numbers are the same bytes.

    Asks no model and needs neither the data set nor the network. Exit codes as for run.
    """
    from genrec_eval.api import score as score_again
    from genrec_eval.reporting.terminal import print_results, print_trouble

    done = score_again(run, report=report, console=None if quiet else errors())
    if not quiet:
        print_results(done.parsed, output(), done.report if report else None, done.about)
    elif done.exit_code:
        print_trouble(done.parsed, errors(), done.about)
    return done.exit_code
