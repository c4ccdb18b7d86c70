"""The bootstrap of samples over equally many units, which share one set of resamples."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt
from scipy.special import ndtri

from genrec_eval.stats.fits import Bootstrapped
from genrec_eval.stats.resample import exact_sums, replicate_sums, resamples
from genrec_eval.stats.statistic import Statistic

Float64 = npt.NDArray[np.float64]

LEAST_FREEDOM = 4.0
"""Degrees of freedom below which the kurtosis of a sample says too little to go by."""

REFITS = 2_000
"""Replicates of a statistic that is fitted anew to each."""
MOST_UNDEFINED = 0.01
"""Share of resamples without a value that an interval may leave out."""
NO_JACKKNIFE = "without one of these units no value is defined"


def undefined_in(share: float) -> str:
    """Why there is no interval where a share of the resamples define no value."""
    return f"{share:.1%} of the resamples of these units define no value"


def bootstrapped(statistics: Sequence[Statistic], seed: int) -> Iterator[Bootstrapped | str]:
    """Fit each of ``statistics``, all over equally many units; or the reason why one has no interval.

    Scores of one model lie on one side of 0 and most are 0: the bias correction and acceleration of BCa
    (Efron 1987) mend what plain percentiles miss of their skew. Differences of equally good models have no
    skew of their own; there BCa follows that of chance, and plain percentiles hold the level.

    Both are expanded to fit Student's t (Hesterberg 2015, section 5.3), with as many degrees of freedom as
    the kurtosis leaves: the variance of a variance is that of a normal sample with 2 n / (kurtosis - 1).
    Where a few units hold much of the weight, resamples of a ratio vary too little even so; it is expanded
    to the jackknife's error.

    Resamples in which pooled units define no value are left out, up to :data:`MOST_UNDEFINED` of them.
    """
    n = statistics[0].n
    summed = _Sums(statistics, seed)
    for one in statistics:
        if one.refitted:
            drawn = resamples(n, seed=seed, replicates=REFITS)
            replicates = np.concatenate([one.fitted(counts) for _, counts in drawn])
            centre = one.value
        else:
            replicates, centre = summed.at(one)
        defined = np.isfinite(replicates)
        missing = 1 - float(defined.mean())
        if missing > MOST_UNDEFINED:
            yield undefined_in(missing)
            continue
        if not math.isfinite(one.error):
            yield NO_JACKKNIFE
            continue
        replicates = replicates[defined]
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


class _Sums:
    """Sums over the resamples, of the columns of all statistics; those that several share only once."""

    def __init__(self, statistics: Sequence[Statistic], seed: int) -> None:
        tables = {id(part.columns): part.columns for one in statistics for part in one.parts}
        columns = np.concatenate(list(tables.values()), axis=1)
        self.sums = replicate_sums(columns, seed=seed)
        self.whole = exact_sums(columns)[None, :]
        place = 0
        self.here: dict[int, slice] = {}
        for key, table in tables.items():
            self.here[key] = slice(place, place + table.shape[1])
            place += table.shape[1]

    def at(self, one: Statistic) -> tuple[Float64, float]:
        """float64[B], the value in each resample; and over all units, in the same arithmetic."""
        here = [np.arange(self.sums.shape[1])[self.here[id(part.columns)]] for part in one.parts]
        columns = np.concatenate(here)
        return one.at(self.sums[:, columns]), float(one.at(self.whole[:, columns])[0])


def shape(influence: Float64) -> tuple[float, float]:
    """Degrees of freedom and acceleration."""
    n = len(influence)
    deviations = influence / max(float(np.abs(influence).max()), np.finfo(float).tiny)
    squared = deviations * deviations
    squares = max(float(squared.sum()), np.finfo(float).tiny)
    kurtosis = n * float((squared * squared).sum()) / (squares * squares)
    freedom = 2 * n / max(kurtosis - 1, 2 * n / (n - 1))
    return max(freedom, LEAST_FREEDOM), float((squared * deviations).sum()) / (
        6 * squares * math.sqrt(squares)
    )
