"""Names inside a suite that refer to other parts of it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from genrec_eval.core.errors import did_you_mean

Fault = tuple[tuple[str | int, ...], str]


def references(data: Any) -> Iterator[Fault]:
    """Faults of references, from the bare document: it need not be valid in any other respect."""
    if not isinstance(data, dict):
        return
    # A section that is no mapping is a fault of its own; nothing can be said about names in it.
    sections = {
        "data": data.get("data", {}),
        "models": data.get("models"),
        "scenarios": data.get("scenarios"),
        "judges": data.get("judges", {}),
    }
    tables = {key: table for key, table in sections.items() if isinstance(table, dict)}
    for key, table in tables.items():
        yield from _case_twins(key, table)
    for name, entry in tables.get("scenarios", {}).items():
        entry = _table(entry)
        yield from _known(tables, "data", entry.get("data"), ("scenarios", name, "data"))
        yield from _each(tables, "models", entry.get("models"), ("scenarios", name, "models"))
        judging = entry.get("judging")
        for index, question in enumerate(judging if isinstance(judging, list | tuple) else ()):
            yield from _judging(tables, str(name), _table(question), ("scenarios", name, "judging", index))
    for name, entry in tables.get("models", {}).items():
        entry = _table(entry)
        yield from _each(tables, "scenarios", entry.get("scenarios"), ("models", name, "scenarios"))
    yield from _known(tables, "models", data.get("baseline"), ("baseline",))
    claims = data.get("claims")
    for index, claim in enumerate(claims if isinstance(claims, list | tuple) else ()):
        yield from _claim(tables, _table(claim), ("claims", index))
    rules = _table(data.get("gate")).get("rules")
    for index, rule in enumerate(rules if isinstance(rules, list | tuple) else ()):
        # what a rule is against stands in the baseline, which may hold models that are no more in the suite
        rule = {**_table(rule), "against": None}
        yield from _claim(tables, rule, ("gate", "rules", index))
    risks = _table(data.get("audit")).get("risks")
    for index, risk in enumerate(risks if isinstance(risks, list | tuple) else ()):
        for place, name in enumerate(_listed(_table(risk).get("scenarios"))):
            yield from _known(tables, "scenarios", name, ("audit", "risks", index, "scenarios", place))


def _listed(value: Any) -> list[Any]:
    return list(value) if isinstance(value, list | tuple) else []


def _table(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _known(tables: Any, key: str, name: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(name, str) and name not in tables.get(key, (name,)):
        known = ", ".join(map(str, tables[key])) or "none"
        what = {"data": "data set", "models": "model", "scenarios": "scenario", "judges": "judge"}[key]
        hint = did_you_mean(name, map(str, tables[key]))
        yield path, f"no {what} '{name}' in this suite{hint} (there is: {known})"


def _each(tables: Any, key: str, names: Any, path: tuple[str | int, ...]) -> Iterator[Fault]:
    if isinstance(names, list | tuple):
        for index, name in enumerate(names):
            yield from _known(tables, key, name, (*path, index))
        if not names:
            yield path, f"an empty list leaves no {key}; drop the key for all of them"


def _case_twins(key: str, table: dict[str, Any]) -> Iterator[Fault]:
    seen: dict[str, str] = {}
    for name in map(str, table):
        other = seen.setdefault(name.casefold(), name)
        if other != name:
            yield (
                (key, name),
                f"'{name}' and '{other}' differ in case only, and would share a file on some systems",
            )


def _claim(tables: Any, claim: dict[str, Any], path: tuple[str | int, ...]) -> Iterator[Fault]:
    scenario = claim.get("scenario")
    yield from _known(tables, "scenarios", scenario, (*path, "scenario"))
    for role in ("model", "against"):
        name = claim.get(role)
        yield from _known(tables, "models", name, (*path, role))
        if not (isinstance(name, str) and isinstance(scenario, str)):
            continue
        if not _takes_part(tables, name, scenario):
            yield (*path, role), f"model '{name}' takes no part in scenario '{scenario}'"


def _judging(
    tables: Any, scenario: str, question: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[Fault]:
    judge = question.get("judge")
    if isinstance(judge, list | tuple):
        for index, name in enumerate(judge):
            yield from _known(tables, "judges", name, (*path, "judge", index))
    else:
        yield from _known(tables, "judges", judge, (*path, "judge"))
    against = question.get("against")
    yield from _known(tables, "models", against, (*path, "against"))
    if isinstance(against, str) and not _takes_part(tables, against, scenario):
        yield (*path, "against"), f"model '{against}' takes no part in scenario '{scenario}'"


def _takes_part(tables: Any, model: str, scenario: str) -> bool:
    """False where one of the filters leaves the pairing out; unknown names are a fault of their own."""
    if model not in tables.get("models", ()) or scenario not in tables.get("scenarios", ()):
        return True
    chosen = _entry(tables, "scenarios", scenario).get("models")
    of = _entry(tables, "models", model).get("scenarios")
    return all(
        wanted in filter_
        for filter_, wanted in ((chosen, model), (of, scenario))
        if isinstance(filter_, list | tuple)
    )


def _entry(tables: Any, key: str, name: str) -> dict[str, Any]:
    return _table(tables.get(key, {}).get(name))
