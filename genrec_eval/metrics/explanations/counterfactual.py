"""Does a text follow from its facts? Take away what it cites; give the facts in other words; give others."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.finding import ClaimVerdict
from genrec_eval.metrics.explanations.found import findings_of, readings_of, source_of
from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.tokens import wordless, words
from genrec_eval.metrics.text.texts import NO_TEXT, NO_TOKEN
from genrec_eval.protocol.brief import Brief

NOTHING_REMOVED = "nothing-cited"
"""Reason: the text cites nothing of its brief that could be taken away."""
NO_VARIANT = "no-variant"
"""Reason: the variant was not asked for, or its answer is missing."""
NO_OTHER = "no-other-case"
"""Reason: there is no case of another user and another item to compare with."""

_SHARED: dict[str, Any] = {"unit": "share", "needs_cutoff": False, "on": "explanations"}


@define(
    Definition(
        name="counterfactual",
        title="Counterfactual",
        summary="Share of texts that drop what was taken out of their brief.",
        formula=(
            "1 where the text written without the item, aspect or genre that the first text cites no longer"
            " names"
            " it, else 0; by=text: 1 − share of words that both texts have in common"
        ),
        degenerate=(
            "A text that cites nothing of its brief is excluded and counted (nothing-cited); without a text"
            " (no-text), without the text of the variant (no-variant) and where that has no word (no-token)"
            " too."
        ),
        source="Counterfactual model-faithfulness by intervention on the input; this project.",
        direction="higher",
        values="real",
        parameters={"by": ("claim", ("claim", "text"))},
        meanings={
            "by": "claim: whether what was taken away is still named; text: how much of the text changed"
        },
        traps=(
            "Shows whether the text depends on the fact that it cites, not whether the recommendation does."
            " A text"
            " may rightly name a removed genre that another fact of the brief still tells of. by=text is"
            " above 0"
            " for a model that never writes the same twice: compare with paraphrase_stability(by=text)."
        ),
        **_SHARED,
    )
)
def counterfactual(explanations: Explanations, *, by: str) -> UnitScores:
    """Whether each text lets go of what it no longer has a source for."""
    n, missing = len(explanations), explanations.missing
    briefs = explanations.varied.get("without_cited") or [None] * n
    texts = explanations.variants.get("without_cited") or [None] * n
    nothing = ~missing & np.array([brief is None for brief in briefs], bool)
    absent = ~missing & ~nothing & np.array([text is None for text in texts], bool)
    # who falls silent does not let go of anything
    silent = ~missing & ~nothing & wordless(texts)
    values = np.zeros(n)
    later = readings_of(explanations, "without_cited") if explanations.variants.get("without_cited") else None
    for row in np.flatnonzero(~missing & ~nothing & ~absent & ~silent).tolist():
        varied, first, second = briefs[row], explanations.texts[row], texts[row]
        assert varied is not None
        assert first is not None
        assert second is not None
        if by == "text":
            values[row] = 1 - overlap(first, second)
        else:
            assert later is not None
            reading = later[row]
            assert reading is not None
            values[row] = not _names(reading, explanations.briefs[row], varied, explanations)
    why = {NO_TEXT: missing, NOTHING_REMOVED: nothing, NO_VARIANT: absent, NO_TOKEN: silent}
    return _scores(values, why)


def _names(reading: Reading, before: Brief, after: Brief, explanations: Explanations) -> bool:
    """Whether a text names what ``before`` holds and ``after`` does not."""
    source = source_of(explanations, before)
    items = {seen.item.id for seen in before.history} - {seen.item.id for seen in after.history}
    aspects = _aspects(before) - _aspects(after)
    genres = source.genres_of(before.item) - source.genres_of(after.item)
    for mention in reading.mentions:
        if mention.kind == "title" and items:
            item = source.item_of(mention)
            if item is not None and item.id in items:
                return True
        elif (mention.kind == "aspect" and mention.value.casefold() in aspects) or (
            mention.kind == "genre" and not mention.negated and mention.value in genres
        ):
            return True
    return False


def _aspects(brief: Brief) -> set[str]:
    return {word.casefold() for seen in brief.history for word in (*seen.liked, *seen.disliked)}


@define(
    Definition(
        name="swap_fit",
        title="Swap fit",
        summary="Share of a text's claims that hold for another user and another item as well.",
        formula=(
            "claims of the text that another case's brief supports / claims; other=user: the history of"
            " another"
            " case, the same item; other=item: the item of another case, the same history"
        ),
        degenerate=(
            "A text without any claim fits every case: 1. Without a text excluded and counted (no-text),"
            " without a"
            " case of another user and item too (no-other-case)."
        ),
        source="Swap test for generic explanations; this project.",
        direction="lower",
        parameters={"other": ("case", ("case", "user", "item"))},
        meanings={"other": "what is taken from the other case: everything, the user's side or the item"},
        traps=(
            "One other case per text, drawn once for all models: the same for every model and every"
            " scoring. Common"
            " genres fit many items, so that a good text is seldom at 0."
        ),
        **_SHARED,
    )
)
def swap_fit(explanations: Explanations, *, other: str) -> UnitScores:
    """How well each text fits somebody and something else."""
    _, foreign, reasons = _swapped(explanations, other)
    return _scores(foreign, reasons)


@define(
    Definition(
        name="swap_margin",
        title="Swap margin",
        summary="How much more of a text's claims its own brief supports than that of another case.",
        formula="share of claims supported by the own brief − share supported by the other; see swap_fit",
        degenerate=(
            "A text without any claim fits both: 0. Without a text excluded and counted (no-text), without"
            " a case"
            " of another user and item too (no-other-case)."
        ),
        source="Swap test for generic explanations; this project.",
        direction="higher",
        bounds=(-1.0, 1.0),
        parameters={"other": ("case", ("case", "user", "item"))},
        meanings={"other": "what is taken from the other case: everything, the user's side or the item"},
        traps="A text of invented claims fits nobody and has a margin of 0, like one that says nothing.",
        **_SHARED,
    )
)
def swap_margin(explanations: Explanations, *, other: str) -> UnitScores:
    """How much better each text fits its own case."""
    own, foreign, reasons = _swapped(explanations, other)
    return _scores(own - foreign, reasons)


def _swapped(explanations: Explanations, other: str) -> Any:
    def make() -> Any:
        n, missing = len(explanations), explanations.missing
        partners = explanations.varied.get("swapped") or [None] * n
        alone = ~missing & np.array([partner is None for partner in partners], bool)
        own, foreign = np.ones(n), np.ones(n)
        for row, (reading, brief, partner) in enumerate(
            zip(readings_of(explanations), explanations.briefs, partners, strict=True)
        ):
            if reading is None or partner is None:
                continue
            mixed = Brief(
                task=brief.task,
                user=brief.user if other == "item" else partner.user,
                item=brief.item if other == "user" else partner.item,
                history=brief.history if other == "item" else partner.history,
                reviews=brief.reviews if other == "user" else partner.reviews,
                aspects=brief.aspects,
            )
            own[row] = _supported(reading, brief, explanations)
            foreign[row] = _supported(reading, mixed, explanations)
        return own, foreign, {NO_TEXT: missing, NO_OTHER: alone}

    return explanations.kept(("swapped", other), make)


def _supported(reading: Reading, brief: Brief, explanations: Explanations) -> float:
    """Share of claims that a brief alone supports; 1 for none."""
    found = check(reading, source_of(explanations, brief, only=True))
    return sum(f.verdict is ClaimVerdict.SUPPORTED for f in found) / len(found) if found else 1.0


@define(
    Definition(
        name="paraphrase_stability",
        title="Paraphrase stability",
        summary="How much a text stays the same when the same facts are asked about in other words.",
        formula=(
            "claims of both texts / claims of either (Jaccard over kind, verdict, item and wording);"
            " by=text: words"
            " in common, 2·|A ∩ B| / (|A| + |B|) over words with their counts"
        ),
        degenerate=(
            "Two texts without a claim are the same: 1. Without a text excluded and counted (no-text),"
            " without a word in it (no-token) or without the text of the variant too (no-variant). A variant"
            " without a word is as different as can be: 0."
        ),
        source="Stability under paraphrase of the request; this project.",
        direction="higher",
        parameters={"by": ("claim", ("claim", "text"))},
        meanings={"by": "what is compared: the claims of the texts or their words"},
        traps=(
            "A constant text is perfectly stable. A model with temperature differs between two samples of one"
            " wording too: repeats tell how much."
        ),
        **_SHARED,
    )
)
def paraphrase_stability(explanations: Explanations, *, by: str) -> UnitScores:
    """Similarity of each text with that of the paraphrased request."""
    n, missing = len(explanations), explanations.missing
    texts = explanations.variants.get("paraphrase") or [None] * n
    absent, silent = np.array([text is None for text in texts], bool), wordless(explanations.texts)
    absent &= ~missing & ~silent
    values = np.zeros(n)
    later = readings_of(explanations, "paraphrase") if explanations.variants.get("paraphrase") else None
    for row in np.flatnonzero(~missing & ~absent & ~silent & ~wordless(texts)).tolist():
        first, second = explanations.texts[row], texts[row]
        assert first is not None
        assert second is not None
        if by == "text" or first == second:
            values[row] = overlap(first, second)
            continue
        assert later is not None
        reading = later[row]
        assert reading is not None
        found = check(reading, source_of(explanations, explanations.briefs[row]))
        a = {
            (f.kind, f.verdict, f.subject, words(first[f.start : f.end]))
            for f in findings_of(explanations)[row]
        }
        b = {(f.kind, f.verdict, f.subject, words(second[f.start : f.end])) for f in found}
        values[row] = len(a & b) / len(a | b) if a | b else 1.0
    return _scores(values, {NO_TEXT: missing, NO_TOKEN: silent, NO_VARIANT: absent})


def overlap(first: str, second: str) -> float:
    """Dice coefficient of two texts' words with their counts; 1 for two texts without words.

    >>> overlap("a fine film", "a fine book")
    0.6666666666666666
    """
    a, b = Counter(words(first)), Counter(words(second))
    size = a.total() + b.total()
    return 2 * (a & b).total() / size if size else 1.0


def _scores(values: Any, reasons: dict[str, Any]) -> UnitScores:
    return UnitScores(
        values=np.asarray(values, np.float64),
        reasons={name: mask for name, mask in reasons.items() if mask.any()},
    )
