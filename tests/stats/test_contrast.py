"""Two groups of different units against scipy, and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from genrec_eval.stats.contrast import groups
from genrec_eval.stats.experiments import arm_difference
from genrec_eval.stats.intervals import intervals, p_values
from genrec_eval.stats.sample import Contrast, Sample, paired


def sample(one: list[float], other: list[float], contrast: Contrast = "difference") -> Sample:
    values = np.array([*one, *other, 7.0])  # the last is of a third group
    weights = np.array([1.0] * len(one) + [-1.0] * len(other) + [0.0])
    return Sample(values=values, scored=np.ones(len(values), bool), weights=weights, contrast=contrast)


numbers = st.lists(st.integers(-5, 20).map(float), min_size=2, max_size=30)


@given(one=numbers, other=numbers)
def test_difference_is_welchs(one: list[float], other: list[float]) -> None:
    found = intervals([sample(one, other)], seed=1)[0]
    assert found.value == pytest.approx(np.mean(one) - np.mean(other))
    assert found.n == len(one) + len(other)
    if np.ptp(one) == np.ptp(other) == 0:
        assert found.low is None
        assert found.reason == "no unit differs from another of its arm"
        return
    theirs = stats.ttest_ind(one, other, equal_var=False)
    ends = theirs.confidence_interval(0.95)
    assert (found.low, found.high, found.method) == (
        pytest.approx(ends.low),
        pytest.approx(ends.high),
        "welch",
    )
    assert p_values([sample(one, other)], seed=1)[0] == pytest.approx(theirs.pvalue)


def test_ratios_have_the_jackknifes_error() -> None:
    rng = np.random.default_rng(1)
    exposures = rng.integers(1, 9, 300).astype(float)
    clicks = rng.binomial(exposures.astype(int), 0.3) / exposures
    sign = np.where(np.arange(300) < 120, 1.0, -1.0)
    one = Sample(values=clicks, scored=np.ones(300, bool), weights=sign * exposures, contrast="difference")
    found = intervals([one], seed=1)[0]
    expected = arm_difference(*groups(one))
    top, bottom = clicks * exposures, exposures
    rates = [top[sign == s].sum() / bottom[sign == s].sum() for s in (1, -1)]
    assert found.value == pytest.approx(rates[0] - rates[1])
    assert (found.low, found.high) == (expected.low, expected.high)


def test_lift_covers_the_truth() -> None:
    rng = np.random.default_rng(3)
    hits = 0
    for _ in range(400):
        one, other = rng.gamma(2, 1.2, 150), rng.gamma(2, 1.0, 150)
        found = intervals([sample(one.tolist(), other.tolist(), "lift")], seed=1)[0]
        assert found.low is not None
        assert found.high is not None
        hits += found.low <= 0.2 <= found.high
    assert 0.92 <= hits / 400 <= 0.98


@pytest.mark.parametrize(
    ("one", "other", "contrast", "value", "reason"),
    [
        ([], [], "difference", None, "no unit is scored"),
        ([1.0], [], "difference", None, "an arm has no unit"),
        ([1.0], [2.0, 3.0], "difference", -1.5, "one unit says nothing about the spread of its arm"),
        ([1.0], [2.0, 2.0], "lift", -0.5, "one unit says nothing about the spread of its arm"),
        ([1.0, 2.0], [-1.0, 1.0], "lift", None, "the value to divide by is not above 0"),
        ([1.0, 2.0], [0.0, 1.0], "lift", 2.0, "a value lies too near 0 for a ratio"),
        ([1.0, 1.0], [2.0, 2.0], "lift", -0.5, "no unit differs from another of its arm"),
    ],
)
def test_what_has_no_interval_says_why(
    one: list[float], other: list[float], contrast: Contrast, value: float | None, reason: str
) -> None:
    found = intervals([sample(one, other, contrast)], seed=1)[0]
    assert (found.value, found.low, found.reason) == (value, None, reason)


def test_slices_keep_the_groups_and_pairs_are_refused() -> None:
    whole = sample([1.0, 2.0, 9.0], [4.0, 6.0, 9.0])
    mask = whole.values != 9.0
    assert intervals([whole.where(mask)], seed=1)[0].value == -3.5
    with pytest.raises(ValueError, match="plain samples"):
        paired(whole, whole)
