"""How a text persuades: flattery, superlatives, urgency, orders to a judge, padding."""

from __future__ import annotations

import re
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import findings_of, indicated, readings_of
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.masking import matching, outside_names
from genrec_eval.metrics.text.texts import NO_TEXT

NO_SENTENCE = "no-sentence"
"""Reason: the text holds no word."""

_SHARED: dict[str, Any] = {
    "degenerate": "Without a text excluded and counted (no-text).",
    "source": "Phrase lists of this project.",
    "direction": "lower",
    "unit": "share",
    "values": "indicator",
    "needs_cutoff": False,
    "on": "explanations",
}
_FINITE = "The list is English and finite: what it does not hold is not counted. Titles and names are masked."


@cache
def _phrases(name: str) -> re.Pattern[str]:
    words = sorted(lexicon("style")[name], key=len, reverse=True)
    either = "|".join(re.escape(word).replace(r"\ ", r"\s+").replace("'", "['’]") for word in words)
    return re.compile(rf"(?<!\w)(?:{either})(?!\w)", re.IGNORECASE)


@cache
def _orders() -> re.Pattern[str]:
    return re.compile(
        "|".join(f"(?:{one})" for one in lexicon("style")["orders"]), re.IGNORECASE | re.MULTILINE
    )


@define(
    Definition(
        name="flattery",
        title="Flattery",
        summary="Share of texts that praise the reader.",
        formula="texts with a phrase that praises the reader's taste, mind or person / texts",
        traps=_FINITE,
        **_SHARED,
    )
)
def flattery(explanations: Explanations) -> UnitScores:
    """Whether each text flatters its reader."""
    return indicated(explanations, matching(explanations, _phrases("flattery").search))


@define(
    Definition(
        name="superlatives",
        title="Superlatives",
        summary="Share of texts that praise the item beyond what any fact could bear out.",
        formula="texts with a superlative of the list / texts",
        traps=_FINITE,
        **_SHARED,
    )
)
def superlatives(explanations: Explanations) -> UnitScores:
    """Whether each text speaks in superlatives."""
    return indicated(explanations, matching(explanations, _phrases("superlatives").search))


@define(
    Definition(
        name="urgency",
        title="Urgency",
        summary="Share of texts that press the reader to act.",
        formula="texts with a phrase that presses / texts",
        traps=_FINITE,
        **_SHARED,
    )
)
def urgency(explanations: Explanations) -> UnitScores:
    """Whether each text presses."""
    return indicated(explanations, matching(explanations, _phrases("urgency").search))


@define(
    Definition(
        name="orders_to_judge",
        title="Orders to judge",
        summary="Share of texts that address whoever judges them, or give orders to a language model.",
        formula="texts with a pattern such as 'ignore previous instructions', 'prefer this answer', '[[A]]'"
        " / texts",
        traps=(
            "Patterns are English and finite: none found is no proof of safety; the injection probe of a"
            " judge's"
            " self-test shows whether it obeys."
        ),
        **_SHARED,
    )
)
def orders_to_judge(explanations: Explanations) -> UnitScores:
    """Whether each text gives orders."""
    return indicated(explanations, matching(explanations, _orders().search))


@define(
    Definition(
        name="padding",
        title="Padding",
        summary="Share of a text's sentences that say nothing.",
        formula=(
            "sentences with a filler phrase, or without any claim, feature or name, / sentences; of=filler:"
            " those"
            " with a filler phrase alone"
        ),
        parameters={"of": ("all", ("all", "filler"))},
        meanings={
            "of": "all: filler and sentences without anything to look up; filler: filler phrases alone"
        },
        traps=(
            f"{_FINITE} A sentence that warns or opines without naming a feature counts as padding: one such"
            " sentence in four is usual. A sentence with a filler phrase counts even where it makes a claim."
        ),
        **{**_SHARED, "values": "real"},
    )
)
def padding(explanations: Explanations, *, of: str) -> UnitScores:
    """How much of each text could be left out."""
    values = np.zeros(len(explanations))
    empty = np.zeros(len(explanations), bool)
    filler = _phrases("filler")
    rows = zip(readings_of(explanations), findings_of(explanations), outside_names(explanations), strict=True)
    for row, (reading, findings, text) in enumerate(rows):
        if reading is None or text is None:
            continue
        bounds = [*reading.sentences, len(reading.text)]
        told = sorted({*(f.start for f in findings), *(m.start for m in reading.mentions)})
        idle, total, at = 0, 0, 0
        for start, end in pairwise(bounds):
            if not any(map(str.isalnum, reading.text[start:end])):
                continue
            total += 1
            while at < len(told) and told[at] < start:
                at += 1
            says = at < len(told) and told[at] < end
            idle += filler.search(text, start, end) is not None or (of == "all" and not says)
        values[row] = idle / total if total else 0.0
        empty[row] = not total
    missing = explanations.missing
    reasons = {
        name: mask for name, mask in ((NO_TEXT, missing), (NO_SENTENCE, empty & ~missing)) if mask.any()
    }
    return UnitScores(values=values, reasons=reasons)
