"""What a text says that can be looked up, and what looking it up gave."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Literal

from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.protocol.brief import ItemFacts


class ClaimVerdict(StrEnum):
    """What the sources say of a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"  # the source says otherwise
    NOT_IN_SOURCE = "not-in-source"  # the source is silent
    FABRICATED_HISTORY = "fabricated-history"  # said of the user's past, which does not hold it


SUPPORTED, CONTRADICTED = ClaimVerdict.SUPPORTED, ClaimVerdict.CONTRADICTED
SILENT, FABRICATED = ClaimVerdict.NOT_IN_SOURCE, ClaimVerdict.FABRICATED_HISTORY

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

    @classmethod
    def of(
        cls,
        mention: Mention,
        verdict: ClaimVerdict,
        evidence: str,
        item: ItemFacts | None = None,
        *,
        kind: ClaimKind | None = None,
    ) -> Finding:
        """What looking up a mention gave; a claim of the mention's kind unless told otherwise."""
        return cls(
            start=mention.start,
            end=mention.end,
            kind=kind or mention.kind,
            verdict=verdict,
            evidence=evidence,
            subject=None if item is None else item.id,
        )
