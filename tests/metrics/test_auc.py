"""AUC and GAUC: against scikit-learn, every pair by hand, and RecBole's fixture."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked import N_ITEMS, User, arrays, populations

from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged

candidate_sets = st.lists(st.integers(0, N_ITEMS - 1), unique=True, max_size=9)


def by_pairs(user: User, candidates: list[int] | None, scores: list[float], tie: float) -> float | str:
    """Every pair of a relevant and another candidate, one by one."""
    if candidates is None:
        pool = set(range(N_ITEMS)) - (set(user.history) - set(user.relevant))
    else:
        pool = set(candidates)
    good, bad = pool & set(user.relevant), pool - set(user.relevant)
    if not good or not bad:
        return "no-negatives" if good else "no-truth"
    if not user.answered:
        return 0.0
    places: dict[int, float] = {}
    for slot, item in enumerate(user.listed):  # the rank of the first slot that ties with this one
        start = slot
        while start and scores[start - 1] == scores[slot]:
            start -= 1
        places.setdefault(item, start)
    worth = [
        1.0 if places.get(one, 99) < places.get(other, 99) else tie * (places.get(one) == places.get(other))
        for one in good
        for other in bad
    ]
    return sum(worth) / len(worth)


@given(population=populations, data=st.data())
def test_auc_equals_every_pair(population: list[User], data: st.DataObject) -> None:
    lists = arrays(population, N_ITEMS)
    rows = [
        sorted(data.draw(st.lists(st.integers(0, 3), min_size=len(u.listed), max_size=len(u.listed))))[::-1]
        for u in population
    ]
    scores = np.full(lists.items.shape, np.nan)
    for row, own in enumerate(rows):
        scores[row, : len(own)] = own
    sets = data.draw(st.none() | st.lists(candidate_sets, min_size=len(rows), max_size=len(rows)))
    candidates = None if sets is None else Ragged.from_lists(sets)
    lists = replace(lists, scores=scores, candidates=candidates)
    for ties, tie in (("half", 0.5), ("zero", 0.0)):
        found, weighted = metric(f"auc(ties={ties})")(lists), metric(f"gauc(ties={ties})")(lists)
        np.testing.assert_array_equal(found.values, weighted.values)
        assert weighted.weights is not None
        for row, user in enumerate(population):
            want = by_pairs(user, None if sets is None else sets[row], rows[row], tie)
            why = [reason for reason, mask in found.reasons.items() if mask[row]]
            if isinstance(want, str):
                assert why == [want]
            else:
                assert not why
                assert found.values[row] == pytest.approx(want)


def test_auc_equals_scikit_learn_with_ties() -> None:
    from sklearn.metrics import roc_auc_score

    rng = np.random.default_rng(11)
    users, rows, want = [], [], []
    for _ in range(40):
        score = rng.integers(0, 4, 12).astype(float)
        order = np.argsort(-score, kind="stable")
        relevant = rng.choice(12, rng.integers(1, 11), replace=False).tolist()
        users.append(User(order.tolist(), relevant))
        rows.append(score[order])
        want.append(roc_auc_score([item in relevant for item in range(12)], score))
    lists = replace(arrays(users, 12), scores=np.array(rows))
    assert metric("auc")(lists).values == pytest.approx(want)
    sample = metric("gauc").sample(metric("gauc")(lists))
    assert sample.weights is not None
    assert sample.weights.tolist() == [len(user.relevant) for user in users]


def test_recbole_gauc_fixture() -> None:
    """tests/metrics/test_rank_metrics.py of RUCAIBox/RecBole (MIT): items, positives, sum of their ranks."""
    # 2 items, the positive first; 3, positives first and third; 5, positives at 2, 3 and 4 (rank sum 9)
    users = [User([0, 1], [0]), User([0, 2, 1], [0, 1]), User([3, 0, 1, 2, 4], [0, 1, 2])]
    lists = replace(arrays(users, 5), candidates=Ragged.from_lists([range(2), range(3), range(5)]))
    found = metric("gauc", preset="recbole")(lists)
    assert found.weights is not None
    assert np.average(found.values, weights=found.weights) == pytest.approx((1 * 1 + 2 * 0.5 + 3 * 0.5) / 6)
    # the second case: one positive at the end, nobody relevant, nobody else
    users = [User([1, 2, 0], [0]), User(list(range(6)), []), User([0, 1, 2, 3], [0, 1, 2, 3])]
    lists = replace(arrays(users, 6), candidates=Ragged.from_lists([range(3), range(6), range(4)]))
    found = metric("gauc")(lists)
    assert found.values[found.scored].tolist() == [0.0]
    assert found.reasons["no-truth"].tolist() == [False, True, False]
    assert found.reasons["no-negatives"].tolist() == [False, False, True]


def test_cornac_counts_ties_as_lost() -> None:
    """Cornac 2.6 AUC compares with a strict >; a constant model scores 0 there, 0.5 here."""
    lists = replace(arrays([User([0, 1, 2], [1])], 3), scores=np.zeros((1, 3)))
    assert metric("auc(ties=zero)")(lists).values.tolist() == [0.0]
    assert metric("auc")(lists).values.tolist() == [0.5]


def test_a_prefix_ties_all_it_leaves_out() -> None:
    lists = arrays([User([5, 6], [0]), User([], [0]), User([0], [0]), User([1], [0], answered=False)], 10)
    # below two of nine others and tied with seven; tied with all; above all; no answer
    assert metric("auc")(lists).values == pytest.approx([3.5 / 9, 0.5, 1.0, 0.0])


def test_sampled_negatives_paper_full_ranking() -> None:
    """Krichene & Rendle 2020, table 1: 10,000 items, five users with one relevant item each."""
    ranks = {"a": [100] * 5, "b": [40, 40, 8437, 9266, 4482], "c": [212, 2, 743, 5342, 1548]}
    want = {"a": (0.990, 0.010, 0.150, 0), "b": (0.555, 0.010, 0.122, 0), "c": (0.843, 0.101, 0.208, 0.2)}
    for model, places in ranks.items():
        users = [User(list(range(10_000)), [place - 1]) for place in places]
        lists = arrays(users, 10_000)
        names = ("auc", "map(denominator=relevant)@10000", "ndcg@10000", "recall@10")
        found = [float(metric(name)(lists).values.mean()) for name in names]
        assert found == pytest.approx(want[model], abs=6e-4), model
