"""Ratios and roots of them: value, joint resampling, differences, slices, edges, coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genrec_eval.core.randomness import generator
from genrec_eval.stats.intervals import intervals, p_values
from genrec_eval.stats.resample import replicates_for
from genrec_eval.stats.sample import Sample, paired
from genrec_eval.stats.statistic import Statistic, spread

ROOT = {"link": "sqrt", "bounds": (0.0, None)}


def sample(values: object, weights: object = None, **options: object) -> Sample:
    array = np.asarray(values, float)
    return Sample(
        **{
            "values": array,
            "scored": np.ones(len(array), bool),
            "weights": None if weights is None else np.asarray(weights, float),
            "bounds": (0.0, 1.0),
            **options,
        }
    )


def users(n: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Weights that vary, and two models' scores that depend on them and share their luck."""
    rng = np.random.default_rng(seed)
    weights = 1.0 + rng.poisson(3 * rng.lognormal(0, 0.7, n))
    a = np.clip(rng.beta(2, 3, n) + 0.05 * np.log(weights), 0, 1)
    return weights, a, np.clip(a + rng.normal(0.02, 0.1, n), 0, 1)


def test_values_by_hand() -> None:
    one = sample([0.5, 1.0, 0.0], [1, 2, 5])
    rooted = sample([4.0, 1.0], [3, 1], **ROOT)
    unweighted = sample([4.0, 1.0, 1.0], **ROOT)
    values = [found.value for found in intervals([one, rooted, unweighted], seed=1)]
    assert values == pytest.approx([2.5 / 8, math.sqrt(13 / 4), math.sqrt(2)])


def test_equal_weights_are_a_plain_mean() -> None:
    values = np.random.default_rng(1).random(300) ** 2
    plain, weighted = intervals([sample(values), sample(values, np.full(300, 7.0))], seed=1)
    assert weighted.value == pytest.approx(plain.value)
    assert weighted.method == plain.method == "bootstrap-bca"
    assert (weighted.low, weighted.high) == pytest.approx((plain.low, plain.high), rel=2e-3)


def test_a_difference_is_resampled_jointly_as_a_plain_loop_does() -> None:
    weights, a, b = users(40)
    lighter = np.maximum(weights - 1, 1)
    difference = paired(sample(a, weights, **ROOT), sample(b, lighter, **ROOT))
    found = intervals([difference], seed=5)[0]
    rng, replicates = generator(5, "bootstrap", 40), []
    for _ in range(replicates_for(40)):
        rows = rng.integers(0, 40, 40)
        one, other = (math.sqrt((w[rows] @ v[rows]) / w[rows].sum()) for w, v in ((weights, a), (lighter, b)))
        replicates.append(one - other)
    assert found.method == "bootstrap-percentile"
    assert found.value == pytest.approx(
        math.sqrt(weights @ a / weights.sum()) - math.sqrt(lighter @ b / lighter.sum())
    )
    low, high = np.quantile(replicates, [0.025, 0.975])
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.25 * (high - low))
    assert high - low < found.high - found.low < 1.25 * (high - low)


def test_pairing_makes_a_difference_sharp() -> None:
    weights, a, b = users(300)
    one, other = sample(a, weights), sample(b, weights)
    alone, against, difference = intervals([one, other, paired(other, one)], seed=1)
    assert difference.value == pytest.approx(against.value - alone.value)
    assert difference.low > 0
    assert against.low < alone.high
    turned = intervals([paired(one, other)], seed=1)[0]
    assert (turned.low, turned.high) == pytest.approx((-difference.high, -difference.low), rel=1e-6)


def test_the_rest_of_the_request_changes_no_bit() -> None:
    weights, a, b = users(60)
    mask = a > 0.4
    data = [
        sample(a, weights),
        sample(b, weights, **ROOT),
        paired(sample(a, weights), sample(b, weights)),
        sample(a),
        paired(sample(a, **ROOT), sample(b, weights, **ROOT)).where(mask),
    ]
    together = intervals(data, seed=9)
    assert together == [intervals([one], seed=9)[0] for one in data]
    assert together == intervals(data[::-1], seed=9)[::-1]


def test_a_slice_is_the_interval_of_its_units() -> None:
    weights, a, b = users(80)
    mask = np.random.default_rng(1).random(80) < 0.4
    whole = paired(sample(a, weights), sample(b, weights))
    part = paired(sample(a[mask], weights[mask]), sample(b[mask], weights[mask]))
    assert intervals([whole.where(mask)], seed=1) == intervals([part], seed=1)


def test_units_without_weight_or_score_say_nothing() -> None:
    weights, a, _ = users(50)
    more = sample(
        np.append(a, [1.0, np.nan, 0.3]),
        np.append(weights, [0.0, 0.0, 4.0]),
        scored=np.append(np.ones(52, bool), False),
    )
    assert intervals([more], seed=1) == intervals([sample(a, weights)], seed=1)
    nothing, single = intervals([sample([0.1, 0.2], [0, 0]), sample([0.1, 0.2], [0, 3])], seed=1)
    assert (nothing.value, nothing.n, nothing.reason) == (None, 0, "no scored unit has weight")
    assert (single.value, single.low, single.n) == (0.2, None, 1)
    assert single.reason == "one unit says nothing about the spread"


