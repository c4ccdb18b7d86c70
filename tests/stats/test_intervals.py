"""Intervals: closed forms, edges, pairing, slices, and coverage by simulation."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.sample import Sample, paired

UNIT = (0.0, 1.0)


def sample(values: list[float] | np.ndarray, **options: object) -> Sample:
    array = np.asarray(values, float)
    return Sample(**{"values": array, "scored": np.ones(len(array), bool), "bounds": UNIT, **options})


def one(values: list[float] | np.ndarray, seed: int = 1, level: float = 0.95, **options: object) -> Interval:
    return intervals([sample(values, **options)], seed=seed, level=level)[0]


def test_wilson_as_published() -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I: 81/263, 15/148, 0/20, 1/29, score method."""
    for hits, n, low, high in [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0000, 0.1611),
        (1, 29, 0.0061, 0.1718),
    ]:
        found = one([1.0] * hits + [0.0] * (n - hits), indicator=True)
        assert found.method == "wilson"
        assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)


def test_indicator_averaged_over_repeats_is_not_a_proportion() -> None:
    assert one([0.0, 0.5, 1.0] * 5, indicator=True).method == "bootstrap-bca"


def test_scores_have_bca_and_differences_percentiles() -> None:
    rng = np.random.default_rng(1)
    scores = rng.random(40) ** 3
    methods = [
        one(values, bounds=(-1.0, 1.0)).method
        for values in (scores, -scores, np.append(scores, 0.0), scores - 0.2)
    ]
    assert methods == ["bootstrap-bca"] * 3 + ["bootstrap-percentile"]


def test_percentiles_are_expanded_to_students_t() -> None:
    """For light-tailed scores the bootstrap is the t interval, up to the noise of 10,000 resamples."""
    from scipy import stats

    values = np.random.default_rng(2).uniform(-1, 1, 12)
    low, high = stats.t.interval(0.95, 11, values.mean(), stats.sem(values))
    found = one(values, bounds=(-1.0, 1.0))
    assert found.high - found.low == pytest.approx(high - low, rel=0.05)


def test_heavy_tails_leave_fewer_degrees_of_freedom() -> None:
    """Two in fifty differ, one up and one down: nobody would trust a normal approximation there."""
    values = np.zeros(50)
    values[:2] = 1.0, -1.0
    found = one(values, bounds=(-1.0, 1.0))
    half = 1.96 * values.std(ddof=1) / math.sqrt(50)
    assert found.high - found.low > 1.25 * 2 * half


def test_constant_bound_is_the_exact_binomial_one() -> None:
    found = one([0.25] * 100)
    p = 1 - 0.025 ** (1 / 100)
    assert found.method == "constant"
    assert (found.low, found.high) == pytest.approx((0.25 - 0.25 * p, 0.25 + 0.75 * p))
    assert (1 - p) ** 100 == pytest.approx(0.025)


def test_constant_and_unbounded_has_no_interval() -> None:
    found = one([3.0] * 10, bounds=(0.0, None))
    assert (found.value, found.low, found.high, found.method, found.n) == (3.0, None, None, None, 10)
    assert found.reason == "all units have the same value and the metric is unbounded"


def test_no_unit_and_one_unit() -> None:
    nothing = one([])
    assert (nothing.value, nothing.low, nothing.n, nothing.reason) == (None, None, 0, "no unit is scored")
    single = one([0.5])
    assert (single.value, single.low, single.n) == (0.5, None, 1)
    assert single.reason == "one unit says nothing about the spread"
    for n, value in ((0, None), (1, 0.3)):
        whole = one([0.1] * n, total=0.3)
        assert (whole.value, whole.low, whole.n) == (value, None, n)
        assert whole.reason


def test_few_and_many_units_use_students_t() -> None:
    from scipy import stats

    rng = np.random.default_rng(3)
    for n in (2, 7, 20_001):
        values = rng.normal(size=n)
        want = stats.t.interval(0.95, n - 1, values.mean(), stats.sem(values))
        found = one(values, bounds=(None, None))
        assert found.method == "t"
        assert (found.low, found.high) == pytest.approx(want)


