"""What two audits say beside their figures: when, with which root, what was ruled, and what was the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from typing import Any

from genrec_eval.audit.chain.evidence import read_root
from genrec_eval.audit.comparing.partners import Partners
from genrec_eval.audit.comparing.types import Audited, Claimed, Setting
from genrec_eval.audit.sources.matched import Matched
from genrec_eval.audit.sources.run import RunSource
from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Verdict
from genrec_eval.suite.measured import metric_id

_DIGITS = 16
"""Characters of a digest."""


def audited(source: RunSource) -> Audited:
    """When a run was made, its root and how many of its claims came to what.

    A root that cannot be read is none: ``genrec-eval verify`` says what is wrong with it.
    """
    run, root = source.directory.run, None
    with suppress(UsageError):
        root = read_root(source.directory.path)
    return Audited(
        run=source.facts.run,
        when=str(run.get("finished") or run.get("created") or ""),
        root=None if root is None else root.root,
        signed=root is not None and root.signed,
        verdicts=dict(Counter(str(one.verdict) for one in source.results.verdicts if one.gate)),
    )


def claims(candidate: RunSource, reference: RunSource, partners: Sequence[Partners]) -> list[Claimed]:
    """Every claim of either audit with both verdicts, those that changed first."""
    names = {(one.scenario, one.reference_model): one.model for one in partners}
    mine, theirs = ([one for one in source.results.verdicts if one.gate] for source in (candidate, reference))
    after = {_key(one, one.model): one for one in mine}
    before = {_key(one, names.get((one.scenario, one.model), one.model)): one for one in theirs}
    found = [
        Claimed(
            claim=key[0],
            scenario=key[1],
            model=key[2],
            metric=key[3],
            slice=key[4],
            before=str(before[key].verdict) if key in before else None,
            after=str(after[key].verdict) if key in after else None,
        )
        for key in dict.fromkeys([*after, *before])
    ]
    return sorted(found, key=lambda one: one.before == one.after)


def _key(one: Verdict, model: str) -> tuple[str, str, str, str, str]:
    return one.claim, one.scenario, model, one.metric, one.slice


class Ruled:
    """What the claims and the gate of a run are about."""

    def __init__(self, source: RunSource) -> None:
        self._claims = {
            (one.scenario, one.metric, one.model, one.slice) for one in source.results.verdicts if one.gate
        }
        suite: Mapping[str, Any] = source.directory.run.get("suite") or {}
        self._rules = list(_rules(suite.get("gate")))

    def about(self, scenario: str, metric: str, model: str, slice: str) -> bool:
        """Whether any of them is about this figure."""
        if (scenario, metric, model, slice) in self._claims:
            return True
        group = slice.partition("=")[0]
        return any(
            (scenario, metric) == (of, measured)
            and named in (None, model)
            and (slice == where if by is None else group == by)
            for of, measured, named, where, by in self._rules
        )


def _rules(gate: Any) -> Iterator[tuple[str, str, str | None, str, str | None]]:
    rules = gate.get("rules") if isinstance(gate, Mapping) else None
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, Mapping):
            continue
        spelled = str(rule.get("metric"))
        with suppress(UsageError):
            spelled = metric_id(spelled)
        yield (
            str(rule.get("scenario")),
            spelled,
            rule.get("model"),
            str(rule.get("slice") or "all"),
            rule.get("by"),
        )


def same(
    candidate: RunSource,
    reference: RunSource,
    matched: Mapping[str, Matched],
    settings: Sequence[Setting],
) -> list[str]:
    """What was the same in both audits, for a reader who must not infer it."""
    differs = {one.what for one in settings}
    facts, other = candidate.facts, reference.facts
    names, found = list(matched), []
    if facts.data and facts.data == other.data and "data" not in differs:
        shown = [f"{name} ({digest[:_DIGITS]})" for name, digest in facts.data.items()]
        found.append(f"data: {', '.join(shown)}")
    cases = " and every case" if all(one.complete for one in matched.values()) else ""
    if "scenario" not in differs:
        found.append(f"scenario{'s' if len(names) > 1 else ''}: {', '.join(names)}, every option{cases}")
    if facts.judges and facts.judges == other.judges and "judge" not in differs:
        found.append(f"judge{'s' if len(facts.judges) > 1 else ''}: {', '.join(facts.judges)}")
    if facts.definitions and "metric" not in differs:
        shared = [name for name in facts.definitions if name in other.definitions]
        found.append(f"definitions of all {count(len(shared))} metrics that both have")
    if facts.seed == other.seed:
        found.append(f"seed: {facts.seed}")
    if facts.versions and facts.versions == other.versions:
        own = facts.versions.get("genrec-eval")
        found.append(f"versions of genrec-eval{f' ({own})' if own else ''} and of all packages")
    return found
