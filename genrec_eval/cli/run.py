"""``genrec-eval run``: play a suite, score it, write the report."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from genrec_eval.cli.console import errors, output


def run(
    suite: Annotated[str, typer.Argument(metavar="SUITE", help="Suite file, or name of a shipped suite.")],
    only: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PATTERN",
            help="Play only this model, scenario or model/scenario; * is allowed; may be repeated.",
        ),
    ] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Most cases per scenario, a seeded sample.")
    ] = None,
    sets: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="KEY=VALUE", help="Override a value; may be repeated."),
    ] = None,
    models_of: Annotated[
        str | None,
        typer.Option(
            metavar="SUITE", help="Take models from this suite too; they win over those of the same name."
        ),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FOLDER", help="Run directory; runs/<name of the suite> by default."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Set an earlier run aside instead of resuming it.")
    ] = False,
    report: Annotated[
        bool, typer.Option(" /--no-report", help="Write no HTML report; 'genrec-eval report RUN' does later.")
    ] = True,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Play a suite, score it and write the report.

    Run the same command again after an interruption: what was answered is not asked twice.

    Exit codes: 0 pass, 1 a claim failed, 2 usage or configuration, 3 incomplete or error budget
    exceeded, 4 inconclusive.
    """
    from genrec_eval.api import load_suite, play_and_score
    from genrec_eval.reporting.terminal import print_results, print_trouble

    loaded = load_suite(suite, sets or [], models_of=models_of)
    done = play_and_score(
        loaded,
        out,
        only=only or (),
        limit=limit,
        fresh=fresh,
        report=report,
        console=None if quiet else errors(),
    )
    if not quiet:
        print_results(done.parsed, output(), done.report if report else None, done.about)
        if loaded.suite.gate is not None:
            output().print(f"gate: genrec-eval gate {done.path}", markup=False, soft_wrap=True)
    elif done.exit_code:
        print_trouble(done.parsed, errors(), done.about)
    return done.exit_code
