"""Values that are functions of summed statistics: against plain loops, means, edges and slices."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from genrec_eval.core.randomness import generator
from genrec_eval.stats.clustered import by_cluster
from genrec_eval.stats.intervals import intervals, p_values
from genrec_eval.stats.resample import replicates_for
from genrec_eval.stats.sample import Pooled, Sample, paired
from genrec_eval.stats.statistic import Statistic, spread

Combine = Callable[[np.ndarray], np.ndarray]


def bleu(sums: np.ndarray) -> np.ndarray:
    """BLEU of two orders: matched and total unigrams and bigrams, length, reference length."""
    ones, of_ones, twos, of_twos, length, reference = np.moveaxis(sums, -1, 0)
    brevity = np.minimum(1.0, np.exp(1 - reference / length))
    return brevity * np.sqrt(ones / of_ones * twos / of_twos)


def mean(sums: np.ndarray) -> np.ndarray:
    return sums[..., 0] / sums[..., 1]


def perplexity(sums: np.ndarray) -> np.ndarray:
    return np.exp(sums[..., 0] / sums[..., 1])


def texts(n: int, seed: int = 0, quality: float = 0.4) -> np.ndarray:
    """float64[n, 6], as a model's texts of 3 to 40 words would have."""
    rng = np.random.default_rng(seed)
    reference = rng.integers(3, 40, n)
    length = np.maximum(reference + rng.integers(-3, 3, n), 2)
    ones = rng.binomial(length, quality)
    twos = rng.binomial(np.maximum(ones - 1, 0), 0.5)
    return np.stack([ones, length, twos, length - 1, length, reference], axis=1).astype(float)


def pooled(rows: np.ndarray, combine: Combine | None = bleu, **options: object) -> Sample:
    n = len(rows)
    refit = options.pop("refit", None)
    sample = {"values": np.zeros(n), "scored": np.ones(n, bool), "bounds": (0.0, 1.0), **options}
    return Sample(**sample, pooled=Pooled(rows=np.asarray(rows, float), combine=combine, refit=refit))  # type: ignore[arg-type]


def test_value_jackknife_and_resamples_are_those_of_a_plain_loop() -> None:
    rows = texts(40)
    statistic = Statistic.of(pooled(rows))
    assert statistic.value == bleu(rows.sum(axis=0))
    without = np.array([bleu(np.delete(rows, i, axis=0).sum(axis=0)) for i in range(40)])
    np.testing.assert_allclose(statistic.influence, 39 * (without.mean() - without), atol=1e-12)
    found = intervals([pooled(rows)], seed=5)[0]
    rng = generator(5, "bootstrap", 40)
    replicates = np.array(
        [float(bleu(rows[rng.integers(0, 40, 40)].sum(axis=0))) for _ in range(replicates_for(40))]
    )
    low, high = np.quantile(replicates, [0.025, 0.975])
    assert found.method == "bootstrap-bca"
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.15 * (high - low))
    assert high - low < found.high - found.low < 1.2 * (high - low)
    error = math.sqrt(39 / 40 * ((without - without.mean()) ** 2).sum())
    assert spread(pooled(rows)) == pytest.approx(error * math.sqrt(40))
    assert replicates.std() == pytest.approx(error, rel=0.1)


def test_a_mean_written_as_sums_is_the_mean() -> None:
    values = np.random.default_rng(1).random(300) ** 2
    plain = Sample(values=values, scored=np.ones(300, bool), bounds=(0.0, 1.0))
    one, other = intervals([plain, pooled(np.stack([values, np.ones(300)], 1), mean)], seed=1)
    assert other.value == pytest.approx(one.value)
    assert other.method == one.method == "bootstrap-bca"
    assert (other.low, other.high) == pytest.approx((one.low, one.high), rel=2e-3)
    assert spread(pooled(np.stack([values, np.ones(300)], 1), mean)) == pytest.approx(spread(plain))


def test_a_refit_that_is_a_mean_is_the_mean() -> None:
    values = np.random.default_rng(1).random(200) ** 2
    refit = {"combine": None, "refit": lambda rows, counts: counts @ rows[:, 0] / counts.sum(axis=1)}
    found = intervals([pooled(values[:, None], **refit)], seed=1)[0]
    plain = intervals([Sample(values=values, scored=np.ones(200, bool), bounds=(0.0, 1.0))], seed=1)[0]
    assert found.value == pytest.approx(plain.value)
    assert (found.low, found.high) == pytest.approx(
        (plain.low, plain.high), abs=0.1 * (plain.high - plain.low)
    )
    assert spread(pooled(values[:, None], **refit)) == pytest.approx(values.std(ddof=1))
    same = pooled(values[:, None], **refit)
    gone = paired(same, replace(same, pooled=replace(same.pooled, rows=values[::-1, None] * 0.5)))
    assert intervals([gone], seed=1)[0].value == pytest.approx(values.mean() / 2)


