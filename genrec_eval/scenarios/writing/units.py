"""From scores of cases to scores of units: over repeats first, then over the cases of a unit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np
import pyarrow as pa

from genrec_eval.metrics.base import Bool, UnitScores
from genrec_eval.scenarios.ranking.units import Units


def over_repeats(repeats: Sequence[UnitScores]) -> UnitScores:
    """Scores of the same cases in several repeats as one: the mean where there is a value, else a reason.

    Additive statistics add up, so that the run's value pools the repeats.
    """
    if len(repeats) == 1:
        return repeats[0]
    n = len(repeats[0])
    total, reach = _mean([one.total for one in repeats]), _mean([one.reach for one in repeats])
    stacked = replace(
        UnitScores.join(repeats),
        reasons=_stacked([one.reasons for one in repeats], n),
        total=total,
        reach=reach,
    )
    found = over_units(stacked, Units(pa.nulls(n, pa.string()), np.tile(np.arange(n), len(repeats))))
    if total is None:
        return found
    # what a case takes from the mean of the repeats' values is the mean of what it takes from each
    return replace(found, values=found.values / len(repeats), reach=reach)


def over_units(scores: UnitScores, units: Units) -> UnitScores:
    """Scores of cases as scores of their units.

    What a metric of the whole run loses without a unit is, up to terms of second order, the sum of what it
    loses without each of its cases.
    """
    of = units.of_case
    if of is None or scores.total is None:
        return units.over_cases(scores, None)
    scored, n = scores.scored, len(units.ids)
    losses = np.bincount(of[scored], weights=scores.values[scored], minlength=n).astype(np.float64)
    most = int(np.bincount(of[scored], minlength=n).max(initial=1))
    found = units.over_cases(replace(scores, total=None), None)
    reach = None if scores.reach is None else scores.reach * most
    return replace(found, values=losses, total=scores.total, reach=reach)


def _stacked(reasons: Sequence[Mapping[str, Bool]], n: int) -> dict[str, Bool]:
    names = dict.fromkeys(name for one in reasons for name in one)
    nobody = np.zeros(n, bool)
    return {name: np.concatenate([one.get(name, nobody) for one in reasons]) for name in names}


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return float(np.mean(known)) if known and len(known) == len(values) else None
