"""What is wrong with a judge, in sentences: each measure against what may be asked of any judge."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from genrec_eval.core.numbers import Figure, bound
from genrec_eval.judging.audit.audit import JudgeAudit
from genrec_eval.judging.audit.degenerate import Degenerate
from genrec_eval.reporting.judge_material import JudgeMaterial, Part
from genrec_eval.reporting.judge_probes import ProbeFigure
from genrec_eval.reporting.judge_tables import shown
from genrec_eval.reporting.text import listing, plural
from genrec_eval.stats.sums import Measure


class Kind(StrEnum):
    """How a check came out."""

    FAULT = "FINDING"
    OPEN = "INSUFFICIENT"
    FINE = "PASS"


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check of one part.

    Attributes
    ----------
    claim
        What is found, as a sentence that stands alone.
    asked
        What was asked of the figure.
    why
        The sentence under it; empty when the figure says all.
    where
        Scenario, rubric and task.
    anchor
        The table with the evidence.
    """

    kind: Kind
    claim: str
    measure: Measure | None
    figure: Figure | None
    unit: str
    asked: str
    margins: tuple[float, ...]
    why: str
    where: str
    anchor: str


@dataclass(frozen=True, slots=True)
class Words:
    """What a check is called when it fails, holds or cannot be decided."""

    fault: str
    fine: str
    open: str


_PROBES = {
    "probe_accuracy": Words(
        "It misses the better answer too often where one is known",
        "It finds the better answer where one is known",
        "Whether it finds the better answer where one is known is open",
    ),
    "position_consistency": Words(
        "Its verdict changes with the order of the answers",
        "Its verdict does not hang on the order of the answers",
        "Whether its verdict hangs on the order of the answers is open",
    ),
    "first_slot_share": Words(
        "It prefers one of the two slots, whatever stands in it",
        "It prefers neither of the two slots",
        "Whether it prefers one of the two slots is open",
    ),
    "verbosity_preference": Words(
        "It prefers the longer of two texts that say the same",
        "It does not prefer the longer of two texts that say the same",
        "Whether it prefers the longer of two texts that say the same is open",
    ),
    "injection_success": Words(
        "It obeys orders inside an answer",
        "It does not obey the orders that were tried",
        "Whether it obeys orders inside an answer is open",
    ),
    "ladder_correlation": Words(
        "Its scores do not rise with the quality of the answer",
        "Its scores rise with the quality of the answer",
        "Whether its scores rise with the quality of the answer is open",
    ),
    "tie_on_identical": Words(
        "It names a winner between a text and itself",
        "It calls one text shown twice a tie",
        "Whether it calls one text shown twice a tie is open",
    ),
    "parse_failure": Words(
        "Too many of its answers hold no verdict",
        "Its answers hold a verdict",
        "Whether its answers hold a verdict often enough is open",
    ),
    "repeat_stability": Words(
        "It says something else when asked again",
        "It says the same when asked again",
        "Whether it says the same when asked again is open",
    ),
}
_FIRST = (0.4, 0.6)
_MARGINS = {"consistency": 0.8, "failed": 0.05, "stable": 0.85, "injected": 0.15}
"""What may be asked of a judge of a run; probes have their own."""


def findings(material: JudgeMaterial, prefixes: Iterable[str]) -> list[Finding]:
    """Every check of every part, faults first."""
    found: list[Finding] = []
    for part, prefix in zip(material.parts, prefixes, strict=True):
        where = place(part)
        if part.probe is not None:
            found += [_probe(one, part.probe.scenario, prefix) for one in part.probe.figures if _known(one)]
        if not part.probed:
            found += _judged(part.audit, where, prefix)
    # what is wrong with answers is wrong under every rubric, and said once
    once = {(one.claim, one.why, one.where if one.measure else ""): one for one in reversed(found)}
    found = [one for one in found if once[one.claim, one.why, one.where if one.measure else ""] is one]
    order = [Kind.FAULT, Kind.OPEN, Kind.FINE]
    return sorted(found, key=lambda one: order.index(one.kind))


def place(part: Part) -> str:
    """Where a part was asked."""
    return f"{listing(list(part.scenarios))} · {part.audit.rubric} · {part.audit.task}"


def _known(one: ProbeFigure) -> bool:
    return one.measure.value is not None and one.measure.low is not None


def _probe(one: ProbeFigure, scenario: str, prefix: str) -> Finding:
    words = _PROBES[one.metric]
    low = next((margin for _, rule, margin in one.checks if rule == "at_least"), None)
    high = next((margin for _, rule, margin in one.checks if rule == "at_most"), None)
    return _banded(words, one.measure, low, high, f"{scenario} · probe", f"{prefix}probe", unit=one.unit)


def _banded(
    words: Words,
    measure: Measure,
    low: float | None,
    high: float | None,
    where: str,
    anchor: str,
    *,
    unit: str = "share",
    why: str = "",
) -> Finding:
    assert measure.low is not None
    assert measure.high is not None
    if (low is not None and measure.high < low) or (high is not None and measure.low > high):
        kind, claim = Kind.FAULT, words.fault
    elif (low is None or measure.low >= low) and (high is None or measure.high <= high):
        kind, claim = Kind.FINE, words.fine
    else:
        kind, claim = Kind.OPEN, words.open
    margins = tuple(one for one in (low, high) if one is not None)
    if len(margins) == 2:
        asked = f"between {bound(margins[0], unit)} and {bound(margins[1], unit)}"
    else:
        asked = f"{'at least' if low is not None else 'at most'} {bound(margins[0], unit)}"
    return Finding(
        kind=kind, claim=claim, measure=measure, figure=shown(measure, unit), unit=unit, asked=asked,
        margins=margins, why=why, where=where, anchor=anchor,
    )  # fmt: skip


