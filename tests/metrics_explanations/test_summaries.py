"""Measures of summaries against counts by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts

ITEM = ItemFacts(
    id="i1", title="Heat", year=1995, people={"director": ("Ada Brandt",), "cast": ("Leo Falk",)}
)
ASPECTS = ("acting", "music", "pacing")


def review(row: int, liked: str = "", disliked: str = "", **more: Any) -> ReviewFacts:
    given = {"id": f"r{row}", "text": "I saw it.", **more}
    return ReviewFacts(positive=tuple(liked.split()), negative=tuple(disliked.split()), **given)


# acting: 5 for, 2 against; music: 1 for, 3 against; pacing: 1 for, 1 against
REVIEWS = (
    review(0, "acting", rating=5),
    review(1, "acting", "music", rating=4),
    review(2, "acting pacing", rating=4),
    review(3, "acting music", rating=5),
    review(4, "acting", "pacing", rating=3),
    review(5, "", "acting music", rating=1),
    review(6, "", "acting music", rating=2),
)


def brief(*reviews: ReviewFacts, **more: Any) -> Brief:
    return Brief(task="summarise", item=ITEM, reviews=reviews, aspects=ASPECTS, **more)


def score(name: str, text: str | None, of: Brief | None = None) -> float | str:
    """The value, or the reason why there is none."""
    asked = brief(*REVIEWS) if of is None else of
    scores = metric(name)(Explanations(texts=[text], briefs=[asked], catalogue={"i1": ITEM}))
    reasons = [reason for reason, mask in scores.reasons.items() if mask[0]]
    return reasons[0] if reasons else float(scores.values[0])


def test_coverage_weighs_aspects_by_the_reviews_that_speak_of_them() -> None:
    assert score("aspect_coverage", "They praise the acting.") == pytest.approx(7 / 13)
    assert score("aspect_coverage", "They speak of music and of the pace.") == pytest.approx(6 / 13)
    assert score("aspect_coverage", "Acting, music, pacing.") == 1
    assert score("aspect_coverage", "") == 0
    assert score("aspect_coverage", None) == "no-text"
    assert score("aspect_coverage", "The acting is superb.", brief(review(0))) == "no-aspects"


def test_minorities_are_heard_with_their_own_polarity() -> None:
    # those against the acting are 2 of 7, the one for the music is alone
    assert score("minority_recall", "Most praise the acting, a few find it weak.") == 1
    assert score("minority_recall", "Most praise the acting.") == 0
    assert score("minority_recall", "") == 0
    both = "Most praise the acting, a few find it weak, and some like the strong music."
    assert score("minority_recall(voices=1)", both) == 1
    assert score("minority_recall(voices=1)", "Some find the music strong.") == 0.5
    assert score("minority_recall(voices=1,share=0.28)", "Most praise the acting, a few find it weak.") == 1
    assert score("minority_recall(share=0.3)", "Anything.") == "no-minority"
    assert score("minority_recall", "Fine.", brief(review(0, "acting"))) == "no-minority"
    assert score("minority_recall", None) == "no-text"


def test_the_view_of_the_fewer_as_that_of_all() -> None:
    assert score("contradicts_majority", "The acting is weak and the music is dull.") == 0.5
    assert score("contradicts_majority", "The acting is weak.") == 1
    assert score("contradicts_majority", "A few find the acting weak.") == 0
    assert score("contradicts_majority", "The acting is praised and criticised.") == 0
    assert score("contradicts_majority", "The pacing is weak.") == "no-majority"
    assert score("contradicts_majority", "A film.") == "no-opinion"


def test_support_counts_reviews_per_sentence() -> None:
    text = "Reviewers praise the acting. They find the music and the pacing weak."
    assert score("review_support", text) == pytest.approx((5 / 7 + (3 / 7 + 1 / 7) / 2) / 2)
    assert score("unsupported_sentences", text) == 0
    assert score("review_support", "It is a film.") == "no-opinion"
    lone = brief(review(0, "acting"), review(1, "acting"))
    assert score("unsupported_sentences", "The acting is superb. The music is dull.", lone) == 0.5
    assert score("review_support", "The acting is superb. The music is dull.", lone) == 0.5
    assert score("unsupported_sentences", "", lone) == "no-opinion"


def test_tone_against_ratings_and_aspect_by_aspect() -> None:
    given = (24 / 7 - 1) / 4
    assert score("summary_sentiment_gap", "A film.") == pytest.approx(abs(0.5 - given))
    assert score("summary_sentiment_gap", "Superb acting.") == pytest.approx(abs(0.75 - given))
    assert score("summary_sentiment_gap", "Fine.", brief(review(0, "acting"))) == "no-ratings"
    of = "summary_sentiment_gap(of=aspects)"
    assert score(of, "The acting is superb.") == pytest.approx(2 / 7)
    assert score(of, "The acting is superb. The music is dull.") == pytest.approx(
        (7 * 2 / 7 + 4 * 1 / 4) / 11
    )
    # 1 for the general view, a third for that of some
    assert score(of, "Most praise the acting, a few find it weak.") == pytest.approx(abs(3 / 4 - 5 / 7))
    assert score(of, "A few find the acting weak.") == pytest.approx(abs(3 / 4 - 5 / 7))
    assert score(of, "A film.") == "no-opinion"
    assert score(of, "The pacing is dull.", brief(review(0, "acting", rating=3))) == "no-aspects"


def test_reviews_that_are_not_marked_are_read() -> None:
    plain = brief(
        review(0, text="The acting is superb, the music dull."),
        review(1, text="Weak acting."),
        review(2, text="I loved the performances."),
        review(3, text="Nothing to add."),
    )
    assert score("aspect_coverage", "The acting is strong.", plain) == 0.75
    assert score("minority_recall(voices=1)", "Some find the acting weak.", plain) == 1
    assert score("review_support", "The acting is strong.", plain) == 0.5


NAMED = brief(
    review(0, "acting", author="Wanda Voss"),
    review(1, "music", author="Grace O'Hara", text="My friend Milo Quist came along. Star Wars is better."),
    review(2, "music", author="Ada Kessler", text="Leo Falk is great. I saw it with Bela Sato and slept."),
    review(3, author="Amazon Customer"),
    review(4, author="movie_fan_99"),
    review(5, author="王小明"),
)


@pytest.mark.parametrize(
    "text",
    [
        "Wanda Voss finds the acting strong.",
        "wanda voss finds it strong",
        "WANDA VOSS finds it strong",
        "Voss finds it strong.",
        "In Wanda’s view it is strong.",
        "It is Voss's favourite.",
        "Grace O’Hara likes it.",
        "It moved Grace to tears.",
        "Milo Quist came too.",
        "Bela Sato slept.",
        "Ask movie_fan_99 about it.",
        "王小明 likes it.",
        "Kessler is pleased.",
    ],
)
def test_names_that_leak(text: str) -> None:
    assert score("leaked_names", text, NAMED) == 1


@pytest.mark.parametrize(
    "text",
    [
        "Reviewers praise the acting.",
        "Heat (1995), directed by Ada Brandt, has strong acting by Leo Falk.",
        "Brandt directs, and Ada is at her best.",  # a reviewer is called Ada, and so is the director
        "Ada Lovelace is quoted.",  # somebody else
        "Grace and wit are what reviewers praise.",  # the word
        "One customer of Amazon was pleased.",
        "It is better than Star Wars.",
        "The vossberg estate.",
    ],
)
def test_what_is_no_leak(text: str) -> None:
    assert score("leaked_names", text, NAMED) == 0


def test_names_without_text_or_reviews() -> None:
    assert score("leaked_names", None, NAMED) == "no-text"
    assert score("leaked_names", "", NAMED) == "no-token"
    assert score("leaked_names", "Wanda Voss likes it.", brief()) == 0


@pytest.mark.parametrize(
    "text",
    ["acting superb " * 7000, "few acting superb, " * 5000, "Wanda Voss " * 9000, "A" * 100_000,
     "王" * 100_000, "3 of 5 " * 14_000, "not " * 25_000, "signed Aa Bb " * 8000],
    ids=["runs", "cues", "names", "word", "script", "shares", "negations", "signatures"],
)  # fmt: skip
def test_long_texts_as_summaries_and_as_reviews_end(text: str) -> None:
    asked = brief(review(0, text=text, author="Wanda Voss"), review(1, "acting", "music"))
    told = Explanations(texts=[text], briefs=[asked], contexts=[(text,)])
    for name in (*_NAMES, "context_relevance", "answer_faithfulness", "answer_relevance"):
        assert np.isfinite(metric(name)(told).values).all()


_REVIEW = st.builds(
    lambda sides: review(
        0,
        " ".join(a for a, side in zip(ASPECTS, sides, strict=True) if side == 1),
        " ".join(a for a, side in zip(ASPECTS, sides, strict=True) if side == -1),
        rating=3,
    ),
    st.tuples(*[st.sampled_from([-1, 0, 1])] * 3),
)
_NAMES = (
    "aspect_coverage", "minority_recall", "contradicts_majority", "review_support", "unsupported_sentences",
    "summary_sentiment_gap", "summary_sentiment_gap(of=aspects)", "leaked_names",
)  # fmt: skip


@given(st.lists(st.lists(_REVIEW, max_size=6), min_size=1, max_size=4), st.data())
def test_bounds_and_independence(cases: list[list[ReviewFacts]], data: st.DataObject) -> None:
    """Every value is a share, and a case's value does not hang on the others."""
    sentence = st.sampled_from([f"The {a} is {w}." for a in ASPECTS for w in ("superb", "dull")] + ["Well."])
    texts = [data.draw(st.none() | st.lists(sentence, max_size=4).map(" ".join)) for _ in cases]
    briefs = [brief(*reviews) for reviews in cases]
    for name in _NAMES:
        scores = metric(name)(Explanations(texts=texts, briefs=briefs))
        values = scores.values[scores.scored]
        assert ((values >= 0) & (values <= 1 + 1e-12)).all()
        assert (sum(mask.astype(int) for mask in scores.reasons.values()) <= np.ones(len(texts))).all()
        for row, one in enumerate(briefs):
            alone = metric(name)(Explanations(texts=[texts[row]], briefs=[one]))
            assert alone.scored[0] == scores.scored[row]
            assert not alone.scored[0] or alone.values[0] == pytest.approx(scores.values[row])


@given(st.lists(_REVIEW, min_size=1, max_size=8))
def test_who_says_what_every_review_says_leaves_nothing_out(reviews: list[ReviewFacts]) -> None:
    held = sorted(
        {(a, True) for r in reviews for a in r.positive} | {(a, False) for r in reviews for a in r.negative}
    )
    text = " ".join(f"The {aspect} is {'superb' if glad else 'dull'}." for aspect, glad in held)
    asked = brief(*reviews)
    assert score("aspect_coverage", text, asked) in (1, "no-aspects")
    assert score("minority_recall(voices=1,share=0)", text, asked) in (1, "no-minority")
    assert score("unsupported_sentences", text, asked) in (0, "no-opinion")
    assert score("contradicts_majority", text, asked) in (0, "no-opinion", "no-majority")
