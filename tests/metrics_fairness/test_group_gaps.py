"""Gaps, ratios and differences of groups: against fairlearn, Welch's test and chance."""

from __future__ import annotations

from typing import Any

import grouped_users as users
import numpy as np
import pandas as pd
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.protocol.status import Status
from genrec_eval.stats.group_labels import label_test
from genrec_eval.stats.ranges import range_of

BASES = ("ndcg", "recall", "hit_rate", "popularity_lift", "calibration", "short", "usable", "list_length")


def frame(base: str, lists: RankedLists, control: Any = None) -> Any:
    """fairlearn's by-group table of the same users."""
    fairness = pytest.importorskip("fairlearn.metrics")
    scores = metric(base if base == "answer_rate" else f"{base}@5")(lists)
    groups = lists.groups["by"]
    kept = scores.scored & (groups.codes >= 0)
    weights = np.ones(len(lists)) if scores.weights is None else scores.weights
    return fairness.MetricFrame(
        metrics=lambda truth, value, weight: np.average(value, weights=weight),
        y_true=scores.values[kept],
        y_pred=scores.values[kept],
        sensitive_features=np.array(groups.names)[groups.codes[kept]],
        control_features=None if control is None else control[kept],
        sample_params={"weight": weights[kept]},
    )


@pytest.mark.parametrize("base", BASES)
def test_values_are_those_of_fairlearn(base: str) -> None:
    lists = users.drawn(400, seed=3, chances=(0.5, 0.3, 0.1), unknown=0.1)
    table = frame(base, lists)
    gap = metric(f"group_gap(by=by,of={base})@5")
    assert users.estimate(gap, users.grouped(gap, lists)).value == pytest.approx(
        table.difference(), abs=1e-12
    )
    if base != "popularity_lift":
        ratio = metric(f"group_ratio(by=by,of={base})@5")
        value, expected = users.estimate(ratio, users.grouped(ratio, lists)).value, table.ratio()
        assert (np.isnan(expected) and value is None) or value == pytest.approx(expected, abs=1e-12)


def test_slices_are_control_features() -> None:
    lists = users.drawn(600, seed=4, chances=(0.5, 0.2))
    age = np.array(["young", "old"])[np.random.default_rng(1).integers(0, 2, 600)]
    gap = metric("group_gap(by=by,of=ndcg)@5")
    sample, table = gap.sample(users.grouped(gap, lists)), frame("ndcg", lists, age)
    for value in ("young", "old"):
        mine = users.intervals([sample.where(age == value)], seed=1)[0]
        assert mine.value == pytest.approx(table.difference()[value], abs=1e-12)


def test_intersections_are_groups_like_any_other() -> None:
    lists = users.drawn(500, seed=5, chances=(0.5, 0.2, 0.3, 0.3))
    codes = lists.groups["by"].codes
    fairness = pytest.importorskip("fairlearn.metrics")
    parts = pd.DataFrame({"gender": np.where(codes < 2, "F", "M"), "age": codes % 2})
    scores = metric("ndcg@5")(lists)
    crossed = fairness.MetricFrame(
        metrics=lambda truth, value: value.mean(),
        y_true=scores.values,
        y_pred=scores.values,
        sensitive_features=parts,
    )
    gap = metric("group_gap(by=by)@5")
    assert users.estimate(gap, users.grouped(gap, lists)).value == pytest.approx(
        crossed.difference(), abs=1e-12
    )


def test_difference_is_welch() -> None:
    from scipy import stats

    lists = users.drawn(300, seed=6, chances=(0.6, 0.3))
    one = metric("group_difference(by=by,of=popularity,group=A)@5")
    found = users.estimate(one, users.grouped(one, lists))
    codes, values = lists.groups["by"].codes, metric("popularity@5")(lists).values
    expected = stats.ttest_ind(values[codes == 0], values[codes == 1], equal_var=False)
    interval = expected.confidence_interval()
    assert (found.low, found.high) == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert found.p == pytest.approx(expected.pvalue, rel=1e-6)
    assert found.method == "welch"


def test_a_range_of_two_groups_is_their_difference() -> None:
    lists = users.drawn(300, seed=7, chances=(0.7, 0.2))
    gap = metric("group_gap(by=by,of=ndcg)@5")
    difference = metric("group_difference(by=by,of=ndcg,group=A)@5")
    one, other = (users.estimate(m, users.grouped(m, lists)) for m in (gap, difference))
    assert (one.value, one.low, one.high) == pytest.approx((other.value, other.low, other.high))


