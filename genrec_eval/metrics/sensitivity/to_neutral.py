"""How far lists move from the neutral ones, beside how far neutral lists move from each other."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists
from genrec_eval.metrics.sensitivity.compared import (
    DEGENERATE,
    MEANINGS,
    OF,
    PAIRS,
    by_value,
    columns_of,
    compared,
    exclusive,
    failures,
    needs_attribute,
    no_truth,
    over_pairs,
    scored_of,
)
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.fits import Constant, Ends, Fit

_DISCLOSED: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {
    "attribute": ("", None),
    "value": ("", None),
    **OF,
}
_ROUNDING = 1e-12
"""Similarities that differ by this share of the greatest are equal."""
_FAIRLLM = "Zhang et al. 2023 (FaiRLLM), every published variant under its own name."


@define(
    Definition(
        name="neutral_similarity",
        title="Similarity to neutral",
        summary="How alike the lists are that a model gives with and without a disclosed value.",
        formula="mean over units (and the attribute's values) of the similarity to the neutral list." + PAIRS,
        degenerate=DEGENERATE,
        source=_FAIRLLM,
        direction="none",
        on="arms",
        parameters=_DISCLOSED,
        meanings=MEANINGS,
        check=needs_attribute,
        traps="Chance alone changes lists: read it beside neutral_noise, or take relative_similarity.",
    )
)
def neutral_similarity(
    lists: ArmLists, *, k: int, attribute: str, value: str, of: str, rule: str, weighted: str
) -> UnitScores:
    """Mean similarity of the lists under a value to the neutral ones."""
    columns = columns_of(lists, attribute, value)
    cells = over_pairs(compared(lists, k, of, rule, weighted))
    return scored_of(over_pairs(by_value(lists, cells, columns).T), failures(lists, cells, columns))


@define(
    Definition(
        name="neutral_noise",
        title="Neutral to neutral",
        summary="How alike lists are when nothing was disclosed: the floor that chance and wording set.",
        formula=(
            "mean over units of the similarity of neutral lists, over ordered pairs of repeats; for another"
            " arm: of the lists asked for in that way to the plain neutral ones, with nothing disclosed where"
            " the arm is asked so"
        ),
        degenerate=(
            "An empty list against one that is not counts 0. Excluded and counted are units without a neutral"
            " answer (neutral-failed), with empty neutral lists only (empty-neutral), with one neutral answer"
            " only (one-repeat), and for another arm those that were not asked so (not-asked) or gave no list"
            " (arm-failed)."
        ),
        source="This project; the same similarities as neutral_similarity.",
        direction="none",
        on="arms",
        parameters={
            "arm": ("neutral", ("neutral", "paraphrase", "typo", "order", "language")),
            **{name: allowed for name, allowed in OF.items() if name != "weighted"},
        },
        meanings={
            "arm": "what is held against the plain neutral lists: their repeats, or another way of asking",
            "of": MEANINGS["of"],
            "rule": MEANINGS["rule"],
        },
        traps="A model that answers alike each time has no noise, and then every change counts.",
    )
)
def neutral_noise(lists: ArmLists, *, k: int, arm: str, of: str, rule: str) -> UnitScores:
    """Similarity of neutral lists to each other."""
    # over ordered pairs both lists are weighted in turn
    cells = over_pairs(compared(lists, k, of, rule, "sensitive"))
    some = [i for i, v in enumerate(lists.variants) if v.arm == arm and (i > 0 or arm == "neutral")]
    nothing_told = [i for i in some if lists.variants[i].attribute is None]
    some = nothing_told or some  # a floor holds no disclosure where the arm is asked without one
    columns = {arm: np.array(some[:1] if arm == "neutral" else some, np.int32)}
    if not some:
        return scored_of(np.zeros(len(lists)), {"not-asked": np.ones(len(lists), bool)})
    also = {"one-repeat": np.isnan(cells[:, 0])} if arm == "neutral" else None
    return scored_of(by_value(lists, cells, columns)[:, 0], failures(lists, cells, columns, also))


def ratio(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """Similarity to neutral over neutral to neutral, of their sums."""
    return np.asarray(sums[..., 0] / sums[..., 1])


def ratio_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | None:
    """Where the ratio of every unit is the same: units of another kind may have any two figures.

    >>> found = ratio_alone(np.array([[0.5, 0.5], [0.25, 0.25]] * 20), {})
    >>> found.value, [round(end, 3) for end in found.ends(0.95)]
    (1.0, [0.795, 1.258])
    """
    if not len(rows) or not rows[:, 1].sum() > 0:
        return None
    top, bottom = float(rows[:, 0].mean()), float(rows[:, 1].mean())
    value, most = top / bottom, float(rows[:, :2].max(initial=1.0))
    if (np.abs(rows[:, 0] - value * rows[:, 1]) > _ROUNDING * most).any():
        return None

    def reach(p: float) -> Ends:
        seen = 1 - p
        low = seen * top / (seen * bottom + p * most)
        return low, (seen * top + p * most) / (seen * bottom) if seen > 0 else math.inf

    return Constant(value, len(rows), reach)


SAME_RATIO = (
    " Where the ratio of every one is the same, the interval says how far those of another kind, whom nobody"
    " happened to see, would move it."
)


@define(
    Definition(
        name="relative_similarity",
        title="Similarity over noise",
        summary="Similarity to neutral, over that of neutral lists to each other: 1 where a value changes no"
        " more than chance does.",
        formula="sum over units of similarity to neutral / sum over the same units of neutral to neutral."
        + PAIRS,
        degenerate=DEGENERATE + " So are units with one neutral answer only (one-repeat)." + SAME_RATIO,
        source="This project.",
        direction="none",
        bounds=(0.0, None),
        on="arms",
        parameters=_DISCLOSED,
        meanings=MEANINGS,
        check=needs_attribute,
        combine=ratio,
        alone=ratio_alone,
        traps="A model that changes lists in the same way for every value falls here, and not in snsr.",
    )
)
def relative_similarity(
    lists: ArmLists, *, k: int, attribute: str, value: str, of: str, rule: str, weighted: str
) -> UnitScores:
    """Similarity to neutral as a share of what repeats leave."""
    columns = columns_of(lists, attribute, value)
    cells = over_pairs(compared(lists, k, of, rule, weighted))
    reasons = failures(lists, cells, columns, {"one-repeat": np.isnan(cells[:, 0])})
    sums = np.stack([over_pairs(by_value(lists, cells, columns).T), cells[:, 0]], axis=1)
    values = np.divide(sums[:, 0], sums[:, 1], out=np.zeros(len(lists)), where=sums[:, 1] > 0)
    return scored_of(values, reasons, sums)


@define(
    Definition(
        name="preference_alignment",
        title="Preference alignment",
        summary="Similarity to neutral of what the user is known to like: held-out relevant items alone.",
        formula="lists are intersected with the unit's held-out relevant items, then compared." + PAIRS,
        degenerate=DEGENERATE
        + " So are units without held-out items (no-truth) and those whose lists hold none (no-hits). A value"
        " under which neither list holds any has nothing to align, and drops out of the unit's mean.",
        source="Deldjoo & Di Noia 2025 (CFaiRLLM): true preference alignment.",
        direction="none",
        on="arms",
        parameters=_DISCLOSED,
        meanings=MEANINGS,
        check=needs_attribute,
        traps="It is silent about which list is better: see quadrant. Lists with few hits say little.",
    )
)
def preference_alignment(
    lists: ArmLists, *, k: int, attribute: str, value: str, of: str, rule: str, weighted: str
) -> UnitScores:
    """Similarity of relevant items alone."""
    columns = columns_of(lists, attribute, value)
    whole = over_pairs(compared(lists, k, "jaccard", "standard", "sensitive"))
    cells = over_pairs(compared(lists, k, of, rule, weighted, truth=True))
    # arms that failed are told by the whole lists; a value without any hit has nothing to align
    values = np.stack([over_pairs(cells[:, some].T) for some in columns.values()])
    nothing = np.asarray(np.isnan(values).all(axis=0), bool)
    empty = exclusive({**failures(lists, whole, columns, {"no-truth": no_truth(lists)}), "no-hits": nothing})
    return scored_of(over_pairs(values), empty)
