"""``genrec-eval data``: get public data sets, and look at what one has before a run does."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from genrec_eval.cli.console import complain, errors, output, say
from genrec_eval.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from genrec_eval.core.yaml import Node
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.fetching.fetch import Fetched, Report
    from genrec_eval.data.fetching.sources import DataSource, SourceFile

app = typer.Typer(
    name="data",
    help="Get public data sets, and check what is in one.",
    add_completion=False,
    no_args_is_help=True,
    rich_markup_mode=None,
)

Catalogue = Annotated[
    Path | None,
    typer.Option("--catalogue", metavar="FILE", help="A catalogue of your own, such as one of mirrors."),
]


@app.command("list")
def list_(catalogue: Catalogue = None) -> None:
    """Show what can be had, how large it is, and its terms."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    from genrec_eval.data.fetching.sources import read_catalogue

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for head in ("name", "size", "checksum", "dataset", "licence"):
        table.add_column(head, overflow="fold", no_wrap=head in ("name", "size"))
    for name, source in read_catalogue(catalogue).items():
        table.add_row(
            Text(name),
            _sizes(source),
            "by hand" if source.by_hand else _checksums(source),
            Text(source.dataset),
            Text(source.licence.summary),
        )
    output().print(table)
    output().print("'genrec-eval data get NAME' shows the terms and downloads after you accept them.")


@app.command()
def get(
    name: Annotated[str, typer.Argument(metavar="NAME", help="As 'genrec-eval data list' shows it.")],
    to: Annotated[
        Path, typer.Option("--to", metavar="FOLDER", help="Where the data set's folder is put.")
    ] = Path("data"),
    yes: Annotated[bool, typer.Option("--yes", help="Accept the licence without being asked.")] = False,
    replace: Annotated[
        bool, typer.Option("--replace", help="Replace the data set if it is there already.")
    ] = False,
    catalogue: Catalogue = None,
) -> None:
    """Download from the publisher; licence and checksum first.

    What is there already is not fetched again; archives are unpacked safely.
    """
    from genrec_eval.data.fetching.fetch import check_target, fetch
    from genrec_eval.data.fetching.sources import find_source, read_catalogue

    source = find_source(name, read_catalogue(catalogue))
    _terms(source)
    if not source.by_hand:
        check_target(name, to, replace=replace)
        _accept(name, source, yes)
    with _progress() as report:
        fetched = fetch(name, source, to, replace=replace, report=report)
    for file, sha256 in fetched.first.items():
        complain(f"note: no checksum of {file} is documented; it is remembered as sha256 {sha256}")
    _snippet(name, source, fetched)


def _terms(source: DataSource) -> None:
    lines = [
        source.title,
        f"  {source.about}",
        f"  homepage  {source.homepage}",
        f"  licence   {source.licence.summary}",
        f"            {source.licence.link}",
        *(f"  from      {file.url} ({_size(file)})" for file in source.files),
        *([f"  note      {source.note}"] if source.note else []),
    ]
    for line in lines:
        say(line)


