"""How popular the listed items are: mean count, lift over the history, long tail, novelty."""

from __future__ import annotations

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import OF_ITEMS, mean_of_items, owners, required
from genrec_eval.protocol.arrays import Float64, Int64


@define(
    Definition(
        name="popularity",
        title="Popularity",
        summary="Mean number of training interactions of the listed items (ARP).",
        formula=(
            "mean of the training count over the first k slots that hold a catalogue item;"
            " scale=share: counts divided by all training interactions"
        ),
        degenerate=f"{OF_ITEMS} An item never seen in training counts 0.",
        source="Yin et al. 2012; average recommendation popularity of RecBole, Elliot and RecTools.",
        traps="LensKit's mean popularity rank is another metric: a percentile, 1 for the most popular.",
        direction="none",
        bounds=(0.0, None),
        parameters={"scale": ("count", ("count", "share"))},
        meanings={"scale": "share divides the counts by all training interactions"},
    )
)
def popularity(lists: RankedLists, *, k: int, scale: str) -> UnitScores:
    """Mean training count of the first ``k``."""
    counts = lists.train_counts.astype(np.float64)
    return mean_of_items(lists, k, counts / max(counts.sum(), 1.0) if scale == "share" else counts)


@define(
    Definition(
        name="popularity_lift",
        title="Popularity lift",
        summary="By how much the listed items are more popular than those that users had before.",
        formula=(
            "(sum over users of the list's mean training count - of the history's) / (sum of the history's);"
            " a user's value is list / history - 1 and weighs as much as the history's mean count"
        ),
        degenerate=(
            f"{OF_ITEMS} A user whose history holds no item seen in training (no-history) is excluded and"
            " counted."
        ),
        source="Abdollahpouri et al. 2020 (popularity lift: relative change of group average popularity).",
        direction="none",
        bounds=(-1.0, None),
        traps="It is a ratio of means over users; the plain mean of users' ratios is larger.",
    )
)
def popularity_lift(lists: RankedLists, *, k: int) -> UnitScores:
    """Popularity of the list relative to that of the history."""
    counts = np.append(lists.train_counts, 0).astype(np.float64)
    known = lists.history.values >= 0
    rows = owners(lists.history)[known]
    total = np.bincount(rows, weights=counts[lists.history.values[known]], minlength=len(lists))
    before = total / np.maximum(np.bincount(rows, minlength=len(lists)), 1)
    listed = mean_of_items(lists, k, counts[:-1], also={"no-history": before == 0})
    values = np.divide(listed.values, before, out=np.ones(len(lists)), where=before > 0) - 1
    return UnitScores(values=values, reasons=listed.reasons, weights=before)


@define(
    Definition(
        name="long_tail",
        title="Long tail",
        summary="Share of the listed items that come from the long tail of the catalogue.",
        formula=(
            "mean over the first k slots that hold a catalogue item of [item in the tail]; by=interactions:"
            " the tail is what remains below the most popular items that together hold at least 1 - share"
            " of the training interactions; by=items: the floor(share · n) least popular of n items, at"
            " least one. Of items tied at the border each counts with the share of them that belongs there"
        ),
        degenerate=f"{OF_ITEMS} Items never seen in training belong to the tail.",
        source=(
            "by=interactions as Elliot's APLT (short head of 80 %, after Abdollahpouri et al. 2019);"
            " long_tail(by=items,share=0.1) is RecBole's TailPercentage."
        ),
        traps=(
            "RecBole ranks only items seen in training, and items without any count as head there. Libraries"
            " break ties at the border by the order of ids."
        ),
        direction="none",
        unit="share",
        parameters={
            "by": ("interactions", ("interactions", "items")),
            "share": (0.2, (0.01, 0.05, 0.1, 0.2, 0.3, 0.5, 0.8, 0.9)),
        },
        meanings={
            "by": "whether the tail is a share of the training interactions or of the items",
            "share": "how large the tail is",
        },
    )
)
def long_tail(lists: RankedLists, *, k: int, by: str, share: float) -> UnitScores:
    """Share of slots with an item of the tail."""
    return mean_of_items(lists, k, tail(lists.train_counts, by, share))


def tail(counts: Int64, by: str, share: float) -> Float64:
    """float64[n], how far each item belongs to the tail: 0 or 1, between them for ties at the border.

    >>> tail(np.array([6, 2, 1, 1, 0]), "interactions", 0.2)
    array([0., 0., 1., 1., 1.])
    >>> tail(np.array([6, 2, 1, 1, 0]), "items", 0.5)
    array([0. , 0. , 0.5, 0.5, 1. ])
    """
    if len(counts) == 0:
        return np.zeros(0)
    falling = np.sort(counts)[::-1]
    if by == "items":
        head = len(counts) - max(int(np.floor(share * len(counts) + 1e-9)), 1)
    else:
        # the least number of items whose interactions reach the head's share; 1e-9: 0.8 is no binary number
        wanted = (1 - share) * falling.sum() * (1 - 1e-9)
        head = int(np.searchsorted(np.cumsum(falling), wanted)) + 1 if falling[0] else 0
    if head == 0:
        return np.ones(len(counts))
    border = falling[head - 1]
    tied = np.count_nonzero(counts == border)
    inside = (head - np.count_nonzero(counts > border)) / tied
    return np.where(counts > border, 0.0, np.where(counts == border, 1 - inside, 1.0))


@define(
    Definition(
        name="novelty",
        title="Novelty",
        summary="Mean self-information of the listed items: how unlikely they are in training.",
        formula=(
            "mean over the first k slots that hold a catalogue item of -log2(p(item)); of=interactions:"
            " p = training count / training interactions; of=users: p = users of the item / training users;"
            " scale=share: divided by log2 of that denominator"
        ),
        degenerate=(
            f"{OF_ITEMS} An item never seen in training counts as if seen once (unseen=once) or is left out"
            " (unseen=skip; no-valid-item when nothing remains). Without any training all are excluded"
            " (no-training)."
        ),
        source=(
            "Zhou et al. 2010; of=interactions as recommenders' historical_item_novelty (which skips unseen"
            " items), of=users as RecTools MeanInvUserFreq, with scale=share RePlay Surprisal."
        ),
        traps="The two probabilities differ by the mean length of a history; state which is meant.",
        direction="none",
        bounds=(0.0, None),
        unit="",
        parameters={
            "of": ("interactions", ("interactions", "users")),
            "scale": ("bits", ("bits", "share")),
            "unseen": ("once", ("once", "skip")),
        },
        meanings={
            "of": "whose frequency counts: that of interactions or that of users who had the item",
            "scale": "share divides by the greatest possible value, that of an item seen once",
            "unseen": "what an item without training counts as: seen once, or left out",
        },
    )
)
def novelty(lists: RankedLists, *, k: int, of: str, scale: str, unseen: str) -> UnitScores:
    """Mean self-information of the first ``k``."""
    if of == "users":
        counts = required(lists.catalogue.train_users, "train_users", "novelty(of=users)")
        whole = lists.catalogue.n_users
    else:
        counts, whole = lists.train_counts, int(lists.train_counts.sum())
    bits = np.log2(max(whole, 1)) - np.log2(np.maximum(counts, 1))
    if scale == "share" and whole > 1:
        bits /= np.log2(whole)
    return mean_of_items(
        lists,
        k,
        np.maximum(bits, 0.0),
        counted=counts > 0 if unseen == "skip" else None,
        also={"no-training": np.full(len(lists), whole == 0)},
    )
