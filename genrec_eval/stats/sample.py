"""What an interval is computed from: the scores of n units and what is known of their range."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from genrec_eval.stats.fits import Fit

Bounds = tuple[float | None, float | None]
Link = Literal["identity", "sqrt"]
Contrast = Literal["difference", "lift"]
Reach = Callable[[float], tuple[float, float]]
"""Ends of a value, when a share p of units were of another kind than those seen."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pooled:
    """A value that belongs to all units together, by exactly one of two functions.

    Attributes
    ----------
    rows
        float64[n, m], what is known of each unit; rows of units that are not scored are never read.
    combine
        float64[B, m] sums of rows over units → float64[B] values; NaN where the sums define none.
    refit
        (rows float64[n, m], counts float64[B, n]) → float64[B]: the value estimated anew, with unit ``i``
        counted ``counts[b, i]`` times; NaN where the estimation has no solution. For what is no function of
        sums; a row depends on the others' in no other way, and only on its own counts.
    alone
        rows float64[n, m] of the units that count → how the one value is inferred where that is better than
        resampling, a reason why there is no interval, or None to resample. Differences are resampled.
    reach
        Where no unit moves the value: how far units of another kind would; None when that is unknown.
    """

    rows: npt.NDArray[np.float64]
    combine: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]] | None = None
    refit: Callable[[npt.NDArray[np.float64], npt.NDArray[np.float64]], npt.NDArray[np.float64]] | None = None
    alone: Callable[[npt.NDArray[np.float64]], Fit | str | None] | None = None
    reach: Reach | None = None

    def __post_init__(self) -> None:
        if (self.combine is None) == (self.refit is None):
            raise ValueError("pooled statistics have one function: combine (of their sums) or refit")


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Scores of n units under one metric.

    Attributes
    ----------
    values
        float64[n]; entries that are not scored are never read.
    scored
        bool[n].
    bounds
        Least and greatest possible value; None where there is none.
    indicator
        Whether every score is 0 or 1.
    total
        For a metric of the whole run: its value; ``values`` then holds what it would lose without
        each unit. None for a mean over units.
    reach
        The most that one unit can change ``total``; None when unknown.
    weights
        float64[n] of at least 0, or None when all units count alike; the value is
        ``link(sum(weights · values) / sum(weights))`` over scored units. A unit of weight 0 is as one
        without a score.
    link
        ``"identity"`` or ``"sqrt"``.
    minus
        The sample whose value is taken away, unit by unit in the same resample, for a difference that is
        no mean of unit differences; None for a plain value.
    contrast
        For two groups of other units each, as the arms of an experiment are: units of positive weight are the
        one group, those of negative weight the other, by whose value the first is reduced
        (``"difference"``) or divided, minus 1 (``"lift"``). None where all units are of one group.
    pooled
        For a value that is no mean: the units' statistics and the function of all of them. ``values`` then
        only tell the units apart, and there are no weights. None for means.
    """

    values: npt.NDArray[np.float64]
    scored: npt.NDArray[np.bool_]
    bounds: Bounds = (None, None)
    indicator: bool = False
    total: float | None = None
    reach: float | None = None
    weights: npt.NDArray[np.float64] | None = None
    link: Link = "identity"
    minus: Sample | None = None
    contrast: Contrast | None = None
    pooled: Pooled | None = None

    def where(self, mask: npt.NDArray[np.bool_]) -> Sample:
        """The units of a slice.

        Raises
        ------
        ValueError
            For a metric of the whole run: its losses say nothing about a part of the run, which
            must be scored on its own.
        """
        if self.total is not None:
            raise ValueError("a metric of the whole run has no slices; score the slice's lists instead")
        return replace(
            self,
            scored=self.scored & mask,
            minus=None if self.minus is None else replace(self.minus, scored=self.minus.scored & mask),
        )


def paired(model: Sample, baseline: Sample) -> Sample:
    """Difference model − baseline over the units that have both scores.

    Intervals of it are paired: a unit enters a resample with both models or with none. A difference of
    means is the mean of the units' differences; one of weighted means, of roots (micro RMSE) or of pooled
    values (corpus BLEU) is not, so that it keeps both samples and takes the difference of their values in
    each resample.

    >>> a = Sample(values=np.array([1.0, 0.5, 0.0]), scored=np.array([True, True, True]), bounds=(0, 1))
    >>> b = Sample(values=np.array([0.5, 0.5, 0.0]), scored=np.array([True, True, False]), bounds=(0, 1))
    >>> difference = paired(a, b)
    >>> difference.values[difference.scored], difference.bounds
    (array([0.5, 0. ]), (-1, 1))
    """
    if any(one.minus is not None or one.contrast is not None for one in (model, baseline)):
        raise ValueError("a difference is taken between two plain samples")
    (low_a, high_a), (low_b, high_b) = model.bounds, baseline.bounds
    both = model.scored & baseline.scored
    bounds = (
        None if low_a is None or high_b is None else low_a - high_b,
        None if high_a is None or low_b is None else high_a - low_b,
    )
    if not (_plain(model) and _plain(baseline)):
        return replace(
            model, scored=both, bounds=bounds, indicator=False, minus=replace(baseline, scored=both)
        )
    whole = model.total is not None and baseline.total is not None
    return Sample(
        values=model.values - baseline.values,
        scored=both,
        bounds=bounds,
        total=(model.total or 0.0) - (baseline.total or 0.0) if whole else None,
        reach=None if model.reach is None or baseline.reach is None else model.reach + baseline.reach,
    )


def _plain(one: Sample) -> bool:
    return one.weights is None and one.link == "identity" and one.pooled is None
