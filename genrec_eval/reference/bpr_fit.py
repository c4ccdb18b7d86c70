"""The arithmetic of BPR-MF."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int64, Ragged
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference import pairwise
from genrec_eval.reference.bpr import BPROptions
from genrec_eval.reference.least_squares import distinct, or_zero
from genrec_eval.reference.lists import Bools, known_pairs, slice_rows
from genrec_eval.reference.pairwise import Factors

_RIDGE = 1.0
"""Of the map from items to users, in users: as much as one user's factors count."""


def train(training: Training, options: BPROptions, seed: int) -> Factors:
    """Factors from the distinct pairs of the training."""
    users, items = known_pairs(training.histories())
    shape = len(training.users), len(training.items)
    return pairwise.train(
        users.astype(np.int32), items, None, shape, options, generator(seed, "bpr-mf training")
    )


def newcomers(training: Training, factors: Factors) -> tuple[Bools, Float64]:
    """Which users were trained, and the map from the mean of a user's items to the user.

    Returns
    -------
    bool[n_users], float64[d, d]
    """
    lists = distinct(training.histories())
    known = lists.lengths > 0
    means = centre(lists, factors.items)
    power = max(float((means * means).sum(axis=1).mean()), np.finfo(float).tiny)
    system = means.T @ means + _RIDGE * power * np.eye(means.shape[1])
    return known, np.linalg.solve(system, means.T @ factors.users).astype(np.float64, copy=False)


def centre(lists: Ragged, things: Float64) -> Float64:
    """float64[n, d], the mean factors of each list; each row is summed by itself."""
    import scipy.sparse as sparse

    lengths = lists.lengths
    weights = 1.0 / np.maximum(np.repeat(lengths, lengths), 1)
    matrix: Any = sparse.csr_array((weights, lists.values, lists.offsets), shape=(len(lists), len(things)))
    mean: Float64 = matrix @ things
    return mean


def people(batch: RankBatch, rows: Int64, factors: Factors, known: Bools, to_user: Float64) -> Float64:
    """float64[rows, d], the factors of the users of consecutive rows of a batch."""
    codes = batch.user_codes[rows]
    made = or_zero(factors.users, codes)
    new = np.flatnonzero((codes < 0) | ~np.append(known, False)[codes])
    if len(new):
        history = slice_rows(batch.history, slice(int(rows[0]), int(rows[-1]) + 1)).take(new)
        # einsum sums every row by itself, whatever the number of rows
        made[new] = np.einsum("nd,de->ne", centre(distinct(history), factors.items), to_user)
    return made
