"""Whether lists give each group of items the attention that is due to it.

Each user adds what the groups get in the user's list and what would be due to them, so that users are
resampled, and slices say what each group of items gets from one group of users.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.grouped.exposure_shares import (
    STILL,
    correlation_of,
    due_of,
    known_to,
    pulls_of,
    shares_of,
)
from genrec_eval.metrics.grouped.exposure_told import farthest, least_and_most, least_served
from genrec_eval.metrics.item_groups import MOST_GROUPS, ItemGroups, attention, item_groups
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.slots import Bool, blocks, excluded, owners, part, top_of
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.distances import Distance
from genrec_eval.stats.extremes import (
    Reading,
    Simultaneous,
    greatest_distance,
    least,
    least_over_greatest,
)

ALPHA = 0.01
"""How much of the exposure is mixed into the target so that a divergence is finite, as in Steck 2018."""

_BY = {
    "by": ("providers", ("providers", "attributes")),
    "largest": (0, None),
}
_PARAMETERS: dict[str, tuple[Any, tuple[Any, ...] | None]] = {
    **_BY,
    "target": ("catalogue", ("catalogue", "train", "relevance", "uniform", "declared")),
    "weights": ("log2", ("log2", "geometric", "uniform")),
}
_MEANINGS = {
    "by": "what the groups are groups of; an item of several attributes belongs to each in equal parts",
    "largest": (
        "compare this many groups, those with the most items in the catalogue, and all others together as"
        " one; 0 compares each group"
    ),
    "target": (
        "the share of exposure that is due to a group: its share of the items of the catalogue, of the"
        " interactions in training, of the relevant items held out for the users that are scored, or the same"
        " for each group, or what the scenario's option provider_targets declares"
    ),
    "weights": "how attention falls along the list: 1 / log2(rank + 1), 0.85^(rank - 1), or not at all",
}
_SHARES = (
    "s(g) = sum over users and the first k slots of w(rank) · [item in g], over the same sum for all slots"
    " whose item has a known group; t(g) = share due to the group"
)
_LISTS = (
    "Unknown ids and items whose group is not known are left out; a repeated item counts in each of its"
    " slots. Groups without an item in the catalogue are no groups. Users without an answer (unanswered),"
    " with an empty list (empty-list) or without any item of a known group (no-group) are excluded and"
    " counted."
)
_TRUTH = "users without relevant items (no-truth) or with none of a known group (no-relevant-group)"
_FEW = "Where the items have fewer than two groups, all users are excluded (one-group)"
_MANY = f"More than {MOST_GROUPS} groups are refused: name a coarser column, or the largest."
_DEGENERATE = (
    f"{_LISTS} With target=relevance so are {_TRUTH}. {_FEW}; with target=train also where no interaction is"
    f" with an item of a known group (no-target). {_MANY}"
)
_TRAPS = (
    "A user counts as much as their list draws exposure, so short lists count less; with target=relevance,"
    " users with many relevant items decide what is due. The interval is made for all groups at once"
    " (Bonferroni), so that it holds whichever group is the extreme one: it is the wider the more groups"
    " there are. With 30 users and a dozen groups it holds in about 89 % of runs and not in 95; with 80 and"
    " more in 92 to 98 % (simulated). A share that no user moves has the interval of a share of so many"
    " users."
)


def _check(parameters: Mapping[str, Any]) -> str | None:
    if parameters.get("target") == "declared" and parameters["by"] != "providers":
        return (
            "target=declared is about providers, whose shares the scenario's option provider_targets declares"
        )
    largest = parameters["largest"]
    if 0 <= largest < MOST_GROUPS:
        return None
    return f"largest={largest} is no number of groups: give 1 to {MOST_GROUPS - 1}, or 0 for each group"


def _gap(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    s, t = shares_of(sums)
    found: Float64 = np.abs(s - t).max(axis=-1)
    return found


def _ratios(sums: Float64) -> Float64:
    """float64[..., g], share of exposure over what is due; NaN where nothing is."""
    s, t = shares_of(sums)
    return np.divide(s, t, out=np.full(s.shape, np.nan), where=t > 0)


def _least(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    found: Float64 = np.fmin.reduce(_ratios(sums), axis=-1)
    return found


def _per_merit(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    ratios = _ratios(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        found = np.fmin.reduce(ratios, axis=-1) / np.fmax.reduce(ratios, axis=-1)
    return np.where((~np.isnan(ratios)).sum(axis=-1) > 1, found, np.nan)


def _divergence(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    s, t = shares_of(sums)
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = s * np.log(s / ((1 - ALPHA) * t + ALPHA * s))
    found = np.where(s > 0, terms, np.where(np.isnan(s + t), np.nan, 0.0)).sum(axis=-1)
    return np.maximum(found, 0.0) / np.log(_BASES[parameters["base"]])


_BASES = {"e": np.e, "2": 2.0}


def _gap_alone(rows: Float64, parameters: Mapping[str, Any]) -> Simultaneous | None:
    if len(rows) < 2:
        return None
    s, t, at_s, at_t = pulls_of(rows)
    mine, due, together = known_to(s, at_s), due_of(t, at_t, parameters), correlation_of(at_s, at_t)
    return Simultaneous(len(s), len(rows) - 1, lambda z: mine.apart(due, together, z), greatest_distance)


def _ratios_alone(rows: Float64, parameters: Mapping[str, Any], reading: Reading) -> Simultaneous | None:
    if len(rows) < 2:
        return None
    s, t, at_s, at_t = pulls_of(rows)
    some = t > 0
    if not some.any():
        return None
    s, t, at_s, at_t = s[some], t[some], at_s[:, some], at_t[:, some]
    mine, due, together = known_to(s, at_s), due_of(t, at_t, parameters), correlation_of(at_s, at_t)
    return Simultaneous(len(s), len(rows) - 1, lambda z: mine.over(due, together, z), reading)


def _least_alone(rows: Float64, parameters: Mapping[str, Any]) -> Simultaneous | None:
    return _ratios_alone(rows, parameters, least)


def _per_merit_alone(rows: Float64, parameters: Mapping[str, Any]) -> Simultaneous | None:
    if (rows[:, rows.shape[1] // 2 :].sum(axis=0) > 0).sum() < 2:
        return None
    return _ratios_alone(rows, parameters, least_over_greatest)


def _divergence_alone(rows: Float64, parameters: Mapping[str, Any]) -> Distance | None:
    n = len(rows)
    if n < 2:
        return None
    s, t, at_s, at_t = pulls_of(rows)
    used = (s > 0) | (t > 0)
    s, t, apart, at_s, at_t = s[used], t[used], (at_s - at_t)[:, used], at_s[:, used], at_t[:, used]
    q = (1 - ALPHA) * t + ALPHA * s
    # near equality the divergence is the squared length of this vector
    noise = (1 - ALPHA) * apart / np.sqrt(2 * q)
    value = float(_divergence(rows.sum(axis=0), {"base": "e"}))
    along = np.zeros(n)
    if value > 0:
        logs = np.log(np.where(s > 0, s / q, 1.0))
        slope = logs + 1 - ALPHA * s / q
        along = (at_s @ slope - at_t @ ((1 - ALPHA) * s / q)) / (2 * np.sqrt(value))
    both = np.concatenate([noise, along[:, None]], axis=1)
    covariance = both.T @ both * n / (n - 1)
    if np.trace(covariance) < STILL**2:
        return None
    unit = float(np.log(_BASES[parameters["base"]]))
    return Distance(value / unit, covariance / unit, n - 1)


def _family(
    name: str,
    *,
    direction: Literal["higher", "lower"],
    parameters: Mapping[str, Any] = _PARAMETERS,
    **texts: Any,
) -> Definition:
    return Definition(
        name=name,
        direction=direction,
        parameters=parameters,
        meanings={
            key: value
            for key, value in {**_MEANINGS, **texts.pop("meanings", {})}.items()
            if key in parameters
        },
        needs=("by",),
        check=_check,
        **texts,
    )


@define(
    _family(
        "exposure_gap",
        title="Exposure gap",
        direction="lower",
        summary="How far the exposure of the groups of items is from the share due to them, at the most.",
        formula=f"max over groups of |s(g) - t(g)|; {_SHARES}",
        degenerate=_DEGENERATE,
        source="Singh & Joachims 2018 (exposure); Sapiezynski et al. 2019 (exposure against a target).",
        traps=(
            f"{_TRAPS} A small group can be shut out at a gap of no more than its own share: read the ratio"
            " beside it."
        ),
        combine=_gap,
        tells=farthest,
        alone=_gap_alone,
    )
)
def exposure_gap(
    lists: RankedLists, *, k: int, by: str, largest: int, target: str, weights: str
) -> UnitScores:
    """Greatest distance of a group's share of the exposure from what is due to it."""
    return _with_values(_sums(lists, "exposure_gap", k, by, largest, target, weights), _gap, {})


