"""The tone of a text, and how far it is from the rating that the user gave."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import unsaid
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.masking import outside_names
from genrec_eval.metrics.explanations.tokens import words
from genrec_eval.protocol.arrays import Float64

NO_RATING = "no-rating"
"""Reason: the user's rating of the item is not known."""

_REACH = 3
"""Words before a word of praise or blame in which a negation turns it round."""


@cache
def _lists() -> tuple[dict[str, float], frozenset[str]]:
    lists = lexicon("sentiment")
    polarity = {words(word)[0]: 1.0 for word in lists["positive"]}
    polarity |= {words(word)[0]: -1.0 for word in lists["negative"]}
    return polarity, frozenset(lists["negators"])


def sentiment(text: str) -> float:
    """Praise less blame over their sum, damped for texts with little of either: in (-1, 1), 0 for none.

    >>> round(sentiment("A wonderful film, superb acting."), 2), round(sentiment("Not good, and dull"), 2)
    (0.67, -0.67)
    """
    return _tone(words(text))


def _tone(norms: Sequence[str]) -> float:
    polarity, negators = _lists()
    good = bad = 0.0
    for at, norm in enumerate(norms):
        value = polarity.get(norm)
        if value is None:
            continue
        if value > 0 and any(other in negators for other in norms[max(0, at - _REACH) : at]):
            value = -value
        good, bad = good + (value > 0), bad + (value < 0)
    return float((good - bad) / (good + bad + 1))


def _tones(explanations: Explanations) -> Float64:
    """float64[n], the tone of each text outside titles and names; 0 where there is no text."""
    return np.array([0.0 if text is None else _tone(text.norms) for text in outside_names(explanations)])


@define(
    Definition(
        name="tone",
        title="Tone",
        summary="How warmly or coolly a text is written, from -1 (blame alone) to 1 (praise alone).",
        formula=(
            "(praise − blame) / (praise + blame + 1) over words of a lexicon outside titles and names, a"
            " negation in the three words before turning praise to blame; mean over texts"
        ),
        degenerate=(
            "Without a text excluded and counted (no-text), without a word in it too (no-token): who says"
            " nothing"
            " has no tone. A text without praise or blame is neutral: 0."
        ),
        source="This project; the lexicon is its own.",
        direction="none",
        bounds=(-1.0, 1.0),
        needs_cutoff=False,
        on="explanations",
        traps=(
            "The lexicon is English and finite, and knows neither irony nor intensity: a text in another"
            " language has tone 0. Titles that the catalogue or the brief holds are masked, so that 'Kill"
            " Bill' is no blame; one that neither knows counts. What the text says of the item and what it"
            " says of the user's past count alike. Rightly cool is no fault: read it by group or by disclosed"
            " value, where the items are alike."
        ),
    )
)
def tone(explanations: Explanations) -> UnitScores:
    """Praise less blame in each text."""
    return UnitScores(values=_tones(explanations), reasons=unsaid(explanations))


@define(
    Definition(
        name="sentiment_gap",
        title="Sentiment gap",
        summary="Distance between the tone of a text and the rating that the user gave the item.",
        formula=(
            "|(1 + s) / 2 − (r − 1) / (scale − 1)|, s = (praise − blame) / (praise + blame + 1) over"
            " words of a lexicon outside titles, a negation in the three words before turning praise to"
            " blame; scale is 5, or the next of 10 and 100 that holds all ratings"
        ),
        degenerate=(
            "Without a text excluded and counted (no-text), without a word in it (no-token) or a held-out"
            " rating"
            " (no-rating) too. A text without praise or blame is neutral: s is 0."
        ),
        source="Sentiment alignment after arXiv 2410.13248; the lexicon is this project's.",
        direction="lower",
        unit="share",
        needs_cutoff=False,
        on="explanations",
        traps=(
            "The held-out rating is not known to the writer: a text that argues for a recommendation is"
            " positive,"
            " and a user who rates it low makes a gap that no writer could have avoided. Compare models"
            " over the"
            " same cases. The lexicon is English, and knows neither irony nor intensity."
        ),
    )
)
def sentiment_gap(explanations: Explanations) -> UnitScores:
    """How much rosier, or gloomier, each text is than the user found the item."""
    n, reasons = len(explanations), dict(unsaid(explanations))
    ratings = np.array([np.nan if r is None else r for r in (explanations.ratings or [None] * n)], np.float64)
    unknown = np.isnan(ratings) & ~np.any([np.zeros(n, bool), *reasons.values()], axis=0)
    most = float(np.nanmax(ratings)) if np.isfinite(ratings).any() else 0.0
    scale = next((end for end in (5.0, 10.0, 100.0) if most <= end), most)
    given = np.clip((np.nan_to_num(ratings, nan=1.0) - 1) / (scale - 1), 0, 1)
    if unknown.any():
        reasons[NO_RATING] = unknown
    return UnitScores(values=np.abs((1 + _tones(explanations)) / 2 - given), reasons=reasons)
