"""Ties: closed forms against every order of the tied items, and against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from plain import over_ties
from ranked import User, arrays

from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged

METRICS = (
    "recall",
    "recall(denominator=min)",
    "precision",
    "precision(denominator=list)",
    "f1",
    "f1(denominator=list)",
    "hit_rate",
    "mrr",
    "map",
    "map(denominator=relevant)",
    "map(denominator=k)",
    "map(denominator=list)",
    "map(denominator=hits)",
    "ndcg",
    "ndcg(gain=exp)",
    "ndcg(gain=binary)",
    "ndcg(discount=java)",
    "ndcg(ideal=all)",
    "ndcg(ideal=slots)",
    "ndcg(gain=exp,ideal=slots,discount=java)",
    "r_precision",
    "bpref",
)
TIES = ("order", "worst", "expected", "best")


@st.composite
def ranked_users(draw: st.DrawFn) -> tuple[list[int], list[float], dict[int, float], set[int]]:
    """Items, falling scores with ties, grades of the relevant items, unwanted items."""
    listed = draw(st.lists(st.integers(0, 11), unique=True, max_size=7))
    scores = sorted(
        draw(st.lists(st.integers(-2, 1), min_size=len(listed), max_size=len(listed))), reverse=True
    )
    relevant = draw(st.lists(st.integers(0, 11), unique=True, min_size=1, max_size=6))
    grades = draw(st.lists(st.sampled_from([-1.0, 0.0, 0.5, 1.0, 3.0]), min_size=6, max_size=6))
    rejected = set(draw(st.lists(st.integers(0, 11), max_size=5))) - set(relevant)
    return listed, [float(score) for score in scores], dict(zip(relevant, grades, strict=False)), rejected


def lists_of(users: list[tuple[list[int], list[float], dict[int, float], set[int]]]):
    from dataclasses import replace

    plain = arrays([User(listed, list(truth)) for listed, _, truth, _ in users], 12)
    scores = np.full(plain.items.shape, np.nan)
    for row, (_, own, _, _) in enumerate(users):
        scores[row, : len(own)] = own
    return replace(
        plain,
        scores=scores,
        grades=np.array([grade for *_, truth, _ in users for grade in truth.values()]),
        rejected=Ragged.from_lists([sorted(rejected) for *_, rejected in users]),
    )


def spelled(name: str, ties: str, k: int) -> str:
    head, _, inside = name.partition("(")
    inside = ",".join(filter(None, [inside.rstrip(")"), f"ties={ties}"]))
    return f"{head}({inside})" + ("" if head in {"r_precision", "bpref"} else f"@{k}")


@settings(max_examples=60)
@given(users=st.lists(ranked_users(), min_size=1, max_size=3), k=st.integers(1, 8))
def test_ties_equal_trying_every_order(users: list, k: int) -> None:
    lists = lists_of(users)
    for name in METRICS:
        for ties in TIES:
            if name == "map(denominator=hits)" and ties in {"worst", "best"}:
                continue  # hits last need not be the least value there; the trap says so
            found = metric(spelled(name, ties, k))(lists)
            for row, (listed, scores, truth, rejected) in enumerate(users):
                if name.startswith("ndcg") and "binary" not in name and max(truth.values()) <= 0:
                    assert found.reasons["no-truth"][row]
                    continue
                want = over_ties(name, ties, listed, scores, truth, k, rejected)
                assert found.values[row] == pytest.approx(want, abs=1e-12), (name, ties, row)


@pytest.mark.parametrize(
    ("scores", "want"),
    [([1, 1, 1, 1, 1], 0.690979), ([1, 1, 1, 0.5, 0.5], 0.699812), ([0.1, 0.2, 0.3, 4, 70], 0.695694)],
)
def test_scikit_learn_documentation(scores: list[float], want: float) -> None:
    """y = [10, 0, 0, 1, 5] of scikit-learn's ndcg_score and torchmetrics' documentation."""
    from sklearn.metrics import ndcg_score

    y = [10, 0, 0, 1, 5]
    order = sorted(range(5), key=lambda item: -scores[item])
    truth = {item: float(grade) for item, grade in enumerate(y) if grade}
    lists = lists_of([(order, [scores[item] for item in order], truth, set())])
    assert metric("ndcg(ties=expected)@5")(lists).values[0] == pytest.approx(want, abs=1e-6)
    for k in (1, 2, 3, 5):
        assert metric(f"ndcg(ties=expected)@{k}")(lists).values[0] == pytest.approx(
            ndcg_score([y], [scores], k=k)
        )


def test_ndcg_equals_scikit_learn_with_ties_and_grades() -> None:
    from sklearn.metrics import ndcg_score

    rng = np.random.default_rng(3)
    grades = rng.integers(0, 4, (40, 12)).astype(float)
    grades[:, 0] = 1
    scores = rng.integers(0, 4, (40, 12)).astype(float)
    users = []
    for row in range(40):
        order = sorted(range(12), key=lambda item: -scores[row, item])
        truth = {item: grades[row, item] for item in range(12) if grades[row, item] > 0}
        users.append((order, [scores[row, item] for item in order], truth, set()))
    lists = lists_of(users)
    for k in (1, 4, 12):
        found = metric(f"ndcg(ties=expected)@{k}")(lists).values
        assert found.mean() == pytest.approx(ndcg_score(grades, scores, k=k))


def test_a_constant_model_gains_nothing_by_its_order() -> None:
    lists = lists_of([([3, 1, 2, 0], [0.0] * 4, {3: 1.0}, set())])
    values = [metric(f"ndcg(ties={ties})@1")(lists).values[0] for ties in ("order", *TIES[1:])]
    assert values == [1.0, 0.0, 0.25, 1.0]


def test_without_scores_ties_are_not_known() -> None:
    from dataclasses import replace

    users = [User([1, 2], [1]), User([1], []), User([], [1]), User([1, 2], [1], answered=False)]
    lists = arrays(users)
    found = metric("mrr(ties=worst)@2")(lists).reasons
    assert {name: mask.tolist() for name, mask in found.items()} == {
        "no-truth": [False, True, False, False],
        "no-scores": [True, False, True, True],
    }
    partly = replace(lists, scores=np.array([[2.0, np.nan], [1.0, np.nan], [np.nan] * 2, [np.nan] * 2]))
    found = metric("mrr(ties=worst)@2")(partly)
    assert found.reasons["no-scores"].tolist() == [True, False, False, False]
    assert found.scored.tolist() == [False, False, True, True]


def test_a_huge_grade_stays_finite() -> None:
    lists = lists_of([([1, 2], [2.0, 1.0], {1: 1.0, 2: 5000.0}, set())])
    assert metric("ndcg(gain=exp)@2")(lists).values[0] == pytest.approx(1 / np.log2(3))