def test_small_unknown_and_single_groups_are_counted() -> None:
    codes = np.array([0] * 40 + [1] * 30 + [2] * 29 + [-1] * 5)
    base = users.drawn(len(codes), seed=8)
    lists = users.listed(base.items, base.truth, codes, ("A", "B", "C"))
    scores = users.grouped(metric("group_gap(by=by)@5"), lists)
    counts = {name: int(mask.sum()) for name, mask in scores.reasons.items()}
    assert counts == {"no-group": 5, "small-group": 29}
    assert int(scores.scored.sum()) == 70
    gap = metric("group_gap(by=by,least=35)@5")
    scores = users.grouped(gap, lists)
    counts = {name: int(mask.sum()) for name, mask in scores.reasons.items()}
    assert counts == {"no-group": 5, "small-group": 59, "one-group": 40}
    found = users.estimate(gap, scores)
    assert found.value is None
    assert found.reason == "no unit is scored"


def test_users_without_a_score_do_not_fill_a_group() -> None:
    base = users.drawn(80, seed=9)
    truth = Ragged.from_lists([[] if row >= 65 else [int(base.truth[row][0])] for row in range(80)])
    lists = users.listed(base.items, truth, [0] * 40 + [1] * 40, ("A", "B"))
    reasons = users.grouped(metric("group_gap(by=by)@5"), lists).reasons
    counts = {name: int(mask.sum()) for name, mask in reasons.items()}
    assert counts == {"no-truth": 15, "small-group": 25, "one-group": 40}


def test_groups_that_agree_are_not_known_exactly() -> None:
    """Nobody is refused in two groups of 40: the rates may still be some percent apart."""
    base = users.drawn(80, seed=10)
    codes = np.repeat([0, 1], 40)
    lists = users.listed(base.items, base.truth, codes, ("A", "B"))
    rate = metric("group_gap(by=by,of=refusal_rate)")
    found = users.estimate(rate, users.grouped(rate, lists))
    assert (found.value, found.low) == (0.0, 0.0)
    assert found.high is not None
    assert 0.05 < found.high < 0.15
    length = metric("group_gap(by=by,of=list_length)@5")
    found = users.estimate(length, users.grouped(length, lists))
    assert found.high is None
    assert "no bounds" in (found.reason or "")


def test_answers_are_told_apart_by_their_status() -> None:
    statuses = [Status.OK, Status.REFUSED, Status.UNPARSED, Status.TIMEOUT, Status.OK, Status.REFUSED]
    held = users.answers(6, [0, 1, 2, 3, 4, 4], statuses, [1.0, 2.0, np.nan, 9.0, 3.0, 5.0])
    for name, expected in {
        "answer_rate": [1, 1, 1, 0, 1],
        "refusal_rate": [0, 1, 0, 0, 0.5],
        "parse_failure_rate": [0, 0, 1, 0, 0],
    }.items():
        scores = metric(name)(held)
        assert scores.values[:5].tolist() == expected
        assert scores.reasons["not-attempted"].tolist() == [False] * 5 + [True]
    seconds = metric("latency")(held)
    assert seconds.values[seconds.scored].tolist() == [1.0, 2.0, 4.0]
    counted = {name: np.flatnonzero(mask).tolist() for name, mask in seconds.reasons.items()}
    assert counted == {"not-attempted": [5], "not-timed": [2], "unanswered": [3]}