def _accept(name: str, source: DataSource, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise UsageError(
            f"the licence of '{name}' must be accepted and there is no terminal to ask at; read it at"
            f" {source.licence.link} and say --yes"
        )
    if not typer.confirm("Do you accept these terms?", default=False):
        raise UsageError(f"the licence of '{name}' was not accepted; nothing is downloaded")


@contextmanager
def _progress() -> Iterator[Report]:
    """A bar per file at a terminal; a line per file elsewhere."""
    console = errors()
    if not console.is_terminal:
        seen: set[str] = set()

        def line(file: SourceFile, done: int, total: int | None) -> None:
            if file.file not in seen:
                seen.add(file.file)
                went = f" from byte {done:,}" if done else ""
                complain(f"downloading {file.url}{went}")

        yield line
        return
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    name = TextColumn("{task.description}", markup=False)
    with Progress(
        name, BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn(), console=console
    ) as bars:
        tasks = {}

        def bar(file: SourceFile, done: int, total: int | None) -> None:
            if file.file not in tasks:
                tasks[file.file] = bars.add_task(file.file, total=total)
            bars.update(tasks[file.file], completed=done, total=total)

        yield bar


def _snippet(name: str, source: DataSource, fetched: Fetched) -> None:
    from shlex import quote

    import yaml

    options = {**fetched.options, **source.options}
    entry = {"data": {name: {"dataset": source.dataset, "options": options}}}
    text = yaml.safe_dump(entry, sort_keys=False, allow_unicode=True, width=1000)
    complain(
        f"{fetched.folder} is there; for a suite (paths are relative to its file), and to look into it with"
        f" `genrec-eval data check {quote(fetched.options.get('path', str(fetched.folder)))}`:"
    )
    typer.echo(text, nl=False)


def _sizes(source: DataSource) -> str:
    if not source.files:
        return "-"
    exact = all(file.size for file in source.files)
    return f"{'' if exact else 'up to '}{_bytes(source.limit)}"


def _size(file: SourceFile) -> str:
    return _bytes(file.size) if file.size else f"up to {_bytes(file.limit)}"


def _bytes(count: int) -> str:
    for unit, size in (("GB", 10**9), ("MB", 10**6)):
        if count >= size:
            return f"{count / size:.3g} {unit}"
    return f"{count / 1000:.3g} kB"


def _checksums(source: DataSource) -> str:
    kinds = [next((k for k in ("sha256", "md5") if getattr(f, k)), "first use") for f in source.files]
    return ", ".join(dict.fromkeys(kinds))


@app.command()
def check(
    path: Annotated[Path, typer.Argument(metavar="PATH", help="Folder or file of the data set.")],
    dataset: Annotated[
        str | None,
        typer.Option("--dataset", metavar="KIND", help="How to read it; told from the files else."),
    ] = None,
    options: Annotated[
        list[str] | None,
        typer.Option("--option", metavar="KEY=VALUE", help="An option of that kind; may be repeated."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for programs.")] = False,
) -> int:
    """Load a data set and show what is in it and what looks wrong. Exits with 1 if a run would stumble."""
    import orjson

    from genrec_eval.cli.data_check import show
    from genrec_eval.data.quality.check import check as look
    from genrec_eval.data.quality.detect import detect
    from genrec_eval.data.tables.reading import locate

    place = locate(str(path), Path(), "PATH")
    kind, known = (dataset, {}) if dataset else detect(place)
    data, used = _loaded(kind, known, place, options or [])
    checked = look(data, kind)
    if as_json:
        about = {
            "path": str(place),
            "dataset": kind,
            "options": used,
            "name": data.name,
            "digest": data.digest,
        }
        typer.echo(orjson.dumps({**about, **checked.to_json()}, option=orjson.OPT_INDENT_2).decode())
    else:
        show(place, kind, used, data, checked)
    return Exit.PASS if checked.sound else Exit.CLAIM_FAILED


def _loaded(
    kind: str, known: dict[str, Any], place: Path, options: list[str]
) -> tuple[Dataset, dict[str, Any]]:
    """The dataset, and the options that it was read with."""
    from pydantic import ValidationError

    from genrec_eval.core.faults import FileError, explain
    from genrec_eval.core.yaml import Node, plain
    from genrec_eval.data.registry import DATASETS
    from genrec_eval.suite.merge import override

    spec = DATASETS.get(kind)
    if not known:
        option = next((name for name in ("path", "interactions") if name in spec.model_fields), None)
        if option is None:
            raise UsageError(f"dataset '{kind}' reads no files")
        known = {option: str(place)}
    flag = "--option"
    nodes = {key: _node(value, f"{flag} {key}") for key, value in known.items()}
    root = override(Node(nodes, "PATH"), options, flag)
    used = plain(root)
    try:
        return spec.model_validate(used).load(Path(), 1), used
    except ValidationError as error:
        raise FileError(explain(error, root)) from None


def _node(value: Any, place: str) -> Node:
    from genrec_eval.core.yaml import Node

    if isinstance(value, dict):
        return Node({key: _node(child, f"{place}.{key}") for key, child in value.items()}, place)
    return Node(value, place)
