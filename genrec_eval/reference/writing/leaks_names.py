"""Private names that a text on reviews has no need of."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief, ReviewFacts
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter
from genrec_eval.reference.writing.phrases import one_line


class LeaksNames(FlawedWriter):
    """Tells by name what reviewers wrote."""

    name = "leaks-names"
    planted: ClassVar[str | None] = "leaked_names"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Up to two reviewers by name."""
        signed = [
            review for review in brief.reviews if review.author and (review.positive or review.negative)
        ]
        return [*said, *(_told(review) for review in draw.shuffled(signed)[:2])]


def _told(review: ReviewFacts) -> str:
    assert review.author is not None
    aspect, word = (review.positive[0], "strong") if review.positive else (review.negative[0], "weak")
    return f"{one_line(review.author)} finds the {one_line(aspect)} {word}."
