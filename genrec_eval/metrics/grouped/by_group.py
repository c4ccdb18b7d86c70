"""What figures of several groups of users share: the base metric, the groups, and who is left out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol, Self

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.core.numbers import side
from genrec_eval.metrics.base import Bool, Metric, UnitScores
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.metrics.spelling import SPELLING
from genrec_eval.protocol.arrays import Float64, Int32
from genrec_eval.stats.ranges import Bounds

LEAST = 30
"""Fewer users say more about themselves than about their group."""

FAILING = frozenset(
    {
        "unanswered",
        "empty-list",
        "no-valid-item",
        "no-prediction",
        "no-text",
        "no-token",
        "no-sentence",
        "refused",
        "failed",
        "neutral-failed",
        "empty-neutral",
        "arm-failed",
    }
)
"""Reasons of units that a model itself left without a score."""

BY: dict[str, Any] = {"by": ("", None)}
LEAST_USERS: dict[str, Any] = {"least": (LEAST, None)}
MEANINGS = {
    "by": "column of the user table, or several crossed as in gender*age; one of the scenario's groups",
    "of": "metric of the scenario whose means are compared, with parameters of its own where it needs any, as"
    " in of=ndcg(gain=exp); the cutoff of the whole is its cutoff",
    "least": "users that a group must have with a score to be compared, in a slice too",
    "group": "value of that column, as the data spells it",
}
DEGENERATE = (
    "Users whom the base metric excludes stay so, with its reasons. Users of unknown group (no-group) and of"
    " groups with fewer than `least` scored users (small-group) are excluded and counted; with fewer than"
    " two groups left everybody is (one-group), and there is no value; nor is there one where a group of"
    " enough users is too small because the model gave most of them nothing (failed-group): what is left"
    " would look fairer than it is. In a slice of the users groups that are too small there are left out and"
    " counted alike."
)
TRAPS = (
    "The highest mean of several groups lies above the lowest also where all are equal in truth, the more"
    " the smaller the groups: read the interval, whose low end is 0 unless some pair differs, and p, never"
    " the value alone."
)


class Grouped(Protocol):
    """What knows the groups of its units."""

    @property
    def groups(self) -> Mapping[str, GroupCodes]:
        """Name of a group → the group of each unit."""
        ...


@dataclass(frozen=True, slots=True)
class GroupedUnits:
    """What metrics on ``"units"`` take: the scores of another metric of the scenario, and groups.

    Attributes
    ----------
    scores
        Of n units under the metric that ``of`` names.
    groups
        Name of a group → the group of each of the n units.
    """

    scores: UnitScores
    groups: Mapping[str, GroupCodes]

    def __len__(self) -> int:
        return len(self.scores)


class Of(str):
    """Name and parameters of a metric without its cutoff, in the spelling of ids.

    >>> Of("ndcg( ideal = all, gain=linear )"), Of("ndcg").in_full[:24]
    ('ndcg(ideal=all)', 'ndcg(discount=log2,gain=')
    """

    __slots__ = ()

    def __new__(cls, text: str) -> Self:
        try:
            return super().__new__(cls, base(text, 1).id.rpartition("@")[0] or base(text, 1).id)
        except UsageError:
            return super().__new__(cls, text)  # refused, with a reason, by :func:`unfit`

    @property
    def in_full(self) -> str:
        """With all parameters spelled out."""
        full = base(self, 1).definition_id
        return full.rpartition("@")[0] or full


NDCG = str.__new__(Of, "ndcg")
"""The default, which needs no reading at import."""


def base_of(metric: Metric) -> Metric | None:
    """The metric whose means over groups ``metric`` compares; None where there is none of its own."""
    if metric.definition.name == "differential_fairness":
        # of two groups' chances the highest and the lowest make both log ratios
        of = {"hit": "hit_rate", "long_tail": "long_tail"}.get(str(metric.parameters["outcome"]))
        return None if of is None else base(of, metric.k)
    if metric.definition.on != "units":
        return None
    found = base(str(metric.parameters["of"]), metric.k)
    return _as_added(found, metric)


def unlabelled_of(metric: Metric) -> Metric | None:
    """What a metric of exposure leaves out, as a metric: slots whose item is of no known group."""
    if not metric.definition.name.startswith(("exposure", "attention_per_merit")):
        return None
    told = metric.parameters
    return _as_added(base(f"unlabelled(by={told['by']},weights={told['weights']})", metric.k), metric)


def _as_added(found: Metric, metric: Metric) -> Metric:
    """What a scenario added to a metric, it adds to what is measured beside it."""
    own, added = metric.definition.parameters, _added(metric)
    definition = replace(
        found.definition, parameters={**found.definition.parameters, **{name: own[name] for name in added}}
    )
    return replace(found, definition=definition, parameters={**found.parameters, **added})


def score_units(metric: Metric, units: GroupedUnits) -> UnitScores:
    """Scores under a metric on units, also where a scenario added a condition to its identity."""
    added = _added(metric)
    if not added:
        return metric(units)
    own = {name: value for name, value in metric.parameters.items() if name not in added}
    return replace(metric, parameters=own)(units)


def _added(metric: Metric) -> dict[str, Any]:
    """The parameters that a scenario added to the metric's own, as ``shots``: they have no default."""
    known = metric.definition.parameters
    return {name: value for name, value in metric.parameters.items() if known[name][0] is None}


