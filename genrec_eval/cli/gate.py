"""``genrec-eval gate``: hold a run to the rules of its suite, with an exit code for CI."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import complain, errors, output
from genrec_eval.core.errors import GenrecError

if TYPE_CHECKING:
    from genrec_eval.audit.gating.types import GateResult


class Inconclusive(StrEnum):
    """What rules that could not be decided do."""

    FAIL = "fail"
    WARN = "warn"
    PASS = "pass"


def gate(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    baseline: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE|RUN", help="What to compare with; what the suite's gate names by default."
        ),
    ] = None,
    suite: Annotated[
        str | None,
        typer.Option(
            metavar="SUITE", help="Take the rules from this suite file; from the one that was run by default."
        ),
    ] = None,
    inconclusive: Annotated[
        Inconclusive | None,
        typer.Option(
            help="What undecided rules do: exit code 4, a warning, or nothing; overrides the suite."
        ),
    ] = None,
    json: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write the verdict.")] = None,
    junit: Annotated[
        Path | None, typer.Option("--junit", metavar="FILE", help="Write JUnit XML, for GitLab and others.")
    ] = None,
    markdown: Annotated[
        Path | None, typer.Option("--markdown", metavar="FILE", help="Write a summary in Markdown.")
    ] = None,
    html: Annotated[Path | None, typer.Option("--html", metavar="FILE", help="Write a page.")] = None,
    github: Annotated[
        bool | None,
        typer.Option(
            "--github/--no-github",
            help="Annotate the suite's lines and add the step summary; on in GitHub Actions.",
        ),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Hold a run to the gate of its suite: floors, ceilings, no regression against a baseline.

    The verdict is also kept in RUN/gate.json, where reports find it.

    Exit codes: 0 pass, 1 a rule is broken, 2 usage or configuration, 3 incomplete or error budget exceeded,
    4 undecided or underpowered.

    \b
    genrec-eval gate runs/quickstart --baseline baseline.json
    genrec-eval gate runs/head --baseline runs/base --suite suite.yaml --junit gate.xml
    """
    on_github = os.environ.get("GITHUB_ACTIONS") == "true" if github is None else github
    try:
        from genrec_eval.api import gate as evaluate

        result = evaluate(
            run,
            baseline,
            suite=suite,
            inconclusive=None if inconclusive is None else inconclusive.value,
        )
        _keep(result, run)
        for path, write in ((json, _json), (junit, _junit), (markdown, _markdown), (html, _html)):
            if path is not None:
                write(result, path)
    except (GenrecError, OSError) as error:
        if on_github:
            from genrec_eval.core.secrets import scrub
            from genrec_eval.reporting.gate.annotations import command
            from genrec_eval.reporting.text import line

            said = line(scrub(str(error)), 1000)
            print(command("error", {"title": "Gate: it could not be evaluated"}, said))
        raise
    if result.exit_code or not quiet:
        from genrec_eval.reporting.gate.terminal import print_gate

        print_gate(result, errors() if quiet else output())
    if on_github:
        _annotate(result)
    return result.exit_code


def _keep(result: GateResult, run: Path) -> None:
    """The verdict in the run directory; a gate over a read-only artefact decides all the same."""
    from genrec_eval.audit.gating.opening import GATE_FILE

    try:
        _json(result, run / GATE_FILE)
    except (GenrecError, OSError) as error:
        complain(f"warning: the verdict is not kept in the run: {error}")


def _json(result: GateResult, path: Path) -> None:
    from genrec_eval.reporting.gate.json import write_gate_json

    write_gate_json(result, path)


def _junit(result: GateResult, path: Path) -> None:
    from genrec_eval.reporting.gate.junit import junit

    _text(path, lambda: junit(result))


def _markdown(result: GateResult, path: Path) -> None:
    from genrec_eval.reporting.gate.markdown import gate_summary

    _text(path, lambda: gate_summary(result))


def _html(result: GateResult, path: Path) -> None:
    from genrec_eval.reporting.gate.html import write_gate

    write_gate(result, path)


def _text(path: Path, make: Callable[[], str]) -> None:
    from genrec_eval.engine.rundir import whole_file

    with whole_file(path) as partial:
        partial.write_text(make(), "utf-8", newline="\n")


def _annotate(result: GateResult) -> None:
    """Annotations for the log, and the summary of the step."""
    from genrec_eval.reporting.gate import annotations
    from genrec_eval.reporting.gate.markdown import gate_summary

    for line in annotations.annotations(result):
        print(line)
    target = os.environ.get("GITHUB_STEP_SUMMARY")
    if target:
        with Path(target).open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(gate_summary(result) + "\n")
