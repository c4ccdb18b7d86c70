"""``genrec-eval judge``: what a run tells of its judges, and what judges can be asked with."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec_eval.cli.console import output, say
from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from genrec_eval.judging.dialect import Dialect
    from genrec_eval.judging.types import Rubric
    from genrec_eval.reporting.judge_material import JudgeMaterial

app = typer.Typer(
    name="judge",
    help="Audit the judges of a run; show dialects and rubrics.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)


@app.command()
def audit(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    judge: Annotated[str | None, typer.Option(metavar="NAME", help="Only this judge.")] = None,
    labels: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="What people said: case, model, other, annotator, label or score."),
    ] = None,
    own: Annotated[
        str | None, typer.Option(metavar="MODEL", help="The model that is of the judge's own family.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="PATH",
            help="Folder for the pages, or an .html file for one; RUN by default.",
        ),
    ] = None,
    as_json: Annotated[
        bool, typer.Option("--json", help="Print the audit as JSON, and write no page.")
    ] = False,
) -> int:
    """Say what is wrong with each judge of a run, and write one page about each.

    Judges are those that judged answers in the run, and those that a scenario judge-probe tested. Without
    --labels, the annotations that were imported into the run stand for what people say.
    """
    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.judging.audit.labels import load_labels
    from genrec_eval.reporting.judge_material import read_judges
    from genrec_eval.reporting.judge_page import write_judges

    directory = RunDirectory.open(run)
    if directory.run.get("state") != "played":
        raise UsageError(f"{run} was interrupted while it was played; run the suite again to finish it")
    said = None if labels is None else load_labels(labels)
    found = read_judges(directory, judge=judge, labels=said, own=own)
    if as_json:
        print_json(found)
        return 0
    if out is not None and out.suffix == ".html" and len(found) > 1:
        names = ", ".join(one.name for one in found)
        raise UsageError(
            f"{out} can hold one judge, and the run has {len(found)}: name one with --judge ({names})"
        )
    paths = write_judges(directory, found, run if out is None else out)
    print_judges(found)
    for path in paths:
        say(str(path))
    return 0


def print_judges(found: list[JudgeMaterial]) -> None:
    """A line for each check that found a fault or could not be decided, and how many found nothing."""
    from rich.table import Table
    from rich.text import Text

    from genrec_eval.reporting.judge_findings import Kind, findings
    from genrec_eval.reporting.text import line, plural

    styles = {Kind.FAULT: "red", Kind.OPEN: "yellow", Kind.FINE: "green"}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("judge", no_wrap=True)
    table.add_column("", no_wrap=True)
    for head in ("what was found", "figure", "asked", "where"):
        table.add_column(head, overflow="fold")
    for one in found:
        checks = findings(one, [""] * len(one.parts))
        told = [check for check in checks if check.kind is not Kind.FINE]
        for check in told:
            shown = "" if check.figure is None else str(check.figure)
            words = [line(text, 200) for text in (check.claim, shown, check.asked, check.where)]
            mark = Text(str(check.kind), style=styles[check.kind])
            table.add_row(Text(line(one.name, 40)), mark, *map(Text, words))
        fine = len(checks) - len(told)
        if fine:
            mark = Text(str(Kind.FINE), style=styles[Kind.FINE])
            table.add_row(Text(line(one.name, 40)), mark, Text(f"{plural(fine, 'check')} found nothing"))
    output().print(table)


def print_json(found: list[JudgeMaterial]) -> None:
    """Everything that the pages are made of, without their texts."""
    import dataclasses

    import orjson

    from genrec_eval.reporting.judge_findings import findings, place

    def plain(value: Any) -> Any:
        return str(value)

    told = [
        {
            "judge": one.name,
            "findings": [
                {
                    "kind": str(check.kind),
                    "claim": check.claim,
                    "measure": None if check.measure is None else dataclasses.asdict(check.measure),
                    "asked": check.asked,
                    "why": check.why,
                    "where": check.where,
                }
                for check in findings(one, [""] * len(one.parts))
            ],
            "parts": [
                {
                    "where": place(part),
                    "probed": part.probed,
                    "policy": part.policy,
                    "audit": part.audit.to_json(),
                    "probe": None
                    if part.probe is None
                    else {figure.metric: dataclasses.asdict(figure.measure) for figure in part.probe.figures},
                }
                for part in one.parts
            ],
        }
        for one in found
    ]
    sys.stdout.write(orjson.dumps(told, option=orjson.OPT_INDENT_2, default=plain).decode() + "\n")


@app.command("list")
def list_() -> None:
    """Show the shipped dialects and rubrics."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from genrec_eval.judging.dialect import dialects, load_dialect
    from genrec_eval.judging.rubric import load_rubric, rubrics

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("dialect", "tasks", "what it is"):
        table.add_column(head, overflow="fold", no_wrap=head == "dialect")
    for name in dialects():
        dialect = load_dialect(name, Path())
        table.add_row(Text(name), ", ".join(dialect.kinds), Text(dialect.description))
    output().print(table)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("rubric", "scale", "what it asks"):
        table.add_column(head, overflow="fold", no_wrap=head == "rubric")
    for name in rubrics():
        rubric = load_rubric(name, Path())
        table.add_row(Text(name), f"{rubric.scale[0]} to {rubric.scale[1]}", Text(rubric.criterion))
    output().print(table)
    output().print("'genrec-eval judge show NAME' shows one of them as a judge sees it.")


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(metavar="NAME", help="A dialect or a rubric, or a YAML file of one.")
    ],
    task: Annotated[str | None, typer.Option(metavar="KIND", help="Only this kind of task.")] = None,
    fence: Annotated[bool, typer.Option(help="Mark texts as data, as judges are asked by default.")] = True,
) -> None:
    """Show a rubric, or a dialect with example texts as it is sent to a judge."""
    from genrec_eval.core.errors import did_you_mean
    from genrec_eval.judging.dialect import dialects, load_dialect
    from genrec_eval.judging.rubric import load_rubric, rubrics

    if name in rubrics() and name not in dialects():
        typer.echo(_rubric_text(load_rubric(name, Path())))
        return
    if name not in dialects() and not name.endswith((".yaml", ".yml")):
        near = did_you_mean(name, [*dialects(), *rubrics()])
        raise UsageError(
            f"no shipped dialect or rubric is called '{name}'{near}; see 'genrec-eval judge list'"
        )
    dialect = load_dialect(name, Path())
    if task is not None and task not in dialect.kinds:
        raise UsageError(
            f"dialect '{dialect.name}' has no words for {task} tasks, only for {' and '.join(dialect.kinds)}"
        )
    for kind in dialect.kinds:
        if task in (None, kind):
            typer.echo(_dialect_text(dialect, kind, fence))


