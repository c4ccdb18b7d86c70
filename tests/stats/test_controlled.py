"""Win rates controlled for covariates: what the fit gives, how it degenerates, whether intervals cover."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.controlled import control, fit_pieces, moved_far
from genrec_eval.stats.logistic import fit_logistic, sigmoid
from genrec_eval.stats.resample import resamples


def judged(
    seed: int, n: int, *, quality: float, effect: float, longer: float
) -> tuple[np.ndarray, np.ndarray]:
    """Preferences of a judge who likes long answers; a twentieth are draws."""
    rng = np.random.default_rng(seed)
    difference = rng.normal(longer, 1, n)
    wins = rng.random(n) < sigmoid(quality + effect * np.tanh(difference))
    return np.where(rng.random(n) < 0.05, 0.5, wins), difference


def ones(n: int) -> np.ndarray:
    return np.ones((1, n))


def test_ridge_logistic_is_scikit_learns() -> None:
    """Their C is one over ours; no intercept, so that all is penalised."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(1)
    features = rng.normal(size=(3, 200))
    targets = (rng.random(200) < sigmoid(np.array([1.0, -0.5, 0.0]) @ features)).astype(float)
    for ridge in (0.1, 5.0):
        want = linear_model.LogisticRegression(C=1 / ridge, fit_intercept=False, tol=1e-10, max_iter=10_000)
        want.fit(features.T, targets)
        found = fit_logistic(features, targets, ridge=np.full(3, ridge))
        assert found.converged.all()
        assert found.coefficients[0] == pytest.approx(want.coef_[0], abs=1e-6)


def test_counts_are_repetitions_and_fits_are_apart() -> None:
    rng = np.random.default_rng(2)
    features, targets = rng.normal(size=(2, 50)), rng.random(50)
    counts = rng.integers(0, 4, (3, 50)).astype(float)
    together = fit_logistic(features, targets, counts).coefficients
    own = fit_logistic(np.tile(features, (3, 1, 1)), targets, counts).coefficients
    assert np.allclose(own, together, atol=1e-9)
    for row, found in zip(counts.astype(int), together, strict=True):
        alone = fit_logistic(np.repeat(features, row, axis=1), np.repeat(targets, row)).coefficients
        assert found == pytest.approx(alone[0], abs=1e-8)


@pytest.mark.parametrize("far", [1.0, 50.0])
def test_separation_is_told_and_steps_do_not_explode(far: float) -> None:
    features = np.stack([np.ones(4), np.array([-far, -0.1, 0.1, far])])
    targets = np.array([0.0, 0.0, 1.0, 1.0])
    assert not fit_logistic(features, targets).converged.any()
    held = fit_logistic(features, targets, ridge=np.array([0.0, 1.0]))
    assert held.converged.all()
    assert np.isfinite(held.coefficients).all()


def test_two_groups_in_closed_form() -> None:
    """A linear two-valued difference without a ridge fits the rate of each side exactly."""
    difference = np.repeat([1.0, -1.0], [60, 40])
    preference = np.concatenate([np.repeat([1.0, 0.0], [45, 15]), np.repeat([1.0, 0.0], [10, 30])])
    found = fit_pieces(preference, difference[:, None], None, ones(100), ridge=0.0, shape="linear")
    spread = float(difference.std(ddof=1))
    assert found.raw[0] == 0.55
    assert found.effects[0, 0] == pytest.approx((math.log(3) - math.log(1 / 3)) / 2 * spread)
    assert found.controlled[0] == pytest.approx(0.5)  # odds of 3 and 1/3: even at no difference
    assert found.adjusted[0].mean() == pytest.approx(found.controlled[0])


