"""Shuffles inside units: against all arrangements by hand, calibration, resolution, what intervals hold."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.fits import Constant
from genrec_eval.stats.within_units import (
    excess_fit,
    null_scale,
    range_fit,
    shuffled_ranges,
    spread_fit,
    unresolvable,
)


def rows_of(values: np.ndarray) -> np.ndarray:
    there = ~np.isnan(values)
    return np.concatenate([np.where(there, values, 0.0), there.astype(float)], axis=1)


def by_hand(values: np.ndarray) -> tuple[float, float, float]:
    """Observed range, share of arrangements with at least that, and their mean."""
    there = ~np.isnan(values)

    def spread(table: np.ndarray) -> float:
        means = np.nanmean(table, axis=0)
        return float(means.max() - means.min())

    observed, ranges = spread(values), []
    orders = [list(itertools.permutations(row[mask])) for row, mask in zip(values, there, strict=True)]
    for choice in itertools.product(*orders):
        table = np.full(values.shape, np.nan)
        for row, mask, order in zip(table, there, choice, strict=True):
            row[mask] = order
        ranges.append(spread(table))
    return observed, float(np.mean(np.array(ranges) >= observed - 1e-9)), float(np.mean(ranges))


cell = st.integers(0, 4).map(lambda i: i / 4)


@given(st.lists(st.tuples(cell, cell, cell), min_size=2, max_size=4))
def test_few_arrangements_are_all_tried(cells: list[tuple[float, float, float]]) -> None:
    values = np.array(cells)
    found = shuffled_ranges(rows_of(values), seed=1)
    assert found is not None
    assert found.exact
    assert (found.observed, found.p, found.mean) == pytest.approx(by_hand(values))


def test_labels_that_a_unit_was_not_asked_take_no_part() -> None:
    values = np.array([[0.9, np.nan, 0.1], [0.8, 0.3, np.nan], [0.5, 0.2, 0.4], [np.nan, np.nan, 0.6]])
    found = shuffled_ranges(rows_of(values), seed=1)
    assert found is not None
    assert (found.observed, found.p, found.mean) == pytest.approx(by_hand(values))


def test_drawn_shuffles_agree_with_all_of_them() -> None:
    rng = np.random.default_rng(3)
    values = rng.random((7, 3)) + np.array([0.0, 0.1, 0.25])
    exact = shuffled_ranges(rows_of(values), seed=1)
    assert exact is not None
    assert exact.exact
    doubled = shuffled_ranges(rows_of(np.concatenate([values, values + 0.0])), seed=1)
    assert doubled is not None
    assert not doubled.exact
    assert doubled.mean == pytest.approx(exact.mean / math.sqrt(2), rel=0.03)
    assert doubled.p == shuffled_ranges(rows_of(np.concatenate([values, values])), seed=1).p  # type: ignore[union-attr]


def test_the_null_mean_is_that_of_normal_means_where_units_are_many() -> None:
    rng = np.random.default_rng(5)
    for labels, factor in ((2, 1.128), (3, 1.693), (7, 2.704)):
        rows = rows_of(rng.random((400, labels)))
        found = shuffled_ranges(rows, seed=1)
        assert found is not None
        error = math.sqrt(float(null_scale(rows).sum())) / 400
        assert found.mean == pytest.approx(factor * error, rel=0.04)


def test_sums_of_very_many_units_are_drawn_as_normal() -> None:
    rng = np.random.default_rng(6)
    values = rng.random((30_000, 3))
    found = shuffled_ranges(rows_of(values), seed=1, replicates=2000)
    part = shuffled_ranges(rows_of(values[:3000]), seed=1, replicates=2000)
    assert found is not None
    assert part is not None
    assert found.mean * math.sqrt(10) == pytest.approx(part.mean, rel=0.06)


def test_p_is_uniform_and_the_excess_is_centred_where_labels_mean_nothing() -> None:
    rng = np.random.default_rng(11)
    ps, excess = [], []
    for _ in range(400):
        unit = rng.normal(0.6, 0.2, (25, 1))  # units differ, labels do not
        found = shuffled_ranges(rows_of(unit + rng.normal(0, 0.1, (25, 4))), seed=1, replicates=299)
        assert found is not None
        ps.append(found.p)
        excess.append(found.observed - found.mean)
    shares = np.array([(np.array(ps) <= level).mean() for level in (0.05, 0.25, 0.5, 0.75)])
    assert shares == pytest.approx([0.05, 0.25, 0.5, 0.75], abs=0.065)  # 2.6 standard errors of 400
    assert shares[0] <= 0.08
    assert abs(np.mean(excess)) < 3 * np.std(excess) / 20


def test_intervals_hold_with_and_without_a_difference() -> None:
    rng = np.random.default_rng(12)
    for apart in (0.0, 0.05, 0.2):
        true = np.array([0.0, apart, 0.0])
        held = {"range": 0, "excess": 0, "spread": 0}
        floors, draws = [], []
        for _ in range(200):
            values = rng.normal(0.5, 0.2, (30, 1)) + true + rng.normal(0, 0.1, (30, 3))
            rows = rows_of(values)
            floor = 1.693 * math.sqrt(float(null_scale(rows).sum())) / 30
            draws.append(
                (range_fit(rows).ends(0.95), excess_fit(rows, floor).ends(0.95), spread_fit(rows).ends(0.95))
            )  # type: ignore[union-attr]
            floors.append(float(np.ptp(values.mean(axis=0))) - floor)
        expected = {"range": apart, "excess": float(np.mean(floors)), "spread": float(true.std())}
        for ends in draws:
            for name, (low, high) in zip(held, ends, strict=True):
                held[name] += low <= expected[name] + 1e-12 and high >= expected[name] - 1e-12
        assert min(held.values()) >= 186, (apart, held)  # 93 % of 200


def test_where_no_arrangement_could_decide_it_says_so() -> None:
    assert unresolvable(np.ones((5, 4))) is not None
    assert "p = 0.0625" in str(range_fit(rows_of(np.random.default_rng(0).random((5, 2)))))
    assert unresolvable(np.ones((6, 4))) is None
    assert unresolvable(np.ones((2, 6))) is not None  # 3 labels, 2 units: 1/6
    assert unresolvable(np.ones((3, 6))) is None
    assert isinstance(range_fit(np.ones((1, 4))), str)
    assert isinstance(range_fit(np.zeros((0, 4))), str)


@pytest.mark.parametrize(("labels", "units"), [(2, 4), (2, 5), (3, 2), (3, 3), (4, 2)])
def test_the_least_p_is_that_of_the_most_extreme_data(labels: int, units: int) -> None:
    values = np.tile(np.linspace(0, 1, labels), (units, 1)) + np.arange(units)[:, None] / 97
    found = shuffled_ranges(rows_of(values), seed=1)
    assert found is not None
    least = (labels * (labels - 1.0)) ** (1 - units)
    assert found.p == pytest.approx(least)
    said = unresolvable(rows_of(values))
    assert (said is None) == (least <= 0.05)


def test_units_that_all_agree_leave_room_for_units_unseen() -> None:
    same = rows_of(np.tile([0.75, 0.75], (40, 1)))
    fit = range_fit(same)
    assert isinstance(fit, Constant)
    low, high = fit.ends(0.95)
    assert low == 0
    assert high == pytest.approx(1 - 0.025 ** (1 / 40))
    assert isinstance(spread_fit(same), Constant)
    found = shuffled_ranges(same, seed=1)
    assert found is not None
    assert (found.p, found.mean) == (1.0, 0.0)


def test_a_difference_that_all_units_share_is_not_known_exactly() -> None:
    rows = rows_of(np.tile([7 / 13, 1.0], (290, 1)))
    for fit, value in ((range_fit(rows), 6 / 13), (spread_fit(rows), 3 / 13)):
        assert isinstance(fit, Constant)
        low, high = fit.ends(0.95)
        assert value - 0.02 < low < value - 0.001
        assert value + 0.001 < high < value + 0.02


def test_ends_and_tails_are_two_readings_of_one_thing() -> None:
    rng = np.random.default_rng(4)
    rows = rows_of(rng.random((40, 3)) + np.array([0.0, 0.0, 0.4]))
    for fit in (range_fit(rows), spread_fit(rows), excess_fit(rows, 0.05)):
        assert not isinstance(fit, str)
        low, high = fit.ends(0.95)
        assert fit.tails(low)[0] == pytest.approx(0.025, abs=1e-6)
        assert fit.tails(high)[1] == pytest.approx(0.025, abs=1e-6)
