"""Several verdicts on one text as one: repeats of a judge, the two orders of a pair, judges of a panel."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genrec_eval.judging.policy import Combine, OnDisagree

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]
Bool = npt.NDArray[np.bool_]


def combine_groups(values: Float64, group: Int64, n: int, how: Combine, *, pairs: bool = False) -> Float64:
    """One value per group; 0 for groups without any.

    Parameters
    ----------
    values, group
        float64[m] and int64[m], the group of each value.
    n
        Number of groups.
    how
        ``majority`` is the most frequent value; of several, their mean, and for ``pairs`` a tie.

    >>> combine_groups(np.array([1.0, 1.0, 4.0, 2.0]), np.array([0, 0, 0, 1]), 2, "majority")
    array([1., 2.])
    """
    found = np.zeros(n)
    if not len(values):
        return found
    if how == "mean":
        counts = np.bincount(group, minlength=n)
        sums = np.bincount(group, weights=values, minlength=n)
        return np.divide(sums, counts, out=found, where=counts > 0)
    if pairs and how == "majority":
        values = winners(values)  # preferences read from log-probabilities vote by whom they prefer
    order = np.lexsort((values, group))
    values, group = values[order], group[order]
    present, start, counts = np.unique(group, return_index=True, return_counts=True)
    if how == "median":
        found[present] = (values[start + (counts - 1) // 2] + values[start + counts // 2]) / 2
        return found
    fresh = np.concatenate([[True], (group[1:] != group[:-1]) | (values[1:] != values[:-1])])
    first = np.flatnonzero(fresh)
    votes = np.diff(np.concatenate([first, [len(values)]]))
    of, voted = group[first], values[first]
    most = np.zeros(n, np.int64)
    np.maximum.at(most, of, votes)
    modal = votes == most[of]
    modes = np.bincount(of[modal], minlength=n)
    sums = np.bincount(of[modal], weights=voted[modal], minlength=n)
    np.divide(sums, modes, out=found, where=modes > 0)
    return np.where(modes > 1, 0.5, found) if pairs else found


def winners(preference: Float64) -> Float64:
    """1 where the model is preferred, 0 where the other is, ½ for neither."""
    return (np.sign(preference - 0.5) + 1) / 2


def both_orders(given: Float64, swapped: Float64, how: OnDisagree) -> tuple[Float64, Bool]:
    """Preferences from both orders as one, and where the orders disagree and nothing is left.

    They disagree when they do not name the same winner, a tie being one too; where they agree, the result
    is their mean.

    >>> both_orders(np.array([1.0, 1.0]), np.array([1.0, 0.5]), "tie")
    (array([1. , 0.5]), array([False, False]))
    """
    disagree = winners(given) != winners(swapped)
    value = (given + swapped) / 2
    if how == "tie":
        value = np.where(disagree, 0.5, value)
    return value, disagree if how == "drop" else np.zeros(len(value), bool)


def of_panel(values: Float64, *, pairs: bool) -> Float64:
    """Verdicts of J judges on T texts, float64[J, T], as one each: the majority for pairs, else the mean."""
    if not pairs:
        return values.mean(axis=0)
    judges, texts = values.shape
    group = np.tile(np.arange(texts), judges)
    return combine_groups(values.ravel(), group, texts, "majority", pairs=True)


def agreement(values: Float64, one: int, *, pairs: bool, width: float = 1.0) -> Float64:
    """float64[T] in [0, 1]: how far judge ``one`` agrees with the others together.

    Parameters
    ----------
    values
        float64[J, T] with J of at least 2.
    width
        Of the scale: the greatest difference that there can be.

    >>> agreement(np.array([[1.0, 5.0], [1.0, 3.0], [1.0, 3.0]]), 0, pairs=False, width=4.0)
    array([1. , 0.5])
    """
    others = of_panel(np.delete(values, one, axis=0), pairs=pairs)
    if pairs:
        return (winners(values[one]) == others).astype(np.float64)
    return np.clip(1 - np.abs(values[one] - others) / width, 0.0, 1.0)
