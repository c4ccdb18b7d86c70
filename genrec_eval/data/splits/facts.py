"""What a split did, in counts: sizes, who was left out, and how much of the future is in the training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.data.splits.base import Mask, Parts
from genrec_eval.data.splits.popular import first_seen
from genrec_eval.protocol.arrays import Int32, Int64, Ragged


def excluded(
    of: Int32, left_out: Mapping[str, Mask], reasons: Mapping[str, Mask], users: int
) -> tuple[Mask, dict[str, int], dict[str, int]]:
    """Which of the m possible cases are kept, and how many users and cases are not, by reason.

    ``of`` is the user of each case, ``left_out`` are bool[users] and ``reasons`` bool[m]; the first that
    holds is counted. A user is excluded when none of its cases is kept.
    """
    free = np.ones(len(of), bool)
    of_case = {}
    marked = {}
    for reason, mask in reasons.items():
        hit = mask & free
        of_case[reason] = int(np.count_nonzero(hit))
        free &= ~hit
        marked[reason] = hit
    open_users = np.ones(users, bool)
    open_users[of[free]] = False
    of_user = {}
    for reason, out in left_out.items():
        hit_users = out & open_users
        of_user[reason] = int(np.count_nonzero(hit_users))
        open_users &= ~hit_users
    for reason, hit in marked.items():
        if reason == "no-test":
            continue
        hit_users = np.zeros(users, bool)
        hit_users[of[hit]] = True
        hit_users &= open_users
        of_user[reason] = int(np.count_nonzero(hit_users))
        open_users &= ~hit_users
    return free, {"no-test": int(np.count_nonzero(open_users)), **of_user}, of_case


def leakage(parts: Parts, truth: Ragged, cut: Int64 | None, rows: Int64, items: int) -> dict[str, Any]:
    """How much of the future the training and the histories hold, measured on the parts themselves.

    ``truth`` and ``cut`` are those of the cases that are kept, ``rows`` their places among all. The
    figures are None without times.

    Returns
    -------
    dict
        ``leaked_interactions``: training interactions later than the earliest test interaction;
        ``training_after_cut_share``: share of the training that is later than a case's cut, mean over
        cases; ``future_targets``: targets whose item enters the training after the cut only;
        ``cases_with_later_history``: cases whose history goes on after their first test interaction;
        ``cases_tied_with_history``: cases whose history ends at the very moment of their first test
        interaction, so that the order of the rows decides which is which.
    """
    trained, tested = parts.train.timestamp, parts.test.timestamp
    names = ("leaked_interactions", "training_after_cut_share", "future_targets", "future_target_share")
    if cut is None or trained is None:
        return dict.fromkeys(names)
    start = cut if tested is None or not len(tested) else tested
    leaked = len(trained) - int(np.searchsorted(trained, start.min(), side="right"))
    moments, cases = np.unique(cut, return_counts=True)
    later = len(trained) - np.searchsorted(trained, moments, side="right")
    since = first_seen(parts.train, items)
    assert since is not None
    first = since[truth.values]
    known = np.bincount(parts.train.item, minlength=items)[truth.values] > 0
    future = int(np.count_nonzero(known & (first > np.repeat(cut, truth.lengths))))
    found: dict[str, Any] = dict(
        zip(
            names,
            (
                leaked,
                float((later * cases).sum() / max(1, len(trained)) / cases.sum()),
                future,
                future / max(1, len(truth.values)),
            ),
            strict=True,
        )
    )
    if parts.time:
        found["cases_with_later_history"] = int(np.count_nonzero(parts.time["history_after_test"][rows]))
        found["cases_tied_with_history"] = int(np.count_nonzero(parts.time["history_ends_at_test"][rows]))
    return found
