"""Length, readability, script, and tokenizers on other scripts; what every metric of text has in common."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from written import mean, sentence, texts_of, why

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.registry import METRICS, metric
from genrec_eval.metrics.text.readability import FORMULAS, syllables
from genrec_eval.metrics.text.script import script
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.metrics.text.tokens import sentences, stem, tokenized, unicode_words
from genrec_eval.stats.intervals import intervals

OWN = (
    "bleu", "chrf", "rouge", "peter_rouge", "meteor", "distinct", "usr", "opening_share", "self_bleu",
    "repetition", "length", "readability", "foreign_script",
)  # fmt: skip

anything = st.one_of(st.none(), st.text(max_size=30), sentence)


@pytest.mark.parametrize("name", OWN)
def test_definitions_say_what_they_work_on(name: str) -> None:
    definition = METRICS.get(name).definition
    assert (definition.on, definition.needs_cutoff, definition.resampling_unit) == ("texts", False, "text")
    assert set(definition.meanings) <= set(definition.parameters)
    assert metric(name).definition_id.count("=") == len(definition.parameters)


def test_versions_are_part_of_the_definition() -> None:
    from importlib.metadata import version

    for name, library in {
        "bleu": "sacrebleu",
        "chrf": "sacrebleu",
        "rouge": "rouge-score",
        "meteor": "nltk",
    }.items():
        assert f"{library} {version(library)}" in metric(name).definition.source


@pytest.mark.parametrize("name", OWN)
@given(given_pairs=st.lists(st.tuples(anything, st.lists(anything, max_size=2)), max_size=5))
@settings(max_examples=25)
def test_any_text_gets_a_value_within_bounds_or_a_reason(
    name: str, given_pairs: list[tuple[str | None, list[str | None]]]
) -> None:
    texts = Texts(
        texts=[text for text, _ in given_pairs],
        references=[tuple(one for one in some if one is not None) for _, some in given_pairs],
    )
    bound = metric(name)
    scores = bound(texts)
    assert len(scores) == len(texts)
    used = scores.values[scores.scored]
    assert np.isfinite(used).all()
    low, high = bound.definition.bounds
    if scores.total is None:
        assert low is None or (used >= low - 1e-9).all()
        assert high is None or (used <= high + 1e-9).all()
    else:
        assert math.isfinite(scores.total)
    if scores.sums is not None:
        assert np.isfinite(scores.sums).all()
    assert not any(
        (one & other).any()
        for a, one in scores.reasons.items()
        for b, other in scores.reasons.items()
        if a < b
    )


@pytest.mark.parametrize("name", OWN)
def test_a_very_long_text_ends(name: str) -> None:
    long = "The user would enjoy this place (really)! " * 2400
    texts = Texts(
        texts=[long, "x" * 100_000, "." * 100_000, "a.\n" * 30_000], references=[("The user.",)] * 4
    )
    assert len(metric(name)(texts)) == 4


@pytest.mark.parametrize("spelling", [*OWN, "bleu(level=sentence)", "chrf(level=sentence)"])
def test_every_metric_has_an_interval(spelling: str) -> None:
    rng = np.random.default_rng(8)
    words = np.array(
        ["the", "user", "likes", "spicy", "ramen", "東京", *(f"dish{dish}" for dish in range(60))]
    )
    written = [[" ".join(rng.choice(words, rng.integers(1, 9))) for _ in range(40)] for _ in range(2)]
    texts = texts_of(list(zip(*written, strict=True)))
    bound = metric(spelling)
    (found,) = intervals([bound.sample(bound(texts))], seed=1)
    assert found.value is not None
    assert found.low is not None, found.reason
    assert found.high is not None
    assert found.low <= found.value <= found.high
    if spelling.endswith("(level=sentence)"):
        assert found.value == pytest.approx(mean(spelling, texts))


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("opening_share(words=0)", "words is at least 1, not 0"),
        ("distinct(sample=1)", "sample is at least 2, not 1"),
        ("self_bleu(others=0)", "others is at least 1, not 0"),
        ("meteor(alpha=2)", "alpha lies between 0 and 1, not 2"),
        ("perplexity(window=4)", "window, stride and given are for a model on disk, not for model=ngram"),
        ("bertscore(baseline=1)", "baseline is below 1, not 1"),
    ],
)
def test_parameters_are_refused_when_a_metric_is_named(spelling: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric(spelling)  # no model has been asked by then
    assert str(caught.value) == f"metric '{spelling}': {said}"


def test_what_is_shared_is_computed_once() -> None:
    texts = texts_of([("one two", "two three"), ("four", "four")])
    metric("length")(texts)
    assert tokenized(texts, "unicode") is tokenized(texts, "unicode")
    metric("bleu")(texts)
    metric("bleu(smooth=none,order=1,level=sentence)")(texts)
    assert [key for key in texts.cache if key[0] == "bleu"] == [("bleu", "13a", False)]
    assert texts.where(np.array([True, False])).cache == {}


def test_tokens_of_other_scripts() -> None:
    assert unicode_words("Le café d’été, l'an 2024.") == ["le", "café", "d’été", "l'an", "2024"]
    assert unicode_words("cafe\u0301") == unicode_words("caf\u00e9")
    assert unicode_words("हिन्दी में") == ["हिन्दी", "में"]
    assert unicode_words("مَرْحَبًا بالعالم") == ["مَرْحَبًا", "بالعالم"]
    assert unicode_words("我喜欢iPhone手机") == ["我", "喜", "欢", "iphone", "手", "机"]
    assert unicode_words("한국어 문장") == ["한국어", "문장"]
    assert unicode_words("😀 ... —") == []


def test_sentences() -> None:
    assert sentences("今日は。元気？はい") == ["今日は。", "元気？", "はい"]
    assert sentences("v2.0 is out! ... Nice :)") == ["v2.0 is out!", "Nice :)"]
    assert sentences("") == []


def test_length() -> None:
    texts = Texts(texts=["Good. Very good!", "", None])
    for of, expected in {"words": [3, 0], "characters": [16, 0], "sentences": [2, 0]}.items():
        assert metric(f"length(of={of})")(texts).values[:2].tolist() == expected
        assert why(f"length(of={of})", texts) == [None, None, "no-text"]


def test_readability_by_hand() -> None:
    text = "The waiter served delicious noodles. We loved it."
    counted = [syllables(word) for word in unicode_words(text)]
    assert counted == [1, 2, 1, 3, 2, 1, 1, 1]
    words, parts, sounds, letters = 8, 2, 12, 40
    expected = {
        "flesch": 206.835 - 1.015 * words / parts - 84.6 * sounds / words,
        "flesch_kincaid": 0.39 * words / parts + 11.8 * sounds / words - 15.59,
        "gunning_fog": 0.4 * (words / parts + 100 / words),
        "ari": 4.71 * letters / words + 0.5 * words / parts - 21.43,
        "coleman_liau": 5.88 * letters / words - 29.6 * parts / words - 15.8,
    }
    assert set(expected) == set(FORMULAS)
    for formula, value in expected.items():
        assert mean(f"readability(formula={formula})", Texts(texts=[text])) == pytest.approx(value)


def test_readability_is_for_latin_script() -> None:
    texts = Texts(texts=["Это русский текст.", "", "ok", None, "123"])
    assert why("readability", texts) == ["not-latin-script", "no-token", None, "no-text", None]


def test_syllables_of_common_words() -> None:
    known = {
        "user": 2, "would": 1, "enjoy": 2, "business": 2, "experience": 4, "service": 2, "friendly": 2,
        "while": 1, "quality": 3, "table": 2, "noodles": 2, "places": 2, "wanted": 2, "liked": 1, "tasted": 2,
        "prices": 2, "dishes": 2, "rules": 1, "atmosphere": 3, "delicious": 3, "recommend": 3, "because": 2,
    }  # fmt: skip
    # the rule is a rule: silent letters inside a word and two sounds in one group of vowels escape it
    assert {word for word, count in known.items() if syllables(word) != count} == {"business", "experience"}


def test_foreign_script() -> None:
    texts = Texts(
        texts=["すばらしい noodles", "Ｆｕｌｌ width 𝐛𝐨𝐥𝐝", "12 !", "fine", None],
        references=[("great noodles",), ("plain",), ("plain",), ("4",), ("a",)],
    )
    values = metric("foreign_script")(texts).values
    assert values[:2] == pytest.approx([5 / 12, 0])
    # no letter on either side, and nobody is in the right script for it
    assert why("foreign_script", texts) == [None, None, "no-token", "no-token", "no-text"]
    assert script("\ue000") == ""


def test_stems_of_hostile_words_end() -> None:
    assert stem("y" * 100_000) == "y" * 100_000
    assert stem("running") == "run"
