"""Intervals of differential fairness and of its amplification hold, also near 0 and for rare outcomes."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.differential import (
    Driving,
    amplification_of,
    driving_pair,
    epsilon,
    epsilon_of,
)
from genrec_eval.stats.extremes import Simultaneous
from genrec_eval.stats.ranges import Range

Float64 = npt.NDArray[np.float64]


def rows_of(codes: npt.NDArray[np.int64], outcomes: Float64, g: int) -> Float64:
    rows = np.zeros((len(codes), 2 * g))
    rows[np.arange(len(codes)), codes] = outcomes
    rows[np.arange(len(codes)), g + codes] = 1
    return rows


def truth_of(chances: Float64) -> float:
    return float(max(np.ptp(np.log(chances)), np.ptp(np.log1p(-chances))))


@pytest.mark.parametrize(
    ("n", "chances", "least"),
    [
        (40, [0.3] * 4, 0.975),
        (60, [0.2, 0.2, 0.2, 0.4], 0.95),
        (100, [0.3, 0.6], 0.94),
        (40, [0.02, 0.2], 0.92),  # a group that hardly ever hits: 0.8 expected
    ],
)
def test_interval_covers_the_true_epsilon(n: int, chances: list[float], least: float) -> None:
    rng, g = np.random.default_rng(11), len(chances)
    codes, at = np.repeat(np.arange(g), n), np.array(chances)
    inside = 0
    for _ in range(250):
        found = epsilon_of(rows_of(codes, (rng.random(g * n) < at[codes]).astype(float), g), 1.0)
        assert isinstance(found, Range)
        low, high = found.ends(0.95)
        inside += low <= truth_of(at) <= high
    assert inside / 250 >= least


@pytest.mark.parametrize("listed", [[0.2, 0.2, 0.2], [0.2, 0.2, 0.5]])
def test_amplification_is_never_found_where_there_is_none_and_found_where_it_is(listed: list[float]) -> None:
    # few held-out items beside longer lists: the plain difference lies below the truth
    rng, data, n = np.random.default_rng(5), np.full(3, 0.2), 200
    codes, at = np.repeat(np.arange(3), n), np.array(listed)
    truth, inside, found_some, plain = truth_of(at) - truth_of(data), 0, 0, 0.0
    for _ in range(100):
        in_list = rng.binomial(10, at[codes]) / 10
        held = rng.binomial(2, data[codes]) / 2
        rows = np.hstack([rows_of(codes, in_list, 3)[:, :3], rows_of(codes, held, 3)])
        found = amplification_of(rows)
        assert isinstance(found, Simultaneous)
        low, high = found.ends(0.95)
        inside, found_some = inside + (low <= truth <= high), found_some + (low > 0)
        sums = rows.sum(axis=0)
        plain += float(epsilon(sums[:3], sums[6:], 1.0) - epsilon(sums[3:6], sums[6:], 1.0)) / 100
    assert inside >= 95
    assert plain < truth  # what a report without an interval would say flatters the model
    assert found_some <= 2 if truth == 0 else found_some >= 90


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=2, max_size=6))
def test_driving_pair_is_the_one_whose_ratio_is_the_value(pairs: list[tuple[int, int]]) -> None:
    hits, misses = np.array(pairs, np.float64).T
    found = driving_pair(hits, hits + misses, 1.0)
    assert isinstance(found, Driving)
    assert found.epsilon == pytest.approx(float(epsilon(hits, hits + misses, 1.0)))
    side = hits if found.outcome else misses
    chance = (side + 1) / (hits + misses + 2)
    assert np.log(chance[found.higher] / chance[found.lower]) == pytest.approx(found.epsilon)


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(1, 9)), min_size=4, max_size=4))
def test_an_intersection_bounds_each_of_its_parts(pairs: list[tuple[int, int]]) -> None:
    # Foulds et al. 2020, property of marginals, without smoothing
    hits, misses = np.array(pairs, np.float64).reshape(2, 2, 2).transpose(2, 0, 1) + 1
    whole = epsilon(hits.ravel(), (hits + misses).ravel(), 0.0)
    for axis in (0, 1):
        assert epsilon(hits.mean(axis=axis), (hits + misses).mean(axis=axis), 0.0) <= whole + 1e-12


def test_errors_are_those_of_the_units_own_pulls() -> None:
    rng = np.random.default_rng(6)
    codes = np.repeat([0, 1, 2], [30, 40, 50])
    listed, held = rng.random(120), rng.integers(0, 2, 120).astype(float)
    rows = np.hstack([rows_of(codes, listed, 3)[:, :3], rows_of(codes, held, 3)])
    found = amplification_of(rows)
    assert isinstance(found, Simultaneous)
    low, high = found.each(1.0)
    logs, variances = np.zeros((3, 3, 2)), np.zeros((3, 3, 2))
    for g in range(3):
        x, z = listed[codes == g], held[codes == g]
        p, q = (x.sum() + 0.5) / (len(x) + 1), (z.sum() + 0.5) / (len(z) + 1)
        for y, sign in ((0, 1), (1, -1)):
            chances = [p, q] if y == 0 else [1 - p, 1 - q]
            pulls = [
                sign * (of - c) / (share * (len(x) + 1))
                for of, c, share in zip((x, z), (p, q), chances, strict=False)
            ]
            pseudo = [
                (c**2 + (1 - c) ** 2) / 2 / (share * (len(x) + 1)) ** 2
                for c, share in zip((p, q), chances, strict=False)
            ]
            logs[0, g, y], logs[1, g, y] = np.log(chances)
            logs[2, g, y] = logs[0, g, y] - logs[1, g, y]
            variances[:2, g, y] = [(of**2).sum() + more for of, more in zip(pulls, pseudo, strict=False)]
            variances[2, g, y] = ((pulls[0] - pulls[1]) ** 2).sum() + sum(pseudo)
    pairs = [(0, 1), (0, 2), (1, 2)]
    values = [logs[kind, a, y] - logs[kind, b, y] for kind in range(3) for y in (0, 1) for a, b in pairs]
    errors = [
        (variances[kind, a, y] + variances[kind, b, y]) ** 0.5
        for kind in range(3)
        for y in (0, 1)
        for a, b in pairs
    ]
    assert (low + high) / 2 == pytest.approx(np.array(values))
    assert (high - low) / 2 == pytest.approx(np.array(errors))


def test_what_cannot_be_said_gets_a_reason() -> None:
    codes = np.repeat([0, 1], [40, 3])
    rows = rows_of(codes, np.ones(43), 3)
    assert epsilon_of(rows[:40], 1.0) == "fewer than two groups have a value"
    assert epsilon_of(rows, 1.0, least=30) == "a group has fewer than 30 units here"
    assert epsilon_of(rows[:41], 1.0) == "a group has fewer than 2 units here"
    assert driving_pair(np.array([1.0]), np.array([3.0]), 1.0) is None
    assert np.isnan(epsilon(np.array([1.0, 0.0]), np.array([3.0, 0.0]), 1.0))


def test_p_value_and_interval_say_the_same() -> None:
    codes = np.repeat([0, 1], 100)
    found = epsilon_of(
        rows_of(codes, np.concatenate([np.arange(100) < 60, np.arange(100) < 30]) * 1.0, 2), 1.0
    )
    assert isinstance(found, Range)
    p = 2 * min(found.tails(0.0))
    assert found.ends(1 - p * 1.01)[0] > 0
    assert found.ends(1 - p * 0.99)[0] == pytest.approx(0, abs=1e-3)
