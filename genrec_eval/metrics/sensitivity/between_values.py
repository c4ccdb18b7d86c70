"""How differently the values of one attribute move the lists: SNSR, SNSV, and what of them is no chance."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.disclosed_values import apart
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists
from genrec_eval.metrics.sensitivity.compared import (
    DEGENERATE,
    MEANINGS,
    OF,
    PAIRS,
    by_value,
    columns_of,
    compared,
    failures,
    needs_attribute,
    over_pairs,
    scored_of,
    sums_and_counts,
)
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.ranges import column_means
from genrec_eval.stats.within_units import (
    excess_fit,
    null_scale,
    range_fit,
    resolution,
    shuffled_ranges,
    spread_fit,
)

_PARAMETERS: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {"attribute": ("", None), **OF}
_SIM = "Sim(a) = mean over units of the similarity of the list under value a to the neutral one."
_EDGE = (
    DEGENERATE
    + " An attribute with one value has no figure (one-value). Where units are so few that no arrangement"
    " of the values could ever have p <= 0.05, there is a value and no interval, so that nothing is decided."
)


def _told(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    sums = rows[:, : 2 * len(names)]  # those of the floor come after them
    return apart(sums, names, str(parameters["attribute"]), "similarity to neutral")


_SHARED: dict[str, Any] = {
    "degenerate": _EDGE,
    "direction": "lower",
    "on": "arms",
    "parameters": _PARAMETERS,
    "meanings": {name: said for name, said in MEANINGS.items() if name != "value"},
    "check": needs_attribute,
    "tells": _told,
}


def _of_values(lists: ArmLists, k: int, attribute: str, of: str, rule: str, weighted: str) -> UnitScores:
    """Rows of sums and counts by value; a unit's own figure is the range of its values."""
    columns = columns_of(lists, attribute)
    cells = over_pairs(compared(lists, k, of, rule, weighted))
    constant = {"one-value": np.full(len(lists), len(columns) < 2)}
    reasons = failures(lists, cells, columns, constant)
    rows = sums_and_counts(by_value(lists, cells, columns), list(reasons.values()))
    g = rows.shape[1] // 2
    there = rows[:, g:] > 0
    top = np.where(there, rows[:, :g], -np.inf).max(axis=1, initial=-np.inf)
    low = np.where(there, rows[:, :g], np.inf).min(axis=1, initial=np.inf)
    values = np.where(there.any(axis=1), top - np.where(there.any(axis=1), low, 0.0), 0.0)
    return scored_of(np.maximum(values, 0.0), reasons, rows)


