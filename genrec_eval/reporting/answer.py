"""What the verdicts come to, in one sentence and in the order a reviewer needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from enum import StrEnum
from typing import Any

from genrec_eval.audit.gating.types import GateRow
from genrec_eval.core.numbers import count
from genrec_eval.protocol.results import Ruling, Verdict
from genrec_eval.reporting.results import Results, mapping
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
    """Places of the findings of built-in checks that a claim tells: the claim says them once for both."""
    rows = list(verdicts)
    told = {
        place(row)
        for row in rows
        if row.gate and outcome(row) in (Outcome.CAUGHT, Outcome.FAILED) and row.baseline is None
    }
    red = {Outcome.FINDING, Outcome.CAUGHT, Outcome.MISSED}
    return frozenset(
        place(row) for row in rows if not row.gate and outcome(row) in red and place(row) in told
    )


def only_foreseen(verdicts: Iterable[Verdict], places: Collection[Place]) -> bool:
    """Whether all claims at these places foresaw what the checks found there."""
    return all(outcome(row) is not Outcome.FAILED for row in verdicts if row.gate and place(row) in places)


def as_planted(verdict: Verdict, flaws: Collection[str]) -> bool:
    """Whether a flaw was found in a model that was made to fail: no finding about any system."""
    return verdict.model in flaws and outcome(verdict) in (Outcome.FAILED, Outcome.FINDING)


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


def would_decide(verdict: Verdict | GateRow, had: int | None = None) -> str:
    """What would decide an undecided claim.

    Parameters
    ----------
    had
        Units that the data hold, where that is known.
    """
    if verdict.verdict is not Ruling.INSUFFICIENT or not verdict.needed:
        return ""
    needed = count(float(f"{verdict.needed:.3g}"))
    if had is not None and verdict.needed > had:
        return (
            f"The {count(had)} units of the data cannot decide it: about {needed} would, if the figure stays."
        )
    held = "" if had is None else f"; the data hold {count(had)}"
    return f"About {needed} units would decide it, if the figure stays{held}."


def would_decide_all(verdicts: list[Verdict]) -> str:
    """What would decide all of several undecided claims; empty where that is not known."""
    if len(verdicts) == 1:
        return would_decide(verdicts[0])
    if any(row.verdict is not Ruling.INSUFFICIENT or not row.needed for row in verdicts):
        return ""
    most = count(max(row.needed or 0 for row in verdicts))
    return f"About {most} units would decide them all, if the figures stay."


def distance(verdict: Verdict) -> float:
    """How far the figure lies from the margin, in half-widths of its interval."""
    if verdict.value is None:
        return 0.0
    half = (verdict.high - verdict.low) / 2 if verdict.low is not None and verdict.high is not None else 0.0
    return abs(verdict.value - verdict.margin) / max(half, 1e-12)


def worst_first(verdicts: Iterable[Verdict]) -> list[Verdict]:
    """Sort by outcome, then by how surely the margin is missed; stable otherwise."""
    return sorted(verdicts, key=lambda row: (ORDER.index(outcome(row)), -distance(row)))


def sentence(
    verdicts: Iterable[Verdict],
    flaws: Collection[str] = (),
    *,
    purpose: str = "",
    warned: Collection[Verdict] = (),
) -> str:
    """The answer: claims by class, then controls, then what the built-in checks found.

    Parameters
    ----------
    flaws
        Models made to fail: what claims found in them is told apart.
    purpose
        What the audit is to decide: where it is stated, the claims that do not hold are named.
    warned
        Verdicts that are to be read with care.
    """
    return " ".join(sentences(verdicts, flaws, purpose=purpose, warned=warned))


def sentences(
    verdicts: Iterable[Verdict],
    flaws: Collection[str] = (),
    *,
    purpose: str = "",
    warned: Collection[Verdict] = (),
) -> list[str]:
    """The parts of :func:`sentence`: claims, controls, built-in checks; what there is none of is left out."""
    rows = list(verdicts)
    if not rows:
        return ["The suite makes no claim, so nothing was decided; the figures stand for themselves."]
    foreseen = expected(rows)
    tests = [row for row in rows if row.gate and on_control(row, flaws)]
    own = [row for row in rows if row.gate and not on_control(row, flaws)]
    checks = Counter(outcome(row) for row in rows if not row.gate)
    said = _tally(own, tests, purpose, sum(outcome(row) is Outcome.HOLDS and row in warned for row in own))
    text = ""
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
        text = f"Built-in checks: {plural(found, 'finding') if found else 'no finding'} in {len_of(checks)}"
        if known := sum(place(row) in foreseen for row in rows if not row.gate):
            how = "expected" if only_foreseen(rows, foreseen) else "told"
            text += f", {'all' if known == found else f'{known} of them'} {how} by a claim"
        alone = [
            row for row in rows if not row.gate and as_planted(row, flaws) and place(row) not in foreseen
        ]
        if alone:
            text += f", {len(alone)} of them in a model made to fail"
        text += f"; {', '.join(beside)}." if beside else "."
    return [part for part in (said, control(tests), text) if part]


_COUNTED = (
    (Outcome.FAILED, "failed", "failed"),
    (Outcome.MISSED, "did not catch its planted flaw", "did not catch their planted flaws"),
    (Outcome.UNDECIDED, "could not be decided", "could not be decided"),
    (Outcome.HOLDS, "holds", "hold"),
    (Outcome.CAUGHT, "failed as expected", "failed as expected"),
    (Outcome.NOT_RUN, "was not run", "were not run"),
)


def _tally(own: list[Verdict], tests: list[Verdict], purpose: str, warned: int) -> str:
    """``"1 claim failed, 2 hold."``; with a purpose the claims that do not hold are named."""
    if not own:
        silent = "" if tests else "The suite makes no claim of its own."
        return " ".join(filter(None, (_purpose(purpose), silent)))
    of: dict[Outcome, list[Verdict]] = {}
    for row in own:
        of.setdefault(outcome(row), []).append(row)
    parts: list[str] = []
    for kind, one, many in _COUNTED:
        if not (rows := of.get(kind)):
            continue
        n = len(rows)
        part = f"{n if parts or purpose else plural(n, 'claim')} {one if n == 1 else many}"
        if purpose and kind not in (Outcome.HOLDS, Outcome.CAUGHT):
            titles = list(dict.fromkeys(f"“{line(row.claim, 160)}”" for row in rows))
            part += f" ({few(titles)})"
        if kind is Outcome.HOLDS and warned:
            part += f" ({'it' if n == 1 else f'{warned} of them'} with a warning)"
        parts.append(part)
    if not purpose:
        return ", ".join(parts) + "."
    about = " about the systems" if tests else ""
    return f"{_purpose(purpose)} Of its {plural(len(own), 'claim')}{about} {', '.join(parts)}."


def _purpose(text: str) -> str:
    said = line(text, 400).strip()
    return f"Purpose: {said if said[-1] in '.!?…' else said + '.'}" if said else ""


def purpose_of(run: Mapping[str, Any]) -> str:
    """What the audit is to decide, where the suite states it."""
    return str(mapping(mapping(run.get("suite")).get("audit")).get("purpose") or "")


def on_control(verdict: Verdict, flaws: Collection[str]) -> bool:
    """Whether a claim is there to find a planted flaw: it did, or it was expected to."""
    if verdict.model not in flaws:
        return False
    return as_planted(verdict, flaws) or outcome(verdict) in (Outcome.CAUGHT, Outcome.MISSED)


def control(tests: list[Verdict]) -> str:
    """Whether claims found the flaws that were planted for them, and which of them count all the same."""
    if not tests:
        return ""
    models = list(dict.fromkeys(line(row.model, 60) for row in tests))
    one, alone = len(tests) == 1, len(models) == 1
    missed = sum(outcome(row) is Outcome.MISSED for row in tests)
    found = len(tests) - missed
    flaw, them = ("a flaw is", "it") if alone else ("flaws are", "them")
    if missed:
        came = f"{found} found {them}, {missed} did not" if found else f"{'it' if one else 'they'} did not"
    else:
        came = "it did" if one else "both did" if found == 2 else f"all {found} did"
    text = (
        f"{'Control' if one else 'Controls'}: {plural(len(tests), 'claim')} {'is' if one else 'are'} about"
        f" {few(models)}, in which {flaw} planted to see whether the claim{'' if one else 's'} would find"
        f" {them}: {came}."
    )
    silent = sum(outcome(row) is Outcome.FAILED for row in tests)
    if silent:
        which = "it" if one else "1 of them" if silent == 1 else f"{silent} of them"
        text += (
            f" The suite does not say that {which} should fail, so the exit code counts"
            f" {'it' if silent == 1 else 'them'} as failed."
        )
    return text


def answer(
    results: Results,
    flaws: Collection[str] = (),
    *,
    purpose: str = "",
    warned: Collection[Verdict] = (),
) -> str:
    """The sentence of the verdicts, then the models whose figures are missing or rest on a part.

    Parameters are those of :func:`sentence`.
    """
    return " ".join(answers(results, flaws, purpose=purpose, warned=warned))


def answers(
    results: Results,
    flaws: Collection[str] = (),
    *,
    purpose: str = "",
    warned: Collection[Verdict] = (),
) -> list[str]:
    """The parts of :func:`answer`, the one on claims first."""
    if results.coverage and not results.estimates and not results.verdicts:
        parts = ["No figure could be computed, so nothing was decided."]
    else:
        parts = sentences(results.verdicts, flaws, purpose=purpose, warned=warned)
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
    return parts + [f"{word}: {few(found[word])}." for word in words if word in found]


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
