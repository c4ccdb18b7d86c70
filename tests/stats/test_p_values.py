"""p-values and intervals are two readings of one fit; tests against a margin follow."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from genrec_eval.stats.intervals import intervals, p_values, tails_of
from genrec_eval.stats.margins import equivalence, non_inferiority
from genrec_eval.stats.sample import Sample, paired


def sample(values: object, **options: object) -> Sample:
    array = np.asarray(values, float)
    return Sample(**{"values": array, "scored": np.ones(len(array), bool), **options})


def every_kind() -> list[Sample]:
    """One sample for each method."""
    rng = np.random.default_rng(1)
    scores, weights = rng.random(60) ** 3, 1.0 + rng.poisson(3, 60)
    return [
        sample(scores, bounds=(0.0, 1.0)),
        sample(-scores, bounds=(-1.0, 0.0)),
        sample(rng.normal(0.1, 1, 60)),
        sample(scores[:5]),
        sample((scores > 0.3).astype(float), indicator=True, bounds=(0.0, 1.0)),
        sample(np.full(60, 0.3), bounds=(0.0, 1.0)),
        sample(scores / 60, total=0.4),
        sample(np.zeros(60), total=0.4, reach=0.01),
        sample(scores, weights=weights, bounds=(0.0, 1.0)),
        paired(sample(scores, weights=weights, link="sqrt"), sample(np.sqrt(scores), weights=weights)),
    ]


def test_every_method_is_there() -> None:
    methods = [found.method for found in intervals(every_kind(), seed=1)]
    assert set(methods) == {
        "bootstrap-bca", "bootstrap-percentile", "t", "wilson", "constant", "jackknife"
    }  # fmt: skip


@pytest.mark.parametrize("level", [0.8, 0.95])
def test_p_is_small_exactly_when_the_interval_leaves_the_hypothesis_out(level: float) -> None:
    samples = every_kind()
    for one, found in zip(samples, intervals(samples, seed=2, level=level), strict=True):
        width = found.high - found.low
        for end, outwards in ((found.low, -1), (found.high, 1)):
            if end in (0.0, 1.0, -1.0):
                continue  # cut off at a bound
            inside, outside = (
                p_values([one], seed=2, null=end + 0.03 * width * side)[0] for side in (-outwards, outwards)
            )
            assert outside <= 1 - level + 1e-9 <= inside + 2e-9


def test_tails_say_on_which_side() -> None:
    above, below = tails_of([sample(np.tile([0.9, 1.1], 30))], seed=1)[0]
    assert above <= 0.001
    assert below > 0.999


def test_of_the_closed_forms() -> None:
    from scipy import stats

    rng = np.random.default_rng(2)
    few = rng.normal(0.5, 1, 6)
    p = p_values([sample(few)], seed=1, null=0.2)[0]
    assert p == pytest.approx(stats.ttest_1samp(few, 0.2).pvalue)
    hits = np.repeat([1.0, 0.0], [12, 88])
    p = p_values([sample(hits, indicator=True)], seed=1, null=0.2)[0]
    assert p == pytest.approx(2 * stats.norm.sf(0.08 / np.sqrt(0.2 * 0.8 / 100)))
    p = p_values([sample(np.zeros(100), bounds=(0.0, 1.0))], seed=1, null=0.03)[0]
    assert p == pytest.approx(2 * 0.97**100)


def test_without_an_interval_there_is_no_p() -> None:
    nothing = [sample([]), sample([0.3]), sample([0.3] * 9)]
    assert p_values(nothing, seed=1) == [None] * 3


def test_further_out_than_any_replicate_p_goes_on_as_students_t() -> None:
    """Many comparisons are adjusted together: p-values that stop at a floor would never pass."""
    from scipy import stats

    values = np.random.default_rng(1).normal(0, 1, 50)
    p = [p_values([sample(values + shift)], seed=1)[0] for shift in (0.0, 0.3, 0.5, 0.7, 0.9, 1.5)]
    want = [stats.ttest_1samp(values + shift, 0.0).pvalue for shift in (0.0, 0.3, 0.5, 0.7, 0.9, 1.5)]
    assert all(left > right > 0 for left, right in itertools.pairwise(p[1:]))
    assert np.log(p) == pytest.approx(np.log(want), rel=0.25, abs=0.1)


def test_margins_agree_with_the_interval_of_their_level() -> None:
    rng = np.random.default_rng(3)
    differences = [sample(rng.normal(mean, 0.3, 80)) for mean in np.linspace(-0.2, 0.2, 41)]
    for test in non_inferiority(differences, 0.1, seed=1):
        assert test.interval.level == 0.95
        assert test.holds == (test.interval.low > -0.1) == (test.p <= 0.025)
    for test in non_inferiority(differences, 0.1, seed=1, higher_is_better=False):
        assert test.holds == (test.interval.high < 0.1)
    for test in equivalence(differences, 0.1, seed=1):
        assert test.interval.level == pytest.approx(0.9)
        assert test.holds == (test.interval.low > -0.1 and test.interval.high < 0.1)


def test_tost_as_two_t_tests() -> None:
    from scipy import stats

    few = np.random.default_rng(4).normal(0.02, 0.05, 7)
    found = equivalence([sample(few)], 0.1, seed=1)[0]
    greater = stats.ttest_1samp(few, -0.1, alternative="greater").pvalue
    less = stats.ttest_1samp(few, 0.1, alternative="less").pvalue
    assert found.p == pytest.approx(max(greater, less))


def test_a_margin_holds_as_seldom_as_it_promises_when_it_is_just_missed() -> None:
    rng = np.random.default_rng(5)
    worse = [sample(row) for row in rng.normal(-0.1, 0.5, (500, 60))]
    assert np.mean([test.holds for test in non_inferiority(worse, 0.1, seed=1)]) <= 0.025 + 3 * 0.007
    assert np.mean([test.holds for test in equivalence(worse, 0.1, seed=1, alpha=0.05)]) <= 0.05 + 3 * 0.0098


def test_nothing_is_claimed_without_evidence() -> None:
    found = non_inferiority([sample([0.3])], 0.1, seed=1)[0]
    assert (found.holds, found.p) == (False, None)
    for test in (non_inferiority, equivalence):
        with pytest.raises(ValueError, match="greater than 0"):
            test([sample([0.1, 0.2])], 0.0, seed=1)
