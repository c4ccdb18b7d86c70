"""The filtered view, and the rules for users without truth or without a list."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plain import value
from ranked import N_ITEMS, User, arrays, cutoffs, populations

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import NEEDS
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import PAD, Ragged

NAMES = ("recall", "precision(denominator=list)", "hit_rate", "mrr", "map", "map(denominator=list)", "ndcg")


def cleaned(user: User, candidates: list[int] | None = None) -> list[int]:
    kept: list[int] = []
    for item in user.listed if user.answered else []:
        known = item >= 0 and (candidates is None or item in candidates)
        if known and item not in user.history and item not in kept:
            kept.append(item)
    return kept


@given(population=populations, k=cutoffs, data=st.data())
def test_filtered_closes_up_before_the_cut(population: list[User], k: int, data: st.DataObject) -> None:
    sets = data.draw(
        st.none()
        | st.lists(
            st.lists(st.integers(0, N_ITEMS - 1), unique=True),
            min_size=len(population),
            max_size=len(population),
        )
    )
    lists = arrays(population, N_ITEMS)
    lists = replace(lists, candidates=None if sets is None else Ragged.from_lists(sets))
    short = [cleaned(user, None if sets is None else sets[row]) for row, user in enumerate(population)]
    for row, want in enumerate(short):
        assert lists.filtered.items[row][lists.filtered.items[row] != PAD].tolist() == want
    for name in NAMES:
        head, _, inside = name.partition("(")
        found = metric(f"{head}(view=filtered{',' + inside if inside else ')'}@{k}")(lists)
        for row, user in enumerate(population):
            if user.relevant:
                want = value(name, short[row], dict.fromkeys(user.relevant, 1.0), k)
                assert found.values[row] == pytest.approx(want), name


def test_scores_move_with_their_items() -> None:
    lists = replace(arrays([User([-2, 4, 4, 7], [7], [])]), scores=np.array([[4.0, 3.0, 3.0, 1.0]]))
    assert lists.filtered.items.tolist() == [[4, 7, PAD, PAD]]
    assert lists.filtered.scores is not None
    np.testing.assert_array_equal(lists.filtered.scores, [[3.0, 1.0, np.nan, np.nan]])
    clean = arrays([User([4, 7], [7], [])])
    assert clean.filtered is clean


def test_users_without_truth() -> None:
    lists = arrays([User([1], []), User([1], [1])])
    found = {rule: metric(f"mrr(no_truth={rule})@1")(lists) for rule in ("exclude", "zero", "one")}
    assert found["exclude"].scored.tolist() == [False, True]
    assert found["zero"].values.tolist() == [0.0, 1.0]
    assert found["one"].values.tolist() == [1.0, 1.0]
    assert not found["zero"].reasons
    assert not found["one"].reasons


def test_users_without_a_list() -> None:
    lists = arrays([User([], [1]), User([1], [1], answered=False), User([1], [1]), User([], [])])
    assert metric("recall@1")(lists).values[:3].tolist() == [0.0, 0.0, 1.0]
    found = metric("recall(no_list=exclude)@1")(lists)
    assert {name: mask.tolist() for name, mask in found.reasons.items()} == {
        "no-truth": [False, False, False, True],
        "unanswered": [False, True, False, False],
        "empty-list": [True, False, False, False],
    }


def test_filtered_lists_may_end_up_empty() -> None:
    lists = arrays([User([-2, 3], [1], [3])])
    assert metric("recall(no_list=exclude,view=filtered)@2")(lists).reasons["empty-list"].tolist() == [True]


def test_ndcg_without_gain_is_without_truth() -> None:
    lists = replace(arrays([User([1], [1]), User([1], [1])]), grades=np.array([0.0, 2.0]))
    assert metric("ndcg@1")(lists).reasons["no-truth"].tolist() == [True, False]
    assert metric("ndcg(gain=binary)@1")(lists).values.tolist() == [1.0, 1.0]
    assert metric("ndcg(no_truth=zero)@1")(lists).values.tolist() == [0.0, 1.0]


def test_bpref_says_what_it_needs() -> None:
    lists = replace(arrays([User([1], [1])]), rejected=None)
    with pytest.raises(UsageError, match="metric 'bpref' needs items that users are known not to want"):
        metric("bpref")(lists)
    assert metric("bpref").needs == ("rejected",)
    assert "rejected" in NEEDS


def test_scores_of_another_shape_are_refused() -> None:
    with pytest.raises(ValueError, match=r"scores are \(1, 3\) for items of \(1, 2\)"):
        replace(arrays([User([1, 2], [1])]), scores=np.zeros((1, 3)))
