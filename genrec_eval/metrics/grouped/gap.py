"""How far the means of groups of users lie apart: gap, ratio, and one group against the rest."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.grouped.by_group import (
    BY,
    DEGENERATE,
    LEAST_USERS,
    MEANINGS,
    NDCG,
    TRAPS,
    GroupedUnits,
    bounds_of,
    by_groups,
    codes_by,
    cut,
    place_of,
    unfit,
    within,
)
from genrec_eval.metrics.lists import GroupCodes
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.fits import Student
from genrec_eval.stats.group_labels import label_test
from genrec_eval.stats.ranges import column_means, range_of, ratio_of
from genrec_eval.stats.resolution import Resolution, of_labels

if TYPE_CHECKING:
    from genrec_eval.stats.fits import Fit

_PARAMETERS: dict[str, Any] = {**BY, "of": (NDCG, None)}
_TEST = (
    " p is that of the clearest difference of two groups when the groups' labels are dealt anew over the"
    " users 4,999 times, or until 400 deals are as clear (max-T; beyond 20,000 users each group is drawn from"
    " all users). A group's spread is taken for no less than it is with 30 users more of the spread of all."
)


def _tested(rows: Float64, parameters: Mapping[str, Any], seed: int) -> float | None:
    return label_test(rows, seed)


def _resolution(rows: Float64, parameters: Mapping[str, Any]) -> Resolution:
    return of_labels(rows)


def extremes(sums: Float64) -> tuple[Float64, Float64]:
    """float64[...] each, lowest and highest mean of groups; NaN where fewer than two have one.

    >>> extremes(np.array([1.0, 6.0, 4.0, 8.0]))
    (array(0.25), array(0.75))
    """
    means, counts = column_means(sums)
    several = (counts > 0).sum(axis=-1) > 1
    low = np.where(counts > 0, means, np.inf).min(axis=-1)
    high = np.where(counts > 0, means, -np.inf).max(axis=-1)
    return np.where(several, low, np.nan), np.where(several, high, np.nan)


def gap_between(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """Highest mean less lowest."""
    low, high = extremes(sums)
    found: Float64 = high - low
    return found


def ratio_between(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """Lowest mean over highest; NaN where none is above 0."""
    low, high = extremes(sums)
    return np.divide(low, high, out=np.full(np.shape(low), np.nan), where=high > 0)


def _within(scores: UnitScores, mask: Bool, parameters: Mapping[str, Any]) -> UnitScores:
    if scores.sums is None:
        return scores
    return within(scores, mask, int(parameters["least"]), [np.split(scores.sums, 2, axis=1)[1]])


_SHARED: dict[str, Any] = {"on": "units", "needs": ("groups",), "within": _within, "cutoff_by": cut}


def _range(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return range_of(rows, bounds_of(parameters["of"]))


def _ratio(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return ratio_of(rows, bounds_of(parameters["of"]))


def _signed(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    means, _ = column_means(sums)
    found: Float64 = means[..., 0] - means[..., 1]
    return found


def _welch(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    """Welch's t for the two; its error is that of a range of two."""
    found = range_of(rows, bounds_of(parameters["of"]))
    if isinstance(found, str):
        return found
    value = float(_signed(rows.sum(axis=0), parameters))
    return Student(value, float(found.errors[0]), float(found.freedom[0]), "welch")


def _no_ratio(parameters: Mapping[str, Any]) -> str | None:
    said = unfit(parameters)
    if said is None and not (bounds_of(str(parameters["of"]))[0] or 0.0) >= 0:
        return f"of={parameters['of']} can be below 0, where a ratio says nothing; use group_gap"
    return said


@define(
    Definition(
        name="group_gap",
        title="Group gap",
        summary="Highest mean of a metric over groups of users less the lowest.",
        formula="max over groups of mean over the group's users − min over groups, of the metric `of`",
        degenerate=DEGENERATE,
        source="fairlearn MetricFrame.difference(method='between_groups'); its interval: Tukey's simultaneous"
        " comparisons by Bonferroni and Welch.",
        direction="lower",
        bounds=(0.0, None),
        parameters={**_PARAMETERS, **LEAST_USERS},
        meanings=MEANINGS,
        traps=TRAPS + _TEST,
        combine=gap_between,
        alone=_range,
        test=_tested,
        resolution=_resolution,
        check=unfit,
        **_SHARED,
    )
)
def group_gap(units: GroupedUnits, *, by: str, of: str, least: int, k: int | None = None) -> UnitScores:
    """Scores by group, for the range of their means."""
    return by_groups(units.scores, codes_by(units, by, "group_gap"), least)


@define(
    Definition(
        name="group_ratio",
        title="Group ratio",
        summary="Lowest mean of a metric over groups of users, in relation to the highest.",
        formula="min over groups of mean over the group's users / max over groups, of the metric `of`",
        degenerate=f"{DEGENERATE} Where the highest mean is 0 there is no value; where a group's mean lies"
        " within three standard errors of 0 there is no interval.",
        source="fairlearn MetricFrame.ratio(method='between_groups'); its interval: simultaneous ones of the"
        " logarithms (delta method).",
        direction="higher",
        bounds=(0.0, 1.0),
        parameters={**_PARAMETERS, **LEAST_USERS},
        meanings=MEANINGS,
        traps=f"{TRAPS} 0.8 is no law of nature: the four-fifths rule is about hiring. group_gap tests"
        " whether the groups differ at all.",
        combine=ratio_between,
        alone=_ratio,
        resolution=_resolution,
        check=_no_ratio,
        **_SHARED,
    )
)
def group_ratio(units: GroupedUnits, *, by: str, of: str, least: int, k: int | None = None) -> UnitScores:
    """Scores by group, for the ratio of their means."""
    return by_groups(units.scores, codes_by(units, by, "group_ratio"), least)


@define(
    Definition(
        name="group_difference",
        title="Group difference",
        summary="Mean of a metric over the users of one group less that over all other users.",
        formula="mean over the group's users − mean over the users of all other groups, of the metric `of`",
        degenerate=DEGENERATE,
        source="Welch 1947; with bounded metrics one user more at each bound (Agresti & Caffo 2000).",
        direction="none",
        bounds=(None, None),
        parameters={**_PARAMETERS, "group": ("", None), **LEAST_USERS},
        meanings=MEANINGS,
        traps="The rest is all other known groups together, the small ones too, each user counting alike: the"
        " largest of them decides." + _TEST,
        combine=_signed,
        alone=_welch,
        test=_tested,
        resolution=_resolution,
        check=unfit,
        **_SHARED,
    )
)
def group_difference(
    units: GroupedUnits, *, by: str, of: str, group: str, least: int, k: int | None = None
) -> UnitScores:
    """Scores of a group and of the rest."""
    groups = codes_by(units, by, "group_difference")
    own = place_of(groups, by, group, "group_difference")
    codes = np.where(groups.codes < 0, -1, groups.codes != own).astype(np.int32)
    return by_groups(units.scores, GroupCodes(codes, (group, "the rest")), least)
