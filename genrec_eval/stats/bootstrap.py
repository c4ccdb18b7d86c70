"""The bootstrap of samples over equally many units, which share one set of resamples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from genrec_eval.stats.fits import Bootstrapped
from genrec_eval.stats.resample import exact_sums, replicate_sums
from genrec_eval.stats.statistic import Statistic

Float64 = npt.NDArray[np.float64]

_LEAST_FREEDOM = 4.0
"""Degrees of freedom below which the kurtosis of a sample says too little to go by."""


def bootstrapped(statistics: Sequence[Statistic], seed: int) -> Iterator[Bootstrapped]:
    """Fit each of ``statistics``, all over equally many units.

    Scores of one model lie on one side of 0 and most are 0: the bias correction and acceleration of BCa
    (Efron 1987) mend what plain percentiles miss of their skew. Differences of equally good models have no
    skew of their own; there BCa follows that of chance, and plain percentiles hold the level.

    Both are expanded to fit Student's t (Hesterberg 2015, section 5.3), with as many degrees of freedom as
    the kurtosis leaves: the variance of a variance is that of a normal sample with 2 n / (kurtosis - 1).
    Where a few units hold much of the weight, resamples of a ratio vary too little even so; it is expanded
    to the jackknife's error.
    """
    n = statistics[0].n
    columns = np.concatenate([one.columns for one in statistics], axis=1)
    sums = replicate_sums(columns, seed=seed)
    centres = exact_sums(columns)[None, :]
    place = 0
    for one in statistics:
        here = slice(place, place + one.columns.shape[1])
        place = here.stop
        replicates, centre = one.at(sums[:, here]), one.at(centres[:, here])
        count = len(replicates)
        bias = acceleration = 0.0
        freedom, skew = shape(one.influence)
        widen = math.sqrt(n / (n - 1))  # a resample is drawn from a spread that is too small by as much
        if not one.plain:
            widen = max(widen, one.error / max(float(replicates.std()), np.finfo(float).tiny))
        if one.one_sided:
            # exact sums make ties exact, and a tie counts half
            below = float(((replicates < centre).mean() + (replicates <= centre).mean()) / 2)
            bias = float(ndtri(min(max(below, 1 / count), 1 - 1 / count)))
            acceleration = skew
        yield Bootstrapped(
            value=one.value,
            error=one.error,
            ordered=np.sort(replicates),
            bias=bias,
            acceleration=acceleration,
            freedom=freedom,
            widen=widen,
            method="bootstrap-bca" if one.one_sided else "bootstrap-percentile",
        )


def shape(influence: Float64) -> tuple[float, float]:
    """Degrees of freedom and acceleration."""
    n = len(influence)
    deviations = influence / max(float(np.abs(influence).max()), np.finfo(float).tiny)
    squared = deviations * deviations
    squares = max(float(squared.sum()), np.finfo(float).tiny)
    kurtosis = n * float((squared * squared).sum()) / (squares * squares)
    freedom = 2 * n / max(kurtosis - 1, 2 * n / (n - 1))
    return max(freedom, _LEAST_FREEDOM), float((squared * deviations).sum()) / (
        6 * squares * math.sqrt(squares)
    )
