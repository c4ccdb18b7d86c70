"""From a subject of the gate to the sample that decides it, or the reason why there is too little of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from genrec_eval.audit.estimate import MIN_SLICE, excluded_of
from genrec_eval.audit.gating.subjects import Held, Subject
from genrec_eval.audit.sources.base import Mask, Source
from genrec_eval.audit.sources.matched import taken, value_over
from genrec_eval.core.numbers import by_reason, count
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.stats.sample import Bounds, Sample
from genrec_eval.stats.statistic import Statistic, carrying


@dataclass(frozen=True, slots=True, kw_only=True)
class Floors:
    """Shares that coverage must reach; see :class:`~genrec_eval.suite.gate.Gate`."""

    error_budget: float
    min_scored: float
    min_paired: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """What a rule is decided by.

    Attributes
    ----------
    sample
        None where nothing is decided; ``lacking`` or ``small`` then says why.
    lacking
        Why there is too little to look at: coverage.
    small
        Why there are too few units for any interval.
    excluded
        Units, or pairs, without a score by reason.
    width
        Greatest difference that is possible between two values; None where there is no bound.
    rounding
        What the scores of the baseline may be off by.
    q
        Of differences between 0 and 1: the share of pairs that are not alike beyond those that the net
        difference takes. None for other metrics.
    """

    subject: Subject
    sample: Sample | None = None
    lacking: str | None = None
    small: str | None = None
    attempted: int = 0
    answered: int = 0
    excluded: dict[str, int] = field(default_factory=dict)
    candidate: float | None = None
    reference: float | None = None
    width: float | None = None
    rounding: float = 0.0
    q: float | None = None


def figure_of(held: Held, subject: Subject, floors: Floors) -> Figure:
    """Look a subject up; coverage floors come first, for what is missing is rarely missing by chance."""
    if subject.lacking is not None or subject.metric is None:
        return Figure(subject=subject, lacking=subject.lacking or "nothing is measured")
    found = _alone(held, subject, floors) if subject.reference is None else _paired(held, subject, floors)
    if found.lacking is None and found.sample is not None and subject.slice != "all":
        n = int(carrying(found.sample).sum())
        if n < MIN_SLICE:
            few = f"{subject.slice} has {count(n)} scored unit{'s' if n != 1 else ''}"
            return replace(found, sample=None, small=f"{few}, and a decision needs {MIN_SLICE}")
    return found


def _alone(held: Held, subject: Subject, floors: Floors) -> Figure:
    metric, model, scenario = subject.metric, subject.model, subject.rule.scenario
    assert metric is not None
    mask = held.units(True, scenario).slices[subject.slice]
    scores = held.scores(True, model, scenario, metric.id)
    assert scores is not None
    attempted = held.run.attempted(model, scenario) & mask
    answered = held.run.answered(model, scenario) & mask
    counts: dict[str, Any] = {
        "attempted": int(mask.sum()),
        "answered": int(answered.sum()),
        "excluded": excluded_of([scores], mask),
    }
    lacking = _unanswered(subject, answered, mask, floors.error_budget, model) or _unscored(
        subject, scores.scored & mask, attempted, counts["excluded"], floors.min_scored, "attempted units"
    )
    if lacking is None and scores.total is not None and subject.slice != "all":
        lacking = f"{metric.id} belongs to all units together and has no value of a group"
    if lacking is not None:
        return Figure(subject=subject, lacking=lacking, **counts)
    sample = metric.sample(scores)
    return Figure(
        subject=subject,
        sample=sample if subject.slice == "all" else sample.where(mask),
        width=_width(metric),
        **counts,
    )


def _paired(held: Held, subject: Subject, floors: Floors) -> Figure:
    metric, model, scenario = subject.metric, subject.model, subject.rule.scenario
    assert metric is not None
    assert subject.reference is not None
    assert held.baseline is not None
    matched = held.matched(scenario)
    mask = held.units(True, scenario).slices[subject.slice]
    kept = held.units(False, scenario).slices[subject.slice]
    pairs = mask[matched.candidate]
    own = held.scores(True, model, scenario, metric.id)
    other = held.scores(False, subject.reference, scenario, metric.id)
    assert own is not None
    assert other is not None
    rows, base = matched.candidate, matched.reference
    mine, theirs = taken(own, rows), taken(other, base)
    answered = held.run.answered(model, scenario) & mask
    before = held.baseline.answered(subject.reference, scenario) & kept
    both = mine.scored & theirs.scored & pairs
    counts: dict[str, Any] = {
        "attempted": int(pairs.sum()),
        "answered": int((answered[rows] & before[base] & pairs).sum()),
        "excluded": excluded_of([mine, theirs], pairs),
    }
    attempted = held.run.attempted(model, scenario)[rows] & pairs
    lacking = (
        _unanswered(subject, answered, mask, floors.error_budget, model)
        or _unanswered(subject, before, kept, floors.error_budget, f"{subject.reference} in the baseline")
        or _unpaired(int(attempted.sum()), int(kept.sum()), len(matched.changed), scenario, floors.min_paired)
        or _unscored(subject, both, pairs, counts["excluded"], floors.min_scored, "pairs")
    )
    if lacking is None:
        sample = matched.sample(metric, own, other, None if subject.slice == "all" else pairs)
        if sample is None:
            lacking = f"{metric.id} belongs to all units together, and " + (
                "some have no pair" if subject.slice == "all" else "has no value of a group"
            )
    if lacking is not None:
        return Figure(subject=subject, lacking=lacking, **counts)
    assert sample is not None
    rounding = rounding_of(held.baseline, subject.reference, scenario, metric.id)
    width = _width(metric) or _seen(mine.values[both], theirs.values[both])
    used = carrying(sample)
    if rounding or (used.any() and _identical(mine, theirs, used)):
        sample = _unmoved(sample, used, _around(width))
    elif None in sample.bounds and sample.total is None and used.any() and Statistic.of(sample).constant:
        sample = replace(sample, bounds=_around(width))
    q = None
    if metric.definition.values == "indicator" and sample.minus is None and used.any():
        differences = sample.values[used]
        # what a loss or gain adds, as far as it is more than chance: the rest differs both ways alike
        net = abs(differences.mean()) - 2 * differences.std() / math.sqrt(len(differences))
        q = float((differences**2).mean() - max(0.0, net))
    return Figure(
        subject=subject,
        sample=sample,
        candidate=value_over(metric.sample(mine), used),
        reference=value_over(metric.sample(theirs), used),
        width=width,
        rounding=rounding,
        q=q,
        **counts,
    )


def rounding_of(source: Source, model: str, scenario: str, metric: str) -> float:
    """What the scores of a source may be off by: 0 but for large vectors of a baseline file."""
    found = getattr(source, "rounding", None)
    return 0.0 if found is None else float(found(model, scenario, metric))


def _unanswered(subject: Subject, answered: Mask, mask: Mask, budget: float, whom: str) -> str | None:
    got, asked = int(answered.sum()), int(mask.sum())
    if got >= asked * (1 - budget) - 1e-9:
        return None
    of = "units" if subject.slice == "all" else f"units of {subject.slice}"
    share = f"{_percent(got, asked)} of the {of} were answered by {whom}"
    return f"only {share}, and the error budget asks for {1 - budget:.4g}"


def _unscored(
    subject: Subject, scored: Mask, of: Mask, excluded: Mapping[str, int], least: float, what: str
) -> str | None:
    got, asked = int((scored & of).sum()), int(of.sum())
    if got >= asked * least - 1e-9:
        return None
    assert subject.metric is not None
    why = by_reason(excluded)
    return (
        f"only {_percent(got, asked)} of the {what} have a score by {subject.metric.id}"
        f"{f' ({why})' if why else ''}, and gate.min_scored asks for {least:.4g}"
    )


def _unpaired(pairs: int, kept: int, changed: int, scenario: str, least: float) -> str | None:
    if pairs >= kept * least - 1e-9:
        return None
    other = f", {count(changed)} were asked something else" if changed else ""
    return (
        f"only {_percent(pairs, kept)} of the {count(kept)} units that the baseline has in '{scenario}' were"
        f" asked again the same way{other}, and gate.min_paired asks for {least:.4g}"
    )


def _percent(got: int, asked: int) -> str:
    return f"{got / asked:.1%}".replace("%", " %") if asked else "none"


def _width(metric: Metric) -> float | None:
    low, high = metric.definition.bounds
    return None if low is None or high is None else high - low


def _seen(own: np.ndarray, other: np.ndarray) -> float | None:
    """Range of the scores seen, for a metric without bounds; None where they say nothing about one."""
    every = np.concatenate([own, other])
    if not len(every):
        return None
    return float(max(every.max() - every.min(), np.abs(every).max())) or None


def _around(width: float | None) -> tuple[float | None, float | None]:
    return (None, None) if width is None else (-width, width)


def _identical(own: UnitScores, other: UnitScores, used: Mask) -> bool:
    """Whether no unit scores otherwise than before."""
    one, two = ([scores.values, scores.weights, scores.sums] for scores in (own, other))
    same = all(
        a is b is None or (a is not None and b is not None and np.array_equal(a[used], b[used]))
        for a, b in zip(one, two, strict=True)
    )
    return same and own.total == other.total


def _unmoved(sample: Sample, used: Mask, around: Bounds) -> Sample:
    """A difference of what is all the same: what else may come is bounded by its rarity and the range alone.

    A metric without bounds gets the range of the scores seen. A function of sums and a metric of the whole
    run are taken as means: how far units of another kind would move them is not known.
    """
    if sample.total is not None or sample.pooled is not None:
        return Sample(values=np.zeros(len(used)), scored=used, bounds=around)
    return replace(sample, bounds=around) if None in sample.bounds else sample
