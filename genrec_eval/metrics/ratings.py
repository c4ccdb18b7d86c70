"""How far predicted ratings are from the given ones: RMSE, MAE, and what was not predicted at all."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.rated import RatedPairs
from genrec_eval.protocol.arrays import Float64

_SHARED: dict[str, Any] = {
    "direction": "lower",
    "bounds": (0.0, None),
    "needs_cutoff": False,
    "on": "ratings",
    "degenerate": (
        "A pair without a prediction is left out and counted by missing_ratings; a user without any"
        " prediction is excluded and counted (no-prediction; unanswered where the model gave no answer), one"
        " without a rating to predict too (no-truth). With missing=worst a missing prediction counts as the"
        " end of the scale farthest from the rating, and nobody with a rating is excluded."
    ),
    "parameters": {
        "average": ("micro", ("micro", "macro")),
        "missing": ("exclude", ("exclude", "worst")),
    },
    "meanings": {
        "average": "micro weighs every pair alike, macro every user",
        "missing"
        "": "a pair without a prediction: leave it out, or take the end of the scale that is farthest off",
    },
}

_TRAPS = (
    "micro (RecBole, recommenders, LensKit's global value) and macro (Cornac's default) differ wherever users"
    " with many ratings are easier or harder than others. A model that predicts only what it is sure of looks"
    " better: recommenders joins and drops missing pairs in silence; read missing_ratings beside it, or use"
    " missing=worst. Clipping predictions to the scale lowers the error: do it for all models or for none."
)


def _errors(pairs: RatedPairs, missing: str) -> tuple[Float64, Float64]:
    """Errors of the pairs, 0 where there is none to count, and whether each counts (0 or 1)."""
    held = np.isfinite(pairs.predicted)
    errors = np.where(held, pairs.predicted, pairs.truth) - pairs.truth
    if missing == "worst":
        low, high = pairs.scale
        farthest = np.maximum(np.abs(pairs.truth - low), np.abs(pairs.truth - high))
        return np.where(held, errors, farthest), np.ones(len(held))
    return errors, held.astype(np.float64)


def _per_user(pairs: RatedPairs, errors: Float64, counted: Float64, *, root: bool, macro: bool) -> UnitScores:
    n, rows = len(pairs), pairs.rows
    weights = np.bincount(rows, weights=counted, minlength=n).astype(np.float64, copy=False)
    sums = np.bincount(rows, weights=errors * counted, minlength=n)
    means = np.divide(sums, weights, out=np.zeros(n), where=weights > 0)
    rated = np.diff(pairs.offsets) > 0
    nothing = rated & (weights == 0)
    reasons = {
        "no-truth": ~rated,
        "unanswered": nothing & ~pairs.answered,
        "no-prediction": nothing & pairs.answered,
    }
    return UnitScores(
        values=np.sqrt(means) if root and macro else means,
        reasons={name: mask for name, mask in reasons.items() if mask.any()},
        weights=None if macro else weights,
    )


@define(
    Definition(
        name="rmse",
        title="RMSE",
        summary="Root of the mean squared difference between predicted and given ratings.",
        formula=(
            "sqrt(sum of squared errors over all predicted pairs / number of pairs); average=macro: mean over"
            " users of sqrt(mean squared error of the user)"
        ),
        source="Herlocker et al. 2004; scikit-learn mean_squared_error.",
        traps=(
            f"{_TRAPS} A user's value under micro is the mean squared error, the run's value the root of"
            " the weighted mean: roots of parts do not average to the whole."
        ),
        link={"micro": "sqrt", "macro": "identity"},
        **_SHARED,
    )
)
def rmse(pairs: RatedPairs, *, average: str, missing: str) -> UnitScores:
    """Root mean squared error; a user's value is the mean square (micro) or its root (macro)."""
    errors, counted = _errors(pairs, missing)
    return _per_user(pairs, errors * errors, counted, root=True, macro=average == "macro")


@define(
    Definition(
        name="mae",
        title="MAE",
        summary="Mean absolute difference between predicted and given ratings.",
        formula="sum of |error| over all predicted pairs / their number; average=macro: mean of users' means",
        source="Herlocker et al. 2004; scikit-learn mean_absolute_error.",
        traps=_TRAPS,
        **_SHARED,
    )
)
def mae(pairs: RatedPairs, *, average: str, missing: str) -> UnitScores:
    """Mean absolute error."""
    errors, counted = _errors(pairs, missing)
    return _per_user(pairs, np.abs(errors), counted, root=False, macro=average == "macro")


@define(
    Definition(
        name="missing_ratings",
        title="Missing",
        summary="Share of the pairs that were asked about for which the model predicted no rating.",
        formula="pairs without a finite prediction / pairs",
        degenerate="A user without an answer misses all pairs; one without a rating to predict is excluded"
        " and counted (no-truth).",
        source="This project.",
        direction="lower",
        unit="share",
        needs_cutoff=False,
        on="ratings",
        traps=(
            "RMSE and MAE say nothing about these pairs unless missing=worst. A model that falls back to a"
            " mean where it knows nothing misses none: compare its RMSE on the pairs that the other one"
            " predicted."
        ),
    )
)
def missing_ratings(pairs: RatedPairs) -> UnitScores:
    """Share of pairs without a prediction, every pair weighing the same."""
    absent = 1.0 - np.isfinite(pairs.predicted)
    return _per_user(pairs, absent, np.ones(len(absent)), root=False, macro=False)
