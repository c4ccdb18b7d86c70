"""Verbosity bias: does the judge prefer the longer answer more than people do?

A longer answer may well be the better one: that the judge prefers it is no bias by itself, which is why
people's labels on the same pairs stand beside it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrec_eval.judging.audit.labels import Joined
from genrec_eval.judging.audit.verdicts import Bool, Float64, Int64, Verdicts
from genrec_eval.stats.logit import logistic_slope
from genrec_eval.stats.sums import Measure, mean_of, share_of, undefined

CLEAR = 30
"""Characters by which lengths must differ for one answer to count as the longer."""
_NO_LABELS = "there are no labels of people"


@dataclass(frozen=True, slots=True, kw_only=True)
class Verbosity:
    """Preference for the longer of two answers.

    Attributes
    ----------
    longer
        Share of decisive verdicts for the longer answer, where lengths differ by more than ``clear``
        characters.
    slope
        Change of the log-odds that an answer is preferred, per standard deviation of the difference in
        length; ties count half.
    deviation
        That standard deviation, in characters.
    human_longer, human_slope
        The same for the majority of people on the same pairs.
    difference
        Judge minus people on pairs that both decide.
    """

    clear: int
    longer: Measure
    slope: Measure
    deviation: float | None
    human_longer: Measure
    human_slope: Measure
    difference: Measure


def verbosity(
    verdicts: Verdicts,
    joined: Joined | None = None,
    *,
    clear: int = CLEAR,
    seed: int | None,
    level: float = 0.95,
) -> Verbosity:
    """Verbosity bias of a judge of pairs."""
    how: dict = {"seed": seed, "level": level}
    known = np.isfinite(verdicts.gap)
    apart = known & (np.abs(np.nan_to_num(verdicts.gap)) > clear)
    longer = (verdicts.value == 1) == (verdicts.gap > 0)
    decided = apart & verdicts.judged & (verdicts.value != 0.5)
    deviation = float(verdicts.gap[known].std(ddof=1)) if known.sum() > 1 else 0.0
    empty = "no decisive verdict on texts whose lengths are known and differ"
    scaled = verdicts.gap / deviation if deviation else np.full(len(verdicts), np.nan)
    human_longer = human_slope = difference = undefined(_NO_LABELS, level=level)
    if joined is not None:
        rows = _once(verdicts)
        voted = joined.majority
        people = (voted == 1) == (verdicts.gap > 0)
        clear_vote = apart & np.isfinite(voted) & (voted != 0.5)
        human_longer = _share(people, rows & clear_vote & _judged_items(verdicts), verdicts.unit, empty, how)
        human_slope = logistic_slope(voted[rows], scaled[rows], units=verdicts.unit[rows], **how)
        both = decided & clear_vote
        difference = mean_of(
            longer[both].astype(np.float64) - people[both],
            units=verdicts.unit[both],
            bounds=(-1.0, 1.0),
            empty="no pair is decided by both judge and people",
            **how,
        )
    return Verbosity(
        clear=clear,
        longer=_share(longer, decided, verdicts.unit, empty, how),
        slope=logistic_slope(verdicts.value, scaled, units=verdicts.unit, **how),
        deviation=deviation or None,
        human_longer=human_longer,
        human_slope=human_slope,
        difference=difference,
    )


def _share(hits: Bool, where: Bool, unit: Int64, empty: str, how: dict) -> Measure:
    return share_of(hits[where], units=unit[where], empty=empty, **how)


def _once(verdicts: Verdicts) -> Bool:
    """bool[m], the first row of each item: people label it once, however often it was judged."""
    first = np.zeros(len(verdicts), bool)
    first[np.unique(verdicts.item, return_index=True)[1]] = True
    return first


def _judged_items(verdicts: Verdicts) -> Bool:
    """bool[m], rows of items on which the judge has a verdict at all."""
    judged: Float64 = np.zeros(int(verdicts.item.max(initial=-1)) + 1)
    np.maximum.at(judged, verdicts.item, verdicts.judged.astype(np.float64))
    return judged[verdicts.item] > 0
