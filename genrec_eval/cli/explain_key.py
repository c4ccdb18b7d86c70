"""``genrec-eval explain-key``: what an answer's key is made of, and in what two keys differ."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer

from genrec_eval.cli.console import output, say

_SHOWN, _BEFORE = 160, 40
"""Characters of a long value that are shown, and how many of them stand before the first difference."""


def explain_key(
    run: Annotated[Path, typer.Argument(metavar="RUN", help="Run directory.")],
    case: Annotated[str, typer.Argument(metavar="CASE", help="Case id, as in the records.")],
    model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model; may be left out when there is one.")
    ] = None,
    scenario: Annotated[
        str | None, typer.Option(metavar="NAME", help="Scenario; may be left out when there is one.")
    ] = None,
    repeat: Annotated[int, typer.Option(metavar="N", min=0, help="Index of the independent sample.")] = 0,
    step: Annotated[int, typer.Option(metavar="N", min=0, help="Step of a case with several exchanges.")] = 0,
    other: Annotated[
        Path | None,
        typer.Option("--against", metavar="RUN", help="Another run directory: show which fields differ."),
    ] = None,
    other_model: Annotated[
        str | None, typer.Option(metavar="NAME", help="Model on the other side; the same name by default.")
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
        one, another = _apart(left, right)
        gap = " | " if len(one) + len(another) < _SHOWN // 2 else "\n    "
        said = f"  {path}:{' ' if gap == ' | ' else gap}{one}{gap}{another}"
        say(said)
    return 0


def _apart(left: Any, right: Any) -> tuple[str, str]:
    """Both values, long ones from shortly before the place where they part: prompts begin alike.

    >>> _apart(0.0, "r2")
    ('0.0', "'r2'")
    >>> [len(text) for text in _apart("a" * 900 + "b" * 900, "a" * 900 + "c")]
    [162, 43]
    """
    texts = repr(left), repr(right)
    if max(map(len, texts)) <= _SHOWN:
        return texts
    pairs = enumerate(zip(*texts, strict=False))
    parted = next((place for place, (a, b) in pairs if a != b), min(map(len, texts)))
    start = max(0, parted - _BEFORE)
    shown = [("…" if start else "") + text[start : start + _SHOWN] for text in texts]
    return (
        shown[0] + ("…" if len(texts[0]) > start + _SHOWN else ""),
        shown[1] + ("…" if len(texts[1]) > start + _SHOWN else ""),
    )
