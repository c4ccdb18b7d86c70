"""Splits into what a model may learn from and what it is asked to foresee."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Literal

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import digest
from genrec_eval.data.dataset import Dataset, Interactions, Training
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A dataset cut in two.

    Attributes
    ----------
    training
        What models may learn from; its codes are those of the dataset, and items that only come up
        later stay in the catalogue.
    users
        int32[n], the user of each case. One case per user in ascending order, except for splits into
        sessions or given cases, where a user may have several.
    truth
        Relevant items of each case, never none: distinct, none from the case's history, in the order in
        which they came up.
    history
        Items that the user is known to have had before, oldest first.
    held_out
        The test interactions: what leakage audits look at and what a planted leak may learn from.
    grades
        float64, parallel to ``truth.values``: the ratings; None where there are none.
    rejected
        Test items of each case that were rated below ``min_rating``; None where that is not known.
    candidates
        What each case chooses from; None for the whole catalogue.
    cut
        int64[n], Unix seconds from which on each case lies in the future; None without timestamps.
    facts
        What the split did, in counts: ``cut``, ``train``, ``test``, ``excluded_users`` (by reason),
        ``cold_items``, ``leaked_interactions`` (0), ``repeats_dropped``, ...
    """

    training: Training
    users: Int32
    truth: Ragged
    history: Ragged
    held_out: Interactions
    grades: Float64 | None = None
    rejected: Ragged | None = None
    candidates: Ragged | None = None
    cut: Int64 | None = None
    facts: Mapping[str, Any] = field(default_factory=dict)


def global_temporal(
    dataset: Dataset,
    *,
    fraction: float | None = None,
    time: int | None = None,
    min_rating: float | None = None,
    cold_users: Literal["include", "exclude"] = "include",
    seed: int = 0,
) -> Split:
    """Cut at one moment for all users: no model sees anything later than any test interaction.

    Parameters
    ----------
    dataset
        Must have timestamps.
    fraction
        Share of interactions before the cut. Interactions at the very moment of the cut are all test,
        so the training may be smaller.
    time
        The cut in Unix seconds, instead of ``fraction``.
    min_rating
        Only test interactions rated at least this count as relevant; the training keeps all.
    cold_users
        Whether users without training interactions are evaluated, with an empty history.
    seed
        Handed on to the models by way of the training.

    Raises
    ------
    UsageError
        When there are no timestamps, a side is empty, or no user is left to evaluate.

    Notes
    -----
    A user is excluded for the first of these reasons that holds: ``no-test`` (no interaction after the
    cut), ``no-truth`` (none of them relevant and new to the user), ``cold`` (no training interaction).
    """
    if (fraction is None) == (time is None):
        raise UsageError("a global temporal split takes either fraction or time")
    when = dataset.interactions.timestamp
    if when is None:
        raise UsageError(
            f"dataset '{dataset.name}' has no timestamps, so it cannot be split by time;"
            " name the column that holds them"
        )
    if len(when) == 0:
        raise UsageError(f"dataset '{dataset.name}' has no interactions to split")
    if time is None:
        assert fraction is not None
        time = int(when[min(int(fraction * len(when)), len(when) - 1)])
    edge = int(np.searchsorted(when, time, side="left"))
    _refuse_empty_side(dataset.name, when, time, edge)

    train = _part(dataset.interactions, slice(0, edge))
    test = _part(dataset.interactions, slice(edge, None))
    truth, repeats = _truth(dataset, train, test, min_rating)
    trained = np.bincount(train.user, minlength=len(dataset.users)) > 0
    tested = np.bincount(test.user, minlength=len(dataset.users)) > 0
    has_truth = truth.lengths > 0
    chosen = has_truth if cold_users == "include" else has_truth & trained
    users = np.flatnonzero(chosen)
    if len(users) == 0:
        raise UsageError(_nobody(dataset.name, min_rating, int((has_truth & ~trained).sum())))

    training = Training(
        dataset=dataset.name,
        users=dataset.users,
        items=dataset.items,
        interactions=train,
        item_table=dataset.item_table,
        user_table=dataset.user_table,
        seed=seed,
        digest=digest({"dataset": dataset.digest, "split": {"method": "global-temporal", "cut": time}}),
    )
    known = np.bincount(train.item, minlength=len(dataset.items)) > 0
    test_items = np.bincount(test.item, minlength=len(dataset.items)) > 0
    facts = {
        "method": "global-temporal",
        "cut": time,
        "cut_utc": _moment(time),
        "train": len(train),
        "test": len(test),
        "train_share": len(train) / len(when),
        "min_rating": min_rating,
        "cold_users": cold_users,
        "users_evaluated": len(users),
        "users_evaluated_cold": int((chosen & ~trained).sum()),
        "excluded_users": {
            "no-test": int((~tested).sum()),
            "no-truth": int((tested & ~has_truth).sum()),
            "cold": int((has_truth & ~chosen).sum()),
        },
        "truth_pairs": int(truth.lengths[users].sum()),
        "repeats_dropped": repeats,
        "cold_items": int((test_items & ~known).sum()),
        "cold_item_share": float((test_items & ~known).sum() / test_items.sum()),
        "cold_item_interaction_share": float((~known[test.item]).mean()),
        # measured on the parts themselves rather than assumed
        "leaked_interactions": int(np.count_nonzero(_times(test) < time)),
    }
    return Split(
        training=training,
        users=users.astype(np.int32),
        truth=truth.take(users),
        history=training.histories().take(users),
        held_out=test,
        cut=np.full(len(users), time, np.int64),
        facts=facts,
    )


