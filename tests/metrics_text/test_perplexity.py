"""Perplexity: the bundled n-gram model, log-probabilities of the model under test, a model on disk."""

from __future__ import annotations

import functools
import math
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.kneser_ney import KneserNey
from genrec_eval.metrics.text.ngram_model import NgramModel, pieces
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.stats.intervals import intervals

SIZE = 4
sequences = st.lists(st.lists(st.integers(0, SIZE - 2), max_size=6), max_size=8)
CORPUS = ("the food is good and cheap", "the food is bad", "the staff is friendly and the food is good")


def ragged(rows: list[list[int]]) -> Ragged:
    return Ragged(np.cumsum([0, *map(len, rows)]), np.array([one for row in rows for one in row], np.int32))


class Recursive:
    """Interpolated Kneser–Ney as the textbook writes it: dictionaries and recursion."""

    def __init__(self, rows: list[list[int]], order: int) -> None:
        self.order = order
        seen = [tuple([SIZE] * (order - 1) + row + [SIZE - 1]) for row in rows]
        grams = [row[at - order + 1 : at + 1] for row in seen for at in range(order - 1, len(row))]
        self.counts = {order: Counter(grams)}
        for n in range(order - 1, 0, -1):
            before: dict[tuple[int, ...], set[int]] = defaultdict(set)
            for gram in self.counts[n + 1]:
                before[gram[1:]].add(gram[0])
            self.counts[n] = Counter({gram: len(some) for gram, some in before.items()})

    def chance(self, context: tuple[int, ...], symbol: int) -> float:
        n = len(context) + 1
        lower = self.chance(context[1:], symbol) if context else 1 / SIZE
        after = {gram: count for gram, count in self.counts[n].items() if gram[:-1] == context}
        if not after:
            return lower
        of = Counter(self.counts[n].values())
        discount = of[1] / (of[1] + 2 * of[2]) if of[1] else 0.0
        discount = min(max(discount, 0.1), 0.9)
        left = discount * len(after) / sum(after.values())
        return max(after.get((*context, symbol), 0) - discount, 0) / sum(after.values()) + left * lower


@settings(max_examples=60)
@given(rows=sequences, asked=st.lists(st.integers(0, SIZE - 2), max_size=5), order=st.integers(1, 4))
def test_the_arrays_give_what_the_recursion_gives(
    rows: list[list[int]], asked: list[int], order: int
) -> None:
    expected, model = Recursive(rows, order), KneserNey(ragged(rows), size=SIZE, order=order)
    padded = [SIZE] * (order - 1) + [*asked, SIZE - 1]
    logs = [
        math.log(expected.chance(tuple(padded[at - order + 1 : at]), padded[at]))
        for at in range(order - 1, len(padded))
    ]
    np.testing.assert_allclose(model.score(ragged([asked])), logs, rtol=1e-9)


@settings(max_examples=40)
@given(rows=sequences, context=st.lists(st.integers(0, SIZE - 2), max_size=4), order=st.integers(1, 4))
def test_probabilities_of_what_may_follow_sum_to_one(
    rows: list[list[int]], context: list[int], order: int
) -> None:
    model = KneserNey(ragged(rows), size=SIZE, order=order)
    follow = [[*context, symbol] for symbol in range(SIZE - 1)]
    at = len(context)
    chances = [math.exp(model.score(ragged([one]))[at]) for one in [*follow, context]]
    assert sum(chances) == pytest.approx(1)
    assert min(chances) > 0


@given(st.text(max_size=60))
def test_pieces_join_to_the_text_and_no_text_is_impossible(text: str) -> None:
    assert "".join(pieces(text)) == text
    surprise, tokens = NgramModel(CORPUS).score([text])
    assert tokens[0] == len(pieces(text)) + 1
    assert np.isfinite(surprise[0])
    assert surprise[0] > 0


def test_the_corpus_counts_as_a_set_in_any_order() -> None:
    first = NgramModel(CORPUS).score(["the food is friendly"])
    second = NgramModel((*reversed(CORPUS), *CORPUS)).score(["the food is friendly"])
    assert first[0] == second[0]


def test_texts_in_the_manner_of_the_corpus_are_less_surprising() -> None:
    surprise, _ = NgramModel(CORPUS).score(["the food is good", "good is food the", "ood the xq isfq"])
    assert (np.diff(surprise) > 0).all()


def value(spelling: str, texts: Texts) -> float | None:
    bound = metric(spelling)
    return intervals([bound.sample(bound(texts))], seed=1)[0].value


LOGS = [(-1.0, -2.0), (-0.5,), (-4.0, -4.0, -4.0)]


