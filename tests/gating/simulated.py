"""Runs of known truth: a baseline, and a candidate that loses nothing or exactly so much.

Larger runs of this code found, with ``not_worse_by``, Holm and the margin of :func:`margin_for` but for the
standard deviation as measured (500 gates of one rule, 223 of 5, 111 of 20, each with and without a loss of
1.5 times what the rows call detectable in one of the rules; over 200 units 300 and 67):

====== ===== ===== =============== ========= ===========================
metric units rules no change fails loss fails a third of the margin, no
                                             change: undecided
====== ===== ===== =============== ========= ===========================
hit       50     1           0.4 %    95.2 %                      99.6 %
hit       50     5           0.0 %    97.3 %
hit       50    20           0.0 %    96.4 %
hit      200     1           0.0 %    95.7 %                     100.0 %
hit      200    20           1.5 %    97.0 %
gain      50     1           2.8 %    99.4 %                      96.0 %
gain      50     5           1.8 %    99.1 %
gain      50    20           0.0 %    99.1 %
ratio     50     1           0.4 %    98.8 %                      97.8 %
ratio     50     5           0.0 %    96.4 %
ratio     50    20           0.0 %    91.9 %
====== ===== ===== =============== ========= ===========================

Without the sign flips 5.4 % and 6.3 % of gates of 5 and 20 unchanged hit rates over 50 units failed.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from gate_sources import GAIN, HIT, RATIO, Made, metric, scores

from genrec_eval.audit.gating.decide import gate
from genrec_eval.audit.gating.types import GateResult
from genrec_eval.metrics.base import Metric, UnitScores
from genrec_eval.suite.gate import Gate

SPREADS = {"hit": 0.3, "gain": 0.3, "ratio": 0.5}
"""About the standard deviation of the differences of two equally good models, by kind."""


def margin_for(kind: str, n: int) -> float:
    """A margin that n units resolve."""
    return 3.6 * SPREADS[kind] / n**0.5


def pair(rng: np.random.Generator, kind: str, n: int, loss: float) -> tuple[UnitScores, UnitScores]:
    """Scores of a baseline and of a candidate that is worse by ``loss`` in truth."""
    if kind == "hit":  # 6 in 100 pairs differ for no reason, half of them each way
        before = rng.random(n) < 0.6
        lose = rng.random(n) < (0.045 + loss) / 0.6
        win = rng.random(n) < 0.045 / 0.4
        return scores(before), scores(np.where(before, ~lose, win))
    base = rng.exponential(1.0, n) + 0.2 * rng.exponential(1.0, n)  # skewed, as gains by user are
    noise = 0.2 * rng.exponential(1.0, n) - 0.2 * rng.exponential(1.0, n)
    if kind == "gain":
        return scores(base), scores(base + noise - loss)
    weights = rng.lognormal(0, 0.7, n)
    moved = weights * rng.lognormal(0, 0.05, n)
    return scores(base, weights=weights), scores(base + noise - loss, weights=moved)


def played(seed: int, kind: str, n: int, rules: int, loss: float, margin: float) -> GateResult:
    """The gate of a run in which one of ``rules`` metrics loses ``loss`` and the others nothing."""
    rng = np.random.default_rng(seed)
    about = {"hit": HIT, "gain": GAIN, "ratio": RATIO}[kind]
    known: list[Metric] = []
    tables: dict[str, Mapping[str, UnitScores]] = {}
    before: dict[str, UnitScores] = {}
    after: dict[str, UnitScores] = {}
    for number in range(rules):
        one = metric(
            f"{kind}{number}",
            values=about.definition.values,
            bounds=about.definition.bounds,
            unit=about.definition.unit,
        )
        known.append(one)
        before[one.id], after[one.id] = pair(rng, kind, n, loss if number == 0 else 0.0)
    tables = {"m": after}
    asked = Gate.model_validate(
        {"rules": [{"scenario": "s", "metric": one.id, "not_worse_by": margin} for one in known]}
    )
    return gate(Made(tables, known), asked, Made({"m": before}, known))


def share(found: list[GateResult], code: int) -> float:
    """Share of the runs that ended with an exit code."""
    return sum(one.exit_code == code for one in found) / len(found)
