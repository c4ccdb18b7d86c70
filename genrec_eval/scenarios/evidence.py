"""A text beside what it was checked against: what a report shows of an answer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A place of a text, and what was found there.

    Attributes
    ----------
    start, end
        Characters of the text.
    kind
        What is claimed (``title``, ``year``, ...), or what speaks against the text (``flattery``, ...).
    verdict
        Of a claim: ``supported``, ``contradicted``, ``not-in-source`` or ``fabricated-history``; None for
        what is no claim.
    evidence
        The fact that it was checked against, or what was found, in words.
    """

    start: int
    end: int
    kind: str
    verdict: str | None = None
    evidence: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Variant:
    """What the model wrote when it was asked in another way."""

    asked: str
    """How, in words: ``"asked again in other words"``."""
    text: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """One text of one model.

    Attributes
    ----------
    about
        What it is about, in words.
    text
        None where the model gave none.
    facts
        All facts that the model was given.
    reference
        What a person wrote in its place.
    missing
        What the text should say and does not, a sentence each.
    """

    case: str
    unit: str
    about: str
    text: str | None
    repeat: int = 0
    step: int = 0
    marks: tuple[Mark, ...] = ()
    facts: str | None = None
    reference: str | None = None
    missing: tuple[str, ...] = ()
    variants: tuple[Variant, ...] = ()
