"""AlpacaEval 2's own figures: the standard error of its win rate, and its length-controlled win rate."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.judged.pairs import Pairs
from genrec_eval.metrics.judged.win_rate import SHARED
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.alpaca_glm import (
    AlpacaWeights,
    Reruns,
    expected_preferences,
    fit_alpaca,
    fit_resamples,
    length_term,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AlpacaPairs:
    """One system against AlpacaEval's baseline.

    Attributes
    ----------
    pairs
        Preferences; covariate ``length`` is the system's characters minus the baseline's, and there is a
        difficulty.
    weights
        Published weights of the system; None where there are none.
    rerun_weights
        Published weights of the baseline asked to be verbose, and to be concise.
    rerun_gaps
        float64[n, 2]: characters of the baseline minus those of either rerun; None where not known.
    """

    pairs: Pairs
    weights: AlpacaWeights | None = None
    rerun_weights: tuple[AlpacaWeights, ...] = ()
    rerun_gaps: Float64 | None = None

    def __len__(self) -> int:
        return len(self.pairs)


def _error(sums: Float64, _: Mapping[str, Any]) -> Float64:
    n, total, squares = np.moveaxis(np.asarray(sums, np.float64), -1, 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        # sums of deviations from one half, so that squares do not cancel
        return np.sqrt(np.maximum(squares - total**2 / n, 0.0) / (n - 1) / n)


@define(
    Definition(
        name="win_rate_error",
        title="Standard error of the win rate",
        summary="Standard error of a win rate, as leaderboards print it.",
        formula="standard deviation of the preferences (n − 1) / sqrt(n)",
        degenerate="Undefined for fewer than two pairs.",
        source="Li et al. 2023, AlpacaEval: metrics/winrate.py.",
        direction="none",
        unit="share",
        traps="It takes units for independent, and says nothing of a figure that was fitted.",
        combine=_error,
        **SHARED,
    )
)
def win_rate_error(pairs: Pairs) -> UnitScores:
    """Preferences and their squares."""
    off = np.where(pairs.scored, pairs.preference - 0.5, 0.0)
    sums = np.stack([np.ones(len(off)), off, off**2], axis=1)
    return UnitScores(values=off + 0.5, reasons=pairs.reasons, sums=sums)


_LC: dict[str, Any] = {
    "unit": "share",
    "direction": "higher",
    "resampling_unit": "prompt",
    "needs_cutoff": False,
    "on": "alpaca pairs",
}
_SOURCE = "Dubois et al. 2024, arXiv 2404.04475; length_controlled_v1 of github.com/tatsu-lab/alpaca_eval."
_FORMULA = (
    "mean over prompts of sigmoid(theta + psi · difficulty), from logit P(preferred) = theta + phi ·"
    " tanh((baseline − system) / their standard deviation) + psi · difficulty"
)


@define(
    Definition(
        name="published_length_control",
        title="LC win rate, published weights",
        summary="AlpacaEval's length-controlled win rate, from the weights that were published of a system.",
        formula=_FORMULA,
        degenerate="Systems without published weights have none.",
        source=_SOURCE,
        traps="The difficulty of prompts that upstream uses is not in its repository: one that is estimated"
        " from other systems moves the rate by up to 0.4 points. The interval is over prompts, as if the"
        " weights were known.",
        **_LC,
    )
)
def published_length_control(alpaca: AlpacaPairs) -> UnitScores:
    """Preferences that the weights expect of equally long answers."""
    pairs, n = alpaca.pairs, len(alpaca)
    if alpaca.weights is None or pairs.difficulty is None:
        return UnitScores(values=np.zeros(n), reasons={"no-weights": np.ones(n, bool)})
    found = expected_preferences(alpaca.weights, np.zeros(n), np.nan_to_num(pairs.difficulty))
    return UnitScores(values=found, reasons=pairs.reasons)


def _parts(rows: Float64, parameters: Mapping[str, Any]) -> tuple[Float64, Float64, Float64, Reruns | None]:
    """Preference, length term, difficulty and reruns, from rows of :func:`length_control`."""
    preference, gap, difficulty = rows[:, :3].T
    reruns = None
    if parameters["reruns"] == "expected":
        gaps, expected = np.hsplit(rows[:, 3:], 2)
        reruns = Reruns(
            length=np.concatenate([length_term(one, np.zeros(len(one))) for one in gaps.T]),
            difficulty=np.tile(difficulty, gaps.shape[1]),
            preference=np.concatenate([*expected.T]),
        )
    return preference, length_term(gap, np.zeros(len(gap))), difficulty, reruns


def _refit(rows: Float64, counts: Float64, parameters: Mapping[str, Any]) -> Float64:
    preference, length, difficulty, reruns = _parts(rows, parameters)
    return fit_resamples(
        preference, length, difficulty, counts, reruns=reruns, ridge=float(parameters["ridge"])
    )


@define(
    Definition(
        name="length_control",
        title="LC win rate, refitted",
        summary="AlpacaEval's length-controlled win rate, fitted to a system's preferences anew.",
        formula=_FORMULA,
        degenerate="Undefined where the weights are infinite: every pair is won or lost.",
        source=_SOURCE,
        parameters={"reruns": ("none", ("none", "expected")), "ridge": (1.0, None)},
        meanings={
            "reruns": "what stands in for the 1,610 preferences on verbose and concise reruns of the baseline"
            " that upstream's fit also sees: nothing but the ridge, or the preferences that their published"
            " weights expect",
            "ridge": "weight of the squares of phi and psi; upstream has an L1 penalty chosen by"
            " cross-validation",
        },
        traps="The interval repeats the fit for every resample of prompts: it is two to five times as wide as"
        " the standard error that the leaderboard prints, which takes the weights for known.",
        refit=_refit,
        **_LC,
    )
)
def length_control(alpaca: AlpacaPairs, **parameters: Any) -> UnitScores:
    """Preferences, lengths and difficulties; the values are what the fit expects of equal lengths."""
    pairs, n = alpaca.pairs, len(alpaca)
    if pairs.difficulty is None:
        raise UsageError("length_control: the log has no difficulty of its prompts")
    columns = [pairs.preference, -pairs.covariates["length"], pairs.difficulty]
    if parameters["reruns"] == "expected":
        if alpaca.rerun_gaps is None or not alpaca.rerun_weights:
            raise UsageError(
                "length_control(reruns=expected): the log has no lengths of the baseline's verbose and"
                " concise reruns; use reruns=none"
            )
        columns += [*alpaca.rerun_gaps.T]
        for weights, gaps in zip(alpaca.rerun_weights, alpaca.rerun_gaps.T, strict=True):
            terms = length_term(gaps, np.zeros(n))
            columns.append(expected_preferences(weights, terms, pairs.difficulty))
    rows = np.where(pairs.scored[:, None], np.stack(columns, axis=1), 0.0)
    values = np.zeros(n)
    scored = pairs.scored
    if scored.any():
        values[scored] = _expected(rows[scored], parameters)
    return UnitScores(values=values, reasons=pairs.reasons, sums=rows)


def _expected(rows: Float64, parameters: Mapping[str, Any]) -> Float64:
    preference, length, difficulty, reruns = _parts(rows, parameters)
    try:
        weights = fit_alpaca(preference, length, difficulty, reruns=reruns, ridge=float(parameters["ridge"]))
    except UsageError:
        return preference  # the value itself is undefined, and told so
    return expected_preferences(weights, np.zeros(len(rows)), difficulty)
