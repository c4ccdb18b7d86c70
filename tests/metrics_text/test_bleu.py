"""BLEU: sacrebleu called directly, a plain reimplementation, and what the corpus score must not depend on."""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
import sacrebleu
from hypothesis import given, settings
from hypothesis import strategies as st
from written import PAIRS, corpus, mean, pairs, texts_of, why

from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.bleu import bleu_of
from genrec_eval.metrics.text.texts import Texts

TOKENIZERS = ("13a", "none", "zh", "char", "intl")
SMOOTH = ("exp", "none", "floor", "add-k")


@pytest.mark.parametrize("tok", TOKENIZERS)
@pytest.mark.parametrize("smooth", SMOOTH)
def test_equal_to_sacrebleu(tok: str, smooth: str) -> None:
    texts = texts_of(PAIRS)
    ours, theirs = ([pair[side] for pair in PAIRS] for side in (0, 1))
    for order, lowercase in ((4, False), (1, True), (2, False)):
        spelled = f"tok={tok},smooth={smooth},order={order},lowercase={lowercase}"
        options = {"smooth_method": smooth, "tokenize": tok, "lowercase": lowercase, "max_ngram_order": order}
        expected = sacrebleu.BLEU(**options).corpus_score(ours, [theirs]).score
        assert corpus(f"bleu({spelled})", texts) == pytest.approx(expected, abs=1e-9)
        alone = sacrebleu.BLEU(**options, effective_order=True)
        each = [alone.sentence_score(text, [reference]).score for text, reference in PAIRS]
        assert metric(f"bleu(level=sentence,{spelled})")(texts).values == pytest.approx(each, abs=1e-9)


@given(given_pairs=pairs, smooth=st.sampled_from(SMOOTH), tok=st.sampled_from(["13a", "none", "char"]))
@settings(max_examples=40)
def test_equal_to_sacrebleu_on_any_corpus(given_pairs: list[tuple[str, str]], smooth: str, tok: str) -> None:
    held = [(text, reference) for text, reference in given_pairs if reference.strip()]
    if not held:
        return
    expected = sacrebleu.BLEU(smooth_method=smooth, tokenize=tok).corpus_score(
        [text for text, _ in held], [[reference for _, reference in held]]
    )
    spelling = f"bleu(smooth={smooth},tok={tok})"
    value = corpus(spelling, texts_of(given_pairs))
    assert value == pytest.approx(expected.score, abs=1e-9)
    assert corpus(spelling, texts_of(given_pairs[::-1])) == pytest.approx(value, abs=1e-12)


def test_several_references() -> None:
    texts = Texts(
        texts=[text for text, _ in PAIRS], references=[(one, f"{text} indeed") for text, one in PAIRS]
    )
    streams = [[one for one, _ in texts.references], [two for _, two in texts.references]]
    assert corpus("bleu", texts) == pytest.approx(sacrebleu.corpus_bleu(texts.texts, streams).score, abs=1e-9)


def nmt_bleu(hypotheses: list[str], references: list[str]) -> float:
    """The script of TensorFlow's NMT tutorial, from its description: white space, order 4, no smoothing."""
    matched, possible, ours, theirs = [0] * 4, [0] * 4, 0, 0
    for hypothesis, reference in zip(hypotheses, references, strict=True):
        h, r = hypothesis.split(), reference.split()
        ours, theirs = ours + len(h), theirs + len(r)
        for n in range(1, 5):
            grams = Counter(tuple(h[i : i + n]) for i in range(len(h) - n + 1))
            wanted = Counter(tuple(r[i : i + n]) for i in range(len(r) - n + 1))
            matched[n - 1] += (grams & wanted).total()
            possible[n - 1] += max(len(h) - n + 1, 0)
    if min(matched) == 0:
        return 0.0
    penalty = 1.0 if ours > theirs else math.exp(1 - theirs / ours)
    return 100 * penalty * math.exp(sum(math.log(m / p) / 4 for m, p in zip(matched, possible, strict=True)))


def test_the_form_that_peter_prints() -> None:
    doubled = [*PAIRS, ("the food is good and cheap", "the food is good and the staff nice")]
    value = corpus("bleu(smooth=none,tok=none)", texts_of(doubled))
    assert value == pytest.approx(
        nmt_bleu([one for one, _ in doubled], [one for _, one in doubled]), abs=1e-9
    )
    assert value > 0
    bound = metric("bleu(tok=none,smooth=none)")
    assert bound.definition_id == "bleu(level=corpus,lowercase=False,order=4,smooth=none,tok=none)"


def test_replicates_are_combined_at_once() -> None:
    texts = texts_of(PAIRS)
    bound = metric("bleu")
    sums, combine = bound(texts).sums, bound.definition.combine
    assert sums is not None
    assert combine is not None
    weights = np.random.default_rng(1).integers(0, 3, (4, 2, len(PAIRS)))
    together = combine(weights @ sums, bound.parameters)
    assert together.shape == (4, 2)
    for place in np.ndindex(4, 2):
        drawn = [pair for pair, times in zip(PAIRS, weights[place], strict=True) for _ in range(times)]
        assert together[place] == pytest.approx(corpus("bleu", texts_of(drawn)), abs=1e-9)
    assert np.isnan(combine(np.zeros(10), bound.parameters))


@pytest.mark.parametrize("smooth", SMOOTH)
def test_identical_is_best_and_nothing_in_common_is_least(smooth: str) -> None:
    same = texts_of([(text, text) for text, _ in PAIRS])
    assert corpus(f"bleu(smooth={smooth})", same) == pytest.approx(100)
    assert mean(f"bleu(smooth={smooth},level=sentence)", same) == pytest.approx(100)
    assert corpus(f"bleu(smooth={smooth})", texts_of([("aa bb", "cc dd")])) == 0


def test_units_without_a_score() -> None:
    texts = Texts(
        texts=[None, "text", "", "text", "text", "日本の首都は東京です。"],
        references=[("a",), (), ("a word",), ("",), ("", "text"), ("日本の首都は東京です。",)],
    )
    assert why("bleu", texts) == ["no-text", "no-reference", None, "no-token", None, None]
    assert metric("bleu(level=sentence)")(texts).values[[2, 4, 5]] == pytest.approx([0, 100, 100])
    assert why("bleu", Texts(texts=["a", None])) == ["no-reference", "no-text"]


def test_a_long_text_ends() -> None:
    long = "the user likes ramen " * 5000
    assert metric("bleu")(texts_of([(long, "the user likes ramen"), ("a" * 100_000, "b")])).sums is not None


@given(st.lists(st.integers(0, 5), min_size=10, max_size=10), st.sampled_from(SMOOTH), st.booleans())
def test_never_nan_with_a_length(counts: list[int], smooth: str, effective: bool) -> None:
    total = sorted(counts[6:], reverse=True)
    matched = [min(one, other) for one, other in zip(counts[2:6], total, strict=True)]
    sums = np.array([total[0], counts[1] + 1, *matched, *total], float)
    assert 0 <= bleu_of(sums, smooth=smooth, order=4, effective=effective) <= 200


def test_xrec_yelp(real_data: Path) -> None:
    lines = (real_data / "explanations" / "xrec" / "yelp.jsonl").read_text("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    texts = texts_of([(row["prediction"], row["reference"]) for row in rows])
    assert round(corpus("bleu", texts), 2) == 11.04
    assert round(mean("bleu(level=sentence)", texts), 2) == 10.14
    assert round(corpus("bleu(lowercase=true)", texts), 2) == 11.21
    assert round(corpus("bleu(tok=none)", texts), 2) == 9.92
