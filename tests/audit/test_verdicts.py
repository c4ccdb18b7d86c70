"""Claims to verdicts, and verdicts to the exit code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fake_run import FakeRun, K
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.audit.audit import audit_run, outcome
from genrec_eval.audit.rules import RULES
from genrec_eval.audit.verdicts import Evidence, check_verdicts, claim_verdicts, exit_code, turned
from genrec_eval.core.errors import Exit
from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.results import Coverage, Direction, Estimate, Ruling, Verdict
from genrec_eval.scenarios.base import Check
from genrec_eval.suite.schema import Claim


def estimate(value: float | None, low: float | None, high: float | None, **change: Any) -> Estimate:
    fields: dict[str, Any] = {
        "model": "knn", "scenario": "top-k", "metric": "ndcg@10", "definition": "ndcg(ideal=k)@10",
        "interval": "bootstrap", "n": 200, "attempted": 200, "answered": 200, "scored": 200,
        "direction": "higher",
    }  # fmt: skip
    return Estimate(value=value, low=low, high=high, **{**fields, **change})


def ran(*models: str) -> list[Coverage]:
    return [Coverage(model=m, scenario="top-k", state="run", attempted=200, answered=200) for m in models]


def judged(rule: str, margin: float, *estimates: Estimate, **change: Any) -> Verdict:
    against = estimates[0].baseline if estimates else None
    fields = {"claim": "c", "scenario": "top-k", "metric": "ndcg@10", "model": "knn", "against": against}
    claim = Claim.model_validate({**fields, rule: margin, **change})
    evidence = Evidence.of(estimates, ran("knn", "pop"), 0.05)
    return claim_verdicts([claim], evidence, ["suite.yaml:12"])[0]


@pytest.mark.parametrize(
    ("rule", "margin", "low", "high", "ruling"),
    [
        ("at_least", 0.2, 0.2, 0.3, "PASS"),
        ("at_least", 0.2, 0.1, 0.2, "INSUFFICIENT"),
        ("at_least", 0.2, 0.1, 0.19, "FAIL"),
        ("at_most", 0.2, 0.1, 0.2, "PASS"),
        ("at_most", 0.2, 0.2, 0.3, "INSUFFICIENT"),
        ("at_most", 0.2, 0.21, 0.3, "FAIL"),
        ("better_by", 0.0, 0.01, 0.02, "PASS"),
        ("better_by", 0.0, 0.0, 0.02, "INSUFFICIENT"),
        ("better_by", 0.0, -0.02, 0.0, "FAIL"),
        ("better_by", 0.1, 0.05, 0.1, "FAIL"),
        ("not_worse_by", 0.1, -0.1, 0.3, "PASS"),
        ("not_worse_by", 0.1, -0.2, -0.05, "INSUFFICIENT"),
        ("not_worse_by", 0.1, -0.3, -0.11, "FAIL"),
        ("within", 0.1, -0.1, 0.1, "PASS"),
        ("within", 0.1, -0.1, 0.2, "INSUFFICIENT"),
        ("within", 0.1, 0.11, 0.2, "FAIL"),
        ("within", 0.1, -0.2, -0.11, "FAIL"),
    ],
)
@pytest.mark.parametrize("direction", ["higher", "lower"])
def test_how_an_interval_decides(
    rule: str, margin: float, low: float, high: float, ruling: str, direction: Direction
) -> None:
    """A metric where lower is better sees the same difference with its sign turned."""
    if rule in ("better_by", "not_worse_by") and direction == "lower":
        low, high = -high, -low
    baseline = "pop" if rule in ("better_by", "not_worse_by", "within") else None
    found = judged(
        rule, margin, estimate((low + high) / 2, low, high, baseline=baseline, direction=direction)
    )
    assert found.verdict == ruling
    assert (found.needed is not None) <= (ruling == "INSUFFICIENT")
    assert found.where == "suite.yaml:12"
    assert found.gate


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.001, 1), st.sampled_from(sorted(RULES)))
def test_no_interval_both_passes_and_fails(a: float, b: float, margin: float, rule: str) -> None:
    low, high = sorted((a, b))
    assert not (RULES[rule].passes(low, high, margin) and RULES[rule].fails(low, high, margin))


@given(st.floats(-1, 1), st.floats(-1, 1), st.floats(0.001, 1), st.sampled_from(sorted(RULES)))
def test_a_wider_interval_never_decides_more(a: float, b: float, margin: float, rule: str) -> None:
    low, high = sorted((a, b))
    wider = RULES[rule].decide(low - 0.1, high + 0.1, margin)
    assert wider in (Ruling.INSUFFICIENT, RULES[rule].decide(low, high, margin))


@pytest.mark.parametrize(
    ("rule", "margin", "found", "sentence"),
    [
        ("better_by", 0, (0.0812, 0.0713, 0.0921),
         "knn's ndcg@10 differs from pop's by 0.081 (0.071 to 0.092), so it is better"),
        ("better_by", 0, (-0.081, -0.092, -0.071),
         "knn's ndcg@10 differs from pop's by −0.081 (−0.092 to −0.071), so it is not better"),
        ("better_by", 0, (0.01, -0.02, 0.04),
         "knn's ndcg@10 differs from pop's by 0.010 (−0.020 to 0.040), which leaves open whether it is "
         "better"),
        ("better_by", 0.05, (0.0812, 0.0713, 0.0921),
         "knn's ndcg@10 differs from pop's by 0.081 (0.071 to 0.092), better by more than 0.05"),
        ("not_worse_by", 0.02, (-0.01, -0.015, -0.005),
         "knn's ndcg@10 differs from pop's by −0.010 (−0.015 to −0.005), not worse by more than the "
         "allowed 0.02"),
        ("within", 0.1, (0.0, -0.01, 0.01),
         "knn's ndcg@10 equals pop's (difference −0.010 to 0.010), inside the allowed difference of 0.1"),
        ("at_least", 0.1, (0.2, 0.15, 0.25),
         "knn's ndcg@10 is 0.20 (0.15 to 0.25), at least the required 0.1"),
        ("at_most", 0.1, (0.2, 0.15, 0.25),
         "knn's ndcg@10 is 0.20 (0.15 to 0.25), above the allowed 0.1"),
        ("at_least", 0.25, (0.3, 0.2, 0.4),
         "knn's ndcg@10 is 0.30 (0.20 to 0.40), which leaves open whether it is at least 0.25"),
    ],
)  # fmt: skip
def test_the_reason_in_words(
    rule: str, margin: float, found: tuple[float, float, float], sentence: str
) -> None:
    baseline = "pop" if rule in ("better_by", "not_worse_by", "within") else None
    assert judged(rule, margin, estimate(*found, baseline=baseline)).reason == sentence


def test_shares_are_told_in_percent_and_their_differences_in_points() -> None:
    flaw: dict[str, Any] = {"model": "stutterer", "metric": "duplicate@10", "direction": "lower"}
    alone = estimate(0.3, 0.2987, 0.3012, **flaw)
    beside = estimate(0.3, 0.2987, 0.3012, baseline="pop", **flaw)
    evidence = Evidence.of([alone, beside], ran("stutterer", "pop"), 0.05, {"duplicate@10": "share"})
    claim = {"claim": "c", "scenario": "top-k", "metric": "duplicate@10", "model": "stutterer"}
    claims = [
        Claim.model_validate({**claim, "at_most": 0.01}),
        Claim.model_validate({**claim, "against": "pop", "not_worse_by": 0.01}),
    ]
    assert [v.reason for v in claim_verdicts(claims, evidence)] == [
        "stutterer's duplicate@10 is 30.00 % (29.87 to 30.12), above the allowed 1 %",
        "stutterer's duplicate@10 differs from pop's by 30.00 percentage points (29.87 to 30.12), worse "
        "by more than the allowed 1 percentage point",
    ]


def test_how_many_units_would_decide() -> None:
    open_ = judged("at_least", 0.25, estimate(0.3, 0.2, 0.4))
    assert open_.needed == 801  # half the half-width takes four times the units
    none_seen = estimate(0.0, 0.0, 0.037, n=100, interval="wilson")
    assert judged("at_most", 0.01, none_seen).needed == 381  # z² (1 - p) / p, far below 100 (3.7 / 1)²
    assert judged("better_by", 0, estimate(0.0, -0.01, 0.01, baseline="pop")).needed is None
    assert judged("at_least", 0.3, estimate(0.3, 0.2, 0.4)).needed is None


@pytest.mark.parametrize("spelling", ["ndcg@10", " ndcg@10 ", "ndcg(ideal=k)@10", "ndcg( ideal = k )@10"])
def test_a_metric_may_be_spelled_out(spelling: str) -> None:
    found = judged("at_least", 0.1, estimate(0.2, 0.15, 0.25), metric=spelling)
    assert (found.verdict, found.metric) == (Ruling.PASS, "ndcg@10")


def test_what_was_hardly_answered_says_so_before_it_says_that_it_has_no_value() -> None:
    nothing = estimate(None, None, None, reason="no unit is scored", interval=None, n=0, scored=0, answered=0)
    found = judged("at_least", 0.1, nothing)
    assert found.verdict is Ruling.INSUFFICIENT
    assert found.reason == "only 0 % of the cases were answered by knn, and a decision needs 95 %"
    nearly = judged("at_least", 0.1, estimate(0.2, 0.15, 0.25, n=9990, attempted=9990, answered=9488))
    assert nearly.reason == "only 94.97 % of the cases were answered by knn, and a decision needs 95 %"


def test_how_many_units_a_bound_on_the_unseen_needs() -> None:
    """The rule of three: 0 of n is known to be below p once n is about 3.7 / p (two-sided 95 %)."""
    seen_none = estimate(0.0, 0.0, 0.0126, n=290, interval="constant")
    assert judged("at_most", 0.01, seen_none).needed == pytest.approx(367, abs=2)
    for n in (100, 300):
        high = 1 - 0.025 ** (1 / n)
        needed = judged("at_most", 0.01, estimate(0.0, 0.0, high, n=n, interval="constant")).needed
        assert needed == 368
        assert 1 - 0.025 ** (1 / needed) <= 0.01 < 1 - 0.025 ** (1 / (needed - 1))
    assert judged("at_most", 0.01, estimate(0.1, 0.0, 0.2, interval="jackknife")).needed is None


def test_a_pair_stored_the_other_way_is_turned_round() -> None:
    stored = estimate(0.1, 0.05, 0.2, model="pop", baseline="knn")
    claim = {"claim": "c", "scenario": "top-k", "metric": "ndcg@10", "model": "knn", "against": "pop"}
    evidence = Evidence.of([stored], ran("knn", "pop"), 0.05)
    found = claim_verdicts([Claim.model_validate({**claim, "better_by": 0})], evidence)[0]
    assert (found.verdict, found.value, found.low, found.high) == (Ruling.FAIL, -0.1, -0.2, -0.05)
    assert turned(turned(stored)) == stored


def test_too_few_answers_decide_nothing() -> None:
    for low, high in ((0.3, 0.5), (0.0, 0.1)):
        found = judged("at_least", 0.2, estimate((low + high) / 2, low, high, answered=122))
        assert found.verdict is Ruling.INSUFFICIENT
        assert found.reason == "only 61 % of the cases were answered by knn, and a decision needs 95 %"
    assert judged("at_least", 0.2, estimate(0.4, 0.3, 0.5, answered=190)).verdict is Ruling.PASS


@pytest.mark.parametrize(
    ("change", "found", "ruling", "sentence"),
    [
        ({"metric": "ndgc@10"}, estimate(1, 1, 1), "NOT-RUN",
         "measures no 'ndgc@10'; did you mean 'ndcg@10'?"),
        ({"slice": "sex=f"}, estimate(1, 1, 1), "NOT-RUN", "'top-k' has no 'sex=f' for ndcg@10"),
        ({"model": "gpt"}, estimate(1, 1, 1), "NOT-RUN", "gpt was not run in 'top-k'"),
        ({}, estimate(None, None, None, reason="no unit is scored", n=0), "INSUFFICIENT",
         "has no value: no unit"),
        ({}, estimate(1, None, None, reason="one unit says nothing", n=1), "INSUFFICIENT",
         "is 1 without an interval: one unit says nothing"),
    ],
)  # fmt: skip
def test_what_cannot_be_decided_says_why(
    change: dict[str, Any], found: Estimate, ruling: str, sentence: str
) -> None:
    verdict = judged("at_least", 0.2, found, **change)
    assert verdict.verdict == ruling
    assert sentence in verdict.reason


def test_a_model_that_was_not_run_gives_its_reason() -> None:
    missing = Coverage(model="gpt", scenario="top-k", state="not-run", reason="the key was refused (401)")
    claim = {"claim": "c", "scenario": "top-k", "metric": "ndcg@10", "model": "knn", "against": "gpt"}
    evidence = Evidence.of([estimate(0.1, 0.05, 0.2)], [*ran("knn"), missing], 0.05)
    found = claim_verdicts([Claim.model_validate({**claim, "better_by": 0})], evidence)[0]
    assert (found.verdict, found.value) == (Ruling.NOT_RUN, None)
    assert found.reason == "gpt was not run in 'top-k': the key was refused (401)"


def test_no_better_or_worse_where_the_metric_knows_none() -> None:
    found = judged("better_by", 0, estimate(0.1, 0.05, 0.2, baseline="pop", direction="none"))
    assert found.verdict is Ruling.NOT_RUN
    assert found.reason == "ndcg@10 has no better or worse; claim at_least, at_most or within instead"
    same = judged("within", 0.3, estimate(0.1, 0.05, 0.2, baseline="pop", direction="none"))
    assert same.verdict is Ruling.PASS


def test_checks_are_shown_and_never_gate() -> None:
    bad = estimate(0.4, 0.3, 0.5, metric="invalid@10", direction="lower")
    check = Check(claim="Lists hold no unknown items", metric="invalid@10", rule="at_most", margin=0.01)
    found = check_verdicts([check], "top-k", ["knn", "pop"], Evidence.of([bad], ran("knn", "pop"), 0.05))
    assert [(v.model, v.verdict, v.gate) for v in found] == [
        ("knn", Ruling.FAIL, False), ("pop", Ruling.NOT_RUN, False),
    ]  # fmt: skip
    assert exit_code(found, ran("knn", "pop"), 0.05) is Exit.PASS


def gate(ruling: str, expected: str = "PASS") -> Verdict:
    return Verdict(
        claim="c", model="m", scenario="s", metric="x", verdict=Ruling(ruling), expected=Ruling(expected),
        gate=True, reason="r", margin=0, rule="at_least", direction="higher",
    )  # fmt: skip


def row(**change: Any) -> Coverage:
    return Coverage(model="m", scenario="s", **{"state": "run", "attempted": 100, "answered": 100, **change})


@pytest.mark.parametrize(
    ("verdicts", "coverage", "code"),
    [
        ([], [], 0),
        ([gate("PASS")], [row()], 0),
        ([gate("FAIL", "FAIL")], [row()], 0),
        ([gate("FAIL")], [row()], 1),
        ([gate("PASS", "FAIL")], [row()], 1),
        ([gate("FAIL"), gate("NOT-RUN"), gate("INSUFFICIENT")], [row(answered=1)], 1),
        ([gate("NOT-RUN")], [row()], 3),
        ([gate("NOT-RUN", "FAIL"), gate("INSUFFICIENT")], [row()], 3),
        ([gate("INSUFFICIENT")], [row()], 4),
        ([gate("INSUFFICIENT", "FAIL")], [row()], 4),
        ([gate("INSUFFICIENT")], [row(answered=94)], 3),
        ([gate("PASS")], [row(answered=95)], 0),
        ([gate("PASS")], [row(answered=94)], 3),
        ([], [row(state="partial", attempted=96, answered=96, statuses={"ok": 96, "not_attempted": 4})], 0),
        ([], [row(state="partial", attempted=90, answered=90, statuses={"ok": 90, "not_attempted": 10})], 3),
        ([], [row(state="partial")], 3),
        ([], [row(state="not-run", attempted=0, answered=0, statuses={"not_attempted": 9})], 3),
        ([], [row(state="not-run", attempted=0, answered=0, reason="declared for other scenarios")], 0),
    ],
)
def test_exit_codes(verdicts: list[Verdict], coverage: list[Coverage], code: int) -> None:
    assert exit_code(verdicts, coverage, 0.05) == code


def test_a_whole_run_from_records_to_exit_code(tmp_path: Path, world: Dataset) -> None:
    base = {"scenario": "top-k", "model": "good", "metric": f"ndcg@{K}"}
    claims = [
        {"claim": "good is better", "against": "poor", "better_by": 0.1, **base},
        {"claim": "good is better for A", "against": "poor", "better_by": 0.1, "slice": "group=A", **base},
        {"claim": "junk is caught", **base, "model": "junk", "metric": f"invalid@{K}", "at_most": 0.01,
         "expect": "FAIL"},
    ]  # fmt: skip
    run = FakeRun(tmp_path, world, claims)
    run.add("poor", 0.1)
    run.add("good", 0.8)
    run.add("junk", 0.0, junk=True)
    run.run["claims_at"] = ["a.yaml:1", "a.yaml:5", "a.yaml:9"]
    results = audit_run(run)
    gates = [v for v in results.verdicts if v.gate]
    assert [(v.verdict, v.where) for v in gates] == [
        (Ruling.PASS, "a.yaml:1"), (Ruling.PASS, "a.yaml:5"), (Ruling.FAIL, "a.yaml:9"),
    ]  # fmt: skip
    assert outcome(run, results) is Exit.PASS
    flagged = {(v.model, v.metric) for v in results.verdicts if not v.gate and v.verdict is Ruling.FAIL}
    assert flagged == {("junk", f"invalid@{K}"), ("junk", f"duplicate@{K}")}
    assert set(results.definitions) == {e.metric for e in results.estimates}
    definition = results.definitions[f"ndcg@{K}"]
    assert definition["definition"].startswith("ndcg(discount=log2,gain=linear,ideal=k,")
    assert definition["formula"]
    assert definition["source"]