def test_the_value_is_pooled_and_no_mean_of_perplexities() -> None:
    texts = Texts(texts=["one two", "three", "four five six"], token_logprobs=LOGS)
    alone = [math.exp(-sum(logs) / len(logs)) for logs in LOGS]
    assert metric("perplexity(per=token,model=endpoint)")(texts).values == pytest.approx(alone)
    pooled = math.exp(15.5 / 6)
    assert value("perplexity(per=token,model=endpoint)", texts) == pytest.approx(pooled)
    assert value("perplexity(model=endpoint)", texts) == pytest.approx(math.exp(15.5 / 6))
    size = sum(map(len, ("one two", "three", "four five six")))
    assert value("perplexity(per=byte,model=endpoint)", texts) == pytest.approx(math.exp(15.5 / size))
    assert value("bits_per_byte(model=endpoint)", texts) == pytest.approx(15.5 / math.log(2) / size)


def test_bytes_are_those_of_utf_8() -> None:
    texts = Texts(texts=["東京"], token_logprobs=[(-6.0,)])
    assert value("bits_per_byte(model=endpoint)", texts) == pytest.approx(1 / math.log(2))
    assert value("perplexity(model=endpoint)", texts) == pytest.approx(math.exp(3))  # two words


def test_an_interval_comes_from_the_same_sums() -> None:
    rng = np.random.default_rng(0)
    logs = [tuple(-rng.exponential(2.0, rng.integers(3, 9))) for _ in range(60)]
    texts = Texts(texts=["a b c"] * 60, token_logprobs=logs)
    bound = metric("perplexity(per=token,model=endpoint)")
    found = intervals([bound.sample(bound(texts))], seed=1)[0]
    assert found.value == pytest.approx(math.exp(-sum(map(sum, logs)) / sum(map(len, logs))))
    assert found.low is not None
    assert found.high is not None
    assert 1 < found.low < found.value < found.high < 3 * found.value


@pytest.mark.parametrize(
    ("text", "logs", "reason"),
    [
        (None, None, "no-text"),
        ("word", None, "no-logprobs"),
        ("word", (), "no-logprobs"),
        ("word", (-1.0, 0.5), "broken-logprobs"),
        ("word", (float("nan"),), "broken-logprobs"),
        ("word", (-9999.0,), "broken-logprobs"),
        ("?!", (-1.0,), "no-token"),
        ("", (), "no-token"),
        ("word", (0.0,), None),
    ],
)
def test_why_a_text_has_no_score(
    text: str | None, logs: tuple[float, ...] | None, reason: str | None
) -> None:
    scores = metric("perplexity(model=endpoint)")(Texts(texts=[text], token_logprobs=[logs]))
    assert [name for name, mask in scores.reasons.items() if mask[0]] == ([reason] if reason else [])
    assert np.isfinite(scores.values[scores.scored]).all()


def test_no_source_stands_in_for_another() -> None:
    texts = Texts(texts=["a", None], references=[("a",), ("b",)])
    assert metric("perplexity(model=endpoint)")(texts).reasons["no-logprobs"].tolist() == [True, False]
    assert metric("perplexity")(texts).reasons["no-corpus"].tolist() == [True, False]


def test_a_text_that_is_one_endless_word_is_scored_and_finite() -> None:
    texts = Texts(texts=["x" * 100_000, "the food"], corpus=CORPUS)
    scores = metric("perplexity")(texts)
    assert np.isfinite(scores.values).all()
    assert scores.scored.all()


