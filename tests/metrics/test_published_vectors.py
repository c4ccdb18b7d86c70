"""Accuracy on lists whose values others have published; each with its source."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from ranked import User, arrays

from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric


def graded(users: list[tuple[list[int], dict[int, float]]], n_items: int = 20) -> RankedLists:
    grades = np.array([grade for _, truth in users for grade in truth.values()], float)
    return replace(arrays([User(listed, list(truth)) for listed, truth in users], n_items), grades=grades)


def test_pytrec_eval_readme() -> None:
    """cvangysel/pytrec_eval, README: q1 map 0.3333 and ndcg 0.5, q2 0.5833 and 0.6934."""
    lists = graded([([3, 1, 2], {2: 1}), ([1, 3, 2], {2: 1, 3: 1})])
    assert metric("map@3", preset="trec")(lists).values == pytest.approx([0.3333, 0.5833], abs=1e-4)
    assert metric("ndcg(ideal=all)@3")(lists).values == pytest.approx([0.5, 0.6934], abs=1e-4)


def test_ir_measures_readme() -> None:
    """terrierteam/ir_measures, README: nDCG 0.8154648767857288 over two queries."""
    lists = graded([([0, 1], {1: 1}), ([3, 0], {3: 2})])
    assert metric("ndcg(ideal=all)@100")(lists).values.mean() == pytest.approx(0.8154648767857288, abs=1e-15)


def test_lenskit_negative_gains() -> None:
    """lenskit/lkpy tests: ratings -6, -2, 3, 1, -3 in this order give 0.5982; ranks 1 and 2 undiscounted."""
    lists = graded([([0, 1, 2, 3, 4], {0: -6, 1: -2, 2: 3, 3: 1, 4: -3})])
    assert metric("ndcg(discount=java)@5")(lists).values == pytest.approx([0.5982], abs=1e-4)


def test_wikipedia_example() -> None:
    """Wikipedia, Discounted cumulative gain; also recommenders #1749: nDCG@6 is 0.785, not 1."""
    truth = {0: 3, 1: 2, 2: 3, 4: 1, 5: 2, 6: 3, 7: 2}
    lists = graded([([0, 1, 2, 3, 4, 5], truth)])
    assert metric("ndcg@6")(lists).values == pytest.approx([0.785], abs=5e-4)
    assert metric("ndcg(gain=binary)@6")(lists).values[0] != pytest.approx(0.785, abs=5e-3)


def test_replay_docstrings() -> None:
    """RePlay, docstrings of MAP and NDCG (Apache-2.0): MAP@2 0.25, 0, 0.5; NDCG@2 .3869, 0, .6131."""
    users = [
        User([3, 7, 10, 11, 2], [5, 6, 7, 8, 9, 10]),
        User([5, 8, 11, 1, 3], [6, 7, 4, 10, 11]),
        User([4, 9, 2], [1, 2, 3, 4, 5]),
    ]
    lists = arrays(users)
    assert metric("map@2")(lists).values == pytest.approx([0.25, 0, 0.5])
    assert metric("ndcg@2")(lists).values == pytest.approx([0.38685280723454163, 0, 0.6131471927654584])


def test_rectools_docstrings_at_one() -> None:
    """MobileTeleSystems/RecTools, docstring of MAP (Apache-2.0), k = 1; k = 3 is in test_metric_values."""
    users = [
        User([7, 8], [1, 2]),
        User([1, 2], [1]),
        User([1, 2, 3, 4], [1, 3, 4]),
        User([1, 2, 3], [1, 2, 3]),
    ]
    lists = arrays(users)
    assert metric("map@1", preset="rectools")(lists).values == pytest.approx([0, 1, 1 / 3, 1 / 3])
    assert metric("map(denominator=k)@1")(lists).values.tolist() == [0, 1, 1, 1]
    assert metric("ndcg@3", preset="rectools")(lists).values == pytest.approx([0, 0.46927873, 0.70391809, 1])


@pytest.mark.parametrize(
    ("name", "listed", "relevant", "want"),
    [
        ("map@3", [2, 1, 0], [0, 2], 0.8333),
        ("precision@2", [2, 1, 0], [0, 2], 0.5),
        ("recall@2", [2, 1, 0], [0, 2], 0.5),
        ("hit_rate@2", [2, 1, 0], [0, 2], 1.0),
        ("mrr@3", [2, 1, 0], [1], 0.5),
        ("r_precision", [2, 1, 0], [0, 2], 0.5),
    ],
)
def test_torchmetrics_docstrings(name: str, listed: list[int], relevant: list[int], want: float) -> None:
    """Lightning-AI/torchmetrics 1.9, docstrings of functional.retrieval: scores 0.2, 0.3, 0.5."""
    found = metric(name, preset="torchmetrics")(arrays([User(listed, relevant)]))
    assert found.values == pytest.approx([want], abs=1e-4)


def test_one_list_two_more_values_of_map() -> None:
    """Hits at ranks 2 and 4 of 5, eight relevant items (torchmetrics; see PyG #9989)."""
    lists = arrays([User([10, 0, 11, 1, 12], list(range(8)))])
    assert metric("map(denominator=hits)@5")(lists).values == pytest.approx([0.5])
    assert metric("map(denominator=list)@7")(lists).values == pytest.approx([0.2])


def test_ranx_burges_and_friends() -> None:
    """ranx 0.3.21 on three users of test_presets, computed once: gain 2^g - 1, F1 per user, R-precision."""
    users = [
        ([3, 10, 12, 1, 5], {3: 4, 1: 1, 2: 2}),
        ([10, 3, 5], {1: 3, 4: 1, 5: 2, 6: 1, 7: 1, 8: 2}),
        ([4, 10, 7, 13, 1, 3, 5, 2, 11, 14], {2: 1, 5: 2, 6: 4, 8: 1}),
    ]
    want = {
        "ndcg@3": 0.294756,
        "ndcg(gain=exp)@3": 0.335586,
        "map(denominator=relevant)@3": 0.12963,
        "f1@3": 0.185185,
        "r_precision": 0.166667,
        "mrr@3": 0.444444,
    }
    found = {name: float(metric(name)(graded(users)).values.mean()) for name in want}
    assert found == pytest.approx(want, abs=1e-6)
