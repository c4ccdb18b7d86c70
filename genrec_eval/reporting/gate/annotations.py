"""Annotations of GitHub: workflow commands that point at the lines of the suite.

Without the usual future import, whose name is that of the function.
"""

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.words import asked_of, figure_of, outcome, sentences, where_of, worst_first
from genrec_eval.reporting.text import line

MOST = 10
"""GitHub shows this many annotations of a kind for a step, and drops the others."""


def annotations(result: GateResult, root: Path | None = None) -> list[str]:
    """One workflow command a rule that does not hold, worst first, and a notice with the whole verdict.

    Parameters
    ----------
    result
        The verdict object.
    root
        Root of the repository, to which GitHub takes paths as relative; the working directory by default.

    Returns
    -------
    list of str
        Lines to print. At most 10 of a kind: where there are more, the last one says how many.

    See Also
    --------
    https://docs.github.com/actions/reference/workflow-commands-for-github-actions
    """
    root = root or Path.cwd()
    found: dict[str, list[tuple[Mapping[str, str], str]]] = {"error": [], "warning": [], "notice": []}
    for row in worst_first(result):
        if row.verdict is Ruling.FAIL or row.verdict is Ruling.NOT_RUN:
            found["error"].append(_row(row, root))
        elif row.verdict is Ruling.INSUFFICIENT:
            kind = {"fail": "error", "warn": "warning", "pass": "notice"}[result.inconclusive]
            found[kind].append(_row(row, root))
    found["error"] += [({"title": "INCOMPLETE: the run"}, line(said, 1000)) for said in result.incomplete]
    found["warning"] += [({"title": "Gate"}, line(said, 1000)) for said in result.warnings]
    found["notice"].insert(0, ({"title": f"Gate: {outcome(result).word}"}, outcome(result).sentence))
    return [command(kind, *one) for kind, rows in found.items() for one in _few(rows)]


def command(kind: str, properties: Mapping[str, str], message: str) -> str:
    """A workflow command with everything escaped that could end it or begin another.

    >>> command("error", {"file": "a,b.yaml", "title": "x: y"}, "100 % wrong")
    '::error file=a%2Cb.yaml,title=x%3A y::100 %25 wrong'
    """
    given = ",".join(f"{name}={_property(value)}" for name, value in properties.items())
    return f"::{kind} {given}::{_data(message)}" if given else f"::{kind}::{_data(message)}"


def _row(row: GateRow, root: Path) -> tuple[Mapping[str, str], str]:
    shown = figure_of(row)
    value = f" is {shown}" if shown.known else ""
    said = (
        f"{where_of(row)}: {line(row.metric, 120)}{value}, asked {asked_of(row)}. {' '.join(sentences(row))}"
    )
    return {**_place(row.where, root), "title": f"{row.verdict}: {line(row.rule, 200)}"}, said


def _place(where: str | None, root: Path) -> dict[str, str]:
    """``file`` and ``line`` as GitHub reads them; nothing for a file outside of the repository."""
    match = re.fullmatch(r"(?P<file>[^\n]+?)(?::(?P<line>[1-9]\d{0,8}))?", where or "")
    if match is None:
        return {}
    path = Path(match["file"].replace("\\", "/"))
    path = path if path.is_absolute() else Path.cwd() / path
    try:
        inside = path.resolve().relative_to(root.resolve()).as_posix()
    except (ValueError, OSError):
        return {}
    return {"file": inside, **({"line": match["line"]} if match["line"] else {})}


def _few(
    rows: Sequence[tuple[Mapping[str, str], str]],
) -> Sequence[tuple[Mapping[str, str], str]]:
    if len(rows) <= MOST:
        return rows
    rest = len(rows) - MOST + 1
    return [
        *rows[: MOST - 1],
        ({"title": f"and {rest} more"}, f"{rest} more stand in the summary and the report."),
    ]


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
