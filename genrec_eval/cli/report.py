"""``genrec-eval report``: write the HTML report of a run again, or an index over several."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.cli.console import say
from genrec_eval.core.errors import UsageError


def report(
    run: Annotated[
        list[Path],
        typer.Argument(metavar="RUN...", help="Run directory; several, or a folder of them, for an index."),
    ],
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="Where to write; report.html in the run, or index.html in the folder of runs, by default.",
        ),
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option("--against", metavar="RUN", help="An earlier run: the report shows what changed since."),
    ] = None,
    review: Annotated[
        list[Path] | None,
        typer.Option(
            metavar="FILE", help="A review that the report saved; it is kept with the run. May be repeated."
        ),
    ] = None,
    instances: Annotated[
        str | None,
        typer.Option(
            metavar="N|all|none",
            help="Most instances that lie in a file beside the page, for its search; 200,000 by default.",
        ),
    ] = None,
) -> int:
    """Write the report of a scored run as one self-contained HTML file.

    A FILE that ends in .md gets a short summary in Markdown, for the step summary of a CI job. Several runs,
    or a folder of runs, get an index page with the history of the main metrics.
    """
    if out is not None and out.is_dir():
        raise UsageError(f"--out {out} is a folder; name a file in it, such as {out / 'report.html'}")
    folder = run[0] if len(run) == 1 and _is_folder_of_runs(run[0]) else None
    if folder is not None or len(run) > 1:
        path = _index(run, folder, out, bool(against or review or instances))
    else:
        path = _report(run[0], out, against, review or (), instances)
    say(str(path))
    return 0


def _report(
    run: Path, out: Path | None, against: Path | None, reviews: Sequence[Path], instances: str | None
) -> Path:
    from genrec_eval.api import load_run
    from genrec_eval.engine.rundir import whole_file
    from genrec_eval.reporting.html import write_report
    from genrec_eval.reporting.instances.types import BESIDE
    from genrec_eval.reporting.markdown import summary
    from genrec_eval.reporting.review import merge_reviews

    beside = BESIDE if instances is None else _beside(instances)
    done = load_run(run)
    _ = done.results  # says whether the run must be finished or scored first
    if against is not None and against.resolve() == run.resolve():
        raise UsageError(f"--against {against} is the run itself; name an earlier one")
    if out is None or out.suffix.lower() != ".md":
        done.directory.check_whole()
        return write_report(done.path, out, against=against, reviews=reviews, beside=beside)
    if against is not None:
        raise UsageError(
            f"--out {out}: the Markdown summary shows no earlier run; write an .html file,"
            f" or use 'genrec-eval compare {against} {run} -o {out}'"
        )
    if instances is not None:
        raise UsageError(f"--out {out}: the Markdown summary has no instances; write an .html file")
    merge_reviews(done.path, reviews)
    out.parent.mkdir(parents=True, exist_ok=True)
    with whole_file(out) as partial:
        partial.write_text(summary(done.parsed, done.about), encoding="utf-8", newline="\n")
    return out


def _beside(instances: str) -> int | None:
    """How many instances lie beside the page; None for all of them."""
    if instances in ("all", "none"):
        return None if instances == "all" else 0
    if not (instances.isdecimal() and instances.isascii() and len(instances) < 10):
        raise UsageError(f"--instances {instances}: write how many, all or none")
    return int(instances)


def _index(runs: Sequence[Path], folder: Path | None, out: Path | None, more: bool) -> Path:
    if more:
        raise UsageError("--against, --review and --instances belong to the report of one run; name one RUN")
    if out is None and folder is None:
        raise UsageError("several runs get an index page; say where to write it: -o index.html")
    from genrec_eval.reporting.index import write_index

    return write_index([folder] if folder else list(runs), out or Path(str(folder)) / "index.html")


def _is_folder_of_runs(path: Path) -> bool:
    """Whether a folder is no run itself, and holds some."""
    return path.is_dir() and not (path / "run.json").is_file() and any(path.glob("*/run.json"))