@define(
    _family(
        "exposure_ratio",
        title="Exposure ratio",
        direction="higher",
        summary="Least share of exposure that a group of items has, over the share due to it; 1 is even.",
        formula=f"min over groups with t(g) > 0 of s(g) / t(g); {_SHARES}",
        degenerate=(
            f"{_DEGENERATE} A group to which nothing is due has no ratio; were it shown, the ratio would be"
            " infinite, and not the least. The least is never above 1."
        ),
        source="Singh & Joachims 2018 (disparate treatment ratio), least over several groups.",
        bounds=(0.0, 1.0),
        traps=(
            f"{_TRAPS} Of many small groups some get nothing by chance, and the least is 0: name the largest."
        ),
        combine=_least,
        tells=least_served,
        alone=_least_alone,
    )
)
def exposure_ratio(
    lists: RankedLists, *, k: int, by: str, largest: int, target: str, weights: str
) -> UnitScores:
    """Least ratio of a group's share of the exposure to what is due to it."""
    return _with_values(_sums(lists, "exposure_ratio", k, by, largest, target, weights), _least, {})


@define(
    _family(
        "exposure_divergence",
        title="Exposure divergence",
        direction="lower",
        summary="Kullback-Leibler divergence of the groups' exposure from the shares due to them.",
        formula=(
            f"sum over groups of s ln(s / ((1 - {ALPHA}) t + {ALPHA} s)), a group without exposure adding 0;"
            f" base=2: in bits; {_SHARES}"
        ),
        degenerate=(
            f"{_DEGENERATE} A group that is shown and to which nothing is due adds at most -ln({ALPHA}) times"
            " its share, which the mixed target keeps finite; equal shares are at 0 all the same."
        ),
        source=f"Kullback & Leibler 1951; smoothed as in Steck 2018, alpha = {ALPHA}.",
        bounds=(0.0, None),
        traps=(
            "A user counts as much as their list draws exposure. A divergence has a positive floor: that of a"
            " sample is above 0 also where exposure is what is due. The interval allows for it, the value"
            " does not; its low end is 0 where chance explains what is seen."
        ),
        parameters={**_PARAMETERS, "base": ("e", ("e", "2"))},
        meanings={"base": "of the logarithm"},
        combine=_divergence,
        tells=farthest,
        alone=_divergence_alone,
    )
)
def exposure_divergence(
    lists: RankedLists, *, k: int, by: str, largest: int, target: str, weights: str, base: str
) -> UnitScores:
    """Divergence of the exposure of groups from what is due to them."""
    scores = _sums(lists, "exposure_divergence", k, by, largest, target, weights)
    return _with_values(scores, _divergence, {"base": base})


