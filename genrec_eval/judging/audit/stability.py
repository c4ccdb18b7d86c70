"""Repetition stability: what the judge says when asked the same again, the noise floor of every bias."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrec_eval.judging.audit.verdicts import Float64, Int64, Verdicts, repeats
from genrec_eval.stats.krippendorff import Scale, krippendorff_alpha
from genrec_eval.stats.sums import Measure, mean_of, of_sums, share_of, undefined

_NO_REPEATS = "no question was put to the judge twice; set repeats to 2 or more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stability:
    """How far repeats of one question agree.

    Attributes
    ----------
    identical
        Share of questions on which all repeats say the same.
    pairs
        Chance that two repeats of a question say the same: the noise floor.
    deviation
        Standard deviation of a score around its question's mean (pooled, n - 1); None for pairs.
    alpha
        Krippendorff's alpha over repeats: nominal for pairs, interval for scores.
    ordinal
        Alpha of scores as ranks; None for pairs.
    most
        Greatest number of repeats of a question.
    """

    identical: Measure
    pairs: Measure
    deviation: Measure | None
    alpha: Measure
    ordinal: Measure | None
    most: int


def stability(verdicts: Verdicts, *, seed: int | None, level: float = 0.95) -> Stability:
    """Agreement of the judge with itself; a question is one item in one order."""
    groups = repeats(verdicts)
    scored = not verdicts.pairwise
    if not groups:
        nothing = undefined(_NO_REPEATS, level=level)
        extra = nothing if scored else None
        return Stability(
            identical=nothing, pairs=nothing, deviation=extra, alpha=nothing, ordinal=extra, most=1
        )
    units = np.array([verdicts.unit[rows[0]] for rows in groups])
    values = [verdicts.value[rows] for rows in groups]

    def alpha(scale: Scale) -> Measure:
        return krippendorff_alpha(values, scale=scale, units=units, seed=seed, level=level)

    return Stability(
        identical=share_of([np.ptp(one) == 0 for one in values], units=units, seed=seed, level=level),
        pairs=same_again(verdicts, groups, seed=seed, level=level),
        deviation=_deviation(values, units, seed, level) if scored else None,
        alpha=alpha("interval" if scored else "nominal"),
        ordinal=alpha("ordinal") if scored else None,
        most=max(len(rows) for rows in groups),
    )


def same_again(verdicts: Verdicts, groups: list[Int64], *, seed: int | None, level: float = 0.95) -> Measure:
    """Mean over questions of the share of their pairs of repeats that say the same."""
    shares = [same_share(verdicts.value[rows]) for rows in groups]
    units = [int(verdicts.unit[rows[0]]) for rows in groups]
    return mean_of(shares, units=units, seed=seed, level=level, bounds=(0.0, 1.0), empty=_NO_REPEATS)


def same_share(values: Float64) -> float:
    """Share of the pairs of values that are equal."""
    _, counts = np.unique(values, return_counts=True)
    n = len(values)
    return float((counts * (counts - 1)).sum() / (n * (n - 1)))


def _deviation(values: list[Float64], units: Int64, seed: int | None, level: float) -> Measure:
    squares = [float(((one - one.mean()) ** 2).sum()) for one in values]
    columns = np.stack([squares, [len(one) - 1.0 for one in values]], axis=1)

    def at(sums: Float64) -> Float64:
        return np.sqrt(np.maximum(sums[:, 0], 0.0) / sums[:, 1])

    return of_sums(columns, at, units=units, seed=seed, level=level, bounds=(0.0, None))
