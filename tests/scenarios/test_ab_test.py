"""A/B tests: known effects come back, guardrails keep their level, a bad split decides nothing."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pydantic import ValidationError

import genrec_eval
from genrec_eval.core.errors import UsageError
from genrec_eval.data.experiments.exposures import Exposures
from genrec_eval.data.experiments.make import truth
from genrec_eval.data.experiments.synthetic import SyntheticExposuresSpec
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.results import Ruling
from genrec_eval.scenarios.ab_looks import BENEFIT, CONTINUE, HARM, watch
from genrec_eval.scenarios.ab_test import ABTest, ABTestOptions, Guardrail
from genrec_eval.scenarios.base import Prepared, ScoredUnits
from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.sequential import looks

CLICKS = ("mean_outcome(outcome=clicks)", "effect(outcome=clicks)", "lift(outcome=clicks)")
PHASES = tuple(f"effect(days={days},outcome=clicks)" for days in ("first", "later", "change"))


def experiment(seed: int = 1, **options: Any) -> Exposures:
    return SyntheticExposuresSpec.model_validate(options).load(Path(), seed)


def ab_test(**options: Any) -> ABTest:
    return ABTest(ABTestOptions.model_validate({"control": "A", "metrics": CLICKS, **options}), 7)


def score(scenario: ABTest, prepared: Prepared, arm: str) -> ScoredUnits:
    arms = np.array(prepared.cases.column("arm").to_pylist())
    served = prepared.cases.filter(pa.array(arms == arm)).select(["case"]).to_batches()
    return scenario.score(prepared.cases, prepared.context, served[::-1])


def figures(log: Exposures, arm: str = "B", **options: Any) -> dict[str, Interval]:
    scenario = ab_test(**options)
    scored = score(scenario, scenario.prepare(log), arm)
    samples = {
        one.id: one.sample(scored.scores[one.id]) for one in scenario.metrics() if one.id in scored.scores
    }
    return dict(zip(samples, intervals(list(samples.values()), seed=1), strict=True))


def by_hand(log: Exposures, name: str = "clicks") -> dict[int, list[list[tuple[int, float]]]]:
    """Arm → for each user the (age, value) of every exposure."""
    users: dict[int, list[tuple[int, float]]] = {}
    for user, day, value in zip(
        log.user.tolist(), log.day.tolist(), log.outcomes[name].tolist(), strict=True
    ):
        users.setdefault(user, []).append((day, value))
    found: dict[int, list[list[tuple[int, float]]]] = {}
    for user, rows in sorted(users.items()):
        start = min(day for day, _ in rows)
        told = [(day - start, value) for day, value in rows]
        found.setdefault(int(log.arm[user]), []).append([(start, 0.0), *told])
    return found


# -- effects


def test_figures_are_those_of_plain_python() -> None:
    log = experiment(users=300, days=12, enrolment=12, novelty=0.5)
    found = figures(log, metrics=(*CLICKS, *PHASES, "effect(outcome=clicks,per=exposure)"), first_days=3)
    users = by_hand(log)
    means, rates, phases = {}, {}, {}
    for arm, rows in users.items():
        totals = [sum(value for _, value in user[1:]) for user in rows]
        means[arm] = sum(totals) / len(totals)
        rates[arm] = sum(totals) / sum(len(user) - 1 for user in rows)
        long = [user for user in rows if 12 - user[0][0] > 3]
        first = [sum(v for age, v in user[1:] if age < 3) / 3 for user in long]
        later = [sum(v for age, v in user[1:] if age >= 3) / (12 - user[0][0] - 3) for user in long]
        phases[arm] = (sum(first) / len(long), sum(later) / len(long), len(long))
    assert found[CLICKS[0]].value == pytest.approx(means[1])
    assert found[CLICKS[1]].value == pytest.approx(means[1] - means[0])
    assert found[CLICKS[2]].value == pytest.approx(means[1] / means[0] - 1)
    assert found["effect(outcome=clicks,per=exposure)"].value == pytest.approx(rates[1] - rates[0])
    first, later, change = (found[name] for name in PHASES)
    assert first.value == pytest.approx(phases[1][0] - phases[0][0])
    assert later.value == pytest.approx(phases[1][1] - phases[0][1])
    assert change.value == pytest.approx(later.value - first.value)
    assert change.n == phases[0][2] + phases[1][2] < len(log.users)


def test_known_effects_are_covered() -> None:
    names = (*CLICKS[1:], "cuped_effect(outcome=clicks)", "before_effect(outcome=clicks)")
    options = {"users": 600, "days": 10, "enrolment": 5, "lift": 0.3}
    expected = truth(SyntheticExposuresSpec.model_validate(options))["clicks"]
    wanted = dict(zip(names, (expected, 0.3, expected, 0.0), strict=True))
    hits = dict.fromkeys(names, 0)
    for seed in range(120):
        for name, found in figures(experiment(seed, **options), metrics=names).items():
            if name in wanted:
                assert found.low is not None
                assert found.high is not None
                hits[name] += found.low <= wanted[name] <= found.high
    assert all(count >= 107 for count in hits.values()), hits  # of 120; 107 is 3 errors below 95 %


def test_cuped_takes_out_rho_squared() -> None:
    log = experiment(users=8000, lift=0.1)
    found = figures(log, metrics=("effect(outcome=clicks)", "cuped_effect(outcome=clicks)"))
    totals = np.bincount(log.user, weights=log.outcomes["clicks"], minlength=len(log.users))
    inside = [
        np.corrcoef(totals[log.arm == arm], log.before["clicks"][log.arm == arm])[0, 1] for arm in (0, 1)
    ]
    widths = [row.high - row.low for row in found.values() if row.method == "welch"]  # type: ignore[operator]
    assert (widths[1] / widths[0]) ** 2 == pytest.approx(1 - np.mean(inside) ** 2, rel=0.05)
    assert widths[1] < 0.6 * widths[0]


def test_a_novelty_fades_and_a_lasting_effect_does_not() -> None:
    fading = figures(experiment(users=6000, lift=0.0, novelty=1.0), metrics=PHASES)
    first, later, change = (fading[name] for name in PHASES)
    assert first.low is not None
    assert first.low > 0
    assert change.high is not None
    assert change.high < 0
    assert first.value is not None
    assert later.value is not None
    assert later.value < first.value / 4
    lasting = figures(experiment(users=6000, lift=0.3), metrics=PHASES)[PHASES[2]]
    assert lasting.low is not None
    assert lasting.high is not None
    assert lasting.low < 0 < lasting.high


# -- intention to treat


def small(outcome: list[float], arms: list[int], **changes: Any) -> Exposures:
    n = len(outcome)
    return Exposures(
        **{
            "name": "small",
            "users": pa.array([f"u{i:03}" for i in range(n)]),
            "arms": ("A", "B", "C"),
            "arm": np.array(arms, np.int32),
            "user": np.arange(n, dtype=np.int32),
            "day": np.zeros(n, np.int32),
            "outcomes": {"clicks": np.array(outcome)},
            "start": 1,
            **changes,
        }
    )


def test_users_without_an_outcome_count_with_0_or_are_left_out_and_counted() -> None:
    log = small([2.0, np.nan, 4.0, 1.0, 3.0, np.nan], [1, 1, 1, 0, 0, 2])
    zero = figures(log)["effect(outcome=clicks)"]
    assert (zero.value, zero.n) == (2.0 - 2.0, 5)
    left = figures(log, missing="exclude")["effect(outcome=clicks)"]
    assert (left.value, left.n) == (3.0 - 2.0, 4)
    scenario = ab_test(missing="exclude")
    scored = score(scenario, scenario.prepare(log), "B")
    reasons = {name: mask.tolist() for name, mask in scored.scores["effect(outcome=clicks)"].reasons.items()}
    assert reasons == {"other-arm": [False] * 5 + [True], "no-outcome": [False, True] + [False] * 4}
    assert scored.answered.tolist() == [True, False, True, True, True, False]


def test_the_control_is_compared_with_nothing() -> None:
    log = small([1.0, 2.0, 3.0, 4.0, 5.0, 6.0], [0, 0, 1, 1, 2, 2])
    found = figures(log, "A", guardrails=[{"outcome": "clicks"}])
    assert list(found) == ["mean_outcome(outcome=clicks)", "sample_ratio"]
    assert found["mean_outcome(outcome=clicks)"].value == 1.5


# -- sample ratio


def test_a_bad_split_is_named_and_leaves_no_effect() -> None:
    log = experiment(users=5000, lost=0.15, days=5, enrolment=3)
    scenario = ab_test(guardrails=[{"outcome": "clicks"}])
    prepared = scenario.prepare(log)
    scored = score(scenario, prepared, "B")
    assert scored.remark is not None
    assert scored.remark.startswith("sample-ratio mismatch (p = ")
    assert "where 2,3" in scored.remark
    for name, scores in scored.scores.items():
        assert scores.scored.any() == (name == "sample_ratio")
    assert scored.scores["sample_ratio"].total == prepared.facts["experiment"]["sample_ratio_p"] < 0.001
    assert not prepared.facts["experiment"]["sound"]


def test_planned_shares_are_no_mismatch() -> None:
    nine_to_one = experiment(users=3000, days=3, enrolment=2, arms={"A": 0.9, "B": 0.1})
    p = figures(nine_to_one)["sample_ratio"].value
    assert p is not None
    assert p > 0.001
    uneven = figures(small([1.0] * 90, [0] * 60 + [1] * 20 + [2] * 10))["sample_ratio"].value
    assert uneven is not None
    assert uneven < 0.001
    planned = small([1.0] * 90, [0] * 60 + [1] * 20 + [2] * 10, shares={"A": 6.0, "B": 2.0, "C": 1.0})
    assert figures(planned)["sample_ratio"].value == 1.0


# -- guardrails


def stream(rng: np.random.Generator, n: int, shift: float, days: int) -> dict[str, Any]:
    treated = rng.random(n) < 0.5
    values = rng.exponential(1.0, n) + shift * treated
    entered = np.sort(rng.integers(0, days, n)).astype(np.int32)
    return {"values": values, "entered": entered, "treated": treated, "control": ~treated, "days": days}


def test_looking_every_day_raises_few_false_alarms() -> None:
    rng = np.random.default_rng(5)
    rule = Guardrail(outcome="x")
    alarms = sum(watch(rule, **stream(rng, 1500, 0.0, 30))[-1]["action"] != CONTINUE for _ in range(400))
    assert alarms / 400 <= 0.05
    # an ordinary interval, looked at as often, cries wolf
    naive = 0
    for _ in range(100):
        data = stream(rng, 1500, 0.0, 30)
        seen = looks(data["values"], data["treated"], np.flatnonzero(np.diff(data["entered"], append=99)) + 1)
        naive += bool((np.abs(seen.difference / seen.error)[seen.n >= 100] > 1.96).any())
    assert naive / 100 > 0.1
    found = sum(watch(rule, **stream(rng, 1500, -0.4, 30))[-1]["action"] == HARM for _ in range(50))
    assert found >= 48


def test_a_look_says_what_it_saw_and_did() -> None:
    rng = np.random.default_rng(2)
    data = stream(rng, 3000, -0.5, 30)
    rows = watch(Guardrail(outcome="x", margin=0.1), **data, label=lambda day: f"day {day}")
    assert [row["action"] for row in rows[:-1]] == [CONTINUE] * (len(rows) - 1)
    last = rows[-1]
    assert last["action"] == HARM
    assert last["estimate"] < last["harm"] < -0.1 < 0 < last["benefit"]
    assert last["high"] < -0.1
    assert last["harm"] == pytest.approx(-0.1 - last["benefit"])
    until = data["entered"] <= int(last["day"].removeprefix("day "))
    arms = [data["values"][until & data[arm]] for arm in ("control", "treated")]
    assert last["users"] == [len(values) for values in arms]
    assert last["estimate"] == pytest.approx(arms[1].mean() - arms[0].mean())
    turned = watch(Guardrail(outcome="x", better="lower", margin=0.1), **data)[-1]
    assert (turned["action"], turned["benefit"] < 0 < turned["harm"]) == (BENEFIT, True)
    assert len(rows) < 30


def test_users_count_once_their_window_is_over() -> None:
    data = stream(np.random.default_rng(2), 600, 0.0, 10)
    rows = watch(Guardrail(outcome="x", window=4), **data)
    assert [row["day"] for row in rows] == [str(day) for day in range(3, 10)]
    assert sum(rows[-1]["users"]) == int((data["entered"] <= 6).sum())
    early = watch(Guardrail(outcome="x", start=1e9), **data)
    assert {(row["estimate"], row["low"], row["harm"], row["action"]) for row in early} == {
        (None,) * 3 + (CONTINUE,)
    }
    assert watch(Guardrail(outcome="x", window=11), **data) == []


def test_guardrails_see_what_happened_in_the_window_alone() -> None:
    log = small(
        [1.0, 5.0, 2.0, 6.0], [0, 0, 1, 1],
        users=pa.array(["a", "b"]), arm=np.array([0, 1], np.int32),
        user=np.array([0, 0, 1, 1], np.int32), day=np.array([0, 3, 1, 2], np.int32),
    )  # fmt: skip
    prepared = ab_test(guardrails=[{"outcome": "clicks", "window": 2}]).prepare(log)
    assert prepared.cases.column("guardrail.0").to_pylist() == [1.0, 8.0]
    rate = ab_test(guardrails=[{"outcome": "clicks", "window": 2, "per": "exposure"}]).prepare(log)
    assert rate.cases.column("guardrail.0").to_pylist() == [1.0, 4.0]


# -- what cannot be


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"control": "a"}, "control: the log has no arm 'a'; did you mean 'A'"),
        ({"metrics": ["effect"]}, "'effect': the log has no outcome 'outcome' .outcomes: clicks, errors"),
        ({"metrics": ["effect(outcome=clcks)"]}, "did you mean 'clicks'"),
        ({"metrics": ["cuped_effect(outcome=errors)"]}, "does not say what 'errors' was before"),
        ({"metrics": ["ndcg@10"]}, "'ndcg@10' is about lists, not about an experiment"),
        ({"guardrails": [{"outcome": "x"}]}, "guardrails: the log has no outcome 'x'"),
        ({"guardrails": [{"outcome": "clicks"}, {"outcome": "clicks"}]}, "'clicks' is named twice"),
        ({"groups": ["country"]}, "the log has no group 'country' .groups: none"),
    ],
)
def test_what_the_log_does_not_hold_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        ab_test(**options).prepare(experiment(users=50, days=2, enrolment=1))


def test_options_that_cannot_be_are_refused() -> None:
    with pytest.raises(ValidationError, match="control"):
        ABTestOptions.model_validate({})
    with pytest.raises(ValidationError, match="takes longer than the experiment"):
        SyntheticExposuresSpec.model_validate({"days": 3, "enrolment": 5})
    world = SyntheticSpec.model_validate({"users": 20, "items": 60, "interactions_per_user": 5}).load(
        Path(), 1
    )
    with pytest.raises(UsageError, match="needs the exposures of an experiment"):
        ab_test().prepare(world)


# -- through the engine


def suite(**changes: Any) -> dict[str, Any]:
    return {
        "name": "ab",
        "data": {
            "log": {
                "dataset": "synthetic-exposures",
                "options": {"users": 1200, "days": 6, "enrolment": 4, "lift": 0.5},
            }
        },
        "models": {"A": {"adapter": "logged"}, "new": {"adapter": "logged", "arm": "B"}},
        "scenarios": {"ab": {"scenario": "ab-test", "data": "log", "options": {
            "control": "A", "metrics": [*CLICKS, *PHASES], "first_days": 2,
            "guardrails": [{"outcome": "errors", "better": "lower"}]}}},
        "claims": [
            {"claim": "more", "scenario": "ab", "metric": CLICKS[1], "model": "new", "at_least": 0}
        ],
        **changes,
    }  # fmt: skip


def test_a_run_records_the_users_of_each_arm_and_scores_again_to_the_byte(tmp_path: Path) -> None:
    run = genrec_eval.run(suite(), out=tmp_path / "run", quiet=True)
    counts = run.directory.run["scenarios"]["ab"]["facts"]["experiment"]["arms"]
    rows = {row.model: row for row in run.results.coverage}
    assert {model: (row.state, row.attempted, row.answered) for model, row in rows.items()} == {
        "A": ("run", counts["A"], counts["A"]),
        "new": ("run", counts["B"], counts["B"]),
    }
    assert [play["calls"] for play in run.directory.run["play"]] == [0, 0]
    assert run.exit_code == 0
    assert [verdict.verdict for verdict in run.results.verdicts if verdict.gate] == [Ruling.PASS]
    assert {v.model for v in run.results.verdicts if "guardrail" in v.claim} == {"new"}
    assert all(row.baseline is None for row in run.results.estimates)
    for row in run.results.estimates:
        assert row.attempted == row.scored + sum(row.excluded.values())
    page = (tmp_path / "run" / "report.html").read_text()
    assert "What did the guardrails see, look by look?" in page
    assert "Nothing came back" not in page
    files = [tmp_path / "run" / name for name in ("estimates.json", "scores.parquet")]
    before = [file.read_bytes() for file in files]
    genrec_eval.run(suite(), out=tmp_path / "run", quiet=True)
    assert [file.read_bytes() for file in files] == before
    from genrec_eval.api import score as score_again

    score_again(tmp_path / "run")
    assert [file.read_bytes() for file in files] == before


def test_after_a_bad_split_claims_are_open_and_say_why(tmp_path: Path) -> None:
    lost = {
        "dataset": "synthetic-exposures",
        "options": {"users": 3000, "days": 4, "enrolment": 2, "lost": 0.2},
    }
    run = genrec_eval.run(suite(data={"log": lost}), out=tmp_path / "run", quiet=True)
    (claim,) = [verdict for verdict in run.results.verdicts if verdict.gate]
    assert claim.verdict is Ruling.INSUFFICIENT
    assert "sample ratio mismatch" in claim.reason
    checks = {(v.claim, v.model): v.verdict for v in run.results.verdicts if not v.gate}
    assert checks["The arms have the sizes that were planned", "new"] is Ruling.FAIL
    assert "sample-ratio mismatch (p = " in str(
        next(r.remark for r in run.results.coverage if r.model == "new")
    )
    assert run.exit_code == 4


def test_models_that_are_no_arms_and_arms_that_are_no_models(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"\['models'\]\['C'\].*the log has no arm 'C'.*arms: A, B"):
        genrec_eval.run(suite(models={"C": {"adapter": "logged"}}, claims=[]), out=tmp_path / "a", quiet=True)
    mixed = suite(
        models={"A": {"adapter": "logged"}, "r": {"adapter": "reference", "model": "random"}}, claims=[]
    )
    mixed["data"]["world"] = {
        "dataset": "synthetic",
        "options": {"users": 30, "items": 60, "interactions_per_user": 5},
    }
    mixed["scenarios"]["top-k"] = {"scenario": "top-k", "data": "world"}
    run = genrec_eval.run(mixed, out=tmp_path / "b", quiet=True)
    reasons = {
        (row.model, row.scenario): row.reason for row in run.results.coverage if row.state == "not-run"
    }
    assert set(reasons) == {("r", "ab"), ("A", "top-k")}
    assert "its models are the arms of a log (adapter: logged)" in str(reasons["r", "ab"])


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        (
            {"data": {"log": {"dataset": "synthetic"}}},
            "scenario 'ab-test' needs exposures, and data set 'log' holds interactions",
        ),
        (
            {"scenarios": {"ab": {"scenario": "top-k", "data": "log"}}, "claims": []},
            "scenario 'top-k' needs interactions, and data set 'log' holds exposures",
        ),
        (
            {
                "claims": [
                    {"claim": "c", "scenario": "ab", "metric": "effect(outcome=clicks)", "model": "new",
                     "against": "A", "better_by": 0}
                ]
            },
            "have users of their own and make no pairs: claim at_least or at_most",
        ),
    ],
)  # fmt: skip
def test_suites_that_mix_kinds_are_refused_before_anything_is_read(changes: Any, sentence: str) -> None:
    from genrec_eval.suite.load import resolve

    with pytest.raises(UsageError, match=sentence):
        resolve(suite(**changes))


def test_a_limit_asks_for_some_of_the_users(tmp_path: Path) -> None:
    run = genrec_eval.run(suite(claims=[]), out=tmp_path / "run", limit=300, quiet=True)
    assert sum(row.attempted for row in run.results.coverage) == 300
    assert {row.attempted for row in run.results.estimates} == {300}
