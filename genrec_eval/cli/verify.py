"""``genrec-eval verify``: whether a run is still the one that was scored."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import say

if TYPE_CHECKING:
    from genrec_eval.audit.chain.findings import Verification


def verify(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    key: Annotated[
        Path | None,
        typer.Option(metavar="PUBLIC.pem", help="Public key that the run must be signed by."),
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Name every difference, not the first alone.")] = False,
    hashes_only: Annotated[
        bool,
        typer.Option(
            "--hashes-only",
            help="Make no number again: runs no code that the suite names, for runs of strangers.",
        ),
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print what was found as JSON.")] = False,
) -> int:
    """Check that a run is as it was when it was scored, and that its numbers follow from its records.

    Every row is hashed again and held against evidence.json; scores, estimates and verdicts are made again
    in a temporary folder and compared digit by digit; the report is held against its seal. Rows count from 0.
    Nothing is written into the run.

    Exit codes: 0 everything fits, 1 something differs, 2 it cannot be read, 3 the run is not finished.

    \b
    genrec-eval verify runs/quickstart
    genrec-eval verify runs/quickstart --key audit.public.pem --all
    """
    from genrec_eval.audit.chain.verify import verify_run

    done = verify_run(run, key=key, recompute=not hashes_only, every=every or as_json)
    if as_json:
        import orjson

        print(orjson.dumps(done.to_json(), option=orjson.OPT_INDENT_2, default=str).decode())
    else:
        print_verification(done, every)
    return done.exit_code


def print_verification(done: Verification, every: bool = False) -> None:
    """Print what was found, then what was checked, then what was not."""
    from genrec_eval.audit.chain.evidence import STATEMENT
    from genrec_eval.reporting.text import line

    lines = []
    shown = done.findings if every else done.findings[:1]
    lines += [f"differs: {line(finding, 600)}" for finding in shown]
    if left := len(done.findings) - len(shown):
        files = len({finding.file for finding in done.findings})
        lines.append(
            f"         {left:,} more difference{'s' * (left != 1)}, {files} file{'s' * (files != 1)} in all;"
            " name them with --all"
        )
    lines += [f"checked: {line(said, 600)}" for said in done.checked]
    lines += [f"note: {line(said, 600)}" for said in done.notes]
    lines += [f"not checked: {line(said, 600)}" for said in done.unchecked]
    lines += [f"root: {done.root}", STATEMENT]
    for said in lines:
        say(said)
