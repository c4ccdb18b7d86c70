"""``genrec-eval annotate``: people as judges; blinded sheets out, their answers back in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import complain, say
from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from genrec_eval.judging.annotation.sheets import Sheets

app = typer.Typer(
    name="annotate",
    help="Have people judge the answers of a run: blinded sheets out, their answers back in.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")]


@app.command()
def export(
    run: RunPath,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where sheets go; RUN/sheets/<id> by default."),
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="Needed where several scenarios have texts.")
    ] = None,
    rubric: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Shipped, or a YAML file; that of the run's judges where they have one alone.",
        ),
    ] = None,
    task: Annotated[
        str | None,
        typer.Option(
            metavar="KIND", help="pointwise, pairwise or claims; as judges were asked, else pointwise."
        ),
    ] = None,
    against: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Pairs: the model that others are compared with.")
    ] = None,
    sample: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Most cases, a seeded sample; all by default.")
    ] = None,
    annotators: Annotated[
        str, typer.Option(metavar="NAMES", help="Comma-separated; each gets a sheet of their own.")
    ] = "annotator-1",
    overlap: Annotated[
        float, typer.Option(min=0, max=1, metavar="SHARE", help="Share of the cases that everybody gets.")
    ] = 0.2,
) -> None:
    """Write a blinded, shuffled sheet per person, as csv and as one HTML form that needs no network.

    Nothing in a sheet tells which model wrote what; the key stays in RUN/annotations/KEY.json: keep it.

    \b
    genrec-eval annotate export runs/explanation --rubric helpfulness --sample 40 --annotators ana,ben
    genrec-eval annotate export runs/explanation --rubric helpfulness --against template --overlap 0.5
    genrec-eval annotate export runs/explanation --rubric claim-support --task claims -o to-ana
    """
    from genrec_eval.audit.annotations import Wanted, export_sheets
    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.judging.annotation.key import FOLDER
    from genrec_eval.judging.annotation.write import note

    wanted = Wanted(
        scenario=scenario,
        rubric=rubric,
        task=task,
        against=against,
        sample=sample,
        annotators=tuple(name.strip() for name in annotators.split(",") if name.strip()),
        overlap=overlap,
    )
    directory = RunDirectory.open(run)
    if out is not None and (directory.path / FOLDER).resolve() in (out.resolve(), *out.resolve().parents):
        raise UsageError(
            f"{out} lies beside the key, which nobody who annotates may see; choose another folder"
        )
    with directory.locked():
        sheets = export_sheets(directory, wanted, Path.cwd())
    folder = out or directory.path / "sheets" / sheets.id
    _write(sheets, folder)
    for line in (
        note(sheets),
        f"sheets: {folder}",
        f"key:    {directory.path / FOLDER / 'KEY.json'} (keep it)",
    ):
        say(line)
    complain(
        f"give each person their .html or .csv and HOW-TO.txt; then: genrec-eval annotate import {run} FILES"
    )


def _write(sheets: Sheets, folder: Path) -> None:
    from genrec_eval.engine.rundir import disk_faults
    from genrec_eval.judging.annotation.write import HOW_TO, csv_sheet, how_to
    from genrec_eval.reporting.annotation import render_form

    files = {folder / HOW_TO: how_to(sheets).encode("utf-8", "replace")}
    for name in sheets.items:
        # a spreadsheet takes a csv without the mark for text of its country
        files[folder / f"{name}.csv"] = csv_sheet(sheets, name).encode("utf-8-sig", "replace")
        files[folder / f"{name}.html"] = render_form(sheets, name).encode("utf-8", "replace")
    for path, text in files.items():
        if path.suffix == ".csv" and path.is_file() and path.read_bytes() != text:
            raise UsageError(
                f"{path} is there and may have been filled in; import it, or choose another folder"
            )
    with disk_faults(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_bytes(text)


@app.command("import")
def import_(
    run: RunPath,
    files: Annotated[list[Path], typer.Argument(metavar="FILES...", help="Sheets filled in: .csv or .json.")],
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> None:
    """Read sheets back, check every row, and keep them in RUN/annotations.parquet.

    All or nothing: where a file is at fault nothing is stored. Blank rows are skipped and counted; what an
    earlier import had otherwise is replaced. Then 'genrec-eval score RUN' shows people beside the judges.

    \b
    genrec-eval annotate import runs/explanation ana.csv 3fa2c1d0-ben.json
    genrec-eval score runs/explanation
    """
    from genrec_eval.audit.annotations import import_sheets
    from genrec_eval.core.numbers import count
    from genrec_eval.engine.rundir import RunDirectory

    directory = RunDirectory.open(run)
    with directory.locked():
        done = import_sheets(directory, files)
    if quiet:
        return
    accepted = done.accepted
    lines = []
    for name in {**accepted.answered, **accepted.blank}:
        said = f"{name}: {count(accepted.answered.get(name, 0))} answers"
        if blank := accepted.blank.get(name, 0):
            said += f", {count(blank)} blank"
        if still := done.open.get(name, 0):
            said += f", {count(still)} of the sheet still open"
        lines.append(said)
    lines.append(f"{count(done.total)} annotations in {directory.path / 'annotations.parquet'}")
    if accepted.repeated:
        lines.append(f"{count(accepted.repeated)} answers came twice, the same both times, and count once")
    if done.replaced:
        lines.append(f"{count(done.replaced)} answers of an earlier import are replaced")
    if done.stale:
        lines.append(
            f"{count(done.stale)} are about texts that the run no longer holds; they are kept, not counted"
        )
    for line in lines:
        say(line)
    complain(f"now: genrec-eval score {run}")
