"""Summaries of reviews: what they cover, whom they leave out, how their tone fits, who bears them out."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import unsaid
from genrec_eval.metrics.explanations.masking import outside_names
from genrec_eval.metrics.explanations.opinions import Opinions
from genrec_eval.metrics.explanations.reviewed import (
    NO_ASPECTS,
    NO_OPINION,
    Held,
    excluded,
    opinions_of,
    reviewed_of,
)
from genrec_eval.metrics.explanations.sentiment import sentiment

NO_MINORITY = "no-minority"
"""Reason: the reviews hold no opinion of a minority."""
NO_MAJORITY = "no-majority"
"""Reason: on no aspect that the text judges are the reviews of one mind more often than not."""
NO_RATINGS = "no-ratings"
"""Reason: none of the reviews has a rating."""

_FEW = 1 / 3
"""What an opinion weighs that is told as the view of some, against one that is told as the general view."""
_OPINIONS = (
    "An opinion is an aspect and whether it is praised. Those of reviews are as the data mark them, else read"
    " from their texts; those of a text are read clause by clause with lists of words, negations and usual"
    " other words for an aspect included."
)
_TRAPS = (
    "The reader of opinions is English and goes by lists: irony, comparisons and praise without a word of"
    " praise escape it."
)
_SHARED: dict[str, Any] = {
    "unit": "share",
    "resampling_unit": "item",
    "needs_cutoff": False,
    "on": "explanations",
}


@define(
    Definition(
        name="aspect_coverage",
        title="Aspect coverage",
        summary="How much of what the reviews speak of the summary speaks of too.",
        formula=(
            "sum of n over aspects that the text names / sum of n over all aspects, n = reviews that praise"
            " or criticise the aspect"
        ),
        degenerate=(
            "Without a text excluded and counted (no-text); where the reviews judge no aspect too"
            " (no-aspects). An empty text covers nothing: 0."
        ),
        source="Aspect coverage of SummEval-OP (Siledar et al. 2024, arXiv 2402.11683), by look-up.",
        direction="higher",
        traps="A list of all aspects covers everything and says nothing: read it beside minority_recall and"
        " unsupported_sentences. The order of a text and what it says of an aspect play no part.",
        **_SHARED,
    )
)
def aspect_coverage(explanations: Explanations) -> UnitScores:
    """Share of the reviews' mentions that fall on aspects of the text."""
    values, without = np.zeros(len(explanations)), np.zeros(len(explanations), bool)
    rows = zip(opinions_of(explanations), reviewed_of(explanations), strict=True)
    for row, (opinions, reviewed) in enumerate(rows):
        total = sum(reviewed.mentions.values())
        without[row] = not total
        if total and opinions is not None:
            values[row] = (
                sum(n for aspect, n in reviewed.mentions.items() if aspect in opinions.named) / total
            )
    return excluded(explanations, values, {NO_ASPECTS: without})


@define(
    Definition(
        name="minority_recall",
        title="Minority recall",
        summary="Share of the opinions of minorities that the summary voices.",
        formula=(
            "voiced / all opinions of minorities: those that less than half, and at least `share`, of the"
            f" reviews on the aspect hold, and no fewer than `voices` reviews. {_OPINIONS}"
        ),
        degenerate=(
            "Without a text excluded and counted (no-text); where no minority holds another opinion too"
            " (no-minority). An empty text voices none: 0."
        ),
        source="This project; for minority opinions in summaries see SummEval-OP (arXiv 2402.11683).",
        direction="higher",
        parameters={"share": (0.2, None), "voices": (2, None)},
        meanings={
            "share": "least share of the reviews on an aspect that makes an opinion one of a minority",
            "voices": "least number of reviews that do",
        },
        traps=f"A text that says everything and its opposite voices everybody: read it beside"
        f" unsupported_sentences. Where as many praise as criticise there is no minority. {_TRAPS}",
        **_SHARED,
    )
)
def minority_recall(explanations: Explanations, *, share: float, voices: int) -> UnitScores:
    """Whether those who are outnumbered are heard."""
    values, without = np.zeros(len(explanations)), np.zeros(len(explanations), bool)
    rows = zip(opinions_of(explanations), reviewed_of(explanations), strict=True)
    for row, (opinions, reviewed) in enumerate(rows):
        minority = reviewed.minority(share, voices)
        without[row] = not minority
        if minority and opinions is not None:
            values[row] = sum(opinion in opinions.held for opinion in minority) / len(minority)
    return excluded(explanations, values, {NO_MINORITY: without})


