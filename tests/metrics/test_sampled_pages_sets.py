"""Sampled expectations against the published example and simulation; pages and sets by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranked import User, arrays

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.pages import discounts
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged


def at_ranks(ranks: list[int], n_items: int) -> RankedLists:
    """Full rankings of one relevant item per user, at the given rank."""
    items = np.tile(np.arange(n_items, dtype=np.int32), (len(ranks), 1))
    return RankedLists(
        items=items,
        truth=Ragged.from_lists([[rank - 1] for rank in ranks]),
        history=Ragged.from_lists([[] for _ in ranks]),
        answered=np.ones(len(ranks), bool),
        catalogue=Catalogue(train_counts=np.zeros(n_items, np.int64)),
    )


PUBLISHED = {
    # Krichene & Rendle 2020, table 1 and figure 2: ranks of one item each for five users among 10,000
    "A": ([100] * 5, (0.637, 0.729, 1.000)),
    "B": ([40, 40, 8437, 9266, 4482], (0.341, 0.447, 0.400)),
    "C": ([212, 2, 743, 5342, 1548], (0.326, 0.460, 0.569)),
}


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_example(name: str) -> None:
    ranks, (precision, ndcg, recall) = PUBLISHED[name]
    lists = at_ranks(ranks, 10_000)
    for spelling, value in (("map(negatives=99,replacement=true)@100", precision),
                            ("ndcg(negatives=99,replacement=true)@100", ndcg),
                            ("recall(negatives=99,replacement=true)@10", recall)):  # fmt: skip
        assert metric(f"expected_{spelling}")(lists).values.mean() == pytest.approx(value, abs=6e-4)


def test_the_best_model_looks_worst_in_the_sample() -> None:
    full = {
        name: metric("ndcg@10000")(at_ranks(ranks, 10_000)).values.mean()
        for name, (ranks, _) in PUBLISHED.items()
    }
    seen = {
        name: metric("expected_ndcg(negatives=99)@100")(at_ranks(ranks, 10_000)).values.mean()
        for name, (ranks, _) in PUBLISHED.items()
    }
    assert max(full, key=lambda name: full[name]) == "C"
    assert seen["A"] > seen["C"]


NAMES = ("recall", "ndcg", "map", "mrr", "hit_rate")


@settings(max_examples=15)
@given(st.data())
def test_the_expectation_is_the_mean_over_draws(data: st.DataObject) -> None:
    n_items = 24
    order = data.draw(st.permutations(range(n_items)))
    relevant = data.draw(st.lists(st.sampled_from(order), min_size=1, max_size=4, unique=True))
    history = data.draw(
        st.lists(st.sampled_from([i for i in order if i not in relevant]), max_size=5, unique=True)
    )
    length = data.draw(st.integers(0, n_items))
    ranking = [item for item in order if item not in history][:length]
    negatives, k = data.draw(st.integers(1, 10)), data.draw(st.integers(1, 6))
    free = [item for item in order if item not in history and item not in relevant]
    last = [item for item in free if item not in ranking]
    lists = arrays([User(ranking, relevant, history)], n_items=n_items)
    rng = np.random.default_rng(1)
    draws = 3000
    users = []
    for _ in range(draws):
        kept = set(rng.choice(free, min(negatives, len(free)), replace=False).tolist()) | set(relevant)
        below = [
            item for item in last if item in kept
        ]  # a relevant item that is not listed comes last of all
        users.append(User([item for item in ranking if item in kept] + below, relevant))
    sampled = arrays(users, n_items=n_items)
    for name in NAMES:
        expected = metric(f"expected_{name}(negatives={negatives})@{k}")(lists).values[0]
        found = metric(f"{name}@{k}")(sampled).values
        # missing relevant items stand behind everything in the expectation and nowhere in the draw
        if set(relevant) <= set(ranking):
            error = 4.5 * found.std() / np.sqrt(draws) + 12 / draws  # what is rarer than that is never drawn
            assert expected == pytest.approx(found.mean(), abs=error), name


def test_all_items_as_negatives_are_the_full_ranking() -> None:
    lists = arrays([User([3, 1, 7, 2, 9, 0], [7, 9]), User([5, 4], [4, 6])], n_items=20)
    for name in ("recall", "ndcg", "map", "mrr", "hit_rate"):
        assert metric(f"expected_{name}(negatives=1000)@5")(lists).values == pytest.approx(
            metric(f"{name}@5")(lists).values
        )


def test_a_sample_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="at least one item"):
        metric("expected_ndcg(negatives=0)@5")(arrays([User([1], [1])]))


# -- pages


def test_a_single_row_discounts_as_ndcg_does() -> None:
    lists = arrays([User([3, 1, 7, 2], [7, 2]), User([5], [4]), User([], [])])
    ours, plain = metric("page_ndcg(columns=4)@4")(lists), metric("ndcg@4")(lists)
    assert ours.values == pytest.approx(plain.values)
    assert ours.reasons["no-truth"].tolist() == [False, False, True]


def test_a_hit_below_is_worth_a_hit_beside() -> None:
    below, beside = User([1, 2, 9, 3], [9]), User([1, 9, 2, 3], [9])
    values = metric("page_ndcg(columns=2)@4")(arrays([below, beside])).values
    assert values[0] == values[1] == pytest.approx(1 / np.log2(3))
    assert discounts(6, 3).tolist() == pytest.approx([1 / np.log2(n) for n in (2, 3, 4, 3, 4, 5)])


def test_first_row_sees_its_columns_alone() -> None:
    lists = arrays([User([1, 2, 9], [9]), User([9], [9]), User([1, 9], [9], answered=False)])
    assert metric("first_row(columns=2)@4")(lists).values.tolist() == [0.0, 1.0, 0.0]


def test_rows_of_one_kind_are_coherent() -> None:
    lists = arrays(
        [User([0, 1, 2, 3], [0]), User([0, 2, 1, 3], [0]), User([0], [0]), User([-2, 4], [0])], n_items=5
    )
    catalogue = Catalogue(
        train_counts=np.zeros(5, np.int64),
        attributes=Ragged.from_lists([[0], [0], [1], [1, 2], []]),
        attribute_names=("a", "b", "c"),
    )
    found = metric("row_coherence(columns=2)@4")(
        RankedLists(
            items=lists.items,
            truth=lists.truth,
            history=lists.history,
            answered=lists.answered,
            catalogue=catalogue,
        )
    )
    assert found.values[:2].tolist() == [(1 + 0.5) / 2, 0.0]
    assert found.reasons["no-pair"].tolist() == [False, False, True, True]


# -- sets


def test_sets_by_hand() -> None:
    lists = arrays([User([1, 2, 2, -2], [2, 3]), User([3, 2], [2, 3]), User([], [1]), User([1], [])])
    assert metric("jaccard@4")(lists).values.tolist() == [1 / 4, 1.0, 0.0, 0.0]
    assert metric("complete@4")(lists).values.tolist() == [0.0, 1.0, 0.0, 0.0]
    assert metric("jaccard@1")(lists).values.tolist() == [0.0, 1 / 2, 0.0, 0.0]
    assert metric("jaccard@4")(lists).reasons["no-truth"].tolist() == [False, False, False, True]
