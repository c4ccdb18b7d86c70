"""The arithmetic of the models that predict ratings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32, Ragged, stable_order
from genrec_eval.reference.least_squares import or_zero, ridge_rows

_TOLERANCE = 1e-12
_START = 0.1
_PART = 1 << 18
"""Pairs whose factors are multiplied at a time."""


@dataclass(frozen=True, slots=True)
class Biases:
    """Mean and biases; the bias of what was never seen is 0.

    Attributes
    ----------
    mean
        The mean training rating.
    users, items
        float64[n_users], float64[n_items].
    """

    mean: float
    users: Float64
    items: Float64

    def pairs(self, users: Int32, items: Int32) -> Float64:
        """float64[n], for parallel codes."""
        return self.mean + or_zero(self.users, users) + or_zero(self.items, items)

    def rows(self, users: Int32) -> Float64:
        """float64[n, n_items]."""
        return self.mean + np.add.outer(or_zero(self.users, users), self.items)


def fit_biases(training: Training, user_damping: float, item_damping: float) -> Biases:
    """Solve the ridge regression of ratings on user and item; ratings must be finite numbers."""
    given = training.interactions
    assert given.rating is not None
    import scipy.sparse as sparse

    ratings = given.rating.astype(np.float64)
    mean = float(ratings.mean())
    left = ratings - mean
    shape = (len(training.users), len(training.items))
    seen: Any = sparse.csr_array((np.ones(len(left)), (given.user, given.item)), shape=shape)
    back = seen.T.tocsr()
    user_sums = np.bincount(given.user, left, shape[0])
    item_sums = np.bincount(given.item, left, shape[1])
    # a tiny ridge keeps the equations solvable without damping, where only sums of biases are determined
    per_user = np.maximum(np.bincount(given.user, minlength=shape[0]) + user_damping, 1e-9)
    per_item = np.maximum(np.bincount(given.item, minlength=shape[1]) + item_damping, 1e-9)

    def reduced(items: Float64) -> Float64:
        applied: Float64 = per_item * items - back @ ((seen @ items) / per_user)
        return applied

    items = _conjugate(reduced, item_sums - back @ (user_sums / per_user), per_item)
    return Biases(mean, (user_sums - seen @ items) / per_user, items)


def _conjugate(apply: Any, right: Float64, scale: Float64) -> Float64:
    """Conjugate gradients with a diagonal preconditioner; at most as many steps as unknowns."""
    solved = np.zeros_like(right)
    residual = right.copy()
    ready = residual / scale
    way, strength = ready.copy(), float(residual @ ready)
    enough = _TOLERANCE * _TOLERANCE * strength
    for _ in range(len(right)):
        if strength <= enough:
            break
        moved = apply(way)
        curvature = float(way @ moved)
        if curvature <= 0:
            break
        step = strength / curvature
        solved += step * way
        residual -= step * moved
        ready = residual / scale
        strength, before = float(residual @ ready), strength
        way = ready + (strength / before) * way
    return solved


def factorise(
    training: Training, biases: Biases, factors: int, sweeps: int, regularisation: float, seed: int
) -> tuple[Float64, Float64, list[float]]:
    """Factors of what the biases leave, by alternating least squares.

    Returns
    -------
    float64[n_users, factors], float64[n_items, factors], list of floats
        User factors, item factors, and the objective after each sweep.
    """
    given = training.interactions
    assert given.rating is not None
    n_users, n_items = len(training.users), len(training.items)
    left = given.rating.astype(np.float64) - biases.pairs(given.user, given.item)
    by_user = Ragged.group(given.user, given.item, n_users)
    by_item = Ragged.group(given.item, given.user, n_items)
    users_left, items_left = left[stable_order(given.user)], left[stable_order(given.item)]
    user_ridge, item_ridge = np.full(n_users, regularisation), np.full(n_items, regularisation)
    start = generator(seed, "mf-ratings", "items").normal(size=(n_items, factors)) * _START
    items = start * (by_item.lengths > 0)[:, None]
    users = np.zeros((n_users, factors))
    losses = []
    for _ in range(sweeps):
        users = ridge_rows(items, by_user, user_ridge, targets=users_left)
        items = ridge_rows(users, by_item, item_ridge, targets=items_left)
        errors = left - products(users, items, given.user, given.item)
        losses.append(float(errors @ errors + regularisation * ((users**2).sum() + (items**2).sum())))
    return users, items, losses


def products(users: Float64, items: Float64, user: Int32, item: Int32) -> Float64:
    """float64[n], the inner products of parallel codes; 0 for negative ones."""
    made = np.empty(len(user))
    for start in range(0, len(user), _PART):
        part = slice(start, start + _PART)
        made[part] = (or_zero(users, user[part]) * or_zero(items, item[part])).sum(axis=1)
    return made
