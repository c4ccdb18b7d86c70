"""``genrec-eval baseline``: keep, show and renew the small file that runs are held against."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import output, say
from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    from genrec_eval.audit.sources.run import RunSource

app = typer.Typer(
    name="baseline",
    help="Keep what runs are held against: a small file to commit beside the suite.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

RunPath = Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")]
FilePath = Annotated[Path, typer.Argument(metavar="FILE", help="Baseline file.")]
Every = Annotated[
    bool, typer.Option("--all", help="Keep every metric of every model; what the gate names by default.")
]


@app.command()
def save(
    run: RunPath,
    out: Annotated[
        Path, typer.Option("--out", "-o", metavar="FILE", help="Where it goes; it must not be there yet.")
    ] = Path("baseline.json"),
    every: Every = False,
) -> None:
    """Make a baseline of a run that is good as it is.

    It holds scores by unit and digests, no ids and no answers: commit it. The same run gives the same bytes.
    """
    from genrec_eval.audit.gating.baseline import write_baseline
    from genrec_eval.audit.sources.run import RunSource

    if out.exists():
        raise UsageError(
            f"{out} is there already; 'genrec-eval baseline update {run} {out}' says what changes and"
            " replaces it"
        )
    with RunSource.open(run) as source:
        text, kept = _made(source, every)
        write_baseline(text, out)
    say(f"{out}: {kept} of {source.facts.suite}, {_size(text)}")


@app.command()
def show(file: FilePath) -> None:
    """Show what a baseline holds."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from genrec_eval.audit.gating.baseline import BaselineSource
    from genrec_eval.core.numbers import bound, count
    from genrec_eval.reporting.text import line

    source = BaselineSource.open(file)
    facts = source.facts
    say(f"{file}: run {facts.run} of suite {facts.suite}, {facts.created}, seed {facts.seed}")
    for what, digests in (("data set", facts.data), ("judge", facts.judges)):
        for name, digest in digests.items():
            say(f"{what} {name}: {digest[:16]}")
    for name in dict.fromkeys(name for _, name in source.pairings()):
        units = source.units(name)
        groups = ", ".join(slice_ for slice_ in units.slices if slice_ != "all") or "no groups"
        say(f"scenario {name}: {count(len(units))} units; {groups}")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("model", "scenario", "metric"):
        table.add_column(name, overflow="fold")
    for name in ("scored", "off by at most", "bytes"):
        table.add_column(name, justify="right")
    for model, name in source.pairings():
        for metric in source.metrics(model, name):
            scores = source.scores(model, name, metric)
            assert scores is not None
            error = source.rounding(model, name, metric)
            _, size = source.packed(model, name, metric)
            words = (model, name, metric, count(int(scores.scored.sum())), bound(error), count(size))
            table.add_row(*(Text(line(word)) for word in words))
    output().print(table)


@app.command()
def update(run: RunPath, file: FilePath, every: Every = False) -> None:
    """Replace a baseline by another run, and say what that changes. Nothing else ever replaces one."""
    from genrec_eval.audit.gating.baseline import BaselineSource, write_baseline
    from genrec_eval.audit.gating.describe import changes
    from genrec_eval.audit.sources.run import RunSource

    before = BaselineSource.open(file)
    with RunSource.open(run) as source:
        text, kept = _made(source, every)
        found = list(changes(before, source, _vectors(source, every)))
        write_baseline(text, file)
    for said in found:
        say(f"- {said}")
    say(f"{file}: {kept} of {source.facts.suite}, {_size(text)}" + ("" if found else "; nothing changed"))


def _made(source: RunSource, every: bool) -> tuple[str, str]:
    from genrec_eval.audit.gating.baseline import baseline_text
    from genrec_eval.core.numbers import count

    vectors = _vectors(source, every)
    return baseline_text(source, vectors), f"{count(len(vectors))} vectors"


def _vectors(source: RunSource, every: bool) -> list[tuple[str, str, str]]:
    from genrec_eval.audit.gating.baseline import chosen
    from genrec_eval.suite.gate import Gate

    gate = (source.directory.run.get("suite") or {}).get("gate")
    return chosen(source, None if every or not gate else Gate.model_validate(gate))


def _size(text: str) -> str:
    from genrec_eval.core.numbers import exact

    return f"{exact(len(text.encode()) / 1000)} kB"
