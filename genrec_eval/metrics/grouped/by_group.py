"""What figures of several groups of users share: the base metric, the groups, and who is left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.base import Accumulator, Bool, Metric, UnitScores
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.protocol.arrays import Float64, Int32
from genrec_eval.stats.ranges import Bounds

LEAST = 30
"""Fewer users say more about themselves than about their group."""

BY: dict[str, Any] = {"by": ("", None)}
LEAST_USERS: dict[str, Any] = {"least": (LEAST, None)}
MEANINGS = {
    "by": "column of the user table, or several crossed as in gender*age; one of the scenario's groups",
    "of": "metric whose means are compared, with its defaults, at the same cutoff",
    "least": "users that a group must have with a score to be compared",
    "group": "value of that column, as the data spells it",
}
DEGENERATE = (
    "Users whom the base metric excludes stay so, with its reasons. Users of unknown group (no-group) and of"
    " groups with fewer than `least` scored users (small-group) are excluded and counted; with fewer than"
    " two groups left everybody is (one-group), and there is no value. In a slice of the users the same"
    " groups are compared, however few of each it holds."
)
TRAPS = (
    "The highest mean of several groups lies above the lowest also where all are equal in truth, the more"
    " the smaller the groups: read the interval, whose low end is 0 unless some pair differs, and p, never"
    " the value alone."
)


def base_of(metric: Metric) -> Metric | None:
    """The metric whose means over groups ``metric`` compares; None where there is none of its own."""
    of = metric.parameters.get("of")
    if metric.definition.name == "differential_fairness":
        # of two groups' chances the highest and the lowest make both log ratios
        of = {"hit": "hit_rate", "long_tail": "long_tail"}.get(str(metric.parameters["outcome"]))
    return base(str(of), metric.k) if of and "groups" in metric.definition.needs else None


def base(of: str, k: int | None) -> Metric:
    """The metric of that name with its defaults, at cutoff ``k`` where it takes one."""
    from genrec_eval.metrics.registry import METRICS, metric

    return metric(f"{of}@{k}" if METRICS.get(of).definition.needs_cutoff else of)


def bounds_of(of: str) -> Bounds:
    """Least and greatest value of a user under the base metric."""
    from genrec_eval.metrics.registry import METRICS

    bounds: Bounds = METRICS.get(of).definition.bounds
    return bounds


def unfit(parameters: Mapping[str, Any]) -> str | None:
    """Why there are no means over groups of users to compare, or None."""
    from genrec_eval.metrics.registry import METRICS

    of = str(parameters["of"])
    if ":" in of or of not in METRICS.names():
        return f"of={of} is no metric{did_you_mean(of, METRICS.names())}"
    family = METRICS.get(of)
    definition = family.definition
    if definition.on != "lists":
        return f"of={of} is about {definition.on}, and groups are compared by metrics of ranked lists"
    whole = isinstance(family.function, type) or definition.combine or definition.refit or definition.contrast
    if whole or definition.link != "identity":
        return (
            f"of={of} has one value for the whole run and none of each user; name a mean over users such as"
            " ndcg, hit_rate, popularity_lift or usable"
        )
    if (least := int(parameters["least"])) < 2:
        return f"least is at least 2 users, not {least}"
    return None


def scored_by(lists: RankedLists, metric: Metric) -> UnitScores:
    """Scores under ``metric``, computed once for all figures that are made of them."""
    if metric.id not in lists.remembered:
        lists.remembered[metric.id] = metric(lists)
    found: UnitScores = lists.remembered[metric.id]
    return found


def codes_by(lists: RankedLists, by: str, name: str) -> GroupCodes:
    """The group of each user.

    Raises
    ------
    UsageError
        When the lists know no such groups.
    """
    if by not in lists.groups:
        known = ", ".join(lists.groups) or "none"
        asked = f"has no group '{by}'" if by else "needs a group to compare by, as in by=gender"
        raise UsageError(
            f"metric '{name}' {asked}{did_you_mean(by, lists.groups) if by else ''}; add it to the groups of"
            f" the scenario (its groups: {known})"
        )
    return lists.groups[by]


def place_of(groups: GroupCodes, by: str, group: str, name: str) -> int:
    """Code of a group.

    Raises
    ------
    UsageError
        When there is none of that name.
    """
    if group in groups.names:
        return groups.names.index(group)
    some = f"{', '.join(groups.names[:10])}{', ...' if len(groups.names) > 10 else ''}"
    asked = f"no user has {by} '{group}'" if group else f"group names the {by} to set against the rest"
    raise UsageError(f"metric '{name}': {asked}{did_you_mean(group, groups.names)} (known: {some})")


class ByGroup(Accumulator):
    """The scores of a base metric with the group of each user, chunk by chunk.

    A family is a subclass that says which metric is :meth:`scores` and what each user adds.
    """

    def __init__(self, *, k: int | None, by: str, least: int) -> None:
        self.k, self.by, self.least = k, by, least
        self.names: tuple[str, ...] = ()
        self._scores: list[UnitScores] = []
        self._codes: list[Int32] = []

    def scores(self, lists: RankedLists) -> UnitScores:
        """Of the users of one chunk."""
        raise NotImplementedError

    def codes(self, lists: RankedLists) -> GroupCodes:
        """Of the users of one chunk."""
        return codes_by(lists, self.by, type(self).__name__)

    def update(self, lists: RankedLists) -> None:
        groups = self.codes(lists)
        self.names = groups.names
        self._codes.append(groups.codes)
        self._scores.append(self.scores(lists))

    def finish(self) -> UnitScores:
        scores, self._scores = UnitScores.join(self._scores), []
        codes = np.concatenate([np.empty(0, np.int32), *self._codes])
        weights = np.ones(len(scores)) if scores.weights is None else scores.weights
        reasons = left_out(scores, [codes], len(self.names), self.least)
        kept = np.flatnonzero(UnitScores(values=scores.values, reasons=reasons).scored)
        rows = one_hot(scores.values * weights, weights, codes, kept, len(self.names))
        return UnitScores(values=np.where(scores.scored, scores.values, 0.0), reasons=reasons, sums=rows)


def left_out(
    scores: UnitScores, cells: Sequence[Int32], groups: int, least: int, of: Int32 | None = None
) -> dict[str, Bool]:
    """Reason → bool[n]: those of the scores, then no-group, small-group and one-group.

    Parameters
    ----------
    cells
        int32[n] each, the group of each user, or -1 for users that do not count in this cell; a group is
        too small when it is so in any cell.
    of
        int32[n], the group of each user; the first of ``cells`` by default.
    """
    of = cells[0] if of is None else of
    free = scores.scored
    ready = np.ones(groups, bool)
    for codes in cells:
        ready &= np.bincount(codes[free & (codes >= 0)], minlength=groups) >= least
    unknown = of < 0
    # the last entry stands for users without a group
    small = ~np.append(ready, True)[of]
    reasons = dict(scores.reasons)
    for name, mask in (
        ("no-group", unknown),
        ("small-group", small),
        ("one-group", np.full(len(of), ready.sum() < 2)),
    ):
        hit = free & mask
        if hit.any():
            reasons[name] = reasons[name] | hit if name in reasons else hit
            free = free & ~hit
    return reasons


def one_hot(values: Float64, weights: Float64, codes: Int32, kept: np.ndarray, groups: int) -> Float64:
    """float64[n, 2 groups]: the value and then the weight of each kept user, at its group."""
    rows = np.zeros((len(codes), 2 * groups))
    rows[kept, codes[kept]] = values[kept]
    rows[kept, groups + codes[kept]] = weights[kept]
    return rows
