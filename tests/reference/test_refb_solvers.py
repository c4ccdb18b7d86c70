"""The solvers behind iALS and the rating models, against direct solutions of their equations."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.protocol.arrays import Ragged
from genrec_eval.reference import least_squares
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.ials import IALSOptions
from genrec_eval.reference.ials_solve import factorise, fold_in
from genrec_eval.reference.least_squares import distinct, ridge_rows
from genrec_eval.reference.rating_fit import fit_biases


def lists_of(sizes, n, random):
    return Ragged.from_lists([random.permutation(n)[:size].tolist() for size in sizes])


@pytest.mark.parametrize("targets", [False, True])
@pytest.mark.parametrize("common", [False, True])
def test_ridge_rows_solve_the_normal_equations(targets, common):
    random = np.random.default_rng(1)
    features = random.normal(size=(30, 4))
    lists = lists_of([0, 1, 2, 3, 5, 8, 13, 30], 30, random)
    ridge = random.uniform(0.1, 2, len(lists))
    wanted = random.normal(size=len(lists.values)) if targets else None
    shared = features.T @ features if common else None
    solved = ridge_rows(features, lists, ridge, targets=wanted, common=shared)
    for row in range(len(lists)):
        chosen = features[lists[row]]
        system = chosen.T @ chosen + ridge[row] * np.eye(4) + (0 if shared is None else shared)
        goal = np.ones(len(chosen)) if wanted is None else wanted[lists.offsets[row] : lists.offsets[row + 1]]
        assert solved[row] == pytest.approx(np.linalg.solve(system, chosen.T @ goal), abs=1e-12)


def test_ridge_rows_are_the_same_bit_for_bit_however_they_are_grouped(monkeypatch):
    random = np.random.default_rng(2)
    features = random.normal(size=(60, 7))
    lists = lists_of(random.integers(0, 60, 40), 60, random)
    ridge = random.uniform(0.1, 2, 40)
    whole = ridge_rows(features, lists, ridge, common=np.eye(7))
    order = random.permutation(40)
    assert np.array_equal(
        ridge_rows(features, lists.take(order), ridge[order], common=np.eye(7)), whole[order]
    )
    monkeypatch.setattr(least_squares, "CELLS", 1)
    assert np.array_equal(ridge_rows(features, lists, ridge, common=np.eye(7)), whole)


def dense_ials(matrix, people, items, options):
    """The objective of iALS with loops over every cell."""
    weight, total = options.unobserved_weight, 0.0
    users_alive, items_alive = (matrix.any(axis=1)).sum(), (matrix.any(axis=0)).sum()
    for u in range(matrix.shape[0]):
        for i in range(matrix.shape[1]):
            x = float(people[u] @ items[i])
            total += (matrix[u, i] * (1 - x) ** 2) + weight * x * x
    for vectors, counts, others in (
        (people, matrix.sum(axis=1), items_alive),
        (items, matrix.sum(axis=0), users_alive),
    ):
        ridge = options.regularisation * (counts + weight * others) ** options.scaling
        total += float(ridge @ (vectors**2).sum(axis=1))
    return total


@pytest.mark.parametrize("scaling", [0.0, 0.5, 1.0])
def test_ials_minimises_its_objective_over_every_cell(training_of, scaling):
    random = np.random.default_rng(3)
    matrix = random.random((12, 9)) < 0.3
    matrix[4] = False
    matrix[:, 7] = False
    training = training_of([np.flatnonzero(row).tolist() for row in matrix], 9)
    options = IALSOptions(factors=3, sweeps=8, unobserved_weight=0.2, regularisation=0.05, scaling=scaling)
    items, losses = factorise(training, options, seed=5)
    assert all(later <= before + 1e-9 for before, later in itertools.pairwise(losses))
    assert not items[7].any()
    common = options.unobserved_weight * items.T @ items
    people = fold_in(training.histories(), items, common, int(matrix.any(axis=0).sum()), options)
    assert not people[4].any()
    best = dense_ials(matrix, people, items, options)
    assert best <= losses[-1] + 1e-9  # one more half-step
    # the half-step for users is the minimum: whatever moves them makes it worse
    for _ in range(20):
        moved = people + 1e-3 * random.normal(size=people.shape)
        assert dense_ials(matrix, moved, items, options) > best


def test_ials_reports_the_objective_it_reached(training_of):
    random = np.random.default_rng(8)
    matrix = random.random((10, 8)) < 0.4
    training = training_of([np.flatnonzero(row).tolist() for row in matrix], 8)
    options = IALSOptions(factors=2, sweeps=1, unobserved_weight=0.3, regularisation=0.1)
    items, (loss,) = factorise(training, options, seed=1)
    # undo the item half-step: people of sweep 1 come from the start, so solve them from the loss's own items
    by_user = distinct(training.histories())
    ridge = options.regularisation * (by_user.lengths + 0.3 * matrix.any(axis=0).sum())
    people = ridge_rows(items, by_user, ridge, common=0.3 * items.T @ items)
    assert dense_ials(matrix, people, items, options) <= loss + 1e-9


def rated(training, ratings):
    log = dataclasses.replace(training.interactions, rating=np.asarray(ratings, np.float32))
    return dataclasses.replace(training, interactions=log)


@pytest.fixture(scope="module")
def ratings_of(training_of):
    """Training data with planted biases and factors."""
    random = np.random.default_rng(4)
    users, items = 40, 25
    lists = [random.permutation(items)[: random.integers(3, 20)].tolist() for _ in range(users)]
    training = training_of(lists, items + 2)
    log = training.interactions
    p, q = random.normal(size=(users, 2)), random.normal(size=(items + 2, 2))
    b, c = random.normal(size=users) * 0.5, random.normal(size=items + 2) * 0.5
    mean = 3.2 + b[log.user] + c[log.item] + (p[log.user] * q[log.item]).sum(axis=1) * 0.5
    return rated(training, mean + 0.1 * random.normal(size=len(log)))


@pytest.mark.parametrize(("user_damping", "item_damping"), [(15.0, 10.0), (0.5, 7.0), (3.0, 0.0)])
def test_biases_equal_a_direct_ridge_regression(ratings_of, user_damping, item_damping):
    linear = pytest.importorskip("sklearn.linear_model")
    log = ratings_of.interactions
    found = fit_biases(ratings_of, user_damping, item_damping)
    ratings = log.rating.astype(float)
    assert found.mean == pytest.approx(ratings.mean())
    n_users, n_items = len(ratings_of.users), len(ratings_of.items)
    columns = np.zeros((len(log), n_users + n_items))
    # a ridge of 1 on scaled columns is a ridge of the damping on the biases
    scale = np.sqrt(np.maximum([user_damping] * n_users + [item_damping] * n_items, 1e-9))
    columns[np.arange(len(log)), log.user] = 1
    columns[np.arange(len(log)), n_users + log.item] = 1
    direct = linear.Ridge(alpha=1.0, fit_intercept=False, solver="svd").fit(
        columns / scale, ratings - ratings.mean()
    )
    expected = direct.coef_ / scale
    assert found.users == pytest.approx(expected[:n_users], abs=1e-6)
    assert found.items == pytest.approx(expected[n_users:], abs=1e-6)
    assert not found.items[-2:].any()


def test_without_damping_one_rating_is_still_predicted(training_of):
    training = rated(training_of([[0], [1]], 2), [4, 2])
    found = fit_biases(training, 0.0, 0.0)
    assert found.pairs(np.array([0, 1], np.int32), np.array([0, 1], np.int32)) == pytest.approx(
        [4, 2], abs=1e-6
    )


def test_factors_of_ratings_minimise_what_the_biases_leave(ratings_of):
    made = REFERENCE.get("mf-ratings")
    options = made.Options(factors=2, sweeps=30, regularisation=0.5)
    model = made(ratings_of, options, seed=2)
    losses = model.losses
    assert all(later <= before + 1e-9 for before, later in itertools.pairwise(losses))
    log = ratings_of.interactions
    users, items = model.user_factors, model.item_factors
    left = log.rating.astype(float) - model.biases.pairs(log.user, log.item)

    def objective(u, i):
        errors = left - (u[log.user] * i[log.item]).sum(axis=1)
        return errors @ errors + 0.5 * ((u**2).sum() + (i**2).sum())

    assert objective(users, items) == pytest.approx(losses[-1])
    random = np.random.default_rng(6)
    for _ in range(20):
        assert objective(users, items + 1e-3 * random.normal(size=items.shape)) > losses[-1]
    # the planted factors are found: far less is left than the biases leave
    assert objective(users, items) < 0.5 * (left @ left)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.integers(-1, 9), max_size=8), max_size=8))
def test_distinct_is_the_set_of_known_items(rows):
    made = distinct(Ragged.from_lists(rows))
    assert [made[row].tolist() for row in range(len(rows))] == [sorted(set(row) - {-1}) for row in rows]