@define(
    Definition(
        name="contradicts_majority",
        title="Contradicts majority",
        summary="Share of the aspects on which a summary gives the view of the fewer as the general one.",
        formula=(
            "aspects of which the text states, as the general view, the opposite of what most reviews on the"
            f" aspect hold, and not what they hold / aspects that it judges and on which there is a majority."
            f" {_OPINIONS}"
        ),
        degenerate=(
            "Without a text excluded and counted (no-text); where it judges no aspect too (no-opinion), or"
            " none on which there is a majority (no-majority)."
        ),
        source="This project.",
        direction="lower",
        traps=f"What is told of some (a few, others, a minority) contradicts nobody. {_TRAPS}",
        **_SHARED,
    )
)
def contradicts_majority(explanations: Explanations) -> UnitScores:
    """Whether what most say is turned round."""
    n = len(explanations)
    values, mute, even = np.zeros(n), np.zeros(n, bool), np.zeros(n, bool)
    rows = zip(opinions_of(explanations), reviewed_of(explanations), strict=True)
    for row, (opinions, reviewed) in enumerate(rows):
        if opinions is None:
            continue
        general = {(one.aspect, one.glad) for one in opinions.said if not one.few}
        judged = {
            aspect: side for aspect, _ in opinions.held if (side := reviewed.majority(aspect)) is not None
        }
        mute[row], even[row] = not opinions.held, not judged
        wrong = sum(
            (aspect, not side) in general and (aspect, side) not in opinions.held
            for aspect, side in judged.items()
        )
        values[row] = wrong / len(judged) if judged else 0.0
    return excluded(explanations, values, {NO_OPINION: mute, NO_MAJORITY: even})


@define(
    Definition(
        name="review_support",
        title="Review support",
        summary="Share of the reviews that bear out a sentence of the summary.",
        formula=(
            "mean over sentences with an opinion, of the mean over its opinions, of the share of the reviews"
            f" that hold it. {_OPINIONS}"
        ),
        degenerate="Without a text excluded and counted (no-text); one without an opinion too (no-opinion).",
        source="This project; support counts as in extractive opinion summarisation.",
        direction="none",
        traps=f"No more is not always better: who voices a minority rests on fewer reviews. {_TRAPS}",
        **_SHARED,
    )
)
def review_support(explanations: Explanations) -> UnitScores:
    """On how many reviews a sentence rests."""
    values, mute = np.zeros(len(explanations)), np.zeros(len(explanations), bool)
    rows = zip(opinions_of(explanations), reviewed_of(explanations), strict=True)
    for row, (opinions, reviewed) in enumerate(rows):
        if opinions is None:
            continue
        mute[row] = not opinions.held
        total = max(len(reviewed.held), 1)
        means = [
            sum(reviewed.counts.get(one, 0) for one in said) / (len(said) * total)
            for said in sentences(opinions)
        ]
        values[row] = sum(means) / len(means) if means else 0.0
    return excluded(explanations, values, {NO_OPINION: mute})


@define(
    Definition(
        name="unsupported_sentences",
        title="Unsupported sentences",
        summary="Share of the summary's sentences that state an opinion which no review holds.",
        formula=f"sentences with an opinion that no review holds / sentences with an opinion. {_OPINIONS}",
        degenerate="Without a text excluded and counted (no-text); one without an opinion too (no-opinion).",
        source="This project.",
        direction="lower",
        traps="Sentences that name no aspect are left out: what they say of plot, people or years is looked"
        f" up by `contradicted` and `not_in_source`. {_TRAPS}",
        **_SHARED,
    )
)
def unsupported_sentences(explanations: Explanations) -> UnitScores:
    """How much a summary adds to the reviews."""
    values, mute = np.zeros(len(explanations)), np.zeros(len(explanations), bool)
    rows = zip(opinions_of(explanations), reviewed_of(explanations), strict=True)
    for row, (opinions, reviewed) in enumerate(rows):
        if opinions is None:
            continue
        mute[row] = not opinions.held
        found = sentences(opinions)
        bad = sum(any(one not in reviewed.counts for one in said) for said in found)
        values[row] = bad / len(found) if found else 0.0
    return excluded(explanations, values, {NO_OPINION: mute})


