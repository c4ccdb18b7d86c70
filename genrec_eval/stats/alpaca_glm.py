"""AlpacaEval 2's length-controlled win rate: predicted from published weights, or fitted to preferences.

Model of one system m on prompt i, fitted for each system by itself (Dubois et al. 2024, arXiv 2404.04475;
``length_controlled_v1`` of alpaca_eval)::

    logit P(m preferred) = theta_m + phi_m · tanh(delta_i / sigma_m) + psi_m · gamma_i
    length-controlled    = mean over i of sigmoid(theta_m + psi_m · gamma_i)

with ``delta`` the baseline's characters minus the system's (phi below 0: longer answers win), ``sigma`` its
standard deviation, and ``gamma`` a difficulty of the prompt that upstream estimated once and froze. Upstream
joins it by row, so that systems with missing rows were published with the difficulty of other prompts; here
it is joined by id, by the caller.

Upstream's fit also sees 1,610 rows of the baseline asked to be verbose and to be concise, with weight 0.1 and
without theta, which tie phi and psi to what the judge does when only length changes. Their verdicts were not
at hand; :class:`Reruns` takes what stands in for them. Refits of ten systems (805 prompts each) differ from
the published rates by, in points:

===================================================================  ========  ======  ========
stand-in                                                             greatest  r.m.s.  Spearman
===================================================================  ========  ======  ========
none                                                                      4.1     1.6     0.988
none, ridge 1 on phi and psi: needs nothing published                     1.0     0.8     0.988
reruns with the preferences that their published weights expect           1.6     1.0     1.000
the same, with ridge 3 on phi and psi                                     1.0     0.4     1.000
reruns, every preference their published mean win rate                    0.8     0.6     1.000
===================================================================  ========  ======  ========

Chosen for each system by the error on the nine others, among ridges of 0, 0.1, 0.3, 1, 3 and 10 with and
without reruns, it is the fourth every time, and the second where nothing published may be used. Part of
what is left is that the difficulty at hand is an estimate too: even published weights are 0.05 to 0.33
points above the published rates with it. The L1 penalty that upstream chooses by cross-validation matters
less: it moves no refit by more than 0.1 point.

Upstream's standard error is that of the mean of fitted probabilities, as if the weights were known: 0.3 to
0.9 points on the ten systems, where :func:`fit_resamples` gives 0.7 to 1.9.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError
from genrec_eval.stats.logistic import fit_logistic, in_blocks, sigmoid

Float64 = npt.NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class AlpacaWeights:
    """Coefficients of one system, in the order of upstream's weight files."""

    phi: float
    psi: float
    theta: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Reruns:
    """What stands in for the rows of the baseline under other prompts: no theta, a small weight.

    Attributes
    ----------
    length, difficulty, preference
        float64[r]: length terms, difficulties, and probabilities that the rerun beats the baseline.
    weight
        Of each row; 0.1 upstream, where a row of the system has 1.
    """

    length: Float64
    difficulty: Float64
    preference: Float64
    weight: float = 0.1


def length_term(baseline_length: Float64, model_length: Float64) -> Float64:
    """``tanh(delta / sigma)`` in [-1, 1], below 0 where the model's text is the longer one.

    >>> length_term(np.array([100.0, 200.0, 300.0]), np.array([100.0, 300.0, 200.0]))
    array([ 0.        , -0.76159416,  0.76159416])
    """
    delta = np.asarray(baseline_length, np.float64) - model_length
    sigma = float(delta.std(ddof=1)) if len(delta) > 1 else 0.0
    return np.tanh(delta / sigma) if sigma else np.zeros(len(delta))


def expected_preferences(weights: AlpacaWeights, length: Float64, difficulty: Float64) -> Float64:
    """float64[n], probability that the system is preferred at the given length terms."""
    return sigmoid(weights.theta + weights.phi * length + weights.psi * difficulty)


