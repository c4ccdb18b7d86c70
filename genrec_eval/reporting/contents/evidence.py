"""What a run holds as evidence: figures, scenarios, and parts of its report, with where they stand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from genrec_eval.judging.annotation.stored import FILE as ANNOTATIONS
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.contents.ground import Ground
from genrec_eval.reporting.controlled import controlled
from genrec_eval.suite.framework import Need


@dataclass(frozen=True, slots=True)
class Piece:
    """One piece of evidence that was asked for.

    Attributes
    ----------
    what
        In words.
    found
        What there is: (words, anchor on the page); empty where there is none.
    """

    what: str
    found: tuple[tuple[str, str], ...]


Known = Callable[[Ground], bool]


def caught(on: Ground) -> bool:
    """Whether a planted flaw was found: by a verdict that had to fail, or by the measure of the flaw."""
    expected = any(row.verdict is Ruling.FAIL and row.expected is Ruling.FAIL for row in on.results.verdicts)
    return expected or any(one.found for one in controlled(on.results, on.flaws).values())


def _every_risk(on: Ground) -> bool:
    from genrec_eval.reporting.contents.risks import ABSENT, risks

    return all(row.state != ABSENT for row in risks(on, {}))


FACTS: dict[str, tuple[str, str, Known]] = {
    "claims": ("claims with verdicts", "answer", lambda on: any(row.gate for row in on.results.verdicts)),
    "cost": ("calls and time", "play", lambda on: bool(on.run.get("play"))),
    "coverage": ("coverage", "coverage", lambda on: bool(on.results.coverage)),
    "data": (
        "data with digest",
        "provenance",
        lambda on: any(facts.get("digest") for facts in on.data.values()),
    ),
    "definitions": (
        "definitions",
        "definitions",
        lambda on: bool(on.results.definitions and on.results.estimates),
    ),
    "deviations": ("deviations", "deviations", lambda on: bool(on.sessions)),
    "evidence-root": ("root of the evidence", "provenance", lambda on: on.root is not None),
    "examples": ("records", "provenance", lambda on: any((on.directory / "records").glob("*.parquet"))),
    "groups": (
        "figures by group",
        "coverage",
        lambda on: any(row.slice != "all" and row.value is not None for row in on.results.estimates),
    ),
    "independence": ("independence, stated", "scope", lambda on: bool(on.audit.independence)),
    "intended-use": ("intended use, stated", "scope", lambda on: bool(on.audit.intended_use)),
    "intervals": (
        "intervals",
        "answer",
        lambda on: any(row.low is not None for row in on.results.estimates),
    ),
    "limits": ("limits", "limits", lambda on: bool(on.results.estimates)),
    "people": (
        "judgements by people",
        "scope",
        lambda on: (on.directory / ANNOTATIONS).is_file() or "human_agreement" in on.valued,
    ),
    "personal-data": ("personal data, stated", "scope", lambda on: bool(on.audit.personal_data)),
    "planted": (
        "planted flaws that were caught",
        "answer",
        caught,
    ),
    "population": ("population, stated", "scope", lambda on: bool(on.audit.population)),
    "purpose": ("purpose, stated", "scope", lambda on: bool(on.audit.purpose)),
    "repeats": (
        "repeated answers",
        "scope",
        lambda on: any((facts.get("repeats") or 1) > 1 for facts in on.models.values()),
    ),
    "replay": ("suite, versions and seeds", "provenance", lambda on: bool(on.suite and on.models)),
    "reviewed": ("a signed review", "review", lambda on: any(one.current for one in on.reviews)),
    "every-risk": ("every area of risk tested or considered", "risks", _every_risk),
    "risks": ("risks that were considered", "coverage", lambda on: bool(on.audit.risks)),
    "system": ("the system, stated", "scope", lambda on: bool(on.audit.system)),
}
"""Fact that frameworks ask for → what it is called, its section, and whether the run has it."""


def piece(on: Ground, need: Need, places: dict[str, str]) -> Piece:
    """Look for one piece of evidence.

    Parameters
    ----------
    places
        Scenario → anchor of its section.
    """
    found: dict[tuple[str, str], None] = {}
    for name in need.metrics:
        for scenario in on.valued.get(name, ()):
            found[f"{name} in {scenario}", f"#{places.get(scenario, 'definitions')}"] = None
    for scenario, kind in on.kinds.items():
        if kind in need.scenarios:
            found[f"scenario {scenario}", f"#{places.get(scenario, 'scope')}"] = None
    for fact in need.facts:
        title, anchor, known = FACTS[fact]
        if known(on):
            found[title, f"#{anchor}"] = None
    return Piece(need.what, tuple(found))
