"""Texts without what they name: phrases are searched for outside titles and names."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import readings_of
from genrec_eval.metrics.explanations.mentions import Reading

MASK = "\ue000"
"""Stands for every character of a title or name: no word of any language, and no space."""


@dataclass(frozen=True, slots=True)
class Masked:
    """A text with the titles and people in it made unreadable.

    Attributes
    ----------
    text
        Character by character as long as the original.
    norms
        Its words in normal form, those of names replaced.
    words
        The distinct ones.
    """

    text: str
    norms: list[str]
    words: frozenset[str]

    @classmethod
    def of(cls, reading: Reading) -> Masked:
        """Mask what a reading names."""
        norms, parts, at = list(reading.tokens.norms), [], 0
        for mention in reading.mentions:
            if mention.kind not in ("title", "person") or mention.start < at:
                continue
            parts += [reading.text[at : mention.start], MASK * (mention.end - mention.start)]
            at = mention.end
            first = bisect_left(reading.tokens.starts, mention.start)
            last = bisect_left(reading.tokens.starts, mention.end)
            norms[first:last] = [MASK] * (last - first)
        return cls("".join([*parts, reading.text[at:]]), norms, frozenset(norms))


def outside_names(explanations: Explanations) -> list[Masked | None]:
    """The masked texts; None where there is none."""

    def make() -> list[Masked | None]:
        known: dict[int, Masked] = {}  # texts that are alike share their reading
        found: list[Masked | None] = []
        for reading in readings_of(explanations):
            if reading is not None and id(reading) not in known:
                known[id(reading)] = Masked.of(reading)
            found.append(None if reading is None else known[id(reading)])
        return found

    return explanations.kept("masked", make)
