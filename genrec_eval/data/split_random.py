"""A random share of all interactions, or one of several folds."""

from __future__ import annotations

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Interactions
from genrec_eval.data.split_base import TEST, TRAIN, Parts, by_role
from genrec_eval.data.split_spec import SplitSpec

_SHARE = 0.8


def random_share(name: str, log: Interactions, spec: SplitSpec, users: int, seed: int) -> Parts:
    """Each interaction falls on a side by lot; folds of one seed do not overlap and together are all."""
    n, random = len(log), generator(seed, "split interactions")
    if spec.folds is not None:
        assert spec.fold is not None
        if spec.folds > n:
            raise UsageError(f"dataset '{name}' has {n} interactions, too few for {spec.folds} folds")
        lot = (np.arange(n) % spec.folds).astype(np.int16)
        random.shuffle(lot)
        test = lot == spec.fold - 1
        facts: dict[str, float] = {"folds": spec.folds, "fold": spec.fold}
    else:
        share = _SHARE if spec.fraction is None else spec.fraction
        test = np.ones(n, bool)
        test[: int(share * n + 1e-9)] = False
        random.shuffle(test)
        facts = {"fraction": share}
    if test.all():
        raise UsageError(f"dataset '{name}' has {n} interactions, too few to train on a share of them")
    role = np.where(test, np.uint8(TEST), np.uint8(TRAIN))
    return by_role(log, role, users, facts=facts)
