"""EASE and SLIM: closed forms, an independent solver, memory that is refused before it is taken."""

from __future__ import annotations

import itertools

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.reference import gram
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.slim_weights import _sweep, descend


@pytest.fixture(scope="module")
def world(training_of):
    random = np.random.default_rng(11)
    liked = random.random((80, 30)) < random.random(30) * 0.6
    liked[:, 29] = False  # an item without interactions
    training = training_of([np.flatnonzero(row).tolist() for row in liked], 30)
    return training, liked.astype(float)


def ease(training, **options):
    made = REFERENCE.get("ease")
    return made(training, made.Options(**options))


def textbook(matrix, penalty):
    """Steck 2019, algorithm 1."""
    inverse = np.linalg.inv(matrix.T @ matrix + penalty * np.eye(matrix.shape[1]))
    weights = inverse / -np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize("penalty", [0.5, 20.0, 500.0])
@pytest.mark.parametrize("panel", [1, 7, 512])
@pytest.mark.parametrize(("exact", "close"), [(10_000, 1e-9), (0, 1e-4)])
def test_ease_equals_the_closed_form(world, batch_of, monkeypatch, penalty, panel, exact, close):
    monkeypatch.setattr(gram, "_PANEL", panel)
    monkeypatch.setattr(gram, "EXACT_ITEMS", exact)
    training, matrix = world
    model = ease(training, regularisation=penalty)
    wanted = textbook(matrix, penalty)
    assert model.modelled.tolist() == list(range(29))
    assert model.weights == pytest.approx(wanted[:29, :29], abs=close)
    assert not np.diag(model.weights).any()
    ranked = model.rank(batch_of(training, [[3, 4, -1, 3]], 30))
    scores = wanted[3] + wanted[4]
    listed = ranked.items[0, :28]
    assert ranked.items[0, 28:].tolist() == [-1, -1]
    assert ranked.scores[0, :28] == pytest.approx(scores[listed], abs=4 * close + 2.0**-23)
    assert (np.diff(ranked.scores[0, :28]) <= 0).all()


def test_ease_is_the_minimum_of_its_objective(world):
    """Nudging any weight makes squared error plus penalty larger: no formula of the solution is used."""
    training, matrix = world
    matrix, weights = matrix[:, :29], ease(training, regularisation=20.0).weights

    def loss(of):
        return ((matrix - matrix @ of) ** 2).sum() + 20.0 * (of**2).sum()

    best = loss(weights)
    random = np.random.default_rng(0)
    for _ in range(50):
        i, j = random.choice(29, 2, replace=False)
        for nudge in (-1e-3, 1e-3):
            moved = weights.copy()
            moved[i, j] += nudge
            assert loss(moved) > best


def test_only_the_most_popular_items_are_modelled(world, batch_of):
    training, matrix = world
    model = ease(training, most_items=5, regularisation=20.0)
    popular = np.sort(np.argsort(-matrix.sum(0), kind="stable")[:5])
    assert model.modelled.tolist() == popular.tolist()
    assert model.weights == pytest.approx(textbook(matrix[:, popular], 20.0), abs=1e-9)
    other = int(np.setdiff1d(np.arange(29), popular)[0])
    by_popularity = REFERENCE.get("popularity")(training).rank(batch_of(training, [[other]], 10))
    assert np.array_equal(model.rank(batch_of(training, [[other]], 10)).items, by_popularity.items)


@pytest.mark.parametrize("name", ["ease", "slim"])
def test_memory_is_refused_in_one_sentence_before_it_is_taken(training_of, name):
    training = training_of([list(range(40_000))], 40_000)
    made = REFERENCE.get(name)
    with pytest.raises(UsageError) as caught:
        made(training)
    assert str(caught.value) == (
        f"reference model '{name}' would need 7.2 GB of memory for 40,000 items, but may use 4 GB; set its"
        " option memory to 7.2 or most_items to 28409 (the others are then ranked by popularity)"
    )


def test_what_the_refusal_advises_is_enough():
    counts = np.ones(40_000, np.int64)
    assert len(gram.modelled("ease", counts, 7.2, None)) == 40_000
    assert len(gram.modelled("ease", counts, 4.0, 28_409)) == 28_409


def slim(training, **options):
    made = REFERENCE.get("slim")
    return made(training, made.Options(**options))


def off_diagonal(model):
    weights = model.similarity.toarray() / 2**24
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(("l1", "l2"), [(1.0, 5.0), (0.1, 40.0), (4.0, 0.5)])
def test_slim_equals_the_elastic_net_of_scikit_learn(world, l1, l2):
    from sklearn.linear_model import ElasticNet

    training, matrix = world
    found = off_diagonal(slim(training, l1=l1, l2=l2, neighbours=100, sweeps=1000))
    users = len(matrix)
    for j in range(29):
        others = matrix.copy()
        others[:, j] = 0
        net = ElasticNet(
            alpha=(l1 + l2) / users,
            l1_ratio=l1 / (l1 + l2),
            positive=True,
            fit_intercept=False,
            tol=1e-10,
            max_iter=100_000,
        ).fit(others, matrix[:, j])
        assert found[:, j] == pytest.approx(net.coef_, abs=2e-4)
    assert (found[:, :29] > 0).any(axis=0).sum() > 20
    assert not found[29].any()
    assert not found[:, 29].any()


def test_every_sweep_lowers_the_objective(world):
    matrix = world[1][:, :29]
    together = matrix.T @ matrix
    others = np.delete(np.arange(29), 7)
    problem = together[np.ix_(others, others)][None]
    shared = together[None, 7, others]
    losses, found = [], np.zeros((1, 28))
    for _ in range(30):
        moved = _sweep(problem, shared - 2.0, 5.0, found, np.array([0]))
        rest = matrix[:, 7] - matrix[:, others] @ found[0]
        losses.append(0.5 * rest @ rest + 2.0 * found.sum() + 2.5 * found[0] @ found[0])
    assert all(after < before + 1e-12 for before, after in itertools.pairwise(losses))
    assert losses[0] - losses[-1] > 0.01
    assert moved[0] < 1e-6
    assert descend(problem, shared, 2.0, 5.0, 100)[0] == pytest.approx(found[0], abs=1e-4)


def test_slim_keeps_to_its_nearest_items_and_blocks_change_nothing(world, monkeypatch):
    from genrec_eval.reference import lists

    training, _ = world
    whole = slim(training, l1=0.5, neighbours=4).similarity
    assert max(np.diff((whole != 0).tocsc().indptr)) <= 5  # 4 and the diagonal
    monkeypatch.setattr(lists, "CELLS", 40)
    assert (slim(training, l1=0.5, neighbours=4).similarity != whole).nnz == 0