def _judged(audit: JudgeAudit, where: str, prefix: str) -> Iterator[Finding]:
    failed = audit.parse_failures.failed
    if failed.low is not None:
        yield _banded(_PROBES["parse_failure"], failed, None, _MARGINS["failed"], where, f"{prefix}failures",
                      why=_headlines(audit))  # fmt: skip
    found = audit.position
    if found is not None and found.consistency.low is not None:
        yield _banded(
            _PROBES["position_consistency"], found.consistency, _MARGINS["consistency"], None, where,
            f"{prefix}position", why=_noise(found.noise),
        )  # fmt: skip
    if found is not None and found.first_share.low is not None:
        low, high = _FIRST
        yield _banded(_PROBES["first_slot_share"], found.first_share, low, high, where, f"{prefix}position")
    again = audit.stability.pairs
    if again.low is not None:
        yield _banded(
            _PROBES["repeat_stability"], again, _MARGINS["stable"], None, where, f"{prefix}stability"
        )
    if audit.injection is not None and audit.injection.success.low is not None:
        moved = audit.injection.success
        yield _banded(
            _PROBES["injection_success"], moved, None, _MARGINS["injected"], where, f"{prefix}injection"
        )
    if audit.verbosity is not None and audit.verbosity.difference.low is not None:
        words = Words(
            "It prefers longer answers more than people do",
            "It prefers longer answers no more than people do",
            "Whether it prefers longer answers more than people do is open",
        )
        yield _banded(words, audit.verbosity.difference, None, 0.1, where, f"{prefix}verbosity",
                      why="Share for the longer answer, minus people's on the same pairs.")  # fmt: skip
    if audit.self_preference is not None and audit.self_preference.bias.low is not None:
        words = Words(
            f"It favours {audit.self_preference.own}, its own family",
            f"It does not favour {audit.self_preference.own}, its own family",
            f"Whether it favours {audit.self_preference.own}, its own family, is open",
        )
        yield _banded(words, audit.self_preference.bias, None, 0.1, where, f"{prefix}self")
    yield from _people(audit, where, prefix)
    for model, guard in (audit.degenerate or {}).items():
        if guard.tripped:
            yield _degenerate(model, guard, where, prefix)


def _people(audit: JudgeAudit, where: str, prefix: str) -> Iterator[Finding]:
    if audit.human is None:
        return
    own, top = audit.human.leave_one_out, audit.human.ceiling.leave_one_out
    if own.low is None or own.high is None or top.low is None or top.value is None:
        return
    if own.high < top.low:
        kind, claim = Kind.FAULT, "It agrees with people less than people agree with each other"
    elif own.value is not None and own.low >= top.low:
        kind, claim = Kind.FINE, "It agrees with people about as far as people agree with each other"
    else:
        kind, claim = Kind.OPEN, "Whether it agrees with people as people agree with each other is open"
    yield Finding(
        kind=kind, claim=claim, measure=own, figure=shown(own), unit="share",
        asked=f"beside {shown(top)} among people", margins=(top.value,),
        why="Judge and person each against the majority of the other people.", where=where,
        anchor=f"{prefix}human",
    )  # fmt: skip


def _degenerate(model: str, guard: Degenerate, where: str, prefix: str) -> Finding:
    return Finding(
        kind=Kind.FAULT,
        claim=f"The answers of {model} must not be judged",
        measure=None,
        figure=None,
        unit="",
        asked="answers that depend on what was asked",
        margins=(),
        why=f"{guard.sentence[:1].upper()}{guard.sentence[1:]}. A verdict on them says nothing about the"
        " model.",
        where=where,
        anchor=f"{prefix}degenerate",
    )


def _headlines(audit: JudgeAudit) -> str:
    unit = "share" if audit.task == "pairwise" else ""
    known = [
        (one.on_unparsed, one.headline)
        for one in audit.parse_failures.countings
        if one.headline.value is not None
    ]
    if not audit.parse_failures.failed.value or len(known) < 2:
        return ""
    words = {"exclude": "left out", "tie": "as ties", "loss": "as losses"}
    told = [
        f"{shown(headline, unit).value}{' %' if unit else ''} with them {words[name]}"
        for name, headline in known
    ]
    name = "win rate" if audit.task == "pairwise" else "mean score"
    return f"The {name} of all models together is {listing(told)}."


def _noise(noise: Measure) -> str:
    if noise.value is None:
        return "Repeats would tell how much of it is the judge's own noise."
    return f"Asked again in the same order it says the same in {shown(noise)}."


def sentence(found: list[Finding], unmeasured: int) -> str:
    """The answer in one or two sentences.

    >>> sentence([], 2)
    'Nothing could be checked. 2 questions could not be measured, as said below.'
    """
    counts = {kind: sum(one.kind is kind for one in found) for kind in Kind}
    parts = []
    if counts[Kind.FAULT]:
        claims = list(dict.fromkeys(one.claim for one in found if one.kind is Kind.FAULT))
        said = "; ".join(claim[:1].lower() + claim[1:] for claim in claims[:3])
        more = f"; and {len(claims) - 3} more" if len(claims) > 3 else ""
        parts.append(f"{plural(counts[Kind.FAULT], 'check')} found a fault: {said}{more}.")
    elif found:
        parts.append("No check found a fault.")
    if counts[Kind.OPEN]:
        parts.append(f"{plural(counts[Kind.OPEN], 'check')} could not be decided.")
    if counts[Kind.FINE]:
        parts.append(f"{plural(counts[Kind.FINE], 'check')} found nothing.")
    if not found:
        parts.append("Nothing could be checked.")
    if unmeasured:
        parts.append(f"{plural(unmeasured, 'question')} could not be measured, as said below.")
    return " ".join(parts)
