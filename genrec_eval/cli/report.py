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
    review: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="A review that the report saved; it is kept with the run. May be repeated."
        ),
    ] = None,
) -> int:
    """Write the report of a scored run as one self-contained HTML file.

    A FILE that ends in .md gets a short summary in Markdown, for the step summary of a CI job.
    """
    from genrec_eval.api import load_run
    from genrec_eval.reporting.html import write_report
    from genrec_eval.reporting.markdown import summary
    from genrec_eval.reporting.review import merge_reviews

    done = load_run(run)
    _ = done.results  # says whether the run must be finished or scored first
    if out is not None and out.suffix == ".md":
        path = out
        merge_reviews(done.path, review or ())
        path.write_text(summary(done.parsed), encoding="utf-8")
    else:
        path = write_report(done.path, out, reviews=review or ())
    output().print(str(path), markup=False, highlight=False, soft_wrap=True)
    return 0
