"""What flawed writers share: the sound text, and one thing wrong with it."""

from __future__ import annotations

from abc import abstractmethod
from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw, Writer, Written
from genrec_eval.reference.writing.template import explanation, summary


class FlawedWriter(Writer):
    """Writes what ``template-writer`` writes, then spoils it."""

    version: ClassVar[int] = 1

    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """The sound sentences with the flaw."""
        draw = self.draw(brief, repeat)
        said = explanation(brief, draw) if brief.task == "explain" else summary(brief, draw)
        return Written(" ".join(self.spoil(brief, said, self.draw(brief, repeat, self.name))))

    @abstractmethod
    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """The sentences of the text, given those of the sound one."""


def without_cautions(said: list[str]) -> list[str]:
    """Sentences that speak against nothing."""
    cautions = (
        "A word of caution",
        "What speaks against it",
        "They find",
        "Opinions are split",
        "A minority",
    )
    kept = [sentence for sentence in said if not sentence.startswith(cautions)]
    return [sentence for sentence in kept if not sentence.endswith(" weak.")]
