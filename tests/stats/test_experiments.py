"""Randomised experiments: sample ratio, difference of arms, CUPED."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.stats.experiments import arm_difference, cuped, sample_ratio
from genrec_eval.stats.sample import Sample


def sample(values: object, **options: object) -> Sample:
    array = np.asarray(values, float)
    return Sample(**{"values": array, "scored": np.ones(len(array), bool), **options})


def test_sample_ratio_is_pearsons_chi_square() -> None:
    from scipy.stats import chisquare

    found = sample_ratio([5020, 2480, 2600], [2, 1, 1])
    want = chisquare([5020, 2480, 2600], [5050, 2525, 2525])
    assert found.expected == (5050, 2525, 2525)
    assert (found.statistic, found.p) == pytest.approx((want.statistic, want.pvalue))
    assert sample_ratio([0, 0]).p == 1.0
    assert sample_ratio([821_588, 815_482]).p < 1e-5


@pytest.mark.parametrize(
    ("counts", "shares"), [([5], None), ([5, -1], None), ([5, 5], [1, 0]), ([5, 5], [1])]
)
def test_sample_ratio_needs_arms(counts: list[int], shares: list[float] | None) -> None:
    with pytest.raises(ValueError, match="for every arm"):
        sample_ratio(counts, shares)


def test_sample_ratio_p_is_uniform_when_the_split_is_sound() -> None:
    rng = np.random.default_rng(1)
    p = np.array([sample_ratio(rng.multinomial(20_000, [0.5, 0.5]).tolist()).p for _ in range(3000)])
    for alpha in (0.01, 0.05, 0.3):
        assert (p <= alpha).mean() == pytest.approx(alpha, abs=4 * np.sqrt(alpha * (1 - alpha) / 3000))


def test_means_are_compared_as_welch_does() -> None:
    from scipy import stats

    rng = np.random.default_rng(2)
    one, other = rng.normal(0.4, 1, 40), rng.normal(0, 2, 25)
    found = arm_difference(sample(one), sample(other), level=0.9)
    want = stats.ttest_ind(one, other, equal_var=False)
    ends = want.confidence_interval(0.9)
    assert (found.low, found.high, found.p) == pytest.approx((ends.low, ends.high, want.pvalue))
    assert (found.freedom, found.n) == (pytest.approx(want.df), (40, 25))


def test_ratios_are_compared_by_user_not_by_view() -> None:
    """Clicks per view where users differ: views are not independent, and users carry the error."""
    rng = np.random.default_rng(3)
    p = []
    for _ in range(600):
        views = 1.0 + rng.poisson(8 * rng.lognormal(0, 0.7, 300))
        clicks = rng.binomial(views.astype(int), rng.beta(1, 9, 300))
        arms = [sample((clicks / views)[part], weights=views[part]) for part in (slice(150), slice(150, 300))]
        p.append(arm_difference(*arms).p)
    for alpha in (0.05, 0.2, 0.5):
        assert np.mean(np.array(p) <= alpha) == pytest.approx(
            alpha, abs=4 * np.sqrt(alpha * (1 - alpha) / 600)
        )


def test_what_cannot_be_said_of_arms() -> None:
    none = arm_difference(sample([]), sample([1.0, 2.0]))
    assert (none.value, none.reason) == (None, "an arm has no unit")
    one = arm_difference(sample([3.0]), sample([1.0, 2.0]))
    assert (one.value, one.low, one.p) == (1.5, None, None)
    same = arm_difference(sample([3.0, 3.0]), sample([1.0, 1.0]))
    assert (same.value, same.reason) == (2.0, "no unit differs from another of its arm")


def test_cuped_is_the_slope_of_a_regression_on_covariate_and_arm() -> None:
    rng = np.random.default_rng(4)
    before, arm = rng.gamma(2, 1, 500), rng.integers(0, 2, 500)
    outcome = 0.7 * before + 0.3 * arm + rng.normal(size=500)
    design = np.stack([before, arm == 0, arm == 1], axis=1).astype(float)
    coefficients, *_ = np.linalg.lstsq(design, outcome, rcond=None)
    found = cuped(outcome, before, arm)
    assert found.theta == pytest.approx(coefficients[0])
    effect = found.adjusted[arm == 1].mean() - found.adjusted[arm == 0].mean()
    assert effect == pytest.approx(coefficients[2] - coefficients[1])
    assert found.adjusted.mean() == pytest.approx(outcome.mean())
    inside = [np.corrcoef(before[arm == a], outcome[arm == a])[0, 1] ** 2 for a in (0, 1)]
    assert found.reduction == pytest.approx(np.mean(inside), abs=0.02)


def test_cuped_leaves_units_without_a_past_as_they_are() -> None:
    before = np.array([1.0, np.nan, 3.0, np.nan, 5.0, 2.0])
    outcome = np.array([1.0, 9.0, 3.0, 7.0, 6.0, 2.0])
    found = cuped(outcome, before, np.array([0, 0, 0, 1, 1, 1]))
    assert found.without == 2
    assert found.adjusted[[1, 3]].tolist() == [9.0, 7.0]
    for useless in (np.full(6, np.nan), np.ones(6)):
        found = cuped(outcome, useless, np.zeros(6, int))
        assert (found.theta, found.reduction, found.adjusted.tolist()) == (0.0, 0.0, outcome.tolist())
    with pytest.raises(ValueError, match="not a finite number"):
        cuped(before, outcome, np.zeros(6, int))
    with pytest.raises(ValueError, match="one entry per unit"):
        cuped(outcome, before[:3], np.zeros(6, int))


def test_cuped_sharpens_and_still_covers() -> None:
    rng, widths, inside = np.random.default_rng(5), [], 0
    for _ in range(400):
        before, arm = rng.gamma(1, 1, 200), rng.integers(0, 2, 200)
        outcome = 0.8 * before + rng.gamma(1, 0.5, 200) + 0.1 * arm
        pair = [
            arm_difference(sample(values[arm == 1]), sample(values[arm == 0]))
            for values in (outcome, cuped(outcome, before, arm).adjusted)
        ]
        widths.append([x.high - x.low for x in pair])
        inside += pair[1].low <= 0.1 <= pair[1].high
    assert 0.93 - 0.011 <= inside / 400 <= 0.985
    raw, adjusted = np.mean(widths, axis=0)
    assert adjusted / raw == pytest.approx(np.sqrt(0.25 / 0.89), abs=0.03)
