"""The page over a folder of runs: what each came to, and how the main figures went."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from genrec_eval.core.errors import Exit, UsageError
from genrec_eval.reporting.charts.chart import Chart
from genrec_eval.reporting.facts import moment
from genrec_eval.reporting.html import environment, write_page
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.runs.history import change, followed, history
from genrec_eval.reporting.runs.past import WORDS, Past, found_in, past
from genrec_eval.reporting.svg import definitions
from genrec_eval.reporting.text import line, listing, plural

_ENDS = {
    Exit.PASS: ("pass", "v-pass"),
    Exit.CLAIM_FAILED: ("fail", "v-fail"),
    Exit.INCONCLUSIVE: ("open", "v-open"),
    Exit.INCOMPLETE: ("none", "v-none"),
}
_MOST_MODELS = 4
_NO_SUITE = "no suite that can be read"


@dataclass(frozen=True, slots=True)
class Line:
    """A run in the table.

    Attributes
    ----------
    counts
        Of its claims: came out as expected, did not, undecided, not run.
    """

    name: str
    link: str
    when: str
    models: str
    word: str
    style: str
    shape: str
    counts: tuple[int, ...]
    root: str
    reason: str


@dataclass(frozen=True, slots=True)
class Group:
    """The runs of one suite."""

    anchor: str
    suite: str
    sentence: str
    changes: tuple[str, ...]
    lines: tuple[Line, ...]
    charts: tuple[tuple[str, Chart], ...]


def write_index(paths: Sequence[Path], out: Path | None = None) -> Path:
    """Write the page over the runs in ``paths`` and in the folders below them, and return its path.

    Runs that cannot be read or were not finished are listed with their reason.

    Parameters
    ----------
    paths
        Run directories, or folders of them.
    out
        Where to write; ``index.html`` in the first folder by default.

    Raises
    ------
    UsageError
        When a path is no folder, or there is no run in any of them.
    """
    target = out or paths[0] / "index.html"
    return write_page(target, render_index(paths, target.parent))


def render_index(paths: Sequence[Path], base: Path) -> str:
    """The page; links are relative to the folder ``base``. The same runs give the same text."""
    runs = [past(path) for path in found_in(paths)]
    if not runs:
        raise UsageError(
            f"no run in {listing([str(path) for path in paths])}; a run directory holds a run.json,"
            " as 'genrec-eval run' writes it"
        )
    suites: dict[str, list[Past]] = {}
    for run in sorted(runs, key=lambda run: (not run.suite, run.when)):
        suites.setdefault(run.suite or _NO_SUITE, []).append(run)
    groups = [_group(f"g{i}", suite, of, paths, base) for i, (suite, of) in enumerate(suites.items(), 1)]
    shown: dict[str, Any] = {
        "shapes": definitions(),
        "footer": "runs",
        "keys": {},
        "folder": listing([str(path) for path in paths]),
        "sentence": _sentence(runs, suites),
        "groups": groups,
    }
    return str(environment("index", "run").get_template("index.html.j2").render(shown))


def _group(anchor: str, suite: str, runs: Sequence[Past], paths: Sequence[Path], base: Path) -> Group:
    scored = [run for run in runs if not run.reason]
    charts: list[tuple[str, Chart]] = []
    changes: list[str] = []
    newest = _results(scored)
    if newest is not None and len(scored) > 1:
        found = followed(scored, newest)
        several = len({one.scenario for one in found}) > 1
        for number, scenario in enumerate(dict.fromkeys(one.scenario for one in found), 1):
            sketch = history(found, scenario)
            if sketch is not None:
                charts.append((scenario if several else "", sketch.drawn(f"{anchor}h{number}")))
        for one in found:
            text, moved = change(one)
            where = f" ({line(one.scenario, 60)})" if several else ""
            if moved or (len(one.runs) - 1) in one.breaks:
                changes.append(f"{text}{where}.")
    lines = tuple(_line(run, paths, base) for run in reversed(runs))
    return Group(anchor, suite, _summary(runs, scored, changes), tuple(changes), lines, tuple(charts))


def _results(scored: Sequence[Past]) -> Results | None:
    """The newest results that can be read whole."""
    for run in reversed(scored):
        try:
            return Results.load(run.path)
        except UsageError:
            continue
    return None


def _summary(runs: Sequence[Past], scored: Sequence[Past], changes: Sequence[str]) -> str:
    text = plural(len(runs), "run")
    if not scored:
        return f"{text} without figures."
    if unread := len(runs) - len(scored):
        text += f", {unread} of them without figures"
    last = scored[-1]
    ended = WORDS.get(last.ended, "ended") if last.ended is not None else "ended"
    text += f". The newest scored run, {moment(last.created) or line(last.run, 40)}, {_ended(ended)}"
    if len(scored) > 1 and not changes:
        text += "; none of the figures that are followed left the intervals of the run before"
    return f"{text}."


def _ended(word: str) -> str:
    return f"is {word}" if word in ("incomplete", "undecided") else word


def _sentence(runs: Sequence[Past], suites: dict[str, list[Past]]) -> str:
    failed = sum(run.ended is Exit.CLAIM_FAILED for run in runs)
    passed = sum(run.ended is Exit.PASS for run in runs)
    other = sum(run.ended in (Exit.INCOMPLETE, Exit.INCONCLUSIVE) for run in runs)
    lost = sum(bool(run.reason) for run in runs)
    parts = [
        f"{n} {words}"
        for n, words in (
            (failed, "failed"),
            (other, "undecided or incomplete"),
            (lost, "without figures"),
            (passed, "passed"),
        )
        if n
    ]
    named = sum(suite != _NO_SUITE for suite in suites)
    return f"{plural(len(runs), 'run')} of {plural(named, 'suite')}: {listing(parts)}."


def _line(run: Past, paths: Sequence[Path], base: Path) -> Line:
    report = run.path / "report.html"
    style, shape = _ENDS.get(run.ended, ("none", "v-none")) if run.ended is not None else ("none", "v-none")
    models = [*run.models[:_MOST_MODELS]]
    more = f" and {len(run.models) - _MOST_MODELS} more" if len(run.models) > _MOST_MODELS else ""
    return Line(
        name=_name(run.path, paths),
        link=_link(report, base) if report.is_file() else "",
        when=moment(run.created).removesuffix(" UTC")[:16],
        models=", ".join(models) + more,
        word=WORDS.get(run.ended, "no figures") if run.ended is not None else "no figures",
        style=style,
        shape=shape,
        counts=run.claims,
        root=run.root,
        reason=run.reason,
    )


def _name(path: Path, paths: Sequence[Path]) -> str:
    for root in paths:
        if path != root and path.is_relative_to(root):
            return line(path.relative_to(root).as_posix(), 120)
    return line(path.name or path.as_posix(), 120)


def _link(path: Path, base: Path) -> str:
    """A relative address; whatever is in the names of folders, it names a file and nothing else."""
    relative = Path(os.path.relpath(path.resolve(), base.resolve())).as_posix()
    return "./" + quote(relative, safe="/")
