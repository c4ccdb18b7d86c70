"""Recorded judges against people, or against each other: accuracy, F1 and kappa on pairs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool, Definition, UnitScores, define
from genrec_eval.metrics.judged.recorded import (
    FIRST,
    GIVEN,
    MAJORITY,
    NO_REFERENCE,
    NO_VERDICT,
    SHARED,
    SWAPPED,
    TIE,
    Recorded,
)
from genrec_eval.protocol.arrays import Float64, Int64

_CLASSES = 3
_SIDES = {"given": GIVEN, "swapped": SWAPPED}
_REFERENCE = (
    "Pairs without a majority of people are left out. A call that failed has no verdict under any policy."
)
_UNPARSED = {
    "unparsed": "an answer without a verdict: exclude leaves it out, tie counts it as a tie, wrong as wrong",
}
_ORDER = {
    "order": "verdicts that count: all, those on one order of the two answers, or both: right in both or not"
}


def _policed(recorded: Recorded, unparsed: str) -> Int64:
    """Verdicts, with those that cannot be read as a tie where the policy says so."""
    return np.where(recorded.silent, TIE, recorded.verdict) if unparsed == "tie" else recorded.verdict


@define(
    Definition(
        name="judge_accuracy",
        title="Accuracy",
        summary="Share of a judge's verdicts on pairs that the majority of people shares.",
        formula="verdicts equal to that of more than half of the people / verdicts that count",
        degenerate=_REFERENCE,
        source="Wang et al. 2023, arXiv 2306.05087 (PandaLM); Zeng et al. 2024, arXiv 2310.07641 (LLMBar).",
        direction="higher",
        unit="share",
        values="indicator",
        parameters={
            "order": ("all", ("all", "given", "swapped", "both")),
            "unparsed": ("exclude", ("exclude", "tie", "wrong")),
        },
        meanings={**_ORDER, **_UNPARSED},
        traps="What an unparsed answer counts as moves published figures by points: PandaLM's gpt-3.5 has"
        " 71.07 % with ties, 69.77 % as wrong, 71.56 % left out. Read the ceiling of people beside it.",
        **SHARED,
    )
)
def judge_accuracy(recorded: Recorded, *, order: str, unparsed: str) -> UnitScores:
    """Verdicts that are right."""
    said, truth = _policed(recorded, unparsed), recorded.labels(MAJORITY)
    counted = (truth >= 0) & ((said >= 0) | (recorded.silent & (unparsed == "wrong")))
    right = said == truth
    reason = NO_VERDICT if (truth >= 0).any() else NO_REFERENCE
    if order == "both":
        given, swapped = recorded.both()
        kept = counted[given] & counted[swapped]
        hits = (right[given] & right[swapped])[kept]
        return recorded.mean(hits, recorded.unit[given[kept]], reason)
    if order != "all":
        counted &= recorded.order == _SIDES[order]
    return recorded.mean(right[counted], recorded.unit[counted], reason)


def _ratios(sums: Float64) -> tuple[Float64, Float64, Float64, Bool]:
    """Precision, recall and F1 of each class, 0 where nothing divides, and which classes there are."""
    right, true, said = np.split(sums, 3, axis=-1)

    def over(part: Float64, whole: Float64) -> Float64:
        return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)

    return over(right, said), over(right, true), over(2 * right, true + said), true + said > 0


def _macro(part: int, sums: Float64) -> Float64:
    precision, recall, f1, there = _ratios(np.asarray(sums, np.float64))
    count = there.sum(axis=-1)
    total = np.where(there, (precision, recall, f1)[part], 0.0).sum(axis=-1)
    return np.divide(total, count, out=np.full(count.shape, np.nan), where=count > 0)


def _classes(recorded: Recorded, unparsed: str) -> UnitScores:
    said, truth = _policed(recorded, unparsed), recorded.labels(MAJORITY)
    kept = (said >= 0) & (truth >= 0)
    said, truth = said[kept], truth[kept]
    hot = np.eye(_CLASSES)
    columns = np.concatenate([hot[said] * hot[truth], hot[truth], hot[said]], axis=1)
    reason = NO_VERDICT if (recorded.labels(MAJORITY) >= 0).any() else NO_REFERENCE
    return recorded.pooled(columns, said == truth, recorded.unit[kept], reason)


def _of_classes(name: str, title: str, what: str, formula: str) -> dict[str, Any]:
    return {
        "name": name,
        "title": title,
        "summary": f"{what} of a judge's verdicts on pairs, as the mean over first, second and tie.",
        "formula": f"mean over classes of {formula}; classes are the verdicts that occur on either side",
        "degenerate": f"{_REFERENCE} A class that is never said has precision 0, one that never is true"
        " recall 0.",
        "source": "scikit-learn's average=macro; Wang et al. 2023, arXiv 2306.05087 (PandaLM).",
        "direction": "higher",
        "unit": "share",
        "parameters": {"unparsed": ("exclude", ("exclude", "tie"))},
        "meanings": {
            "unparsed": "an answer without a verdict: exclude leaves it out, tie counts it as a tie"
        },
        "traps": "Ties are rare and count for a third: a judge that never says tie loses a third of it.",
        **SHARED,
    }


@define(
    Definition(
        combine=lambda sums, _: _macro(0, sums),
        **_of_classes("judge_precision", "Macro precision", "Precision", "right / said"),
    )
)
def judge_precision(recorded: Recorded, *, unparsed: str) -> UnitScores:
    """Macro precision."""
    return _classes(recorded, unparsed)


@define(
    Definition(
        combine=lambda sums, _: _macro(1, sums),
        **_of_classes("judge_recall", "Macro recall", "Recall", "right / true"),
    )
)
def judge_recall(recorded: Recorded, *, unparsed: str) -> UnitScores:
    """Macro recall."""
    return _classes(recorded, unparsed)


@define(
    Definition(
        combine=lambda sums, _: _macro(2, sums),
        **_of_classes("judge_f1", "Macro F1", "F1", "2 right / (said + true)"),
    )
)
def judge_f1(recorded: Recorded, *, unparsed: str) -> UnitScores:
    """Macro F1."""
    return _classes(recorded, unparsed)


def table_of(one: Int64, other: Int64) -> Float64:
    """float64[r, 9], one in the cell of both verdicts."""
    return np.eye(_CLASSES * _CLASSES)[one * _CLASSES + other]


def kappa_of(sums: Float64, _: Mapping[str, Any] | None = None) -> Float64:
    """Cohen's kappa of each table of 3 by 3 counts; NaN where chance alone agrees as well.

    >>> kappa_of(np.array([[20.0, 5, 0, 10, 15, 0, 0, 0, 0]]))
    array([0.4])
    """
    tables = np.asarray(sums, np.float64).reshape(*np.shape(sums)[:-1], _CLASSES, _CLASSES)
    n = tables.sum(axis=(-2, -1))
    agreed = np.trace(tables, axis1=-2, axis2=-1)
    chance = (tables.sum(axis=-1) * tables.sum(axis=-2)).sum(axis=-1)
    # in counts, as one quotient: sums of ones are exact
    room = n * n - chance
    return np.divide(n * agreed - chance, room, out=np.full(n.shape, np.nan), where=room > 0)


def _kappas(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    if parameters["order"] != "mean":
        return kappa_of(sums)
    half = _CLASSES * _CLASSES
    return (kappa_of(sums[..., :half]) + kappa_of(sums[..., half:])) / 2


CODING = {
    "coding": "labels compares verdicts; llmbar what LLMBar's code makes of them before its kappa: 1 for the"
    " first answer and 0 for everything else, no verdict too, while the label stays 1 or 2",
}


def coded(verdict: Int64, coding: str) -> Int64:
    """Verdicts as categories 0, 1 and 2."""
    return (verdict == FIRST).astype(np.int64) if coding == "llmbar" else verdict


@define(
    Definition(
        name="judge_kappa",
        title="Cohen's kappa",
        summary="Agreement of a rater with people, or with another rater, beyond what chance would give.",
        formula="(observed − chance) / (1 − chance); chance from how often each says first, second and tie",
        degenerate="Undefined where both always say the same one thing. Pairs that lack a verdict of either"
        " are left out.",
        source="Cohen 1960; Zeng et al. 2024, github.com/princeton-nlp/LLMBar (coding=llmbar).",
        direction="higher",
        bounds=(-1.0, 1.0),
        parameters={
            "with": (MAJORITY, None),
            "order": ("all", ("all", "given", "swapped", "mean")),
            "coding": ("labels", ("labels", "llmbar")),
        },
        meanings={
            "with": "the other rater: a person or a judge of the log, or majority for most of the people",
            "order": "verdicts that count: all, those on one order of the answers, or the mean of both",
            **CODING,
        },
        traps="Depends on how often each verdict is given: read it beside accuracy. Kappas with"
        " coding=llmbar reproduce what was published and are no agreement with the label: a judge that is"
        " always right has a third where both labels are as frequent.",
        combine=_kappas,
        **SHARED,
    )
)
def judge_kappa(recorded: Recorded, *, order: str, coding: str, **other: str) -> UnitScores:
    """Tables of both raters' verdicts."""
    labels = recorded.labels(other["with"])
    one = coded(recorded.verdict, coding)
    two = np.where(labels == FIRST, 1, 2) if coding == "llmbar" else labels
    kept = (labels >= 0) if coding == "llmbar" else (labels >= 0) & (recorded.verdict >= 0)
    reason = NO_VERDICT if (labels >= 0).any() else NO_REFERENCE
    if order in _SIDES:
        kept &= recorded.order == _SIDES[order]
    columns = table_of(one[kept], two[kept])
    if order == "mean":
        side = recorded.order[kept, None]
        columns = np.concatenate([columns * (side == GIVEN), columns * (side == SWAPPED)], axis=1)
    return recorded.pooled(columns, one[kept] == two[kept], recorded.unit[kept], reason)