def test_fit_against_scikit_learn_with_difficulty() -> None:
    """The intercept is not penalised there either."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    preference, difference = judged(3, 300, quality=0.4, effect=1.0, longer=0.5)
    hard = np.random.default_rng(4).normal(2, 3, 300)
    wins = (preference > 0.5).astype(float)
    found = fit_pieces(wins, difference[:, None], hard, ones(300), ridge=2.0)
    scaled = np.tanh(difference / difference.std(ddof=1))
    centred = (hard - hard.mean()) / hard.std(ddof=1)
    want = linear_model.LogisticRegression(C=0.5, tol=1e-10, max_iter=10_000)
    want.fit(np.stack([scaled, centred], axis=1), wins)
    assert found.effects[0, 0] == pytest.approx(want.coef_[0, 0], abs=1e-5)
    at_zero = sigmoid(want.intercept_[0] + want.coef_[0, 1] * centred)
    assert found.controlled[0] == pytest.approx(at_zero.mean(), abs=1e-6)


def test_equal_quality_is_even_once_length_is_held() -> None:
    preference, longer = judged(5, 400, quality=0.0, effect=1.5, longer=1.0)
    found = control(preference, {"length": longer}, seed=1)
    assert found.raw.low is not None
    assert found.raw.low > 0.6  # the raw rate is sure of a better model
    assert found.win_rate.low is not None
    assert found.win_rate.high is not None
    assert found.win_rate.low < 0.5 < found.win_rate.high
    effect = found.effects["length"]
    assert effect.low is not None
    assert effect.high is not None
    assert 0 < effect.low < 1.4 < effect.high  # what draws leave of 1.5
    assert found.remarks == ()


def test_better_model_stays_better() -> None:
    preference, longer = judged(6, 400, quality=1.0, effect=1.0, longer=-1.0)
    found = control(preference, {"length": longer}, seed=1)
    assert found.raw.value is not None
    assert found.win_rate.value is not None
    assert (
        found.raw.value
        < 0.65
        < found.win_rate.value
        == pytest.approx(float(sigmoid(np.array(1.0))), abs=0.05)
    )


def test_itself_is_exactly_even() -> None:
    even = np.full(30, 0.5)
    for lengths in (np.zeros(30), np.random.default_rng(1).normal(size=30)):
        found = control(even, {"length": lengths}, seed=1)
        assert found.win_rate.value == found.raw.value == 0.5
        assert found.win_rate.reason == "no unit of these changes the value"


def test_constant_covariate_is_dropped_and_said() -> None:
    preference, longer = judged(7, 60, quality=0.0, effect=1.0, longer=0.0)
    found = control(preference, {"items": np.full(60, 3.0), "length": longer}, seed=1)
    assert (found.dropped, list(found.effects)) == (("items",), ["length"])
    assert "items is the same in every pair" in found.remarks[0]
    assert found.win_rate.value == control(preference, {"length": longer}, seed=1).win_rate.value


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_winning_or_losing_everything(value: float) -> None:
    longer = np.random.default_rng(8).normal(size=40)
    found = control(np.full(40, value), {"length": longer}, seed=1)
    assert found.win_rate.value == value
    assert found.effects["length"].value == 0.0
    assert "every pair, which no covariate can explain" in found.remarks[0]


def test_ridge_holds_a_covariate_that_tells_all() -> None:
    longer = np.linspace(-2, 2, 40)
    found = control((longer > 0).astype(float), {"length": longer}, seed=1)
    effect = found.effects["length"].value
    assert effect is not None
    assert 1 < effect < 10
    assert any("length alone can tell wins from losses" in remark for remark in found.remarks)


def test_a_rate_that_moves_far_is_said() -> None:
    preference, longer = judged(9, 400, quality=0.0, effect=3.0, longer=-2.0)
    found = control(preference, {"length": longer}, seed=1)
    assert any("control moves the win rate from" in remark for remark in found.remarks)
    assert not moved_far(0.5, 0.59)


@pytest.mark.parametrize("n", [0, 1])
def test_few_pairs(n: int) -> None:
    found = control(np.full(n, 1.0), {"length": np.arange(float(n))}, seed=1)
    assert found.win_rate.value == (1.0 if n else None)
    assert found.win_rate.low is None
    assert found.win_rate.reason


@given(st.integers(0, 2**32 - 1), st.integers(2, 30), st.sampled_from(["tanh", "linear"]))
def test_swapping_the_models_turns_the_rate_over(seed: int, n: int, shape: str) -> None:
    rng = np.random.default_rng(seed)
    preference, covariates, hard = rng.random(n).round(1), rng.normal(size=(n, 2)), rng.normal(size=n)
    one = fit_pieces(preference, covariates, hard, ones(n), shape=shape)  # type: ignore[arg-type]
    other = fit_pieces(1 - preference, -covariates, hard, ones(n), shape=shape)  # type: ignore[arg-type]
    assert other.controlled == pytest.approx(1 - one.controlled, abs=1e-7)
    assert other.effects == pytest.approx(one.effects, abs=1e-6)
    assert one.adjusted.mean(axis=1) == pytest.approx(one.controlled, abs=1e-7)


def test_blocks_do_not_matter() -> None:
    preference, longer = judged(10, 900, quality=0.0, effect=1.0, longer=0.5)
    counts = np.concatenate([drawn for _, drawn in resamples(900, seed=1, replicates=700)])
    found = fit_pieces(preference, longer[:, None], None, counts)
    last = fit_pieces(preference, longer[:, None], None, counts[-3:])
    assert np.array_equal(found.controlled[-3:], last.controlled)


def test_percentiles_cover() -> None:
    """Truth from a very large sample."""
    world = {"quality": -0.5, "effect": 1.0, "longer": 0.5}
    big, difference = judged(11, 200_000, **world)
    truth = fit_pieces(big, difference[:, None], None, ones(len(big)))
    hits = np.zeros(2)
    for sample in range(120):
        preference, longer = judged(1000 + sample, 200, **world)
        counts = np.concatenate([drawn for _, drawn in resamples(200, seed=sample, replicates=300)])
        found = fit_pieces(preference, longer[:, None], None, counts)
        for place, (values, value) in enumerate(
            ((found.controlled, truth.controlled[0]), (found.effects[:, 0], truth.effects[0, 0]))
        ):
            low, high = np.quantile(values, [0.025, 0.975])
            hits[place] += low <= value <= high
    assert ((hits >= 107) & (hits <= 119)).all(), hits  # 95 % of 120 is 114, give or take 2.4