def _rubric_text(rubric: Rubric) -> str:
    levels = "".join(f"\n  {score}: {text}" for score, text in rubric.levels.items())
    needs = [part for part in ("reference", "context") if getattr(rubric, part)]
    return (
        f"{rubric.name}: {rubric.title}\n{rubric.criterion}\nscale {rubric.scale[0]} to {rubric.scale[1]},"
        f" {rubric.direction} is better; shows {', '.join(needs) or 'question and answer alone'}{levels}"
    )


def _dialect_text(dialect: Dialect, kind: Any, fence: bool) -> str:
    from genrec_eval.judging.rubric import load_rubric
    from genrec_eval.judging.types import JudgeTask
    from genrec_eval.protocol.requests import Image

    answers = {"pairwise": 2, "listwise": 3}.get(kind, 1)
    needs = dialect.tasks[kind].needs
    task = JudgeTask(
        id="example",
        kind=kind,
        rubric=load_rubric("faithfulness", Path()),
        prompt="<what was asked>",
        answers=tuple(f"<answer {number}>" for number in range(1, answers + 1)),
        reference="<a reference answer>" if "reference" in needs else None,
        context="<the facts of the case>",
        claims=("<a claim>", "<another claim>") if kind == "claims" else (),
        images=(Image(b""),) if "images" in needs else (),
    )
    messages = dialect.render(task, fence=fence).request.messages
    shown = "\n\n".join(f"[{message.role}]\n{message.content}" for message in messages)
    return f"===== {dialect.name}, version {dialect.version}: {kind} =====\n{shown}\n"
