"""A share of all interactions, or one of several folds: by lot, or as the file has them."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Interactions
from genrec_eval.data.splits.base import TEST, TRAIN, Parts, by_role
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.arrays import Int64

_SHARE = 0.8


def random_share(name: str, log: Interactions, spec: SplitSpec, users: int, seed: int) -> Parts:
    """Each interaction falls on a side by lot; folds of one seed do not overlap and together are all.

    With ``order: file`` nothing is drawn: folds are runs of rows, and a share is the first rows.
    """
    n, random = len(log), generator(seed, "split interactions")
    in_file = None if spec.order is None else _places(name, log)
    if spec.folds is not None:
        assert spec.fold is not None
        if spec.folds > n:
            raise UsageError(f"dataset '{name}' has {n} interactions, too few for {spec.folds} folds")
        if in_file is None:
            lot = (np.arange(n) % spec.folds).astype(np.int16)
            random.shuffle(lot)
        else:
            lot = (in_file * spec.folds // n).astype(np.int16)
        test = lot == spec.fold - 1
        facts: dict[str, Any] = {"folds": spec.folds, "fold": spec.fold}
    else:
        share = _SHARE if spec.fraction is None else spec.fraction
        test = np.ones(n, bool)
        test[: int(share * n + 1e-9)] = False
        if in_file is None:
            random.shuffle(test)
        else:
            test = test[in_file]
        facts = {"fraction": share}
    if in_file is not None:
        facts["order"] = "file"
    if test.all():
        raise UsageError(f"dataset '{name}' has {n} interactions, too few to train on a share of them")
    role = np.where(test, np.uint8(TEST), np.uint8(TRAIN))
    return by_role(log, role, users, facts=facts)


def _places(name: str, log: Interactions) -> Int64:
    """int64[n], which of the interactions that are left each one is in the file, from 0."""
    if log.row is None:
        raise UsageError(
            f"dataset '{name}' was read from no file, so there is no order of rows to split by; leave out"
            " order: file"
        )
    places = np.empty(len(log), np.int64)
    places[np.argsort(log.row)] = np.arange(len(log))
    return places
