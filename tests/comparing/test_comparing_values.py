"""Paired differences against numpy, scipy and by hand."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from made_run import made, scores, source

from genrec_eval.audit.comparing.compare import compare
from genrec_eval.audit.comparing.types import Change, Comparison, Difference
from genrec_eval.metrics.base import UnitScores
from genrec_eval.stats.power import smallest_detectable_effect

NDCG = "ndcg@10"


def pair(
    tmp_path: Path, before: UnitScores, after: UnitScores, name: str = NDCG, **further: object
) -> Comparison:
    a = made(tmp_path / "a", {"m": {name: before}}, **further)  # type: ignore[arg-type]
    b = made(tmp_path / "b", {"m": {name: after}}, **further)  # type: ignore[arg-type]
    return compare(source(b), source(a))


def of_kind(scenario: str, metric: str) -> dict[str, object]:
    """The made scenario as one of another kind, whose metric this is."""
    entry = {"scenario": scenario, "data": "world", "options": {"metrics": [metric]}}
    return {"change": {"suite.scenarios.top-k": entry}}


def one(found: Comparison, name: str = NDCG, slice: str = "all") -> Difference:
    return next(row for row in found.differences if (row.metric, row.slice) == (name, slice))


def test_a_difference_of_means_is_the_paired_t_test_beyond_the_bootstrap(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    before = rng.random(20_500)
    after = np.clip(before + rng.normal(0.001, 0.1, len(before)), 0, 1)
    row = one(pair(tmp_path, scores(before), scores(after)))
    test = scipy.stats.ttest_rel(after, before)
    low, high = test.confidence_interval(0.95)
    assert row.value == pytest.approx((after - before).mean(), abs=1e-15)
    assert (row.low, row.high, row.p) == pytest.approx((low, high, test.pvalue), rel=1e-9)
    assert (row.reference_value, row.candidate_value) == pytest.approx((before.mean(), after.mean()))
    expected = smallest_detectable_effect((after - before).std(ddof=1), len(before))
    assert row.detectable == pytest.approx(expected, rel=1e-9)


def test_a_small_difference_of_means_is_the_paired_bootstrap(tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    before = rng.random(150)
    after = np.clip(before + rng.normal(0.02, 0.1, 150), 0, 1)
    row = one(pair(tmp_path, scores(before), scores(after)))
    drawn = rng.integers(0, 150, (10_000, 150))
    means = (after - before)[drawn].mean(axis=1)
    assert row.interval == "bootstrap-percentile"
    assert (row.low, row.high) == pytest.approx(tuple(np.quantile(means, [0.025, 0.975])), abs=0.002)
    assert row.p == pytest.approx(2 * min((means <= 0).mean(), (means >= 0).mean()), abs=0.03)


def test_pairs_without_a_score_in_one_run_are_counted_by_reason(tmp_path: Path) -> None:
    before, after = np.linspace(0, 1, 40), np.linspace(0, 1, 40) ** 2
    after[3], before[3], before[7] = np.nan, np.nan, np.nan
    row = one(pair(tmp_path, scores(before), scores(after)))
    both = ~np.isnan(before) & ~np.isnan(after)
    assert row.n == 38
    assert row.excluded == {"lost": 2}
    assert row.reference_value == pytest.approx(before[both].mean())
    assert row.value == pytest.approx((after - before)[both].mean())


def test_weighted_values_are_a_difference_of_two_ratios(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    weights = [rng.integers(1, 9, 60).astype(float) for _ in range(2)]
    values = [rng.random(60) for _ in range(2)]
    made_of = [scores(v, weights=w) for v, w in zip(values, weights, strict=True)]
    row = one(pair(tmp_path, *made_of, name="gauc"), "gauc")
    ratio = [np.average(v, weights=w) for v, w in zip(values, weights, strict=True)]
    assert (row.reference_value, row.candidate_value) == pytest.approx(tuple(ratio))
    assert row.value == pytest.approx(ratio[1] - ratio[0])
    drawn = rng.integers(0, 60, (4_000, 60))
    means = [(v * w)[drawn].sum(axis=1) / w[drawn].sum(axis=1) for v, w in zip(values, weights, strict=True)]
    assert (row.low, row.high) == pytest.approx(
        tuple(np.quantile(means[1] - means[0], [0.025, 0.975])), abs=0.02
    )


def test_a_root_of_weighted_squares_is_no_mean_of_differences(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    squares = [rng.random(50) * 4, rng.random(50)]
    weights = rng.integers(1, 5, 50).astype(float)
    made_of = [scores(v, weights=weights) for v in squares]
    row = one(pair(tmp_path, *made_of, name="rmse", **of_kind("rating", "rmse")), "rmse")
    roots = [np.sqrt(np.average(v, weights=weights)) for v in squares]
    assert row.value == pytest.approx(roots[1] - roots[0])
    assert row.change is Change.BETTER
    assert "differs by −" in row.reason


def test_pooled_values_are_functions_of_the_sums_over_all_pairs(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    name = "perplexity"
    sums = [
        np.stack([rng.random(80) * spread, rng.integers(1, 9, 80).astype(float)], axis=1) for spread in (9, 7)
    ]
    made_of = [scores(np.exp(rows[:, 0] / rows[:, 1]), sums=rows) for rows in sums]
    row = one(pair(tmp_path, *made_of, name=name, **of_kind("explanation", name)), name)
    expected = [np.exp(rows[:, 0].sum() / rows[:, 1].sum()) for rows in sums]
    assert (row.reference_value, row.candidate_value) == pytest.approx(tuple(expected))
    assert row.value == pytest.approx(expected[1] - expected[0])
    drawn = rng.integers(0, 80, (4_000, 80))
    nats, units = ([rows[drawn, column].sum(axis=1) for rows in sums] for column in (0, 1))
    apart = np.exp(nats[1] / units[1]) - np.exp(nats[0] / units[0])
    assert (row.low, row.high) == pytest.approx(tuple(np.quantile(apart, [0.025, 0.975])), abs=0.06)


def whole(values: np.ndarray, total: float) -> UnitScores:
    return UnitScores(values=values, total=total, reach=0.1)


def test_a_value_of_the_whole_run_needs_every_unit_and_has_no_slices(tmp_path: Path) -> None:
    rng = np.random.default_rng(6)
    losses = [rng.random(30) / 30, rng.random(30) / 30]
    before, after = (whole(v, t) for v, t in zip(losses, (0.4, 0.6), strict=True))
    kinds = ["x", "y"] * 15
    row = one(pair(tmp_path, before, after, "coverage@10", groups=kinds), "coverage@10")
    apart = losses[1] - losses[0]
    error = np.sqrt(29 / 30 * ((apart - apart.mean()) ** 2).sum())
    z = scipy.stats.norm.ppf(0.975)
    assert row.value == pytest.approx(0.2)
    assert (row.low, row.high) == pytest.approx((0.2 - z * error, 0.2 + z * error))
    assert (row.reference_value, row.candidate_value) == (0.4, 0.6)

    names = [f"u{i:04d}" for i in range(29)] + ["somebody else"]
    other = made(tmp_path / "c", {"m": {"coverage@10": after}}, units=names)
    found = compare(source(other), source(tmp_path / "a"))
    lost = one(found, "coverage@10")
    assert lost.change is Change.NOT_COMPARED
    assert lost.reason == "coverage@10 belongs to all units together, and 2 have no partner"


def test_slices_hold_pairs_that_are_in_them_in_both_runs(tmp_path: Path) -> None:
    rng = np.random.default_rng(7)
    before, after = rng.random(60), rng.random(60)
    old, new = ["x"] * 30 + ["y"] * 30, ["x"] * 20 + ["y"] * 40
    a = made(tmp_path / "a", {"m": {NDCG: scores(before)}}, groups=old)
    b = made(tmp_path / "b", {"m": {NDCG: scores(after)}}, groups=new)
    found = compare(source(b), source(a))
    assert one(found, slice="kind=x").value == pytest.approx((after - before)[:20].mean())
    assert one(found, slice="kind=y").value == pytest.approx((after - before)[30:].mean())
    moved = next(row for row in found.settings if row.name == "top-k: groups of units")
    assert moved.candidate == "10 of 60 paired units are of another group"


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 2**31), st.integers(1, 30), st.booleans())
def test_turned_round_every_difference_has_the_other_sign(
    tmp_path_factory: pytest.TempPathFactory, seed: int, n: int, gaps: bool
) -> None:
    rng = np.random.default_rng(seed)
    before, after = rng.random((2, n)).round(1)
    if gaps:
        before[rng.random(n) < 0.2] = np.nan
    folder = tmp_path_factory.mktemp("turned")
    order = rng.permutation(n)
    units = [f"u{i}" for i in range(n)]
    truth = [[i % 3] for i in range(n)]
    a = made(folder / "a", {"m": {NDCG: scores(before)}}, units=units, truth=truth)
    b = made(
        folder / "b",
        {"m": {NDCG: scores(after[order])}},
        units=[units[i] for i in order],
        truth=[truth[i] for i in order],
    )
    there, back = one(compare(source(b), source(a))), one(compare(source(a), source(b)))
    assert there.n == back.n
    assert there.excluded == back.excluded
    if there.value is not None:
        assert there.value == pytest.approx(-(back.value or 0.0), abs=1e-12)
        assert there.reference_value == pytest.approx(back.candidate_value)
    if there.low is not None:
        assert (there.low, there.high) == pytest.approx((-(back.high or 0.0), -(back.low or 0.0)), abs=1e-9)
        assert there.p == pytest.approx(back.p, abs=1e-9)
    mirrored = {Change.BETTER: Change.WORSE, Change.WORSE: Change.BETTER}
    assert mirrored.get(there.change, there.change) is back.change


def test_the_order_of_units_changes_no_digit(tmp_path: Path) -> None:
    rng = np.random.default_rng(8)
    before, after = rng.random(50), rng.random(50)
    units = [f"u{i}" for i in range(50)]
    truth = [[i % 4] for i in range(50)]
    a = made(tmp_path / "a", {"m": {NDCG: scores(before)}}, units=units, truth=truth)
    b = made(tmp_path / "b", {"m": {NDCG: scores(after)}}, units=units, truth=truth)
    order = rng.permutation(50)
    c = made(
        tmp_path / "c",
        {"m": {NDCG: scores(after[order])}},
        units=[units[i] for i in order],
        truth=[truth[i] for i in order],
    )
    straight, mixed = (one(compare(source(path), source(a))) for path in (b, c))
    assert dataclasses.asdict(straight) == dataclasses.asdict(mixed)
