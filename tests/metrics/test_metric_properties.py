"""What holds for every list: bounds, monotonicity, indifference to names and order."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked import ACCURACY, N_ITEMS, VALIDITY, User, arrays, cutoffs, populations

from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.registry import METRICS, metric

EVERY = [*ACCURACY, "r_precision", "bpref", "auc", "gauc", *VALIDITY, "popularity", "coverage"]


def scores(names: list[str], population: list[User], k: int, **options: list[int]) -> list[UnitScores]:
    lists = arrays(population, N_ITEMS, **options)
    return [spelled(name, k)(lists) for name in names]


def spelled(name: str, k: int) -> Metric:
    """The metric at ``k``, or as it is when it has no cutoff."""
    return metric(name if name in {"r_precision", "bpref", "auc", "gauc"} else f"{name}@{k}")


@given(population=populations, k=cutoffs)
def test_values_stay_inside_the_declared_bounds(population: list[User], k: int) -> None:
    for name, found in zip(EVERY, scores(EVERY, population, k), strict=True):
        low, high = spelled(name, k).definition.bounds
        values = found.values[found.scored] if found.total is None else np.array([found.total])
        assert (values >= low).all(), name
        assert high is None or (values <= high + 1e-12).all(), name
        masks = np.array(list(found.reasons.values()), int)
        assert masks.sum(axis=0).max(initial=0) <= 1, f"{name}: a unit has at most one reason"


@given(population=populations, k=st.integers(1, 11))
def test_a_longer_cutoff_never_loses(population: list[User], k: int) -> None:
    names = ["recall", "hit_rate", "mrr", "ndcg(ideal=all)", "map(denominator=relevant)"]
    for one, other in zip(scores(names, population, k), scores(names, population, k + 1), strict=True):
        assert (one.values <= other.values + 1e-12).all()


@given(population=populations, k=cutoffs, data=st.data())
def test_order_of_users_changes_nothing(population: list[User], k: int, data: st.DataObject) -> None:
    order = data.draw(st.permutations(range(len(population))))
    moved = scores(EVERY, [population[i] for i in order], k)
    for one, other in zip(scores(EVERY, population, k), moved, strict=True):
        np.testing.assert_array_equal(one.values[order], other.values)
        assert one.total == other.total


@given(population=populations, k=cutoffs)
def test_appended_misses_change_no_accuracy(population: list[User], k: int) -> None:
    names = [name for name in ACCURACY if name != "precision(denominator=list)"]
    longer = [replace(user, listed=[*user.listed, -9, -9]) for user in population]
    for one, other in zip(scores(names, population, k), scores(names, longer, k), strict=True):
        np.testing.assert_array_equal(one.values, other.values)


@given(population=populations, k=cutoffs, place=st.integers(0, 8))
def test_a_duplicate_never_raises_accuracy(population: list[User], k: int, place: int) -> None:
    clean = [user for user in population if user.listed]
    dirty = [
        replace(user, listed=[*user.listed[: place + 1], user.listed[0], *user.listed[place + 1 :]])
        for user in clean
    ]
    for one, other in zip(scores([*ACCURACY], dirty, k), scores([*ACCURACY], clean, k), strict=True):
        assert (one.values <= other.values + 1e-12).all()


@given(population=populations, k=cutoffs, data=st.data())
def test_renaming_ids_changes_nothing(population: list[User], k: int, data: st.DataObject) -> None:
    code = data.draw(st.permutations(range(N_ITEMS)))

    def rename(ids: list[int]) -> list[int]:
        return [code[i] if i >= 0 else 3 * i - 1 for i in ids]  # unknown ids keep their identity only

    renamed = [
        replace(
            u,
            listed=rename(u.listed),
            relevant=rename(u.relevant),
            history=rename(u.history),
            rejected=rename(u.rejected),
        )
        for u in population
    ]
    before = scores(EVERY, population, k, counts=list(range(N_ITEMS)))
    after = scores(EVERY, renamed, k, counts=[code.index(i) for i in range(N_ITEMS)])
    for one, other in zip(before, after, strict=True):
        np.testing.assert_array_equal(one.values, other.values)
        assert one.total == other.total


EDGES = {
    "nobody": [],
    "empty list": [User([], [1])],
    "all lists empty and nothing relevant": [User([], []), User([], [])],
    "no truth": [User([1, 2], [])],
    "unknown ids only": [User([-2, -3, -2], [1])],
    "unanswered": [User([1, 2], [1], answered=False)],
    "one user": [User([1, 2, 3], [3])],
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("k", [1, 100])
def test_edges_give_finite_scores(edge: str, k: int) -> None:
    for found in scores(EVERY, EDGES[edge], k):
        assert len(found) == len(EDGES[edge])
        assert np.isfinite(found.values).all()


def test_every_built_in_metric_is_tested_here() -> None:
    elsewhere = "genrec_eval.metrics."
    families = {elsewhere + name for name in ("accuracy", "precision_at_hits", "ndcg", "auc")}
    built_in = {name for name, place in METRICS.builtin.items() if place.partition(":")[0] in families}
    assert built_in <= {name.partition("(")[0] for name in EVERY}
