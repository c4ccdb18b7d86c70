"""Values of ranking metrics: against plain Python, scikit-learn and published vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from ranked import ACCURACY, N_ITEMS, VALIDITY, User, arrays, cutoffs, expected, populations

from genrec_eval.metrics.registry import metric


def means(name: str, users: list[User], **options: object) -> float:
    scores = metric(name)(arrays(users, **options))
    return float(scores.values[scores.scored].mean())


def values(name: str, users: list[User], **options: object) -> list[float]:
    return metric(name)(arrays(users, **options)).values.tolist()


@settings(max_examples=300)
@given(population=populations, k=cutoffs)
def test_equals_plain_python(population: list[User], k: int) -> None:
    counts = [(7 * item) % 5 for item in range(N_ITEMS)]
    lists = arrays(population, N_ITEMS, counts)
    for name in [*ACCURACY, *VALIDITY, "popularity"]:
        scores = metric(f"{name}@{k}")(lists)
        for row, user in enumerate(population):
            want = expected(name, user, k, counts)
            why = [reason for reason, mask in scores.reasons.items() if mask[row]]
            if isinstance(want, str):
                assert why == [want], name
            else:
                assert not why, name
                assert abs(scores.values[row] - want) < 1e-12, name


@given(population=populations, k=cutoffs)
def test_coverage_equals_leaving_each_user_out(population: list[User], k: int) -> None:
    def covered(users: list[User]) -> float:
        return len({i for u in users if u.answered for i in u.listed[:k] if i >= 0}) / N_ITEMS

    scores = metric(f"coverage@{k}")(arrays(population, N_ITEMS))
    assert scores.total == pytest.approx(covered(population))
    without = [covered(population[:i] + population[i + 1 :]) for i in range(len(population))]
    assert scores.values == pytest.approx(covered(population) - np.array(without))
    assert (scores.values <= scores.reach + 1e-12).all()


@pytest.mark.parametrize("seed", range(3))
def test_ndcg_equals_scikit_learn(seed: int) -> None:
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(seed)
    for k in (1, 3, 10):
        ranked = [rng.permutation(20).tolist() for _ in range(30)]
        relevant = [rng.choice(20, rng.integers(1, 8), replace=False).tolist() for _ in range(30)]
        truth = np.array([[item in rel for item in range(20)] for rel in relevant], float)
        score = np.array([[-row.index(item) for item in range(20)] for row in ranked], float)
        users = [User(row, rel) for row, rel in zip(ranked, relevant, strict=True)]
        assert means(f"ndcg@{k}", users) == pytest.approx(ndcg_score(truth, score, k=k))


def test_average_precision_equals_scikit_learn_on_full_lists() -> None:
    from sklearn.metrics import average_precision_score

    rng = np.random.default_rng(5)
    for _ in range(30):
        ranked, relevant = rng.permutation(20).tolist(), rng.choice(20, 6, replace=False).tolist()
        truth = [item in relevant for item in ranked]
        want = average_precision_score(truth, -np.arange(20))
        assert values("map(denominator=relevant)@20", [User(ranked, relevant)]) == pytest.approx([want])


def test_one_list_through_the_libraries() -> None:
    """Hits at ranks 2 and 4 of 5, eight relevant items: trec_eval, RecBole, RecTools, LensKit."""
    users = [User([10, 0, 11, 1, 12], list(range(8)))]
    assert values("map(denominator=relevant)@5", users) == pytest.approx([0.125])  # trec_eval, ranx
    assert values("map@5", users) == pytest.approx([0.2])  # RecBole, RePlay
    assert values("map(denominator=k)@5", users) == pytest.approx([0.2])  # RecTools divide_by_k
    assert values("recall@5", users) == pytest.approx([0.25])
    assert values("recall(denominator=min)@5", users) == pytest.approx([0.4])  # LensKit
    assert values("precision@10", users) == pytest.approx([0.2])
    assert values("precision(denominator=list)@10", users) == pytest.approx([0.4])  # LensKit


def test_recommenders_fixture() -> None:
    """tests/unit/recommenders/evaluation of recommenders-team/recommenders (MIT)."""
    users = [
        User([3, 10, 12], [3, 1, 2]),
        User([10, 3, 5, 11, 13], [1, 4, 5, 6, 7]),
        User([4, 10, 7, 13, 1, 3, 5, 2, 11, 14], [2, 5, 6, 8, 9, 10, 11, 12, 13, 14]),
    ]
    assert means("ndcg@10", users) == pytest.approx(0.38172, abs=1e-5)
    assert means("map(denominator=relevant)@10", users) == pytest.approx(0.23613, abs=1e-5)
    assert means("precision@10", users) == pytest.approx(0.26666, abs=1e-5)
    assert means("recall@10", users) == pytest.approx(0.37777, abs=1e-5)


def test_recbole_fixture() -> None:
    """tests/metrics/test_topk_metrics.py of RUCAIBox/RecBole (MIT): hit matrix and lengths of the truth."""
    matrix, lengths = [[0, 0, 0], [1, 1, 1], [1, 0, 1], [0, 0, 1]], [1, 3, 4, 2]
    users = []
    for hits, length in zip(matrix, lengths, strict=True):
        relevant = list(range(length))
        listed = [relevant[sum(hits[:rank])] if hit else 10 + rank for rank, hit in enumerate(hits)]
        users.append(User(listed, relevant))
    two, three = 1 + 1 / np.log2(3), 1 + 1 / np.log2(3) + 0.5
    table = {
        "hit_rate": [[0, 0, 0], [1, 1, 1], [1, 1, 1], [0, 0, 1]],
        "mrr": [[0, 0, 0], [1, 1, 1], [1, 1, 1], [0, 0, 1 / 3]],
        "map": [[0, 0, 0], [1, 1, 1], [1, 1 / 2, (1 + 2 / 3) / 3], [0, 0, 1 / 6]],
        "recall": [[0, 0, 0], [1 / 3, 2 / 3, 1], [1 / 4, 1 / 4, 2 / 4], [0, 0, 1 / 2]],
        "precision": [[0, 0, 0], [1, 1, 1], [1, 1 / 2, 2 / 3], [0, 0, 1 / 3]],
        "ndcg": [[0, 0, 0], [1, 1, 1], [1, 1 / two, 1.5 / three], [0, 0, 0.5 / two]],
    }
    for name, want in table.items():
        for k in (1, 2, 3):
            assert values(f"{name}@{k}", users) == pytest.approx([row[k - 1] for row in want])


def test_recbole_coverage_and_popularity_fixture() -> None:
    """Same file: five lists of three; its item 0 is padding, so the catalogue here has 8 ids as there."""
    users = [User(row, [0]) for row in ([5, 7, 3], [4, 5, 2], [2, 3, 5], [1, 4, 6], [5, 3, 7])]
    counts = [0, 0, 1, 2, 3, 4, 5, 0]
    assert metric("coverage@3")(arrays(users, 8)).total == 7 / 8
    for k, want in {1: [4, 3, 1, 0, 4], 2: [2, 3.5, 1.5, 1.5, 3], 3: [2, 8 / 3, 7 / 3, 8 / 3, 2]}.items():
        assert values(f"popularity@{k}", users, n_items=8, counts=counts) == pytest.approx(want)


def test_rectools_vectors() -> None:
    """MAP@3 and NDCG@3 of RecTools' docstrings (Apache-2.0): no hit, rank 1 of 1, ranks 1 and 3, all."""
    users = [User([7, 8], [0]), User([0, 8, 9], [0]), User([0, 8, 1], [0, 1, 2]), User([0, 1, 2], [0, 1, 2])]
    assert values("map(denominator=relevant)@3", users) == pytest.approx([0, 1, 0.5556, 1], abs=1e-4)
    assert values("map(denominator=k)@3", users) == pytest.approx([0, 0.3333, 0.5556, 1], abs=1e-4)
    assert values("ndcg(ideal=slots)@3", users) == pytest.approx([0, 0.4693, 0.7039, 1], abs=1e-4)
    assert values("ndcg(ideal=slots)@10", users[1:2]) == pytest.approx([0.220], abs=1e-3)
    assert values("ndcg@10", users[1:2]) == [1.0]


