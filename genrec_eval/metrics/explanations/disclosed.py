"""What disclosing an attribute does to texts: how far its values lie apart, and one value from neutral."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Accumulator, Bool, Definition, Metric, UnitScores, define
from genrec_eval.metrics.disclosed_values import apart
from genrec_eval.metrics.explanations.disclosures import Disclosures, Told
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.fits import Fit
from genrec_eval.stats.pairs import paired_fit
from genrec_eval.stats.ranges import column_means
from genrec_eval.stats.resolution import Resolution
from genrec_eval.stats.within_units import range_fit, resolution, shuffled_ranges

_OF_OTHERS = ("counterfactual", "paraphrase_stability")
"""Metrics that hold a text against other answers to its case: of a disclosed value there are none."""

_PARAMETERS: Mapping[str, tuple[Any, tuple[Any, ...] | None]] = {"attribute": ("", None), "of": ("", None)}
_MEANINGS = {
    "attribute": "the attribute that is disclosed",
    "of": "metric of single texts, with its parameters; or answer_rate, refusal_rate, parse_failure_rate",
    "value": "the disclosed value",
}
_EDGE = (
    " A case enters with all of these texts or with none: one that was refused, failed or was not asked under"
    " some value is excluded and counted (refused, failed, not-asked), one that the metric excludes under"
    " some value for the metric's own reason (no-token: an empty text has no tone). Of a user's cases and"
    " repeats the mean is taken: each user"
    " counts once, whatever weights the metric itself has. Where users are so few that no arrangement of the"
    " values could ever have p <= 0.05 there is a value and no interval, so that nothing is decided. Where no"
    " user's texts differ, the interval says how many users of another kind may have gone unseen, each apart"
    " by the range of the metric, or by the highest figure seen where it has no upper bound."
)
_TEST = (
    " p is that of a test that shuffles the values inside each user: all arrangements up to 50,000, else"
    " 5,000 drawn ones."
)
_NOISE = (
    " A model that never writes the same twice differs between any two texts: that adds spread, which the"
    " interval knows, and repeats make it narrower. Who refuses, or fails, under one value only is left out"
    " here: read it beside of=refusal_rate and of=answer_rate, which leave nobody out, and beside of=length,"
    " in which an empty text counts."
)
_SHARED: dict[str, Any] = {
    "source": "This project; the paired design follows Zhang et al. 2023 (FaiRLLM), over texts in place of"
    " lists.",
    "needs_cutoff": False,
    "on": "disclosures",
}


def base_of(of: str) -> Metric:
    """The metric whose means are compared."""
    from genrec_eval.metrics.registry import metric

    return metric(of)


def _unfit(parameters: Mapping[str, Any]) -> str | None:
    """Why there is nothing to compare, or None."""
    of = str(parameters["of"])
    if not parameters["attribute"]:
        return "name the attribute, as in attribute=gender"
    if not of:
        return "name the metric whose means are compared, as in of=tone"
    if "value" in parameters and not parameters["value"]:
        return "name the disclosed value, as in value=female; value=* is each of them"
    try:
        base = base_of(of)
    except UsageError as error:
        return f"of: {error}"
    definition = base.definition
    if definition.on not in ("texts", "explanations", "answers"):
        return f"of={of} is about {definition.on}, and values are compared by metrics of single texts"
    if isinstance(base.function, type) and issubclass(base.function, Accumulator):
        return f"of={of} is a figure of all texts together, and values are compared by metrics of single ones"
    if definition.combine is not None or definition.refit is not None:
        return f"of={of} is no mean over texts, and values are compared by means"
    if definition.name == "latency":
        return "of=latency is about all questions of a case: the time of one is not kept apart"
    if definition.name in _OF_OTHERS:
        return f"of={of} holds a text against other answers, and of a disclosed value there is one alone"
    return None


def _complete(told: Mapping[str, Told], of: str) -> tuple[Float64, dict[str, Bool]]:
    """float64[n, g], the scores of all cases under some values, and why cases are left out."""
    scores = [one.scores(of) for one in told.values()]
    free = np.ones(len(scores[0]), bool)
    reasons: dict[str, Bool] = {}
    for name in dict.fromkeys(name for one in scores for name in one.reasons):
        hit = free & np.any([one.reasons[name] for one in scores if name in one.reasons], axis=0)
        if hit.any():
            reasons[name] = hit
            free &= ~hit
    cells = np.stack([np.where(free, one.values, 0.0) for one in scores], axis=1)
    return cells, reasons


def _scored(values: Float64, cells: Float64, reasons: dict[str, Bool]) -> UnitScores:
    counts = np.ones(cells.shape)
    for mask in reasons.values():
        counts[mask] = 0.0
    return UnitScores(values=values, reasons=reasons, sums=np.concatenate([cells, counts], axis=1))


def _most(rows: Float64, of: str) -> float:
    """The farthest that a user's texts may lie apart, as far as anybody knows."""
    low, high = base_of(of).definition.bounds
    cells = rows[:, : rows.shape[1] // 2]
    least = float(cells.min(initial=0.0)) if low is None else low
    return (max(float(cells.max(initial=0.0)), least + 1.0) if high is None else high) - least


def range_of_means(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """Greatest mean of a value less the least."""
    means, counts = column_means(sums)
    top = np.where(counts > 0, means, -np.inf).max(axis=-1)
    low = np.where(counts > 0, means, np.inf).min(axis=-1)
    return np.where((counts > 0).sum(axis=-1) > 1, top - low, np.nan)


def _range_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return range_fit(rows, _most(rows, str(parameters["of"])))


def shuffled(rows: Float64, parameters: Mapping[str, Any], seed: int) -> float | None:
    """p of the range under values that are shuffled inside each user."""
    found = shuffled_ranges(rows, seed)
    return None if found is None else found.p


def resolves(rows: Float64, parameters: Mapping[str, Any]) -> Resolution:
    """The least p that so many users and values allow."""
    return resolution(rows)


def _told(rows: Float64, names: Sequence[str], parameters: Mapping[str, Any]) -> str:
    of = str(parameters["of"])
    return apart(rows, names, str(parameters["attribute"]), of, base_of(of).definition.unit)


@define(
    Definition(
        name="value_gap",
        title="Gap between values",
        summary="How far texts lie apart when the same brief discloses one value of an attribute or another.",
        formula=(
            "mean(a) = mean over users of the metric `of` of the texts written with value a disclosed."
            " value_gap = max over values a of mean(a) − min over a of mean(a)"
        ),
        degenerate="Fewer than two values with texts: no figure." + _EDGE,
        direction="lower",
        bounds=(0.0, None),
        parameters=_PARAMETERS,
        meanings={name: said for name, said in _MEANINGS.items() if name != "value"},
        traps=(
            "A range has a floor: values that mean nothing do not come out equal, the less so the more there"
            " are. Read the interval, whose low end is 0 unless some pair differs, and p, never the value"
            " alone. A model that writes differently whenever anything is disclosed has no gap: see"
            " value_difference." + _NOISE + _TEST
        ),
        combine=range_of_means,
        alone=_range_alone,
        test=shuffled,
        resolution=resolves,
        tells=_told,
        check=_unfit,
        **_SHARED,
    )
)
def value_gap(disclosures: Disclosures, *, attribute: str, of: str) -> UnitScores:
    """Range over values of the mean under each."""
    cells, reasons = _complete(disclosures.values(attribute), of)
    return _scored(np.ptp(cells, axis=1), cells, reasons)


def difference(sums: Float64, parameters: Mapping[str, Any]) -> Float64:
    """Mean of the first column less that of the second."""
    means, _ = column_means(sums)
    return np.asarray(means[..., 0] - means[..., 1])


def _difference_alone(rows: Float64, parameters: Mapping[str, Any]) -> Fit | str:
    return paired_fit(rows, _most(rows, str(parameters["of"])))


@define(
    Definition(
        name="value_difference",
        title="Difference to neutral",
        summary="What disclosing one value of an attribute does to texts about the same user and item.",
        formula=(
            "mean over users of (the metric `of` of the text written with the value disclosed − that of the"
            " text written with nothing disclosed)"
        ),
        degenerate="Without a neutral text too there is nothing to compare." + _EDGE,
        direction="none",
        bounds=(None, None),
        parameters={**_PARAMETERS, "value": ("", None)},
        meanings=_MEANINGS,
        traps=(
            "A difference that all values share is an effect of disclosure, not of a value: see value_gap."
            + _NOISE
            + _TEST
        ),
        combine=difference,
        alone=_difference_alone,
        test=shuffled,
        resolution=resolves,
        check=_unfit,
        **_SHARED,
    )
)
def value_difference(disclosures: Disclosures, *, attribute: str, of: str, value: str) -> UnitScores:
    """Mean under a value less that under none."""
    pair = {"value": disclosures.value(attribute, value), "neutral": disclosures.neutral}
    cells, reasons = _complete(pair, of)
    return _scored(cells[:, 0] - cells[:, 1], cells, reasons)
