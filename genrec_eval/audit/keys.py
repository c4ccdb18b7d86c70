"""From a record back to the fields of its key."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.engine.journal import Journal
from genrec_eval.engine.keys import key_fields
from genrec_eval.engine.rundir import RunDirectory


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundKey:
    """The key of one record, with the fields it was made from."""

    model: str
    scenario: str
    key: str
    fields: dict[str, Any]


def find_key(
    directory: RunDirectory, case: str, model: str | None, scenario: str | None, repeat: int, step: int
) -> FoundKey:
    """Find the key of a case.

    Raises
    ------
    UsageError
        When there is no such record, or several models or scenarios to choose from.
    """
    played = directory.played()
    model = _choose("model", model, dict.fromkeys(name for name, _ in played))
    scenario = _choose("scenario", scenario, dict.fromkeys(s for m, s in played if m == model))
    columns = ["case", "repeat", "step", "key"]
    for batch in directory.records(model, scenario, columns):
        for row in batch.to_pylist():
            if (row["case"], row["repeat"], row["step"]) == (case, repeat, step):
                return _found(directory, model, scenario, row["key"])
    raise UsageError(
        f"{directory.path} has no record of case '{case}', repeat {repeat}, step {step}"
        f" of '{model}' in '{scenario}'"
    )


def _choose(kind: str, wanted: str | None, known: dict[str, None]) -> str:
    if wanted is None and len(known) == 1:
        return next(iter(known))
    if wanted is None:
        raise UsageError(f"the run has several {kind}s: choose one with --{kind} ({', '.join(known)})")
    if wanted not in known:
        raise UsageError(f"the run has no {kind} '{wanted}'{did_you_mean(wanted, known)}")
    return wanted


def _found(directory: RunDirectory, model: str, scenario: str, key: str | None) -> FoundKey:
    if key is None:
        raise UsageError(
            f"'{model}' was played in columnar chunks, whose keys cover all users of a chunk together; "
            "its identity lies in run.json under models"
        )
    journal = Journal(directory.path / "journal.sqlite")
    try:
        exchange = journal.latest(key)
        if exchange is None:
            raise UsageError(f"the journal of {directory.path} does not hold the key {key}")
        identity = journal.identity(exchange.model) or {}
    finally:
        journal.close()
    fields = key_fields(orjson.loads(exchange.request), identity, exchange.repeat)
    return FoundKey(model=model, scenario=scenario, key=key, fields=fields)
