"""A judge beside people: how far it agrees with them, and its figure once their labels have corrected it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.judged.scores import Judged, per_unit
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.prediction_powered import Powered, combine
from genrec_eval.stats.rogan_gladen import LEAST_OF_A_KIND

CLAIMS = "claims"
"""Task whose verdicts are yes or no."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """Judged units, some of which people have labelled too.

    Attributes
    ----------
    values
        float64[n], what is known of each unit: the people's value where there is one, else the judge's.
    sums
        float64[n, m], of :func:`~genrec_eval.stats.prediction_powered.unit_sums`, or for claims of
        :func:`claim_sums`.
    reasons
        Reason why the judge says nothing of a unit → bool[n].
    """

    values: Float64
    sums: Float64
    reasons: Mapping[str, Bool] = field(default_factory=dict)


_WHOSE: dict[str, Any] = {
    "judge": ("", None),
    "rubric": ("", None),
    "task": ("pointwise", ("pointwise", "pairwise", CLAIMS)),
    "against": ("", None),
}
_MEANINGS = {
    "judge": "the judge, or the judges of a panel joined by +; human for people among themselves",
    "rubric": "the rubric that was put to judge and people",
    "task": "what was asked",
    "against": "the model that pairs are compared with",
}


@define(
    Definition(
        name="human_agreement",
        title="Agreement with people",
        summary="How far a judge agrees with a person; for judge=human, how far two people agree, which is"
        " the ceiling.",
        formula="pairs: 1 if the same winner else 0; scores: 1 - |difference| / width of the scale; claims: 1"
        " if the same verdict (supported or not) else 0; mean over the people who labelled a text (over two"
        " of them for judge=human), then over texts",
        degenerate="Texts without a label (for judge=human: without two) are left out. Identical texts, which"
        " nobody is asked about, do not count. Scores on another scale are mapped to the rubric's.",
        source="Vote against vote: Zheng et al. 2023, arXiv 2306.05685, section 4.2.",
        direction="higher",
        unit="share",
        parameters=_WHOSE,
        meanings=_MEANINGS,
        needs_cutoff=False,
        on="judged texts",
        traps="Read it beside judge=human: no judge can be expected to agree with a person more than people"
        " do with each other. Where one answer is frequent, a judge that always gives it agrees often too.",
    )
)
def human_agreement(judged: Judged, **whose: str) -> UnitScores:
    """Mean agreement of votes."""
    return per_unit(judged)


def claim_sums(judged: Float64, human: Float64, unit: np.ndarray, units: int) -> Float64:
    """float64[units, 6]: claims by verdict of people and judge, then what the judge says of all claims.

    Parameters
    ----------
    judged
        float64[m], 1 for supported and 0 for not, of each claim.
    human
        The same of people; NaN where nobody has labelled it or they are split.
    unit
        int64[m].

    >>> claim_sums(np.array([1.0, 1.0, 0.0]), np.array([1.0, np.nan, 0.0]), np.array([0, 0, 1]), 2)
    array([[1., 0., 0., 0., 2., 2.],
           [0., 0., 0., 1., 0., 1.]])
    """
    yes, no = human == 1, human == 0
    columns = [yes & (judged == 1), yes & (judged == 0), no & (judged == 1), no & (judged == 0), judged == 1]
    columns.append(np.ones(len(judged), bool))
    found = [np.bincount(unit, weights=column.astype(np.float64), minlength=units) for column in columns]
    return np.stack(found, axis=1)


def corrected_rate(sums: Float64) -> Float64:
    """Rogan and Gladen's rate at sums of :func:`claim_sums`; NaN where nothing can be told.

    >>> corrected_rate(np.array([[45.0, 5.0, 10.0, 40.0, 600.0, 1000.0]])).round(3)
    array([0.571])
    """
    hits, missed, false, right, said, claims = np.moveaxis(sums, -1, 0)
    with np.errstate(all="ignore"):
        sensitivity, specificity = hits / (hits + missed), right / (false + right)
        skill = sensitivity + specificity - 1
        rate = (said / claims + specificity - 1) / skill
    known = (hits + missed >= LEAST_OF_A_KIND) & (false + right >= LEAST_OF_A_KIND) & (skill > 1e-12)
    return np.where(known, np.clip(rate, 0.0, 1.0), np.nan)


def _combine(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    return corrected_rate(sums) if parameters["task"] == CLAIMS else combine(sums, parameters)


def _alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str | None:
    if parameters["task"] != CLAIMS:
        return Powered.of(rows)
    hits, missed, false, right = rows.sum(axis=0)[:4].tolist()
    if min(hits + missed, false + right) < LEAST_OF_A_KIND:
        return (
            f"people found {hits + missed:g} labelled claims supported and {false + right:g} not: too few of"
            " a kind to know the judge's errors"
        )
    if hits / (hits + missed) + right / (false + right) <= 1:
        return (
            "the judge calls no more of the supported claims supported than of the others: it tells nothing"
        )
    return None


@define(
    Definition(
        name="corrected",
        title="Corrected by people",
        summary="What people would say of all the answers, from few human labels and many judgements.",
        formula="scores and win rates (PPI++): mean label + λ · (mean judgement of the units without a label"
        " - mean judgement of those with one), λ tuned to the labels; claims (Rogan-Gladen): (p + q0 - 1) /"
        " (q0 + q1 - 1) with the judge's share of supported claims p, its specificity q0 and its sensitivity"
        " q1 on labelled claims",
        degenerate="λ is 0 where the judge is of no use: labels alone. Without two labelled claims of each"
        " kind, or with a judge no better than chance at them, there is no rate.",
        source="Angelopoulos, Duchi & Zrnic 2023, arXiv 2311.01453; Rogan & Gladen 1978.",
        direction="higher",
        bounds=(None, None),
        parameters=_WHOSE,
        meanings=_MEANINGS,
        needs_cutoff=False,
        on="judged texts",
        traps="Right only if what people labelled was drawn at random: items left blank for being hard are"
        " not. The rate of claims counts every claim alike, claim_support every text. One model's interval is"
        " that of PPI++ (labels, where λ is 0) and says λ and how many units it rests on; slices too."
        " Differences and rates of claims are resampled.",
        combine=_combine,
        alone=_alone,
    )
)
def corrected(labelled: Labelled, **whose: str) -> UnitScores:
    """Values by unit and the statistics that the correction is made of."""
    return UnitScores(values=labelled.values, reasons=labelled.reasons, sums=labelled.sums)