def base(of: str, k: int | None) -> Metric:
    """The metric that is spelled so, at cutoff ``k`` where it takes one.

    Raises
    ------
    UsageError
        When there is none.
    """
    from genrec_eval.metrics.registry import METRICS, metric

    match = SPELLING.fullmatch(of.strip())
    if match is None or match["k"]:
        raise UsageError(f"of={of} is not of the form name(parameter=value)")
    return metric(f"{of}@{k}" if METRICS.get(match["name"]).definition.needs_cutoff else of)


def cut(parameters: Mapping[str, Any]) -> bool:
    """Whether the base metric takes a cutoff."""
    return base(str(parameters["of"]), 1).k is not None


def bounds_of(of: str) -> Bounds:
    """Least and greatest value of a user under the base metric."""
    definition = base(of, 1).definition
    # those of a rubric are its own
    return (None, None) if definition.on == "judged texts" else definition.bounds


def unfit(parameters: Mapping[str, Any]) -> str | None:
    """Why there are no means over groups of users to compare, or None."""
    from genrec_eval.metrics.registry import METRICS

    of = str(parameters["of"])
    match = SPELLING.fullmatch(of.strip())
    if match is not None and match["k"]:
        return f"of={of} has a cutoff of its own; write it once, behind the whole, as in of=ndcg)@10"
    name = match["name"] if match is not None else of
    if ":" in name or name not in METRICS.names():
        return f"of={of} is no metric{did_you_mean(name, METRICS.names())}"
    try:
        one = base(of, 1)
    except UsageError as error:
        return f"of={of}: {str(error).replace(f'{of}@1', of)}"
    definition = one.definition
    whole = isinstance(one.function, type) or definition.combine or definition.refit or definition.contrast
    if whole or one.link != "identity":
        return (
            f"of={of} has one value for the whole run and none of each user; name a mean over users such as"
            " ndcg, hit_rate, mae(average=macro) or refusal_rate"
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


def codes_by(lists: Grouped, by: str, name: str) -> GroupCodes:
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
    known = ", ".join(other[:40] for other in groups.names[:10])
    some = f"{known}{', ...' if len(groups.names) > 10 else ''}"
    asked = f"no user has {by} '{group}'" if group else f"group names the {by} to set against the rest"
    raise UsageError(f"metric '{name}': {asked}{did_you_mean(group, groups.names)} (known: {some})")


def by_groups(scores: UnitScores, groups: GroupCodes, least: int) -> UnitScores:
    """Scores with what each unit adds to its group: its value and its weight."""
    weights = np.ones(len(scores)) if scores.weights is None else scores.weights
    g = len(groups.names)
    reasons = left_out(scores, [groups.codes], g, least)
    kept = np.flatnonzero(UnitScores(values=scores.values, reasons=reasons).scored)
    rows = one_hot(scores.values * weights, weights, groups.codes, kept, g)
    return UnitScores(values=np.where(scores.scored, scores.values, 0.0), reasons=reasons, sums=rows)


def within(scores: UnitScores, mask: Bool, least: int, cells: Sequence[Float64]) -> UnitScores:
    """Scores in a slice: groups with fewer than ``least`` units there are left out, as in the whole run.

    Parameters
    ----------
    cells
        float64[n, g] each, above 0 in the column of a unit's group where the unit counts; a group is too
        small when it is so in any cell.
    """
    inside = scores.scored & mask
    if not inside.any():
        return scores
    present = [cell > 0 for cell in cells]
    ready = np.logical_and.reduce([(cell & inside[:, None]).sum(axis=0) >= least for cell in present])
    here = np.logical_or.reduce([cell.any(axis=0) for cell in present])  # of the groups of the whole run
    if bool(ready[here].all()) and ready.sum() > 1:
        return scores
    member = np.logical_or.reduce(present)
    small = inside & ~(member & ready).any(axis=1)
    left = inside & ~small
    reasons = dict(scores.reasons)
    for name, hit in (("small-group", small), ("one-group", left if ready.sum() < 2 else left & False)):
        if hit.any():
            reasons[name] = reasons[name] | hit if name in reasons else hit
    return replace(scores, reasons=reasons)


def highest_and_lowest(rows: Float64, names: Sequence[str], what: str) -> str:
    """The two groups whose rates lie farthest apart, with their rates and numbers of users.

    Parameters
    ----------
    rows
        float64[n, 2 g], what each user adds: outcomes (0 to 1), and then how often the user counts, each in
        the column of the user's group.

    >>> rows = np.zeros((70, 4)); rows[:9, 0] = rows[30:50, 1] = rows[:30, 2] = rows[30:, 3] = 1
    >>> highest_and_lowest(rows, ("F", "M"), "the rate")
    'the rate is highest for M (50 % of 40), lowest for F (30 % of 30)'
    """
    outcomes, counts = np.split(rows, 2, axis=1)
    weights = counts.sum(axis=0)
    seen = np.flatnonzero(weights > 0)
    if len(seen) < 2:
        return ""
    rates = outcomes.sum(axis=0)[seen] / weights[seen]
    high, low = int(seen[rates.argmax()]), int(seen[rates.argmin()])
    if high == low:
        return f"{what} is the same in all groups"
    shown = [f"{names[at]} ({rate_of(outcomes[:, at], counts[:, at])})" for at in (high, low)]
    return f"{what} is highest for {shown[0]}, lowest for {shown[1]}"


def rate_of(outcomes: Float64, counts: Float64) -> str:
    """A group's rate and number of users in words, with the digits that so many users allow."""
    from genrec_eval.stats.rates import wilson

    n = int((counts > 0).sum())
    rate = min(max(float(outcomes.sum() / counts.sum()), 0.0), 1.0)
    low, high = wilson(rate * n, n)
    return f"{side(rate, low, high, 'share')} of {n:,}"


def settle_by(
    name: str, blocks: int, counts: Sequence[int]
) -> Callable[[UnitScores, Mapping[str, GroupCodes], Mapping[str, Any]], UnitScores]:
    """How a metric called ``name`` settles what the lists of users added up to.

    A user of several lists counts once, with the means over those lists.

    Parameters
    ----------
    blocks
        Columns of the sums of a list: numerators, with denominators among them.
    counts
        For each block the column of its denominator; that column itself says whether the user counts.
    """

    def settle(
        scores: UnitScores, groups: Mapping[str, GroupCodes], parameters: Mapping[str, Any]
    ) -> UnitScores:
        of = codes_by(GroupedUnits(scores, groups), str(parameters["by"]), name)
        added = np.zeros((len(scores), blocks)) if scores.sums is None else scores.sums
        lists = added[:, list(counts)]
        means = np.divide(added, lists, out=np.zeros(added.shape), where=lists > 0)
        cells = [np.where(added[:, at] > 0, of.codes, -1).astype(np.int32) for at in sorted(set(counts))]
        g = len(of.names)
        reasons = left_out(scores, cells, g, int(parameters["least"]), of.codes)
        kept = np.flatnonzero(UnitScores(values=scores.values, reasons=reasons).scored)
        sums = np.zeros((len(scores), blocks, g))
        sums[kept, :, of.codes[kept]] = means[kept]
        return UnitScores(values=scores.values, reasons=reasons, sums=sums.reshape(len(scores), blocks * g))

    return settle


def left_out(
    scores: UnitScores, cells: Sequence[Int32], groups: int, least: int, of: Int32 | None = None
) -> dict[str, Bool]:
    """Reason → bool[n]: those of the scores, then no-group, small-group, failed-group and one-group.

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
    nothing = np.logical_or.reduce(
        [free & False, *(m for name, m in scores.reasons.items() if name in FAILING)]
    )
    asked, kept = (np.bincount(of[mask & (of >= 0)], minlength=groups) for mask in (free | nothing, free))
    failed = bool(((asked >= least) & (kept < least) & (2 * kept < asked)).any())
    unknown = of < 0
    # the last entry stands for users without a group
    small = ~np.append(ready, True)[of]
    reasons = dict(scores.reasons)
    for name, mask in (
        ("no-group", unknown),
        ("small-group", small),
        ("failed-group", np.full(len(of), failed)),
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
