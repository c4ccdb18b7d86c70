"""How the spread of what is listed changes over time."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Accumulator, Definition, UnitScores, define
from genrec_eval.metrics.concentration import entropies, entropy_reach
from genrec_eval.metrics.listings import Listings
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import required
from genrec_eval.protocol.arrays import Float64, Int64


@define(
    Definition(
        name="entropy_over_time",
        title="Entropy over time",
        summary="By how many bits the entropy of the listed items changes from the first lists to the last.",
        formula=(
            "lists are put in order of the moment they were made for and cut into periods of equally many"
            " lists, those of one moment together (by the middle of their places); H = entropy in bits of"
            " the items that a period's lists hold; the value is the rise of the least-squares line through"
            " H from the first period to the last: with two periods their difference"
        ),
        degenerate=(
            "Users without an answer or with unknown ids only (no-valid-item) are in no period. When fewer"
            " than two periods hold lists, as when all lists were made for one moment, all users are"
            " excluded (one-period)."
        ),
        source=(
            "This project, after the entropy per round in studies of feedback loops (Chaney et al. 2018);"
            " equal periods because entropy grows with the number of lists."
        ),
        direction="none",
        bounds=(None, None),
        unit="bits",
        traps=(
            "Different users live in different periods, and periods differ in what there was to recommend:"
            " read it beside that of another model on the same lists. Losses keep the periods of the run."
        ),
        parameters={"periods": (2, tuple(range(2, 13)))},
        meanings={"periods": "how many periods of equally many lists the run is cut into"},
        needs=("cut",),
    )
)
class EntropyOverTime(Accumulator):
    """Trend of entropy over periods; a user's score is what the trend loses without that user."""

    def __init__(self, *, k: int, periods: int) -> None:
        self.k = k
        self.periods = periods
        self.listings = Listings(k)
        self.moments: list[Int64] = []

    def update(self, lists: RankedLists) -> None:
        """Keep codes and moments."""
        moments = required(lists.cut, "cut", "entropy_over_time")
        shown = (
            ((lists.items[:, : self.k] >= 0).any(axis=1)) if lists.items.size else np.zeros(len(lists), bool)
        )
        self.moments.append(np.where(shown, moments, np.iinfo(np.int64).min))
        self.listings.add(lists)

    def finish(self) -> UnitScores:
        """Rise of the entropy over the run, and what it would lose without each user."""
        moments = np.concatenate([np.empty(0, np.int64), *self.moments])
        shown = moments != np.iinfo(np.int64).min
        period = np.full(len(moments), -1, np.int64)
        period[shown] = _periods(moments[shown], self.periods)
        nothing = {"no-valid-item": ~shown}
        held = np.unique(period[shown])
        if len(held) < 2:
            return UnitScores(
                values=np.zeros(len(moments)), reasons={**nothing, "one-period": shown}, total=0.0
            )
        values, losses = entropies(self.listings, period, self.periods)
        slopes = np.zeros(self.periods)
        slopes[held] = _rise(held)
        sizes = self.listings.counts(period, self.periods).reshape(self.periods, -1).sum(axis=1)[held]
        reach = entropy_reach(self.k, int(sizes.min()), self.listings.n_items)
        return UnitScores(
            values=slopes[period] * losses / np.log(2),
            reasons=nothing,
            total=float((slopes[held] * values[held]).sum() / np.log(2)),
            reach=float(np.abs(slopes).max() * reach / np.log(2)),
        )


def _periods(moments: Int64, periods: int) -> Int64:
    """Period of each list; lists of one moment share one.

    >>> _periods(np.array([30, 10, 20, 10]), 2)
    array([1, 0, 1, 0])
    """
    distinct, of, counts = np.unique(moments, return_inverse=True, return_counts=True)
    middle = np.cumsum(counts) - counts / 2
    return (middle * periods / max(len(moments), 1)).astype(np.int64)[of] if len(distinct) else of


def _rise(periods: Int64) -> Float64:
    """Weights whose sum with the values at ``periods`` is the rise of their least-squares line.

    >>> _rise(np.array([0, 1]))
    array([-1.,  1.])
    """
    centred = periods - periods.mean()
    return centred * (periods[-1] - periods[0]) / (centred * centred).sum()