@pytest.mark.parametrize(
    ("spelling", "said"),
    [
        ("perplexity(window=128)", "for a model on disk, not for model=ngram"),
        ("perplexity(model=endpoint,given=prompt)", "for a model on disk, not for model=endpoint"),
    ],
)
def test_parameters_of_no_use_are_refused(spelling: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        metric(spelling)(Texts(texts=["a"], corpus=CORPUS))


def test_a_model_is_named_with_its_digest(tmp_path: Path) -> None:
    from genrec_eval.core.registry import relative_to

    (tmp_path / "small").mkdir()
    (tmp_path / "small" / "model.safetensors").write_bytes(b"weights")
    with relative_to(tmp_path):
        with pytest.raises(UsageError, match=r"write model=small#[0-9a-f]{12}$") as caught:
            metric("perplexity(model=small)")
        named = str(caught.value).rpartition("model=")[2]
        assert metric(f"perplexity(model={named})").id == f"perplexity(model={named})"
        with pytest.raises(UsageError, match="is not the one that the metric names"):
            metric("perplexity(model=small#000000000000)")(Texts(texts=["a"]))
    # a definition can be read where the model is not
    absent = metric(f"perplexity(model={named})")
    with pytest.raises(UsageError, match="no such folder"):
        absent(Texts(texts=["a"]))
    with pytest.raises(UsageError, match=r"did you mean 'ngram'\?"):
        metric("perplexity(model=ngrams)")


def test_pickled_weights_are_never_loaded(tmp_path: Path) -> None:
    from genrec_eval.core.registry import relative_to

    (tmp_path / "old").mkdir()
    (tmp_path / "old" / "pytorch_model.bin").write_bytes(b"cposix\nsystem\n")
    with relative_to(tmp_path), pytest.raises(UsageError, match="pickled weights are never loaded"):
        metric("perplexity(model=old#000000000000)")(Texts(texts=["a"]))


LETTERS = "abcdefgh "


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of a few hundred parameters with letters as tokens, and ``#`` to begin with."""
    pytest.importorskip("torch", reason="needs the extra 'sentences'")
    pytest.importorskip("transformers", reason="needs the extra 'sentences'")
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedTokenizerFast

    folder = tmp_path_factory.mktemp("models") / "small"
    vocabulary = {letter: code for code, letter in enumerate(["#", *LETTERS])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token="#"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="#").save_pretrained(folder)
    torch.set_num_threads(1)
    torch.manual_seed(3)
    config = GPT2Config(vocab_size=10, n_positions=16, n_embd=8, n_layer=1, n_head=2, bos_token_id=0)
    GPT2LMHeadModel(config).save_pretrained(folder, safe_serialization=True)
    return folder


def spelled(small: Path, *more: str) -> str:
    from genrec_eval.metrics.text.local_model import folder_digest

    return f"perplexity({','.join([f'model={small}#{folder_digest(small)}', *more])})"


@functools.cache
def loaded(small: Path) -> Any:
    from transformers import GPT2LMHeadModel

    return GPT2LMHeadModel.from_pretrained(small).eval()


def direct(small: Path, text: str, window: int, stride: int, prompt: str = "") -> float:
    """Token by token: the context of each is what its window shows of the past."""
    import torch

    model = loaded(small)
    ids = [0, *(1 + LETTERS.index(letter) for letter in prompt + text)]
    nats, first = 0.0, 1 + len(prompt)
    for at in range(first, len(ids)):
        start = 0 if at < window else stride * math.ceil((at + 1 - window) / stride)
        with torch.no_grad():
            logits = model(torch.tensor([ids[start:at]])).logits[0, -1]
        nats -= float(torch.log_softmax(logits, -1)[ids[at]])
    return nats


LONG = "abc def gh hgfed cba abcdefgh hh gg ff abba"


@pytest.mark.parametrize(("window", "stride"), [(16, 8), (16, 15), (7, 1), (9, 4), (2, 1)])
def test_windows_score_each_token_once(small: Path, window: int, stride: int) -> None:
    texts = Texts(texts=[LONG, "a", "", None, "abc def"])
    bound = metric(spelled(small, "per=token", f"window={window}", f"stride={stride}"))
    scores = bound(texts)
    assert scores.sums is not None
    nats, tokens = scores.sums.T
    assert tokens.tolist() == [len(LONG), 1, 0, 0, 7]
    expected = [direct(small, text, window, stride) for text in (LONG, "a", "abc def")]
    assert nats[[0, 1, 4]] == pytest.approx(expected, rel=1e-5)
    assert sorted(scores.reasons) == ["no-text", "no-token"]


def test_defaults_are_the_models_window_and_half_of_it(small: Path) -> None:
    texts = Texts(texts=[LONG])
    plain = metric(spelled(small))(texts)
    assert plain.sums is not None
    assert plain.sums[0, 0] == pytest.approx(direct(small, LONG, 16, 8), rel=1e-5)
    assert plain.values[0] == pytest.approx(math.exp(plain.sums[0, 0] / len(LONG.split())))


def test_a_prompt_is_read_and_not_scored(small: Path) -> None:
    texts = Texts(texts=["abc", "abc", "abc"], prompts=["gh", None, "h" * 30])
    scores = metric(spelled(small, "per=token", "given=prompt"))(texts)
    assert scores.sums is not None
    assert scores.reasons["no-prompt"].tolist() == [False, True, False]
    assert scores.sums[:, 1].tolist() == [3, 0, 3]
    assert scores.sums[0, 0] == pytest.approx(direct(small, "abc", 16, 8, "gh"), rel=1e-5)
    # of a long one the end is used: half the window
    assert scores.sums[2, 0] == pytest.approx(direct(small, "abc", 16, 8, "h" * 8), rel=1e-5)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["window=17"], "reads 16 tokens at once, not 17"),
        (["window=8", "stride=8"], r"stride is from 1 to 7 .* not 8"),
        (["window=1"], "window is at least 2, not 1"),
        (["stride=-1"], "stride is at least 1, not -1"),
    ],
)
def test_windows_that_cannot_be_are_refused(small: Path, more: list[str], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        metric(spelled(small, *more))(Texts(texts=["abc"]))


def test_a_broken_folder_is_told_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("transformers", reason="needs the extra 'sentences'")
    folder = tmp_path / "broken"
    folder.mkdir()
    (folder / "model.safetensors").write_bytes(b"no weights")
    (folder / "config.json").write_text("{}")
    with pytest.raises(UsageError, match=r"metric 'perplexity': the model in .*broken cannot be loaded: "):
        metric(spelled(folder))(Texts(texts=["abc"]))
