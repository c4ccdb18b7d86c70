"""What each rule of the gate says of figures that are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gate_sources import GAIN, HIT, RATIO, Made, facts, metric, scores
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.audit.gating.decide import gate
from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.results import Coverage, Ruling
from genrec_eval.suite.gate import Gate, GateRule

RNG = np.random.default_rng(1)
BASE = RNG.exponential(1.0, 400)
NOISE = RNG.normal(0, 0.1, 400)
NOISE -= NOISE.mean()


def held(rule: dict[str, Any], after: Any = BASE, before: Any = BASE, **gate_keys: Any) -> GateResult:
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", **rule}], **gate_keys})
    return gate(_made(after), asked, _made(before))


def _made(values: Any, **more: Any) -> Made:
    return Made({"m": {"gain": scores(values)}}, **more)


def row(rule: dict[str, Any], after: Any = BASE, before: Any = BASE, **gate_keys: Any) -> GateRow:
    return held(rule, after, before, **gate_keys).rows[0]


@pytest.mark.parametrize(
    ("rule", "loss", "expected"),
    [
        ({"not_worse_by": 0.05}, 0.0, Ruling.PASS),
        ({"not_worse_by": 0.05}, -0.5, Ruling.PASS),
        ({"not_worse_by": 0.05}, 0.2, Ruling.FAIL),
        ({"not_worse_by": 0.05}, 0.042, Ruling.FAIL),  # shown, and not shown to stay within the margin
        ({"not_worse_by": 0.05}, 0.02, Ruling.PASS),  # shown, and shown to stay within it
        ({"not_worse_by": 0.011}, 0.0, Ruling.INSUFFICIENT),  # underpowered, though the interval clears it
        ({"not_worse_by": 0.001}, 0.2, Ruling.FAIL),  # a shown loss fails without power too
        ({"within": 0.05}, 0.0, Ruling.PASS),
        ({"within": 0.05}, 0.2, Ruling.FAIL),
        ({"within": 0.05}, -0.2, Ruling.FAIL),
        ({"within": 0.005}, 0.0, Ruling.INSUFFICIENT),
        ({"better_by": 0.0}, -0.05, Ruling.PASS),
        ({"better_by": 0.1}, -0.05, Ruling.FAIL),
        ({"better_by": 0.0}, 0.005, Ruling.INSUFFICIENT),
        ({"better_by": 0.05}, -0.05, Ruling.INSUFFICIENT),
    ],
)
def test_rules_against_a_baseline(rule: dict[str, float], loss: float, expected: Ruling) -> None:
    found = row(rule, BASE + NOISE - loss)
    assert found.verdict is expected, found.reason
    assert found.value == pytest.approx(-loss)
    assert found.n == 400
    assert found.candidate_value == pytest.approx(BASE.mean() - loss)
    assert found.reference_value == pytest.approx(BASE.mean())


def test_margins_count_from_the_better_side() -> None:
    slow = metric("gain", direction="lower")
    asked = Gate(rules=(GateRule(scenario="s", metric="gain", not_worse_by=0.05),))
    for loss, expected in ((0.2, Ruling.FAIL), (-0.2, Ruling.PASS)):
        after = Made({"m": {"gain": scores(BASE + NOISE + loss)}}, [slow])
        found = gate(after, asked, Made({"m": {"gain": scores(BASE)}}, [slow])).rows[0]
        assert (found.verdict, found.direction) == (expected, "lower")
        assert found.value == pytest.approx(loss)  # as it is, not turned


def test_a_margin_is_another_thing_than_a_claim_of_the_same_name() -> None:
    from genrec_eval.audit.rules import RULES

    found = row({"not_worse_by": 0.05}, BASE + NOISE - 0.042)
    assert RULES["not_worse_by"].decide(found.low or 0, found.high or 0, 0.05) is Ruling.INSUFFICIENT
    assert found.verdict is Ruling.FAIL
    assert "a loss is shown, and not that it stays within the allowed 0.05" in found.reason


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"at_least": 0.5}, Ruling.PASS),
        ({"at_least": 0.8}, Ruling.FAIL),
        ({"at_least": 0.62}, Ruling.INSUFFICIENT),
        ({"at_most": 0.8}, Ruling.PASS),
        ({"at_most": 0.5}, Ruling.FAIL),
    ],
)
def test_floors_and_ceilings_look_at_the_run_alone(rule: dict[str, float], expected: Ruling) -> None:
    hits = np.repeat([1.0, 0.0], [120, 80])
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "hit", **rule}]})
    result = gate(Made({"m": {"hit": scores(hits)}}), asked)
    found = result.rows[0]
    assert (found.verdict, found.interval, found.power, found.against) == (expected, "wilson", None, None)
    assert result.baseline is None
    if expected is Ruling.INSUFFICIENT:
        n = found.needed
        assert n is not None
        again = gate(
            Made({"m": {"hit": scores(np.repeat([1.0, 0.0], [6 * n // 10, n - 6 * n // 10]))}}), asked
        )
        assert again.rows[0].verdict is not Ruling.INSUFFICIENT


def test_many_rules_fail_only_after_adjustment() -> None:
    """One of ten p-values of 0.01 is no alarm by Holm, and is one without adjustment."""
    loss = 2.5 * NOISE.std(ddof=1) / 20
    metrics = [metric(f"g{i}") for i in range(10)]
    after = {one.id: scores(BASE + NOISE - (loss if i == 0 else 0)) for i, one in enumerate(metrics)}
    before = {one.id: scores(BASE) for one in metrics}
    rules = [{"scenario": "s", "metric": one.id, "not_worse_by": 0.011} for one in metrics]
    codes = {}
    for adjust in ("holm", "bh", "none"):
        asked = Gate.model_validate({"rules": rules, "adjust": adjust})
        result = gate(Made({"m": after}, metrics), asked, Made({"m": before}, metrics))
        codes[adjust] = int(result.exit_code)
        first = result.rows[0]
        assert first.p is not None
        assert first.p < 0.025 < 10 * first.p
        assert first.p_adjusted == pytest.approx(first.p * (1 if adjust == "none" else 10), rel=0.02)
    assert codes == {"holm": 4, "bh": 4, "none": 1}


def test_detectable_takes_many_rules_and_wide_margins_into_account() -> None:
    alone = row({"not_worse_by": 0.011}, BASE + NOISE).detectable or 0
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.011}] * 20})
    many = gate(_made(BASE + NOISE), asked, _made(BASE)).rows[0].detectable or 0
    assert 1.2 * alone < many < 1.5 * alone  # (3.02 + 0.84) / (1.96 + 0.84) for normal quantiles
    wide = row({"not_worse_by": 0.3}, BASE + NOISE).detectable or 0
    assert 0.01 < alone < 0.03
    assert 0.28 < wide < 0.31  # less stays within the margin, and is no alarm


@pytest.mark.parametrize("one", [HIT, GAIN, RATIO, metric("gain", bounds=(0.0, 30.0))])
def test_what_did_not_change_passes_where_units_suffice(one: Any) -> None:
    values = (BASE > 0.5).astype(float) if one is HIT else BASE
    weights = BASE + 1 if one is RATIO else None
    made = Made({"m": {one.id: scores(values, weights=weights)}}, [one])
    width = BASE.max() if one.definition.bounds[1] is None else one.definition.bounds[1]
    share = 1 - 0.025 ** (1 / 400)  # what 400 units may have failed to show
    heavy = 1.0 if weights is None else weights.max() / weights.mean()
    bound = width * share * heavy / (share * heavy + 1 - share)
    for margin, expected in ((bound * 2.5, Ruling.PASS), (bound / 2, Ruling.INSUFFICIENT)):
        asked = Gate(rules=(GateRule(scenario="s", metric=one.id, not_worse_by=margin),))
        found = gate(made, asked, made).rows[0]
        assert (found.verdict, found.value) == (expected, 0.0), found.reason
        assert found.power == float(expected is Ruling.PASS)
        assert found.p == 1.0
        assert (found.detectable or 0) > 0
        assert found.low == pytest.approx(-bound)
        if expected is Ruling.INSUFFICIENT:
            assert found.needed is not None
            assert 795 < found.needed < 805


def test_a_metric_of_the_whole_run_is_gated_whole() -> None:
    losses = np.where(np.arange(400) % 7 == 0, 0.001, 0.0)
    after = Made({"m": {"gain": scores(losses, total=0.60, reach=0.02)}})
    before = Made({"m": {"gain": scores(losses * 1.5, total=0.61, reach=0.02)}})
    rule = {"scenario": "s", "metric": "gain", "not_worse_by": 0.3}
    found = gate(after, Gate.model_validate({"rules": [rule]}), before).rows[0]
    assert (found.verdict, found.interval) == (Ruling.PASS, "jackknife")
    assert (found.candidate_value, found.reference_value) == (0.60, 0.61)
    before.keys = np.arange(1, 401, dtype=np.uint64)
    found = gate(after, Gate.model_validate({"rules": [rule]}), before).rows[0]
    assert found.verdict is Ruling.NOT_RUN
    assert "some have no pair" in found.reason


def test_every_group_gets_a_row_and_small_ones_are_undecided() -> None:
    mask = np.arange(400) < 4
    groups = {"sex=F": mask, "sex=M": ~mask}
    asked = Gate.model_validate(
        {"rules": [{"scenario": "s", "metric": "gain", "by": "sex", "not_worse_by": 0.05}]}
    )
    after = np.where(mask, BASE - 5, BASE + NOISE)
    result = gate(_made(after, slices=groups), asked, _made(BASE, slices=groups))
    assert [(r.slice, r.verdict) for r in result.rows] == [
        ("sex=F", Ruling.INSUFFICIENT),
        ("sex=M", Ruling.PASS),
    ]
    assert result.rows[0].reason == "sex=F has 4 scored units, and a decision needs 5"
    only = gate(_made(after, slices={"sex=M": ~mask}), asked, _made(BASE, slices=groups))
    assert [(r.slice, r.verdict) for r in only.rows] == [
        ("sex=M", Ruling.PASS),
        ("sex=F", Ruling.NOT_RUN),
    ]
    worse = np.where(mask, BASE, BASE + NOISE - 0.2)
    assert int(gate(_made(worse, slices=groups), asked, _made(BASE, slices=groups)).exit_code) == 1


@pytest.mark.parametrize(("inconclusive", "code"), [("fail", 4), ("warn", 0), ("pass", 0)])
def test_what_undecided_rules_do(inconclusive: str, code: int) -> None:
    assert int(held({"not_worse_by": 0.005}, BASE + NOISE, inconclusive=inconclusive).exit_code) == code
    assert int(held({"not_worse_by": 0.005}, BASE - 1, inconclusive=inconclusive).exit_code) == 1


def test_coverage_comes_before_chance() -> None:
    lost = np.arange(400) < 40
    rule = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.05}]})
    cases = {
        "answered by m": _made(BASE - 1, unanswered={"m": lost}),
        "were asked again the same way": _made(BASE - 1, unattempted={"m": lost}),
        "gate.min_scored": Made({"m": {"gain": scores(BASE - 1, reasons={"no-truth": lost})}}),
        "40 were asked something else": _made(BASE - 1, content=lost.astype(np.uint64)),
        "90.0 % of the 400 units": _made(BASE[40:] - 1, keys=np.arange(40, 400, dtype=np.uint64)),
    }
    for words, run in cases.items():
        result = gate(run, rule, _made(BASE))
        found = result.rows[0]
        assert (found.verdict, int(result.exit_code)) == (Ruling.NOT_RUN, 3), words
        assert words in found.reason or words == "were asked again the same way", found.reason
    before = gate(_made(BASE), rule, _made(BASE, unanswered={"m": lost})).rows[0]
    assert "m in the baseline" in before.reason
    lax = Gate.model_validate(
        {"error_budget": 0.2, "min_paired": 0.5, "min_scored": 0.5, "rules": rule.model_dump()["rules"]}
    )
    assert all(int(gate(run, lax, _made(BASE)).exit_code) == 1 for run in cases.values())


def test_an_incomplete_run_says_so_beside_its_rules() -> None:
    rows = [
        Coverage(model="m", scenario="s", state="run", attempted=400, answered=400),
        Coverage(model="other", scenario="s", state="run", attempted=400, answered=300, reason="lost"),
        Coverage(model="absent", scenario="s", state="not-run", reason="the data are not there", due=True),
    ]
    asked = Gate.model_validate(
        {"rules": [{"scenario": "s", "metric": "gain", "model": "m", "at_least": 0.1}]}
    )
    result = gate(_made(BASE, rows=rows), asked)
    assert int(result.exit_code) == 3
    assert result.incomplete == [
        "other gave no usable answer to more than 5 % of its cases in 's' (300 of 400 answered): lost",
        "absent was not run in 's': the data are not there",
    ]


def test_models_are_never_silently_fewer() -> None:
    rows = [
        Coverage(model="m", scenario="s", state="run", attempted=400, answered=400),
        Coverage(model="spared", scenario="s", state="not-run", reason="scenario 's' does not list it"),
        Coverage(model="skipped", scenario="s", state="not-run", reason="left out by --only"),
    ]
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 1}]})
    before = Made({name: {"gain": scores(BASE)} for name in ("m", "gone")})
    result = gate(_made(BASE, rows=rows), asked, before)
    assert [(r.model, r.verdict) for r in result.rows] == [
        ("m", Ruling.PASS),
        ("skipped", Ruling.NOT_RUN),
        ("gone", Ruling.NOT_RUN),
    ]
    both = Made({"m": {"gain": scores(BASE)}, "new": {"gain": scores(BASE)}})
    result = gate(both, asked, _made(BASE))
    assert [(r.model, r.verdict) for r in result.rows] == [("m", Ruling.PASS), ("new", Ruling.NOT_RUN)]
    assert "'genrec-eval baseline update' takes it in" in result.rows[1].reason
    against = Gate.model_validate(
        {"rules": [{"scenario": "s", "metric": "gain", "model": "new", "against": "m", "not_worse_by": 1}]}
    )
    assert gate(both, against, _made(BASE)).rows[0].verdict is Ruling.PASS


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"metric": "gian"}, "suite.yaml:9: scenario 's' does not measure 'gian'; did you mean 'gain'?"),
        ({"scenario": "ss"}, "suite.yaml:9: no scenario 'ss' in the run or its baseline; did you mean 's'?"),
        ({"model": "n"}, "suite.yaml:9: no model 'n' in the run or its baseline (there is: m)"),
        ({"against": "mm"}, "suite.yaml:9: no model 'mm' in the baseline; did you mean 'm'?"),
        (
            {"slice": "sex=X"},
            "suite.yaml:9: no slice 'sex=X' in the run or its baseline; did you mean 'sex=F'?",
        ),
        ({"by": "sxe"}, "suite.yaml:9: no group 'sxe' in the run or its baseline; did you mean 'sex'?"),
    ],
)
def test_unknown_names_are_refused_at_their_line(rule: dict[str, str], said: str) -> None:
    groups = {"sex=F": BASE > 1}
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.1, **rule}]})
    with pytest.raises(UsageError) as refused:
        gate(_made(BASE, slices=groups), asked, _made(BASE, slices=groups), where=["suite.yaml:9"])
    assert str(refused.value).startswith(said)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"data": {"world": "e" * 64}}, "data set 'world' was dddddddddddd… and is eeeeeeeeeeee…"),
        (
            {"scenarios": {"s": {"scenario": "top-k", "data": "world", "options": {"k": 5}, "judging": []}}},
            "options.k of scenario 's' was 10 and is 5",
        ),
        ({"definitions": {"gain": "gain|torch:3"}}, "metric gain was defined as gain and is defined as"),
    ],
)
def test_a_baseline_that_asked_otherwise_is_refused(changed: dict[str, Any], said: str) -> None:
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.1}]})
    with pytest.raises(UsageError, match="baseline update run-a base-b") as refused:
        gate(
            _made(BASE, label="run-a", facts=facts(**changed)),
            asked,
            _made(BASE, label="base-b"),
        )
    assert said in str(refused.value)
    alone = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "at_least": 0.1}]})
    assert int(gate(_made(BASE, facts=facts(**changed)), alone, _made(BASE)).exit_code) == 0


def test_judges_count_where_they_judge() -> None:
    judging = [{"judge": "j", "rubric": "help"}]
    scenario = {"scenario": "explanation", "data": "world", "options": {}, "judging": judging}
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.1}]})
    made = {
        digest: _made(BASE, facts=facts(scenarios={"s": scenario}, judges={"j": digest, "idle": digest}))
        for digest in ("a" * 64, "b" * 64)
    }
    with pytest.raises(UsageError, match="judge 'j' was aaaaaaaaaaaa… and is bbbbbbbbbbbb…") as refused:
        gate(made["b" * 64], asked, made["a" * 64])
    assert "idle" not in str(refused.value)
    other = _made(BASE, facts=facts(models={"m": {"s": '{"other": 1}'}}, seed=8))
    result = gate(other, asked, _made(BASE))  # who answered may differ: that is what is gated
    assert int(result.exit_code) == 0
    assert result.warnings == ["the baseline was run with seed 7, the run with seed 8"]


def test_a_gate_that_compares_needs_a_baseline() -> None:
    asked = Gate.model_validate({"rules": [{"scenario": "s", "metric": "gain", "not_worse_by": 0.1}]})
    with pytest.raises(UsageError, match="1 of 1 rules of the gate compare with a baseline: name a run or a"):
        gate(_made(BASE), asked)


@given(st.integers(0, 2**32), st.floats(0.01, 0.3), st.floats(-0.3, 0.3))
def test_what_is_said_follows_from_the_figures(seed: int, margin: float, loss: float) -> None:
    rng = np.random.default_rng(seed)
    n = int(rng.integers(8, 60))
    before = rng.exponential(1, n)
    found = row({"not_worse_by": margin}, before + rng.normal(0, 0.2, n) - loss, before)
    assert found.low is not None
    assert found.high is not None
    assert found.p_adjusted is not None
    assert found.power is not None
    if found.verdict is Ruling.PASS:
        assert found.low >= -margin
        assert found.power >= 0.8
    elif found.verdict is Ruling.FAIL:
        assert found.high <= 0
        assert found.low < -margin
        assert found.p_adjusted <= 0.025
    else:
        assert found.power < 0.8 or found.low < -margin
        assert found.p_adjusted > 0.025 or found.low >= -margin
        assert found.reason
