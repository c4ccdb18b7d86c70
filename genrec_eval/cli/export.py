"""``genrec-eval export``: tables and figures of a run for other tools."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import say
from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from genrec_eval.api import Run


class Target(StrEnum):
    """Where a run can go."""

    CSV = "csv"
    PARQUET = "parquet"
    MLFLOW = "mlflow"
    WANDB = "wandb"
    MODEL_CARD = "model-card"


def export(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    to: Annotated[Target, typer.Option("--to", help="What to write, or which tracker to tell.")] = Target.CSV,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="FOLDER", help="Where files go; <RUN>/export by default."),
    ] = None,
    table: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Only this table (csv, parquet); may be repeated."),
    ] = None,
    model: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this model (model-card); may be repeated.")
    ] = None,
    project: Annotated[
        str, typer.Option(metavar="NAME", help="Experiment (mlflow) or project (wandb).")
    ] = "genrec-eval",
    offline: Annotated[
        bool, typer.Option("--offline", help="wandb: write files for 'wandb sync' and send nothing.")
    ] = False,
) -> int:
    """Write every table of a scored run as csv or parquet, model cards as Markdown, or tell a tracker.

    MLflow is a server, found by MLFLOW_TRACKING_URI; Weights & Biases is found by its own settings. Both need
    their extra: pip install 'genrec-eval[mlflow]' or 'genrec-eval[wandb]'. Text in csv that a spreadsheet
    would run as a formula gets an apostrophe in front; parquet keeps every text as it is.
    """
    from genrec_eval.api import load_run
    from genrec_eval.core.numbers import count

    done = load_run(run)
    _ = done.results  # says whether the run must be finished or scored first
    if table and to not in (Target.CSV, Target.PARQUET):
        raise UsageError(f"--table goes with --to csv and --to parquet, not with {to}")
    if model and to is not Target.MODEL_CARD:
        raise UsageError(f"--model goes with --to model-card, not with {to}")
    folder = out or done.path / "export"
    said: list[str] = []
    if to in (Target.CSV, Target.PARQUET):
        from genrec_eval.reporting.export.files import write_table
        from genrec_eval.reporting.export.tables import exported

        for one in exported(done.directory, table or ()):
            path, rows = write_table(one, folder, to)
            said.append(f"{path} ({count(rows)} {'row' if rows == 1 else 'rows'})")
    elif to is Target.MLFLOW:
        from genrec_eval.reporting.export.to_mlflow import log_mlflow

        said.append(f"MLflow run {log_mlflow(done.path, experiment=project)} in experiment {project}")
    elif to is Target.WANDB:
        from genrec_eval.reporting.export.to_wandb import log_wandb

        ids = log_wandb(done.path, project=project, offline=offline, folder=out)
        said.append(f"W&B runs {', '.join(ids)} in project {project}")
    else:
        said += map(str, _model_cards(done, folder, model or ()))
    for text in said:
        say(text)
    return 0


def _model_cards(done: Run, folder: Path, models: Sequence[str]) -> Iterator[Path]:
    """Write ``model-card.<name>.md`` of each model and yield the paths."""
    from genrec_eval.engine.rundir import whole_file
    from genrec_eval.reporting.model_card import model_card
    from genrec_eval.suite.schema import is_slug

    for name in dict.fromkeys(models or (row.model for row in done.results.estimates)):
        text = model_card(done.path, name)
        if not is_slug(name):  # a suite never has such a name; a run of strangers may
            raise UsageError(f"the model {name!r} of {done.path} has no name that a file could have")
        path = folder / f"model-card.{name}.md"
        folder.mkdir(parents=True, exist_ok=True)
        with whole_file(path) as part:
            part.write_text(text, "utf-8", newline="\n")
        yield path
