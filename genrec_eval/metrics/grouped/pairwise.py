"""Whether a wanted item stands above others as often whichever group it is of (Beutel et al. 2019)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.item_groups import MOST_GROUPS, ItemGroups, item_groups
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.metrics.slots import blocks, distinct, part, required
from genrec_eval.protocol.arrays import Float64, Int64
from genrec_eval.stats.ranges import Range, column_means, range_of


def _gap(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    means, _ = column_means(np.asarray(sums))
    some = (~np.isnan(means)).sum(axis=-1) > 1
    found = np.fmax.reduce(means, axis=-1) - np.fmin.reduce(means, axis=-1)
    return np.where(some, found, np.nan)


def _alone(rows: Float64, parameters: Mapping[str, Any]) -> Range | str | None:
    return None if len(rows) < 2 else range_of(rows)


def _check(parameters: Mapping[str, Any]) -> str | None:
    largest, few = parameters["largest"], parameters["least"]
    if not 0 <= largest < MOST_GROUPS:
        return f"largest={largest} is no number of groups: give 1 to {MOST_GROUPS - 1}, or 0 for each group"
    return f"least={few} is no number of users: give at least 2" if few < 2 else None


def _settle(found: UnitScores, groups: Mapping[str, GroupCodes], parameters: Mapping[str, Any]) -> UnitScores:
    """Groups with pairs of few users are left out; the groups of users say nothing here."""
    if found.sums is None or not len(found.sums):
        return found
    sums, scored = found.sums.copy(), found.scored
    g = sums.shape[1] // 2
    small = (sums[scored, g:] > 0).sum(axis=0) < int(parameters["least"])
    sums[:, np.concatenate([small, small])] = 0.0
    lost = scored & (sums[:, g:].sum(axis=1) == 0)
    reasons = {**found.reasons, "small-group": lost}
    if g - small.sum() < 2:
        reasons["one-group"] = scored & ~lost
    return UnitScores(values=np.nan_to_num(_gap(sums, {}), nan=0.0), reasons=reasons, sums=sums)


@define(
    Definition(
        name="pairwise_accuracy_gap",
        title="Pairwise accuracy gap",
        summary="How much more often wanted items of one group stand above others than those of another.",
        formula=(
            "max - min over groups g of wins(g) / pairs(g), over all users together; pairs(g): a relevant"
            " candidate of group g and a candidate of the same user that is not relevant (pairs=all), of"
            " another group than g (inter) or of g too (intra); won where the relevant one stands above, half"
            " where the model gave both the same score side by side. Places are those of the list, an item"
            " that it does not name standing below all that it names"
        ),
        degenerate=(
            "A pair of which the list names neither is not compared, and in inter none with an item of no"
            " known group. Unknown ids, listed ids that are no candidates and repeats are passed over. Users"
            " without an answer (unanswered), with an empty list (empty-list), without a relevant candidate"
            " (no-truth) or without another one (no-negatives), whose relevant candidates are of no known"
            " group (no-group), or none of whose pairs of that kind can be compared (no-pairs) are excluded"
            " and counted. Groups in which fewer than 'least' users have a pair are not compared; users who"
            " have pairs in such groups only are excluded (small-group). Where fewer than two groups are"
            " left, all are (one-group)."
        ),
        source="Beutel et al. 2019 (KDD), arXiv 1903.00780: pairwise, inter-group and intra-group accuracy.",
        direction="lower",
        parameters={
            "by": ("providers", ("providers", "attributes")),
            "pairs": ("all", ("all", "inter", "intra")),
            "least": (30, None),
            "largest": (0, None),
        },
        meanings={
            "by": (
                "what the groups are groups of; an item of several attributes counts whole in each of them,"
                " and another item is of the same group where it has that attribute too"
            ),
            "pairs": "what a wanted item is compared with: all others, those of other groups, or of its own",
            "least": "users with a pair that a group must have to be compared",
            "largest": (
                "compare this many groups, those with the most items in the catalogue, and all others"
                " together as one; 0 compares each group"
            ),
        },
        needs_cutoff=False,
        needs=("by", "candidates"),
        traps=(
            "In the paper both items of a pair were shown at random places, and one was clicked. Where the"
            " log is not randomised, what users chose depends on what they were shown: the gap then says how"
            " well the model repeats the log for each group, not how well it serves what users would want. A"
            " list that leaves candidates out says nothing of pairs below its end, and accuracies over the"
            " rest are lower than over all: let lists be as long as the candidate sets. Pairs count alike, so"
            " users with many of them count more. The range of several accuracies that are equal in truth is"
            " above 0: read its interval, which allows for that and is the wider the more groups there are."
        ),
        combine=_gap,
        alone=_alone,
        check=_check,
        settle=_settle,
    )
)
def pairwise_accuracy_gap(lists: RankedLists, *, by: str, pairs: str, least: int, largest: int) -> UnitScores:
    """Pairs won and compared of each group, for the range of the groups' accuracies."""
    candidates = required(lists.candidates, "candidates", "pairwise_accuracy_gap")
    groups = item_groups(lists.catalogue, by, "pairwise_accuracy_gap")
    groups = groups.present(largest, "pairwise_accuracy_gap", by)
    n, g = len(lists), max(len(groups), 1)
    sums, causes = np.zeros((n, 2 * g)), np.zeros((n, 3), bool)
    widest = int(candidates.lengths.max(initial=1))
    for rows in blocks(n, max(widest, 2 * g)):
        one = _Block.of(lists, rows)
        causes[rows] = one.lacking(groups)
        if len(groups):
            sums[rows] = one.pairs(groups, pairs)
    free = lists.answered & (lists.lengths > 0)
    reasons: dict[str, Bool] = {
        "unanswered": ~lists.answered,
        "empty-list": lists.answered & (lists.lengths == 0),
    }
    for name, mask in zip(("no-truth", "no-negatives", "no-group"), causes.T, strict=True):
        reasons[name] = free & mask
        free &= ~mask
    reasons["no-pairs"] = free & (sums[:, g:].sum(axis=1) == 0)
    return UnitScores(values=np.zeros(n), reasons=reasons, sums=sums)


