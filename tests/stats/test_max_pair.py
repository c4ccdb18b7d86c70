"""The widest pair of groups: an independent count of all deals, false alarms, power, the edges."""

from __future__ import annotations

import itertools
from statistics import mean, variance

import numpy as np
import pytest

from genrec_eval.stats.max_pair import max_pair


def by_hand(values: list[float], labels: list[int]) -> tuple[float, float]:
    """Greatest statistic, and the share of all label orders whose greatest is at least as large."""

    spread = sum((v - mean(values)) ** 2 for v in values) / len(values)

    def error(group: list[float]) -> float:
        own = variance(group) / len(group)
        return max(own, (variance(group) + 30 * spread / len(group)) / (len(group) + 30))

    def greatest(of: tuple[int, ...]) -> float:
        groups = [[v for v, g in zip(values, of, strict=True) if g == name] for name in sorted(set(of))]
        return max(
            abs(mean(a) - mean(b)) / (error(a) + error(b)) ** 0.5
            for a, b in itertools.combinations(groups, 2)
        )

    seen = greatest(tuple(labels))
    orders = set(itertools.permutations(labels))
    return seen, sum(greatest(one) >= seen * (1 - 1e-9) for one in orders) / len(orders)


@pytest.mark.parametrize("labels", [[0, 0, 0, 1, 1, 1], [2, 2, 0, 0, 0, 1, 1], [0, 0, 1, 1, 1]])
def test_all_deals_of_few_units_are_counted(labels: list[int]) -> None:
    values = [0.31, 1.7, 0.22, 2.9, 3.4, 2.2, 0.9][: len(labels)]
    found = max_pair(np.array(values), np.array(labels), seed=1)
    assert found is not None
    assert found.exact
    statistic, p = by_hand(values, labels)
    assert found.statistic == pytest.approx(statistic)
    assert found.p == pytest.approx(p)
    assert found.p >= found.least_p


def test_false_alarms_stay_below_their_rate() -> None:
    # hits of six cells of unlike sizes, none different: one false pair in at most 5 % of runs
    rng = np.random.default_rng(4)
    codes = np.repeat(np.arange(6), [30, 30, 40, 60, 90, 50])
    found = [
        max_pair((rng.random(300) < 0.15).astype(float), codes, seed, replicates=399) for seed in range(150)
    ]
    p = np.array([1.0 if one is None else one.p for one in found])
    assert (p <= 0.05).mean() <= 0.09  # 5 % and two and a half standard errors of 150 runs
    assert (p <= 0.5).mean() == pytest.approx(0.5, abs=0.11)


def test_a_small_group_that_is_spread_wider_gives_no_more_false_alarms() -> None:
    # means are equal; with the spread of all in place of its own, 8.7 % of such runs were "significant"
    rng = np.random.default_rng(6)
    codes = np.repeat([0, 1], [60, 1000])
    spread = np.where(codes == 0, 2.0, 1.0)
    found = [max_pair(rng.normal(0, spread), codes, seed, replicates=199) for seed in range(300)]
    p = np.array([1.0 if one is None else one.p for one in found])
    assert (p <= 0.05).mean() <= 0.075  # 5 % and two standard errors of 300 runs


def test_a_planted_cell_is_found_and_named() -> None:
    rng = np.random.default_rng(8)
    codes = np.repeat(np.arange(8), 60)
    named = 0
    for seed in range(20):
        values = rng.normal(np.where(codes == 5, -0.9, 0.0), 1.0)
        found = max_pair(values, codes, seed, replicates=999)
        assert found is not None
        named += found.p < 0.05 and found.lower == 5 and found.n_lower == 60
        assert found.difference == pytest.approx(
            values[codes == found.higher].mean() - values[codes == found.lower].mean()
        )
    assert named >= 18


def test_few_units_can_prove_nothing_and_say_so() -> None:
    found = max_pair(np.array([0.0, 0.1, 5.0, 5.1]), np.array([0, 0, 1, 1]), seed=1)
    assert found is not None
    assert found.p == found.least_p == pytest.approx(1 / 3)


def test_edges() -> None:
    values = np.arange(8.0)
    assert max_pair(values, np.zeros(8, int), seed=1) is None
    assert max_pair(values, np.full(8, -1), seed=1) is None
    assert max_pair(np.zeros(0), np.zeros(0, int), seed=1) is None
    assert max_pair(values, np.array([0, 0, 0, 0, 0, 0, 1, 2]), seed=1) is None  # two groups of one
    few = np.array([0] * 4 + [1] * 4)
    assert max_pair(values, few, seed=1, least=5) is None
    alike = max_pair(np.full(8, 0.3), few, seed=1)
    assert alike is not None
    assert (alike.difference, alike.statistic, alike.p) == (0.0, 0.0, 1.0)
    sure = max_pair(np.repeat([0.0, 1.0], 4), few, seed=1)
    assert sure is not None
    assert sure.p == pytest.approx(2 / 70)


def test_many_units_are_dealt_by_chance() -> None:
    rng = np.random.default_rng(1)
    found = max_pair(rng.random(200), rng.integers(0, 3, 200), seed=1)
    assert found is not None
    assert not found.exact
    assert found.p > 0.01


def test_a_small_group_among_very_many_users_that_never_hits_is_no_finding() -> None:
    # 30 of 21,000 users at 2 %: more often than not the cell has no hit, and no spread
    rng = np.random.default_rng(0)
    codes = np.repeat(np.arange(3), [30, 100, 20_870])
    p = []
    for seed in range(40):
        found = max_pair((rng.random(21_000) < 0.02).astype(float), codes, seed, replicates=399)
        assert found is not None
        p.append(found.p)
    assert (np.array(p) <= 0.05).mean() <= 0.15
    planted = max_pair((rng.random(21_000) < np.where(codes == 1, 0.2, 0.02)).astype(float), codes, 1)
    assert planted is not None
    assert planted.p < 0.01
    assert (planted.higher, planted.n_higher) == (1, 100)