@define(
    _family(
        "attention_per_merit",
        title="Attention per merit",
        direction="higher",
        summary="Exposure per relevant item: the least of any group of items over the greatest; 1 is even.",
        formula=(
            "min over max, over groups with merit, of exposure(g) / merit(g); exposure(g) = sum over users"
            " and the first k slots of w(rank) · [item in g], merit(g) = sum over users of their held-out"
            " relevant items in g. The reciprocal says how many times the attention the best-placed group"
            " has."
        ),
        degenerate=(
            f"{_LISTS} A group without merit is not compared; where fewer than two have any, there is no"
            f" value. {_TRUTH.capitalize()} are excluded and counted. {_FEW}. {_MANY}"
        ),
        source="Biega et al. 2018 (attention in proportion to relevance); Singh & Joachims 2018.",
        traps=(
            f"{_TRAPS} Merit is what users chose in a past that had its own exposure: a group that was never"
            " shown has little of it. A group with few relevant items has an uncertain ratio, and often the"
            " extreme one."
        ),
        parameters={key: value for key, value in _PARAMETERS.items() if key != "target"},
        combine=_per_merit,
        tells=least_and_most,
        alone=_per_merit_alone,
    )
)
def attention_per_merit(lists: RankedLists, *, k: int, by: str, largest: int, weights: str) -> UnitScores:
    """Least over greatest exposure per relevant item of a group."""
    scores = _sums(lists, "attention_per_merit", k, by, largest, "relevance", weights)
    return _with_values(scores, _per_merit, {})


