"""Recorded public judgements, read as they were recorded."""

from __future__ import annotations

import csv
import gzip
import json
from collections import Counter
from pathlib import Path

import pytest

from genrec_eval.judging.dialect import load_dialect
from genrec_eval.judging.rubric import load_rubric
from genrec_eval.judging.types import JudgeTask
from genrec_eval.protocol.responses import ChatResponse, TokenLogprob


@pytest.fixture
def judgements(real_data: Path) -> Path:
    folder = real_data / "judgements"
    if not folder.is_dir():
        pytest.skip("no recorded judgements beside the data sets")
    return folder


def lines_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def test_mtbench_single(judgements: Path) -> None:
    dialect = load_dialect("mtbench-single", Path())
    failed = []
    for row in lines_of(judgements / "mtbench" / "single_llama3.jsonl"):
        verdict = dialect.read(row["judgment"], "pointwise")
        if verdict.status == "ok":
            assert verdict.score == row["score"]
        else:
            assert (verdict.status, row["score"]) == ("api_error", -1)
            failed.append((row["question_id"], row["turn"]))
    assert failed == [(81, 1), (82, 1), (83, 1), (84, 1)]


def test_mtbench_pair(judgements: Path) -> None:
    dialect = load_dialect("mtbench-pair", Path())
    failed = []
    for row in lines_of(judgements / "mtbench" / "pair_phi3.jsonl"):
        for game, first, second in (("g1", "model_1", "model_2"), ("g2", "model_2", "model_1")):
            verdict = dialect.read(row[f"{game}_judgment"], "pairwise")
            if verdict.status == "ok":
                named = {"first": first, "second": second, "tie": "tie"}
                assert named[str(verdict.winner)] == row[f"{game}_winner"]
            else:
                assert (verdict.status, row[f"{game}_winner"]) == ("api_error", "error")
                failed.append((row["question_id"], game))
    assert failed == [(124, "g2"), (125, "g1"), (125, "g2")]


def test_pandalm(judgements: Path) -> None:
    dialect = load_dialect("pandalm", Path())
    rows = json.loads((judgements / "pandalm" / "gpt-3.5-turbo-testset-v1.json").read_text(encoding="utf-8"))
    winners = Counter(str(dialect.read(row["gpt_result"], "pairwise").winner) for row in rows)
    assert winners == {"first": 460, "second": 476, "tie": 38, "None": 25}


def test_llmbar_texts_say_otherwise_than_some_records(judgements: Path) -> None:
    """The recorder took the first pattern that matched anywhere; 148 texts conclude with the other one."""
    dialect = load_dialect("llmbar", Path())
    counts: Counter[tuple[bool, str]] = Counter()
    with gzip.open(judgements / "llmbar" / "judgements.csv.gz", "rt", encoding="utf-8") as stream:
        for row in csv.DictReader(stream):
            for text, recorded, names in (
                (row["completion_noswap"], row["winner_noswap"], {"first": "1", "second": "2"}),
                (row["completion_swap"], row["winner_swap_unswapped"], {"first": "2", "second": "1"}),
            ):
                if not text:
                    continue
                read = names.get(str(dialect.read(text, "pairwise").winner), "")
                how = "same" if read == recorded else "unread" if not read else "other"
                counts[row["strategy"] == "CoT", how] += 1
    assert counts == {
        (False, "same"): 13_686,
        (True, "same"): 4_871,
        (True, "other"): 148,
        (True, "unread"): 3,
    }


def test_alpaca_preferences(judgements: Path) -> None:
    dialect = load_dialect("alpaca-token", Path())
    rubric = load_rubric("helpfulness", Path())
    task = JudgeTask(id="t", kind="pairwise", rubric=rubric, prompt="?", answers=("a", "b"))
    with gzip.open(judgements / "alpaca-eval" / "claude-2.1" / "annotations.json.gz", "rt") as stream:
        rows = [row for row in json.load(stream) if row["raw_completion"]]
    assert len(rows) == 803
    for row in rows:
        raw = row["raw_completion"]
        tokens = tuple(
            TokenLogprob(
                one["token"],
                one["logprob"],
                tuple((top["token"], top["logprob"]) for top in one["top_logprobs"]),
            )
            for one in raw["logprobs"]["content"]
        )
        response = ChatResponse(text=raw["text"], finish_reason=raw["finish_reason"], logprobs=tokens)
        preference = dialect.parse(response, task).preference
        assert preference is not None
        # recorded for the order of the models, read for the order in which the two were shown
        assert min(abs(row["preference"] - 1 - preference), abs(2 - row["preference"] - preference)) < 1e-6


def test_prometheus_scores(judgements: Path) -> None:
    dialect = load_dialect("prometheus-absolute", Path())
    for name in ("mt_bench_eval.json", "vicuna_eval.json"):
        rows = json.loads((judgements / "prometheus-repeat" / name).read_text(encoding="utf-8"))
        for row in rows:
            for feedback, score in zip(row["gpt4_feedback"], row["gpt4_score"], strict=True):
                assert dialect.read(f"Feedback: {feedback} [RESULT] {score}", "pointwise").score == score
                assert dialect.read(feedback, "pointwise").status == "unparsed"
            assert dialect.read(row["instruction"], "pointwise").status == "unparsed"