def test_bootstrap_agrees_with_scipy() -> None:
    from scipy.stats import bootstrap

    values = np.random.default_rng(4).gamma(0.5, size=400)
    want = bootstrap((values,), np.mean, n_resamples=20_000, method="BCa", rng=np.random.default_rng(0))
    found = one(values, bounds=(0.0, None))
    width = found.high - found.low
    assert found.method == "bootstrap-bca"
    assert abs(found.low - want.confidence_interval.low) < 0.05 * width
    assert abs(found.high - want.confidence_interval.high) < 0.05 * width


def test_the_rest_of_the_request_changes_no_bit() -> None:
    rng = np.random.default_rng(5)
    data = [sample(rng.random(60) ** 4) for _ in range(7)]
    slices = [x.where(rng.random(60) < 0.5) for x in data]
    together = intervals([*data, *slices], seed=9)
    assert together == [intervals([x], seed=9)[0] for x in [*data, *slices]]
    assert together == intervals([*slices, *data], seed=9)[7:] + intervals([*slices, *data], seed=9)[:7]
    assert together != intervals([*data, *slices], seed=10)


def test_units_without_a_score_are_never_read() -> None:
    values = np.array([0.1, np.nan, 0.9, np.inf, 0.4, 0.2, 0.3, 0.5, 0.2, 0.1])
    scored = np.isfinite(values)
    assert intervals([sample(values, scored=scored)], seed=1) == [one(values[scored])]
    with pytest.raises(ValueError, match="not a finite number"):
        one(values)


def test_slice_is_the_interval_of_its_units() -> None:
    rng = np.random.default_rng(6)
    values, women = rng.random(50), rng.random(50) < 0.4
    assert intervals([sample(values).where(women)], seed=1) == [one(values[women])]


@pytest.mark.parametrize("scale", [1e-300, 1e-9, 1e12])
def test_odd_scales_stay_finite(scale: float) -> None:
    found = one(np.arange(12.0) * scale, bounds=(0.0, None))
    assert 0 <= found.low < found.value < found.high <= 12 * scale


def test_whole_run_metric_has_no_slices() -> None:
    with pytest.raises(ValueError, match="score the slice's lists instead"):
        sample([0.1, 0.2], total=0.3).where(np.array([True, False]))


def test_pairing_is_what_makes_a_difference_sharp() -> None:
    rng = np.random.default_rng(7)
    easy = rng.random(300)
    a, b = sample(np.clip(easy + 0.02, 0, 1)), sample(easy)
    alone_a, alone_b, difference = intervals([a, b, paired(a, b)], seed=1)
    assert difference.value == pytest.approx(alone_a.value - alone_b.value)
    assert difference.low > 0
    assert alone_a.low < alone_b.high


def test_pairs_need_both_scores() -> None:
    a = sample([1.0, 0.5, 0.2], scored=np.array([True, True, False]))
    b = sample([0.5, 0.5, 0.2], scored=np.array([True, False, True]))
    found = intervals([paired(a, b)], seed=1)[0]
    assert (found.value, found.n, found.low) == (0.5, 1, None)


def test_equal_models_get_a_bound_from_the_range_of_the_difference() -> None:
    values = np.random.default_rng(8).random(200)
    found = intervals([paired(sample(values), sample(values))], seed=1)[0]
    p = 1 - 0.025 ** (1 / 200)
    assert (found.value, found.method) == (0.0, "constant")
    assert (found.low, found.high) == pytest.approx((-p, p))


def test_jackknife_by_hand() -> None:
    losses = np.array([0.0, 0.1, 0.05, 0.0])
    error = math.sqrt(3 / 4 * ((losses - losses.mean()) ** 2).sum())
    found = one(losses, total=0.5)
    assert (found.value, found.method, found.n) == (0.5, "jackknife", 4)
    assert (found.low, found.high) == pytest.approx((0.5 - 1.959964 * error, 0.5 + 1.959964 * error))
    assert one(losses, total=0.99).high == 1.0
    other = sample([0.0, 0.02, 0.05, 0.1], total=0.4)
    difference = intervals([paired(sample(losses, total=0.5), other)], seed=1)[0]
    assert difference.value == pytest.approx(0.1)
    direct = one(losses - other.values, total=0.1, bounds=(-1.0, 1.0))
    assert (difference.low, difference.high) == pytest.approx((direct.low, direct.high))


