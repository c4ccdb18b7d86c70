"""What the verdicts come to, in one sentence and in the order a reviewer needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum

from genrec_eval.audit.gating.types import GateRow
from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import asked
from genrec_eval.reporting.text import line, listing, plural


class Outcome(StrEnum):
    """A verdict beside what was expected of it; worst first."""

    FAILED = "failed"
    MISSED = "not caught"
    FINDING = "finding"
    UNDECIDED = "undecided"
    NOT_RUN = "not run"
    CAUGHT = "caught as expected"
    HOLDS = "holds"


Place = tuple[str, str, str, str]
ORDER = tuple(Outcome)
RED = frozenset({Outcome.FAILED, Outcome.MISSED, Outcome.FINDING})


def outcome(verdict: Verdict) -> Outcome:
    """Tell a failed claim from a built-in finding and from a planted flaw that was meant to fail."""
    if verdict.verdict is Ruling.NOT_RUN:
        return Outcome.NOT_RUN
    if verdict.verdict is Ruling.INSUFFICIENT:
        return Outcome.UNDECIDED
    if verdict.expected is Ruling.FAIL:
        return Outcome.CAUGHT if verdict.verdict is Ruling.FAIL else Outcome.MISSED
    if verdict.verdict is Ruling.PASS:
        return Outcome.HOLDS
    return Outcome.FAILED if verdict.gate else Outcome.FINDING


def quiet(verdict: Verdict) -> bool:
    """True for a built-in check that found nothing: worth a line with its like, not a row of its own."""
    return not verdict.gate and outcome(verdict) not in RED


def expected(verdicts: Iterable[Verdict]) -> frozenset[Place]:
    """Places of the findings of built-in checks that a claim expects: the claim says them once for both."""
    rows = list(verdicts)
    caught = {place(row) for row in rows if row.gate and outcome(row) is Outcome.CAUGHT}
    return frozenset(place(row) for row in rows if not row.gate and place(row) in caught)


def place(verdict: Verdict) -> Place:
    """Scenario, model, metric and slice."""
    return verdict.scenario, verdict.model, verdict.metric, verdict.slice


def alike(verdicts: Iterable[Verdict]) -> list[tuple[Outcome, str, list[Verdict]]]:
    """Quiet checks by outcome and scenario, worst first."""
    found: dict[tuple[Outcome, str], list[Verdict]] = {}
    for row in verdicts:
        if quiet(row):
            found.setdefault((outcome(row), row.scenario), []).append(row)
    ordered = sorted(found.items(), key=lambda pair: ORDER.index(pair[0][0]))
    return [(kind, scenario, rows) for (kind, scenario), rows in ordered]


def would_decide(verdict: Verdict | GateRow) -> str:
    """What would decide an undecided claim."""
    if verdict.verdict is not Ruling.INSUFFICIENT or not verdict.needed:
        return ""
    return f"About {count(verdict.needed)} units would decide it."


def would_decide_all(verdicts: list[Verdict]) -> str:
    """What would decide all of several undecided claims; empty where that is not known."""
    if len(verdicts) == 1:
        return would_decide(verdicts[0])
    if any(row.verdict is not Ruling.INSUFFICIENT or not row.needed for row in verdicts):
        return ""
    return f"About {count(max(row.needed or 0 for row in verdicts))} units would decide them all."


def distance(verdict: Verdict) -> float:
    """How far the figure lies from the margin, in half-widths of its interval."""
    if verdict.value is None:
        return 0.0
    half = (verdict.high - verdict.low) / 2 if verdict.low is not None and verdict.high is not None else 0.0
    return abs(verdict.value - verdict.margin) / max(half, 1e-12)


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Sort by outcome, then by how surely the margin is missed; stable otherwise."""
    return sorted(verdicts, key=lambda row: (ORDER.index(outcome(row)), -distance(row)))


def sentence(verdicts: Iterable[Verdict]) -> str:
    """The answer: claims by class, then what the built-in checks found."""
    rows = list(verdicts)
    foreseen = expected(rows)
    claims = Counter(outcome(row) for row in rows if row.gate)
    checks = Counter(outcome(row) for row in rows if not row.gate)
    if not rows:
        return "The suite makes no claim, so nothing was decided; the figures stand for themselves."
    parts: list[str] = []
    for kind, one, many in (
        (Outcome.FAILED, "failed", "failed"),
        (Outcome.MISSED, "did not catch its planted flaw", "did not catch their planted flaws"),
        (Outcome.UNDECIDED, "could not be decided", "could not be decided"),
        (Outcome.HOLDS, "holds", "hold"),
        (Outcome.CAUGHT, "caught its planted flaw as expected", "caught their planted flaws as expected"),
        (Outcome.NOT_RUN, "was not run", "were not run"),
    ):
        if n := claims[kind]:
            parts.append(f"{n if parts else plural(n, 'claim')} {one if n == 1 else many}")
    text = ", ".join(parts) + "." if parts else "The suite makes no claim of its own."
    if checks:
        found = checks[Outcome.FINDING] + checks[Outcome.MISSED] + checks[Outcome.CAUGHT]
        beside = [
            f"{plural(n, 'check')} {word}"
            for n, word in (
                (checks[Outcome.UNDECIDED], "could not be decided"),
                (checks[Outcome.NOT_RUN], "could not be run"),
            )
            if n
        ]
        text += f" Built-in checks: {plural(found, 'finding') if found else 'no finding'} in {len_of(checks)}"
        if known := sum(place(row) in foreseen for row in rows if not row.gate):
            text += f", {'all' if known == found else f'{known} of them'} expected by a claim"
        text += f"; {', '.join(beside)}." if beside else "."
    return text


def answer(results: Results) -> str:
    """The sentence of the verdicts, then the models whose figures are missing or rest on a part."""
    if results.coverage and not results.estimates and not results.verdicts:
        text = "No figure could be computed, so nothing was decided."
    else:
        text = sentence(results.verdicts)
    several = len(results.scenarios()) > 1
    found: dict[str, list[str]] = {}
    for row in results.coverage:
        if results.left_out(row):
            continue
        word = {"not-run": "Not run", "partial": "Played in part"}.get(row.state)
        if word is None and row.reason:
            word = "With cases that failed"
        who = f"{row.model} in {row.scenario}" if several else row.model
        if word is not None:
            found.setdefault(word, []).append(who)
        if row.remark:
            found.setdefault("Remarked on", []).append(who)
    words = ("Not run", "Played in part", "With cases that failed", "Remarked on")
    return " ".join([text, *(f"{word}: {few(found[word])}." for word in words if word in found)])


def remarks(results: Results) -> list[tuple[str, str]]:
    """(models and where, what is worth knowing of their answers), each remark once."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in results.coverage:
        if row.remark:
            told.setdefault((row.scenario, line(row.remark, 1000)), []).append(line(row.model, 60))
    several = len(results.scenarios()) > 1
    return [
        (f"{listing(models)} in {line(scenario, 60)}" if several else listing(models), said)
        for (scenario, said), models in told.items()
    ]


def few(words: list[str]) -> str:
    """A listing of at most five words, the last of which may be a number of others."""
    return listing([*words[:4], f"{len(words) - 4} more"] if len(words) > 5 else words)


def len_of(counter: Counter[Outcome]) -> str:
    """Number of checks behind a sentence."""
    return plural(sum(counter.values()), "check")


def rule(verdict: Verdict, results: Results) -> str:
    """What the claim asks for, in words: ``"at most 1 %"``."""
    return asked(verdict.rule, verdict.margin, results.unit(verdict.metric), verdict.baseline)
