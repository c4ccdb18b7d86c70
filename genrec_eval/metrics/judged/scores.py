"""Means over units of what judges said of single texts: scores, supported claims, ranks, agreement."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, Family, UnitScores, define
from genrec_eval.protocol.arrays import Float64, Int64


@dataclass(frozen=True, slots=True, kw_only=True)
class Judged:
    """One number per judged text, after the policies for repeats, orders and missing verdicts.

    Attributes
    ----------
    values
        float64[m]; entries under a reason are never read.
    unit
        int64[m], the unit of each text.
    units
        Number of units; one without any text has the reason ``not-judged``.
    reasons
        Reason → bool[m]; disjoint.
    """

    values: Float64
    unit: Int64
    units: int
    reasons: Mapping[str, Bool] = field(default_factory=dict)


NOT_JUDGED = "not-judged"
"""Reason: the unit, or one of its texts, is outside the sample that was judged."""


def per_unit(judged: Judged) -> UnitScores:
    """The mean over each unit's texts that have a value; else the reason of its first text.

    >>> judged = Judged(values=np.array([1.0, 3.0, 0.0]), unit=np.array([0, 0, 1]), units=3,
    ...                 reasons={"unparsed": np.array([False, False, True])})
    >>> scores = per_unit(judged)
    >>> scores.values, {name: mask.tolist() for name, mask in scores.reasons.items()}
    (array([2., 0., 0.]), {'unparsed': [False, True, False], 'not-judged': [False, False, True]})
    """
    scored = np.ones(len(judged.values), bool)
    for mask in judged.reasons.values():
        scored &= ~mask
    counts = np.bincount(judged.unit[scored], minlength=judged.units)
    sums = np.bincount(judged.unit[scored], weights=judged.values[scored], minlength=judged.units)
    first = np.full(judged.units, len(judged.unit), np.int64)
    np.minimum.at(first, judged.unit, np.arange(len(judged.unit)))
    without, texts = counts == 0, first < len(judged.unit)
    reasons = {}
    for name, mask in judged.reasons.items():
        held = np.zeros(judged.units, bool)
        held[without & texts] = mask[first[without & texts]]
        if held.any():
            reasons[name] = held
    if (~texts).any():
        reasons[NOT_JUDGED] = reasons.get(NOT_JUDGED, False) | ~texts
    return UnitScores(
        values=np.divide(sums, counts, out=np.zeros(judged.units), where=counts > 0), reasons=reasons
    )


_DEGENERATE = (
    "Texts without a verdict are left out under their reason, or count as the policy says; when fewer"
    " judgements than min_coverage have a verdict, no unit has a value (judge-coverage). Several texts of a"
    " unit are averaged."
)
_NAMES: Mapping[str, Any] = {"judge": ("", None), "rubric": ("", None)}
_MEANINGS = {
    "judge": "the judge, or the judges of a panel joined by +",
    "rubric": "the rubric that was put to it",
}
_SHARED: Mapping[str, Any] = {"needs_cutoff": False, "on": "judged texts"}
_TRAPS = (
    "A judge's figure is worth its agreement with people; never compare it across judges or their versions."
)


def _judged(*, degenerate: str = "", traps: str = "", **more: Any) -> Family:
    """A mean over units of what a judge said of their texts: measures differ in what they ask for alone."""

    def score(judged: Judged, *, judge: str, rubric: str) -> UnitScores:
        """Mean over the texts of each unit."""
        return per_unit(judged)

    return define(
        Definition(
            degenerate=degenerate + _DEGENERATE,
            traps=_TRAPS + traps,
            parameters=_NAMES,
            meanings=_MEANINGS,
            **_SHARED,
            **more,
        )
    )(score)


rubric_score = _judged(  # direction and bounds are those of the rubric
    name="rubric_score",
    title="Rubric score",
    summary="Mean score that a judge gives to the texts by a rubric.",
    formula="mean over texts of the judge's score; over repeats and a panel's judges first",
    source="LLM-as-a-judge, single-answer grading: Zheng et al. 2023 (MT-bench).",
    direction="higher",
    bounds=(None, None),
)
claim_support = _judged(
    name="claim_support",
    title="Supported claims",
    summary="Share of a text's claims that the judge finds supported by the facts.",
    formula="supported claims / claims, per text; then the mean over texts",
    degenerate="A text without a claim has none (no-claims). ",
    source="Statement-level faithfulness, as in RAGAS (Es et al. 2024).",
    direction="higher",
    unit="share",
    traps=" A text of few, vague claims is easily supported: read it beside its length.",
)
claim_recall = _judged(
    name="claim_recall",
    title="Recalled claims",
    summary="Share of the reference's statements that the judge finds in the text.",
    formula="statements of the reference that the text says / statements of it, per text; then the mean",
    degenerate="A reference without a statement has none (no-claims), and a case without a reference"
    " none (no-reference). ",
    source="Statement recall, as in RAGAS (Es et al. 2024) and Kabongo and Guigue 2025.",
    direction="higher",
    unit="share",
    traps=" No short text says all that a long reference does: compare on the same cases.",
)
judge_rank = _judged(
    name="judge_rank",
    title="Share ranked above",
    summary="Share of the other models' answers to the same case that the judge ranks above.",
    formula="(rank − 1) / (answers − 1), per case; 0 is always first, 1 always last",
    degenerate="A case that one model alone answered ranks nothing (nothing-to-rank). ",
    source="Listwise judging, as in Sun et al. 2023 (RankGPT).",
    direction="lower",
    unit="share",
    traps=" The figure depends on which models are ranked together.",
)


@define(
    Definition(
        name="panel_agreement",
        title="Agreement with the panel",
        summary="How far one judge of a panel agrees with the others together.",
        formula="pairs: 1 if the same winner else 0; scores: 1 − |score − mean of the others| / width of the"
        " scale; claims and ranks: 1 − |difference|",
        degenerate="Texts for which a judge of the panel has no verdict are left out under its reason.",
        source="Leave-one-out agreement; panels of judges: Verga et al. 2024 (PoLL).",
        direction="higher",
        unit="share",
        parameters={**_NAMES, "one": ("", None), "task": ("pointwise", None), "against": ("", None)},
        meanings={
            **_MEANINGS,
            "one": "the judge that is compared with the others",
            "task": "what the panel was asked",
            "against": "the model that pairs are compared with",
        },
        traps="Judges of one family agree in their errors too; agreement is no evidence of being right.",
        **_SHARED,
    )
)
def panel_agreement(
    judged: Judged, *, judge: str, rubric: str, one: str, task: str = "pointwise", against: str = ""
) -> UnitScores:
    """Mean agreement of one judge with the others of its panel."""
    return per_unit(judged)
