"""Is a change of lists a change for the worse? List change beyond chance, crossed with change of utility."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists
from genrec_eval.metrics.sensitivity.compared import (
    DEGENERATE,
    MEANINGS,
    OF,
    by_value,
    columns_of,
    compared,
    failures,
    hits,
    needs_attribute,
    no_truth,
    over_pairs,
    repeat_pairs,
    scored_of,
)
from genrec_eval.protocol.arrays import Float64

OUTCOMES = ("stable", "beneficial", "unjustified", "harmful")


def _check(parameters: Mapping[str, Any]) -> str | None:
    if (said := needs_attribute(parameters)) is not None:
        return said
    if not parameters["outcome"]:
        return f"name the outcome, one of {', '.join(OUTCOMES)}, as in outcome=harmful"
    if not 0 < parameters["floor"] < 0.5:
        return f"floor lies between 0 and 0.5, not at {parameters['floor']}"
    return None


@define(
    Definition(
        name="quadrant",
        title="Quadrant",
        summary="Share of lists under a disclosed value that are stable, better, worse or changed to no end.",
        formula=(
            "each list under a value is held against the neutral ones of other repeats. harmful: it holds"
            " fewer held-out relevant items, by more than neutral repeats differ in all but a share `floor`"
            " of the cases; beneficial: more, by as much; else unjustified where the similarity is below the"
            " `floor` quantile of neutral to neutral; else stable. Mean over pairs, values, units; the four"
            " add up to 1"
        ),
        degenerate=DEGENERATE
        + " So are units with one neutral answer only (one-repeat) and without held-out items (no-truth).",
        source="This project; the cross of Deldjoo & Di Noia 2025 (CFaiRLLM) with a noise floor.",
        direction="none",
        unit="share",
        on="arms",
        parameters={
            "attribute": ("", None),
            "value": ("", None),
            "outcome": ("", ("", *OUTCOMES)),
            "floor": (0.05, None),
            **OF,
        },
        meanings={
            **MEANINGS,
            "outcome": (
                "stable: no more change than between neutral lists; beneficial: more of what the user is"
                " known to like; unjustified: other items without gain or loss; harmful: less of it"
            ),
            "floor": "the share of neutral repeats that count as changed",
        },
        check=_check,
        traps=(
            "Where nothing is disclosed, up to a share `floor` counts as unjustified, and up to as much as"
            " harmful and beneficial together. The thresholds come from the same run and are taken as known."
        ),
    )
)
def quadrant(
    lists: ArmLists,
    *,
    k: int,
    attribute: str,
    value: str,
    outcome: str,
    floor: float,
    of: str,
    rule: str,
    weighted: str,
) -> UnitScores:
    """Share of lists in one of four outcomes."""
    columns = columns_of(lists, attribute, value)
    likeness = compared(lists, k, of, rule, weighted)
    whole = over_pairs(likeness)
    also = {"one-repeat": np.isnan(whole[:, 0]), "no-truth": no_truth(lists)}
    reasons = failures(lists, whole, columns, also)
    scored = ~np.logical_or.reduce([np.zeros(len(lists), bool), *reasons.values()])
    found = hits(lists, k)
    gain = np.stack([found[j] - found[i][:, :1] for i, j in repeat_pairs(lists)])
    least = _quantile(likeness[:, scored, 0], floor, "lower")
    most = _quantile(np.abs(gain[:, scored, 0]), 1 - floor, "higher")
    worse, better = gain < -most, gain > most
    # a list that changed less than chance changes it, and lost more than chance loses, is worse all the same
    other = ~worse & ~better & (likeness < least)
    shares = {
        "harmful": worse,
        "beneficial": better,
        "unjustified": other,
        "stable": ~worse & ~better & ~other,
    }
    marked = np.where(np.isnan(likeness), np.nan, shares[outcome].astype(np.float64))
    values = by_value(lists, over_pairs(marked), columns)
    return scored_of(over_pairs(values.T), reasons)


def _quantile(values: Float64, share: float, method: Any) -> float:
    known = values[~np.isnan(values)]
    return float(np.quantile(known, share, method=method)) if len(known) else np.nan
