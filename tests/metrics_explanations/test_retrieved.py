"""Measures of texts written from passages, against the formulas by hand."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts, SeenItem

HEAT = ItemFacts(
    id="i1", title="Heat", year=1995, genres=("Crime",), people={"director": ("Michela Manno",)},
    description="Two men on two sides of the law cross paths.",
)  # fmt: skip
UP = ItemFacts(id="i2", title="Up", year=2009, genres=("Animation",))
ALIEN = ItemFacts(id="i3", title="Alien", year=1979, genres=("Horror",))
CATALOGUE = {item.id: item for item in (HEAT, UP, ALIEN)}
REVIEWS = (
    ReviewFacts(id="r1", text="The acting is superb.", positive=("acting",)),
    ReviewFacts(id="r2", text="The music is dull.", negative=("music",)),
)
EXPLAIN = Brief(
    task="explain",
    item=HEAT,
    user="u1",
    history=(SeenItem(item=ALIEN, rating=5.0, liked=("acting",)),),
    reviews=REVIEWS,
    aspects=("acting", "music"),
)
SUM_UP = Brief(task="summarise", item=HEAT, reviews=REVIEWS, aspects=("acting", "music"))


def score(
    name: str,
    text: str | None,
    contexts: tuple[str, ...] | None,
    brief: Brief = EXPLAIN,
    reference: str | None = None,
) -> float | str:
    told = Explanations(
        texts=[text],
        references=[() if reference is None else (reference,)],
        briefs=[brief],
        catalogue=CATALOGUE,
        vocabulary=("acting", "music"),
        contexts=[contexts],
    )
    scores = metric(name)(told)
    reasons = [reason for reason, mask in scores.reasons.items() if mask[0]]
    return reasons[0] if reasons else float(scores.values[0])


ALL = (
    "context_relevance", "context_relevance(of=sentences)", "context_precision", "context_recall",
    "answer_faithfulness", "noise_sensitivity", "noise_sensitivity(of=irrelevant)",
)  # fmt: skip


@pytest.mark.parametrize("name", ALL)
def test_no_text_and_no_passages_have_their_reasons(name: str) -> None:
    assert score(name, None, ("Heat.",)) == "no-text"
    for nothing in (None, (), ("", "  ")):
        assert score(name, "Heat has superb acting.", nothing, reference="Superb acting.") == "no-contexts"


@pytest.mark.parametrize(
    ("passage", "bears"),
    [
        ("Heat (1995) is a crime film.", 1),
        ("A film directed by Michela Manno.", 1),
        ("The acting is superb.", 1),  # which the user praised elsewhere
        ("The music is dull.", 0),  # of which the user said nothing
        ("Alien (1979) is in your history.", 1),
        ("The acting of Up (2009) is superb.", 0),  # another film's
        ("Two men on two sides of the law", 1),  # its description
        ("The weather is fine.", 0),
    ],
)
def test_what_bears_on_an_explanation(passage: str, bears: int) -> None:
    assert score("context_relevance", "Heat.", (passage,)) == bears


def test_relevance_by_passages_and_sentences() -> None:
    passages = ("The acting is superb. It rained.", "The weather is fine.")
    assert score("context_relevance", "Heat.", passages) == 0.5
    assert score("context_relevance(of=sentences)", "Heat.", passages) == pytest.approx(1 / 3)
    assert score("context_relevance", "Heat.", ("The music is dull.",), SUM_UP) == 1


def test_precision_is_better_the_earlier_what_bears_on_the_question() -> None:
    good, bad = "Heat (1995) is good.", "The weather is fine."
    assert score("context_precision", "Heat.", (good, bad, good)) == pytest.approx((1 + 2 / 3) / 2)
    assert score("context_precision", "Heat.", (bad, good)) == 0.5
    assert score("context_precision", "Heat.", (good, bad, bad)) == 1
    assert score("context_precision", "Heat.", (bad,)) == 0


def test_recall_of_the_reference() -> None:
    passages = ("The acting is superb.", "It costs nothing.")
    assert score("context_recall", "Heat.", passages, reference="Great acting, and dull music.") == 0.5
    assert score("context_recall", "Heat.", passages, reference="Weak acting.") == 0
    assert score("context_recall", "Heat.", passages, reference="So so.") == "no-facts"
    assert score("context_recall", "Heat.", passages) == "no-facts"
    # a summary without a reference text rests on what the reviews hold
    assert score("context_recall", "Heat.", passages, SUM_UP) == 0.5
    assert score("context_recall", "Heat.", passages, Brief(task="summarise", item=HEAT)) == "no-facts"


def test_faithfulness_to_the_passages_and_to_nothing_else() -> None:
    passages = ("A crime film directed by Michela Manno.", "The acting is superb.")
    text = "Heat (1995) is a crime film with superb acting."
    assert score("answer_faithfulness", text, passages) == 1
    assert score("answer_faithfulness", text, passages[1:]) == 0.5  # true, and not from the passages
    assert score("answer_faithfulness", "Heat has superb acting and dull music.", passages) == 0.5
    assert score("answer_faithfulness", "You liked Alien, and the acting is superb.", passages) == 0.5
    assert score("answer_faithfulness", "Heat (1995) it is.", passages) == "no-claims"
    assert score("answer_faithfulness", "", passages) == "no-claims"


def test_noise_is_what_passages_led_astray() -> None:
    # the brief knows Heat as a crime film with superb acting
    text = "Heat is a horror film with superb acting."
    assert score("noise_sensitivity", text, ("Heat (1995) is a horror film.",)) == 0.5
    assert score("noise_sensitivity(of=irrelevant)", text, ("Heat (1995) is a horror film.",)) == 0
    assert score("noise_sensitivity(of=irrelevant)", text, ("Up (2009) is a horror film.",)) == 0.5
    assert score("noise_sensitivity", text, ("Up (2009) is a horror film.",)) == 0
    assert score("noise_sensitivity", text, ("Nothing of the kind.",)) == 0  # wrong of its own accord
    assert score("noise_sensitivity", "Heat has superb acting.", ("The acting is superb.",)) == 0
    assert score("noise_sensitivity", "It is.", ("Up (2009).",)) == "no-claims"


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Heat (1995) has the superb acting that you like.", 1),
        ("A crime film, as Alien was a thriller.", 1),
        ("Heat is a film.", 0.5),
        ("The acting will please you.", 0.5),
        ("It is good.", 0),
        ("I cannot say whether Heat is for you.", 0),
        ("I do not know, but Heat has superb acting.", 1),
        ("", 0),
    ],
)
def test_answers_to_the_point(text: str, value: float) -> None:
    assert score("answer_relevance", text, None) == value


def test_no_text_is_no_answer() -> None:
    assert score("answer_relevance", None, None) == "no-text"


_PASSAGE = st.sampled_from(
    ["Heat (1995) is good.", "The acting is superb.", "The music is dull.", "Up (2009).", "Rain.", "!"]
)


@given(st.lists(_PASSAGE, min_size=1, max_size=6), st.lists(_PASSAGE, max_size=4))
def test_shares_and_orders(passages: list[str], said: list[str]) -> None:
    text, contexts = " ".join(said), tuple(passages)
    for name in ALL:
        value = score(name, text, contexts, reference="Superb acting.")
        assert isinstance(value, str) or 0 <= value <= 1
    turned = contexts[::-1]
    for name in ("context_relevance", "context_recall", "answer_faithfulness", "noise_sensitivity"):
        assert score(name, text, contexts, SUM_UP) == score(name, text, turned, SUM_UP)
    best = sorted(contexts, key=lambda one: -float(score("context_relevance", text, (one,))))
    bound = 1.0 if score("context_relevance", text, contexts) else 0.0
    assert score("context_precision", text, tuple(best)) == bound
    # who says nothing but what stands in the passages is faithful to them
    assert score("answer_faithfulness", " ".join(contexts), contexts) in (1, "no-claims")
