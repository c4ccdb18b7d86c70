"""Position bias: does the judge prefer what is shown first, or last?"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrec_eval.judging.audit.stability import same_again, same_share
from genrec_eval.judging.audit.verdicts import Verdicts, both_shown, repeats
from genrec_eval.stats.sums import Measure, mean_of, share_of, undefined

_ONE_ORDER = "no pair was judged in both orders; set orders: both"


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """What the order of the two answers does.

    The rates of JudgeLM (Zhu et al. 2023) are over all pairs with a verdict in both orders, ties included:
    a judge that moves from a tie to the answer shown first, prefers the first.

    Attributes
    ----------
    first_share
        Share of the answer shown first among decisive verdicts. One half without bias, where each pair is
        shown in both orders; with one order it also depends on who is shown first.
    consistency
        Share of pairs with the same verdict in both orders.
    prefer_first, prefer_last
        Share of pairs in which the orders differ in favour of the answer shown first, or last.
    delta
        ``prefer_first - prefer_last``: the direction. JudgeLM's delta bias is its size.
    total
        ``prefer_first + prefer_last``: its total bias, 1 - consistency.
    noise
        Share of equal verdicts when nothing but the repeat changes (see stability).
    excess
        ``noise - consistency``: what the order moves beyond the judge's own noise.
    """

    first_share: Measure
    consistency: Measure
    prefer_first: Measure
    prefer_last: Measure
    delta: Measure
    total: Measure
    noise: Measure
    excess: Measure


def position(verdicts: Verdicts, *, seed: int | None, level: float = 0.95) -> Position:
    """Position bias of a judge of pairs."""
    decisive = verdicts.judged & (verdicts.value != 0.5) & (verdicts.swapped >= 0)
    first = (verdicts.value == 1) == (verdicts.swapped == 0)
    given, swapped = both_shown(verdicts)
    units = verdicts.unit[given]
    lean = np.sign(verdicts.value[given] - verdicts.value[swapped])

    def share(hits: np.ndarray) -> Measure:
        return share_of(hits, units=units, seed=seed, level=level, empty=_ONE_ORDER)

    consistency = share(lean == 0)
    groups = repeats(verdicts)
    noise = same_again(verdicts, groups, seed=seed, level=level)
    return Position(
        first_share=share_of(
            first[decisive],
            units=verdicts.unit[decisive],
            seed=seed,
            level=level,
            empty="no decisive verdict whose order is known",
        ),
        consistency=consistency,
        prefer_first=share(lean > 0),
        prefer_last=share(lean < 0),
        delta=mean_of(lean, units=units, seed=seed, level=level, bounds=(-1.0, 1.0), empty=_ONE_ORDER),
        total=share(lean != 0),
        noise=noise,
        excess=_excess(verdicts, lean, units, noise, seed, level),
    )


def _excess(
    verdicts: Verdicts, lean: np.ndarray, units: np.ndarray, noise: Measure, seed: int | None, level: float
) -> Measure:
    """Unit by unit over units that have both: repeats, and both orders."""
    if not len(lean) or noise.value is None:
        return undefined(_ONE_ORDER if not len(lean) else noise.reason or _ONE_ORDER, level=level)
    groups = repeats(verdicts)
    again: dict[int, list[float]] = {}
    for rows in groups:
        again.setdefault(int(verdicts.unit[rows[0]]), []).append(same_share(verdicts.value[rows]))
    both = [unit for unit in np.unique(units).tolist() if unit in again]
    differences = [float(np.mean(again[unit])) - float((lean[units == unit] == 0).mean()) for unit in both]
    empty = "no unit has both repeats and both orders"
    return mean_of(differences, seed=seed, level=level, bounds=(-1.0, 1.0), empty=empty)
