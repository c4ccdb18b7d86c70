"""Diversity of a run: distinct-n, USR, opening share, self-BLEU, against plain recomputation."""

from __future__ import annotations

import itertools
import json
from collections import Counter
from collections.abc import Callable, Sequence
from math import comb
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from written import mean, sentence, why

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.self_bleu import sampled_others
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.metrics.text.tokens import unicode_words

many = st.lists(st.one_of(st.none(), sentence), max_size=9)


def grams(texts: Sequence[str], n: int) -> list[tuple[str, ...]]:
    words = [unicode_words(text) for text in texts]
    return [tuple(some[at : at + n]) for some in words for at in range(len(some) - n + 1)]


def ratio(texts: Sequence[str], n: int) -> float | None:
    found = grams(texts, n)
    return len(set(found)) / len(found) if found else None


def adjusted(texts: Sequence[str], n: int) -> float | None:
    found = grams(texts, n)
    return len(set(found)) / (50 * (1 - (49 / 50) ** len(found))) if found else None


def rarefied(texts: Sequence[str], n: int) -> float | None:
    found = grams(texts, n)
    if not found:
        return None
    total, sample = len(found), min(4, len(found))
    met = (1 - comb(total - count, sample) / comb(total, sample) for count in Counter(found).values())
    return sum(met) / sample


def unique(texts: Sequence[str]) -> float | None:
    return len({tuple(text.split()) for text in texts}) / len(texts) if texts else None


def opening(texts: Sequence[str]) -> float | None:
    starts = Counter(tuple(unicode_words(text)[:2]) for text in texts)
    return max(starts.values()) / len(texts) if texts else None


def check(spelling: str, texts: list[str | None], value: Callable[[Sequence[str]], float | None]) -> None:
    """The run's value, and what it loses without each text, by leaving each out."""
    bound = metric(spelling)
    stream = bound.start()
    for start in range(0, len(texts), 2):  # how the run is cut changes nothing
        stream.update(Texts(texts=texts[start : start + 2]))
    scores = stream.finish()
    held = [text for text in texts if text is not None]
    expected = value(held)
    if expected is None:
        assert not scores.scored.any()
        return
    assert scores.total == pytest.approx(expected, abs=1e-9)
    assert scores.scored.tolist() == [text is not None for text in texts]
    for row, text in enumerate(texts):
        if text is not None and len(held) > 1:
            rest = [other for at, other in enumerate(texts) if at != row and other is not None]
            assert scores.values[row] == pytest.approx(expected - (value(rest) or 0.0), abs=1e-9)
            if scores.reach is not None:
                assert abs(scores.values[row]) <= scores.reach + 1e-12


@given(many, st.sampled_from([1, 2, 3]))
@settings(max_examples=60)
def test_distinct(texts: list[str | None], n: int) -> None:
    check(f"distinct(n={n})", texts, lambda some: ratio(some, n))
    check(f"distinct(n={n},form=expectation_adjusted,vocabulary=50)", texts, lambda some: adjusted(some, n))
    if len(grams([text for text in texts if text is not None], n)) >= 4:
        check(f"distinct(n={n},form=fixed_sample,sample=4)", texts, lambda some: rarefied(some, n))


@given(many)
def test_unique_and_opening(texts: list[str | None]) -> None:
    check("usr", texts, unique)
    check("opening_share(words=2)", texts, opening)


def test_a_fixed_sample_is_comparable_between_sizes() -> None:
    rng = np.random.default_rng(3)
    texts = [" ".join(f"w{word}" for word in rng.zipf(1.4, 12) % 5000) for _ in range(4000)]
    few, all_of = Texts(texts=texts[:400]), Texts(texts=texts)

    def apart(spelling: str) -> float:
        values = [metric(spelling)(some).total for some in (few, all_of)]
        assert values[0] is not None
        assert values[1] is not None
        return abs(values[0] - values[1]) / values[1]

    assert apart("distinct") > 0.5
    assert apart("distinct(form=fixed_sample)") < 0.05


