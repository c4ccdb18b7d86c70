"""What the terminal says of a comparison: settings first, worst first, nothing hidden."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from comparison_fixture import SETTINGS, comparison, difference, empty, hostile
from rich.console import Console

from genrec_eval.audit.comparing.types import Change, Claimed, Comparison
from genrec_eval.reporting.comparison.terminal import print_comparison
from genrec_eval.reporting.comparison.words import answer, asides, caution, overall, tally


def printed(found: Comparison, width: int = 200, **more: Any) -> str:
    stream = io.StringIO()
    print_comparison(found, Console(file=stream, width=width, **more))
    return stream.getvalue()


def flat(text: str) -> str:
    return " ".join(text.split())


@pytest.mark.parametrize("width", [50, 200])
def test_it_says_everything_in_the_order_of_a_reader(width: int) -> None:
    text = flat(printed(comparison(remarks=["Twelve tests are adjusted together."]), width))
    assert text.startswith(
        "runs/head against runs/main Data movielens sha256:0f3a → sha256:91bc; neighbours of"
    )
    wanted = [
        "Twelve tests are adjusted together.",
        "WARNING ! The runs differ in more than their models: data.",
        "Settings that differ",
        "unsound ! data movielens: sha256:0f3a → sha256:91bc",
        "model item-knn: neighbours: 50 → 100",
        "version numpy: 2.1.0 → none",
        "top-k: 943 units paired; 3 only in the reference, 2 asked something else",
        "u40, u41",
        "explanation: 100 units paired, all that there are",
        "WORSE ✗ ndcg@10",
        "BETTER ✓ coverage@10",
        "DIFFERENT ≠ popularity@10",
        "INCONCLUSIVE ? recall@10",
        "EQUIVALENT = hit_rate@10",
        "NOT COMPARED - brier",
        "item-knn's brier has no value in both runs: no unit has a probability",
        "By gender: 1 figure is worse, 1 undecided of 2.",
        "WORSE ✗ ndcg@10 · gender=F",
        "ndcg@10 · item-knn · top-k: 1,234 lost, 12 gained",
        "status · llm · explanation: 5 status",
        "What could not be compared - popularity in top-k: ndcg@20 is only in the reference",
    ]
    places = [text.index(one) for one in wanted]
    assert places == sorted(places)
    assert "−0.022 ± 0.009" in text
    assert "6.1 ± 2.1 points" in text


@pytest.mark.parametrize("width", [40, 80, 120, 200])
def test_it_fits_its_width(width: int) -> None:
    for found in (comparison(), hostile(), empty()):
        assert all(len(line.rstrip()) <= width for line in printed(found, width).splitlines())


def test_many_figures_that_did_not_change_are_named_in_one_line() -> None:
    rows = [difference(Change.EQUIVALENT, metric=f"ndcg@{n}") for n in range(1, 31)]
    text = flat(printed(comparison(differences=[*rows, difference()], flips=(), flip_counts=())))
    assert "EQUIVALENT = 30 figures: ndcg@1; ndcg@2;" in text
    assert "ndcg@30" in text
    assert text.count("EQUIVALENT") == 1


def test_nothing_in_common_is_said() -> None:
    text = printed(empty())
    assert "Nothing could be compared." in text
    assert "No setting differs between the two runs." in text


def test_models_that_are_not_the_same_are_told_apart() -> None:
    rows = [difference(), difference(Change.BETTER, model="new", reference_model="old")]
    text = printed(comparison(differences=rows))
    assert "NDCG@10 of item-knn is worse; NDCG@10 of new against old is better." in text
    assert "ndcg@10 · new against old" in text


def test_a_pipe_gets_no_colour_and_no_command_of_a_ci_service() -> None:
    for width in (60, 200):
        text = printed(hostile(), width)
        assert "\x1b" not in text
        assert not re.search(r"^\s*::|##\[", text, re.MULTILINE)
        assert "\u202e" not in text
        assert len(text) < 100_000
    assert "\x1b[" in printed(comparison(), force_terminal=True, color_system="standard")
    stream = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    print_comparison(comparison(), Console(file=stream, width=120))
    stream.seek(0)
    assert "-0.022 +/- 0.009" in stream.read()


@pytest.mark.parametrize("change", list(Change))
def test_every_change_has_its_sentence(change: Change) -> None:
    assert tally([difference(change)], "metric").startswith("1 metric is ")
    assert tally([difference(change)] * 3, "metric").startswith("All 3 metrics are ")


def test_sentences_count_what_the_object_holds() -> None:
    found = comparison()
    assert answer(found).endswith(
        "NDCG@10 is worse; Coverage@10 is better; Popularity@10 is different without a better side;"
        " Recall@10 is undecided; 1 equivalent, 1 not compared."
    )
    claims = [
        Claimed(
            claim="It ranks", scenario="s", model="m", metric="ndcg@10", slice="all", before=one, after="PASS"
        )
        for one in ("FAIL", "PASS")
    ]
    assert answer(comparison(claims=claims)).endswith("1 claim changed its verdict: “It ranks” FAIL → PASS.")
    assert answer(comparison(claims=claims[1:])).endswith(" No claim changed its verdict.")
    assert caution(found).startswith("The runs differ in more than their models: data.")
    assert caution(comparison(settings=SETTINGS[1:])) == ""
    assert "Flips: 1,234 lost, 12 gained, 5 changed status, 2 changed." in asides(found)
    assert "3 units are in only one of the runs." in asides(found)


def test_a_unit_that_flips_under_two_metrics_counts_once_and_its_groups_are_named() -> None:
    counts = [
        {"scenario": "s", "model": "m", "metric": "ndcg@10", "kind": "lost", "count": 23},
        {
            "scenario": "s",
            "model": "m",
            "metric": "hit_rate@10",
            "kind": "lost",
            "count": 23,
            "as": "ndcg@10",
        },
        {"scenario": "s", "model": "m", "metric": "peeking@10", "kind": "lost", "count": 4},
    ]
    units = [
        {"scenario": "s", "model": "m", "kind": "lost", "count": 25, "of": 300, "groups": {"g=A": [25, 90]}}
    ]
    found = comparison(flip_counts=counts, flip_units=units, flips=())
    assert "Flips: 25 lost." in asides(found)
    assert "Lost by m in s: 25 of 300; g=A 25 of 90." in asides(found)
    assert "ndcg@10, hit_rate@10 · m · s: 23 lost" in flat(printed(found))


def test_figures_identical_for_every_unit_are_one_line_a_model_without_interval_and_p() -> None:
    same = {"value": 0.0, "low": -0.01, "high": 0.01, "p": 1.0, "p_adjusted": 1.0, "detectable": None}
    rows = [difference(Change.UNCHANGED, metric=f"ndcg@{n}", **same) for n in range(1, 4)]
    text = flat(printed(comparison(differences=[*rows, difference()], flips=(), flip_counts=())))
    assert "UNCHANGED = item-knn in top-k: 3 figures identical for every unit: ndcg@1, ndcg@2, ndcg@3" in text
    assert "± 0.01" not in text


def test_what_claims_are_about_stands_before_the_rest_but_after_what_is_worse() -> None:
    rows = [
        difference(Change.BETTER, metric="peeking@10"),
        difference(Change.INCONCLUSIVE, metric="ndcg@10", ruled=True),
        difference(Change.WORSE, metric="recall@10"),
    ]
    assert [row.metric for row in overall(comparison(differences=rows))] == [
        "recall@10",
        "ndcg@10",
        "peeking@10",
    ]
