"""What differs between two runs beside the answers, and where that makes figures incomparable."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.audit.comparing.meaning import changed_judges, identity_of, rubrics_of
from genrec_eval.audit.comparing.partners import Partners
from genrec_eval.audit.comparing.types import Setting
from genrec_eval.audit.comparing.words import share_words
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.audit.sources.run import RunSource, judge_of
from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Coverage

ORDER = (
    "data",
    "scenario",
    "judge",
    "metric",
    "coverage",
    "model",
    "seed",
    "version",
    "engine",
    "suite",
    "git",
    "environment",
    "format",
)
"""Of :attr:`Setting.what`, in which they are listed; the unsound ones first."""

_SHOWN = 16
"""Characters of a digest."""
_HARMLESS = frozenset({"metrics", "groups", "max_users", "published"})
"""Options of scenarios that change neither a question nor how an answer to it counts."""

_DATA = "the data are not the same: models may have learnt from other data, and metrics may count by it"
_KIND = "another kind of scenario under the same name asks for something else"
_OPTION = "the scenario asks, or counts, otherwise"
_CHOSEN = "lists are chosen from other items"
_JUDGE = "it would judge the same answers otherwise, so its metrics are not compared"
_METRIC = "the figures are computed otherwise, so they are not compared"
_COVERAGE = "which cases a model fails to answer is rarely chance, so nothing of it is called better or worse"
_PARTIAL = "it was not played, or not judged, to the end"


def settings(
    candidate: RunSource, reference: RunSource, partners: Sequence[Partners], matched: Mapping[str, Matched]
) -> list[Setting]:
    """Everything of the scenarios and models that are compared, the unsound first."""
    moved = (_groups(candidate, reference, scenario, pairs) for scenario, pairs in matched.items())
    found = list(dict.fromkeys([*_all(candidate, reference, partners), *filter(None, moved)]))
    return sorted(found, key=lambda one: (one.unsound is None, ORDER.index(one.what)))


def _all(candidate: RunSource, reference: RunSource, partners: Sequence[Partners]) -> Iterator[Setting]:
    for scenario in dict.fromkeys(one.scenario for one in partners):
        yield from _scenario(candidate, reference, scenario)
        yield from _metrics(candidate, reference, scenario)
    yield from _judges(candidate, reference, partners)
    for one in partners:
        yield from _coverage(candidate, reference, one)
        yield from _model(candidate, reference, one)
    new, old = candidate.directory.run, reference.directory.run
    yield from _each("seed", "seed", old.get("seed"), new.get("seed"))
    yield from _each("version", "", reference.facts.versions, candidate.facts.versions)
    mine, theirs = _suite(new), _suite(old)
    for key in ("engine", "level"):
        yield from _each("engine", "" if key == "engine" else key, theirs.get(key), mine.get(key))
    for key in ("only", "limit"):
        yield from _each("engine", f"--{key}", old.get(key) or None, new.get(key) or None)
    for key in ("name", "prices"):
        yield from _each("suite", key, theirs.get(key), mine.get(key))
    yield from _each("git", "", old.get("git"), new.get("git"))
    yield from _each("environment", "", old.get("environment"), new.get("environment"))
    yield from _each("format", "run directory", old.get("format"), new.get("format"))


def _scenario(candidate: RunSource, reference: RunSource, name: str) -> Iterator[Setting]:
    new, old = (source.facts.scenarios.get(name) or {} for source in (candidate, reference))
    yield from _each("scenario", f"{name}: kind", old.get("scenario"), new.get("scenario"), _KIND)
    for path, before, after in differing(old.get("options") or {}, new.get("options") or {}):
        why = None if path.split(".")[0] in _HARMLESS else _OPTION
        yield Setting(what="scenario", name=f"{name}: {path}", reference=before, candidate=after, unsound=why)
    yield from _each("scenario", f"{name}: repeats", old.get("repeats"), new.get("repeats"))
    yield from _each("judge", f"{name}: judging", old.get("judging") or None, new.get("judging") or None)
    yield from _data(candidate, reference, name, str(old.get("data") or ""), str(new.get("data") or ""))
    facts = [_facts(source, name) for source in (reference, candidate)]
    yield from _each("scenario", f"{name}: cases", facts[0].get("cases"), facts[1].get("cases"))
    chosen = [_chosen(one) for one in facts]
    yield from _each("scenario", f"{name}: candidates", chosen[0], chosen[1], _CHOSEN)
    shared = [_shared(source, name) for source in (reference, candidate)]
    if None not in shared and shared[0] != shared[1]:
        told = [f"{count(len(one or ()))} items" for one in shared]
        told = told if told[0] != told[1] else [told[0], f"{told[1]}, other ones"]
        yield Setting(
            what="scenario",
            name=f"{name}: shared candidates",
            reference=told[0],
            candidate=told[1],
            unsound=_CHOSEN,
        )


def _data(candidate: RunSource, reference: RunSource, name: str, old: str, new: str) -> Iterator[Setting]:
    mine, theirs = candidate.facts.data, reference.facts.data
    pairs = {new: old} | {other: other for other in candidate.scenario(name).others()}
    for after, before in pairs.items():
        digests = theirs.get(before), mine.get(after)
        if (after or before) and digests[0] != digests[1]:
            label = after if after == before else f"{before or 'none'} → {after or 'none'}"
            shown = [one[:_SHOWN] if one else None for one in digests]
            yield Setting(what="data", name=label, reference=shown[0], candidate=shown[1], unsound=_DATA)


def _metrics(candidate: RunSource, reference: RunSource, scenario: str) -> Iterator[Setting]:
    twins = {one.id: one for one in reference.measured(scenario)}
    for metric in candidate.measured(scenario):
        twin = twins.get(metric.id)
        if twin is None:
            continue
        before, after = twin.definition_id, metric.definition_id
        if before == after:
            before = reference.facts.definitions.get(metric.id, before)
            after = candidate.facts.definitions.get(metric.id, after)
        if before != after:
            yield Setting(what="metric", name=metric.id, reference=before, candidate=after, unsound=_METRIC)


def _judges(candidate: RunSource, reference: RunSource, partners: Sequence[Partners]) -> Iterator[Setting]:
    scenarios = dict.fromkeys(one.scenario for one in partners)
    used = {
        judge
        for scenario in scenarios
        for metric in candidate.measured(scenario)
        for judge in str(metric.parameters.get("judge") or "").split("+")
    }
    for judge in changed_judges(candidate, reference):
        if judge not in used:
            continue
        old, new = (judge_of(source.directory.run, judge) for source in (reference, candidate))
        yield from _each("judge", judge, old, new, _JUDGE)
    before, after = rubrics_of(reference), rubrics_of(candidate)
    for rubric in after:
        if rubric in before:
            yield from _each("judge", f"rubric {rubric}", before[rubric], after[rubric], _JUDGE)


def _groups(candidate: RunSource, reference: RunSource, scenario: str, pairs: Matched) -> Setting | None:
    """Units that are of another group than before: slices hold those that are in them in both runs."""
    new, old = candidate.units(scenario).slices, reference.units(scenario).slices
    moved = np.zeros(len(pairs.candidate), bool)
    for name in new:
        if name in old:
            moved |= new[name][pairs.candidate] != old[name][pairs.reference]
    if not moved.any():
        return None
    said = f"{count(int(moved.sum()))} of {count(len(moved))} paired units are of another group"
    return Setting(what="scenario", name=f"{scenario}: groups of units", reference=None, candidate=said)


def _coverage(candidate: RunSource, reference: RunSource, one: Partners) -> Iterator[Setting]:
    rows = [
        next((r for r in source.coverage if (r.model, r.scenario) == (model, one.scenario)), None)
        for source, model in ((reference, one.reference_model), (candidate, one.model))
    ]
    old, new = rows
    if old is None or new is None:
        return
    told = [_answers(row) for row in (old, new)]
    few = any(
        row.answered < row.attempted * (1 - source.error_budget) - 1e-9
        for row, source in ((old, reference), (new, candidate))
    )
    partial = old.state == "partial" or new.state == "partial"
    share = [row.answered / row.attempted if row.attempted else 0.0 for row in (old, new)]
    if few or partial or share[0] != share[1]:
        yield Setting(
            what="coverage",
            name=f"{one.who} in {one.scenario}",
            reference=told[0],
            candidate=told[1],
            unsound=_COVERAGE if few else _PARTIAL if partial else None,
        )


def _answers(row: Coverage) -> str:
    said = f"{count(row.answered)} of {count(row.attempted)} cases answered"
    if row.attempted and row.answered < row.attempted:
        said += f" ({share_words(row.answered, row.attempted)})"
    return f"{said}: {row.reason}" if row.reason else said


def _model(candidate: RunSource, reference: RunSource, one: Partners) -> Iterator[Setting]:
    old = identity_of(reference, one.reference_model, one.scenario)
    new = identity_of(candidate, one.model, one.scenario)
    for path, before, after in differing(old, new):
        yield Setting(what="model", name=f"{one.who}: {path}", reference=before, candidate=after)


def _facts(source: RunSource, scenario: str) -> Mapping[str, Any]:
    about = source.directory.run.get("scenarios") or {}
    about = about.get(scenario) if isinstance(about, Mapping) else None
    return (about or {}).get("facts") or {}


def _chosen(facts: Mapping[str, Any]) -> str | None:
    said = facts.get("candidates")
    return said if isinstance(said, str) else None


def _shared(source: RunSource, scenario: str) -> frozenset[str] | None:
    """Ids of the candidates that all cases of a ranking scenario share."""
    from genrec_eval.scenarios.ranking.asked import SHARED

    context = source.directory.context(scenario)
    if SHARED not in context or "items" not in context:
        return None
    return frozenset(context["items"].column("item").take(context[SHARED].column("code")).to_pylist())


def _suite(run: Mapping[str, Any]) -> Mapping[str, Any]:
    return run.get("suite") or {}


def _each(what: str, name: str, old: Any, new: Any, unsound: str | None = None) -> Iterator[Setting]:
    for path, before, after in differing(old, new):
        full = f"{name}.{path}" if name and path else name or path or what
        full = f"{name}: {path}" if what == "judge" and name and path else full
        yield Setting(what=what, name=full, reference=before, candidate=after, unsound=unsound)


def differing(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str | None, str | None]]:
    """Path, old and new value as text, of everything that is not the same in two plain structures.

    >>> list(differing({"k": 10, "split": {"fraction": 0.8}}, {"k": 20, "split": {"fraction": 0.8}}))
    [('k', '10', '20')]
    """
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in dict.fromkeys((*old, *new)):
            yield from differing(old.get(key), new.get(key), f"{path}.{key}" if path else str(key))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new) and _structured(old + new):
        for place, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from differing(one, other, f"{path}[{place}]")
    elif old != new:
        yield path, _text(old), _text(new)


def _structured(values: Sequence[Any]) -> bool:
    return any(isinstance(value, Mapping) for value in values)


def _text(value: Any) -> str | None:
    if value is None or isinstance(value, str):
        return value
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)