def test_whole_run_with_equal_losses() -> None:
    found = one([0.0] * 1000, total=0.02, reach=0.02)
    assert found.method == "constant"
    assert (found.low, found.high) == pytest.approx((0.0, 0.02 * (1 - math.log(0.025))), rel=2e-3)
    assert one([0.0] * 1000, total=0.02).reason == "all units contribute the same"


@given(
    values=st.lists(st.floats(0, 1), min_size=2, max_size=30),
    level=st.sampled_from([0.8, 0.95, 0.999]),
    indicator=st.booleans(),
)
def test_interval_holds_its_value_and_keeps_the_bounds(
    values: list[float], level: float, indicator: bool
) -> None:
    array = np.round(values) if indicator else np.array(values)
    found = one(array, level=level, indicator=indicator)
    assert found.low is not None
    slack = 1e-9
    assert 0 <= found.low <= found.value + slack
    assert found.value - slack <= found.high <= 1


def coverage(
    draw: Callable[[np.random.Generator, tuple[int, int]], np.ndarray], truth: float, n: int
) -> float:
    """Share of 2,000 samples of ``n`` units whose interval holds ``truth``."""
    drawn = draw(np.random.default_rng(n), (2000, n))
    found = intervals([sample(row, bounds=(-1.0, 1.0) if (row < 0).any() else UNIT) for row in drawn], seed=3)
    return float(np.mean([x.low <= truth <= x.high for x in found]))


def _recall(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """One to five relevant items, each found with probability 0.15."""
    relevant = rng.integers(1, 6, shape)
    return rng.binomial(relevant, 0.15) / relevant


def _sparse(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Nine users in ten score nothing, as in reciprocal rank with one relevant item."""
    return np.where(rng.random(shape) < 0.1, rng.choice([0.25, 0.5, 1.0], shape), 0.0)


def _difference(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Two models that share much of their luck with each user."""
    relevant = rng.integers(1, 6, shape)
    both = rng.binomial(relevant, 0.12)
    return (rng.binomial(relevant - both, 0.08) - rng.binomial(both, 0.3)) / relevant


@pytest.mark.parametrize("n", [50, 200, 1000])
@pytest.mark.parametrize(
    ("draw", "truth"),
    [(_recall, 0.15), (_sparse, 0.1 * 1.75 / 3), (_difference, 0.88 * 0.08 - 0.12 * 0.3)],
    ids=["recall", "sparse", "paired difference"],
)
def test_coverage_of_means(draw: Callable[..., np.ndarray], truth: float, n: int) -> None:
    assert 0.93 <= coverage(draw, truth, n) <= 0.97


@pytest.mark.parametrize(("n", "share"), [(50, 0.1), (200, 0.03), (1000, 0.5)])
def test_coverage_of_indicators(n: int, share: float) -> None:
    hits = np.random.default_rng(n).random((2000, n)) < share
    found = intervals([sample(row.astype(float), indicator=True) for row in hits], seed=3)
    assert 0.93 <= np.mean([x.low <= share <= x.high for x in found]) <= 0.975


@pytest.mark.parametrize("n", [100, 400])
def test_coverage_of_catalogue_coverage(n: int) -> None:
    """Users draw 5 of 500 items with Zipf weights; the true value is the mean over many runs."""
    rng = np.random.default_rng(n)
    weights = 1 / np.arange(1, 501)
    lists = rng.choice(500, (800, n, 5), p=weights / weights.sum())
    samples = []
    for run in lists:
        held = np.zeros((n, 500), bool)
        held[np.arange(n)[:, None], run] = True
        users = held.sum(axis=0)
        losses = (held & (users == 1)).sum(axis=1) / 500
        samples.append(sample(losses, total=float((users > 0).mean()), reach=0.01))
    truth = float(np.mean([x.total for x in samples]))
    inside = np.mean([x.low <= truth <= x.high for x in intervals(samples, seed=1)])
    assert inside >= 0.93
