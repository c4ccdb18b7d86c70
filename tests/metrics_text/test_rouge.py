"""ROUGE: rouge-score called directly, subsequences by the table, and what its tokenizer drops."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rouge_score.rouge_scorer import RougeScorer
from written import PAIRS, mean, pairs, texts_of, why

from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.lcs import lcs_length, lcs_places
from genrec_eval.metrics.text.texts import Texts

KINDS = ("1", "2", "L", "Lsum")


def theirs(kind: str, stemmer: bool, texts: Texts) -> list[list[float]]:
    scorer = RougeScorer([f"rouge{kind}"], use_stemmer=stemmer)
    rows = [
        scorer.score_multi(references, text)[f"rouge{kind}"]
        for text, references in zip(texts.texts, texts.references, strict=True)
    ]
    return [[row.fmeasure, row.precision, row.recall] for row in rows]


def ours(kind: str, stemmer: bool, texts: Texts) -> np.ndarray:
    return np.column_stack(
        [metric(f"rouge(type={kind},stemmer={stemmer},measure={one})")(texts).values for one in "fpr"]
    )


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stemmer", [False, True])
def test_equal_to_rouge_score(kind: str, stemmer: bool) -> None:
    texts = texts_of(PAIRS)
    assert ours(kind, stemmer, texts) == pytest.approx(np.array(theirs(kind, stemmer, texts)), abs=1e-12)
    several = Texts(texts=texts.texts, references=[(one, f"{text} and more") for text, one in PAIRS])
    assert ours(kind, stemmer, several) == pytest.approx(np.array(theirs(kind, stemmer, several)), abs=1e-12)


@given(given_pairs=pairs, kind=st.sampled_from(KINDS), stemmer=st.booleans())
def test_equal_to_rouge_score_on_any_text(
    given_pairs: list[tuple[str, str]], kind: str, stemmer: bool
) -> None:
    texts = texts_of(given_pairs)
    expected = theirs(kind, stemmer, texts)
    for reason, (_, reference) in zip(why(f"rouge(type={kind})", texts), given_pairs, strict=True):
        assert reason == (None if re.search("[a-z0-9]", reference.lower()) else "no-token")
    assert ours(kind, stemmer, texts) == pytest.approx(np.array(expected), abs=1e-12)


def table(one: str, other: str) -> list[list[int]]:
    cells = [[0] * (len(other) + 1) for _ in range(len(one) + 1)]
    for i, a in enumerate(one):
        for j, b in enumerate(other):
            cells[i + 1][j + 1] = cells[i][j] + 1 if a == b else max(cells[i][j + 1], cells[i + 1][j])
    return cells


@given(st.text("abc", max_size=90), st.text("abcd", max_size=90))
def test_subsequences_by_bits_are_those_of_the_table(one: str, other: str) -> None:
    places = lcs_places(one, other)
    assert len(places) == lcs_length(one, other) == table(one, other)[-1][-1]
    assert places == sorted(set(places), reverse=True)
    rest = iter(other)
    assert all(one[place] in rest for place in reversed(places))


def test_line_breaks_decide_what_lsum_is() -> None:
    flat = texts_of([("Good food. Nice staff.", "Nice staff. Good food.")])
    assert mean("rouge(type=Lsum)", flat) == mean("rouge(type=L)", flat) == 0.5
    assert mean("rouge(type=Lsum,sentences=split)", flat) == 1.0
    broken = texts_of([("Good food.\nNice staff.", "Nice staff.\nGood food.")])
    assert mean("rouge(type=Lsum)", broken) == 1.0


def test_other_scripts_are_not_zero_in_silence() -> None:
    texts = texts_of(
        [("東京は首都です", "東京は首都です"), ("التطبيق رائع", "التطبيق رائع جدا"), ("Größe", "Grüße")]
    )
    assert why("rouge", texts) == ["no-token", "no-token", None]
    known = metric("rouge(tokens=unicode)")(texts)
    assert known.values == pytest.approx([1.0, 0.8, 0.0])
    # rouge-score sees "gr" and "e" in both words: accents do not only vanish, they make words alike
    assert metric("rouge")(texts).values[2] == 1.0


def test_units_without_a_score() -> None:
    texts = Texts(texts=[None, "a", "", "a"], references=[("a",), (), ("a",), ("!?",)])
    assert why("rouge(type=L)", texts) == ["no-text", "no-reference", None, "no-token"]
    assert metric("rouge")(texts).values[2] == 0


def test_long_texts_end() -> None:
    long = " ".join(f"w{number % 977}" for number in range(20_000))
    assert len(long) > 90_000
    texts = texts_of([(long, long[::-1]), ("ab" * 50_000, "ab"), ("a\n" * 50_000, "a\nb\n" * 3)])
    for kind in KINDS:
        assert why(f"rouge(type={kind},stemmer=true)", texts) == [None, None, None]
    endless = texts_of([("a " * 70_000, "b " * 70_000), ("a\n" * 2_000, "a\n" * 2_000)])
    assert why("rouge(type=L)", endless) == ["too-long", None]
    assert why("rouge(type=Lsum)", endless) == ["too-long", "too-long"]


def test_xrec_yelp(real_data: Path) -> None:
    lines = (real_data / "explanations" / "xrec" / "yelp.jsonl").read_text("utf-8").splitlines()[:400]
    texts = texts_of([(row["prediction"], row["reference"]) for row in map(json.loads, lines)])
    assert round(mean("rouge", texts), 3) == 0.348
    assert round(mean("rouge(stemmer=true)", texts), 3) == 0.358
    some = Texts(texts=texts.texts[:60], references=texts.references[:60])
    for kind in KINDS:
        assert ours(kind, True, some) == pytest.approx(np.array(theirs(kind, True, some)), abs=1e-12)
