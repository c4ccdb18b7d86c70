"""Differential fairness of groups of users, intersections above all, and how far it exceeds the data's."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.grouped.by_group import (
    BY,
    LEAST_USERS,
    MEANINGS,
    base,
    rate_of,
    scored_by,
    settle_by,
    within,
)
from genrec_eval.metrics.item_groups import item_groups
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.popularity import tail
from genrec_eval.metrics.slots import mean_of_items, owners
from genrec_eval.protocol.arrays import Float64, Ragged
from genrec_eval.stats.differential import amplification_of, driving_pair, epsilon, epsilon_of
from genrec_eval.stats.group_labels import label_test
from genrec_eval.stats.resolution import Resolution, of_labels

if TYPE_CHECKING:
    from genrec_eval.stats.fits import Fit

_SOURCE = (
    "Foulds, Islam, Keya & Pan 2020, An Intersectional Definition of Fairness; Entropy 25(4):660 (2023)."
    " AIF360's"
    " smoothed_empirical_differential_fairness(concentration=c) is alpha=c/2"
)
_DEGENERATE = (
    " A user of several lists counts once, with the mean over those that are scored. Users of unknown group"
    " (no-group) and of groups with fewer than `least` scored users (small-group) are"
    " excluded and counted; with fewer than two groups left everybody is (one-group), and there is no"
    " value; nor is there one where a group of enough users is too small because the model gave most of them"
    " nothing (failed-group). In a slice of the users groups that are too small there are left out and"
    " counted alike: smoothing would decide them."
)
_TRAPS = (
    "It is a range: of groups that are all alike the highest still lies above the lowest, the more the"
    " smaller"
    " they are. Read the interval, whose low end is 0 unless some pair differs, never the value alone. A"
    " bound on"
    " an intersection holds for each of its parts too, not the other way round. Smoothing draws small groups"
    " together: a larger alpha looks fairer; where hardly anybody has the outcome, groups of unlike sizes lie"
    " apart by smoothing alone, which the interval shows."
)
_PARAMETERS: dict[str, Any] = {
    "alpha": (1.0, None),
    "items": ("", None),
    **LEAST_USERS,
}
_MEANINGS = {
    **{name: MEANINGS[name] for name in ("by", "least")},
    "alpha": "users with and users without the outcome that are added to each group; AIF360's concentration"
    " is"
    " 2 alpha, so that its default of 1 is alpha=0.5",
    "items": "the attribute or provider, as the data spells it; must be given for those outcomes",
}
_OUTCOMES = ("long_tail", "attributes", "providers")
_OUTCOME_MEANING = (
    "long_tail: an item drawn from the user's list is of the long tail (the rest below the most popular items"
    " with 80 % of the training interactions); attributes, providers: it is one of `items`, an item of"
    " several"
    " attributes counting for each in equal parts"
)


def _unfit(parameters: Mapping[str, Any]) -> str | None:
    if not parameters["alpha"] > 0:
        return f"alpha is above 0, not {parameters['alpha']}: a group without a hit would be infinitely far"
    if parameters["least"] < 2:
        return f"least is at least 2 users, not {parameters['least']}"
    named = parameters["outcome"] in ("attributes", "providers")
    if named and not parameters["items"]:
        return f"outcome={parameters['outcome']} needs items=NAME, the one whose items are meant"
    if parameters["items"] and not named:
        return f"items={parameters['items']} goes with outcome=attributes or outcome=providers"
    return None


def belonging(catalogue: Catalogue, outcome: str, items: str, name: str) -> tuple[Float64, Bool]:
    """float64[n_items], how far each item has the outcome, and bool[n_items], whether that is known.

    Raises
    ------
    UsageError
        When the data knows no such attribute or provider.
    """
    if outcome == "long_tail":
        found = tail(catalogue.train_counts, "interactions", 0.2)
        return found, np.ones(len(found), bool)
    groups = item_groups(catalogue, outcome, name)
    return groups.part_of(groups.place(items, outcome, name)), groups.known


def shares_of(lists: Ragged, belongs: Float64, known: Bool) -> tuple[Float64, Bool]:
    """float64[n], mean of ``belongs`` over the known items of each list, and bool[n], lists with any."""
    inside = lists.values >= 0
    inside[inside] = known[lists.values[inside]]
    rows = owners(lists)[inside]
    counts = np.bincount(rows, minlength=len(lists))
    sums = np.bincount(rows, weights=belongs[lists.values[inside]], minlength=len(lists))
    return np.divide(sums, counts, out=np.zeros(len(lists)), where=counts > 0), counts > 0


def _epsilon(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    hits, counts = np.split(sums, 2, axis=-1)
    return epsilon(hits, counts, parameters["alpha"])


def _alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return epsilon_of(rows, parameters["alpha"], parameters["least"])


def _within(scores: UnitScores, mask: Bool, parameters: Mapping[str, Any]) -> UnitScores:
    """The counts of groups stand in the last columns, behind one or two blocks of outcomes."""
    if scores.sums is None:
        return scores
    blocks = 3 if "data" in parameters else 2
    return within(scores, mask, int(parameters["least"]), [np.split(scores.sums, blocks, axis=1)[-1]])


def _told(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    """The pair that makes epsilon, by the lists: of an outcome and its absence it is the same one."""
    blocks = np.split(rows, 3 if "data" in parameters else 2, axis=1)
    counts = blocks[-1]
    pair = driving_pair(blocks[0].sum(axis=0), counts.sum(axis=0), parameters["alpha"])
    if pair is None:
        return ""
    high, low = (pair.higher, pair.lower) if pair.outcome else (pair.lower, pair.higher)
    outcome = {"hit": "a hit", "long_tail": "the long tail"}.get(parameters["outcome"], parameters["items"])
    shown = [f"{names[at]} ({rate_of(blocks[0][:, at], counts[:, at])})" for at in (high, low)]
    return f"in the lists the rate of {outcome} is highest for {shown[0]}, lowest for {shown[1]}"


def _tested(rows: Float64, parameters: Mapping[str, Any], seed: int) -> float | None:
    return label_test(rows, seed)


def _resolution(rows: Float64, parameters: Mapping[str, Any]) -> Resolution:
    return of_labels(rows)


@define(
    Definition(
        name="differential_fairness",
        title="Differential fairness ε",
        summary="How far apart two groups' chances of an outcome lie at most, as the logarithm of their"
        " ratio.",
        formula=(
            "max over pairs of groups and y in {outcome, none} of |ln P(y | s) − ln P(y | t)|,"
            " P(y | s) = (N(y, s) + alpha) / (N(s) + 2 alpha); outcome=hit: a relevant item is among the"
            " first k;"
            " for outcomes of items a user adds the share of their first k that has it. No ratio of two"
            " groups'"
            " chances exceeds exp(ε)"
        ),
        degenerate=(
            "hit: a user without relevant items is excluded (no-truth), one without an answer is none;"
            " outcomes of items: users without an answer (unanswered), with an empty list (empty-list) or"
            " no item"
            " of which it is known (no-valid-item) are excluded and counted." + _DEGENERATE
        ),
        source=_SOURCE + ". The interval: simultaneous ones of all pairs' log ratios (delta method).",
        direction="lower",
        bounds=(0.0, None),
        parameters={**BY, "outcome": ("hit", ("hit", *_OUTCOMES)), **_PARAMETERS},
        meanings={**_MEANINGS, "outcome": f"hit: the list holds a relevant item; {_OUTCOME_MEANING}"},
        traps=_TRAPS
        + " Hits have no data to be held against: compare the model with a baseline such as the most popular"
        " items instead. p is that of the clearest difference of two groups' rates when the labels are"
        " dealt anew, as group_gap has it.",
        needs=("groups", "outcome"),
        combine=_epsilon,
        alone=_alone,
        settle=settle_by("differential_fairness", 2, (1, 1)),
        test=_tested,
        resolution=_resolution,
        check=_unfit,
        within=_within,
        tells=_told,
    )
)
def differential_fairness(
    lists: RankedLists, *, k: int, by: str, outcome: str, alpha: float, items: str, least: int
) -> UnitScores:
    """Outcomes, for the greatest log ratio of groups' chances."""
    if outcome == "hit":
        scores = scored_by(lists, base("hit_rate", k))
    else:
        scores = mean_of_items(lists, k, *belonging(lists.catalogue, outcome, items, "differential_fairness"))
    return replace(scores, sums=_columns(scores.values, scores.scored))


