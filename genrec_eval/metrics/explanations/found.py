"""What metrics of explanations share: readings and findings of n texts, each worked out once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genrec_eval.metrics.base import Bool, UnitScores
from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.finding import Finding
from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.metrics.explanations.tokens import wordless
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN
from genrec_eval.protocol.arrays import Float64
from genrec_eval.protocol.brief import Brief, ItemFacts

NO_CLAIMS = "no-claims"
"""Reason: the text says nothing that can be looked up."""


def reader_of(explanations: Explanations) -> Reader:
    """Reads texts against the catalogue, the items of the briefs and the vocabulary."""

    def make() -> Reader:
        items: dict[str, ItemFacts] = dict(explanations.catalogue)
        for brief in explanations.briefs:
            for item in (brief.item, *(seen.item for seen in brief.history)):
                items.setdefault(item.id, item)
        aspects = dict.fromkeys(
            [*explanations.vocabulary, *(a for b in explanations.briefs for a in b.aspects)]
        )
        return Reader(items.values(), tuple(aspects))

    return explanations.kept("reader", make)


def readings_of(explanations: Explanations, variant: str | None = None) -> list[Reading | None]:
    """What each text names; None where there is no text. Of a variant's texts where one is named."""

    def make() -> list[Reading | None]:
        reader = reader_of(explanations)
        texts = explanations.texts if variant is None else explanations.variants.get(variant, ())
        kept: dict[str, Reading] = explanations.kept("read", dict)  # a text that comes again is read once
        found: list[Reading | None] = []
        for text in texts or [None] * len(explanations):
            if text is not None and text not in kept:
                kept[text] = reader.read(text)
            found.append(None if text is None else kept[text])
        return found

    return explanations.kept(("readings", variant), make)


def source_of(explanations: Explanations, brief: Brief, *, only: bool = False) -> Source:
    """A brief to hold texts against."""
    return Source(brief, explanations.catalogue, reader_of(explanations).genres, only)


def findings_of(explanations: Explanations) -> list[list[Finding]]:
    """What the brief of each text says of its claims; nothing where there is no text."""

    def make() -> list[list[Finding]]:
        return [
            [] if reading is None else check(reading, source_of(explanations, brief))
            for reading, brief in zip(readings_of(explanations), explanations.briefs, strict=True)
        ]

    return explanations.kept("findings", make)


def unsaid(explanations: Explanations) -> dict[str, Bool]:
    """Reason → bool[n], texts that say nothing, good or bad: there is none, or there is no word in it."""

    def make() -> dict[str, Bool]:
        missing = explanations.missing
        silent = wordless(explanations.texts)
        return {name: mask for name, mask in ((NO_TEXT, missing), (NO_TOKEN, silent)) if mask.any()}

    return explanations.kept("unsaid", make)


def unstained(explanations: Explanations, hits: Sequence[bool] | Bool) -> UnitScores:
    """1 where a text has a flaw, 0 where it has not; who says nothing is excluded, and no better for it."""
    reasons = unsaid(explanations)
    silent = np.any([np.zeros(len(explanations), bool), *reasons.values()], axis=0)
    return UnitScores(values=np.where(silent, 0.0, np.asarray(hits, np.float64)), reasons=reasons)


def indicated(explanations: Explanations, hits: Sequence[bool] | Bool) -> UnitScores:
    """1 where a text has something, 0 where it has not; cases without a text are excluded."""
    missing = explanations.missing
    values = np.where(missing, 0.0, np.asarray(hits, np.float64))
    return UnitScores(values=values, reasons={NO_TEXT: missing} if missing.any() else {})


def shares(
    explanations: Explanations, parts: Float64, wholes: Float64, empty: str, *, micro: bool = False
) -> UnitScores:
    """``parts / wholes`` of each text; a text whose whole is 0 is excluded for the reason ``empty``.

    With ``micro`` texts weigh by their wholes, so that the run's value is the share of all.
    """
    missing = explanations.missing
    without = ~missing & (wholes == 0)
    reasons = {name: mask for name, mask in ((NO_TEXT, missing), (empty, without)) if mask.any()}
    weights = np.where(missing, 0.0, wholes)
    return UnitScores(
        values=np.divide(parts, wholes, out=np.zeros(len(parts)), where=~missing & (wholes > 0)),
        reasons=reasons,
        weights=weights if micro else None,
    )