def _sums(
    lists: RankedLists, metric: str, k: int, by: str, largest: int, target: str, weights: str
) -> UnitScores:
    """Exposure of each group in each user's list, then what is due to it."""
    groups = item_groups(lists.catalogue, by, metric).present(largest, metric, by)
    n, g = len(lists), len(groups)
    if g < 2:
        return UnitScores(values=np.zeros(n), reasons={"one-group": np.ones(n, bool)}, sums=np.zeros((n, 2)))
    sums = np.empty((n, 2 * g))
    width = min(k, lists.items.shape[1])
    slots = attention(weights, width)
    for rows in blocks(n, width):
        top = top_of(lists.items[rows], k)
        owner = np.repeat(np.arange(len(top), dtype=np.int64), width)
        sums[rows, :g] = groups.sums(owner, top.ravel(), np.tile(slots, len(top)), len(top))
    whole = sums[:, :g].sum(axis=1)
    reasons = excluded(lists, whole, "no-group")
    if target == "relevance":
        return _against_truth(lists, groups, sums, reasons)
    fixed = _fixed(lists, groups, target, metric)
    sums[:, g:] = whole[:, None] * fixed
    free = ~np.logical_or.reduce(list(reasons.values()))
    return UnitScores(
        values=np.zeros(n), reasons={**reasons, "no-target": free & (fixed.sum() == 0)}, sums=sums
    )


def _fixed(lists: RankedLists, groups: ItemGroups, target: str, metric: str) -> Float64:
    if target == "uniform":
        return np.full(len(groups), 1 / len(groups))
    catalogue = lists.catalogue
    if target == "declared":
        return _declared(catalogue.provider_targets or {}, list(groups.names), metric)
    return groups.shares(catalogue.train_counts if target == "train" else np.ones(len(catalogue)))


def _declared(targets: Mapping[str, float], names: list[str], metric: str) -> Float64:
    """Shares in the order of ``names``.

    Raises
    ------
    UsageError
        When a name is of no provider that is compared, or one of those has no share.
    """
    known = f"compared are {', '.join(names[:10])}{', ...' if len(names) > 10 else ''}"
    for name in targets:
        if name not in names:
            raise UsageError(
                f"provider_targets: '{name}' is no provider{did_you_mean(name, names)} ({known})"
            )
    left = [name for name in names if name not in targets]
    if left:
        said = f"says nothing of '{left[0]}'" if targets else "is not given"
        raise UsageError(
            f"metric '{metric}(target=declared)' needs the scenario's option provider_targets to give each"
            f" provider that is compared a share, 0 too, and it {said} ({known})"
        )
    return np.array([targets[name] for name in names], np.float64)


def _against_truth(
    lists: RankedLists, groups: ItemGroups, sums: Float64, reasons: dict[str, Bool]
) -> UnitScores:
    """What is due is what users found relevant; those who say nothing of it are left out."""
    g = len(groups)
    for rows in blocks(len(lists), 2 * g):
        truth = part(lists.truth, rows)
        wanted = truth.values
        sums[rows, g:] = groups.sums(owners(truth), np.maximum(wanted, -1), np.ones(len(wanted)), len(truth))
    free = ~np.logical_or.reduce(list(reasons.values()))
    silent = lists.truth.lengths == 0
    nameless = ~silent & (sums[:, g:].sum(axis=1) == 0)
    return UnitScores(
        values=np.zeros(len(lists)),
        reasons={**reasons, "no-truth": free & silent, "no-relevant-group": free & nameless},
        sums=sums,
    )


def _with_values(scores: UnitScores, combine: Any, parameters: Mapping[str, Any]) -> UnitScores:
    """What each user's own list says, 0 where it says nothing."""
    assert scores.sums is not None
    values = np.zeros(len(scores))
    if "one-group" not in scores.reasons:
        for rows in blocks(len(scores), 4 * scores.sums.shape[1]):
            values[rows] = np.nan_to_num(combine(scores.sums[rows], parameters), nan=0.0)
    return replace(scores, values=values)
