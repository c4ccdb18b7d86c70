"""What a text says that can be looked up, and what looking it up gave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal


class ClaimVerdict(StrEnum):
    """What the sources say of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"  # the source says otherwise
    NOT_IN_SOURCE = "not-in-source"  # the source is silent
    FABRICATED_HISTORY = "fabricated-history"  # said of the user's past, which does not hold it


ClaimKind = Literal[
    "title", "person", "year", "genre", "price", "runtime", "rating", "number", "history", "aspect"
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One claim in a text.

    Attributes
    ----------
    start, end
        Characters of the text.
    evidence
        The fact it was checked against, in words that a reader can look up; None where there is none.
    subject
        Id of the item that the claim is about.
    """

    start: int
    end: int
    kind: ClaimKind
    verdict: ClaimVerdict
    evidence: str | None = None
    subject: str | None = None
