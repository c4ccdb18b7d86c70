"""Lists of users of several groups, drawn or by hand."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.answers import Answers
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.grouped.by_group import GroupedUnits, base_of
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.protocol.status import CODES
from genrec_eval.stats.intervals import Interval, intervals

ITEMS, WIDTH = 40, 5


def drawn(
    n: int, seed: int, chances: tuple[float, ...] = (0.3, 0.3, 0.3), unknown: float = 0.0
) -> RankedLists:
    """Every user has one relevant item and gets it with the chance of the group, named A, B, C, ..."""
    rng = np.random.default_rng(seed)
    codes = rng.integers(0, len(chances), n).astype(np.int32)
    items = np.argsort(rng.random((n, ITEMS)), axis=1)[:, : WIDTH + 1].astype(np.int32)
    truth = items[:, WIDTH].copy()
    hit = rng.random(n) < np.array(chances)[codes]
    items[np.flatnonzero(hit), rng.integers(0, WIDTH, hit.sum())] = truth[hit]
    codes = np.where(rng.random(n) < unknown, -1, codes).astype(np.int32)
    names = tuple("ABCDEFGH"[: len(chances)])
    return listed(items[:, :WIDTH], Ragged.from_lists([[int(item)] for item in truth]), codes, names)


def listed(items: Any, truth: Ragged, codes: Any, names: tuple[str, ...], **more: Any) -> RankedLists:
    """The arrays that metrics take; half of the items are of provider Acme, every third is a Comedy."""
    n = len(items)
    comedies = [[0] if item % 3 == 0 else [1] for item in range(ITEMS)]
    facts: dict[str, Any] = {
        "items": np.asarray(items, np.int32),
        "truth": truth,
        "history": Ragged.from_lists([[(row * 7 + 3) % ITEMS] for row in range(n)]),
        "answered": np.ones(n, bool),
        "catalogue": Catalogue(
            train_counts=np.arange(ITEMS, 0, -1),
            attributes=Ragged.from_lists(comedies),
            attribute_names=("Comedy", "Drama"),
        ),
        "groups": {"by": GroupCodes(np.asarray(codes, np.int32), names)},
    }
    return RankedLists(**{**facts, **more})


def grouped(metric: Metric, lists: RankedLists) -> UnitScores:
    """Scores of a metric of groups, made of those of its base as a run makes them."""
    base = base_of(metric)
    assert base is not None
    return metric(
        GroupedUnits(base(answers(len(lists)) if base.definition.on == "answers" else lists), lists.groups)
    )


def answers(n: int, units: Any = None, statuses: Any = None, seconds: Any = None) -> Answers:
    """Exchanges about n units, one each and all answered unless told otherwise."""
    units = np.arange(n) if units is None else np.asarray(units)
    codes = np.zeros(len(units), np.int64) if statuses is None else [CODES.index(one) for one in statuses]
    times = np.full(len(units), np.nan) if seconds is None else np.asarray(seconds, float)
    return Answers(units=units, statuses=np.asarray(codes, np.int64), seconds=times, n=n)


def estimate(metric: Metric, scores: UnitScores, seed: int = 1) -> Interval:
    return intervals([metric.sample(scores)], seed=seed)[0]
