"""Loaders of recorded judgements: their layouts, what they refuse and where, and the exchange form."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import MissingData, UsageError
from genrec_eval.data.judgements.exchange import write_exchange
from genrec_eval.data.judgements.log import SCHEMA, JudgementLog
from genrec_eval.data.registry import DATASETS
from genrec_eval.protocol.tables import JUDGEMENTS

PUBLIC = ("pandalm", "llmbar", "alpaca-eval", "prometheus-repeat", "mtbench")


def load(name: str, path: Path, **options: Any) -> JudgementLog:
    return DATASETS.get(name)(path=str(path), **options).load(Path(), 1)


def write(path: Path, value: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(value if isinstance(value, str) else json.dumps(value))
    return path


def pair(idx: int, **more: Any) -> dict[str, Any]:
    base = {"idx": idx, "motivation_app": "x", "cmp_key": "a-1_b-2", "instruction": "do", "input": f"{idx}"}
    votes = {
        "response1": "long answer",
        "response2": "short",
        "annotator1": 1,
        "annotator2": 2,
        "annotator3": 0,
    }
    return base | votes | more


@pytest.fixture
def pandalm(tmp_path: Path) -> Path:
    write(tmp_path / "testset-v1.json", [pair(0), pair(1, response1=True)])
    said = [{"idx": 1, "gpt_result": "garbage", "gpt_reason": "hm"}, {"idx": 0, "gpt_result": "Tie"}]
    write(tmp_path / "gpt-testset-v1.json", said)
    return tmp_path


def test_pandalm_is_joined_by_id_and_keeps_what_is_unparsed(pandalm: Path) -> None:
    log = load("pandalm", pandalm)
    rows = {row["item"]: row for row in log.table.to_pylist()}
    assert (rows["0"]["verdict"], rows["1"]["verdict"], rows["1"]["status"]) == ("tie", None, "unparsed")
    assert rows["0"]["human"] == ["first", "second", "tie"]
    assert (rows["0"]["system"], rows["0"]["other"], rows["0"]["length"]) == ("a-1", "b-2", 11)
    assert rows["1"]["text"] == "True"
    assert log.facts["without_verdict"] == 1


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("testset-v1.json", [pair(0), pair(0)], "row 2: idx 0 is there twice"),
        ("testset-v1.json", [pair(0, annotator2=7), pair(1)], "row 1: annotator2 is '7', not 0, 1 or 2"),
        (
            "testset-v1.json",
            [pair(0, cmp_key="one"), pair(1)],
            "row 1: cmp_key 'one' does not name two models",
        ),
        ("testset-v1.json", [pair(0, input=3), pair(1)], "row 1: instruction, input, responses or cmp_key"),
        ("testset-v1.json", {"idx": 1}, "holds no JSON array"),
        ("testset-v1.json", "[{]", "is not JSON"),
        ("gpt-testset-v1.json", [{"idx": 9, "gpt_result": 1}], "row 1: idx '9' is not in testset-v1.json"),
        ("gpt-testset-v1.json", [{"idx": 1}], "row 1: there is not one field *_result"),
        ("gpt-testset-v1.json", [3], "row 1: no JSON object"),
    ],
)
def test_malformed_rows_of_pandalm_are_named(pandalm: Path, name: str, value: Any, said: str) -> None:
    write(pandalm / name, value)
    with pytest.raises(UsageError) as caught:
        load("pandalm", pandalm)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_malformed_rows_can_be_passed_over_and_are_counted(pandalm: Path) -> None:
    write(pandalm / "testset-v1.json", [pair(0), "nothing", pair(1, annotator1=None)])
    log = load("pandalm", pandalm, malformed="skip")
    assert len(log) == 1
    assert log.facts["skipped_rows"] == 3  # two of the test set, and the verdict about one of them
    assert any("row 2" in sentence for sentence in log.skipped)


@pytest.mark.parametrize("name", PUBLIC)
def test_missing_data_say_where_they_can_be_had(name: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.delenv("NO_SUCH_FOLDER", raising=False)
    for path in (tmp_path, tmp_path / "nowhere", "${env:NO_SUCH_FOLDER}"):
        with pytest.raises(MissingData, match=r"github\.com"):
            load(name, path)


def upstream(folder: Path, results: list[Any]) -> None:
    path = folder / "LLMBar/Natural/evaluators/GPT-4/CoT"
    write(path / "result.json", results)
    write(path / "statistics.json", {"correct_False": "1 / 1 = 100.0%"})


def one(label: int, given: str | None, swapped: str | None) -> dict[str, Any]:
    last = {
        "swap = False": {"completion": ["Output (a)", "stop"], "winner": given},
        "swap = True": {"completion": ["", ""], "winner": swapped},
    }
    return {"input": "i", "output_1": "abc", "output_2": "d", "label": label, "results": ["aux", last]}


def test_llmbar_in_upstreams_folders(tmp_path: Path) -> None:
    upstream(tmp_path, [one(1, "1", None), one(2, "2", "2")])
    log = load("llmbar", tmp_path)
    rows = log.table.to_pylist()
    assert [row["verdict"] for row in rows] == ["first", None, "second", "second"]
    assert [row["order"] for row in rows] == ["given", "swapped"] * 2
    assert rows[0]["human"] == ["first"]
    assert (rows[0]["category"], rows[0]["judge"], rows[0]["arm"]) == ("LLMBar/Natural", "GPT-4", "CoT")
    assert list(log.published["statistics"]) == ["LLMBar/Natural|GPT-4|CoT"]
    upstream(tmp_path, [one(1, "3", None)])
    with pytest.raises(UsageError, match=r"row 1: 'swap = False' has no winner of 1, 2 or null"):
        load("llmbar", tmp_path)


def test_llmbar_as_a_table_and_its_faults(tmp_path: Path) -> None:
    header = "subset,evaluator,strategy,item,label,winner_noswap,winner_swap_unswapped,chars_1,chars_2\n"
    path = tmp_path / "judgements.csv.gz"
    path.write_bytes(gzip.compress((header + "s,e,t,0,2,1,,10,20\n").encode()))
    rows = load("llmbar", tmp_path).table.to_pylist()
    assert [(row["verdict"], row["status"]) for row in rows] == [("first", "ok"), (None, "unparsed")]
    for line, said in (
        ("s,e,t,0,2,x,1,1,1\n", "row 1, column 'winner_noswap': 'x' is not 1 or 2"),
        ("s,e,t,0\n", "row 1 has another number of fields"),
        ("s,e,t,0,,1,1,1,1\n", "column 'label': '' is not 1 or 2"),
    ):
        path.write_bytes(gzip.compress((header + line).encode()))
        with pytest.raises(UsageError) as caught:
            load("llmbar", tmp_path)
        assert said in str(caught.value)
    path.write_bytes(gzip.compress(b"subset,evaluator\n"))
    with pytest.raises(UsageError, match="has no column 'strategy'"):
        load("llmbar", tmp_path)


def test_alpaca_evals_preferences(tmp_path: Path) -> None:
    header = "model,instruction_id,preference,baseline_chars,model_chars,p_m_plus_M,model_shown_first\n"
    rows = "m,0,1.9,100,80,0.99,1.0\nm,1,1.5,100,80,,\nm,2,0,1,1,,\nm,3,,1,1,,\n"
    write(tmp_path / "annotations_2_models.csv", header + rows)
    write(tmp_path / "published_leaderboard.csv", ",win_rate,mode\nm,12.5,community\n")
    log = load("alpaca-eval", tmp_path)
    got = [(row["verdict"], row["score"], row["order"]) for row in log.table.to_pylist()]
    assert got[0] == ("first", pytest.approx(0.9), "given")
    assert got[1:] == [("tie", 0.5, None), ("tie", 0.5, None), (None, None, None)]
    assert log.published["leaderboard"] == {"m": {"win_rate": 12.5, "mode": "community"}}
    assert log.judgements()["value"].to_pylist()[0] == pytest.approx(0.9)
    write(tmp_path / "annotations_2_models.csv", header + "m,0,2.5,1,1,,\n")
    with pytest.raises(UsageError, match=r"row 1, column 'preference': '2.5' is not 0 or between 1 and 2"):
        load("alpaca-eval", tmp_path)


def test_alpaca_evals_annotations(tmp_path: Path) -> None:
    found = {
        "instruction": "i",
        "output_1": "base",
        "output_2": "mine\ud800",
        "generator_1": "b",
        "generator_2": "m",
        "preference": 1.2,
        "raw_completion": {"message": {"content": "M"}},
        "price_per_example": 0.01,
    }
    write(tmp_path / "m/annotations.json", [found])
    (row,) = load("alpaca-eval", tmp_path).table.to_pylist()
    assert (row["verdict"], row["raw"], row["text"], row["cost"]) == ("second", "M", "mine?", 0.01)


def test_prometheus_repeats_and_faults(tmp_path: Path) -> None:
    text = "task\n###Response to evaluate:\nmy answer\n\n###Reference Answer (Score 5):\nref"
    row = {"idx": 1, "response_source": "m", "category": "c", "instruction": text}
    path = write(tmp_path / "mine_eval.json", [row | {"gpt4_score": [3, 4.5], "gpt4_feedback": ["a", "b"]}])
    log = load("prometheus-repeat", tmp_path)
    assert log.table["score"].to_pylist() == [3.0, 4.5]
    assert log.table["repeat"].to_pylist() == [0, 1]
    assert log.table["text"].to_pylist() == ["my answer"] * 2
    for scores in ([3, 6], [3, "NaN"], [3, True], [], None):
        write(path, [row | {"gpt4_score": scores, "gpt4_feedback": ["a", "b"]}])
        with pytest.raises(UsageError, match="row 1: gpt4_score"):
            load("prometheus-repeat", tmp_path)


def test_mtbench_pairs_and_ratings(tmp_path: Path) -> None:
    start, end = "[The Start of Assistant A's Answer]\n", "\n[The End of Assistant A's Answer]"
    row = {
        "question_id": 81,
        "model_1": "x",
        "model_2": "y",
        "g1_winner": "model_1",
        "g2_winner": "error",
        "judge": ["gpt-4", "pair-v2"],
        "g1_user_prompt": f"{start}hello{end}",
        "g1_judgment": "[[A]]",
        "g2_judgment": "$ERROR$",
        "turn": 1,
    }
    single = {
        "question_id": 81,
        "model": "x",
        "judge": ["gpt-4", "v1"],
        "judgment": "?",
        "score": -1,
        "turn": 2,
    }
    write(tmp_path / "gpt-4_pair.jsonl", json.dumps(row) + "\n")
    write(
        tmp_path / "gpt-4_single.jsonl",
        json.dumps(single) + "\n" + json.dumps(single | {"score": 8.5}) + "\n",
    )
    pairs = load("mtbench", tmp_path).table.to_pylist()
    assert [(p["verdict"], p["status"], p["text"]) for p in pairs] == [
        ("first", "ok", "hello"),
        (None, "api_error", "hello"),
    ]
    ratings = load("mtbench", tmp_path, kind="single").table.to_pylist()
    assert [(r["score"], r["status"], r["repeat"]) for r in ratings] == [
        (None, "unparsed", 0),
        (8.5, "ok", 1),
    ]
    write(tmp_path / "gpt-4_pair.jsonl", json.dumps(row | {"g2_winner": "model_3"}) + "\n")
    with pytest.raises(UsageError, match="line 1: g2_winner is 'model_3', not model_1"):
        load("mtbench", tmp_path)


def test_the_exchange_form_comes_back_as_it_was(pandalm: Path) -> None:
    log = load("pandalm", pandalm)
    for name in ("log.jsonl", "log.parquet"):
        write_exchange(log, pandalm / name)
        again = load("judgement-log", pandalm / name, annotators=log.annotators)
        assert again.table.to_pylist() == log.table.to_pylist()
        assert again.table.schema == SCHEMA


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"item": "a", "system": "m"}, "no value in column 'judge'"),
        (
            {"item": "a", "system": "m", "judge": "j", "verdct": "tie"},
            "unknown column 'verdct'; did you mean 'verdict'?",
        ),
        (
            {"item": "a", "system": "m", "judge": "j", "other": "o", "verdict": "frist"},
            "did you mean 'first'?",
        ),
        ({"item": "a", "system": "m", "judge": "j", "score": "3"}, "column 'score': '3' is no finite number"),
        (
            {"item": "a", "system": "m", "judge": "j", "repeat": 1.5},
            "column 'repeat': '1.5' is no whole number",
        ),
        ({"item": "a", "system": "m", "judge": "j", "status": "ok"}, "status is ok, but there is no score"),
        (
            {"item": "a", "system": "m", "judge": "j", "verdict": "tie"},
            "a verdict about a pair, but no other",
        ),
        (
            {"item": "a", "system": "m", "judge": "j", "human": ["maybe"]},
            "column 'human': 'maybe' is none of",
        ),
        ({"item": 5, "system": "m", "judge": "j"}, "column 'item': '5' is no text"),
    ],
)
def test_a_row_at_fault_of_the_exchange_form_is_named(tmp_path: Path, row: dict, said: str) -> None:
    path = write(tmp_path / "log.jsonl", json.dumps(row) + "\n")
    with pytest.raises(UsageError) as caught:
        load("judgement-log", path)
    assert "line 1" in str(caught.value)
    assert said in str(caught.value)


def test_other_files_are_no_log(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"is a \.jsonl or \.parquet file"):
        load("judgement-log", write(tmp_path / "log.txt", "x"))
    with pytest.raises(UsageError, match="no readable parquet"):
        load("judgement-log", write(tmp_path / "log.parquet", "x"))
    with pytest.raises(UsageError, match="line 1 is not JSON"):
        load("judgement-log", write(tmp_path / "log.jsonl", "{"))
    pq.write_table(pa.table({"item": ["a"], "nonsense": [1]}), tmp_path / "t.parquet")
    with pytest.raises(UsageError, match="row 1: unknown column 'nonsense'"):
        load("judgement-log", tmp_path / "t.parquet")


def test_rows_become_judgements_of_a_run(pandalm: Path) -> None:
    found = load("pandalm", pandalm).judgements()
    assert found.schema == JUDGEMENTS
    by_case = {row["case"]: row for row in found.to_pylist()}
    assert (by_case["0"]["value"], by_case["1"]["value"], by_case["1"]["status"]) == (0.5, None, "unparsed")
    assert (by_case["0"]["task"], by_case["0"]["length"], by_case["0"]["other_length"]) == ("pairwise", 11, 5)


def test_choosing_rows_that_are_not_there_names_those_that_are(pandalm: Path) -> None:
    log = load("pandalm", pandalm)
    assert len(log.where(judge="gpt")) == 2
    with pytest.raises(UsageError, match=r"no judgement has judge 'gtp' \(known: gpt\)"):
        log.where(judge="gtp")


@pytest.mark.parametrize(
    ("name", "options", "rows", "silent"),
    [
        ("pandalm", {}, 1998, 25),
        ("llmbar", {}, 61926, 273),
        ("alpaca-eval", {}, 8050, 0),
        ("alpaca-eval", {"form": "annotations"}, 805, 0),
        ("prometheus-repeat", {}, 1920, 0),
        ("mtbench", {}, 150, 3),
        ("mtbench", {"kind": "single"}, 330, 4),
    ],
)
def test_the_public_logs_are_read_whole(real_data: Path, name, options, rows, silent) -> None:
    log = load(name, real_data / "judgements" / name, **options)
    assert (len(log), log.facts["without_verdict"], log.skipped) == (rows, silent, ())
    assert log.judgements().num_rows == rows


FILES = {
    "pandalm": {
        "testset-v1.json": json.dumps([pair(0), pair(1)]),
        "gpt-testset-v1.json": json.dumps([{"idx": 0, "gpt_result": "1"}, {"idx": 1, "gpt_result": 2}]),
    },
    "llmbar": {
        "judgements.csv": "subset,evaluator,strategy,item,label,winner_noswap,winner_swap_unswapped\n"
        "s,e,t,0,2,1,2\n",
        "published_statistics.json": '{"s|e|t": {"equal": "0 / 1 = 0%"}}',
    },
    "alpaca-eval": {
        "annotations_1.csv": "model,instruction_id,preference\nm,0,1.25\n",
        "published_leaderboard.csv": ",win_rate\nm,25\n",
    },
    "prometheus-repeat": {
        "x_eval.json": json.dumps([{"idx": 1, "instruction": "t", "gpt4_score": [3], "gpt4_feedback": ["f"]}])
    },
    "mtbench": {
        "pair.jsonl": '{"question_id": 1, "model_1": "a", "model_2": "b", "g1_winner": "tie",'
        ' "g2_winner": "tie"}\n'
    },
    "judgement-log": {
        "log.jsonl": '{"item": "a", "system": "m", "judge": "j", "score": 3, "human_scores": [1, null]}\n'
    },
}
DAMAGED = [(loader, name) for loader, files in FILES.items() for name in files]


@pytest.mark.parametrize(("loader", "name"), DAMAGED)
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(cut=0, byte=0, insert=b"", junk=b"\x00\xff\xfe")
@example(cut=0, byte=0, insert=b"", junk=b"")
@example(cut=0, byte=0, insert=b"", junk=b"[" * 100_000)
@example(cut=0, byte=0, insert=b"", junk=b"[null, 3, [], {}]")
@example(cut=0, byte=0, insert=b"", junk=b'{"a": [1e999, NaN]}')
@given(
    cut=st.integers(0, 60),
    byte=st.integers(0, 400),
    insert=st.binary(max_size=3)
    | st.sampled_from([b'"', b",", b"\n", b"\xff", b"[", b"{", b"-", b"9" * 400, b"null"]),
    junk=st.none() | st.binary(max_size=30),
)
def test_damaged_bytes_end_in_a_log_or_a_sentence(
    tmp_path: Path, loader: str, name: str, cut: int, byte: int, insert: bytes, junk: bytes | None
) -> None:
    assert set(FILES) == {one for one in DATASETS.builtin if DATASETS.get(one).holds == "judgements"}
    for file, text in FILES[loader].items():
        (tmp_path / file).write_text(text)
    whole = FILES[loader][name].encode()
    at = byte % (len(whole) + 1)
    damaged = whole[:at] + insert + whole[at:]
    (tmp_path / name).write_bytes(damaged[: len(damaged) - cut] if junk is None else junk)
    path = tmp_path / name if loader == "judgement-log" else tmp_path
    for malformed in ("refuse", "skip"):
        sentence = ""
        try:
            log = load(loader, path, malformed=malformed)
            assert log.judgements().num_rows == len(log) > 0
            assert log.human_table().num_rows >= 0
        except UsageError as error:
            sentence = str(error)
        assert "\n" not in sentence
        assert len(sentence) < 900 + 3 * len(str(tmp_path))