def _columns(values: Float64, *others: Float64 | Bool) -> Float64:
    """float64[n, 1 + others], side by side; what stands under a reason is never read."""
    return np.stack([np.nan_to_num(values), *others], axis=1).astype(np.float64)


def _amplified(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    listed, held, counts = np.split(sums, 3, axis=-1)
    found: Float64 = epsilon(listed, counts, parameters["alpha"]) - epsilon(held, counts, parameters["alpha"])
    return found


def _amplification(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return amplification_of(rows, parameters["least"])


@define(
    Definition(
        name="differential_fairness_amplification",
        title="Amplification of ε",
        summary="By how much groups' lists differ in kind of item beyond what the groups' own choices do.",
        formula=(
            "ε(lists) − ε(data), each as differential_fairness of the same users; P(y | s) is the smoothed"
            " mean"
            " over users of the share of their first k (lists), or of their held-out or earlier items"
            " (data), that"
            " has the outcome. Above 0: the model widens what it found"
        ),
        degenerate=(
            "Users without an answer (unanswered), with an empty list (empty-list), with no item of which the"
            " outcome is known in the list (no-valid-item) or in the data (no-data) are excluded and counted."
            + _DEGENERATE
        ),
        source=_SOURCE
        + " (bias amplification). The interval: from simultaneous ones of each pair's log ratio in"
        " the lists, in the data, and of their difference.",
        direction="lower",
        bounds=(None, None),
        parameters={
            **BY,
            "outcome": ("long_tail", _OUTCOMES),
            "data": ("truth", ("truth", "history")),
            **_PARAMETERS,
        },
        meanings={
            **_MEANINGS,
            "outcome": _OUTCOME_MEANING,
            "data": "truth: the user's held-out items; history: what the model was told of",
        },
        traps=(
            "Both parts are ranges and lie too high, the data's by more where users have few items: the plain"
            " value flatters the model, the interval allows for it. A hit is no property of the data, so"
            " that it"
            " has no amplification: compare differential_fairness with that of a baseline. Data are no norm:"
            " what they hold may be unfair already."
        ),
        needs=("groups", "outcome"),
        combine=_amplified,
        alone=_amplification,
        settle=settle_by("differential_fairness_amplification", 3, (2, 2, 2)),
        check=_unfit,
        within=_within,
        tells=_told,
    )
)
def differential_fairness_amplification(
    lists: RankedLists, *, k: int, by: str, outcome: str, data: str, alpha: float, items: str, least: int
) -> UnitScores:
    """Shares of an outcome in lists and data; a user's own value is the one less the other."""
    name = "differential_fairness_amplification"
    belongs, known = belonging(lists.catalogue, outcome, items, name)
    held, there = shares_of(lists.truth if data == "truth" else lists.history, belongs, known)
    listed = mean_of_items(lists, k, belongs, known, also={"no-data": ~there})
    sums = _columns(listed.values, held, listed.scored)
    return UnitScores(values=listed.values - held, reasons=listed.reasons, sums=sums)
