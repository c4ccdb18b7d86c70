"""``genrec-eval redact``: texts of some cases taken out of a run, their hashes kept."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import complain, say

if TYPE_CHECKING:
    from genrec_eval.audit.chain.redact import Redacted


def redact(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    case: Annotated[list[str], typer.Option(metavar="CASE", help="Id of the case; may be repeated.")],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it stands in place of the texts.")],
    model: Annotated[str | None, typer.Option(metavar="NAME", help="Only records of this model.")] = None,
    scenario: Annotated[str | None, typer.Option(metavar="NAME", help="Only of this scenario.")] = None,
) -> None:
    """Take what models and judges wrote about some cases out of a run, for good.

    Texts, requests, raw answers, errors and payloads go from the records, the judgements and the journal;
    the hash of each original stays in the evidence with the reason, and the root of the run does not change.
    Scores stay as they were recorded. What was asked stays in cases/. The run can then be neither played on
    nor scored again, and a signature must be renewed.

    \b
    genrec-eval redact runs/explanation --case user-17 --reason "names a person"
    genrec-eval verify runs/explanation
    """
    from genrec_eval.audit.chain.redact import Wanted
    from genrec_eval.audit.chain.redact import redact as take_out
    from genrec_eval.engine.rundir import RunDirectory

    directory = RunDirectory.open(run)
    wanted = Wanted(cases=tuple(dict.fromkeys(case)), reason=reason, model=model, scenario=scenario)
    with directory.locked():
        done = take_out(directory, wanted)
        removed = _new_pages(run)
    _say(run, done, removed)


def _new_pages(run: Path) -> list[str]:
    """Write the report anew, and delete pages that another command made."""
    from genrec_eval.audit.chain.build import seal_pages
    from genrec_eval.audit.chain.files import pages
    from genrec_eval.reporting.html import write_report

    before = pages(run)
    for name in before:
        (run / name).unlink()
    write_report(run)
    seal_pages(run)
    return [name for name in before if not (run / name).exists()]


def _say(run: Path, done: Redacted, removed: list[str]) -> None:
    from genrec_eval.audit.chain.evidence import SIGNATURE_FILE
    from genrec_eval.audit.chain.forgotten import holding, tables_beside
    from genrec_eval.core.numbers import count

    lines = [
        f"redacted: {count(done.records)} records, {count(done.judgements)} judgements,"
        f" {count(done.payloads)} payloads, {count(done.exchanges)} exchanges of the journal"
    ]
    if not (done.records or done.judgements or done.payloads):
        lines = ["nothing was left to redact"]
    if done.shared:
        lines.append(f"kept, since other cases have the same payload: {', '.join(done.shared)}")
    if removed:
        lines.append(f"deleted, since they may quote the texts: {', '.join(removed)}; make them anew")
    for line in lines:
        say(line)
    left = holding(run, done.texts)
    if left:
        complain(f"the same words still stand in: {', '.join(left)}; look at them, and delete what must go")
    if beside := tables_beside(run):
        complain(f"tables that were not looked into, and may hold the texts: {', '.join(beside)}")
    if (run / SIGNATURE_FILE).exists():
        complain(f"its signature no longer fits: genrec-eval sign {run} --key PRIVATE.pem")
