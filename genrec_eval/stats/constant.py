"""Intervals where all units agree, so that there is no spread to resample."""

from __future__ import annotations

import math

from genrec_eval.stats.fits import Constant, Ends
from genrec_eval.stats.sample import Bounds, Sample
from genrec_eval.stats.statistic import Part, Statistic

UNBOUNDED = "all units have the same value and the metric is unbounded"
UNMOVED = "no unit of these changes the value"


def constant(statistic: Statistic, bounds: Bounds) -> Constant:
    """No unit of a mean, a ratio or a difference of two moves its value.

    Units of another kind that n units failed to show, with probability p each, pull the value towards a
    bound by the share of the weight that they hold; they are taken to be as heavy as the heaviest unit
    seen. Under a root that share counts by its own root, at most.
    """
    value, (least, greatest) = statistic.value, bounds
    if least is None or greatest is None:
        return Constant(value, statistic.n, None)
    low, high = least, greatest
    parts = [part for part in statistic.parts if isinstance(part, Part)]
    heaviest = max(
        1.0 if part.weights is None else float(part.weights.max() / part.weights.mean()) for part in parts
    )
    rooted = any(part.link == "sqrt" for part in parts)

    def reach(p: float) -> Ends:
        share = p * heaviest / (p * heaviest + 1 - p)
        share = math.sqrt(share) if rooted else share
        return value - share * (value - low), value + share * (high - value)

    return Constant(value, statistic.n, reach)


def constant_pooled(statistic: Statistic, sample: Sample) -> Constant:
    """No unit moves a pooled value; what units of another kind would do, only its metric knows."""
    alone = None if sample.minus is not None else sample.pooled
    return Constant(statistic.value, statistic.n, None if alone is None else alone.reach)


def constant_run(value: float, n: int, reach: float) -> Constant:
    """All units contribute the same to a metric of the whole run: n · p others move it by ``reach`` each."""
    return Constant(value, n, lambda p: (value - n * p * reach, value + n * p * reach))
