"""What was tested stands beside a title, controls stand apart, and what cannot be shown is told once."""

from __future__ import annotations

import io
from dataclasses import replace
from typing import Any

import pytest
from fixture_run import document
from rich.console import Console

from genrec_eval.protocol.results import Ruling
from genrec_eval.reporting.answer import answer, as_planted, expected, sentence, would_decide
from genrec_eval.reporting.caution import cautions, denied, doubts
from genrec_eval.reporting.claimed import bounded, controls, doubt, full_claim, misread, simulated, units
from genrec_eval.reporting.controlled import Control, controlled
from genrec_eval.reporting.markdown import summary
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.terminal import print_results


@pytest.mark.parametrize(
    ("title", "margin", "unit", "rule", "said"),
    [
        ("Finds something for half of the users", 0.7, "", "at_least", "half"),
        ("Finds something for half of the users", 0.5, "", "at_least", ""),
        ("No worse than live by 0.05", 0.01, "", "not_worse_by", "0.05"),
        ("No worse than live by 5 points", 0.05, "share", "not_worse_by", ""),
        ("At least 99 % of lists are whole", 0.01, "share", "at_most", ""),
        ("Lists of 10 from GPT-4.1 by ndcg@10 are good", 0.3, "", "at_least", ""),
        ("Nobody loses", 0.03, "", "not_worse_by", "“Nobody”"),
        ("No group loses more than 0.1", 0.1, "", "not_worse_by", ""),
        ("Everyone gets a list", 0.0, "share", "at_most", ""),
    ],
)
def test_a_title_that_says_another_number_is_told(
    title: str, margin: float, unit: str, rule: str, said: str
) -> None:
    found = misread(title, margin, unit, rule, mean=True)
    assert bool(found) == bool(said)
    assert said in found


def _unexpected() -> tuple[dict[str, Any], dict[str, Any]]:
    """The planted flaw of a model, of which no claim says that it is expected."""
    data = document()
    rows = [row for row in data["verdicts"] if row["gate"] and row["expected"] == "FAIL"]
    assert rows
    for row in rows:
        row["expected"] = "PASS"
    model = rows[0]["model"]
    return data, {"models": {model: {"top-k": {"planted": "duplicate"}}}}


def test_a_flaw_found_in_a_control_is_no_failure_of_a_system() -> None:
    data, run = _unexpected()
    results = Results.read(data)
    flaws = controls(results, run)
    row = next(row for row in results.verdicts if row.gate and as_planted(row, flaws))
    said = answer(results, flaws)
    assert f"Control: 1 claim is about {row.model}, in which a flaw is planted" in said
    assert "find it: it did. The suite does not say that it should fail, so the exit code counts it" in said
    assert "1 claim failed, 1 could not be decided" in said  # of the systems
    assert "2 failed" in answer(results) or "2 claims failed" in answer(results)
    stream = io.StringIO()
    print_results(data, Console(file=stream, width=200), None, run)
    assert "control with a planted flaw (duplicate): found here" in stream.getvalue()
    assert f"{row.model} (with a planted flaw)" in summary(data, run)


def test_a_control_that_nothing_caught_is_said_loudly_and_another_measure_is_no_catch() -> None:
    data, run = _unexpected()
    control = next(iter(run["models"]))
    for row in data["verdicts"]:
        if row["model"] == control:
            row["verdict"] = "PASS"
    data["verdicts"].append(
        {**data["verdicts"][1], "model": control, "metric": "ndcg@10", "claim": "It ranks", "verdict": "FAIL"}
    )
    results = Results.read(data)
    found = controlled(results, controls(results, run))[control]
    assert not found.found
    assert found.otherwise == ("It ranks",)
    stream = io.StringIO()
    print_results(data, Console(file=stream, width=400), None, run)
    assert f"NOT FOUND ! The flaw planted in {control}" in stream.getvalue()
    assert "it fails “It ranks”, by another measure." in summary(data, run)
    other = replace(results.verdicts[-1], claim="Another", verdict=Ruling.PASS)
    caught = Control(control, "Duplicates", ("No item twice",))
    assert caught.tag(other) == "control with a planted flaw (Duplicates), found by “No item twice”"


