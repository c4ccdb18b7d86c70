"""Log-likelihoods of one comparison under the three ways to treat ties, with their derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt

from genrec_eval.stats.logistic import sigmoid

Float64 = npt.NDArray[np.float64]
Ties = Literal["half", "davidson", "rao-kupper"]


@dataclass(frozen=True, slots=True)
class Slopes:
    """Log-likelihoods of n rows, and derivatives by the difference d of two strengths and by the tie rate t.

    Attributes
    ----------
    value, d, dd, t, tt, dt
        float64[n]; ``value`` is -inf everywhere where t is out of its range.
    """

    value: Float64
    d: Float64
    dd: Float64
    t: Float64
    tt: Float64
    dt: Float64


def slopes(ties: Ties, apart: Float64, outcome: Float64, tie: float) -> Slopes:
    """Evaluate at differences ``apart``; ``tie`` is the logarithm of Davidson's nu or Rao and Kupper's kappa.

    All three are concave in both arguments.

    - half: P(win) = sigmoid(d), a tie is half a win and half a loss;
    - Davidson 1970: P(win) : P(tie) : P(loss) = e^(d/2) : nu : e^(-d/2);
    - Rao & Kupper 1967: P(win) = 1 / (1 + kappa e^(-d)), P(loss) = 1 / (1 + kappa e^d).
    """
    none = np.zeros(len(apart))
    if ties == "half":
        chance = sigmoid(apart)
        value = outcome * apart - _softplus(apart)
        return Slopes(value, outcome - chance, -chance * (1 - chance), none, none, none)
    drawn, won = (outcome == 0.5).astype(np.float64), (outcome == 1).astype(np.float64)
    lost = 1 - drawn - won
    if ties == "davidson":
        logits = np.stack([apart / 2, np.full(len(apart), tie), -apart / 2])
        top = logits.max(axis=0)
        shares = np.exp(logits - top)
        total = shares.sum(axis=0)
        win, draw, loss = shares / total
        value = won * logits[0] + drawn * logits[1] + lost * logits[2] - top - np.log(total)
        lean = win - loss
        return Slopes(
            value,
            (won - lost - lean) / 2,
            -(win + loss - lean * lean) / 4,
            drawn - draw,
            -draw * (1 - draw),
            draw * lean / 2,
        )
    if tie <= 0:
        return Slopes(np.full(len(apart), -np.inf), none, none, none, none, none)
    ahead, behind = apart - tie, -apart - tie
    up, down = sigmoid(ahead), sigmoid(behind)
    for_, against = won + drawn, lost + drawn
    grow = math.exp(-2 * tie)
    value = -for_ * _softplus(-ahead) - against * _softplus(-behind)
    value = value + drawn * (2 * tie + math.log1p(-grow))
    bend_up, bend_down = -for_ * up * (1 - up), -against * down * (1 - down)
    return Slopes(
        value,
        for_ * (1 - up) - against * (1 - down),
        bend_up + bend_down,
        -for_ * (1 - up) - against * (1 - down) + drawn * 2 / (1 - grow),
        bend_up + bend_down - drawn * 4 * grow / (1 - grow) ** 2,
        bend_down - bend_up,
    )


def start(ties: Ties, share: float) -> float:
    """Logarithm of the tie rate at which models of equal strength tie as often as ``share``."""
    if ties == "half" or share == 0:
        return 0.0
    return math.log(2 * share / (1 - share)) if ties == "davidson" else math.log((1 + share) / (1 - share))


def expected_score(ties: Ties, apart: float, tie: float) -> float:
    """Probability of a win plus half that of a tie, at a difference of strengths."""
    d = np.array([apart])
    if ties == "half":
        return float(sigmoid(d)[0])
    win, loss = (float(np.exp(slopes(ties, d, np.array([one]), tie).value[0])) for one in (1.0, 0.0))
    return win + (1 - win - loss) / 2


def _softplus(x: Float64) -> Float64:
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))
