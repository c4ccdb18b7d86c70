"""Whether a run may be held against a baseline: the same questions, data, judges and definitions."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from genrec_eval.audit.gating.figures import Figure
from genrec_eval.audit.gating.subjects import Held, Subject
from genrec_eval.audit.sources.base import Facts
from genrec_eval.audit.sources.run import RunSource
from genrec_eval.core.errors import UsageError
from genrec_eval.core.faults import shown
from genrec_eval.core.numbers import count

_MOST = 5
"""Differences that a refusal names."""
_ABSENT = object()
_IDLE = frozenset({"description", "models"})
"""Keys of a scenario that change neither what is asked nor how it is scored."""


def check_comparable(held: Held, found: Iterable[Subject]) -> None:
    """Refuse a baseline that asked, scored or judged otherwise in a scenario that a rule is about.

    Which model answered may differ: that is what a gate is for.

    Raises
    ------
    UsageError
        With the first differences, both sources and the cure.
    """
    if held.baseline is None:
        return
    pairs = {
        (subject.rule.scenario, subject.metric.id): subject.rule.scenario
        for subject in found
        if subject.reference is not None and subject.metric is not None and subject.lacking is None
    }
    differences = list(
        unsound(held.baseline.facts, held.run.facts, pairs.values(), [metric for _, metric in pairs])
    )
    if differences:
        left = len(differences) - _MOST
        more = f"; and {left} more" if left > 0 else ""
        cure = f"genrec-eval baseline update {held.run.label} {held.baseline.label}"
        if isinstance(held.baseline, RunSource):
            cure = f"genrec-eval baseline save {held.run.label}"
        raise UsageError(
            f"the baseline {held.baseline.label} cannot be held against the run {held.run.label}:"
            f" {'; '.join(differences[:_MOST])}{more}. Where the change is meant, take it in with:"
            f" {cure}"
        )


def unsound(before: Facts, after: Facts, scenarios: Iterable[str], metrics: Iterable[str]) -> Iterator[str]:
    """What makes figures of the same name incomparable, a clause each."""
    scenarios = [
        name for name in dict.fromkeys(scenarios) if name in before.scenarios and name in after.scenarios
    ]
    for name in scenarios:
        one, other = (_asked(facts.scenarios[name]) for facts in (before, after))
        for path, was, now in differing(one, other):
            yield f"{path} of scenario '{name}' was {word(was)} and is {word(now)}"
    tables = [table for name in scenarios for table in (before.scenarios[name], after.scenarios[name])]
    named = {text for table in tables for text in _texts(table)}
    for what, one, other in (
        ("data set", before.data, after.data),
        ("judge", before.judges, after.judges),
    ):
        for name in dict.fromkeys([*one, *other]):
            if name in named and one.get(name) != other.get(name):
                yield f"{what} '{name}' was {_digest(one.get(name))} and is {_digest(other.get(name))}"
    for metric in dict.fromkeys(metrics):
        was, now = before.definitions.get(metric), after.definitions.get(metric)
        if was is not None and now is not None and was != now:
            yield f"metric {metric} was defined as {was} and is defined as {now}"


def remarks(held: Held, figures: Sequence[Figure]) -> list[str]:
    """What a reader should know of the comparison although it decides nothing."""
    if held.baseline is None:
        return []
    before, after = held.baseline.facts, held.run.facts
    found = []
    if before.seed != after.seed:
        found.append(f"the baseline was run with seed {before.seed}, the run with seed {after.seed}")
    one, other = (facts.versions.get("genrec-eval") for facts in (before, after))
    if one != other and one and other:
        found.append(f"the baseline was made by genrec-eval {one}, the run by {other}")
    there = dict.fromkeys(
        figure.subject.rule.scenario
        for figure in figures
        if figure.subject.reference is not None and figure.subject.lacking is None
    )
    for name in there:
        matched = held.matched(name)
        for rows, said in (
            (matched.only_candidate, "only the run has"),
            (matched.only_reference, "only the baseline has"),
            (matched.changed, "were asked something else than in the baseline"),
        ):
            if len(rows):
                found.append(f"{count(len(rows))} units of '{name}' {said}; no difference counts them")
    rounded = dict.fromkeys(
        f"{figure.subject.metric.id} of {figure.subject.reference}"
        for figure in figures
        if figure.rounding and figure.subject.metric is not None
    )
    if rounded:
        found.append(
            f"the baseline keeps {', '.join(rounded)} in 16-bit steps; the intervals are widened by what that"
            " may hide"
        )
    return found


def differing(one: Any, other: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Paths at which two plain values differ, with both values."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        for key in dict.fromkeys([*one, *other]):
            inner = f"{path}.{key}" if path else str(key)
            yield from differing(one.get(key, _ABSENT), other.get(key, _ABSENT), inner)
    elif isinstance(one, list | tuple) and isinstance(other, list | tuple) and len(one) == len(other):
        for index, pair in enumerate(zip(one, other, strict=True)):
            yield from differing(*pair, f"{path}[{index}]")
    elif one != other or isinstance(one, bool) is not isinstance(other, bool):
        yield path, one, other


def _asked(scenario: Any) -> Mapping[str, Any]:
    if not isinstance(scenario, Mapping):
        return {}
    return {key: value for key, value in scenario.items() if key not in _IDLE}


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for inner in value.values():
            yield from _texts(inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, str):
        yield value


def word(value: Any) -> str:
    """A value of a file, for a sentence."""
    if value is _ABSENT:
        return "not said"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(shown, value))}]"
    return shown(value)


def _digest(value: str | None) -> str:
    return f"{value[:12]}…" if value else "not there"
