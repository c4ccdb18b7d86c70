"""Markdown, JSON and page of a gate say what the object says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from gate_fixture import ROWS, alone, gate, hostile, row
from parsed_page import Page

from genrec_eval.audit.gating.types import GateResult
from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.gate.html import gate_page, write_gate
from genrec_eval.reporting.gate.json import gate_json, write_gate_json
from genrec_eval.reporting.gate.markdown import gate_summary
from genrec_eval.reporting.gate.panel import panel
from genrec_eval.reporting.gate.words import asked_of, figure_of, outcome
from genrec_eval.reporting.titles import title_of


def test_the_page_holds_every_rule_figure_and_reason() -> None:
    page = Page(gate_page(gate(incomplete=["80 of 100 cases answered"], warnings=["ndcg@20 is new"])))
    assert not page.faults
    assert not page.open
    for one in ROWS:
        assert one.rule in page.words
        assert one.reason.replace(one.metric, title_of(one.metric)) in page.words
        assert str(one.where) in page.words
        assert asked_of(one) in page.words
        if one.value is not None:
            shown = figure_of(one)
            assert str(shown) in page.words
    for said in (
        "80 of 100 cases answered",
        "ndcg@20 is new",
        "Exit code 1.",
        "About 1,230 units would decide it, if the figure stays.",
    ):
        assert said in page.words
    assert "genrec-eval gate runs/head --baseline baselines/main.json" in page.words
    words = page.words
    assert words.index("1 rule is broken") < words.index("NOT-RUN") < words.index("PASS")


@pytest.mark.parametrize(
    "result", [gate([]), gate([alone()]), gate([row(Ruling.FAIL)], baseline=None, baseline_run=None)]
)
def test_small_gates_have_a_page_and_a_summary(result: GateResult) -> None:
    page = Page(gate_page(result))
    assert not page.faults
    assert outcome(result).sentence in page.words
    assert outcome(result).sentence in gate_summary(result)


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    path = write_gate(hostile(), tmp_path / "gate.html")
    text = path.read_text("utf-8")
    page = Page(text)
    assert not page.faults
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "embed", "link", "base"}]
    for _, given in page.tags:
        assert not [name for name in given if name.startswith("on")]
        assert not re.search(r"javascript:|https?:", f"{given.get('href', '')}{given.get('src', '')}")
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    assert "\u202e" not in text
    assert len(text) < 400_000


def test_the_same_gate_gives_the_same_page() -> None:
    assert gate_page(gate()) == gate_page(gate())


def test_the_panel_keeps_the_hues_of_the_report() -> None:
    found = panel(gate(), ["popularity", "item-knn", "llm"])
    assert 'class="k h1"' in found["markers"]["item-knn"]
    assert len(found["cards"]) + len(found["rest"]) == len(ROWS)


def test_markdown_has_a_row_a_rule_and_no_markup_of_strangers() -> None:
    text = gate_summary(gate())
    assert text.startswith("## Gate: FAIL ✗\n\nThe gate fails: 1 rule is broken")
    assert sum(line.startswith("| **") for line in text.splitlines()) == len(ROWS)
    hard = gate_summary(hostile())
    assert sum(line.startswith("| **") for line in hard.splitlines()) == 2 * len(ROWS)
    for line in hard.splitlines():
        if line.startswith("|"):
            assert line.count("|") == 6
    assert not re.search(r"<(?!/?sub>)|\]\(|(?<!&#)`|@team", hard)
    assert len(hard) < 60_000


def test_json_is_strict_and_whole(tmp_path: Path) -> None:
    result = gate([row(Ruling.FAIL, value=float("nan"), p=float("inf"))])

    def refuse(word: str) -> None:
        raise AssertionError(word)

    data = json.loads(gate_json(result), parse_constant=refuse)
    assert list(data)[:2] == ["schema", "exit_code"]
    assert data["exit_code"] == 1
    assert data["rows"][0]["value"] is None
    path = write_gate_json(hostile(), tmp_path / "gate.json")
    again = json.loads(path.read_bytes())
    assert len(again["rows"]) == 2 * len(ROWS)
    assert again["rows"][0]["reason"].endswith("AAAA")