def _range(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    means, counts = column_means(sums)
    some = counts > 0
    top = np.where(some, means, -np.inf).max(axis=-1)
    low = np.where(some, means, np.inf).min(axis=-1)
    return np.where(some.sum(axis=-1) > 1, top - low, np.nan)


@define(
    Definition(
        name="snsr",
        title="SNSR",
        summary="Sensitive-to-neutral similarity range: how far the values of an attribute lie apart.",
        formula=_SIM + " SNSR = max over values a of Sim(a) - min over a of Sim(a)." + PAIRS,
        source="Zhang et al. 2023 (FaiRLLM).",
        combine=_range,
        alone=lambda rows, parameters: range_fit(rows),
        resolution=lambda rows, parameters: resolution(rows),
        traps=(
            "A range has a floor: with 2, 3, 5, 7 values that mean nothing it is 1.13, 1.69, 2.33, 2.70"
            " standard errors, so attributes with more values come out higher; see snsr_excess. A model that"
            " changes everything for every value scores 0; see relative_similarity."
        ),
        **_SHARED,
    )
)
def snsr(lists: ArmLists, *, k: int, attribute: str, of: str, rule: str, weighted: str) -> UnitScores:
    """Range over values of the mean similarity to neutral."""
    return _of_values(lists, k, attribute, of, rule, weighted)


def _spread(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    means, counts = column_means(sums)
    some = counts > 0
    number = some.sum(axis=-1)
    centre = np.where(some, means, 0.0).sum(axis=-1) / number
    square = np.where(some, means - centre[..., None], 0.0) ** 2
    return np.where(number > 1, np.sqrt(square.sum(axis=-1) / number), np.nan)


@define(
    Definition(
        name="snsv",
        title="SNSV",
        summary="Sensitive-to-neutral similarity variance: the spread between the values of an attribute.",
        formula=_SIM + " SNSV = sqrt(mean over values a of (Sim(a) - mean over a of Sim(a))^2)." + PAIRS,
        source="Zhang et al. 2023 (FaiRLLM); a standard deviation over values in spite of its name.",
        bounds=(0.0, 0.5),
        combine=_spread,
        alone=lambda rows, parameters: spread_fit(rows),
        resolution=lambda rows, parameters: resolution(rows),
        traps="It has a floor as snsr has, and the same blind spot.",
        **_SHARED,
    )
)
def snsv(lists: ArmLists, *, k: int, attribute: str, of: str, rule: str, weighted: str) -> UnitScores:
    """Standard deviation over values of the mean similarity to neutral."""
    return _of_values(lists, k, attribute, of, rule, weighted)


def _floor(sums: Float64) -> Float64:
    """The mean range under shuffled values, from the last three columns of rows or of their sums."""
    scale, factor, units = sums[..., -3], sums[..., -2], sums[..., -1]
    return np.asarray(factor / units * np.sqrt(np.maximum(scale, 0.0)) / units)


def _excess(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    return _range(sums[..., :-3], parameters) - _floor(sums)


def _excess_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return excess_fit(rows[:, :-3], float(_floor(rows.sum(axis=0))))


def _test(rows: Float64, parameters: Mapping[str, Any], seed: int) -> float | None:
    found = shuffled_ranges(rows[:, :-3], seed)
    return None if found is None else found.p


@define(
    Definition(
        name="snsr_excess",
        title="SNSR over chance",
        summary="SNSR less what it would be on average if the disclosed values meant nothing.",
        formula=(
            _SIM
            + " max - min over values, less the mean of the same under shuffles of the values inside each"
            " unit: all arrangements up to 50,000, else 5,000 drawn ones." + PAIRS
        ),
        source="This project; Zhang et al. 2023 (FaiRLLM) give the range without a null model.",
        bounds=(-1.0, 1.0),
        combine=_excess,
        alone=_excess_alone,
        test=_test,
        resolution=lambda rows, parameters: resolution(rows[:, :-3]),
        traps=(
            "The floor shrinks as units are added, so compare runs of equally many. The low end of the"
            " interval is that of the range less the floor, the high end that of the range: it gives nothing"
            " away. p is that of a test that shuffles the values inside each unit."
        ),
        **_SHARED,
    )
)
def snsr_excess(lists: ArmLists, *, k: int, attribute: str, of: str, rule: str, weighted: str) -> UnitScores:
    """Range over values, less the mean range of shuffled values."""
    plain = _of_values(lists, k, attribute, of, rule, weighted)
    assert plain.sums is not None
    scored = plain.scored
    rows = plain.sums
    scale = np.where(scored, null_scale(rows), 0.0)
    null = shuffled_ranges(rows[scored], 0)  # scores are no business of the run's seed
    units, spread = int(scored.sum()), float(np.sqrt(scale.sum()))
    # so that a resample's floor follows its own spread: mean range = factor * sqrt(sum of scales) / units
    factor = null.mean * units / spread if null is not None and spread > 0 else 0.0
    extra = np.stack([scale, np.full(len(rows), factor), np.ones(len(rows))], axis=1)
    return UnitScores(
        values=plain.values,
        reasons=plain.reasons,
        sums=np.concatenate([rows, extra * scored[:, None]], axis=1),
    )