def test_texts_without_n_grams() -> None:
    assert why("distinct", Texts(texts=["", None, "!"])) == ["no-token", "no-text", "no-token"]
    assert why("distinct(n=2)", Texts(texts=["a b", "a"])) == [None, None]
    assert why("distinct(form=fixed_sample)", Texts(texts=["a b"])) == ["too-few-n-grams"]
    for name in ("distinct", "usr", "opening_share", "self_bleu"):
        assert len(metric(name)(Texts(texts=[]))) == 0
        assert why(name, Texts(texts=[None])) == ["no-text"]
    for spelling in (
        "distinct(sample=1)",
        "distinct(vocabulary=0)",
        "opening_share(words=0)",
        "self_bleu(others=0)",
    ):
        with pytest.raises(UsageError, match="is at least"):
            metric(spelling)(Texts(texts=["a"]))


def test_constant_and_all_different() -> None:
    same, apart = Texts(texts=["so it is"] * 8), Texts(texts=[f"a{i} b{i} c{i} d{i}" for i in range(8)])
    assert [metric(name)(same).total for name in ("usr", "opening_share")] == [1 / 8, 1]
    assert [metric(name)(apart).total for name in ("usr", "opening_share")] == [1, 1 / 8]
    assert mean("self_bleu", same) == pytest.approx(100)
    assert mean("self_bleu", apart) == 0
    assert metric("distinct")(apart).total == 1


@given(st.lists(sentence, min_size=2, max_size=8), st.integers(1, 9), st.sampled_from([1, 2, 4]))
@settings(max_examples=60)
def test_self_bleu_is_sacrebleu_against_the_sampled_others(texts: list[str], others: int, order: int) -> None:
    scores = metric(f"self_bleu(others={others},seed=5,order={order})")(Texts(texts=texts))
    said = [row for row, text in enumerate(texts) if unicode_words(text)]
    alone = "alone" if len(said) == 1 else None
    assert why(f"self_bleu(others={others})", Texts(texts=texts)) == [
        alone if row in said else "no-token" for row in range(len(texts))
    ]
    if len(said) < 2:
        return
    sampled = sampled_others(len(said), others, 5)
    words = [" ".join(unicode_words(texts[row])) for row in said]
    scorer = sacrebleu.BLEU(tokenize="none", effective_order=True, max_ngram_order=order)
    for row, near in enumerate(sampled.tolist()):
        expected = scorer.sentence_score(words[row], [words[other] for other in near]).score
        assert scores.values[said[row]] == pytest.approx(expected, abs=1e-9)


@given(st.integers(2, 40), st.integers(1, 50), st.integers(0, 3))
def test_sampled_others_are_others_and_serve_equally(n: int, others: int, seed: int) -> None:
    sampled = sampled_others(n, others, seed)
    assert sampled.shape == (n, min(others, n - 1))
    assert all(len({row, *near}) == len(near) + 1 for row, near in enumerate(sampled.tolist()))
    assert set(np.bincount(sampled.ravel(), minlength=n)) == {sampled.shape[1]}


def test_missing_texts_are_no_references() -> None:
    texts = Texts(texts=["a b c d", None, "a b c d", None])
    assert why("self_bleu", texts) == [None, "no-text", None, "no-text"]
    assert mean("self_bleu", texts) == pytest.approx(100)
    assert why("self_bleu", Texts(texts=["a", None])) == ["alone", "no-text"]


def test_repetition_inside_a_text() -> None:
    loop, plain = "very good " * 40, "each of these words is said only once"
    scores = metric("repetition")(Texts(texts=[loop, plain, "", None]))
    assert scores.values[:3] == pytest.approx([1 - 2 / 78, 0, 0])
    assert scores.scored.tolist() == [True, True, False, False]


def test_xrec_yelp(real_data: Path) -> None:
    lines = (real_data / "explanations" / "xrec" / "yelp.jsonl").read_text("utf-8").splitlines()
    texts = Texts(texts=[json.loads(line)["prediction"] for line in lines])
    assert metric("usr")(texts).total == 1.0
    assert round(metric("opening_share")(texts).total or 0, 2) == 0.60
    words = list(itertools.chain.from_iterable(text.split() for text in texts.texts if text))
    assert metric("distinct(tokens=whitespace)")(texts).total == pytest.approx(len(set(words)) / len(words))
    assert round(metric("distinct(tokens=whitespace)")(texts).total or 0, 2) == 0.05
