"""Which disclosed values a figure comes from, in words."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from genrec_eval.core.numbers import first_digits
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.ranges import column_means


def apart(rows: Float64, names: Sequence[str], attribute: str, what: str, unit: str = "") -> str:
    """The two values whose means lie farthest apart; empty where none do.

    Parameters
    ----------
    rows
        float64[n, 2 g], what each unit adds: figures, then counts, a column a value.
    names
        Of the g values.
    what
        Whose means they are, with their unit.

    >>> rows = np.array([[0.5, 1.0, 1.0, 1.0], [0.6, 1.0, 1.0, 1.0]])
    >>> apart(rows, ("female", "male"), "gender", "similarity to neutral")
    'with gender disclosed, similarity to neutral is highest for male (1), lowest for female (0.55)'
    """
    means, counts = column_means(rows.sum(axis=0))
    seen = np.flatnonzero(counts > 0)
    if len(seen) < 2:
        return ""
    high, low = int(seen[means[seen].argmax()]), int(seen[means[seen].argmin()])
    if means[high] == means[low]:
        return ""
    shown = [f"{names[at]} ({first_digits(means[at], unit)})" for at in (high, low)]
    return f"with {attribute} disclosed, {what} is highest for {shown[0]}, lowest for {shown[1]}"
