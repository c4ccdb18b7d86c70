"""What an answer holds beside its text reaches the metrics of text."""

from __future__ import annotations

import pyarrow as pa

from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.scenarios.writing.remark import remark
from genrec_eval.scenarios.writing.texts import read_texts


def test_log_probabilities_are_joined_by_case_and_repeat() -> None:
    cases = pa.table({"case": ["a", "b", "c"]})
    rows = [
        ("c", 0, 0, "text c", '{"text":"text c","logprobs":[["te",-0.5,[]],["xt",-1.5,[["ab",-2.0]]]]}'),
        ("a", 0, 0, "text a", '{"text":"text a","contexts":["seen"]}'),
        ("a", 0, 1, "varied", '{"text":"varied","logprobs":[["v",-9.0,[]]]}'),
        ("b", 1, 0, "text b", None),
    ]
    names = ("case", "repeat", "step", "text", "response")
    columns = {name: list(column) for name, column in zip(names, zip(*rows, strict=True), strict=True)}
    batch = pa.RecordBatch.from_pydict({**columns, "status": ["ok"] * len(rows)})
    read = read_texts(cases, [batch])
    assert read.repeats[0].token_logprobs == [None, None, (-0.5, -1.5)]
    assert read.repeats[0].contexts == {0: [("seen",), None, None]}
    assert read.repeats[1].token_logprobs == []


def test_what_metrics_remark_stands_beside_what_is_amiss() -> None:
    texts = Explanations(texts=["same"] * 20)
    assert remark(texts, {}) == "20 of 20 texts are the same one: 'same'"
    texts.remarks["window"] = "3 of 20 texts are too long"
    assert remark(texts, {}) == "20 of 20 texts are the same one: 'same'; 3 of 20 texts are too long"
    few = Explanations(texts=["one", "two"])
    assert remark(few, {}) is None
    few.remarks["window"] = "1 of 2 texts is too long"
    assert remark(few, {}) == "1 of 2 texts is too long"
