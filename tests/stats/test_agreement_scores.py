"""Rank correlations and the logistic slope against scipy and statsmodels, and where they are undefined."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.stats.logit import logistic_slope
from genrec_eval.stats.ranks import coefficient, correlation, grouped_correlation, system_correlation

# scipy.stats.spearmanr and kendalltau of these two give the values below (scipy 1.16)
X = np.array([2, 4, 4, 7, 1, 9, 5, 5, 3, 8, 6, 2], float)
Y = np.array([1, 5, 3, 6, 2, 9, 4, 7, 3, 8, 8, 2], float)
SCIPY = {"spearman": 0.9328621908127208, "kendall": 0.8253968253968252}


@pytest.mark.parametrize("kind", ["spearman", "kendall"])
def test_correlations_with_ties_are_scipys(kind: str) -> None:
    found = correlation(X, Y, kind=kind, seed=1)
    assert found.value == pytest.approx(SCIPY[kind], abs=1e-12)
    assert found.low < found.value < found.high <= 1
    assert correlation(np.exp(X), Y, kind=kind, seed=None).value == pytest.approx(SCIPY[kind], abs=1e-12)
    assert correlation(X, -Y, kind=kind, seed=None).value == pytest.approx(-SCIPY[kind], abs=1e-12)


@pytest.mark.parametrize("kind", ["spearman", "kendall"])
def test_intervals_are_about_as_wide_as_the_textbook_error(kind: str) -> None:
    rng = np.random.default_rng(3)
    x = rng.normal(size=150)
    y = 0.5 * x + rng.normal(size=150)
    found = correlation(x, y, kind=kind, seed=1)
    # Bonett & Wright 2000, on the scale of Fisher's z
    z = np.arctanh(found.value)
    half = 1.96 * (np.sqrt((1 + found.value**2 / 2) / 147) if kind == "spearman" else np.sqrt(0.437 / 146))
    expected = np.tanh(z + half) - np.tanh(z - half)
    assert found.high - found.low == pytest.approx(expected, rel=0.2)


@pytest.mark.parametrize("kind", ["spearman", "kendall"])
def test_copies_of_a_unit_do_not_narrow_the_interval(kind: str) -> None:
    ids = np.arange(len(X))
    many = correlation(np.tile(X, 4), np.tile(Y, 4), kind=kind, units=np.tile(ids, 4), seed=1)
    once = correlation(X, Y, kind=kind, seed=1)
    assert many.units == 12
    assert many.high - many.low > 0.5 * (once.high - once.low)


def test_leaving_out_a_unit_of_several_rows_is_recomputing_without_it() -> None:
    units = np.repeat(np.arange(6), 2)
    without = [coefficient(X[units != u], Y[units != u], "kendall") for u in range(6)]
    error = np.sqrt(5 / 6 * ((np.array(without) - np.mean(without)) ** 2).sum())
    found = correlation(X, Y, kind="kendall", units=units, seed=1)
    assert found.value - found.low == pytest.approx(2.570582 * error, rel=1e-5)


def test_groups_without_a_correlation_are_counted() -> None:
    groups = np.array(["a"] * 3 + ["b"] * 3 + ["c"])
    found, skipped = grouped_correlation([1, 2, 3, 5, 5, 5, 1], [1, 2, 3, 1, 2, 3, 1], groups, seed=1)
    assert (found.value, skipped) == (1.0, 2)


def test_systems_are_correlated_by_their_means() -> None:
    systems = np.tile(["s", "t", "u"], 8)
    units = np.repeat(np.arange(8), 3)
    rng = np.random.default_rng(1)
    base = np.tile([1.0, 2.0, 3.0], 8)
    found = system_correlation(base + rng.normal(0, 0.1, 24), base, systems, units=units, seed=1)
    assert (found.value, found.n, found.units) == (1.0, 3, 8)
    assert system_correlation([1, 2], [1, 2], ["s", "t"], units=[1, 1], seed=1).reason.startswith(
        "fewer than three"
    )


def test_what_has_no_correlation_says_why() -> None:
    assert "same for all" in correlation([1, 1, 1], [1, 2, 3], seed=1).reason
    assert "fewer than two" in correlation([1, np.nan], [1, 2], seed=1).reason


def test_slope_and_clustered_error_are_statsmodels() -> None:
    # statsmodels 0.15 Logit with cov_type cluster, use_correction False: 0.93653307, 0.40886285
    x = [-2, -1, -1, 0, 0, 1, 1, 2, 3, -3]
    y = [0, 0, 1, 0, 1, 1, 0, 1, 1, 0]
    found = logistic_slope(y, x, units=np.repeat(np.arange(5), 2), seed=1)
    assert found.value == pytest.approx(0.9365330674903082, abs=1e-9)
    half = (found.high - found.low) / 2
    assert half == pytest.approx(2.7764451 * 0.40886284571854925 * np.sqrt(5 / 4), rel=1e-6)


def test_a_covariate_that_parts_the_outcomes_has_no_slope() -> None:
    assert "parts the outcomes" in logistic_slope([0] * 10 + [1] * 10, np.arange(20), seed=1).reason
    assert "does not vary" in logistic_slope([1] * 5, np.arange(5), seed=1).reason
