"""Win rate: how often a judge prefers the model to another one."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.judged.pairs import Pairs
from genrec_eval.protocol.arrays import Float64

WHOSE: dict[str, Any] = {"against": ("", None), "judge": ("", None), "rubric": ("", None)}
"""Parameters that say which judgements a win rate is about; whoever gathers the pairs reads them."""
WHOSE_MEANINGS = {
    "against": "model that this one is compared with",
    "judge": "judge, or panel of judges",
    "rubric": "what the judge was to look for",
}
SHARED: dict[str, Any] = {
    "on": "pairs",
    "needs_cutoff": False,
    "resampling_unit": "prompt",
}


@dataclass(frozen=True, slots=True)
class Tally:
    """What a win rate is made of.

    Attributes
    ----------
    win_rate, discrete_win_rate
        In [0, 1]; None for no pair. The discrete one counts 1, ½ or 0 for each pair.
    standard_error
        Of the win rate, from the spread over units (ddof 1); None for fewer than two.
    """

    n: int
    wins: int
    losses: int
    draws: int
    win_rate: float | None
    discrete_win_rate: float | None
    standard_error: float | None


def tally(pairs: Pairs) -> Tally:
    """Wins, losses and draws.

    >>> found = tally(Pairs(preference=np.array([1.0, 0.75, 0.5, 0.25])))
    >>> found.wins, found.losses, found.draws, found.win_rate, round(found.standard_error, 4)
    (2, 1, 1, 0.625, 0.1614)
    """
    found = pairs.preference[pairs.scored]
    n, wins, losses = len(found), int((found > 0.5).sum()), int((found < 0.5).sum())
    draws = n - wins - losses
    return Tally(
        n,
        wins,
        losses,
        draws,
        float(found.mean()) if n else None,
        (wins + draws / 2) / n if n else None,
        float(found.std(ddof=1)) / math.sqrt(n) if n > 1 else None,
    )


def decided(preference: Float64) -> Float64:
    """Preferences as 1, ½ or 0; only a preference of exactly ½ is a draw.

    >>> decided(np.array([0.9, 0.5, 0.2]))
    array([1. , 0.5, 0. ])
    """
    return np.where(preference == 0.5, 0.5, (preference > 0.5).astype(np.float64))


@define(
    Definition(
        name="win_rate",
        title="Win rate",
        summary="Share of the pairs in which the judge prefers the model to the other; a draw is half.",
        formula="mean over units of P(model preferred); discrete=true: of 1 for a win, ½ a draw, 0 a loss",
        degenerate="Identical answers are a draw. Units without a verdict are left out and counted by reason,"
        " or a tie or a loss where the judge's policy says so.",
        source="Li et al. 2023, AlpacaEval; Zheng et al. 2023, arXiv 2306.05685 (draws).",
        direction="higher",
        unit="share",
        parameters={**WHOSE, "discrete": (False, (False, True))},
        meanings={**WHOSE_MEANINGS, "discrete": "whether a preference of 0.51 is a win like one of 1"},
        traps="Longer answers win more often whatever they say: read controlled_win_rate and covariate_effect"
        " beside it. Rates against different models, or from different judges, are not comparable.",
        **SHARED,
    )
)
def win_rate(pairs: Pairs, *, discrete: bool, **whose: str) -> UnitScores:
    """Preference of each unit.

    >>> from genrec_eval.metrics.registry import metric
    >>> metric("win_rate(discrete=true)")(Pairs(preference=np.array([0.9, 0.5]))).values
    array([1. , 0.5])
    """
    values = np.where(pairs.scored, pairs.preference, 0.0)
    return UnitScores(values=decided(values) if discrete else values, reasons=pairs.reasons)
