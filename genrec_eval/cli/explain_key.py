"""``genrec-eval explain-key``: what an answer's key is made of, and in what two keys differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genrec_eval.cli.console import output


def explain_key(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    case: Annotated[str, typer.Argument(metavar="CASE", help="Case id, as in the records.")],
    model: Annotated[str | None, typer.Option(help="Model; may be left out when there is one.")] = None,
    scenario: Annotated[str | None, typer.Option(help="Scenario; may be left out when there is one.")] = None,
    repeat: Annotated[int, typer.Option(min=0, help="Index of the independent sample.")] = 0,
    step: Annotated[int, typer.Option(min=0, help="Step of a case with several exchanges.")] = 0,
    other: Annotated[
        Path | None, typer.Option("--against", help="Another run directory: show which fields differ.")
    ] = None,
    other_model: Annotated[
        str | None, typer.Option(help="Model on the other side; the same name by default.")
    ] = None,
) -> int:
    """Show the fields behind the cache key of an answer, or in which fields two keys differ."""
    from genrec_eval.audit.keys import find_key
    from genrec_eval.engine.keys import differences
    from genrec_eval.engine.rundir import RunDirectory

    console = output()
    found = find_key(RunDirectory.open(run), case, model, scenario, repeat, step)
    if other is None and other_model is None:
        console.print(f"key {found.key}", markup=False, highlight=False)
        console.print_json(data=found.fields)
        return 0
    place = RunDirectory.open(other or run)
    second = find_key(place, case, other_model or found.model, found.scenario, repeat, step)
    if found.key == second.key:
        console.print(f"the same key: {found.key}", markup=False, highlight=False)
        return 0
    console.print(f"{found.key}\n{second.key}\ndiffer in:", markup=False, highlight=False)
    for path, left, right in differences(found.fields, second.fields):
        console.print(f"  {path}: {_short(left)} | {_short(right)}", markup=False, highlight=False)
    return 0


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 200 else f"{text[:200]}…"
