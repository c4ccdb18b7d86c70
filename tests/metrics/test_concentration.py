"""Gini, entropy and its trend: closed forms, definitions in plain Python, and every user really left out."""

from __future__ import annotations

from collections import Counter
from math import e, log

import numpy as np
import pytest
from furnished import N, Shelf, Shopper, build, cutoffs, shelves, shoppers, without
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.registry import metric
from genrec_eval.stats.intervals import intervals


def listed(people: list[Shopper], k: int) -> list[int]:
    return [item for one in people if one.answered for item in one.listed[:k] if item >= 0]


def gini(items: list[int], divisor: int) -> float:
    """Mean absolute difference of all pairs over twice the mean, scaled by n / divisor."""
    counts = np.array([items.count(item) for item in range(N)])
    if not counts.sum():
        return 0.0
    pairs = np.abs(counts[:, None] - counts[None, :]).sum()
    return float(pairs / (2 * N * N * counts.mean()) * N / divisor)


def entropy(items: list[int], base: float) -> float:
    shares = [count / len(items) for count in Counter(items).values()]
    return -sum(p * log(p) for p in shares) / log(base)


def losses(people: list[Shopper], shelf: Shelf, name: str) -> tuple[UnitScores, list[float]]:
    """Scores, and the fall of the total when each user in turn gives no answer."""
    found = metric(name)(build(people, shelf))
    rest = [metric(name)(build(without(people, row), shelf)).total for row in range(len(people))]
    return found, [found.total - value for value in rest]


@settings(max_examples=40)
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_gini_and_entropy_equal_their_definitions_and_leaving_each_user_out(
    people: list[Shopper], shelf: Shelf, k: int
) -> None:
    items = listed(people, k)
    want = {
        "gini": gini(items, N),
        "gini(divisor=n-1)": gini(items, N - 1),
        "entropy": entropy(items, 2),
        "entropy(base=e)": entropy(items, e),
        "entropy(base=items)": entropy(items, N),
    }
    for name, value in want.items():
        found, rest = losses(people, shelf, f"{name}@{k}")
        if not items:
            assert found.reasons["no-valid-item"].all()
            continue
        assert found.total == pytest.approx(value, abs=1e-12), name
        np.testing.assert_allclose(found.values, rest, rtol=0, atol=1e-12, err_msg=name)


@settings(max_examples=40)
@given(people=shoppers, shelf=shelves, k=cutoffs, periods=st.integers(2, 4))
def test_entropy_over_time_equals_its_definition(
    people: list[Shopper], shelf: Shelf, k: int, periods: int
) -> None:
    found = metric(f"entropy_over_time(periods={periods})@{k}")(build(people, shelf))
    shown = [one for one in people if listed([one], k)]
    moments = sorted(one.cut for one in shown)

    def period(one: Shopper) -> int:
        middle = sum(m < one.cut for m in moments) + moments.count(one.cut) / 2
        return int(periods * middle / len(moments))

    def trend(people: list[Shopper]) -> float | None:
        by: dict[int, list[int]] = {}
        for one in people:
            by.setdefault(period(one), []).extend(listed([one], k))
        places = sorted({period(one) for one in shown})
        if len(places) < 2:
            return None
        values = [entropy(by[p], 2) if by.get(p) else 0.0 for p in places]
        return float(np.polyfit(places, values, 1)[0] * (places[-1] - places[0]))

    if trend(shown) is None:
        assert not found.scored.any()
        return
    assert found.total == pytest.approx(trend(shown), abs=1e-9)
    for row, one in enumerate(people):
        if found.scored[row]:
            assert one in shown
            left = trend([other for other in shown if other is not one])
            assert found.values[row] == pytest.approx(found.total - left, abs=1e-9)


def people(*rows: list[int]) -> list[Shopper]:
    return [Shopper(row, [0.0] * len(row)) for row in rows]


def plain(n: int) -> Shelf:
    return Shelf([1] * n, [1] * n, [0] * n, [0] * n, [[0]] * n, [0] * n, [[1.0]] * n, [False] * n)


def test_closed_forms() -> None:
    even = build(people([0, 1], [2, 3]), plain(4))
    assert metric("gini@2")(even).total == 0
    assert metric("entropy@2")(even).total == pytest.approx(2)
    assert metric("entropy(base=items)@2")(even).total == pytest.approx(1)
    alone = build(people([0], [0], [0]), plain(4))
    assert metric("gini@1")(alone).total == pytest.approx(3 / 4)
    assert metric("gini(divisor=n-1)@1")(alone).total == pytest.approx(1)
    assert metric("entropy@1")(alone).total == 0


def test_items_that_no_list_holds_count_as_zeros() -> None:
    rows = people([0, 1], [1, 0])
    assert metric("gini@2")(build(rows, plain(2))).total == 0
    assert metric("gini@2")(build(rows, plain(20))).total == pytest.approx(0.9)


def test_recbole_fixture() -> None:
    """tests/metrics/test_topk_metrics.py of RUCAIBox/RecBole (MIT); its catalogue of 8 holds the padding."""
    rows = people([5, 7, 3], [4, 5, 2], [2, 3, 5], [1, 4, 6], [5, 3, 7])
    lists = build(rows, plain(8))
    want = (-7 * 0 - 5 * 1 - 3 * 1 - 1 * 2 + 1 * 2 + 3 * 2 + 5 * 3 + 7 * 4) / (8 * 3 * 5)
    assert metric("gini@3")(lists).total == pytest.approx(want)
    counts = [1, 2, 3, 2, 4, 1, 2]
    mean = -np.mean([c / 15 * np.log(c / 15) for c in counts])  # RecBole's entropy, over 7 distinct items
    assert metric("entropy(base=e)@3")(lists).total / 7 == pytest.approx(mean)


def test_the_trend_tells_rising_from_falling_diversity() -> None:
    rows = [Shopper([0, 1], [0.0] * 2, cut=t) for t in range(4)]
    rows += [Shopper([2 * t, 2 * t + 1], [0.0] * 2, cut=10 + t) for t in range(4)]
    shelf = plain(9)
    assert metric("entropy_over_time@2")(build(rows, shelf)).total == pytest.approx(3 - 1)
    backwards = [Shopper(one.listed, one.scores, cut=-one.cut) for one in rows]
    assert metric("entropy_over_time@2")(build(backwards, shelf)).total == pytest.approx(1 - 3)
    still = [Shopper(one.listed, one.scores, cut=7) for one in rows]
    found = metric("entropy_over_time@2")(build(still, shelf))
    assert found.reasons["one-period"].all()


def test_a_run_of_one_list_for_all_has_an_interval() -> None:
    bound = metric("gini@2")
    rows = people(*[[0, 1]] * 50)
    found = intervals([bound.sample(bound(build(rows, plain(10))))], seed=1)[0]
    assert found.value == pytest.approx(0.8)
    assert found.low < 0.8 < found.high
