"""One run among others, read from ``run.json`` and ``estimates.json`` alone."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from genrec_eval.audit.verdicts import exit_code
from genrec_eval.core.errors import Exit, UsageError
from genrec_eval.engine.rundir import FORMAT
from genrec_eval.protocol.results import Coverage, Ruling, Verdict
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line

_MOST_BYTES = 1 << 28
_SCHEMA = re.compile(r"genrec-eval/estimates/(\d+)")
_NEWEST = 1
_DEEPEST = 6
"""Levels of folders that are looked through."""
WORDS = {
    Exit.PASS: "passed",
    Exit.CLAIM_FAILED: "failed",
    Exit.INCOMPLETE: "incomplete",
    Exit.INCONCLUSIVE: "undecided",
}
"""What a run ended with, as a word."""

Key = tuple[str, str, str]
"""(scenario, metric, model)."""


@dataclass(frozen=True, slots=True)
class Point:
    """A figure of one run.

    Attributes
    ----------
    definition
        Full identity of the metric: two numbers may be compared only when these are equal.
    """

    value: float
    low: float
    high: float
    n: int
    definition: str


@dataclass(frozen=True, slots=True)
class Past:
    """A run as a page over several shows it.

    Attributes
    ----------
    reason
        Why there is no more to say of it; empty for a run that was finished and scored.
    claims
        How many came out as expected, did not, could not be decided, were not run.
    ended
        What it ended with; None where that is not known.
    root
        Root of its evidence; empty without one.
    asked
        Scenario → what its figures rest on: data, options and limit, each as something to compare.
    judges
        Judge → what decides how it judges.
    """

    path: Path
    suite: str
    run: str = ""
    created: str = ""
    reason: str = ""
    models: tuple[str, ...] = ()
    claims: tuple[int, int, int, int] = (0, 0, 0, 0)
    ended: Exit | None = None
    root: str = ""
    figures: Mapping[Key, Point] = field(default_factory=dict)
    asked: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    judges: Mapping[str, str] = field(default_factory=dict)

    @property
    def when(self) -> tuple[str, str]:
        """What runs are sorted by."""
        return self.created, str(self.path)


def found_in(paths: Sequence[Path]) -> Iterator[Path]:
    """Run directories among ``paths`` and in the folders below them, each once.

    A folder without ``run.json`` that holds other files of a run is one that never began well, and is given
    too. Links to folders are not followed.

    Raises
    ------
    UsageError
        When one of the paths is no folder.
    """
    seen: set[Path] = set()
    for path in paths:
        if not path.is_dir():
            raise UsageError(f"{path} is not a folder; name run directories, or a folder that holds them")
        for one in _below(path, 0):
            if one.resolve() not in seen:
                seen.add(one.resolve())
                yield one


def _below(folder: Path, depth: int) -> Iterator[Path]:
    if any((folder / name).is_file() for name in ("run.json", "estimates.json", "journal.sqlite")):
        yield folder
        return
    if depth >= _DEEPEST:
        return
    try:
        inside = sorted(one for one in folder.iterdir() if one.is_dir() and not one.is_symlink())
    except OSError:
        return
    for one in inside:
        if not one.name.startswith("."):
            yield from _below(one, depth + 1)


def past(path: Path) -> Past:
    """Read a run; whatever is wrong with it becomes its reason, and never ends the page."""
    run: dict[str, Any] = {}
    try:
        run = _object(path / "run.json")
        suite = mapping(run.get("suite"))
        known = Past(
            path,
            suite=line(run.get("name") or suite.get("name") or "unnamed suite", 120),
            run=line(run.get("run") or "", 80),
            created=line(run.get("finished") or run.get("created") or "", 40),
            models=tuple(line(model, 80) for model in mapping(run.get("models"))),
        )
        if reason := _unfinished(run):
            return _with(known, reason=reason)
        held = _object(path / "estimates.json")
        if fault := _foreign(held):
            return _with(known, reason=fault)
        return _scored(known, run, held)
    except UsageError as error:
        name = mapping(run.get("suite")).get("name") or run.get("name")
        return Past(
            path,
            suite=line(name, 120) if name else "",
            run=line(run.get("run") or "", 80),
            created=line(run.get("created") or "", 40),
            reason=line(error, 300),
        )
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        return Past(path, suite="", reason=line(f"its files are not those of a run ({error})", 300))


def _unfinished(run: Mapping[str, Any]) -> str:
    version = run.get("format")
    if not isinstance(version, int) or version < 1:
        return "run.json names no format, so it is not of a released version"
    if version > FORMAT:
        return f"written by a newer version of genrec-eval (format {version}); update genrec-eval to read it"
    if run.get("state") != "played":
        return "not finished: the models were not all played; 'genrec-eval run' resumes it"
    return ""


def _foreign(held: Mapping[str, Any]) -> str:
    match = _SCHEMA.fullmatch(str(held.get("schema")))
    if match is None:
        return "estimates.json has no schema of genrec-eval; redo it with 'genrec-eval score'"
    if int(match[1]) > _NEWEST:
        return f"estimates.json has schema {match[1]}, newer than this genrec-eval reads; update genrec-eval"
    return ""


def _scored(known: Past, run: Mapping[str, Any], held: Mapping[str, Any]) -> Past:
    verdicts = [_made(Verdict, row) for row in _rows(held, "verdicts")]
    coverage = [_made(Coverage, row) for row in _rows(held, "coverage")]
    suite = mapping(run.get("suite"))
    budget = mapping(suite.get("engine")).get("error_budget", 0.05)
    return _with(
        known,
        claims=_claims([row for row in verdicts if row.gate]),
        ended=exit_code(verdicts, coverage, float(budget)),
        root=_root(known.path),
        figures=dict(_figures(held)),
        asked=_asked(run, suite),
        judges={
            str(name): _text(_judge(mapping(about))) for name, about in mapping(run.get("judges")).items()
        },
    )


def _claims(rows: Sequence[Verdict]) -> tuple[int, int, int, int]:
    decided = [row for row in rows if row.verdict in (Ruling.PASS, Ruling.FAIL)]
    held = sum(row.verdict is row.expected for row in decided)
    open_ = sum(row.verdict is Ruling.INSUFFICIENT for row in rows)
    return held, len(decided) - held, open_, len(rows) - len(decided) - open_


def _figures(held: Mapping[str, Any]) -> Iterator[tuple[Key, Point]]:
    for row in _rows(held, "estimates"):
        if row.get("slice") != "all" or row.get("baseline") is not None:
            continue
        ends = [row.get(name) for name in ("value", "low", "high")]
        if all(isinstance(end, int | float) and not isinstance(end, bool) for end in ends):
            key = (str(row.get("scenario")), str(row.get("metric")), str(row.get("model")))
            value, low, high = (float(end or 0.0) for end in ends)
            n = row.get("n")
            yield (
                key,
                Point(value, low, high, n if isinstance(n, int) else 0, str(row.get("definition") or "")),
            )


def _asked(run: Mapping[str, Any], suite: Mapping[str, Any]) -> dict[str, dict[str, str]]:
    data = {str(name): _text(mapping(one).get("digest")) for name, one in mapping(run.get("data")).items()}
    found = {}
    for name, declared in mapping(suite.get("scenarios")).items():
        facts = mapping(declared)
        kept = {key: facts.get(key) for key in ("scenario", "options", "repeats")}
        named = facts.get("data")
        used = data.get(str(named), "") if named is not None else _text(data)
        found[str(name)] = {"data": used, "options": _text(kept), "limit": _text(run.get("limit"))}
    return found


def _judge(about: Mapping[str, Any]) -> dict[str, Any]:
    dialect = mapping(about.get("dialect"))
    return {
        "identity": about.get("identity"),
        "dialect": dialect.get("digest") or dialect,
        "policy": about.get("policy"),
    }


def _root(path: Path) -> str:
    try:
        found = str(_object(path / "evidence.json").get("root"))
    except UsageError:
        return ""
    return found if re.fullmatch(r"[0-9a-f]{64}", found) else ""


def _object(path: Path) -> dict[str, Any]:
    import orjson

    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{path.name} has more than {_MOST_BYTES >> 20} MB and was not read")
        found = orjson.loads(path.read_bytes())
    except FileNotFoundError:
        hint = "it never began" if path.name == "run.json" else "score it with 'genrec-eval score'"
        raise UsageError(f"{path.name} is missing: {hint}") from None
    except OSError as error:
        raise UsageError(f"{path.name} cannot be read ({error.strerror})") from None
    except orjson.JSONDecodeError as error:
        raise UsageError(f"{path.name} is not valid JSON ({error})") from None
    if not isinstance(found, dict):
        raise UsageError(f"{path.name} does not hold an object")
    return found


def _rows(held: Mapping[str, Any], key: str) -> list[Mapping[str, Any]]:
    rows = held.get(key) or []
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise UsageError(
            f"'{key}' of estimates.json is not a list of objects; redo it with 'genrec-eval score'"
        )
    return rows


def _made(kind: type, row: Mapping[str, Any]) -> Any:
    known = {spec.name: row[spec.name] for spec in fields(kind) if spec.name in row}
    for name in ("verdict", "expected"):
        if name in known:
            known[name] = Ruling(known[name])
    return kind(**known)


def _with(known: Past, **more: Any) -> Past:
    from dataclasses import replace

    return replace(known, **more)


def _text(value: Any) -> str:
    import orjson

    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
