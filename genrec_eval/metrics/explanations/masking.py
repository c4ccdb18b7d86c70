"""Texts without what they name: phrases are searched for outside titles and names."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from genrec_eval.metrics.base import Bool
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import readings_of
from genrec_eval.metrics.explanations.mentions import Reading

MASK = "\ue000"
"""Stands for every character of a title or name: no word of any language, and no space."""


def masked(reading: Reading) -> str:
    """The text with the titles and people in it made unreadable, character by character."""
    parts, at = [], 0
    for mention in reading.mentions:
        if mention.kind in ("title", "person") and mention.start >= at:
            parts += [reading.text[at : mention.start], MASK * (mention.end - mention.start)]
            at = mention.end
    return "".join([*parts, reading.text[at:]])


def outside_names(explanations: Explanations) -> list[str | None]:
    """The masked texts; None where there is none."""

    def make() -> list[str | None]:
        return [None if reading is None else masked(reading) for reading in readings_of(explanations)]

    return explanations.kept("masked", make)


def matching(explanations: Explanations, test: Callable[[str], object]) -> Bool:
    """bool[n], masked texts for which ``test`` finds something; each different text is looked at once."""
    known: dict[str, bool] = {}
    found = np.zeros(len(explanations), bool)
    for row, text in enumerate(outside_names(explanations)):
        if text is not None:
            if text not in known:
                known[text] = bool(test(text))
            found[row] = known[text]
    return found
