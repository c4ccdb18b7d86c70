"""How unequally a run's lists spread over the catalogue: Gini index and entropy."""

from __future__ import annotations

from math import e

import numpy as np

from genrec_eval.metrics.base import Accumulator, Definition, UnitScores, define
from genrec_eval.metrics.listings import Listings, without_each
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Float64, Int64

_DEGENERATE = (
    "Unknown ids do not count; a repeated item counts in each of its slots. Users without an answer add"
    " nothing. When no list holds a catalogue item, all users are excluded (no-valid-item); the run without"
    " the only user who lists any counts as 0."
)


def nobody(users: int) -> UnitScores:
    """Scores of a run whose lists hold nothing."""
    return UnitScores(values=np.zeros(users), reasons={"no-valid-item": np.ones(users, bool)}, total=0.0)


@define(
    Definition(
        name="gini",
        title="Gini",
        summary="How unequally often the run lists the catalogue items: 0 for all alike, 1 for one alone.",
        formula=(
            "sum over items, by count x ascending, of (2 i - n - 1) x_i / (n · sum x), with the items that no"
            " list holds in; divisor=n-1: / ((n - 1) · sum x), which lets one item alone reach 1"
        ),
        degenerate=_DEGENERATE,
        source="Gini 1912; RecBole GiniIndex and LensKit; divisor=n-1 is 1 minus Elliot's.",
        direction="none",
        traps=(
            "Elliot's is high where lists are equal. Without the items that no list holds it says little."
            " Depends on the number of slots: compare runs over the same users and k only."
        ),
        parameters={"divisor": ("n", ("n", "n-1"))},
        meanings={"divisor": "n-1 lets one item alone reach 1 in a catalogue of n"},
    )
)
class Gini(Accumulator):
    """Gini index of the listings; a user's score is what the index loses without that user.

    Notes
    -----
    With items ordered by count, ``sum i · x_i`` equals the sum over levels v >= 1 of
    ``M_v · n - M_v (M_v - 1) / 2``, where M_v items are listed at least v times. Taking a slot out moves
    one item from level v to v - 1, that is, M_v down by one; d slots of one level take
    ``d (n - M_v) + d (d + 1) / 2``. So every leave-one-out value is exact, in whole numbers.
    """

    def __init__(self, *, k: int, divisor: str) -> None:
        self.k = k
        self.less = divisor == "n-1"
        self.listings = Listings(k)

    def update(self, lists: RankedLists) -> None:
        """Keep the codes."""
        self.listings.add(lists)

    def finish(self) -> UnitScores:
        """Gini of the run, and what it would lose without each user."""
        users, n = self.listings.users, self.listings.n_items
        counts = self.listings.counts()
        slots = int(counts.sum())
        if slots == 0:
            return nobody(users)
        ordered = np.sort(counts)
        moment = int((np.arange(1, n + 1) * ordered).sum())
        total = float(self._index(np.array(moment), np.array(slots)))
        fewer = np.append(np.searchsorted(ordered, counts), 0)  # items listed less often than each
        losses = np.zeros(users)
        for taken in self.listings.each():
            levels = without_each(taken, counts)
            below = fewer[taken.items]  # n - M_v at the level of each slot
            below[taken.rows, taken.ranks] = np.searchsorted(ordered, levels[taken.rows, taken.ranks])
            inside = levels > 0
            lost = np.where(inside, below, 0).sum(axis=1) + _within(levels)
            left = slots - np.count_nonzero(inside, axis=1)
            losses[taken.users] = total - self._index(moment - lost, left)
        return UnitScores(
            values=losses,
            total=total,
            # two distributions of which a share t was exchanged differ by 2 t in sum, and so at most in Gini
            reach=min(1.0, 2 * self.k / slots),
        )

    def _index(self, moment: Int64, slots: Int64) -> Float64:
        n = self.listings.n_items
        some = np.maximum(slots, 1)
        index = np.where(slots > 0, (2 * moment / some - (n + 1)) / n, 0.0)
        return index * n / max(n - 1, 1) if self.less else index


