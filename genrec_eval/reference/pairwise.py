"""Learning to rank from pairs of an item that was chosen and one that was not: BPR-MF and FPMC."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import expit

from genrec_eval.protocol.arrays import PAD, Float64, Int32, Ragged, stable_order
from genrec_eval.reference.bpr import BPROptions
from genrec_eval.reference.lists import Bools, row_numbers

Float32 = npt.NDArray[np.float32]

_START = 0.1
"""Spread of a whole row of factors at the start."""
_TRIES = 8
"""Rounds of drawing anew where the item that was drawn is one the user chose."""


@dataclass(frozen=True, slots=True)
class Factors:
    """Scores are ``biases + users @ items[:, :d].T (+ lasts @ items[:, d:].T)``.

    Attributes
    ----------
    users
        float64[n_users, d]; 0 for users without training interactions.
    items
        float64[n_items, d], or [n_items, 2 d] with ``lasts``.
    biases
        float64[n_items].
    lasts
        float64[n_items, d], items as what came before; 0 for items that never did; None for BPR-MF.
    """

    users: Float64
    items: Float64
    biases: Float64
    lasts: Float64 | None


class Table:
    """Rows of parameters that are moved by AdaGrad.

    Parameters
    ----------
    values
        float32[n, d], the start.
    rate, ridge
        Learning rate; the ridge of each row that is used, each time.

    References
    ----------
    Duchi, Hazan, Singer (2011), Adaptive subgradient methods, JMLR 12; one step size per parameter.
    """

    def __init__(self, values: Float32, rate: float, ridge: float) -> None:
        self.values = values
        self._rate, self._ridge = np.float32(rate), np.float32(ridge)
        self._squares = np.full(values.shape, 1e-8, np.float32)

    def descend(self, rows: Int32, gradients: Float32) -> None:
        """One step; the gradients of a row that comes up several times are summed first."""
        order = stable_order(rows)
        ordered = rows[order]
        starts = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
        touched, bounds = ordered[starts], np.append(starts, len(rows))
        ones = np.ones(len(rows), np.float32)
        summed = csr_array((ones, order, bounds), shape=(len(touched), len(rows))) @ gradients
        now = self.values[touched]
        summed += (self._ridge * np.diff(bounds).astype(np.float32))[:, None] * now
        squares = self._squares[touched] + summed * summed
        self._squares[touched] = squares
        self.values[touched] = now - self._rate * summed / np.sqrt(squares)


class Chosen:
    """Which user chose which item, to draw items that were not.

    Parameters
    ----------
    users, items
        Parallel codes, one pair at least; pairs may repeat.
    n_items
        Size of the catalogue.
    """

    def __init__(self, users: Int32, items: Int32, n_items: int) -> None:
        self.n_items = n_items
        self._keys = np.unique(users.astype(np.int64) * n_items + items)

    def others(self, users: Int32, draw: np.random.Generator) -> tuple[Int32, Bools]:
        """An item that each user did not choose, uniformly; False where none was found."""
        found = draw.integers(0, self.n_items, len(users), dtype=np.int32)
        wrong = np.flatnonzero(self._has(users, found))
        for _ in range(_TRIES):
            if not len(wrong):
                break
            found[wrong] = draw.integers(0, self.n_items, len(wrong), dtype=np.int32)
            wrong = wrong[self._has(users[wrong], found[wrong])]
        good = np.ones(len(users), bool)
        good[wrong] = False
        return found, good

    def _has(self, users: Int32, items: Int32) -> Bools:
        wanted = users.astype(np.int64) * self.n_items + items
        place = np.minimum(np.searchsorted(self._keys, wanted), len(self._keys) - 1)
        present: Bools = self._keys[place] == wanted
        return present


def steps(histories: Ragged) -> tuple[Int32, Int32, Int32]:
    """User, item and the item before it, -1 at the start; a repetition of the item before is left out.

    >>> [part.tolist() for part in steps(Ragged.from_lists([[4, 5, 5], [], [6]]))]
    [[0, 0, 2], [4, 5, 6], [-1, 4, -1]]
    """
    users, items = row_numbers(histories).astype(np.int32), histories.values
    before = np.append(np.int32(PAD), items)[:-1]
    before[histories.offsets[:-1][histories.lengths > 0]] = PAD
    real = before != items
    return users[real], items[real], before[real]


def train(
    users: Int32,
    items: Int32,
    before: Int32 | None,
    shape: tuple[int, int],
    options: BPROptions,
    draw: np.random.Generator,
) -> Factors:
    """Descend from random factors.

    Parameters
    ----------
    users, items, before
        Parallel codes: who chose what, after what (-1: nothing); None where that does not matter.
    shape
        Number of users and of items.
    """
    (n_users, n_items), d = shape, options.factors
    parts = 1 if before is None else 2

    def table(n: int, dimensions: int) -> Float32:
        return draw.standard_normal((n, dimensions), np.float32) * np.float32(_START / np.sqrt(d))

    settings = options.learning_rate, options.regularisation
    people = Table(table(n_users, d), *settings)
    # the last column is the bias, which meets a constant 1
    blank = np.zeros((n_items, 1), np.float32)
    things = Table(np.append(table(n_items, parts * d), blank, axis=1), *settings)
    lasts = None if before is None else Table(table(n_items, d), *settings)
    if len(users):
        chosen = Chosen(users, items, n_items)
        for _ in range(options.epochs):
            order = draw.permutation(len(users))
            for start in range(0, len(order), options.batch_size):
                part = order[start : start + options.batch_size]
                other, good = chosen.others(users[part], draw)
                part, other = part[good], other[good]
                if len(part):
                    last = None if before is None else before[part]
                    _step(people, things, lasts, users[part], items[part], other, last)
    learnt = things.values.astype(np.float64)
    return Factors(
        users=_seen(people.values, users),
        items=learnt[:, :-1],
        biases=learnt[:, -1],
        lasts=None if lasts is None or before is None else _seen(lasts.values, before),
    )


def _seen(values: Float32, codes: Int32) -> Float64:
    """Rows that never came up are 0 instead of the random start."""
    seen = np.bincount(codes[codes >= 0], minlength=len(values)) > 0
    kept: Float64 = values.astype(np.float64) * seen[:, None]
    return kept


def _step(
    people: Table,
    things: Table,
    lasts: Table | None,
    user: Int32,
    item: Int32,
    other: Int32,
    last: Int32 | None,
) -> None:
    """Push ``item`` above ``other`` for ``user`` after ``last``."""
    d = people.values.shape[1]
    context = np.ones((len(user), things.values.shape[1]), np.float32)
    context[:, :d] = people.values[user]
    if lasts is not None and last is not None:
        context[:, d:-1] = np.where(last[:, None] >= 0, lasts.values[last], np.float32(0))
    apart = things.values[item] - things.values[other]
    force: Float32 = expit(-np.einsum("nd,nd->n", context, apart))
    apart *= force[:, None]
    context *= force[:, None]
    people.descend(user, -apart[:, :d])
    if lasts is not None and last is not None and (last >= 0).any():
        real = last >= 0
        lasts.descend(last[real], -apart[real, d:-1])
    things.descend(np.concatenate([item, other]), np.concatenate([-context, context]))
