"""Published figures: ours is held against them as a number, whatever its interval."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.audit.published import decide_published, difference
from genrec_eval.audit.verdicts import Evidence, check_verdicts, claim_verdicts, exit_code
from genrec_eval.core.errors import Exit
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict
from genrec_eval.reporting.reproduced import folded, reproduced, told, told_apart
from genrec_eval.reporting.results import Results
from genrec_eval.scenarios.base import Check
from genrec_eval.suite.schema import Claim


def estimate(value: float | None, model: str = "judge", **change: Any) -> Estimate:
    fields: dict[str, Any] = {
        "model": model, "scenario": "pairs", "metric": "accuracy", "definition": "accuracy", "low": None,
        "high": None, "interval": None, "n": 9, "attempted": 10, "answered": 2, "scored": 9,
        "direction": "higher",
    }  # fmt: skip
    return Estimate(value=value, **{**fields, **change})


def evidence(*rows: Estimate) -> Evidence:
    ran = [Coverage(model=row.model, scenario="pairs", state="run", attempted=10, answered=2) for row in rows]
    return Evidence.of(rows, ran, 0.05, {"accuracy": "share"})


def check(value: float, **change: Any) -> Check:
    fields = {"claim": "as published", "metric": "accuracy", "tolerance": 0.001, "gate": True}
    return Check(rule="published", margin=value, **{**fields, **change})


@pytest.mark.parametrize(
    ("ours", "ruling"), [(0.505, "PASS"), (0.495, "PASS"), (0.5051, "FAIL"), (0.4949, "FAIL")]
)
def test_as_near_as_the_tolerance_and_no_further(ours: float, ruling: str) -> None:
    claim = Claim.model_validate(
        {"claim": "c", "scenario": "pairs", "metric": "accuracy", "model": "judge", "published": 0.5}
        | {"tolerance": 0.005}
    )
    (found,) = claim_verdicts([claim], evidence(estimate(ours)), ["suite.yaml:9"])
    assert found.verdict == ruling  # though there is no interval, and few answers came
    assert (found.rule, found.margin, found.tolerance) == ("published", 0.5, 0.005)
    assert found.gate


@given(st.floats(-100, 100), st.floats(-1, 1), st.floats(0, 1))
def test_a_difference_beyond_the_tolerance_fails(published: float, off: float, tolerance: float) -> None:
    ruling, said = decide_published(published, tolerance, estimate(published + off))
    apart = abs(published + off - published)
    if apart > tolerance * 1.001:
        assert ruling is Ruling.FAIL
    if apart <= tolerance:
        assert ruling is Ruling.PASS
    assert "published" in said


def test_the_sentence_has_ours_the_published_and_the_difference() -> None:
    said = decide_published(0.6677, 0.00005, estimate(0.667668), "share")[1]
    assert said == (
        "judge's accuracy is 66.7668 %, published 66.77 % (difference −0.0032 points, allowed 0.005)"
    )
    exact = decide_published(1.0, 0.0, estimate(1.0))
    assert exact == (Ruling.PASS, "judge's accuracy is 1, published 1 (difference 0, allowed 0)")
    assert difference(-1.0) == "−1.0"


def test_no_value_is_no_reproduction() -> None:
    ruling, said = decide_published(0.5, 0.1, estimate(None, reason="no unit is scored"))
    assert (ruling, said) == (Ruling.INSUFFICIENT, "judge's accuracy has no value: no unit is scored")


def test_checks_of_the_data_name_model_and_group_and_gate() -> None:
    rows = [estimate(0.5), estimate(0.9, slice="category=x"), estimate(0.5, "other")]
    checks = [
        check(0.5, model="judge"),
        check(0.1, model="judge", slice="category=x"),
        check(0.5, model="absent"),
        check(0.5, model="other", metric="kappa"),
    ]
    found = check_verdicts(checks, "pairs", ["judge", "other"], evidence(*rows))
    assert [(row.model, row.slice, row.verdict) for row in found] == [
        ("judge", "all", "PASS"),
        ("judge", "category=x", "FAIL"),
        ("other", "all", "NOT-RUN"),
    ]
    assert all(row.gate for row in found)
    assert exit_code(found, [], 0.05) is Exit.CLAIM_FAILED
    assert exit_code([found[0], found[2]], [], 0.05) is Exit.INCOMPLETE


def test_data_that_are_not_there_leave_a_run_incomplete() -> None:
    missing = Coverage(model="judge", scenario="pairs", state="not-run", reason="no such folder", due=True)
    assert exit_code([], [missing], 0.05) is Exit.INCOMPLETE
    by_design = Coverage(model="judge", scenario="pairs", state="not-run", reason="does not list it")
    assert exit_code([], [by_design], 0.05) is Exit.PASS
    claim = Claim.model_validate(
        {"claim": "c", "scenario": "pairs", "metric": "accuracy", "model": "judge", "published": 0.5}
        | {"tolerance": 0.005}
    )
    (found,) = claim_verdicts([claim], Evidence.of([], [missing], 0.05))
    assert found.verdict is Ruling.NOT_RUN
    assert found.reason == "judge was not run in 'pairs': no such folder"


def verdicts(*ours: float) -> list[Verdict]:
    models = [f"m{number}" for number in range(len(ours))]
    rows = [estimate(value, model) for value, model in zip(ours, models, strict=True)]
    checks = [check(0.1 * number, model=model) for number, model in enumerate(models)]
    return check_verdicts(checks, "pairs", models, evidence(*rows))


def results(rows: list[Verdict]) -> Results:
    return Results.read(
        {
            "run": "r",
            "estimates": [],
            "verdicts": [row.to_json() for row in rows],
            "coverage": [],
            "definitions": {"accuracy": {"title": "Accuracy", "unit": "share"}},
        }
    )


def test_figures_of_the_data_are_told_together_and_those_that_fail_alone() -> None:
    rows = verdicts(0.0005, 0.1, 0.2, 0.3, 0.35)
    assert [folded(row) for row in rows] == [True, True, True, True, False]
    (fold,) = reproduced(rows)
    assert (fold.held, fold.count, fold.missing) == (4, 5, 0)
    assert fold.rows[0].model == "m4"
    assert fold.greatest == pytest.approx(0.05)
    read = results(rows)
    assert told(fold, read) == (
        "4 of 5 published figures reproduced: Accuracy, greatest difference 5.0 points,"
        " rank correlation over models 1.000"
    )
    assert told_apart(fold.rows[0], read) == ("35.00 %", "40 %", "−5.0")
    assert reproduced(read.verdicts)[0].held == 4  # estimates.json keeps all that is needed


def test_ranks_of_few_models_say_nothing() -> None:
    (fold,) = reproduced(verdicts(0.0, 0.1))
    assert fold.rank is None
    claimed = Claim.model_validate(
        {"claim": "c", "scenario": "pairs", "metric": "accuracy", "model": "judge", "published": 0.5}
        | {"tolerance": 0.005}
    )
    own = claim_verdicts([claimed], evidence(estimate(0.5)), ["suite.yaml:9"])
    assert reproduced(own) == []  # a claim of the suite has a row of its own
