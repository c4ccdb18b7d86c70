"""Pre-registration: what a suite sets out to decide and on what, fixed in a digest before a model is asked.

The digest covers what decides the verdicts: claims, families, margins, levels, seeds, scenarios, data, models
by name and kind, and numbers of cases. It covers no words of description, no endpoint and no credential.
"""

from __future__ import annotations

import datetime
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.engine.plan import Plan

if TYPE_CHECKING:
    from genrec_eval.engine.ready import Stage
    from genrec_eval.suite.load import LoadedSuite

SCHEMA = "genrec-eval/plan/1"
_DIGEST = re.compile(r"[0-9a-f]{64}")
_CLAIM = ("scenario", "metric", "model", "slice", "against", "family", "expect")
_MODEL = ("adapter", "model", "options", "repeats")
_SCENARIO = ("scenario", "options", "repeats", "judging")
_MOST_BYTES = 16 << 20


def planned(loaded: LoadedSuite, plan: Plan, stages: list[Stage]) -> dict[str, Any]:
    """What the digest of a plan is made over."""
    resolved, suite = loaded.resolved, loaded.suite
    scenarios = {}
    for stage in stages:
        entry = resolved["scenarios"][stage.name]
        scenarios[stage.name] = {
            **{key: entry[key] for key in _SCENARIO},
            "repeats": entry["repeats"] or resolved["engine"]["repeats"],
            "data": {name: facts["digest"] for name, facts in stage.data.items()},
            "models": [pairing.model for pairing in plan.of(stage.name)],
            "cases": len(stage.rows),
        }
    taking_part = {model for entry in scenarios.values() for model in entry["models"]}
    claims = [
        {
            **{key: entry[key] for key in _CLAIM},
            "metric": claim.metric.strip(),
            "rule": claim.rule,
            "margin": claim.margin,
            "tolerance": claim.tolerance,
        }
        for claim, entry in zip(suite.claims, resolved["claims"], strict=True)
    ]
    return {
        "level": suite.level,
        "error_budget": suite.engine.error_budget,
        "seed": suite.seed,
        "baseline": suite.baseline,
        "claims": claims,
        "scenarios": scenarios,
        "models": {
            name: {key: entry[key] for key in _MODEL if entry.get(key) is not None}
            for name, entry in resolved["models"].items()
            if name in taking_part
        },
    }


def document(loaded: LoadedSuite, content: Mapping[str, Any]) -> dict[str, Any]:
    """The file of a plan: its content, the digest of exactly that, and when it was written."""
    written = datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
    return {
        "schema": SCHEMA,
        "suite": loaded.suite.name,
        "written": written,
        "digest": digest(content),
        "plan": content,
    }


def read_plan(path: Path, place: str = "") -> dict[str, Any]:
    """The file of a plan.

    Parameters
    ----------
    place
        Where the file is named, for the sentence that refuses it.

    Raises
    ------
    UsageError
        When it cannot be read, is no plan, or was changed since it was written.
    """
    at = f"{place}: " if place else ""
    cure = f"write one with 'genrec-eval plan SUITE --write {path.name}'"
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise UsageError(f"{at}the plan {path} is too large to be one; {cure}")
        found = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise UsageError(
            f"{at}the plan {path} cannot be read: {error.strerror or error}; {cure}, before the run"
        ) from error
    except (ValueError, RecursionError) as error:
        raise UsageError(f"{at}the plan {path} is not valid JSON ({error}); {cure}") from error
    content = found.get("plan") if isinstance(found, dict) and found.get("schema") == SCHEMA else None
    if not isinstance(content, dict):
        raise UsageError(f"{at}{path} is no plan of this version ('{SCHEMA}'); {cure}")
    made = digest(content)
    if found.get("digest") != made:
        raise UsageError(
            f"{at}the plan {path} was changed after it was written: it says {str(found.get('digest'))[:12]},"
            f" its content comes to {made[:12]}; restore it, or {cure}"
        )
    return dict(found)