def test_a_refit_to_many_units_leaves_out_groups() -> None:
    values = np.random.default_rng(2).random(5_000)
    refit = {"combine": None, "refit": lambda rows, counts: counts @ rows[:, 0] / counts.sum(axis=1)}
    assert spread(pooled(values[:, None], **refit)) == pytest.approx(values.std(), rel=0.05)
    assert len(Statistic.of(pooled(values[:, None], **refit)).influence) == 2_000


def test_a_difference_is_resampled_jointly() -> None:
    rows, worse = texts(200), texts(200)
    worse[:, 2] = np.maximum(worse[:, 2] - 1, 0)
    one, other = pooled(rows), pooled(worse)
    alone, against, difference = intervals([one, other, paired(one, other)], seed=1)
    assert difference.value == pytest.approx(alone.value - against.value)
    assert difference.method == "bootstrap-percentile"
    assert difference.high - difference.low < 0.5 * (alone.high - alone.low)
    assert difference.low > 0
    assert difference.p < 0.01
    turned = intervals([paired(other, one)], seed=1)[0]
    assert (turned.low, turned.high) == pytest.approx((-difference.high, -difference.low), rel=1e-6)
    statistic = Statistic.of(paired(one, other))
    np.testing.assert_allclose(
        statistic.influence, Statistic.of(one).influence - Statistic.of(other).influence, atol=1e-12
    )


def test_the_rest_of_the_request_changes_no_bit() -> None:
    rows, other = texts(60), texts(60, seed=1)
    mask = np.random.default_rng(1).random(60) < 0.6
    half = replace(pooled(rows), scored=mask)
    data = [
        pooled(rows),
        pooled(other),
        paired(pooled(rows), pooled(other)),
        half,
        paired(half, pooled(other)),
        paired(half, pooled(texts(60, seed=2))),
        pooled(rows[:, :2], lambda sums: sums[..., 0] / sums[..., 1]),
        Sample(values=rows[:, 0] / rows[:, 1], scored=mask),
        pooled(rows, None, refit=lambda rows, counts: mean(counts @ rows)),
    ]
    together = intervals(data, seed=9)
    assert together == [intervals([one], seed=9)[0] for one in data]
    assert together == intervals(data[::-1], seed=9)[::-1]


def test_a_slice_is_the_interval_of_its_units() -> None:
    rows, other = texts(80), texts(80, seed=1)
    mask = np.random.default_rng(1).random(80) < 0.4
    whole = paired(pooled(rows), pooled(other)).where(mask)
    part = paired(pooled(rows[mask]), pooled(other[mask]))
    assert intervals([whole, pooled(rows).where(mask)], seed=1) == intervals(
        [part, pooled(rows[mask])], seed=1
    )


def test_units_without_a_score_are_never_read() -> None:
    rows = np.vstack([texts(30), np.full((2, 6), np.nan)])
    scored = np.arange(32) < 30
    assert intervals([pooled(rows, scored=scored)], seed=1) == intervals([pooled(texts(30))], seed=1)
    with pytest.raises(ValueError, match="statistic that is not a finite number"):
        intervals([pooled(rows)], seed=1)


def test_no_unit_one_unit_and_no_value() -> None:
    nothing = intervals([pooled(texts(3), scored=np.zeros(3, bool))], seed=1)[0]
    assert (nothing.value, nothing.n, nothing.reason) == (None, 0, "no unit is scored")
    single = intervals([pooled(texts(1))], seed=1)[0]
    assert (single.value, single.low) == (bleu(texts(1)[0]), None)
    assert single.reason == "one unit says nothing about the spread"
    undefined = intervals([pooled(np.zeros((20, 6)))], seed=1)[0]
    assert (undefined.value, undefined.low, undefined.n) == (None, None, 20)
    assert undefined.reason == "the statistics of these units define no value"


def test_units_that_agree_have_no_interval() -> None:
    """One unit that matches would lift a geometric mean from 0 by far more than its share."""
    rows = texts(50)
    rows[:, 2] = 0
    found, same = intervals([pooled(rows), paired(pooled(rows), pooled(rows))], seed=1)
    assert (found.value, found.low, same.value, same.low) == (0.0, None, 0.0, None)
    assert found.reason == same.reason == "no unit of these changes the value"
    tripled = intervals([pooled(np.tile([0.7, 1.3], (30, 1)), mean)], seed=1)[0]
    assert (tripled.low, tripled.reason) == (None, found.reason)


