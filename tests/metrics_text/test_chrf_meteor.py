"""chrF against sacrebleu, METEOR against NLTK and by hand."""

from __future__ import annotations

import nltk
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from nltk.translate.meteor_score import meteor_score
from written import PAIRS, corpus, mean, pairs, texts_of, why

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.texts import Texts


class Silent:
    """A WordNet that knows no word."""

    @staticmethod
    def synsets(word: str) -> list[object]:
        return []


@given(given_pairs=pairs, word_order=st.sampled_from([0, 2]), lowercase=st.booleans())
@settings(max_examples=40)
def test_equal_to_sacrebleu(given_pairs: list[tuple[str, str]], word_order: int, lowercase: bool) -> None:
    held = [*PAIRS, *((text, reference) for text, reference in given_pairs if reference.strip())]
    spelled = f"word_order={word_order},lowercase={lowercase}"
    expected = sacrebleu.CHRF(word_order=word_order, lowercase=lowercase)
    each = [expected.sentence_score(text, [reference]).score for text, reference in held]
    assert metric(f"chrf(level=sentence,{spelled})")(texts_of(held)).values == pytest.approx(each, abs=1e-9)
    whole = expected.corpus_score([text for text, _ in held], [[reference for _, reference in held]]).score
    assert corpus(f"chrf({spelled})", texts_of([*PAIRS, *given_pairs])) == pytest.approx(whole, abs=1e-9)


@pytest.mark.parametrize("word_order", [0, 2])
def test_the_best_of_several_references(word_order: int) -> None:
    ours = [text for text, _ in PAIRS]
    texts = Texts(texts=ours, references=[(one, f"{text} indeed", text[::-1]) for text, one in PAIRS])
    streams = [[row[place] for row in texts.references] for place in range(3)]
    expected = sacrebleu.CHRF(word_order=word_order).corpus_score(ours, streams).score
    assert corpus(f"chrf(word_order={word_order})", texts) == pytest.approx(expected, abs=1e-9)


def test_chrf_at_its_ends() -> None:
    assert corpus("chrf", texts_of([("日本", "日本"), ("a b", "a b")])) == pytest.approx(100)
    assert corpus("chrf(word_order=2)", texts_of([("abc", "xyz"), ("", "z")])) == 0
    texts = Texts(texts=["a", "", None, "a"], references=[(" ",), ("a",), ("a",), ()])
    assert why("chrf", texts) == ["no-token", None, "no-text", "no-reference"]


@given(
    given_pairs=pairs,
    alpha=st.floats(0.05, 0.95),
    beta=st.floats(0, 5),
    gamma=st.floats(0, 1),
)
def test_meteor_is_that_of_nltk(
    given_pairs: list[tuple[str, str]], alpha: float, beta: float, gamma: float
) -> None:
    held = [(text, reference) for text, reference in [*PAIRS, *given_pairs] if reference.strip()]
    spelled = f"meteor(tokens=whitespace,alpha={alpha!r},beta={beta!r},gamma={gamma!r})"
    expected = [
        meteor_score([reference.split()], text.split(), wordnet=Silent(), alpha=alpha, beta=beta, gamma=gamma)
        for text, reference in held
    ]
    assert metric(spelled)(texts_of(held)).values == pytest.approx(expected, abs=1e-12)


def test_meteor_by_hand() -> None:
    texts = texts_of([("dogs love tasty bones", "a dog loves bones")])
    # three matches by word or stem in two runs: p = r = 3/4, penalty = (2/3)^3 / 2
    assert mean("meteor", texts) == pytest.approx(0.75 * (1 - 0.5 * (2 / 3) ** 3))
    assert mean("meteor(stemmer=none)", texts) == pytest.approx(0.25 * 0.5)
    several = Texts(texts=["a b c d"], references=[("x", "a b c d")])
    assert mean("meteor", several) == pytest.approx(1 - 0.5 / 4**3)
    assert f"nltk {nltk.__version__}" in metric("meteor").definition.source


def test_synonyms_are_refused_without_wordnet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nltk.data, "path", [])
    texts = texts_of([("a car", "an automobile")])
    with pytest.raises(UsageError, match="finds no WordNet: install it with"):
        metric("meteor(synonyms=wordnet)")(texts)
    for spelling, sentence in {"alpha=1.5": "alpha lies between 0 and 1", "gamma=-1": "gamma lies"}.items():
        with pytest.raises(UsageError, match=sentence):
            metric(f"meteor({spelling})")(texts)


def test_long_and_hostile_texts_end() -> None:
    long = " ".join(f"w{number}" for number in range(16_000))
    texts = texts_of([(long, long[::-1]), ("y" * 100_000, "yes"), ("y " * 50_000, "y y y")])
    for spelling in ("meteor", "chrf(word_order=2)"):
        assert why(spelling, texts) == [None, None, None]