@define(
    Definition(
        name="summary_sentiment_gap",
        title="Sentiment gap to reviews",
        summary="Distance between the tone of a summary and that of the reviews.",
        formula=(
            "of=text: |(1 + s) / 2 − (mean rating of the reviews − 1) / (scale − 1)|, s as in sentiment_gap;"
            " of=aspects: mean over the aspects that the text judges, weighted by the reviews on each, of"
            " |praise in the text − share of praise in the reviews|, where praise in the text is w / (w + v)"
            " with weight 1 for a general view, 1/3 for that of some and 0 for none; where some are told of"
            " alone, the other view is the general one. scale is 5, or the next of 10 and 100 that holds all"
            " ratings"
        ),
        degenerate=(
            "Without a text excluded and counted (no-text). of=text: without a word in it (no-token) or"
            " a rating (no-ratings) too; a text without praise or blame is neutral. of=aspects: where the"
            " text judges no aspect"
            " (no-opinion), or none that the reviews judge (no-aspects)."
        ),
        source="Sentiment consistency of SummEval-OP (arXiv 2402.11683), by a lexicon of this project.",
        direction="lower",
        parameters={"of": ("text", ("text", "aspects"))},
        meanings={"of": "text: tone against mean rating; aspects: praise against praise, aspect by aspect"},
        traps="Reviews that rate high and criticise details make a gap for every honest summary: compare"
        f" models over the same items. {_TRAPS}",
        **_SHARED,
    )
)
def summary_sentiment_gap(explanations: Explanations, *, of: str) -> UnitScores:
    """How much rosier, or gloomier, a summary is than its reviews."""
    return _by_text(explanations) if of == "text" else _by_aspect(explanations)


def sentences(opinions: Opinions) -> list[list[Held]]:
    """Distinct opinions of each sentence that has any."""
    found: dict[int, dict[Held, None]] = {}
    for one in opinions.said:
        found.setdefault(one.sentence, {})[one.aspect, one.glad] = None
    return [list(said) for said in found.values()]


def _by_text(explanations: Explanations) -> UnitScores:
    ratings = [[r.rating for r in brief.reviews if r.rating is not None] for brief in explanations.briefs]
    most = max((rating for one in ratings for rating in one), default=0.0)
    scale = next((end for end in (5.0, 10.0, 100.0) if most <= end), most)
    means = np.array([sum(one) / len(one) if one else 1.0 for one in ratings], np.float64)
    tones = np.array([0.0 if text is None else sentiment(text.text) for text in outside_names(explanations)])
    given = np.clip((means - 1) / (scale - 1), 0, 1)
    unknown = np.array([not one for one in ratings], bool)
    return excluded(
        explanations, np.abs((1 + tones) / 2 - given), {**unsaid(explanations), NO_RATINGS: unknown}
    )


def _by_aspect(explanations: Explanations) -> UnitScores:
    n = len(explanations)
    values, mute, other = np.zeros(n), np.zeros(n, bool), np.zeros(n, bool)
    rows = zip(opinions_of(explanations), reviewed_of(explanations), strict=True)
    for row, (opinions, reviewed) in enumerate(rows):
        if opinions is None:
            continue
        praised = _praise(opinions)
        mute[row] = not praised
        total = gap = 0.0
        for aspect, share in praised.items():
            count = reviewed.mentions.get(aspect, 0)
            praise = reviewed.share((aspect, True))
            total, gap = total + count, gap + count * abs(share - praise)
        other[row] = not total
        values[row] = gap / total if total else 0.0
    return excluded(explanations, values, {NO_OPINION: mute, NO_ASPECTS: other})


def _praise(opinions: Opinions) -> dict[str, float]:
    """Aspect → how much of what is said of it is praise."""
    weights: dict[str, list[float]] = {}
    for one in opinions.said:
        sides = weights.setdefault(one.aspect, [0.0, 0.0])
        sides[not one.glad] = max(sides[not one.glad], _FEW if one.few else 1.0)
    for sides in weights.values():
        for side in (0, 1):
            if sides[side] == _FEW and not sides[1 - side]:
                sides[1 - side] = 1.0
    return {aspect: praise / (praise + blame) for aspect, (praise, blame) in weights.items()}
