"""Splits within each user, and splits of the users themselves."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Interactions
from genrec_eval.data.splits.base import DROPPED, KNOWN, TEST, TRAIN, Mask, Parts, by_role
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.arrays import Int64, stable_order

_SHARE = 0.8
_TEST_USERS = 0.1
_EXACT = 1e-9  # a fifth of 5 is 1, whatever 1 - 0.8 is in binary


def leave_one_out(name: str, log: Interactions, spec: SplitSpec, users: int) -> Parts:
    """The last interaction of each user is the test; of equal times the later row is the last.

    With ``validation`` the last but one is in the history and not in the training. Users with too few
    interactions for that and ``min_history`` stay in the training.
    """
    needs_order(name, log, spec)
    counts = np.bincount(log.user, minlength=users)
    enough = counts >= 1 + bool(spec.validation) + spec.least_history
    role = np.full(len(log), TRAIN, np.uint8)
    last = _last(log.user, np.arange(len(log)), users)[enough]
    role[last] = TEST
    if spec.validation:
        rest = np.flatnonzero(role == TRAIN)
        role[_last(log.user[rest], rest, users)[enough]] = KNOWN
    return by_role(
        log,
        role,
        users,
        left_out={"too-few": (counts > 0) & ~enough},
        facts={"validation": bool(spec.validation), "order": spec.order or "time"},
    )


def user_ratio(name: str, log: Interactions, spec: SplitSpec, users: int, seed: int) -> Parts:
    """The last share of each user's interactions, or a random one, is the test: at least one.

    The number is rounded down. Users who would keep fewer than ``min_history`` stay in the training.
    """
    if not spec.draws:
        needs_order(name, log, spec)
    share = _SHARE if spec.fraction is None else spec.fraction
    test, whole = _share(log.user, users, share, spec, seed)
    role = np.where(test, np.uint8(TEST), np.uint8(TRAIN))
    facts = {"fraction": share, "pick": "random" if spec.draws else "last"}
    return by_role(log, role, users, left_out={"too-few": whole}, facts=facts)


def strong_generalisation(name: str, log: Interactions, spec: SplitSpec, users: int, seed: int) -> Parts:
    """Tested users are not in the training; a share of their items is the history, the rest the truth.

    As in Liang et al., Variational Autoencoders for Collaborative Filtering (WWW 2018), with
    ``drop_below: 4``, ``k_core: {users: 5}`` and ``items: trained``: the number of test items is rounded
    down, and tested users with too few items for one are left out.
    """
    if not spec.draws:
        needs_order(name, log, spec)
    active = np.flatnonzero(np.bincount(log.user, minlength=users))
    n_test = _number(name, spec.test_users or _TEST_USERS, len(active), "test_users")
    n_validation = _number(name, spec.validation_users or 0, len(active), "validation_users")
    if n_test + n_validation >= len(active):
        raise UsageError(
            f"dataset '{name}' has {len(active)} users with interactions, so that {n_test} to test and"
            f" {n_validation} for validation leave none to train on; set fewer test_users"
        )
    drawn = generator(seed, "split users").permutation(active)
    part = np.full(users, TRAIN, np.uint8)
    part[drawn[:n_test]] = TEST
    part[drawn[n_test : n_test + n_validation]] = DROPPED

    role = part[log.user]
    dropped = {"validation-user": int(np.count_nonzero(role == DROPPED))} if n_validation else {}
    if spec.items == "trained":
        # before the history is picked, so that its share is one of the items that count
        known = np.bincount(log.item[role == TRAIN], minlength=int(log.item.max()) + 1) > 0
        strange = (role == TEST) & ~known[log.item]
        role[strange] = DROPPED
        dropped["untrained-item"] = int(np.count_nonzero(strange))
    share = _SHARE if spec.fold_in is None else spec.fold_in
    held = np.flatnonzero(role == TEST)
    test, whole = _share(log.user[held], users, share, spec, seed)
    role[held[~test]] = KNOWN
    lost = held[whole[log.user[held]]]
    role[lost] = DROPPED
    if len(lost):
        dropped["too-few"] = len(lost)
    return by_role(
        log,
        role,
        users,
        dropped=dropped,
        left_out={
            "training-user": (part == TRAIN) & _marks(active, users),
            "validation-user": part == DROPPED,
            "too-few": whole,
        },
        facts={
            "users_trained": len(active) - n_test - n_validation,
            "users_held_out": n_test,
            "users_validation": n_validation,
            "fold_in": share,
            "pick": "random" if spec.draws else "last",
        },
    )


def needs_order(name: str, log: Interactions, spec: SplitSpec) -> None:
    """Refuse data of which nobody knows what comes last."""
    if log.timestamp is None and spec.order != "file":
        raise UsageError(
            f"dataset '{name}' has no timestamps, so {spec.method} does not know which interaction is the"
            " last; name the column that holds them, or set order: file if the rows are in order"
        )
    if log.timestamp is not None and spec.order == "file":
        raise UsageError(
            f"dataset '{name}' has timestamps and is ordered by them, so order: file cannot be followed;"
            " leave it out"
        )


def _last(user: npt.NDArray[np.int32], rows: Int64, users: int) -> Int64:
    """The last of ``rows`` of each user."""
    last = np.full(users, -1, np.int64)
    last[user] = rows  # of a repeated index the last value stays
    return last


def _share(
    user: npt.NDArray[np.int32], users: int, share: float, spec: SplitSpec, seed: int
) -> tuple[Mask, Mask]:
    """Which interactions are test, and which users (bool[users]) have too few for any."""
    counts = np.bincount(user, minlength=users)
    n_test = np.maximum(1, np.floor((1 - share) * counts + _EXACT).astype(np.int64))
    whole = (counts > 0) & (counts - n_test < spec.least_history)
    n_test[whole] = 0
    if spec.draws:
        shuffled = generator(seed, "split interactions").permutation(len(user))
        order = shuffled[stable_order(user[shuffled])]
    else:
        order = stable_order(user)
    ends = np.cumsum(counts)
    left = np.repeat(ends, counts) - np.arange(len(user))  # 1 for the last of a user
    test = np.empty(len(user), bool)
    test[order] = left <= np.repeat(n_test, counts)
    return test, whole


def _number(name: str, wanted: float, users: int, option: str) -> int:
    if isinstance(wanted, int):
        if wanted > users:
            raise UsageError(
                f"dataset '{name}' has {users} users with interactions, fewer than {option} ({wanted})"
            )
        return wanted
    return max(1, int(wanted * users + _EXACT))


def _marks(codes: Int64, n: int) -> Mask:
    marked = np.zeros(n, bool)
    marked[codes] = True
    return marked