def _within(levels: Int64) -> Int64:
    """int64[m], sum over the levels of each row of d (d + 1) / 2, where d slots are at the level."""
    levels = np.sort(levels, axis=1)
    place = np.arange(levels.shape[1])
    start = np.maximum.accumulate(np.where(np.diff(levels, axis=1, prepend=-1) != 0, place, 0), axis=1)
    return np.where(levels > 0, place - start + 1, 0).sum(axis=1)


@define(
    Definition(
        name="entropy",
        title="Entropy",
        summary="Shannon entropy of the items that the run lists: high when the lists spread evenly.",
        formula=(
            "-sum over items of p log p, p = slots that hold the item / slots that hold a catalogue item;"
            " base=2 in bits, base=e in nats, base=items relative to an even spread over the catalogue"
        ),
        degenerate=_DEGENERATE,
        source="Shannon 1948; distributional coverage of recommenders (base=2).",
        direction="none",
        bounds=(0.0, None),
        traps=(
            "RecBole's ShannonEntropy also divides by the number of distinct items listed, Elliot's by the"
            " number of users. Grows with the number of users: compare runs over the same users only."
        ),
        parameters={"base": ("2", ("2", "e", "items"))},
        meanings={"base": "of the logarithm; items takes the size of the catalogue, so that 1 is even"},
    )
)
class Entropy(Accumulator):
    """Entropy of the listings; a user's score is what it loses without that user."""

    def __init__(self, *, k: int, base: str) -> None:
        self.k = k
        self.base = base
        self.listings = Listings(k)

    def update(self, lists: RankedLists) -> None:
        """Keep the codes."""
        self.listings.add(lists)

    def finish(self) -> UnitScores:
        """Entropy of the run, and what it would lose without each user."""
        users, n = self.listings.users, self.listings.n_items
        values, losses = entropies(self.listings, np.zeros(users, np.int64), 1)
        if np.isnan(values[0]):
            return nobody(users)
        unit = np.log({"2": 2.0, "e": e, "items": float(max(n, 2))}[self.base])
        slots = int(self.listings.counts().sum())
        return UnitScores(
            values=losses / unit,
            total=float(values[0] / unit),
            reach=float(entropy_reach(self.k, slots, n) / unit),
        )


def entropies(listings: Listings, group: Int64, groups: int) -> tuple[Float64, Float64]:
    """Entropy in nats of what each group of users is shown, and what that of a user's own group loses.

    Parameters
    ----------
    group
        int64[users] in 0..groups-1; -1 for users in none.

    Returns
    -------
    float64[groups], float64[users]
        NaN for a group to which no catalogue item is shown; 0 for users in no group.
    """
    counts = listings.counts(group, groups)
    slots = counts.reshape(groups, -1).sum(axis=1)
    weights = _x_log_x(counts).reshape(groups, -1).sum(axis=1)
    values = np.where(slots > 0, _entropy(weights, slots), np.nan)
    losses = np.zeros(listings.users)
    for taken in listings.each():
        of = group[taken.users]
        codes = np.where(taken.items >= 0, taken.items + of[:, None] * listings.n_items, -1)
        codes[of < 0] = -1
        steps = without_each(taken, counts, codes)
        steps[codes < 0] = 0
        lost = (_x_log_x(steps) - _x_log_x(np.maximum(steps - 1, 0))).sum(axis=1)
        some = np.count_nonzero(steps, axis=1)
        left = slots[of] - some
        alone = np.where(left > 0, _entropy(weights[of] - lost, left), 0.0)
        losses[taken.users] = np.where(some > 0, values[of] - alone, 0.0)
    return values, losses


def _x_log_x(counts: Int64) -> Float64:
    return counts.astype(np.float64) * np.log(np.maximum(counts, 1))


def _entropy(weights: Float64, slots: Int64) -> Float64:
    some = np.maximum(slots, 1)
    return np.maximum(np.log(some) - weights / some, 0.0)


def entropy_reach(k: int, slots: int, n_items: int) -> float:
    """The most that exchanging k of the slots can change an entropy, in nats (Fannes-Audenaert bound)."""
    share = min(k / max(slots, 1), 1 - 1 / max(n_items, 1))
    spread = share * np.log(max(n_items - 1, 1))
    inner = sum(-p * np.log(p) for p in (share, 1 - share) if p > 0)
    return float(min(spread + inner, np.log(max(n_items, 1))))
