"""Reasons that are reasons against."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing import evidence
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter
from genrec_eval.reference.writing.phrases import joined, named, one_line


class ArguesFromDislikes(FlawedWriter):
    """Recommends an item for the aspects that the user criticises most, and for what it shares with a title
    that the user rated low.

    Where the history holds neither, the text is sound.
    """

    name = "argues-from-dislikes"
    planted: ClassVar[str | None] = "preference_consistency"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Bad reasons in place of the good ones."""
        if brief.task != "explain":
            return said
        worst = [aspect for aspect, count in reversed(evidence.leanings(brief).most_common()) if count < 0][
            :2
        ]
        links = [link for link in evidence.links(brief) if evidence.disliked(brief, link.seen)]
        reasons = []
        if worst:
            names = joined([one_line(aspect) for aspect in worst])
            reasons.append(f"Choose it for the {names}: that is what it is made for.")
        if links:
            reasons.append(f"It is recommended because it is so much like {named(links[0].seen.item)}.")
        return [said[0], *reasons] if reasons else said