@dataclass(frozen=True, slots=True)
class _Block:
    """Candidates of some users, each once, ordered by user and item.

    Attributes
    ----------
    users
        How many there are.
    rows, items
        int64, user and item of each candidate.
    places
        int64, where it stands; ``width`` where the list does not name it. Equal for tied items.
    width
        Slots of a list.
    relevant
        bool, whether the user wants it.
    """

    users: int
    rows: Int64
    items: Int64
    places: Int64
    width: int
    relevant: Bool

    @classmethod
    def of(cls, lists: RankedLists, block: slice) -> _Block:
        assert lists.candidates is not None
        users, size = block.stop - block.start, np.int64(max(lists.n_items, 1))
        rows, items = distinct(part(lists.candidates, block), lists.n_items)
        keys = rows * size + items
        wanted_rows, wanted = distinct(part(lists.truth, block), lists.n_items)
        relevant = np.isin(keys, wanted_rows * size + wanted, assume_unique=True)
        listed = lists.items[block]
        width = listed.shape[1]
        slots = np.flatnonzero(listed.ravel() >= 0)
        owner, rank = np.divmod(slots, max(width, 1))
        named = owner * size + listed.ravel()[slots]
        firsts = lists.tie_bounds[0][block][owner, rank]
        places = np.full(len(keys), width, np.int64)
        at = np.searchsorted(keys, named)
        inside = at < len(keys)
        inside[inside] = keys[at[inside]] == named[inside]
        # the first mention of an item comes last here, and stays
        places[at[inside][::-1]] = firsts[inside][::-1]
        return cls(users, rows, items, places, width, relevant)

    def lacking(self, groups: ItemGroups) -> Bool:
        """bool[users, 3], who has no relevant candidate, no other one, and none relevant of a known group."""
        known = groups.known[self.items] & self.relevant if len(groups) else np.zeros(len(self.rows), bool)
        return np.stack(
            [
                np.bincount(self.rows[mask], minlength=self.users) == 0
                for mask in (self.relevant, ~self.relevant, known)
            ],
            axis=1,
        )

    def pairs(self, groups: ItemGroups, kind: str) -> Float64:
        """float64[users, 2 g], pairs won by the wanted items of each group, then pairs compared."""
        g = len(groups)
        codes = groups.codes.take(self.items)
        entry = np.repeat(np.arange(len(self.items)), codes.lengths)
        cell = self.rows[entry] * g + codes.values
        wanted, cells = entry[self.relevant[entry]], cell[self.relevant[entry]]
        won, compared = np.zeros(len(wanted)), np.zeros(len(wanted))
        if kind != "intra":
            others = ~self.relevant if kind == "all" else ~self.relevant & groups.known[self.items]
            won, compared = self._against(self.rows, others, self.rows[wanted], wanted)
        if kind != "all":
            mine, whole = self._against(cell, ~self.relevant[entry], cells, wanted, self.places[entry])
            won, compared = (mine, whole) if kind == "intra" else (won - mine, compared - whole)
        size = self.users * g
        both = [np.bincount(cells, weights=some, minlength=size).reshape(-1, g) for some in (won, compared)]
        return np.concatenate(both, axis=1)

    def _against(
        self, keys: Int64, others: Bool, mine: Int64, wanted: Int64, places: Int64 | None = None
    ) -> tuple[Float64, Float64]:
        """Of each wanted item, the pairs won and compared with the others that share its key."""
        step = self.width + 1
        marks = np.sort(keys[others] * step + (self.places if places is None else places)[others])
        place = self.places[wanted]
        head = np.searchsorted(marks, mine * step)
        end = np.searchsorted(marks, (mine + 1) * step)
        above = np.searchsorted(marks, mine * step + place)
        upto = np.searchsorted(marks, mine * step + place, side="right")
        unnamed = place == self.width  # of two that the list does not name, neither stands above
        compared = np.where(unnamed, above, end) - head
        won = np.where(unnamed, 0.0, end - upto + (upto - above) / 2)
        return won.astype(np.float64), compared.astype(np.float64)