def test_the_purpose_is_answered_and_what_does_not_hold_is_named() -> None:
    results = Results.read(document())
    said = answer(results, purpose="May it go live?")
    assert said.startswith(
        "Purpose: May it go live? Of its 5 claims 1 failed (“At least 55 % of users get a hit"
    )
    assert sentence([], purpose="x").startswith("The suite makes no claim")


def _grouped(why: str) -> tuple[Results, dict[str, Any]]:
    data = document()
    row = next(row for row in data["verdicts"] if row["slice"] == "gender=F")
    row["verdict"] = "PASS"
    for estimate in data["estimates"]:
        if (estimate["slice"], estimate["model"]) == ("gender=F", row["model"]):
            estimate["n"] = 28
    risks = [{"risk": "Some groups are served worse", "why_not": why}]
    return Results.read(data), {"suite": {"audit": {"risks": risks}}}


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("Too few users of gender F to tell", True),
        ("No time.", True),
        ("Nobody of gender=M was asked", False),
    ],
)
def test_a_verdict_on_a_group_carries_the_doubt_that_the_suite_states(why: str, told: bool) -> None:
    results, run = _grouped(why)
    found = denied(run, ("gender=F", "gender=M"))
    assert bool(doubts(found, "gender=F", 300)) is told
    assert doubts(found, "all", 300) == ""
    said = cautions(results, run)
    assert [row.slice for row in said] == ["gender=F"]
    assert next(iter(said.values())).startswith("Only 28 units")
    assert "with a warning" in answer(results, warned=said)


def test_a_claim_and_a_check_on_one_figure_are_one_thing() -> None:
    data, _ = _unexpected()
    results = Results.read(data)
    places = expected(results.verdicts)
    assert len(places) == 1
    assert "told by a claim" in answer(results)
    assert "**FINDING**" not in summary(data)


def test_what_was_tested_stands_beside_every_claim() -> None:
    data = document()
    results = Results.read(data)
    stream = io.StringIO()
    print_results(data, Console(file=stream, width=400))
    for row in results.verdicts:
        if row.gate:
            assert full_claim(results, row) in stream.getvalue()
            assert isinstance(doubt(results, row), str)
            assert units(results, row).startswith(("n ", "difference; n ")) or row.value is None


def test_what_was_never_seen_is_told_once_with_what_the_data_hold() -> None:
    data = document()
    checks = [row for row in data["verdicts"] if not row["gate"] and row["rule"] == "at_most"]
    names = {(row["metric"], row["model"]) for row in checks}
    for row in checks:
        row |= {
            "verdict": "INSUFFICIENT",
            "value": 0.0,
            "low": 0.0,
            "high": 0.0122,
            "needed": 368,
            "margin": 0.01,
        }
    for row in data["estimates"]:
        if (row["metric"], row["model"]) in names and row["slice"] == "all":
            row |= {"interval": "constant", "n": 300}
    results = Results.read(data)
    rows = [row for row in results.verdicts if not row.gate and row.verdict is Ruling.INSUFFICIENT]
    scenario = rows[0].scenario
    told = bounded(results, rows, {scenario: 490})
    assert list(told) == [
        "None in 300 units bounds the share at 1.2 %, and at most 1 % is asked: 368 units would show it,"
        " if none is found in them either; the data hold 490."
    ]
    assert "cannot be shown" in next(iter(bounded(results, rows, {scenario: 300})))


def test_more_units_than_the_data_hold_are_no_advice() -> None:
    results = Results.read(document())
    row = next(row for row in results.verdicts if row.needed)
    assert "cannot decide it" in would_decide(row, 10)
    assert would_decide(row, 10**9).endswith("if the figure stays; the data hold 1,000,000,000.")


def test_synthetic_data_are_named() -> None:
    assert simulated({"data": {"w": {"name": "synthetic"}}}).startswith("The data are synthetic")
    mixed = {"data": {"w": {"name": "synthetic"}, "ml": {"name": "MovieLens"}}}
    assert simulated(mixed).startswith("Of the data, w is synthetic")
    assert simulated({"data": {"ml": {"name": "MovieLens"}}}) == ""
