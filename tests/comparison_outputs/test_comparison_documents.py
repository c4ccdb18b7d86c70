"""Markdown, JSON and page of a comparison say what the object says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from comparison_fixture import (
    AFTER,
    BEFORE,
    COUNTS,
    DIFFERENCES,
    FLIPS,
    SETTINGS,
    comparison,
    difference,
    empty,
    hostile,
)
from hypothesis import given
from hypothesis import strategies as st
from parsed_page import Page

from genrec_eval.audit.comparing.types import Change
from genrec_eval.reporting.comparison.flips import entries, groups
from genrec_eval.reporting.comparison.forest import scales
from genrec_eval.reporting.comparison.html import comparison_page, write_comparison
from genrec_eval.reporting.comparison.json import comparison_json, write_comparison_json
from genrec_eval.reporting.comparison.markdown import comparison_summary
from genrec_eval.reporting.comparison.panel import panel
from genrec_eval.reporting.comparison.words import answer, figure_of
from genrec_eval.reporting.titles import title_of


@pytest.fixture(scope="module")
def page() -> Page:
    return Page(comparison_page(comparison(remarks=["Twelve tests are adjusted together."])))


def test_the_page_holds_everything_in_the_order_of_a_reader(page: Page) -> None:
    assert not page.faults
    assert not page.open
    wanted = [
        answer(comparison()),
        "UNSOUND",
        "Twelve tests are adjusted together.",
        "Settings that differ",
        "sha256:0f3a",
        "How units were paired",
        "u40",
        "Differences, after minus before",
        "WORSE",
        "BETTER",
        "DIFFERENT",
        "INCONCLUSIVE",
        "EQUIVALENT",
        "NOT COMPARED",
        "By gender: 1 figure is worse, 1 undecided of 2.",
        "Answers that flipped",
        "What could not be compared",
        "ndcg@20 is only in the reference",
    ]
    at = -1
    for one in wanted:
        at = page.words.index(one, at + 1)
    for row in DIFFERENCES:
        assert row.reason.replace(row.metric, title_of(row.metric)) in page.words
        if row.value is not None:
            shown = figure_of(row)
            assert str(shown) in page.words
    for setting in SETTINGS:
        assert setting.name in page.words
    for row in COUNTS:
        assert f"{row['count']:,}" in page.words


def test_changed_words_and_items_are_marked(page: Page) -> None:
    assert {"Ronin", "Aliens", "slow"} <= set(page.inside["del"])
    assert {"Jaws", "Brazil", "Collateral", "fast"} <= set(page.inside["ins"])
    assert "Heat" not in [*page.inside["ins"], *page.inside["del"]]
    assert "up 2" in page.words
    assert "no answer within 30 s" in page.words
    assert "more characters" in page.words


def test_long_texts_fold_and_come_back_whole() -> None:
    text = next(group.flips[0] for group in groups(comparison()) if group.metric == "supported")
    for side, whole in zip(text.sides, (BEFORE * 6, AFTER * 6), strict=True):
        assert side.head is not None
        assert side.tail
        assert "".join(part for part, _ in [*side.head, *side.tail]) == whole
        assert side.folded == sum(len(part) for part, _ in side.tail)


@given(st.lists(st.sampled_from("abcde"), max_size=8), st.lists(st.sampled_from("abcde"), max_size=8))
def test_items_that_stay_are_in_both_and_those_that_do_not_are_marked(
    before: list[str], after: list[str]
) -> None:
    old, new = entries(before, after)
    assert [one.item for one in old] == before
    assert [one.item for one in new] == after
    stayed = [sorted(one.item for one in side if one.mark in ("", "moved")) for side in (old, new)]
    assert stayed[0] == stayed[1]
    assert sum(one.mark == "out" for one in old) == len(before) - len(stayed[0])
    if before == after:
        assert not any(one.mark for one in [*old, *new])


def test_no_difference_lies_in_the_middle_of_every_scale() -> None:
    for metric, scale in scales(DIFFERENCES).items():
        assert scale.at(0.0) == 50.0, metric
        assert scale.high == -scale.low
    assert scales([difference(value=None, low=None, high=None)])["ndcg@10"].at(0.0) == 50.0
    assert scales([difference(value=0.0, low=0.0, high=0.0)])["ndcg@10"].at(0.0) == 50.0


def test_many_figures_that_did_not_change_fold() -> None:
    rows = [difference(Change.EQUIVALENT, metric=f"ndcg@{n}") for n in range(1, 31)]
    found = panel(comparison(differences=[*rows, difference()]))
    assert [(body.word, body.folded) for body in found["bodies"]] == [("WORSE", False), ("EQUIVALENT", True)]
    page = Page(comparison_page(comparison(differences=rows)))
    assert not page.faults
    assert "NDCG@30" in page.words


def test_the_panel_of_a_report_keeps_its_hues_and_quotes_no_flips() -> None:
    found = panel(comparison(), ["popularity", "item-knn"])
    assert 'class="k h1"' in found["markers"]["item-knn"]
    assert found["flips"] == []
    assert found["flip_counts"]
    assert sum(len(group.flips) for group in panel(comparison(), flips=True)["flips"]) == len(FLIPS)


def test_two_runs_without_anything_in_common_have_a_page() -> None:
    page = Page(comparison_page(empty()))
    assert not page.faults
    assert "Nothing could be compared." in page.words
    assert "No setting differs between the two runs." in page.words
    assert "Nothing could be compared" in comparison_summary(empty())


def test_hostile_text_is_shown_and_does_nothing(tmp_path: Path) -> None:
    text = write_comparison(hostile(), tmp_path / "comparison.html").read_text("utf-8")
    page = Page(text)
    assert not page.faults
    assert [tag for tag, _ in page.tags].count("script") == 1
    assert not [
        tag for tag, _ in page.tags if tag in {"img", "iframe", "object", "embed", "link", "base", "form"}
    ]
    for _, given_attributes in page.tags:
        assert not [name for name in given_attributes if name.startswith("on")]
        assert not re.search(
            r"javascript:|https?:", f"{given_attributes.get('href', '')}{given_attributes.get('src', '')}"
        )
    assert "<script>alert(1)</script>" in page.words
    assert "{{ 7*7 }}" in page.words
    assert "\u202e" not in text
    assert "more are not quoted" in page.words
    assert len(text) < 1_000_000


def test_the_same_comparison_gives_the_same_page() -> None:
    assert comparison_page(comparison()) == comparison_page(comparison())


def test_markdown_says_the_same_and_strangers_mark_nothing_up() -> None:
    text = comparison_summary(comparison())
    assert text.index("**WARNING**") < text.index("### Settings that differ") < text.index("**WORSE** ✗")
    assert text.index("**WORSE** ✗") < text.index("**BETTER** ✓") < text.index("**INCONCLUSIVE** ?")
    assert text.index("### Flips") < text.index("### What could not be compared")
    hard = comparison_summary(hostile())
    assert not re.search(r"<[a-z/]|\]\(|(?<!&#)`|@team", hard)
    widths = {line.count("|") for line in hard.splitlines() if line.startswith("|")}
    assert widths <= {6, 7, 8}
    assert len(hard) < 100_000


def test_json_is_strict_and_whole(tmp_path: Path) -> None:
    def refuse(word: str) -> None:
        raise AssertionError(word)

    found = comparison(differences=[difference(value=float("nan"), high=float("inf"))])
    data = json.loads(comparison_json(found), parse_constant=refuse)
    assert list(data)[:2] == ["schema", "sound"]
    assert data["sound"] is False
    assert data["differences"][0]["value"] is None
    again = json.loads(write_comparison_json(hostile(), tmp_path / "c.json").read_bytes())
    assert len(again["flips"]) == len(FLIPS)
    assert again["flips"][0]["reference"]["text"].endswith("AAAA")
