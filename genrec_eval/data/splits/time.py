"""Splits by time: one cut for all, and sessions."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Interactions
from genrec_eval.data.splits.base import Parts, stretch
from genrec_eval.data.splits.popular import earliest
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.protocol.arrays import Int64, Ragged, stable_order

_GAP = 1800
_LONGEST = 1 << 29
"""Entries of all histories together; more would take gigabytes."""


def global_cut(name: str, log: Interactions, spec: SplitSpec, users: int) -> Parts:
    """Cut at one moment for all users: no model sees anything later than any test interaction.

    Interactions at the very moment of the cut are all test, so the training may be smaller than the
    fraction that was asked for.
    """
    when = times(name, log, "by time")
    time, edge = _moment_of(name, when, spec)
    train, test = stretch(log, slice(0, edge)), stretch(log, slice(edge, None))
    return Parts(
        train=train,
        test=test,
        case=test.user.astype(np.int64),
        users=np.arange(users, dtype=np.int32),
        history=Ragged.group(train.user, train.item, users),
        cut=np.full(users, time, np.int64),
        facts={"cut": time, "cut_utc": moment(time)},
    )


def sessions(name: str, log: Interactions, spec: SplitSpec, users: int) -> Parts:
    """Interactions of a user without a longer pause than ``gap`` are a session; one case per tested one.

    Without a cut the last session of each user is tested, and users with one session stay in the
    training. With a cut every session that starts later is tested, and those across it are known to
    later cases of the user but not to the training; so are those without an item beyond ``revealed``.
    """
    when = times(name, log, "by time into sessions")
    gap, revealed = spec.gap or _GAP, spec.revealed or 0
    order = stable_order(log.user)
    user, at = log.user[order], when[order]
    begins = np.append(True, (user[1:] != user[:-1]) | (at[1:] - at[:-1] > gap))
    starts = np.flatnonzero(begins)
    lengths = np.diff(np.append(starts, len(user)))
    owner, start = user[starts], at[starts]
    end = at[starts + lengths - 1]
    first_of_user = np.append(True, owner[1:] != owner[:-1])
    facts: dict[str, Any] = {"gap_seconds": gap, "sessions": len(starts), "revealed": revealed}
    facts["context"] = spec.context or "user"

    if spec.fraction is not None or spec.time is not None:
        cut, _ = _moment_of(name, when, spec)
        tested = (start >= cut) & (lengths > revealed)
        trained = end < cut
        facts |= {
            "cut": cut,
            "cut_utc": moment(cut),
            "sessions_too_short": int(np.count_nonzero((start >= cut) & (lengths <= revealed))),
            "sessions_across_cut": int(np.count_nonzero((start < cut) & (end >= cut))),
        }
        left_out = {}
    else:
        last = np.append(first_of_user[1:], True)
        tested = last & ~first_of_user & (lengths > revealed)
        trained = ~tested
        single = np.zeros(users, bool)
        single[owner[last & first_of_user]] = True
        short = np.zeros(users, bool)
        short[owner[last & ~first_of_user & (lengths <= revealed)]] = True
        left_out = {"one-session": single, "short-session": short}
    if not tested.any():
        raise UsageError(
            f"dataset '{name}' has no session to test among {len(starts)} sessions with pauses of more than"
            f" {gap} seconds; set a smaller gap, fewer revealed items or another cut"
        )
    facts["sessions_tested"] = int(np.count_nonzero(tested))

    # all arrays below are in the order of users, and of time within a user
    within = np.arange(len(user)) - np.repeat(starts, lengths)
    target = np.repeat(tested, lengths) & (within >= revealed)
    number = np.cumsum(tested) - 1
    case = np.empty(len(user), np.int64)
    case[order] = np.where(target, np.repeat(number, lengths), -1)
    train = np.empty(len(user), bool)
    train[order] = np.repeat(trained, lengths)

    chosen = np.flatnonzero(tested)
    until = starts[chosen] + revealed
    since = starts[chosen]
    if spec.context != "session":
        since = starts[np.maximum.accumulate(np.where(first_of_user, np.arange(len(starts)), 0))[chosen]]
    history = _ranges(name, log.item[order], since, until)
    of = case[case >= 0]
    test = log.where(case >= 0)
    return Parts(
        train=log.where(train),
        test=test,
        case=of,
        users=owner[chosen].astype(np.int32),
        history=history,
        history_only=len(log) - int(np.count_nonzero(train)) - len(test),
        left_out=left_out,
        cut=earliest(of, times(name, test, ""), len(chosen)),
        facts=facts,
    )


def _ranges(name: str, values: Any, since: Int64, until: Int64) -> Ragged:
    sizes = until - since
    offsets = np.append(0, np.cumsum(sizes)).astype(np.int64)
    if offsets[-1] > _LONGEST:
        raise UsageError(
            f"the histories of the {len(sizes)} tested sessions of dataset '{name}' hold {offsets[-1]} items"
            " together, too many to keep; set context: session with revealed: 1, or a later cut"
        )
    return Ragged(offsets, values[np.repeat(since - offsets[:-1], sizes) + np.arange(offsets[-1])])


def times(name: str, log: Interactions, what: str) -> Int64:
    """The timestamps; a sentence when there are none."""
    if log.timestamp is None:
        raise UsageError(
            f"dataset '{name}' has no timestamps, so it cannot be split {what};"
            " name the column that holds them"
        )
    return log.timestamp


def _moment_of(name: str, when: Int64, spec: SplitSpec) -> tuple[int, int]:
    """The cut, and the first row of the test."""
    time = spec.cut
    if time is None:
        share = 0.8 if spec.fraction is None else spec.fraction
        time = int(when[min(int(share * len(when)), len(when) - 1)])
    edge = int(np.searchsorted(when, time, side="left"))
    span = f"its interactions are from {moment(int(when[0]))} to {moment(int(when[-1]))}"
    if edge == 0:
        raise UsageError(
            f"the training side of the split of dataset '{name}' at {moment(time)} is empty ({span});"
            " choose a later cut or a larger fraction"
        )
    if edge == len(when):
        raise UsageError(
            f"the test side of the split of dataset '{name}' at {moment(time)} is empty ({span});"
            " choose an earlier cut"
        )
    return time, edge


def moment(seconds: int) -> str:
    """Unix seconds as a date with time, where the calendar has one.

    >>> moment(0)
    '1970-01-01T00:00:00Z'
    """
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
