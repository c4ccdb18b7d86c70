"""What a split is, and what each method hands over to make one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

from genrec_eval.data.dataset import Dataset, Interactions, Training
from genrec_eval.data.splits.popular import earliest, latest
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged

Mask = npt.NDArray[np.bool_]

TRAIN, TEST, KNOWN, DROPPED = range(4)
"""Role of an interaction; ``KNOWN`` ones are in a case's history and not in the training."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Split:
    """A dataset cut in two.

    Attributes
    ----------
    dataset
        What was cut: the data set itself, or after a k-core what is left of its catalogue.
    training
        What models may learn from; its codes are those of ``dataset``, and items that only come up
        later stay in the catalogue.
    users
        int32[n], the user of each case. One case per user in ascending order, except for splits into
        sessions or given cases, where a user may have several.
    truth
        Relevant items of each case, never none: distinct, in the order in which they came up, and none
        from the case's history unless the split keeps repeats.
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
        int64[n], Unix seconds from which on each case lies in the future: the moment of a global cut,
        else the case's first test interaction; None without timestamps.
    facts
        What the split did, in counts: ``train``, ``test``, ``history_only`` and ``dropped`` (by reason)
        add up to ``interactions``; ``excluded_users`` (by reason), ``cold_items``,
        ``leaked_interactions`` and other measures of leakage, ``repeats_dropped``, ...
    """

    dataset: Dataset
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a method made of the interactions: m possible cases, some of which may lack truth.

    Attributes
    ----------
    train, test
        Interactions of the two sides.
    case
        int64[test], the case of each test interaction.
    users
        int32[m], the user of each case.
    history
        Items known to each of the m cases.
    history_only
        Interactions that are in histories and on neither side.
    dropped
        Interactions that are used nowhere, by reason.
    left_out
        bool[users of the dataset], by reason: users for whom the method makes no case.
    cut
        int64[m], see :class:`Split`.
    time
        Counts of cases whose history ends at, or goes on after, their first test interaction.
    facts
        What is peculiar to the method.
    """

    train: Interactions
    test: Interactions
    case: Int64
    users: Int32
    history: Ragged
    history_only: int = 0
    dropped: Mapping[str, int] = field(default_factory=dict)
    left_out: Mapping[str, Mask] = field(default_factory=dict)
    candidates: Ragged | None = None
    cut: Int64 | None = None
    time: Mapping[str, Mask] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)


def by_role(
    interactions: Interactions,
    role: npt.NDArray[np.uint8],
    users: int,
    *,
    dropped: Mapping[str, int] | None = None,
    left_out: Mapping[str, Mask] | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Parts:
    """One possible case per user, from the role of each interaction."""
    train, test = interactions.where(role == TRAIN), interactions.where(role == TEST)
    known = role == KNOWN
    only = int(np.count_nonzero(known))
    known |= role == TRAIN
    user, item = interactions.user[known], interactions.item[known]
    cut, time = None, {}
    if interactions.timestamp is not None:
        cut = earliest(test.user, _times(test), users)
        last = latest(user, interactions.timestamp[known], users)
        time = {"history_ends_at_test": last == cut, "history_after_test": last > cut}
    return Parts(
        train=train,
        test=test,
        case=test.user.astype(np.int64),
        users=np.arange(users, dtype=np.int32),
        history=Ragged.group(user, item, users),
        history_only=only,
        dropped=dropped or {},
        left_out=left_out or {},
        cut=cut,
        time=time,
        facts=facts or {},
    )


def stretch(interactions: Interactions, rows: slice) -> Interactions:
    """A stretch of the interactions, as views."""
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