def registered(
    loaded: LoadedSuite, plan: Plan, stages: list[Stage], begun: str | None = None
) -> dict[str, Any]:
    """What ``run.json`` keeps of the plan: its digest, the registered one, and each departure.

    Parameters
    ----------
    begun
        When the first records of the run were made; None before there are any.
    """
    content = planned(loaded, plan, stages)
    said: dict[str, Any] = {"digest": digest(content), "registered": None}
    asked = None if loaded.suite.audit is None else loaded.suite.audit.plan
    if asked is None:
        return said
    if _DIGEST.fullmatch(asked):
        said |= {"registered": asked, "file": None, "written": None, "departures": None, "late": None}
        if said["digest"] == asked:
            said["departures"] = []
        return said
    place = loaded.where(("audit", "plan"))
    found = read_plan(loaded.folder / asked, place)
    written = str(found.get("written") or "") or None
    return said | {
        "registered": found["digest"],
        "file": asked,
        "written": written,
        "departures": list(departures(found["plan"], content)),
        "late": None if written is None else begun is not None and _later(written, begun),
    }


def _later(written: str, begun: str) -> bool | None:
    """None where the plan's time is none: nothing then says that it came first."""
    try:
        return datetime.datetime.fromisoformat(written) > datetime.datetime.fromisoformat(begun)
    except (ValueError, TypeError):
        return None


def departures(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """Each point in which a run is not the one that was registered, in words.

    >>> list(departures({"seed": 1, "level": 0.95}, {"seed": 2, "level": 0.95}))
    ['seed: 1 registered, 2 run']
    """
    for key in ("level", "error_budget", "seed", "baseline"):
        if before.get(key) != now.get(key):
            yield f"{key}: {_shown(before.get(key))} registered, {_shown(now.get(key))} run"
    yield from _claims(_listed(before.get("claims")), _listed(now.get("claims")))
    old, new = (_table(one.get("scenarios")) for one in (before, now))
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield f"scenario {name} left out"
        elif name not in old:
            yield f"scenario {name} added"
        else:
            yield from _scenario(name, _table(old[name]), _table(new[name]))
    old, new = (_table(one.get("models")) for one in (before, now))
    for name in old:
        if name in new:
            yield from _changes(f"model {name}", old[name], new[name])


def _claims(before: list[Any], now: list[Any]) -> Iterator[str]:
    old, new = ({_named(one, of): one for one in of} for of in (before, now))
    for name in [*old, *(name for name in new if name not in old)]:
        if name not in new:
            yield f"claim dropped: {name}"
        elif name not in old:
            yield f"claim added: {name} {_shown(new[name].get('margin'))}"
        else:
            for key in ("margin", "tolerance", "family", "expect"):
                if (was := _table(old[name]).get(key)) != (is_now := new[name].get(key)):
                    yield f"{key} of the claim {name}: {_shown(was)} registered, {_shown(is_now)} run"


def _named(claim: Any, among: list[Any]) -> str:
    """What tells a claim from the others: all but its margin, expectation and family."""
    one = _table(claim)
    words = f"{one.get('model')}'s {one.get('metric')} in {one.get('scenario')}"
    if one.get("slice") not in (None, "all"):
        words += f" for {one.get('slice')}"
    if one.get("against") is not None:
        words += f" against {one.get('against')}"
    words += f" {one.get('rule')}"
    same = [other for other in among if all(_table(other).get(key) == one.get(key) for key in _SAME)]
    return words if len(same) < 2 else f"{words} {_shown(one.get('margin'))}"


_SAME = ("scenario", "metric", "model", "slice", "against", "rule")


def _scenario(name: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    was, now = _listed(old.get("models")), _listed(new.get("models"))
    for model in was:
        if model not in now:
            yield f"model {model} left out of {name}"
    for model in now:
        if model not in was:
            yield f"model {model} added to {name}"
    kept = [key for key in (*_SCENARIO, "data", "cases") if key in old or key in new]
    for key in kept:
        yield from _changes(f"{key} of {name}", old.get(key), new.get(key))


def _changes(what: str, old: Any, new: Any) -> Iterator[str]:
    if old == new:
        return
    if isinstance(old, dict) and isinstance(new, dict):
        for key in dict.fromkeys([*old, *new]):
            yield from _changes(f"{what}, {key}", old.get(key), new.get(key))
    else:
        yield f"{what}: {_shown(old)} registered, {_shown(new)} run"


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _shown(value: Any) -> str:
    if value is None:
        return "none"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 120 else f"{text[:119]}…"