def test_repeated_target_earns_once() -> None:
    """Seven copies of the target must not sum to an NDCG of 3.64, as in LC-Rec's script."""
    users = [User([4] * 7, [4])]
    for name in ("ndcg@10", "recall@10", "hit_rate@10", "mrr@10", "map@10"):
        assert values(name, users) == [1.0]
    assert values("precision@10", users) == [0.1]
    assert values("duplicate@10", users) == pytest.approx([6 / 7])


def test_unknown_id_keeps_its_slot() -> None:
    with_unknown, without = User([-2, 4], [4]), User([4], [4])
    assert values("mrr@10", [with_unknown, without]) == [0.5, 1.0]
    assert values("hit_rate@1", [with_unknown, without]) == [0.0, 1.0]


def test_item_outside_the_catalogue_counts_as_relevant_but_is_never_hit() -> None:
    assert values("recall@10", [User([-2, 4], [-2, 4])]) == [0.5]


@given(population=populations, k=cutoffs, cut=st.integers(1, 12))
def test_chunks_change_nothing(population: list[User], k: int, cut: int) -> None:
    from genrec_eval.metrics.evaluate import score_lists

    names = [*ACCURACY, *VALIDITY, "popularity", "coverage"]
    metrics = [metric(f"{name}@{k}") for name in names]
    whole = score_lists(metrics, [arrays(population, N_ITEMS)])
    parts = [arrays(population[i : i + cut], N_ITEMS) for i in range(0, len(population), cut)]
    chunked = score_lists(metrics, parts)
    assert list(whole) == [m.id for m in metrics]
    for name, scores in whole.items():
        assert scores.total == chunked[name].total
        np.testing.assert_array_equal(scores.values, chunked[name].values)
        np.testing.assert_array_equal(scores.scored, chunked[name].scored)
