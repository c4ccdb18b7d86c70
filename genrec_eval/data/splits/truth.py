"""What counts as relevant among the test interactions of each case."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.data.splits.base import Parts
from genrec_eval.data.splits.pairs import first_of_each, found_in, keys, keys_of
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.arrays import Float64, Ragged, stable_order


@dataclass(frozen=True, slots=True)
class Targets:
    """Truth of m possible cases, some of them empty, and what became of the other test interactions.

    Attributes
    ----------
    below
        Test interactions rated below ``min_rating``.
    duplicates
        Further interactions with an item that the case's test holds already.
    repeats
        Targets that are in the history, kept or dropped as the split says.
    """

    truth: Ragged
    grades: Float64 | None
    rejected: Ragged | None
    below: int
    duplicates: int
    repeats: int


def targets(name: str, parts: Parts, spec: SplitSpec, min_rating: float | None, width: int) -> Targets:
    """Distinct items of each case's test, rated at least ``min_rating``, the first of each.

    ``width`` is the number of items.
    """
    test, case, m = parts.test, parts.case, len(parts.users)
    if min_rating is not None and test.rating is None:
        raise UsageError(f"dataset '{name}' has no ratings, so min_rating cannot be applied; leave it out")
    pairs = keys(case, test.item, width)
    tested = np.bincount(case, minlength=m) > 0
    asked = np.flatnonzero(tested)
    known = keys_of(parts.history.take(asked), width, asked)

    rows = np.arange(len(test))
    good = (
        np.ones(len(test), bool) if min_rating is None or test.rating is None else test.rating >= min_rating
    )
    liked = rows[good]
    first = liked[first_of_each(pairs[liked])]
    again = found_in(pairs[first], known)
    duplicates, repeats = len(liked) - len(first), int(np.count_nonzero(again))
    if spec.repeats == "drop":
        first = first[~again]
    first = first[stable_order(case[first])]
    rejected = None
    if min_rating is not None:
        low = rows[~good]
        low = low[first_of_each(pairs[low])]
        low = low[~found_in(pairs[low], pairs[first])]
        if spec.repeats == "drop":
            low = low[~found_in(pairs[low], known)]
        rejected = Ragged.group(case[low], test.item[low], m)
    return Targets(
        truth=Ragged.group(case[first], test.item[first], m),
        grades=None if test.rating is None else test.rating[first].astype(np.float64),
        rejected=rejected,
        below=len(test) - len(liked),
        duplicates=duplicates,
        repeats=repeats,
    )
