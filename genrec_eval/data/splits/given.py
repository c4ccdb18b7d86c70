"""The cases that a dataset brings with it."""

from __future__ import annotations

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset, Interactions
from genrec_eval.data.splits.base import Parts
from genrec_eval.protocol.arrays import stable_order


def given_cases(dataset: Dataset, min_rating: float | None) -> Parts:
    """All interactions are training; the given cases are the test, in their order."""
    given = dataset.given
    if given is None:
        raise UsageError(
            f"dataset '{dataset.name}' brings no cases of its own, so the split cannot be given; choose"
            " another method"
        )
    if min_rating is not None:
        raise UsageError(
            f"the cases that dataset '{dataset.name}' brings have no ratings, so min_rating cannot be"
            " applied; leave it out"
        )
    case, item = np.repeat(np.arange(len(given)), given.truth.lengths), given.truth.values
    when = None
    if given.timestamp is not None:
        order = stable_order(given.timestamp[case])
        case, item = case[order], item[order]
        when = given.timestamp[case]
    test = Interactions(user=given.user[case], item=item, timestamp=when)
    return Parts(
        train=dataset.interactions,
        test=test,
        case=case,
        users=given.user.astype(np.int32, copy=False),
        history=given.history,
        candidates=given.candidates,
        cut=given.timestamp,
        facts={"cases_given": len(given)},
    )
