"""Which method applies to a sample follows from the sample alone; see :mod:`genrec_eval.stats.intervals`."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np

from genrec_eval.stats.bootstrap import NO_JACKKNIFE, bootstrapped
from genrec_eval.stats.constant import UNBOUNDED, UNMOVED, constant, constant_pooled, constant_run
from genrec_eval.stats.contrast import Fitted, contrasted
from genrec_eval.stats.fits import Score, Student
from genrec_eval.stats.sample import Sample
from genrec_eval.stats.statistic import Statistic, carrying

BOOTSTRAP_UNITS = 20_000
"""Up to this many units means are bootstrapped; beyond, the normal approximation is as good."""
SMALLEST_BOOTSTRAP = 8
"""Fewer units resample to too few different means; Student's t is wider there, and right."""


def fit_each(samples: Sequence[Sample], seed: int) -> Iterator[tuple[int, Fitted]]:
    """Index and fit of every sample, in an order of convenience."""
    waiting: dict[int, list[tuple[int, Statistic]]] = {}
    taken: dict[tuple[int, bytes], np.ndarray] = {}
    for index, sample in enumerate(samples):
        if sample.total is not None:
            yield index, _whole_run(sample)
            continue
        if sample.contrast is not None:
            yield index, contrasted(sample)
            continue
        statistic = Statistic.of(sample, taken)
        found = _closed_form(statistic, sample)
        if found is not None:
            yield index, found
        else:
            waiting.setdefault(statistic.n, []).append((index, statistic))
    for n, members in waiting.items():
        for (index, statistic), fit in zip(
            members, bootstrapped([one for _, one in members], seed), strict=True
        ):
            if isinstance(fit, str):
                yield index, Fitted(statistic.value, n, reason=fit)
            else:
                yield index, Fitted(statistic.value, n, fit)


def _closed_form(statistic: Statistic, sample: Sample) -> Fitted | None:
    """What needs no resampling, or None."""
    n = statistic.n
    if n == 0:
        scored = sample.scored if sample.minus is None else sample.scored & sample.minus.scored
        return Fitted(None, 0, reason="no scored unit has weight" if scored.any() else "no unit is scored")
    if sample.minus is None and sample.pooled is not None and sample.pooled.alone is not None:
        inferred = sample.pooled.alone(sample.pooled.rows[carrying(sample)])
        if inferred is not None:
            value = statistic.value if math.isfinite(statistic.value) else None
            reason = inferred if isinstance(inferred, str) else None
            return Fitted(value, n, None if isinstance(inferred, str) else inferred, reason)
    if not math.isfinite(statistic.value):
        return Fitted(None, n, reason="the statistics of these units define no value")
    if n == 1:
        return Fitted(statistic.value, 1, reason="one unit says nothing about the spread")
    if sample.indicator and statistic.plain and np.isin(sample.values[carrying(sample)], (0.0, 1.0)).all():
        return Fitted(statistic.value, n, Score(statistic.value, n))  # repeats would lie in between
    if statistic.constant:
        fit = constant_pooled(statistic, sample) if statistic.pooled else constant(statistic, sample.bounds)
        reason = None if fit.reach is not None else UNMOVED if statistic.pooled else UNBOUNDED
        return Fitted(fit.value, n, None if fit.reach is None else fit, reason)
    if not SMALLEST_BOOTSTRAP <= n <= BOOTSTRAP_UNITS:
        if not math.isfinite(statistic.error):
            return Fitted(statistic.value, n, reason=NO_JACKKNIFE)
        return Fitted(statistic.value, n, Student(statistic.value, statistic.error, n - 1))
    return None


def _whole_run(sample: Sample) -> Fitted:
    """Jackknife from leave-one-out losses; its variance is biased upwards (Efron & Stein 1981)."""
    assert sample.total is not None
    losses = sample.values[sample.scored]
    n, value = len(losses), sample.total
    if n < 2:
        reason = "one unit says nothing about the spread" if n else "no unit is scored"
        return Fitted(value if n else None, n, reason=reason)
    if (losses == losses[0]).all():
        if sample.reach is None:
            return Fitted(value, n, reason="all units contribute the same")
        return Fitted(value, n, constant_run(value, n, sample.reach))
    deviations = losses - losses.mean()
    error = math.sqrt((n - 1) / n * float((deviations * deviations).sum()))
    return Fitted(value, n, Student(value, error, math.inf, "jackknife"))
