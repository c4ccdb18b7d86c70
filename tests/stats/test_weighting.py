"""Estimates for another population: strata and propensities."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.weighting import effective_units, inverse_propensity, stratified


def sample(values: object, **options: object) -> Sample:
    array = np.asarray(values, float)
    return Sample(**{"values": array, "scored": np.ones(len(array), bool), "bounds": (0.0, 1.0), **options})


def test_one_stratum_is_the_t_interval() -> None:
    from scipy import stats

    values = np.random.default_rng(1).random(30)
    found = stratified(sample(values), np.zeros(30, int), {0: 1.0})
    want = stats.t.interval(0.95, 29, values.mean(), stats.sem(values))
    assert (found.value, found.n) == (pytest.approx(values.mean()), 30)
    assert (found.low, found.high) == pytest.approx(want)


def test_two_strata_are_welch() -> None:
    """Half of each, in twice the difference of one and minus the other: Welch's interval."""
    from scipy import stats

    rng = np.random.default_rng(2)
    one, other = rng.normal(1, 1, 12), rng.normal(0, 3, 20)
    values = np.concatenate([one, -other])
    strata = np.repeat(["a", "b"], [12, 20])
    found = stratified(sample(values, bounds=(None, None)), strata, {"a": 0.5, "b": 0.5})
    want = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert (2 * found.low, 2 * found.high) == pytest.approx((want.low, want.high))


def test_strata_count_by_their_shares_alone() -> None:
    values, strata = np.array([0.0, 0.2, 0.1, 0.9, 0.7]), np.array(["a", "a", "a", "b", "b"])
    found = stratified(sample(values), strata, {"a": 0.25, "b": 0.75, "c": 0.0})
    assert found.value == pytest.approx(0.25 * 0.1 + 0.75 * 0.8)
    only = stratified(sample(values), strata, {"a": 1.0})
    assert (only.value, only.n) == (pytest.approx(0.1), 3)


def test_what_cannot_be_said() -> None:
    strata = np.array(["a", "a", "b"])
    missing = stratified(sample([0.1, 0.2, 0.3]), strata, {"a": 0.5, "c": 0.5})
    assert (missing.value, missing.reason) == (
        None,
        "no unit of 'c' is scored, which is 0.5 of the population",
    )
    single = stratified(sample([0.1, 0.2, 0.3]), strata, {"a": 0.5, "b": 0.5})
    assert (single.value, single.low) == (pytest.approx(0.225), None)
    assert single.reason == "one unit of 'b' says nothing about its spread"
    same = stratified(sample([0.1, 0.1]), strata[:2], {"a": 1.0})
    assert (same.value, same.low) == (pytest.approx(0.1), None)
    for shares in ({}, {"a": 0.5}, {"a": 1.5, "b": -0.5}):
        with pytest.raises(ValueError, match="add up to 1"):
            stratified(sample([0.1, 0.2, 0.3]), strata, shares)
    with pytest.raises(ValueError, match="no strata"):
        stratified(sample([0.1, 0.2, 0.3], total=0.5), strata, {"a": 1.0})


def test_effective_units() -> None:
    assert effective_units(np.full(50, 3.0)) == pytest.approx(50)
    assert effective_units(np.array([1e9, 1.0, 1.0])) == pytest.approx(1)
    assert effective_units(np.zeros(3)) == 0.0


def test_equal_propensities_change_nothing() -> None:
    values = np.random.default_rng(3).random(100)
    found = inverse_propensity(sample(values), np.full(100, 0.25))
    plain, weighted = intervals([sample(values), found.sample], seed=1)
    assert weighted.value == pytest.approx(plain.value)
    assert (found.effective, found.capped) == (pytest.approx(100), 0.0)


def test_caps_are_counted() -> None:
    found = inverse_propensity(sample([1.0, 0.0, 0.5, 0.5]), np.array([0.01, 0.5, 1.0, 0.5]), cap=10)
    assert found.sample.weights.tolist() == [10.0, 2.0, 1.0, 2.0]
    assert found.capped == 0.25


def test_propensities_are_probabilities_of_units_that_count() -> None:
    scored = np.array([True, False])
    found = inverse_propensity(sample([0.3, 0.9], scored=scored), np.array([0.5, np.nan]))
    assert found.sample.weights.tolist() == [2.0, 0.0]
    for wrong in (0.0, -0.1, 1.1, np.nan):
        with pytest.raises(ValueError, match="propensity"):
            inverse_propensity(sample([0.3, 0.9]), np.array([0.5, wrong]))
    with pytest.raises(ValueError, match="at least 1"):
        inverse_propensity(sample([0.3, 0.9]), np.array([0.5, 0.5]), cap=0.5)


def test_both_mend_a_skewed_sample_and_cover() -> None:
    """Heavy users are sampled three times too often and score higher."""
    rng = np.random.default_rng(4)
    shares, over = np.array([0.7, 0.3]), np.array([0.4375, 0.5625])  # 7 : 9 in the sample
    weighted, strata = [], []
    for _ in range(500):
        heavy = rng.choice(2, 150, p=over)
        one = sample(rng.binomial(5, np.where(heavy, 0.6, 0.2)) / 5)
        weighted.append(inverse_propensity(one, (over / shares / 3)[heavy]).sample)
        strata.append(stratified(one, heavy, {0: 0.7, 1: 0.3}))
    truth = 0.7 * 0.2 + 0.3 * 0.6
    for found in (intervals(weighted, seed=1), strata):
        assert 0.93 - 0.011 <= np.mean([x.low <= truth <= x.high for x in found]) <= 0.985
    naive = intervals([one.where(np.ones(150, bool)) for one in weighted[:50]], seed=1)
    assert np.mean([x.value for x in naive]) == pytest.approx(truth, abs=0.02)
