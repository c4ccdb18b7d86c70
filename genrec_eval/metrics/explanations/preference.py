"""Preference consistency: does a text argue from what the user likes, or from what the user dislikes?"""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import readings_of, shares, source_of
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention, Reading
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import SeenItem

NOTHING_CITED = "nothing-cited"
"""Reason: the text argues from nothing of which the history tells what the user thinks."""

_CAUTIONS = frozenset(lexicon("claims")["cautions"])


@define(
    Definition(
        name="preference_consistency",
        title="Preference consistency",
        summary="Share of what a text argues from that the user does not dislike.",
        formula=(
            "1 − arguments that the user dislikes / arguments of known polarity. Arguments are the aspects,"
            " genres"
            " and titles of the history that a text names, but for denied ones and for sentences that warn."
            " An"
            " aspect is disliked when the history criticises it more often than it praises it; a genre when"
            " more"
            " of its items in the history are rated low than are not; an item when it is rated low (2 of 5"
            " stars"
            " and less, and below the user's mean)."
        ),
        degenerate=(
            "Without a text excluded and counted (no-text); a text that argues from nothing of known"
            " polarity too"
            " (nothing-cited)."
        ),
        source="After PURE (arXiv 2603.03080): factually right, and argued from what the user dislikes.",
        direction="higher",
        unit="share",
        needs_cutoff=False,
        on="explanations",
        parameters={"of": ("arguments", ("arguments", "texts"))},
        meanings={
            "of": "arguments: share of the text's arguments; texts: 1 where no argument of the text is"
            " disliked"
        },
        traps=(
            "Says nothing on whether the arguments are true: read it beside `supported`. Sentences with"
            " words of"
            " warning (but, against, however, ...) are taken for cautions, whatever they say."
        ),
    )
)
def preference_consistency(explanations: Explanations, *, of: str) -> UnitScores:
    """How far a text keeps to what speaks for the item in the user's eyes."""
    good, known = np.zeros(len(explanations)), np.zeros(len(explanations))
    for row, (reading, brief) in enumerate(zip(readings_of(explanations), explanations.briefs, strict=True)):
        if reading is not None:
            marks = arguments(reading, source_of(explanations, brief))
            good[row], known[row] = sum(marks), len(marks)
    if of == "texts":
        good, known = (good == known).astype(float) * (known > 0), (known > 0).astype(float)
    return shares(explanations, good, known, NOTHING_CITED)


def arguments(reading: Reading, source: Source) -> list[bool]:
    """For each distinct thing that a text argues from, whether the user is fine with it."""
    return list({(mention.kind, name): fine for mention, name, fine in argued(reading, source)}.values())


def argued(reading: Reading, source: Source) -> list[tuple[Mention, str, bool]]:
    """What a text argues from: where, the aspect, genre or id of the item, and whether the user is fine
    with it."""
    aspects, genres = _aspects(source), _genres(source)
    warned = _warnings(reading)
    found: list[tuple[Mention, str, bool]] = []
    for mention in reading.mentions:
        if mention.negated or mention.stance == "disliked" or mention.sentence in warned:
            continue
        if mention.kind in ("aspect", "genre"):
            aspect = mention.kind == "aspect"
            count = aspects.get(mention.value.casefold()) if aspect else genres.get(mention.value)
            if count:
                found.append((mention, mention.value, count > 0))
        elif mention.kind == "title":
            item = source.item_of(mention)
            seen = None if item is None else source.history.get(item.id)
            if seen is not None and (seen.rating is not None):
                found.append((mention, seen.item.id, not _low(seen, source)))
    return found


def _low(seen: SeenItem, source: Source) -> bool:
    return source.low(seen.rating) and seen.rating is not None and seen.rating < source.mean


def _aspects(source: Source) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seen in source.brief.history:
        counts.update(aspect.casefold() for aspect in seen.liked)
        counts.subtract(aspect.casefold() for aspect in seen.disliked)
    return counts


def _genres(source: Source) -> Counter[str]:
    counts: Counter[str] = Counter()
    for seen in source.brief.history:
        if seen.rating is not None:
            for genre in source.genres_of(seen.item):
                counts[genre] += -1 if _low(seen, source) else 1
    return counts


def _warnings(reading: Reading) -> set[int]:
    tokens = reading.tokens
    return {
        bisect_right(reading.sentences, start) - 1
        for start, norm in zip(tokens.starts, tokens.norms, strict=True)
        if norm in _CAUTIONS
    }
