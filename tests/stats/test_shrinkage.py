"""Shrunk means: published values, closed forms, and smaller errors than raw ones in simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.shrinkage import shrink_means, shrink_rates


def test_baseball_players_of_1970() -> None:
    # Efron & Morris 1977: 18 players' hits in 45 tries; c = 0.212 keeps that share of each deviation
    hits = [18, 17, 16, 15, 14, 14, 13, 12, 11, 11, 10, 10, 10, 10, 10, 9, 8, 7]
    means = np.array(hits) / 45
    overall = means.mean()
    found = shrink_means(means, np.full(18, overall * (1 - overall) / 45))
    assert 1 - found.pull[0] == pytest.approx(0.212, abs=0.002)
    assert found.means[0] == pytest.approx(0.294, abs=0.001)  # Clemente, .400 of his first 45
    assert found.means[-1] == pytest.approx(0.242, abs=0.001)  # Alvis, .156
    assert found.expected == pytest.approx(np.full(18, overall))


@given(st.lists(st.floats(-5, 5), min_size=4, max_size=12))
def test_equal_variances_give_the_james_stein_estimator(values: list[float]) -> None:
    means = np.array(values)
    squares = float(((means - means.mean()) ** 2).sum())
    found = shrink_means(means, np.full(len(means), 0.25))
    if squares > 0.25 * (len(means) - 1) * (1 + 1e-9):
        kept = 1 - (len(means) - 3) * 0.25 / squares
        assert found.means == pytest.approx(means.mean() + kept * (means - means.mean()), abs=1e-6)
    else:  # no more spread than noise would make
        assert found.spread == pytest.approx(0.0, abs=1e-6)
        assert found.pull == pytest.approx((len(means) - 3) / (len(means) - 1))


def test_squared_error_is_smaller_than_of_raw_means() -> None:
    rng = np.random.default_rng(2)
    raw = shrunk = additive = 0.0
    sex, age = np.repeat([0, 1], 6), np.tile(np.arange(6), 2)
    for _ in range(200):
        truth = 0.4 + 0.4 * sex - 0.1 * age + rng.normal(0, 0.02, 12)
        variances = 0.2 / rng.integers(10, 60, 12)
        means = truth + rng.normal(0, np.sqrt(variances))
        grand, by_parts = shrink_means(means, variances), shrink_means(means, variances, [sex, age])
        assert (grand.towards, by_parts.towards) == ("grand mean", "main effects")
        raw += ((means - truth) ** 2).sum()
        shrunk += ((grand.means - truth) ** 2).sum()
        additive += ((by_parts.means - truth) ** 2).sum()
    assert additive < shrunk < raw
    assert additive < 0.9 * raw


def test_a_planted_cell_keeps_its_sign_and_the_others_come_closer() -> None:
    sex, age = np.repeat([0, 1], 5), np.tile(np.arange(5), 2)
    means = 0.5 + 0.1 * sex + 0.02 * age
    means[7] -= 0.4
    found = shrink_means(means, np.full(10, 1e-4), [sex, age])
    assert found.means[7] < found.expected[7] - 0.1
    assert found.means == pytest.approx(means, abs=0.02)  # far beyond the noise: hardly shrunk


def test_exactly_additive_cells_are_left_as_they_are() -> None:
    sex, age = np.repeat([0, 1], 4), np.tile(np.arange(4), 2)
    means = 0.1 + 0.2 * sex + 0.05 * age
    found = shrink_means(means, np.full(8, 0.01), [sex, age])
    assert found.expected == pytest.approx(means)
    assert found.means == pytest.approx(means)


def test_too_few_cells_are_not_shrunk_and_say_so() -> None:
    three = shrink_means(np.array([0.1, 0.2, 0.9]), np.full(3, 0.01))
    assert (three.towards, three.means.tolist()) == ("none", [0.1, 0.2, 0.9])
    # two by two: the parts take up three of four numbers
    four = shrink_means(
        np.array([0.1, 0.2, 0.3, 0.9]), np.full(4, 0.01), [np.array([0, 0, 1, 1]), np.array([0, 1] * 2)]
    )
    assert four.towards == "grand mean"
    assert shrink_rates(np.array([1.0, 2.0]), np.array([5.0, 5.0])).towards == "none"


def test_rates_have_smaller_errors_than_raw_ones_and_find_the_prior() -> None:
    rng = np.random.default_rng(7)
    truth = rng.beta(4, 16, 400)
    counts = rng.integers(5, 60, 400).astype(float)
    hits = rng.binomial(counts.astype(int), truth).astype(float)
    found = shrink_rates(hits, counts)
    assert found.expected[0] == pytest.approx(0.2, abs=0.02)
    assert found.spread == pytest.approx(float(np.sqrt(0.2 * 0.8 / 21)), abs=0.015)
    assert ((found.means - truth) ** 2).sum() < 0.7 * ((hits / counts - truth) ** 2).sum()
    # the posterior mean of a beta prior, whatever the fit: between the raw rate and what is expected
    raw = hits / counts
    assert found.means == pytest.approx(found.pull * found.expected + (1 - found.pull) * raw)


def test_rates_that_do_not_differ_are_pooled() -> None:
    found = shrink_rates(np.full(6, 10.0), np.full(6, 50.0))
    assert found.means == pytest.approx(np.full(6, 0.2), abs=1e-3)
    assert found.spread < 0.02
    none = shrink_rates(np.zeros(5), np.full(5, 20.0))
    assert (none.means < 0.02).all()
