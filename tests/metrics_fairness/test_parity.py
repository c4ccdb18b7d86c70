"""Demographic parity, equal opportunity and equalised odds: the figures of fairlearn, with intervals."""

from __future__ import annotations

import grouped_users as users
import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged

COMEDY = "outcome=attributes,items=Comedy"


def population(seed: int = 2, n: int = 600) -> RankedLists:
    """Lists of five and two or three relevant items; group B gets fewer comedies."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, 3, n).astype(np.int32)
    biased = rng.random((n, users.ITEMS)) + (codes == 1)[:, None] * 0.03 * (np.arange(users.ITEMS) % 3 == 0)
    items = np.argsort(biased, axis=1)[:, :2]
    truth = [sorted(rng.choice(users.ITEMS, 2, replace=False).tolist()) for _ in range(n)]
    return users.listed(items, Ragged.from_lists(truth), codes, ("A", "B", "C"))


def held(lists: RankedLists, outcome: str) -> tuple[np.ndarray, np.ndarray]:
    """What is due to each user and what the list holds, item by item."""

    def kind(item: int) -> bool:
        if "Comedy" in outcome:
            return item % 3 == 0
        return float(np.cumsum(np.arange(users.ITEMS, 0, -1))[item]) > 0.8 * 820 + 30

    due = [any(kind(int(item)) for item in lists.truth[row]) for row in range(len(lists))]
    found = [any(kind(int(item)) for item in row) for row in lists.items]
    return np.array(due, int), np.array(found, int)


@pytest.mark.parametrize(
    ("name", "theirs"),
    [
        ("demographic_parity", "demographic_parity"),
        ("equal_opportunity", "equal_opportunity"),
        ("equalised_odds", "equalized_odds"),
    ],
)
@pytest.mark.parametrize("form", ["difference", "ratio"])
def test_values_are_those_of_fairlearn(name: str, theirs: str, form: str) -> None:
    fairness = pytest.importorskip("fairlearn.metrics")
    lists = population()
    due, found = held(lists, COMEDY)
    groups = np.array(["A", "B", "C"])[lists.groups["by"].codes]
    expected = getattr(fairness, f"{theirs}_{form}")(due, found, sensitive_features=groups)
    one = metric(f"{name}(by=by,{COMEDY},form={form})@2")
    estimate = users.estimate(one, one(lists))
    assert estimate.value == pytest.approx(expected, abs=1e-12)
    assert estimate.low is not None
    assert estimate.high is not None
    assert estimate.low <= expected <= estimate.high


def test_a_hit_is_due_to_all_who_have_something_held_out() -> None:
    lists = users.drawn(300, seed=3, chances=(0.6, 0.2))
    chance = metric("equal_opportunity(by=by,outcome=hit)@5")
    gap = metric("group_gap(by=by,of=hit_rate)@5")
    assert users.estimate(chance, chance(lists)) == users.estimate(gap, users.grouped(gap, lists))
    assert chance.definition.test is not None
    rows = chance(lists).sums
    assert rows is not None
    assert chance.definition.test(rows, chance.parameters, 1) == 0.0002


def test_who_is_left_out_is_counted() -> None:
    lists = population(n=300)
    truth = Ragged.from_lists([[] if row < 10 else lists.truth[row].tolist() for row in range(300)])
    lists = users.listed(lists.items, truth, lists.groups["by"].codes, ("A", "B", "C"))
    due, _ = held(lists, COMEDY)
    reasons = metric(f"equal_opportunity(by=by,{COMEDY})@2")(lists).reasons
    counts = {name: int(mask.sum()) for name, mask in reasons.items()}
    assert counts == {"no-truth": 10, "not-due": 290 - int(due.sum())}
    scores = metric(f"equalised_odds(by=by,{COMEDY},least=200)@2")(lists)
    assert not scores.scored.any()
    assert int(scores.reasons["small-group"].sum()) == 290


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("equalised_odds(by=by,outcome=hit)@5", "to none: use equal_opportunity"),
        ("demographic_parity(by=by,outcome=attributes)@5", "needs items, the name of one of them"),
        ("demographic_parity(by=by,items=Comedy)@5", "outcome=long_tail takes no items"),
    ],
)
def test_outcomes_that_make_no_sense_are_refused(spelling: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric(spelling)
    assert sentence in str(caught.value)


def test_unknown_items_get_a_sentence() -> None:
    with pytest.raises(UsageError, match="hold 'Comdy'; did you mean 'Comedy'"):
        metric("demographic_parity(by=by,outcome=attributes,items=Comdy)@5")(population(n=20))