def test_pairs_need_weight_on_both_sides() -> None:
    difference = paired(sample([0.1, 0.2, 0.9], [1, 1, 2]), sample([0.1, 0.1, 0.1], [1, 1, 0]))
    found = intervals([difference], seed=1)[0]
    assert (found.value, found.n) == (pytest.approx(0.05), 2)


@pytest.mark.parametrize("weights", [[1.0, -1.0], [1.0, np.nan], [np.inf, 1.0]])
def test_weights_are_finite_and_not_negative(weights: list[float]) -> None:
    with pytest.raises(ValueError, match="finite number of at least 0"):
        intervals([sample([0.1, 0.2], weights)], seed=1)


def test_a_root_needs_values_that_are_not_negative() -> None:
    with pytest.raises(ValueError, match="negative value under a square root"):
        intervals([sample([0.1, -0.2], **ROOT)], seed=1)


def test_a_difference_of_differences_is_refused() -> None:
    weights, a, b = users(10)
    difference = paired(sample(a, weights), sample(b, weights))
    with pytest.raises(ValueError, match="two plain samples"):
        paired(difference, sample(a))


def test_few_and_many_units_use_students_t_on_the_jackknife() -> None:
    from scipy import stats

    for n in (2, 6, 20_001):
        weights, a, _ = users(n, seed=n)
        without = np.sqrt((weights @ a - weights * a) / (weights.sum() - weights))
        error = math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
        found = intervals([sample(a, weights, **ROOT)], seed=1)[0]
        half = stats.t.ppf(0.975, n - 1) * error
        assert found.method == "t"
        assert found.low == pytest.approx(max(0.0, found.value - half), abs=1e-9)
        assert found.high == pytest.approx(found.value + half)
        assert spread(sample(a, weights, **ROOT)) == pytest.approx(error * math.sqrt(n))


def test_influence_of_a_ratio_is_the_delta_method_for_many_units() -> None:
    weights, a, _ = users(5000)
    ratio = weights @ a / weights.sum()
    np.testing.assert_allclose(
        Statistic.of(sample(a, weights)).influence,
        weights * (a - ratio) / weights.mean(),
        atol=2e-3 * np.abs(weights * (a - ratio)).max() / weights.mean(),
    )


def test_a_unit_that_outweighs_the_rest_keeps_the_rest() -> None:
    statistic = Statistic.of(sample([0.5, 0.1, 0.3], [1e30, 1.0, 1.0]))
    assert statistic.influence[0] == pytest.approx(2 * (0.5 + 0.5 + 0.2) / 3 - 2 * 0.2)


def test_constant_ratio_is_bounded_by_the_heaviest_unit() -> None:
    found = intervals([sample([0.5] * 100, [1.0] * 99 + [3.0])], seed=1)[0]
    p = 1 - 0.025 ** (1 / 100)
    heavy = 3.0 / 1.02
    share = p * heavy / (p * heavy + 1 - p)
    assert found.method == "constant"
    assert (found.low, found.high) == pytest.approx((0.5 - 0.5 * share, 0.5 + 0.5 * share))
    same = sample(np.linspace(0, 1, 50), np.arange(1.0, 51))
    found = intervals([paired(same, same)], seed=1)[0]
    assert (found.value, found.method) == (0.0, "constant")
    unbounded = sample(np.linspace(0, 1, 50), np.arange(1.0, 51), **ROOT)
    found = intervals([paired(unbounded, unbounded)], seed=1)[0]
    assert (found.value, found.low) == (0.0, None)
    assert found.reason == "all units have the same value and the metric is unbounded"


def test_bootstrap_agrees_with_scipy() -> None:
    from scipy.stats import bootstrap

    weights, a, _ = users(400)
    want = bootstrap(
        (weights * a, weights),
        lambda top, bottom, axis=-1: top.sum(axis) / bottom.sum(axis),
        paired=True,
        n_resamples=5000,
        method="BCa",
        rng=np.random.default_rng(0),
    ).confidence_interval
    found = intervals([sample(a, weights)], seed=1)[0]
    assert (found.low, found.high) == pytest.approx((want.low, want.high), abs=0.06 * (want.high - want.low))


SAMPLES = 300


def test_coverage_of_ratios_and_their_differences() -> None:
    """Long simulations (3,000 each) find 93.6 to 95.5 % from 50 units on; the error of 300 is allowed for."""
    weights, a, b = users(20_000)
    squares = (a - 0.5) ** 2, (b - 0.4) ** 2
    rows = np.random.default_rng(2).integers(0, 20_000, (SAMPLES, 100))
    for one, other, options in ((a, b, {}), (*squares, ROOT)):
        data = [sample(one[r], weights[r], **options) for r in rows]
        differences = [
            paired(x, sample(other[r], weights[r], **options)) for x, r in zip(data, rows, strict=True)
        ]
        truth = [
            math.sqrt(weights @ v / weights.sum()) if options else weights @ v / weights.sum()
            for v in (one, other)
        ]
        for samples, value in ((data, truth[0]), (differences, truth[0] - truth[1])):
            found = intervals(samples, seed=3)
            inside = np.mean([x.low <= value <= x.high for x in found])
            assert 0.95 - 0.035 <= inside <= 0.95 + 0.035
        p = np.array(p_values(differences, seed=3, null=truth[0] - truth[1]))
        assert (p <= 0.2).mean() == pytest.approx(0.2, abs=0.075)