def test_resamples_without_a_value_are_counted() -> None:
    rows = np.zeros((100, 2))
    rows[:3] = [[1, 2], [1, 1], [1, 3]]
    few = intervals([pooled(rows, mean)], seed=1)[0]
    assert few.value == 0.5
    assert few.low is None
    assert few.reason.endswith("% of the resamples of these units define no value")
    assert float(few.reason.split("%")[0]) == pytest.approx(100 * 0.97**100, abs=0.7)
    rows[:8] = [1, 2]
    rows[0] = [2, 2]
    enough = intervals([pooled(rows, mean)], seed=1)[0]
    assert enough.low is not None
    for n in (5, 20_001):  # by the jackknife, which needs a value without each unit
        rows = np.zeros((n, 2))
        rows[0] = 1.0
        found = intervals([pooled(rows, mean)], seed=1)[0]
        assert (found.value, found.low) == (1.0, None)
        assert found.reason == "without one of these units no value is defined"
        assert spread(pooled(rows, mean)) is None


def test_few_and_many_units_use_students_t_on_the_jackknife() -> None:
    from scipy import stats

    for n in (2, 6, 20_001):
        rows = texts(n, seed=n, quality=0.6)
        rows[:, 2] += 1
        without = bleu(rows.sum(axis=0) - rows)
        half = stats.t.ppf(0.975, n - 1) * math.sqrt((n - 1) / n * ((without - without.mean()) ** 2).sum())
        found = intervals([pooled(rows, bounds=(None, None))], seed=1)[0]
        assert found.method == "t"
        assert (found.low, found.high) == pytest.approx((found.value - half, found.value + half))


def test_a_column_that_one_unit_holds_alone_leaves_nothing() -> None:
    rows = np.tile([0.1, 1.0], (30, 1))
    rows[:, 0] *= np.arange(30) == 7
    np.testing.assert_array_equal(Statistic.of(pooled(rows, mean)).parts[0].without[7], 0.0)


def test_clusters_add_up() -> None:
    rows, users = texts(60), np.arange(60) // 3
    found = by_cluster(pooled(rows), users)
    summed = pooled(rows.reshape(20, 3, 6).sum(axis=1))
    assert intervals([found], seed=1) == intervals([summed], seed=1)
    with pytest.raises(ValueError, match="clusters of pooled units"):
        by_cluster(pooled(rows), users, weigh="clusters")


def test_a_function_of_the_wrong_shape_is_named() -> None:
    with pytest.raises(ValueError, match=r"gave shape \(\) for 1 resamples"):
        intervals([pooled(texts(10), lambda sums: np.float64(sums.sum()))], seed=1)
    with pytest.raises(ValueError, match="one function"):
        Pooled(rows=texts(3))
    with pytest.raises(ValueError, match="neither weights nor a link"):
        intervals([replace(pooled(texts(9)), weights=np.ones(9))], seed=1)


SAMPLES = 300


def _likelihoods(n: int) -> np.ndarray:
    """Negative log-likelihood and tokens of texts whose tokens are as hard as their text is."""
    rng = np.random.default_rng(3)
    tokens = 1 + rng.poisson(12 * rng.lognormal(0, 0.6, n))
    hard = rng.gamma(4, 0.6, n)
    return np.stack([tokens * hard + rng.normal(0, 1, n) * np.sqrt(tokens), tokens], axis=1)


@pytest.mark.parametrize("case", ["ratio", "perplexity", "bleu"])
def test_coverage(case: str) -> None:
    """Long simulations (3,000 each) find 93.2 to 95.4 % from 50 units on; the error of 300 is allowed for."""
    rows, combine = {
        "ratio": (texts(20_000)[:, :2], mean),
        "perplexity": (_likelihoods(20_000), perplexity),
        "bleu": (texts(20_000, seed=4), bleu),
    }[case]
    other = rows[np.random.default_rng(5).permutation(len(rows))]
    truth = float(combine(rows.sum(axis=0)))
    drawn = np.random.default_rng(6).integers(0, len(rows), (SAMPLES, 100))
    data = [pooled(rows[r], combine, bounds=(None, None)) for r in drawn]
    differences = [
        paired(one, pooled(other[r], combine, bounds=(None, None)))
        for one, r in zip(data, drawn, strict=True)
    ]
    for samples, value in ((data, truth), (differences, 0.0)):
        found = intervals(samples, seed=3)
        inside = np.mean([x.low <= value <= x.high for x in found])
        assert 0.95 - 0.035 <= inside <= 0.95 + 0.035
    p = np.array(p_values(differences, seed=3))
    assert (p <= 0.2).mean() == pytest.approx(0.2, abs=0.075)
