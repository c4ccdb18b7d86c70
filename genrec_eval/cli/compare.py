"""``genrec-eval compare``: what became of every metric from one run to the next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from genrec_eval.cli.console import output, say
from genrec_eval.core.errors import Exit, UsageError

if TYPE_CHECKING:
    from genrec_eval.audit.comparing.types import Comparison


def compare(
    before: Annotated[Path, typer.Argument(metavar="A", help="Run directory of the reference: before.")],
    after: Annotated[Path, typer.Argument(metavar="B", help="Run directory of the candidate: after.")],
    out: Annotated[
        list[Path] | None,
        typer.Option(
            "--out", "-o", metavar="FILE", help="Also write it: .html, .json or .md; may be given again."
        ),
    ] = None,
    model: Annotated[
        list[str] | None,
        typer.Option("--model", metavar="NEW=OLD", help="Compare model NEW of B with model OLD of A."),
    ] = None,
    margin: Annotated[
        list[str] | None,
        typer.Option(
            "--margin",
            metavar="METRIC=X",
            help="Differences up to X do not matter, as in ndcg@10=0.01; shares as 0.01, not 1 %.",
        ),
    ] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option("--metric", metavar="METRIC", help="Compare only these: fewer tests to adjust for."),
    ] = None,
    scenario: Annotated[
        list[str] | None, typer.Option("--scenario", metavar="NAME", help="Compare only these.")
    ] = None,
    fail_on_worse: Annotated[
        bool, typer.Option("--fail-on-worse", help="End with 1 where something is worse.")
    ] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Print nothing but errors.")] = False,
) -> int:
    """Compare run B (the candidate, after) with run A (the reference, before), unit by unit.

    Differences are B − A over the units that both runs asked the same. What differs in configuration, data,
    judges and versions comes first. Exit codes: 0, 2 where the runs cannot be compared, and with
    --fail-on-worse 1 where any metric of all units is worse.
    """
    from genrec_eval.api import compare as compare_runs
    from genrec_eval.audit.comparing.types import Change

    writers = [(path, _writer(path)) for path in out or ()]
    found = compare_runs(
        before,
        after,
        models=dict(_split(word, "--model NEW=OLD") for word in model or ()),
        margins={name: _number(name, value) for name, value in _margins(margin or ())},
        metrics=metric or None,
        scenarios=scenario or None,
    )
    for path, write in writers:  # before anything is printed: a pipe may be closed
        write(found, path)
    if not quiet:
        from genrec_eval.reporting.comparison.terminal import print_comparison

        print_comparison(found, output())
        for path, _ in writers:
            say(str(path))
    worse = any(one.change is Change.WORSE and one.slice == "all" for one in found.differences)
    return Exit.CLAIM_FAILED if fail_on_worse and worse else Exit.PASS


def _writer(path: Path) -> Callable[[Comparison, Path], object]:
    """What writes files of that ending, found before anything is computed."""
    known = {".html": _html, ".json": _json, ".md": _markdown}
    if path.suffix.lower() not in known:
        raise UsageError(f"--out {path}: a comparison is written as {', '.join(known)}, by the file's ending")
    if not path.parent.is_dir():
        raise UsageError(f"--out {path}: there is no folder '{path.parent}'; make it first")
    return known[path.suffix.lower()]


def _html(found: Comparison, path: Path) -> None:
    from genrec_eval.reporting.comparison.html import write_comparison

    write_comparison(found, path)


def _json(found: Comparison, path: Path) -> None:
    from genrec_eval.reporting.comparison.json import write_comparison_json

    write_comparison_json(found, path)


def _markdown(found: Comparison, path: Path) -> None:
    from genrec_eval.engine.rundir import whole_file
    from genrec_eval.reporting.comparison.markdown import comparison_summary

    with whole_file(path) as partial:
        partial.write_text(comparison_summary(found), encoding="utf-8", newline="\n")


def _margins(words: Sequence[str]) -> list[tuple[str, str]]:
    """Metric and margin: the last ``=``, for ids have such signs too, as in ``ndcg(gain=exp)@10=0.01``."""
    found = []
    for word in words:
        name, sign, value = word.rpartition("=")
        if not (sign and name.strip() and value.strip()):
            raise UsageError(f"--margin {word}: write METRIC=X, as in ndcg@10=0.01")
        found.append((name.strip(), value.strip()))
    return found


def _split(word: str, usage: str) -> tuple[str, str]:
    new, sign, old = word.partition("=")
    if not (sign and new.strip() and old.strip()):
        raise UsageError(f"--model {word}: write {usage.split(' ', 1)[1]}, the candidate's model first")
    return new.strip(), old.strip()


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise UsageError(f"--margin {name}={value}: '{value}' is not a number") from None
