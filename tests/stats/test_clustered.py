"""Clusters of units: value, bootstrap of clusters, components, two levels, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genrec_eval.stats.clustered import by_cluster, design_effect, two_level, variance_components
from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.sample import Sample, paired


def sample(values: object, **options: object) -> Sample:
    array = np.asarray(values, float)
    return Sample(**{"values": array, "scored": np.ones(len(array), bool), **options})


def test_value_stays_and_clusters_are_the_units() -> None:
    rng = np.random.default_rng(1)
    values, weights = rng.random(200), 1.0 + rng.poisson(2, 200)
    names = np.array([f"user-{code}" for code in rng.integers(0, 30, 200)])
    scored = rng.random(200) < 0.8
    for options in ({}, {"weights": weights}, {"weights": weights, "link": "sqrt"}):
        one = sample(values, scored=scored, **options)
        alone, together = intervals([one, by_cluster(one, names)], seed=1)
        assert together.value == pytest.approx(alone.value)
        assert together.n == len(set(names[scored]))
    difference = paired(sample(values, weights=weights), sample(values**2, weights=weights, scored=scored))
    alone, together = intervals([difference, by_cluster(difference, names)], seed=1)
    assert together.value == pytest.approx(alone.value)


def test_copies_of_a_unit_count_once() -> None:
    """Every unit ten times over: the clustered interval is that of the units, the naive one far too short."""
    values = np.random.default_rng(2).random(40)
    ten, clusters = np.repeat(values, 10), np.repeat(np.arange(40), 10)
    once, naive, clustered = intervals(
        [sample(values), sample(ten), by_cluster(sample(ten), clusters)], seed=1
    )
    assert (clustered.low, clustered.high) == pytest.approx((once.low, once.high), rel=0.01)
    assert naive.high - naive.low < 0.4 * (once.high - once.low)
    assert design_effect(sample(ten), clusters) == pytest.approx(10, rel=0.03)


def test_few_clusters_use_the_jackknife_over_clusters() -> None:
    from scipy import stats

    values, clusters = np.random.default_rng(3).random(25), np.repeat(np.arange(5), [2, 8, 5, 4, 6])
    without = np.array([values[clusters != c].mean() for c in range(5)])
    error = math.sqrt(4 / 5 * ((without - without.mean()) ** 2).sum())
    found = intervals([by_cluster(sample(values), clusters)], seed=1)[0]
    assert found.method == "t"
    assert found.high - found.low == pytest.approx(2 * stats.t.ppf(0.975, 4) * error)


def test_clusters_may_count_alike() -> None:
    found = intervals(
        [by_cluster(sample([1.0] * 9 + [0.0]), np.array([0] * 9 + [1]), weigh="clusters")], seed=1
    )
    assert found[0].value == 0.5


def test_whole_run_metrics_have_no_clusters() -> None:
    with pytest.raises(ValueError, match="no mean over units"):
        by_cluster(sample([0.1, 0.2], total=0.3), np.array([0, 0]))


def test_components_as_in_the_balanced_table() -> None:
    """Mean squares of a balanced one-way table: between = (MSB - MSW) / m."""
    rng = np.random.default_rng(4)
    table = rng.normal(size=(6, 4)) + rng.normal(size=(6, 1))
    among = 4 * table.mean(axis=1).var(ddof=1)
    within = table.var(axis=1, ddof=1).mean()
    found = variance_components(table.ravel(), np.repeat(np.arange(6), 4))
    assert found.within == pytest.approx(within)
    assert found.between == pytest.approx(max(0.0, (among - within) / 4))
    assert found.intraclass == pytest.approx(found.between / (found.between + within))
    assert variance_components(np.arange(5.0), np.arange(5)) is None
    assert variance_components(np.zeros(4), np.array([0, 0, 1, 1])).intraclass == 0.0


def test_two_level_variance_is_that_of_rao_and_wu() -> None:
    rng = np.random.default_rng(5)
    table = rng.normal(size=(40, 5)) + rng.normal(size=(40, 1))
    among = table.mean(axis=1).var(ddof=1) / 40
    inside = table.var(axis=1, ddof=1).mean() / 200
    for sampled in (0.0, 0.4, 1.0):
        found = two_level(table.ravel(), np.repeat(np.arange(40), 5), seed=1, sampled=sampled)
        error = math.sqrt((1 - sampled) * among + sampled * inside)
        assert found.value == pytest.approx(table.mean())
        assert found.high - found.low == pytest.approx(2 * 2.01 * error, rel=0.06)
        assert found.n == 200


def test_two_level_edges() -> None:
    assert two_level(np.empty(0), np.empty(0, int), seed=1).value is None
    fixed = two_level(np.array([0.1, 0.2, 0.3]), np.arange(3), seed=1, sampled=1.0)
    assert (fixed.value, fixed.low) == (pytest.approx(0.2), None)
    assert fixed.reason == "no cluster has units that differ"
    with pytest.raises(ValueError, match="between 0 and 1"):
        two_level(np.zeros(4), np.arange(4), seed=1, sampled=1.5)


def test_order_of_units_changes_nothing_but_rounding() -> None:
    rng = np.random.default_rng(6)
    values, clusters = rng.random(60), np.repeat(np.arange(12), 5)
    shuffled = rng.permutation(60)
    straight = intervals([by_cluster(sample(values), clusters)], seed=1)[0]
    mixed = intervals([by_cluster(sample(values[shuffled]), clusters[shuffled])], seed=1)[0]
    assert (mixed.low, mixed.high) == pytest.approx((straight.low, straight.high))


def test_coverage_of_clustered_rates() -> None:
    """Users share luck between their cases: independent units would be covered in 88 to 90 %."""
    from scipy.special import ndtr

    rng, found = np.random.default_rng(7), []
    for _ in range(600):
        sizes = 1 + rng.poisson(4, 40)
        users = np.repeat(np.arange(40), sizes)
        hits = rng.normal(size=40)[users] * 0.5 + rng.normal(size=len(users)) > 0.8
        found.append(by_cluster(sample(hits.astype(float), indicator=True), users))
    truth = ndtr(-0.8 / math.sqrt(1.25))
    inside = np.mean([x.low <= truth <= x.high for x in intervals(found, seed=1)])
    assert 0.93 - 0.009 <= inside <= 0.97 + 0.009