def test_chunks_change_nothing() -> None:
    lists = users.drawn(200, seed=11, unknown=0.1)
    halves = [
        users.listed(
            lists.items[rows],
            lists.truth.take(np.arange(200)[rows]),
            lists.groups["by"].codes[rows],
            lists.groups["by"].names,
            history=lists.history.take(np.arange(200)[rows]),
        )
        for rows in (slice(0, 90), slice(90, 200))
    ]
    metrics = [
        metric("ndcg@5"),
        metric("differential_fairness(by=by)@5"),
        metric("equalised_odds(by=by,least=5)@5"),
    ]
    one, two = score_lists(metrics, [lists]), score_lists(metrics, halves)
    for each in metrics[1:]:
        assert np.array_equal(one[each.id].sums, two[each.id].sums)  # type: ignore[arg-type]
        assert one[each.id].reasons.keys() == two[each.id].reasons.keys()


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("group_gap(by=by,of=gini)@5", "of=gini has one value for the whole run and none of each user"),
        ("group_gap(by=by,of=coverage)@5", "name a mean over users"),
        ("group_gap(by=by,of=rmse)", "of=rmse has one value for the whole run"),
        ("group_gap(by=by,of=ndcg@3)@5", "of=ndcg@3 has a cutoff of its own"),
        ("group_gap(by=by,of=ndcg(gian=exp))@5", "has no parameter 'gian'"),
        ("group_gap(by=by,of=ndcg(ideal=all)", "is not of the form"),
        ("group_gap(by=by,of=mae)@5", "has no cutoff with these parameters; write 'group_gap(by=by,of=mae)'"),
        ("group_gap(by=by,of=ndgc)@5", "of=ndgc is no metric; did you mean 'ndcg'?"),
        ("group_gap(by=by,of=group_gap)@5", "one value for the whole run"),
        ("group_gap(by=by,least=1)@5", "least is at least 2 users, not 1"),
        ("group_ratio(by=by,of=popularity_lift)@5", "can be below 0, where a ratio says nothing"),
    ],
)
def test_what_has_no_means_by_group_is_refused(spelling: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric(spelling)
    assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("group_gap(by=bye)@5", "has no group 'bye'; did you mean 'by'?"),
        ("group_gap@5", "needs a group to compare by"),
        ("group_difference(by=by,group=a)@5", "no user has by 'a'; did you mean 'A'? (known: A, B, C)"),
        ("group_difference(by=by)@5", "group names the by to set against the rest"),
    ],
)
def test_unknown_groups_get_a_sentence(spelling: str, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        metric(spelling)(users.drawn(5, seed=1))
    assert sentence in str(caught.value)


def one_hot(values: np.ndarray, codes: np.ndarray, g: int, weights: np.ndarray | None = None) -> np.ndarray:
    rows = np.zeros((len(values), 2 * g))
    weights = np.ones(len(values)) if weights is None else weights
    rows[np.arange(len(values)), codes] = values * weights
    rows[np.arange(len(values)), g + codes] = weights
    return rows


def test_range_covers_and_rejects_as_it_says() -> None:
    """400 draws of four groups of skewed scores of unequal size: alike, and one lower by 0.1."""
    rng = np.random.default_rng(12)
    codes = np.repeat(np.arange(4), [30, 60, 120, 90])
    covered = alarms = 0
    for _ in range(400):
        alike = (rng.random(300) < 0.3) * rng.random(300)
        low, _high = range_of(one_hot(alike, codes, 4), (0.0, 1.0)).ends(0.95)  # type: ignore[union-attr]
        alarms += low > 0
        lower = np.where(codes == 2, 0.0, 0.2) + 0.5 * alike  # group means 0.075 and 0.275
        low, high = range_of(one_hot(lower, codes, 4), (0.0, 1.0)).ends(0.95)  # type: ignore[union-attr]
        covered += low <= 0.2 <= high
    assert alarms <= 20 + 13  # 5 % and three standard deviations
    assert covered >= 380 - 13


def test_labels_dealt_anew_reject_as_often_as_they_say() -> None:
    rng = np.random.default_rng(13)
    codes = np.repeat(np.arange(3), [20, 40, 60])
    ps = np.array(
        [
            label_test(one_hot((rng.random(120) < 0.3) * rng.random(120), codes, 3), seed, replicates=199)
            for seed in range(400)
        ]
    )
    assert (ps <= 0.05).mean() <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 400)
    assert abs(ps.mean() - 0.5) < 3 * np.sqrt(1 / 12 / 400)


def test_labels_of_unequal_weights_and_many_units() -> None:
    rng = np.random.default_rng(14)
    codes = rng.integers(0, 3, 900)
    values, weights = rng.normal(size=900), rng.integers(1, 5, 900).astype(float)
    rows = one_hot(values, codes, 3, weights)
    p = label_test(rows, 1, replicates=999)
    again = label_test(one_hot(values, codes, 3, weights * 2), 1, replicates=999)
    assert p is not None
    assert p > 0.01
    assert again == p  # the scale of weights says nothing
    shifted = label_test(one_hot(values + (codes == 1), codes, 3, weights), 1, replicates=999)
    assert shifted == 0.001
    many = np.tile(rows, (30, 1))
    assert label_test(many, 1, replicates=999) == pytest.approx(0.001, abs=0.3)
    assert label_test(rows[:, [0, 3]], 1) is None
    assert label_test(one_hot(np.ones(900), codes, 3), 1) == 1.0


def test_two_groups_agree_with_a_plain_permutation_test() -> None:
    """Written down once more: every deal of five labels over nine users of equal weight."""
    from itertools import combinations

    values = np.array([0.1, 0.9, 0.4, 0.8, 0.7, 0.2, 0.3, 0.35, 0.05])

    def clear(first: list[int]) -> float:
        one = values[first]
        other = np.delete(values, first)
        error = np.sqrt(one.var(ddof=1) / len(one) + other.var(ddof=1) / len(other))
        return float(abs(one.mean() - other.mean()) / error)

    seen = clear(list(range(5)))
    exact = np.mean([clear(list(c)) >= seen - 1e-9 for c in combinations(range(9), 5)])
    codes = np.array([0] * 5 + [1] * 4)
    assert label_test(one_hot(values, codes, 2), 3) == pytest.approx(exact, abs=0.025)
