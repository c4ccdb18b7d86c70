"""What is true of a synthetic world, so that the size of an effect is known before it is measured."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64, Ragged

_BLOCK = 2_000_000  # cells of a work matrix: 16 MB


@dataclass(frozen=True, slots=True, kw_only=True)
class WorldTruth:
    """The parameters from which the interactions were drawn, and what follows from them exactly.

    Attributes
    ----------
    taste_start, taste_end
        float64[users, tastes], rows sum to 1: share of each taste at the start of the period, and
        that which has replaced the share ``drift`` of it at the end. Taste 0 is popularity.
    appeal
        float64[tastes, items], rows sum to 1: where a visit goes, given the taste behind it.
    popularity
        float64[items], sums to 1.
    quality
        float64[items]: standard normal; moves ratings, not visits.
    released
        int64[items], Unix seconds.
    visits
        Sorted times (int32, seconds after ``start``) of each user's visits, the fruitless ones included.
    start, end
        The period, Unix seconds.
    """

    taste_start: Float64
    taste_end: Float64
    appeal: Float64
    popularity: Float64
    quality: Float64
    released: Int64
    visits: Ragged
    start: int
    end: int
    drift: float
    noise: float

    def taste(self, users: npt.NDArray[np.integer], time: npt.NDArray[np.integer] | int) -> Float64:
        """Share of each taste in a visit of each user at ``time``: float64[n, tastes]."""
        late = self.drift * (np.asarray(time) - self.start) / (self.end - self.start)
        late = np.broadcast_to(late, len(users))[:, None]
        return (1 - late) * self.taste_start[users] + late * self.taste_end[users]

    def probability(self, users: npt.NDArray[np.integer], time: npt.NDArray[np.integer] | int) -> Float64:
        """Chance that a visit at ``time`` goes to each item: float64[n, items].

        A visit to an item that is not released yet, or that the user has seen, bears no interaction;
        a row sums to less than 1 while items are still to come.
        """
        released = self.released <= np.broadcast_to(np.asarray(time), len(users))[:, None]
        return (self.taste(users, time) @ self.appeal) * released

    def utility(self, users: npt.NDArray[np.integer]) -> Float64:
        """Expected rating before rounding and clipping: float64[n, items]."""
        fit = self.taste(users, (self.start + self.end) // 2) @ self.appeal
        return utility(self.quality, fit / self.popularity)

    def rating_chance(self, users: npt.NDArray[np.integer], at_least: float) -> Float64:
        """Chance that an interaction is rated ``at_least`` so many stars: float64[n, items]."""
        from scipy.special import ndtr

        threshold = np.ceil(at_least)
        if threshold <= 1:
            return np.ones((len(users), len(self.quality)))
        if threshold > 5:
            return np.zeros((len(users), len(self.quality)))
        return ndtr((self.utility(users) - (threshold - 0.5)) / self.noise)

    def relevance(
        self,
        users: npt.NDArray[np.integer],
        since: int,
        *,
        history: Ragged | None = None,
        min_rating: float | None = None,
    ) -> Float64:
        """Chance that each item is in a user's truth under a global temporal split at ``since``.

        Exact, given how often and when the user came: one minus the product over visits since the
        cut of the chance that the visit goes elsewhere; nought for items of the history.

        Parameters
        ----------
        users
            int[n] codes; a few thousand at a time, the result is dense.
        since
            The cut, Unix seconds.
        history
            Item codes that each of the n users has seen before the cut.
        min_rating
            Count only interactions rated at least this.

        Returns
        -------
        float64[n, items]
        """
        items = len(self.popularity)
        result = np.zeros((len(users), items))
        times, owner = self._visits_since(users, since)
        step = max(1, _BLOCK // items)
        for low in range(0, len(times), step):
            part = slice(low, low + step)
            missed = np.log1p(-self.probability(users[owner[part]], times[part]))
            first = np.flatnonzero(np.diff(owner[part], prepend=-1))
            result[owner[part][first]] += np.add.reduceat(missed, first, axis=0)
        result = -np.expm1(result)
        if min_rating is not None:
            result *= self.rating_chance(users, min_rating)
        if history is not None:
            result[np.repeat(np.arange(len(users)), history.lengths), history.values] = 0.0
        return result

    def chance_of_truth(
        self, users: npt.NDArray[np.integer], since: int, *, history: Ragged | None = None
    ) -> Float64:
        """Chance that a user's truth is not empty, all ratings counting: float64[n].

        The expected value of a score over users *with* truth is the unconditional one divided by this,
        for every score that is nought without truth.
        """
        times, owner = self._visits_since(users, since)
        items = len(self.popularity)
        empty = np.zeros(len(users))
        seen = np.zeros((len(users), items), bool)
        if history is not None:
            seen[np.repeat(np.arange(len(users)), history.lengths), history.values] = True
        step = max(1, _BLOCK // items)
        with np.errstate(divide="ignore"):
            for low in range(0, len(times), step):
                part = slice(low, low + step)
                chance = self.probability(users[owner[part]], times[part])
                fruitful = np.where(seen[owner[part]], 0.0, chance).sum(axis=1)
                np.add.at(empty, owner[part], np.log1p(-np.minimum(fruitful, 1.0)))
        return -np.expm1(empty)

    def expected_precision(
        self,
        users: npt.NDArray[np.integer],
        lists: Int32,
        since: int,
        *,
        history: Ragged | None = None,
        min_rating: float | None = None,
    ) -> Float64:
        """Expected hits in each list divided by its width, empty slots (-1) being misses: float64[n].

        ``lists`` is int32[n, k] of item codes without duplicates, fixed before the cut.
        """
        chance = self.relevance(users, since, history=history, min_rating=min_rating)
        hit = np.take_along_axis(chance, np.maximum(lists, 0), axis=1)
        return np.where(lists > PAD, hit, 0.0).mean(axis=1)

    def _visits_since(self, users: npt.NDArray[np.integer], since: int) -> tuple[Int64, Int64]:
        visits = self.visits.take(users.astype(np.int64))
        owner = np.repeat(np.arange(len(users)), visits.lengths)
        times = visits.values.astype(np.int64) + self.start
        late = times >= since
        return times[late], owner[late]


def utility(quality: Float64, lift: Float64) -> Float64:
    """Stars from an item's quality and from how far the user's taste lifts it above its popularity."""
    return 3.4 + 0.5 * quality + 0.4 * np.clip(np.log(lift), -2.0, 2.0)
