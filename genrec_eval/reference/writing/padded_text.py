"""Many words that say nothing, around the few that say something."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter

_FILLER = (
    "It goes without saying that there are many things that could be said here, and in many ways they were.",
    "At the end of the day, all things considered, and taking everything into account, one thing is certain.",
    "As we all know, it is worth noting that, generally speaking, there is something for everyone.",
    "In other words, and to put it differently, the fact of the matter is what it is.",
    "Needless to say, with regard to this and with respect to that, a wide variety of views can be held.",
    "By and large, when all is said and done, it should be noted that much could be said, so to speak.",
    "First and foremost, and last but not least, each and every one of us sees this in their own way.",
    "In conclusion, to sum up, and as mentioned above, what more could one ask.",
)


class PaddedText(FlawedWriter):
    """Puts filler before, between and after its sentences: some four times the words, not one fact more."""

    name = "padded-text"
    planted: ClassVar[str | None] = "padding"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Filler, sentence, filler, ..."""
        filler = draw.shuffled(_FILLER)
        text = [filler[0]]
        for place, sentence in enumerate(said, 1):
            text += [sentence, filler[place % len(filler)]]
        return [*text, *(one for one in filler if one not in text)]
