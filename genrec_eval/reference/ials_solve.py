"""The arithmetic of iALS."""

from __future__ import annotations

import numpy as np

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Ragged
from genrec_eval.reference.ials import IALSOptions
from genrec_eval.reference.least_squares import distinct, ridge_rows
from genrec_eval.reference.lists import row_numbers


def factorise(training: Training, options: IALSOptions, seed: int) -> tuple[Float64, list[float]]:
    """Item factors, and the objective after each sweep.

    Returns
    -------
    float64[n_items, factors], list of floats
    """
    n_items = len(training.items)
    by_user = distinct(training.histories())
    by_item = Ragged.group(by_user.values, row_numbers(by_user).astype(np.int32), n_items)
    users = int(np.count_nonzero(by_user.lengths))
    active = int(np.count_nonzero(by_item.lengths))
    user_ridge = ridge(by_user, active, options)
    item_ridge = ridge(by_item, users, options)
    start = generator(seed, "ials", "items").normal(size=(n_items, options.factors))
    # items without interactions are 0 from the start, as every later step makes them
    items = start * (options.stdev / np.sqrt(options.factors)) * (by_item.lengths > 0)[:, None]
    losses = []
    for _ in range(options.sweeps):
        people = ridge_rows(items, by_user, user_ridge, common=options.unobserved_weight * items.T @ items)
        items = ridge_rows(people, by_item, item_ridge, common=options.unobserved_weight * people.T @ people)
        losses.append(
            _fit(people, items, by_user, options.unobserved_weight)
            + float(user_ridge @ (people * people).sum(axis=1) + item_ridge @ (items * items).sum(axis=1))
        )
    return items, losses


def ridge(lists: Ragged, others: int, options: IALSOptions) -> Float64:
    """float64[n], the ridge of each row: scaled by how many terms of the loss it has, by weight."""
    terms = lists.lengths.astype(np.float64) + options.unobserved_weight * others
    return options.regularisation * np.power(terms, np.float64(options.scaling))


def fold_in(history: Ragged, items: Float64, common: Float64, active: int, options: IALSOptions) -> Float64:
    """User factors for these histories.

    Parameters
    ----------
    common
        float64[d, d], ``unobserved_weight * items.T @ items``.
    active
        Items with training interactions.

    Returns
    -------
    float64[n, factors]
    """
    known = distinct(history)
    return ridge_rows(items, known, ridge(known, active, options), common=common)


def _fit(people: Float64, items: Float64, by_user: Ragged, weight: float) -> float:
    """The part of the objective that is not the ridge."""
    rows = row_numbers(by_user)
    observed = 0.0
    for start in range(0, len(rows), 1 << 16):
        part = slice(start, start + (1 << 16))
        errors = 1.0 - np.einsum("nd,nd->n", people[rows[part]], items[by_user.values[part]])
        observed += float(errors @ errors)
    return observed + weight * float(((people.T @ people) * (items.T @ items)).sum())
