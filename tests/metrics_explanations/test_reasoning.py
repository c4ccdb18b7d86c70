"""Preference consistency, counterfactuals, swaps, paraphrases: values by hand."""

from __future__ import annotations

import pytest
from films import BRIEF, HEAT, OTHER, TOYS, explained

from genrec_eval.metrics.explanations.cited import cited
from genrec_eval.metrics.explanations.found import readings_of, source_of
from genrec_eval.metrics.registry import metric


def consistency(text: str) -> float | None:
    """Value of one text; None where it has none."""
    scores = metric("preference_consistency")(explained(text))
    return float(scores.values[0]) if scores.scored[0] else None


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("Choose it for the pacing.", 1.0),  # praised in Alien
        ("Choose it for the music.", 0.0),  # criticised twice
        ("Choose it for the pacing and the music.", 0.5),
        ("It is so much like Toy Story.", 0.0),  # rated 1
        ("It is so much like Alien.", 1.0),
        ("Unlike Toy Story, it has pacing.", None),  # a sentence that warns argues for nothing
        ("A word of caution: the music is weak.", None),
        ("It is no comedy.", None),
        ("It has special effects.", None),  # nothing known of that
        ("A horror film.", 1.0),  # Alien
        ("A comedy.", 0.0),  # Toy Story alone
        ("", None),
    ],
)
def test_arguments_from_likes_and_dislikes(text: str, wanted: float | None) -> None:
    assert consistency(text) == wanted


def test_texts_without_an_argument_are_named() -> None:
    scores = metric("preference_consistency(of=texts)")(explained("Nice.", "The music!", None, "The pacing!"))
    assert scores.reasons["nothing-cited"].tolist() == [True, False, False, False]
    assert scores.reasons["no-text"].tolist() == [False, False, True, False]
    assert scores.values.tolist()[1::2] == [0, 1]


def test_what_a_text_cites() -> None:
    texts = explained("You liked Alien and the acting of The Bridge; Heat is a drama, not a crime film.")
    reading = readings_of(texts)[0]
    assert reading is not None
    found = cited(reading, source_of(texts, BRIEF))
    assert (found.items, found.aspects, found.genres) == (("alien", "bridge"), ("acting",), ("Drama",))
    assert found.first == (("alien",), ())
    plain = explained("The pacing.", "A drama.", "Nothing.")
    firsts = [cited(r, source_of(plain, BRIEF)).first for r in readings_of(plain) if r is not None]
    assert firsts == [((), ("pacing",)), ((), ("Drama",)), ((), ())]


def test_a_text_that_still_cites_what_was_removed() -> None:
    from dataclasses import replace

    without_alien = replace(BRIEF, history=BRIEF.history[1:])
    without_pacing = replace(BRIEF, history=(replace(BRIEF.history[0], liked=()), *BRIEF.history[1:]))
    without_drama = replace(BRIEF, item=replace(HEAT, genres=("Crime",)))
    texts = explained(
        *["You liked Alien."] * 3,
        "The pacing.",
        "A drama.",
        "Nice.",
        None,
        varied={"without_cited": [*[without_alien] * 3, without_pacing, without_drama, None, None]},
        variants={
            "without_cited": [
                "You liked The Bridge.",
                "You liked Alien.",
                None,
                "The pacing!",
                "A crime film.",
                None,
                None,
            ]
        },
    )
    scores = metric("counterfactual")(texts)
    assert scores.values.tolist() == [1, 0, 0, 0, 1, 0, 0]
    assert scores.reasons["no-variant"].tolist() == [False, False, True, False, False, False, False]
    assert scores.reasons["nothing-cited"].tolist() == [False] * 5 + [True, False]
    assert scores.reasons["no-text"].tolist() == [False] * 6 + [True]
    by_text = metric("counterfactual(by=text)")(texts)
    # "you liked" of three and four words
    assert by_text.values[0] == pytest.approx(1 - 2 * 2 / 7)
    assert by_text.values[1] == 0


def test_generic_texts_fit_everybody() -> None:
    specific = "You liked Alien, and Heat (1995) is a crime film."
    texts = explained(
        specific, "A good choice.", "Toy Story is animated.", None, varied={"swapped": [OTHER] * 4}
    )
    # other: no Alien, no Heat, not of 1995, no crime film; but Toy Story is in both histories
    assert metric("swap_fit")(texts).values.tolist()[:3] == [0, 1, 1]
    assert metric("swap_margin")(texts).values.tolist()[:3] == [1, 0, 0]
    # another user, the same item: title, year and genre stay
    assert metric("swap_fit(other=user)")(texts).values[0] == pytest.approx(3 / 4)
    assert metric("swap_fit(other=item)")(texts).values[0] == pytest.approx(1 / 4)
    alone = metric("swap_fit")(explained("Heat."))
    assert alone.reasons["no-other-case"].tolist() == [True]


def test_paraphrases_are_compared_by_claim_or_word() -> None:
    texts = explained(
        "Heat is a crime film.",
        "Heat is a crime film.",
        "Nice.",
        "Nice.",
        None,
        variants={"paraphrase": ["A crime film: Heat.", "Heat is a drama.", "Good.", None, "x"]},
    )
    scores = metric("paraphrase_stability")(texts)
    assert scores.values.tolist() == [1, pytest.approx(1 / 3), 1, 0, 0]
    assert scores.reasons["no-variant"].tolist() == [False, False, False, True, False]
    by_text = metric("paraphrase_stability(by=text)")(texts)
    assert by_text.values.tolist()[:3] == [pytest.approx(2 * 4 / 9), pytest.approx(2 * 3 / 9), 0]


def test_without_variants_nothing_is_guessed() -> None:
    texts = explained("You liked Alien.", None)
    for name in ("counterfactual", "paraphrase_stability"):
        assert not metric(name)(texts).scored.any()


def test_one_item_is_rated_low_only_below_the_users_mean() -> None:
    from dataclasses import replace

    from genrec_eval.protocol.brief import SeenItem

    severe = replace(BRIEF, history=(SeenItem(item=TOYS, rating=2.0),))
    scores = metric("preference_consistency")(explained("It is like Toy Story.", briefs=[severe]))
    assert scores.values.tolist() == [1]