def _part(interactions: Interactions, rows: slice) -> Interactions:
    """A stretch of time, as views."""
    rating, timestamp = interactions.rating, interactions.timestamp
    return Interactions(
        user=interactions.user[rows],
        item=interactions.item[rows],
        rating=None if rating is None else rating[rows],
        timestamp=None if timestamp is None else timestamp[rows],
    )


def _times(interactions: Interactions) -> Int64:
    assert interactions.timestamp is not None
    return interactions.timestamp


def _truth(
    dataset: Dataset, train: Interactions, test: Interactions, min_rating: float | None
) -> tuple[Ragged, int]:
    """Relevant new items of every user, and how many relevant pairs were not new."""
    user, item = test.user, test.item
    if min_rating is not None:
        if test.rating is None:
            raise UsageError(
                f"dataset '{dataset.name}' has no ratings, so min_rating cannot be applied; leave it out"
            )
        good = test.rating >= min_rating
        user, item = user[good], item[good]
    width = np.int64(len(dataset.items))
    pairs, first = np.unique(user * width + item, return_index=True)
    seen = np.sort(train.user * width + train.item)
    place = np.minimum(np.searchsorted(seen, pairs), len(seen) - 1)
    new = seen[place] != pairs
    first = np.sort(first[new])
    return Ragged.group(user[first], item[first], len(dataset.users)), int((~new).sum())


def _refuse_empty_side(name: str, when: Int64, time: int, edge: int) -> None:
    span = f"its interactions are from {_moment(int(when[0]))} to {_moment(int(when[-1]))}"
    if edge == 0:
        raise UsageError(
            f"the training side of the split of dataset '{name}' at {_moment(time)} is empty ({span});"
            " choose a later cut or a larger fraction"
        )
    if edge == len(when):
        raise UsageError(
            f"the test side of the split of dataset '{name}' at {_moment(time)} is empty ({span});"
            " choose an earlier cut"
        )


def _nobody(name: str, min_rating: float | None, cold: int) -> str:
    if cold:
        return (
            f"the test side of the split of dataset '{name}' holds only users without training"
            " interactions; choose a later cut or set cold_users to include"
        )
    rated = "" if min_rating is None else f" rated at least {min_rating:g}"
    advice = "choose an earlier cut" if min_rating is None else "lower min_rating or choose an earlier cut"
    return f"no user of dataset '{name}' has a new item{rated} after the cut; {advice}"


def _moment(seconds: int) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return str(seconds)
