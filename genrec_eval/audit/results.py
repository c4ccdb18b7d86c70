"""``estimates.json``: the result of a run and the machine-readable twin of its report."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, TypeVar

from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import whole_file
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict

SCHEMA = "genrec-eval/estimates/1"
ESTIMATES_FILE = "estimates.json"

Row = TypeVar("Row", Estimate, Verdict, Coverage)


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """What ``estimates.json`` holds.

    Attributes
    ----------
    run
        Id of the run, as in ``run.json``.
    definitions
        Metric id → formula, degenerate cases, source, ... of each metric that an estimate names.
    """

    run: str
    estimates: Sequence[Estimate]
    verdicts: Sequence[Verdict] = ()
    coverage: Sequence[Coverage] = ()
    definitions: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


def write_estimates(path: Path, results: Results) -> None:
    """Write strict JSON: fixed key order, no NaN, no time of writing; all of it or nothing.

    Raises
    ------
    UsageError
        When a number is not finite or the disk does not take the file.
    """
    for estimate in results.estimates:
        _refuse_nan(estimate)
    for verdict in results.verdicts:
        _refuse_nan(verdict)
    document = {
        "schema": SCHEMA,
        "run": results.run,
        "estimates": [row.to_json() for row in results.estimates],
        "verdicts": [row.to_json() for row in results.verdicts],
        "coverage": [row.to_json() for row in results.coverage],
        "definitions": results.definitions,
    }
    text = json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False) + "\n"
    with whole_file(path) as part:
        part.write_text(text, encoding="utf-8")


def read_estimates(path: Path) -> Results:
    """Read what :func:`write_estimates` wrote.

    Raises
    ------
    UsageError
        When the file is missing, is no JSON, or is of a version this release does not know.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror or error}") from error
    except ValueError as error:
        raise UsageError(f"{path} is not valid JSON ({error}); 'genrec-eval score' writes it anew") from error
    schema = document.get("schema") if isinstance(document, dict) else None
    if schema != SCHEMA:
        raise UsageError(f"{path} has the schema {schema!r}; this version reads '{SCHEMA}'")
    try:
        return Results(
            run=document["run"],
            estimates=[_row(Estimate, row) for row in document["estimates"]],
            verdicts=[_verdict(row) for row in document["verdicts"]],
            coverage=[_row(Coverage, row) for row in document["coverage"]],
            definitions=document.get("definitions", {}),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise UsageError(
            f"{path} is not as 'genrec-eval score' writes it ({type(error).__name__}: {error}); "
            "score the run again"
        ) from error


def _row(kind: type[Row], row: Mapping[str, Any]) -> Row:
    known = {one.name for one in fields(kind)}
    unknown = sorted(set(row) - known)
    if unknown:
        raise ValueError(f"unknown key '{unknown[0]}'")
    return kind(**row)


def _verdict(row: Mapping[str, Any]) -> Verdict:
    rulings = {name: Ruling(row[name]) for name in ("verdict", "expected")}
    return _row(Verdict, {**row, **rulings})


def _refuse_nan(row: Estimate | Verdict) -> None:
    for name in ("value", "low", "high"):
        number = getattr(row, name)
        if number is not None and not abs(number) < float("inf"):
            raise UsageError(
                f"{row.metric} of '{row.model}' in '{row.scenario}' ({row.slice}): {name} is {number}, "
                "which is no number to publish; the metric must give a reason instead"
            )
