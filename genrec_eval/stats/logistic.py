"""Logistic regression on probabilities, for many resamples at once: Newton's method with a ridge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Float64 = npt.NDArray[np.float64]

_STEPS = 100
_TOLERANCE = 1e-9
_LEAST_CURVATURE = 1e-12
_GREATEST_LOGIT = 30.0
"""Beyond it the data speak for certainty: odds of 10 to the 13th come from separation alone."""
_BLOCK = 1 << 19
"""Numbers of one feature that are held at a time: 4 MB, which stays in the cache."""


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """Coefficients of B fits.

    Attributes
    ----------
    coefficients
        float64[B, p].
    converged
        bool[B]; False where the likelihood has no greatest value (separation without a ridge), so that the
        coefficients are only where the search stopped.
    """

    coefficients: Float64
    converged: npt.NDArray[np.bool_]


def fit_logistic(
    features: Float64,
    targets: Float64,
    counts: Float64 | None = None,
    *,
    ridge: Float64 | None = None,
    start: Float64 | None = None,
) -> LogisticFit:
    """Greatest penalised likelihood of ``logit P = sum_j coefficient_j · feature_j``.

    Parameters
    ----------
    features
        float64[p, n], or float64[B, p, n] where each fit has its own. A constant feature is an intercept;
        none is added.
    targets
        float64[n] in [0, 1]: probabilities count as that share of a success.
    counts
        float64[B, n] of at least 0, how often each row counts in each fit; once in a single fit by default.
    ridge
        float64[p] of at least 0: ``½ · ridge_j · coefficient_j²`` is taken from the log-likelihood.
    start
        float64[p], where to begin; zeros by default.

    Returns
    -------
    LogisticFit
        Memory is some times that of ``counts``, see :func:`in_blocks`. Sums run without a linear algebra
        library, so that they are the same whatever the number of threads.

    >>> features = np.stack([np.ones(4), np.array([0.0, 0.0, 1.0, 1.0])])
    >>> fit_logistic(features, np.array([0.0, 1.0, 0.5, 1.0])).coefficients.round(4)
    array([[-0.    ,  1.0986]])
    """
    p, n = features.shape[-2:]
    weights = np.ones((1, n)) if counts is None else counts
    penalty = np.zeros(p) if ridge is None else np.asarray(ridge, np.float64)
    begin = np.zeros(p) if start is None else np.asarray(start, np.float64)
    return LogisticFit(*_newton(features, targets, weights, penalty, begin))


def in_blocks(work: Callable[[Float64], tuple[Float64, ...]], counts: Float64) -> tuple[Float64, ...]:
    """``work`` on as many rows of ``counts`` at a time as fit the cache; its arrays joined along axis 0."""
    size = max(1, _BLOCK // max(counts.shape[1], 1))
    parts = [work(counts[first : first + size]) for first in range(0, len(counts), size)]
    return tuple(np.concatenate(column) for column in zip(*parts, strict=True))


def sigmoid(logits: Float64) -> Float64:
    """Logistic function, without overflow.

    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    small = np.exp(-np.abs(logits))
    return np.where(logits >= 0, 1.0, small) / (1 + small)


def _newton(
    features: Float64, targets: Float64, counts: Float64, ridge: Float64, start: Float64
) -> tuple[Float64, npt.NDArray[np.bool_]]:
    """Newton's steps, halved where they overshoot; fits that are done drop out."""
    fits, p = len(counts), features.shape[-2]
    best = np.tile(start, (fits, 1))
    step = np.zeros((fits, p))
    loss = np.full(fits, np.inf)
    open_ = np.arange(fits)
    converged = np.zeros(fits, bool)
    diagonal = np.arange(p)
    for _ in range(_STEPS):
        own = features if features.ndim == 2 else features[open_]
        weights, trial = counts[open_], best[open_] + step[open_]
        logits = _along("bp,pn->bn", "bp,bpn->bn", trial, own)
        small = np.exp(-np.abs(logits))
        chance = np.where(logits >= 0, 1.0, small) / (1 + small)
        # softplus(x) - y x, which is -log-likelihood of one row
        each = np.maximum(logits, 0) + np.log1p(small) - targets * logits
        value = np.einsum("bn,bn->b", weights, each) + 0.5 * (ridge * trial * trial).sum(axis=1)
        worse = value > loss[open_] + 1e-12 * np.abs(value)
        if worse.any():
            step[open_[worse]] /= 2
        better = ~worse
        if better.any():
            at = open_[better]
            best[at], loss[at] = trial[better], value[better]
            pull = weights[better] * (targets - chance[better])
            bend = weights[better] * chance[better] * (1 - chance[better])
            own = own if own.ndim == 2 else own[better]
            slope = _along("bn,pn->bp", "bn,bpn->bp", pull, own) - ridge * best[at]
            curve = np.empty((len(at), p, p))
            for row in range(p):
                for column in range(row + 1):
                    products = own[..., row, :] * own[..., column, :]
                    curve[:, row, column] = curve[:, column, row] = _along(
                        "bn,n->b", "bn,bn->b", bend, products
                    )
            curve[:, diagonal, diagonal] += ridge + _LEAST_CURVATURE
            step[at] = np.linalg.solve(curve, slope[..., None])[..., 0]
        far = better & (np.abs(logits).max(axis=1, initial=0.0) > _GREATEST_LOGIT)
        short = np.abs(step[open_]).max(axis=1, initial=0.0) <= _TOLERANCE
        converged[open_[short & ~far]] = True
        open_ = open_[~short & ~far]
        if not len(open_):
            break
    return best, converged


def _along(shared: str, each: str, left: Float64, right: Float64) -> Float64:
    """Contract with features that all fits share, or with each fit's own (one axis more)."""
    terms = each if right.ndim == len(each.split("->")[0].split(",")[1]) else shared
    return np.asarray(np.einsum(terms, left, right))
