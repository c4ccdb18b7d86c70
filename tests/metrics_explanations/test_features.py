"""Classic measures against the published quadratic forms."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from films import explained
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.registry import metric

WORDS = ("acting", "pacing", "special effects", "music", "effects")
TEXTS = st.lists(
    st.one_of(st.none(), st.lists(st.sampled_from((*WORDS, "none", "of", "it")), max_size=5).map(" ".join)),
    max_size=8,
)


def sets(texts: list[str | None]) -> list[set[str]]:
    """Features of each text by an independent search: longest first, what is found is taken out."""
    found = []
    for text in texts:
        if text is None:
            continue
        own, left = set(), f" {text} "
        for word in sorted(WORDS, key=len, reverse=True):
            while f" {word} " in left:
                own.add(word)
                left = left.replace(f" {word} ", " | ", 1)
        found.append(own)
    return found


@settings(deadline=None)
@given(TEXTS)
def test_div_is_the_mean_over_all_pairs(texts: list[str | None]) -> None:
    found = sets([text for text in texts if text])  # who says nothing shares nothing, and is no pair
    pairs = [len(a & b) for a, b in itertools.combinations(found, 2)]
    scores = metric("div")(Explanations(texts=texts, vocabulary=WORDS))
    assert scores.total == pytest.approx(sum(pairs) / len(pairs) if pairs else 0.0)


@settings(deadline=None)
@given(TEXTS)
def test_fcr_is_the_union(texts: list[str | None]) -> None:
    union = set().union(*sets(texts))
    scores = metric("fcr")(Explanations(texts=texts, vocabulary=WORDS))
    assert scores.total == pytest.approx(len(union) / len(WORDS))


@settings(deadline=None)
@given(st.lists(st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join), min_size=3, max_size=7))
def test_a_texts_score_is_what_the_run_loses_without_it(texts: list[str]) -> None:
    for name in ("div", "fcr"):
        scores = metric(name)(Explanations(texts=texts, vocabulary=WORDS))
        for left_out in range(len(texts)):
            rest = metric(name)(
                Explanations(texts=texts[:left_out] + texts[left_out + 1 :], vocabulary=WORDS)
            )
            assert scores.total is not None
            assert rest.total is not None
            assert scores.values[left_out] == pytest.approx(scores.total - rest.total)
            assert abs(scores.values[left_out]) <= (scores.reach or 0) + 1e-12


def test_fmr_matches_phrases_of_several_words() -> None:
    texts = explained(
        "The special effects shine.",
        "Special, in effect.",
        "Fine acting!",
        "Fine.",
        None,
        features=["special effects", "special effects", "Acting", None, "acting"],
    )
    scores = metric("fmr")(texts)
    assert scores.values.tolist()[:3] == [1, 0, 1]
    assert scores.reasons["no-target-feature"].tolist() == [False, False, False, True, False]
    assert scores.reasons["no-text"].tolist() == [False, False, False, False, True]


def test_texts_that_say_nothing_are_shown_beside_their_diversity() -> None:
    texts = explained("Good.", "Nice.", "Fine acting.")
    assert metric("div")(texts).total == 0
    assert metric("no_feature")(texts).values.tolist() == [1, 1, 0]


def test_who_says_nothing_is_no_more_diverse() -> None:
    scores = metric("div")(explained("Fine acting.", "", "… !", "Acting again.", None))
    assert scores.total == 1
    assert scores.reasons["no-token"].tolist() == [False, True, True, False, False]
    assert not metric("div")(explained("Fine acting.", "")).scored.any()
    assert metric("div")(explained("Fine acting.", "")).reasons["alone"].tolist() == [True, False]


def test_chunks_make_one_run() -> None:
    stream = metric("div").start()
    whole = Explanations(texts=["acting", "acting pacing", "pacing"], vocabulary=WORDS)
    for rows in ([True, True, False], [False, False, True]):
        stream.update(whole.where(np.array(rows)))
    assert stream.finish().total == pytest.approx(metric("div")(whole).total)


def test_nothing_at_all() -> None:
    for name in ("div", "fcr"):
        assert metric(name)(Explanations(texts=[], vocabulary=())).total == 0.0
