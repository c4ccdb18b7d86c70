"""Which instances stand in a report, which beside it, and what is said of the others."""

from __future__ import annotations

import gzip
import json
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import orjson
import pyarrow.parquet as pq
import pytest
from hand_made import failed, many, ranked, write
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.audit.comparing.types import Answered, Comparison, Flip
from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.html import render_report, write_report
from genrec_eval.reporting.instances.asked import cut, request
from genrec_eval.reporting.instances.build import anchor, instances
from genrec_eval.reporting.instances.choose import beside, inline, shares, shuffled, worst_first
from genrec_eval.reporting.instances.flipped import KINDS, Side, flips
from genrec_eval.reporting.instances.types import Budget, Instances
from genrec_eval.reporting.results import Results, read_json

HOSTILE = "</script><script>alert(1)</script><img src=x onerror=alert(2)> \u202eevil {{ 7*7 }} \" ' & \x07"


def of(run: Path, **more: Any) -> Instances:
    found = instances(Results.load(run), read_json(run / "run.json"), run, **more)
    assert found is not None
    return found


def shown(found: Instances, model: str) -> list[str]:
    return [one.row["case"] for a in found.answers if a.model == model for one in a.shown]


def lines(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in gzip.decompress(path.read_bytes()).splitlines()]


class Words(HTMLParser):
    """The text of a page, and whether it holds an element or a handler that nobody meant."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.words = ""
        self.bad: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in ("script", "img", "iframe") or any(name.startswith("on") for name, _ in attrs):
            self.bad.append(tag)

    def handle_data(self, data: str) -> None:
        self.words += data


# ---- order and choice


def test_failures_come_first_in_turns_over_their_statuses() -> None:
    answers = {"a": {f"u{i}": failed("timeout") for i in range(6)}}
    answers["a"] |= {
        "lone": failed("unparsed"),
        "half": failed("truncated"),
        "bad": ranked("i1"),
        "good": ranked("i2"),
    }
    scores = {"a": {"bad": 0.1, "good": 0.9}}
    order = _order(answers, scores)
    assert {order[0], order[1]} >= {"lone"}, "the one failure of another kind is not hidden by six timeouts"
    assert order[-3:] == ["half", "bad", "good"]


def _order(answers: Any, scores: Any, **more: Any) -> list[str]:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        found = of(write(Path(folder) / "run", answers, scores, **more))
        return shown(found, "a")


def test_low_is_worst_where_higher_is_better_and_the_other_way_round() -> None:
    answers = {"a": {name: ranked("i1") for name in ("low", "high", "none")}}
    scores = {"a": {"low": 0.2, "high": 0.7, "none": "no relevant item"}}
    assert _order(answers, scores) == ["low", "high", "none"]
    assert _order(answers, scores, direction="lower") == ["high", "low", "none"]


def test_ties_fall_on_the_same_cases_for_all_models(tmp_path: Path) -> None:
    answers, scores = many(300)
    flat = {"a": dict.fromkeys(scores["a"], 0.0), "b": dict.fromkeys(scores["a"], 0.0)}
    found = of(write(tmp_path / "run", {"a": answers["a"], "b": answers["a"]}, flat))
    assert shown(found, "a") == shown(found, "b")
    assert len(shown(found, "a")) == 60


@given(st.integers(1, 400), st.integers(1, 80), st.integers(0, 5))
def test_what_is_chosen(n: int, each: int, seed: int) -> None:
    draw = np.random.default_rng(seed)
    order = draw.permutation(n).astype(np.int64)
    flipped = draw.random(n) < 0.3
    found = inline(order, flipped, shuffled(seed, "s", n), each)
    assert len(found) == len(set(found)) == min(n, each)
    assert set(found) <= set(range(n))
    assert order[0] in found, "the worst one is always among them"
    if flipped.any() and len(found) > 1:
        assert flipped[found].any()
    fewer = inline(order, flipped, shuffled(seed, "s", n), max(1, each // 2))
    assert found[: len(fewer)] == fewer, "a smaller budget shows a first part of the same list"


@given(st.integers(1, 1000), st.integers(1, 100), st.integers(1, 500))
def test_shares_of_the_budget(pairings: int, each: int, most: int) -> None:
    found = shares(pairings, Budget(each=each, most=most))
    assert len(found) == pairings
    assert sum(found) <= most
    assert max(found) <= each
    assert sum(found) == min(most, pairings * each)


def test_a_cap_is_shared_by_scenarios_with_their_size() -> None:
    assert beside([1000, 3000], Budget(beside=400)) == [100, 300]
    assert beside([10, 30], Budget(beside=400)) == [None, None]


def test_unscored_answers_are_no_worse_than_any() -> None:
    none = np.zeros(3, np.int16)
    order = worst_first(none, none, np.array([np.nan, -0.9, -0.1]), none, np.arange(3))
    assert order.tolist() == [2, 1, 0]


def test_among_equals_those_that_miss_a_margin_come_first(tmp_path: Path) -> None:
    answers = {"a": {f"u{i}": ranked("i1") for i in range(50)}}
    scores = {"a": {f"u{i}": 0.5 for i in range(50)} | {"u33": 0.4999}}
    found = of(write(tmp_path / "run", answers, scores, margin=0.5))
    assert shown(found, "a")[0] == "u33"


# ---- flips


def _sides(before: list[Any], after: list[Any]) -> tuple[Side, Side]:
    def one(pairs: list[Any]) -> Side:
        values = np.array([0.0 if v is None else v for _, v in pairs])
        scored = np.array([v is not None for _, v in pairs])
        return Side(np.array([s for s, _ in pairs], object), values, scored)

    return one(before), one(after)


def test_flips_by_status_and_by_score() -> None:
    before = [("ok", 0.0), ("ok", 0.4), ("ok", 0.2), ("ok", 0.0), (None, None), ("ok", None), ("ok", 0.3)]
    after = [("ok", 0.2), ("ok", 0.0), ("ok", 0.9), ("timeout", None), ("ok", 1.0), ("ok", 0.5), (None, None)]
    told = [KINDS[code] for code in flips(*_sides(before, after), "higher")]
    assert told == ["gained", "lost", "", "status", "", "", ""]
    assert [KINDS[code] for code in flips(*_sides(before, after), "lower")][:2] == ["lost", "gained"]
    assert [KINDS[code] for code in flips(*_sides(before, after), "none")][:2] == ["changed", "changed"]


@given(st.lists(st.tuples(st.sampled_from(["ok", "error", None]), st.floats(0, 1)), min_size=1, max_size=20))
def test_flips_have_a_way_back(pairs: list[Any]) -> None:
    one, other = _sides(pairs, pairs[::-1])
    there = [KINDS[code] for code in flips(one, other, "higher")]
    back = [KINDS[code] for code in flips(other, one, "higher")]
    turned = {"gained": "lost", "lost": "gained"}
    assert back == [turned.get(kind, kind) for kind in there]
    assert not flips(one, one, "higher").any()


def test_flips_against_the_baseline_model_stand_beside_its_answer(tmp_path: Path) -> None:
    answers = {
        "a": {"u1": ranked("i1", "i2"), "u2": ranked("i3")},
        "b": {"u1": ranked("i2", "i9"), "u2": failed("timeout", "60 s went by")},
    }
    run = write(tmp_path / "run", answers, {"a": {"u1": 0.0, "u2": 0.5}, "b": {"u1": 0.5}}, baseline="a")
    found = of(run)
    rows = {one.row["case"]: one for a in found.answers if a.model == "b" for one in a.shown}
    assert rows["u1"].row["flip"] == {"kind": "gained", "said": ["Merit 0 there, 0.5 here"]}
    assert rows["u1"].row["before"]["items"] == ["i1", "i2"]
    assert rows["u2"].row["flip"]["kind"] == "status"
    html = rows["u1"].html
    assert "<ins><bdi>i9</bdi></ins>" in html
    assert "<ins><bdi>i1</bdi></ins>" in html
    assert "<ins><bdi>i2</bdi></ins>" not in html
    assert all("flip" not in one.row for a in found.answers if a.model == "a" for one in a.shown)


def test_a_flip_names_the_score_of_the_other_side_where_that_is_not_shown(tmp_path: Path) -> None:
    answers, scores = many(200)
    low = {"a": dict.fromkeys(scores["a"], 0.25), "b": dict.fromkeys(scores["a"], 0.25)}
    low["b"] |= {f"u{i:04d}": 0.0 for i in range(0, 200, 2)}
    found = of(write(tmp_path / "run", {"a": answers["a"], "b": answers["a"]}, low), budget=Budget(each=3))
    rows = [one.row for a in found.answers if a.model == "b" for one in a.shown if "flip" in one.row]
    assert rows
    assert {row["flip"]["said"][0] for row in rows} == {"Merit 0.25 there, 0 here"}
    assert not {row["case"] for row in rows} <= set(shown(found, "a"))


def test_the_first_model_is_the_baseline_of_a_suite_that_names_none(tmp_path: Path) -> None:
    answers = {"a": {"u1": ranked("i1")}, "b": {"u1": failed("error")}}
    found = of(write(tmp_path / "run", answers, {"a": {"u1": 0.0}}))
    assert found.scenes["s"].against == "a"
    assert [a.flipped for a in found.answers] == [0, 1]


def test_flips_against_an_earlier_run_take_the_place_of_those_against_a_model(tmp_path: Path) -> None:
    answers = {
        "a": {"u1": ranked("i1"), "u2": ranked("i2", "i3")},
        "b": {"u1": failed("error"), "u2": ranked("i1")},
    }
    scores = {"a": {"u1": 0.5, "u2": 0.5}, "b": {"u2": 0.0}}
    run = write(tmp_path / "run", answers, scores, truth=[[1], [8]])
    flip = Flip(
        scenario="s", model="a", case="u2", unit="u2", metric="m", kind="gained",
        reference=Answered(status="ok", value=0.0, items=["i2", "i8"]),
        candidate=Answered(status="ok", value=0.5, items=["i2", "i3"]),
    )  # fmt: skip
    counts = [{"scenario": "s", "model": "a", "metric": "m", "kind": "gained", "count": 12}]
    comparison = Comparison(
        reference="old",
        candidate="new",
        reference_run="o",
        candidate_run="n",
        flips=[flip],
        flip_counts=counts,
    )
    found = of(run, comparison=comparison)
    assert [a.flipped for a in found.answers] == [1, 0]
    (one,) = [one for a in found.answers for one in a.shown if "flip" in one.row]
    assert one.row["flip"]["said"] == ["Merit 0 before, 0.5 now"]
    assert one.row["before"]["hits"] == [2]
    assert "the run old" in one.html
    assert '<li class="i-hit"><ins><bdi>Title 8</bdi>' in one.html
    assert "<li><ins><bdi>Title 3</bdi>" in one.html
    assert "1 of 12 flips against the earlier run are marked, the greatest." in found.sentences


def test_changed_words_are_marked_on_both_sides(tmp_path: Path) -> None:
    answers = {
        "a": {"u1": [{"status": "ok", "text": "a good film for you"}]},
        "b": {"u1": [{"status": "truncated", "text": "a bad film for"}]},
    }
    (one,) = [o for a in of(write(tmp_path / "r", answers, {})).answers if a.model == "b" for o in a.shown]
    assert "a <ins>good</ins> film" in one.html
    assert "a <ins>bad</ins> film" in one.html


# ---- what is said of one instance


def test_an_instance_is_told_whole(tmp_path: Path) -> None:
    wire = json.dumps(
        {
            "kind": "rank",
            "user": "u1",
            "history": [f"h{i}" for i in range(30)],
            "k": 3,
            "candidates": ["x"] * 9,
        }
    )
    record = {
        "status": "ok", "items": ["i4", "i2", "zzz"], "mentions": ["Title Four", "Title 2", "Nowhere"],
        "grounding": ["fuzzy", "exact", "none"], "request": wire, "sent": 10.0, "end": 11.5, "attempts": 3,
        "input_tokens": 812, "output_tokens": 64, "cost": 0.0021,
        "text": "1. Title Four\n2. Title 2\n3. Nowhere",
    }  # fmt: skip
    run = write(
        tmp_path / "r", {"a": {"u1": [record]}}, {"a": {"u1": 0.5}}, unit="share",
        groups={"age": ["18-24"]}, truth=[[2, 7]],
    )  # fmt: skip
    (one,) = [one for a in of(run).answers for one in a.shown]
    words = " ".join(Words(str(one.html)).words.split())
    for said in (
        "Merit 50 %", "age=18-24", "user u1; 3 items asked for; out of 9 candidates",
        "History of 30 items, the latest:",
        "3 attempts · 1.5 s · 812 tokens in, 64 out · $0.0021", "Title 4 i4 written Title Four fuzzy",
        "Nowhere", "not matched", "Found at place 2.", "Title 7 i7",
    ):  # fmt: skip
        assert said in words, said
    assert one.anchor == anchor("a", "s", "u1")
    assert words.count("wanted") == 1


def test_a_batch_is_told_from_the_case_and_without_a_latency(tmp_path: Path) -> None:
    run = write(
        tmp_path / "r", {"a": {"u1": ranked("i5", sent=1.0, end=9.0)}}, {"a": {"u1": 0.0}}, truth=[[2]]
    )
    (one,) = [one for a in of(run).answers for one in a.shown]
    words = Words(str(one.html)).words
    assert "History of 2 items:" in words
    assert "Title 1" in words
    assert "None of what was wanted is in it." in words
    assert "8 s" not in words


def test_steps_and_repeats_stand_in_order_and_say_what_is_new(tmp_path: Path) -> None:
    def chat(*said: str) -> str:
        roles = ("user", "assistant")
        return json.dumps(
            {"messages": [{"role": roles[i % 2], "content": text} for i, text in enumerate(said)]}
        )

    records = [
        {"status": "ok", "repeat": 1, "step": 0, "text": "again one", "request": chat("hello")},
        {"status": "ok", "repeat": 0, "step": 1, "text": "two", "request": chat("hello", "one", "and now?")},
        {"status": "ok", "repeat": 0, "step": 0, "text": "one", "request": chat("hello")},
    ]
    (one,) = [o for a in of(write(tmp_path / "r", {"a": {"u1": records}}, {})).answers for o in a.shown]
    turns = one.row["turns"]
    assert [turn["text"][0] for turn in turns] == ["one", "two", "again one"]
    assert turns[1]["asked"] == {
        "messages": [["assistant", "one", 0], ["user", "and now?", 0]],
        "above": 1,
        "skipped": 0,
    }
    assert turns[2]["asked"]["messages"] == [["user", "hello", 0]]
    many_records = [{"status": "ok", "step": i, "text": "t"} for i in range(20)]
    (one,) = [o for a in of(write(tmp_path / "q", {"a": {"u1": many_records}}, {})).answers for o in a.shown]
    assert "12 more exchanges are not quoted." in one.html


def test_a_case_has_the_worst_status_of_its_records(tmp_path: Path) -> None:
    records = [{"status": "ok", "repeat": 0, "items": ["i1"]}, {"status": "refused", "repeat": 1}]
    found = of(write(tmp_path / "r", {"a": {"u1": records, "u2": ranked("i1")}}, {}))
    assert found.answers[0].statuses == {"refused": 1, "ok": 1}


def test_long_texts_are_cut_and_say_by_how_much(tmp_path: Path) -> None:
    wire = json.dumps({"messages": [{"role": "user", "content": "q" * 5000}]})
    records = [{"status": "unparsed", "raw": "r" * 1_000_000, "request": wire, "error": "e" * 5000}]
    (one,) = [o for a in of(write(tmp_path / "r", {"a": {"u1": records}}, {})).answers for o in a.shown]
    words = Words(str(one.html)).words
    assert "997,000 more characters are not quoted." in words
    assert "3,500 more characters are not quoted." in words
    assert "… 4,400 more characters" in words
    assert len(one.html) < 20_000
    assert cut("abc", 3) == ["abc", 0]


@pytest.mark.parametrize(
    "wire",
    [
        "",
        "no json",
        "[1, 2]",
        '{"messages": [3, null, {"content": {"a": 1}}]}',
        '{"user": {"deep": []}}',
        "7",
    ],
)
def test_requests_of_any_shape_are_shown(wire: str) -> None:
    told, _ = request(wire, None)
    assert orjson.dumps(told)


# ---- the sidecar


def test_all_instances_lie_beside_a_page_that_cannot_hold_them(tmp_path: Path) -> None:
    answers, scores = many(150)
    run = write(
        tmp_path / "r",
        answers,
        scores,
        groups={"g": ["x" if i % 2 else "y" for i in range(150)]},
        truth=[[1]] * 150,
    )
    found = of(run, sidecar=tmp_path / "a.instances.jsonl.gz")
    assert found.sidecar is not None
    head, scene, titles, *rows = lines(tmp_path / "a.instances.jsonl.gz")
    assert (head["schema"], head["run"]) == ("genrec-eval/instances/1", "made-by-hand")
    assert head["key"] == found.sidecar.key
    assert scene["groups"] == ["g"]
    assert scene["metrics"] == [["m", "Merit", ""]]
    assert titles["titles"][3] == ["i3", "Title 3"]
    assert [row["case"] for row in rows] == [f"u{i:04d}" for i in range(150)]
    assert sorted(row["rank"] for row in rows) == list(range(1, 151))
    inside = {one.row["case"]: one.row for a in found.answers for one in a.shown}
    assert all(row == json.loads(orjson.dumps(inside[row["case"]])) for row in rows if row["case"] in inside)
    assert "60 of 150 instances stand in this file" in found.sentences[0]
    assert "All of them lie beside it in the file a.instances.jsonl.gz" in found.sentences[1]


def test_the_same_run_gives_the_same_bytes_in_any_order_of_its_records(tmp_path: Path) -> None:
    answers, scores = many(100)
    one = write(tmp_path / "one", answers, scores)
    other = write(tmp_path / "other", answers, scores)
    pq.write_table(
        pq.read_table(one / "records" / "s@a.00000.parquet").take(np.random.default_rng(0).permutation(100)),
        other / "records" / "s@a.00000.parquet",
    )
    first, second = of(one, sidecar=tmp_path / "x.gz"), of(other, sidecar=tmp_path / "y.gz")
    assert (tmp_path / "x.gz").read_bytes() == (tmp_path / "y.gz").read_bytes()
    assert [s.html for a in first.answers for s in a.shown] == [
        s.html for a in second.answers for s in a.shown
    ]
    (tmp_path / "x2.gz").write_bytes(b"of an earlier report")
    of(one, sidecar=tmp_path / "x2.gz")
    assert (tmp_path / "x2.gz").read_bytes() == (tmp_path / "x.gz").read_bytes()


def test_cases_in_parts_of_any_size_are_told_apart(tmp_path: Path) -> None:
    answers, scores = many(100)
    run = write(tmp_path / "r", answers, scores, truth=[[i % 10] for i in range(100)])
    found = of(run, sidecar=tmp_path / "x.gz")
    path = run / "cases" / "s.parquet"
    pq.write_table(pq.read_table(path), path, row_group_size=7)
    again = of(run, sidecar=tmp_path / "y.gz")
    assert (tmp_path / "x.gz").read_bytes() == (tmp_path / "y.gz").read_bytes()
    assert found.places == again.places
    rows = [line for line in lines(tmp_path / "y.gz") if "case" in line]
    assert [row["wanted"] for row in rows] == [[f"i{i % 10}"] for i in range(100)]


def test_a_capped_sidecar_holds_the_same_cases_of_all_models_and_what_the_page_shows(tmp_path: Path) -> None:
    answers, scores = many(400)
    both = {"a": answers["a"], "b": answers["a"]}
    run = write(tmp_path / "r", both, {"a": scores["a"], "b": scores["a"]})
    found = of(run, sidecar=tmp_path / "x.gz", budget=Budget(each=5, beside=100))
    assert found.sidecar is not None
    rows = [line for line in lines(tmp_path / "x.gz") if "case" in line]
    cases = [{row["case"] for row in rows if row["model"] == model} for model in (0, 1)]
    assert len(cases[0] & cases[1]) >= 50
    assert all(set(shown(found, name)) <= of_model for name, of_model in zip("ab", cases, strict=True))
    assert 100 <= len(rows) <= 110
    assert f"{len(rows)} of them, drawn by chance, lie beside it" in found.sentences[1]
    assert "the others in the records of the run" in found.sentences[1]


def test_no_sidecar_where_all_fit_or_none_is_wanted(tmp_path: Path) -> None:
    answers, scores = many(20)
    run = write(tmp_path / "r", answers, scores)
    found = of(run, sidecar=tmp_path / "x.gz")
    assert found.sidecar is None
    assert found.sentences == ["All 20 instances of the run stand in this file."]
    found = of(run, sidecar=tmp_path / "x.gz", budget=Budget(each=3, beside=0))
    assert found.sidecar is None
    assert found.sentences[1] == "The others lie in the records of the run."
    assert not (tmp_path / "x.gz").exists()


def test_a_sidecar_that_cannot_be_finished_is_not_there(tmp_path: Path) -> None:
    answers, scores = many(100)
    run = write(tmp_path / "r", answers, scores)
    part = run / "records" / "s@a.00000.parquet"
    table = pq.read_table(part)
    pq.write_table(table.append_column("x", table.column("case")), part, row_group_size=50)
    data = bytearray(part.read_bytes())
    data[len(data) // 2 : len(data) // 2 + 200] = bytes(200)
    part.write_bytes(data)
    with pytest.raises(UsageError, match="cannot be read"):
        of(run, sidecar=tmp_path / "x.gz")
    assert list(tmp_path.glob("x.gz*")) == []


# ---- the page


def test_the_size_of_the_page_is_bounded_and_all_models_keep_some(tmp_path: Path) -> None:
    answers = {m: {f"u{i}": [{"status": "ok", "text": "x" * 3000}] for i in range(40)} for m in "abc"}
    found = of(write(tmp_path / "r", answers, {}), budget=Budget(size=100_000))
    assert sum(len(one.html.encode()) for a in found.answers for one in a.shown) <= 100_000
    assert all(a.shown for a in found.answers)
    assert found.shown < 40


def test_hostile_text_in_every_field_stays_text(tmp_path: Path) -> None:
    record = {
        "status": HOSTILE, "error": HOSTILE, "items": [HOSTILE, "i1"], "mentions": [HOSTILE, "x"],
        "grounding": [HOSTILE, "exact"], "text": HOSTILE, "raw": HOSTILE, "blob": HOSTILE,
        "request": json.dumps({"messages": [{"role": HOSTILE, "content": HOSTILE}], HOSTILE: 1}),
    }  # fmt: skip
    answers = {"a": {HOSTILE: [record]}, "b": {HOSTILE: [{**record, "status": "ok"}]}}
    run = write(tmp_path / "r", answers, {}, groups={HOSTILE: [HOSTILE]}, truth=[[0]], titles=[HOSTILE] * 3)
    text = render_report(run)
    assert "<img" not in text
    assert text.count("<script") == text.count("</script>")
    assert "\u202e" not in text
    assert "⟨U+202E⟩evil {{ 7*7 }}" in text
    for a in of(run).answers:
        for one in a.shown:
            assert Words(str(one.html)).bad == []


def test_a_run_without_answers(tmp_path: Path) -> None:
    run = write(tmp_path / "r", {"a": {}}, {})
    assert instances(Results.load(run), {}, run) is None
    assert 'id="instances"' not in render_report(run)


def test_a_run_of_failures_only(tmp_path: Path) -> None:
    run = write(tmp_path / "r", {"a": {f"u{i}": failed("error", "no words came") for i in range(9)}}, {})
    found = of(run)
    assert found.answers[0].statuses == {"error": 9}
    assert "no words came" in found.answers[0].shown[0].html


def test_records_that_are_none_are_refused(tmp_path: Path) -> None:
    run = write(tmp_path / "r", {"a": {"u": ranked("i")}}, {})
    (run / "records" / "other.parquet").write_bytes(b"PAR1 nothing")
    with pytest.raises(UsageError, match=r"other\.parquet cannot be read"):
        of(run)


def test_records_of_no_case_are_told(tmp_path: Path) -> None:
    run = write(tmp_path / "r", {"a": {"u": ranked("i"), "v": ranked("i")}}, {})
    path = run / "cases" / "s.parquet"
    pq.write_table(pq.read_table(path).slice(0, 1), path)
    found = of(run)
    assert found.total == 1
    assert "1 record without a status or of a case that the run does not hold: not shown." in found.sentences


def test_damaged_scores_are_told_and_the_answers_shown(tmp_path: Path) -> None:
    run = write(tmp_path / "r", {"a": {"u": ranked("i")}}, {})
    (run / "scores.parquet").write_bytes(b"PAR1 nothing")
    found = of(run)
    assert "is no table of scores" in found.sentences[-1]
    assert found.shown == 1


def test_the_page_names_its_sidecar(tmp_path: Path) -> None:
    answers, scores = many(100)
    run = write(tmp_path / "r", answers, scores)
    page = write_report(run, tmp_path / "deep" / "audit.html").read_text("utf-8")
    assert (tmp_path / "deep" / "audit.instances.jsonl.gz").is_file()
    assert 'data-file="audit.instances.jsonl.gz"' in page
    assert 'data-rows="100"' in page
    again = write_report(run, tmp_path / "deep" / "audit.html").read_text("utf-8")
    assert again == page
