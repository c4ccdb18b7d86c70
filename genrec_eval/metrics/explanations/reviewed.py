"""What the reviews of a brief say of the aspects of an item, and what a text says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from genrec_eval.metrics.base import Bool, UnitScores
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import reader_of, readings_of
from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.opinions import OpinionReader, Opinions
from genrec_eval.metrics.text.texts import NO_TEXT
from genrec_eval.protocol.arrays import Float64
from genrec_eval.protocol.brief import Brief, ReviewFacts

NO_ASPECTS = "no-aspects"
"""Reason: the reviews judge no aspect."""
NO_OPINION = "no-opinion"
"""Reason: the text praises and criticises no aspect."""

Held = tuple[str, bool]
"""An opinion: aspect, and whether it is praised."""


@dataclass(frozen=True, slots=True)
class Reviewed:
    """The opinions in the reviews of one brief.

    Attributes
    ----------
    held
        Of each review.
    counts
        Opinion → reviews that hold it.
    mentions
        Aspect → reviews that praise or criticise it.
    """

    held: Sequence[frozenset[Held]]
    counts: Mapping[Held, int]
    mentions: Mapping[str, int]

    def share(self, opinion: Held) -> float:
        """Share of the opinions on its aspect that agree with one."""
        aspect, glad = opinion
        mine, others = self.counts.get(opinion, 0), self.counts.get((aspect, not glad), 0)
        return mine / (mine + others) if mine else 0.0

    def majority(self, aspect: str) -> bool | None:
        """Whether more reviews praise an aspect than criticise it; None where as many do."""
        praise, blame = self.counts.get((aspect, True), 0), self.counts.get((aspect, False), 0)
        return None if praise == blame else praise > blame

    def minority(self, share: float, voices: int) -> list[Held]:
        """Opinions of fewer than half that at least ``share`` and at least ``voices`` reviews hold."""
        return [
            opinion
            for opinion, count in self.counts.items()
            if count >= voices and share <= self.share(opinion) < 0.5
        ]

    @classmethod
    def of(cls, held: Sequence[frozenset[Held]]) -> Reviewed:
        """Count."""
        counts: dict[Held, int] = {}
        mentions: dict[str, int] = {}
        for one in held:
            for opinion in sorted(one):
                counts[opinion] = counts.get(opinion, 0) + 1
            for aspect in sorted({aspect for aspect, _ in one}):
                mentions[aspect] = mentions.get(aspect, 0) + 1
        return cls(held, counts, mentions)


def aspects_of(brief: Brief) -> tuple[str, ...]:
    """What a brief says items are judged by: its list, and what its reviews are marked with."""
    marked = (aspect for review in brief.reviews for aspect in (*review.positive, *review.negative))
    return tuple(dict.fromkeys([*brief.aspects, *marked]))


def opinions_in(explanations: Explanations, brief: Brief, reading: Reading) -> Opinions:
    """What a text says of the aspects of a brief; a text that comes again is read once."""
    by_brief: dict[int, tuple[OpinionReader, dict[str, Opinions]]] = explanations.kept("of brief", dict)
    if id(brief) not in by_brief:  # briefs live as long as the explanations do
        aspects = aspects_of(brief)
        by_brief[id(brief)] = explanations.kept(("aspects", aspects), lambda: (OpinionReader(aspects), {}))
    reader, known = by_brief[id(brief)]
    if reading.text not in known:
        known[reading.text] = reader.read(reading)
    return known[reading.text]


def opinions_of(explanations: Explanations) -> list[Opinions | None]:
    """What each text says of the aspects of its brief; None where there is no text."""

    def make() -> list[Opinions | None]:
        return [
            None if reading is None else opinions_in(explanations, brief, reading)
            for reading, brief in zip(readings_of(explanations), explanations.briefs, strict=True)
        ]

    return explanations.kept("opinions", make)


def read_passage(explanations: Explanations, text: str) -> Reading:
    """A text beside the explanations, read once."""
    known: dict[str, Reading] = explanations.kept("passages", dict)
    if text not in known:
        known[text] = reader_of(explanations).read(text)
    return known[text]


def reviewed_of(explanations: Explanations) -> list[Reviewed]:
    """What the reviews of each brief say: as they are marked, else as their texts read."""

    def opinions(review: ReviewFacts, brief: Brief) -> frozenset[Held]:
        if review.positive or review.negative:
            return frozenset([(a, True) for a in review.positive] + [(a, False) for a in review.negative])
        return opinions_in(explanations, brief, read_passage(explanations, review.text)).held

    def make() -> list[Reviewed]:
        known: dict[int, Reviewed] = {}
        for brief in explanations.briefs:
            if id(brief) not in known:
                known[id(brief)] = Reviewed.of([opinions(review, brief) for review in brief.reviews])
        return [known[id(brief)] for brief in explanations.briefs]

    return explanations.kept("reviewed", make)


def excluded(explanations: Explanations, values: Float64, reasons: Mapping[str, Bool]) -> UnitScores:
    """Values of texts; a text counts under the first of its reasons, a missing one under ``no-text``."""
    free = np.ones(len(explanations), bool)
    kept: dict[str, Bool] = {}
    for name, mask in ((NO_TEXT, explanations.missing), *reasons.items()):
        hit = mask & free
        if hit.any():
            kept[name] = hit
            free &= ~hit
    return UnitScores(values=np.where(free, values, 0.0), reasons=kept)