def length_controlled(weights: AlpacaWeights, difficulty: Float64) -> float:
    """Length-controlled win rate in [0, 1].

    >>> length_controlled(AlpacaWeights(phi=-1.5, psi=0.8, theta=0.0), np.array([-1.0, 1.0]))
    0.5
    """
    return float(expected_preferences(weights, np.zeros(len(difficulty)), difficulty).mean())


def head_to_head(one: AlpacaWeights, other: AlpacaWeights, difficulty: Float64) -> float:
    """Length-controlled win rate of one system over another, both weighed against the same baseline."""
    apart = AlpacaWeights(one.phi - other.phi, one.psi - other.psi, one.theta - other.theta)
    return length_controlled(apart, difficulty)


def fit_alpaca(
    preference: Float64,
    length: Float64,
    difficulty: Float64,
    *,
    reruns: Reruns | None = None,
    ridge: float = 0.0,
) -> AlpacaWeights:
    """Fit the weights of one system.

    Parameters
    ----------
    preference
        float64[n] in [0, 1]; upstream's files have 1 + preference, and 0 for a draw in old ones.
    length, difficulty
        float64[n], from :func:`length_term`, and joined by the prompts' ids.
    ridge
        On phi and psi; upstream has an L1 penalty whose weight cross-validation chooses.

    Raises
    ------
    UsageError
        When the system wins or loses every pair, or a length or difficulty tells wins from losses, so that
        the weights would be infinite.
    """
    found, converged, _ = _fits(preference, length, difficulty, np.ones((1, len(preference))), reruns, ridge)
    if not converged[0]:
        raise UsageError(
            "length control: the weights are infinite, because every pair is won or lost or because length or"
            " difficulty alone tells wins from losses; use controlled_win_rate, whose ridge keeps them finite"
        )
    return AlpacaWeights(*map(float, found[0]))


def fit_resamples(
    preference: Float64,
    length: Float64,
    difficulty: Float64,
    counts: Float64,
    *,
    reruns: Reruns | None = None,
    ridge: float = 0.0,
) -> Float64:
    """float64[B], length-controlled win rate of each resample of prompts; NaN where weights are infinite.

    Parameters
    ----------
    counts
        float64[B, n], how often each prompt is drawn, see :func:`~genrec_eval.stats.resample.resamples`; the
        reruns stay as they are.
    """
    _, converged, rates = _fits(preference, length, difficulty, counts, reruns, ridge)
    return np.where(converged, rates, np.nan)


def _fits(
    preference: Float64,
    length: Float64,
    difficulty: Float64,
    counts: Float64,
    reruns: Reruns | None,
    ridge: float,
) -> tuple[Float64, npt.NDArray[np.bool_], Float64]:
    """Weights float64[B, 3], whether they are finite, and length-controlled rates."""
    features = np.stack([length, difficulty, np.ones(len(length))])
    targets, extra = preference, np.empty(0)
    if reruns is not None:
        rows = np.stack([reruns.length, reruns.difficulty, np.zeros(len(reruns.length))])
        features = np.concatenate([features, rows], axis=1)
        targets = np.concatenate([preference, reruns.preference])
        extra = np.full(len(reruns.length), reruns.weight)
    penalty = np.array([ridge, ridge, 0.0])

    def work(drawn: Float64) -> tuple[Float64, ...]:
        weights = np.concatenate([drawn, np.broadcast_to(extra, (len(drawn), len(extra)))], axis=1)
        fit = fit_logistic(features, targets, weights, ridge=penalty)
        at_zero = sigmoid(fit.coefficients[:, 2:] + fit.coefficients[:, 1:2] * difficulty)
        rates: Float64 = np.einsum("bn,bn->b", drawn, at_zero) / drawn.sum(axis=1)
        return fit.coefficients, fit.converged.astype(np.float64), rates

    weights, finite, rates = in_blocks(work, counts)
    return weights, finite.astype(bool), rates
