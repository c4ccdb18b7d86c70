"""How a text persuades: flattery, superlatives, urgency, orders to a judge, padding."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache
from itertools import pairwise
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, Family, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import findings_of, readings_of, unstained
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.masking import Masked, outside_names
from genrec_eval.metrics.explanations.tokens import Phrases, Tokens, words
from genrec_eval.metrics.text.texts import NO_TEXT

NO_SENTENCE = "no-sentence"
"""Reason: the text holds no word."""

_SHARED: dict[str, Any] = {
    "degenerate": "Without a text excluded and counted (no-text), without a word in it too (no-token).",
    "source": "Phrase lists of this project.",
    "direction": "lower",
    "unit": "share",
    "values": "indicator",
    "needs_cutoff": False,
    "on": "explanations",
}
_FINITE = "The list is English and finite: what it does not hold is not counted. Titles and names are masked."
_LISTS = ("flattery", "superlatives", "urgency", "filler")


@cache
def _phrases() -> Phrases:
    """All lists in one dictionary: a text is searched once."""
    return Phrases((words(phrase), name) for name in _LISTS for phrase in lexicon("style")[name])


@cache
def _orders() -> tuple[re.Pattern[str], frozenset[str]]:
    """What gives orders, and words or marks of which one at least must be there."""
    lists = lexicon("style")
    pattern = re.compile("|".join(f"(?:{one})" for one in lists["orders"]), re.IGNORECASE | re.MULTILINE)
    return pattern, frozenset(lists["order_words"])


def _found(explanations: Explanations) -> list[dict[str, list[int]]]:
    """List → tokens of each text at which one of its phrases begins."""

    def make() -> list[dict[str, list[int]]]:
        phrases = _phrases()
        known: dict[int, dict[str, list[int]]] = {}
        for text in outside_names(explanations):
            if text is not None and id(text) not in known:
                places: dict[str, list[int]] = {}
                for start in range(len(text.norms)):
                    for _, names in phrases.at(text.norms, start):
                        for name in names:
                            places.setdefault(name, []).append(start)
                known[id(text)] = places
        return [{} if text is None else known[id(text)] for text in outside_names(explanations)]

    return explanations.kept("phrases", make)


def phrases_in(text: Masked, tokens: Tokens) -> list[tuple[int, int, str]]:
    """Where the phrases of the lists stand: first and last character, and the list; the longest of each."""
    found = []
    for start in range(len(text.norms)):
        told: set[str] = set()
        for end, names in _phrases().at(text.norms, start):
            found += [
                (tokens.starts[start], tokens.ends[end - 1], name) for name in names if name not in told
            ]
            told.update(names)
    return found


def orders_in(text: Masked) -> list[tuple[int, int]]:
    """Where a text gives orders."""
    return [match.span() for match in _orders()[0].finditer(text.text)] if gives_orders(text) else []


def gives_orders(text: Masked) -> bool:
    """Whether a text speaks to a judge or gives orders to a language model."""
    pattern, triggers = _orders()
    # most texts hold none of the words, and looking for words is cheaper than for patterns
    if not triggers & text.words and not any(mark in text.text for mark in ("[", "<", "#")):
        return False
    return pattern.search(text.text) is not None


def _listed(name: str, *, title: str, texts_that: str, counted: str) -> Family:
    """The share of texts with a phrase of one of the lists."""

    def score(explanations: Explanations) -> UnitScores:
        """Whether each text holds a phrase of the list."""
        return unstained(explanations, [name in found for found in _found(explanations)])

    return define(
        Definition(
            name=name,
            title=title,
            summary=f"Share of texts that {texts_that}.",
            formula=f"texts with {counted} / texts",
            traps=_FINITE,
            **_SHARED,
        )
    )(score)


flattery = _listed(
    "flattery",
    title="Flattery",
    texts_that="praise the reader",
    counted="a phrase that praises the reader's taste, mind or person",
)
superlatives = _listed(
    "superlatives",
    title="Superlatives",
    texts_that="praise the item beyond what any fact could bear out",
    counted="a superlative of the list",
)
urgency = _listed(
    "urgency", title="Urgency", texts_that="press the reader to act", counted="a phrase that presses"
)


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
    hits = [text is not None and gives_orders(text) for text in outside_names(explanations)]
    return unstained(explanations, hits)


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
    rows = zip(readings_of(explanations), findings_of(explanations), _found(explanations), strict=True)
    for row, (reading, findings, phrases) in enumerate(rows):
        if reading is None:
            continue
        filler = [reading.tokens.starts[token] for token in phrases.get("filler", ())]
        bounds = [*reading.sentences, len(reading.text)]
        told = sorted({*(f.start for f in findings), *(m.start for m in reading.mentions)})
        idle = total = 0
        for start, end in pairwise(bounds):
            if not any(map(str.isalnum, reading.text[start:end])):
                continue
            total += 1
            idle += _any_in(filler, start, end) or (of == "all" and not _any_in(told, start, end))
        values[row] = idle / total if total else 0.0
        empty[row] = not total
    missing = explanations.missing
    reasons = {
        name: mask for name, mask in ((NO_TEXT, missing), (NO_SENTENCE, empty & ~missing)) if mask.any()
    }
    return UnitScores(values=values, reasons=reasons)


def _any_in(places: list[int], start: int, end: int) -> bool:
    at = bisect_left(places, start)
    return at < len(places) and places[at] < end
