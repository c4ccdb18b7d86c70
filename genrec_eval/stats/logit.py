"""The slope of a share on one covariate: logistic regression with errors that are robust within units."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import numpy.typing as npt
from scipy.special import expit

from genrec_eval.stats.fits import Student
from genrec_eval.stats.sums import NOT_ASKED, Measure, by_unit, undefined, unit_codes

_STEPS = 50
_SEPARATED = 20.0


def logistic_slope(
    outcome: npt.ArrayLike,
    covariate: npt.ArrayLike,
    *,
    units: npt.ArrayLike | None = None,
    seed: int | None,
    level: float = 0.95,
) -> Measure:
    """Change of the log-odds of ``outcome`` per unit of ``covariate``, beside an intercept.

    Maximum likelihood; the interval is Student's t on the sandwich error, clustered by unit with the factor
    G/(G - 1) (Liang & Zeger 1986).

    Parameters
    ----------
    outcome
        float[n] in [0, 1]; a share, such as ½ for a tie, counts in part.
    seed
        None for no interval; nothing is drawn.

    Returns
    -------
    Measure
        Undefined where the outcome or the covariate does not vary, and where the covariate parts the
        outcomes, so that no slope is steep enough.

    >>> found = logistic_slope([0, 0, 1, 0, 1, 1, 0, 1], [-2, -1, -1, 0, 0, 1, 1, 2], seed=1)
    >>> round(found.value, 3), found.method
    (0.756, 'sandwich')
    """
    y, x = np.asarray(outcome, np.float64), np.asarray(covariate, np.float64)
    kept = np.isfinite(y) & np.isfinite(x)
    y, x = y[kept], x[kept]
    codes, count = unit_codes(None if units is None else np.asarray(units)[kept], len(y))

    def without(reason: str) -> Measure:
        return undefined(reason, n=len(y), units=count, level=level)

    if len(y) < 3 or np.ptp(y) == 0 or np.ptp(x) == 0:
        return without("outcome or covariate does not vary")
    centre, scale = float(x.mean()), float(x.std())
    design = np.stack([np.ones(len(x)), (x - centre) / scale], axis=1)
    beta = np.zeros(2)
    for _ in range(_STEPS):
        p = expit(design @ beta)
        weights = p * (1 - p)
        information = design.T @ (design * weights[:, None])
        if np.linalg.cond(information) > 1e12:
            return without("the covariate parts the outcomes")
        step = np.linalg.solve(information, design.T @ (y - p))
        beta = beta + step
        if np.abs(beta).max() > _SEPARATED:
            return without("the covariate parts the outcomes")
        if np.abs(step).max() < 1e-10:
            break
    value = float(beta[1]) / scale
    plain = Measure(value=value, level=level, n=len(y), units=count, reason=NOT_ASKED)
    if seed is None:
        return plain
    if count < 4:
        return replace(plain, reason="fewer than four units say too little about the spread")
    p = expit(design @ beta)
    bread = np.linalg.inv(design.T @ (design * (p * (1 - p))[:, None]))
    scores = by_unit(design * (y - p)[:, None], codes, count)
    error = math.sqrt(float((bread @ (scores.T @ scores) @ bread)[1, 1]) * count / (count - 1)) / scale
    low, high = Student(value, error, count - 1).ends(level)
    return replace(plain, low=low, high=high, method="sandwich", reason=None)
