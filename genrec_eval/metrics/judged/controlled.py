"""Win rate controlled for length and other covariates, and what each of them does to the judge."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.judged.pairs import Pairs
from genrec_eval.metrics.judged.win_rate import SHARED, WHOSE, WHOSE_MEANINGS
from genrec_eval.protocol.arrays import Float64
from genrec_eval.stats.controlled import RIDGE, Controlled, Pieces, control, fit_pieces

_CONTROLS: dict[str, Any] = {
    **WHOSE,
    "for": ("length", None),
    "ridge": (RIDGE, None),
    "shape": ("tanh", ("tanh", "linear")),
    "difficulty": (False, (False, True)),
}
_MEANINGS = {
    **WHOSE_MEANINGS,
    "for": "covariates that are held equal, joined by +: length, length+items",
    "ridge": "weight of the prior that effects are 0; 1 is a normal prior with spread 1 on the log-odds",
    "shape": "how an effect grows with the difference: tanh levels off beyond its spread, linear does not",
    "difficulty": "whether the units' known difficulty takes part",
}
_DEGENERATE = (
    "A covariate that is the same in every pair has no effect. A model that wins every pair keeps 1. Effects"
    " that would be infinite are held by the ridge."
)
_MODEL = "logit P(preferred) = quality + sum of effect · f(difference / its standard deviation)"


def _refit(read: Callable[[Pieces, Mapping[str, Any]], Float64]) -> Callable[..., Float64]:
    """Estimates anew from rows of preference, covariates, and difficulty where it takes part."""

    def refit(rows: Float64, counts: Float64, parameters: Mapping[str, Any]) -> Float64:
        return read(_pieces(rows, counts, parameters), parameters)

    return refit


def _pieces(rows: Float64, counts: Float64, parameters: Mapping[str, Any]) -> Pieces:
    last = rows.shape[1] - 1 if parameters["difficulty"] else rows.shape[1]
    return fit_pieces(
        rows[:, 0],
        rows[:, 1:last],
        rows[:, last] if parameters["difficulty"] else None,
        counts,
        ridge=parameters["ridge"],
        shape=parameters["shape"],
    )


def _covariates(pairs: Pairs, parameters: Mapping[str, Any]) -> dict[str, Float64]:
    names = [name.strip() for name in parameters["for"].split("+")]
    for name in names:
        if name not in pairs.covariates:
            known = ", ".join(pairs.covariates) or "none"
            raise UsageError(
                f"a win rate cannot be controlled for '{name}': the pairs have no such covariate"
                f"{did_you_mean(name, pairs.covariates)} (known: {known})"
            )
    if len(set(names)) < len(names):
        raise UsageError(f"for={parameters['for']} names a covariate twice")
    if not parameters["ridge"] > 0:
        raise UsageError(f"ridge={parameters['ridge']:g}: the weight of the prior is a number above 0")
    if parameters["difficulty"] and pairs.difficulty is None:
        raise UsageError("difficulty=true: the difficulty of these units is not known")
    return {name: pairs.covariates[name] for name in names}


def _rows(pairs: Pairs, parameters: Mapping[str, Any]) -> Float64:
    columns = [pairs.preference, *_covariates(pairs, parameters).values()]
    if parameters["difficulty"] and pairs.difficulty is not None:
        columns.append(pairs.difficulty)
    return np.where(pairs.scored[:, None], np.stack(columns, axis=1), 0.0)


@define(
    Definition(
        name="controlled_win_rate",
        title="Controlled win rate",
        summary="Win rate if both answers were equally long, or equal in other covariates.",
        formula=f"{_MODEL}; the rate is the mean over units of P with every difference set to 0",
        degenerate=_DEGENERATE,
        source="Dubois et al. 2024, arXiv 2404.04475 (AlpacaEval 2), with a ridge and any covariates.",
        direction="higher",
        unit="share",
        parameters=_CONTROLS,
        meanings=_MEANINGS,
        traps="A covariate that quality itself causes (a better answer needs more words) is taken out too."
        " Control shrinks what verbosity gains, it does not remove it: read win_rate beside it.",
        refit=_refit(lambda found, _: found.controlled),
        **SHARED,
    )
)
def controlled_win_rate(pairs: Pairs, **parameters: Any) -> UnitScores:
    """Preferences less what the fit ascribes to the covariates, which average to the controlled rate."""
    rows, scored = _rows(pairs, parameters), pairs.scored
    values = np.zeros(len(pairs))
    if scored.any():
        values[scored] = _pieces(rows[scored], np.ones((1, int(scored.sum()))), parameters).adjusted[0]
    return UnitScores(values=values, reasons=pairs.reasons, sums=rows)


@define(
    Definition(
        name="covariate_effect",
        title="Effect of a covariate",
        summary="What a covariate does to the judge's preference, above 0 where more of it wins.",
        formula=f"{_MODEL}; the effect of the covariate named by of",
        degenerate=f"{_DEGENERATE} That of a covariate that is the same in every pair is 0.",
        source="Dubois et al. 2024, arXiv 2404.04475, whose sign is the other way round.",
        direction="none",
        bounds=(None, None),
        parameters={"of": ("length", None), **_CONTROLS},
        meanings={"of": "covariate whose effect is meant, one of those in for", **_MEANINGS},
        traps="Longer answers may win because they are better: an effect is a bias only beside people's.",
        refit=_refit(lambda found, parameters: found.effects[:, _place(parameters)]),
        **SHARED,
    )
)
def covariate_effect(pairs: Pairs, **parameters: Any) -> UnitScores:
    """The preferences; the effect belongs to all units together."""
    rows = _rows(pairs, parameters)
    _place(parameters)
    return UnitScores(values=rows[:, 0], reasons=pairs.reasons, sums=rows)


def _place(parameters: Mapping[str, Any]) -> int:
    names = [name.strip() for name in parameters["for"].split("+")]
    if parameters["of"] not in names:
        raise UsageError(
            f"of={parameters['of']}: the effect is that in a win rate controlled for the covariate; add"
            f" it to for={parameters['for']}{did_you_mean(parameters['of'], names)}"
        )
    return names.index(parameters["of"])


def controlled(pairs: Pairs, *, seed: int, level: float = 0.95, **parameters: Any) -> Controlled:
    """Raw and controlled win rate, all effects, and what is to be said about them.

    Parameters
    ----------
    parameters
        ``for``, ``ridge``, ``shape`` and ``difficulty`` as in the metric; its defaults otherwise.

    >>> pairs = Pairs(preference=np.full(20, 0.5), covariates={"length": np.zeros(20)})
    >>> found = controlled(pairs, seed=1)
    >>> found.win_rate.value, found.dropped
    (0.5, ('length',))
    """
    bound = {name: default for name, (default, _) in _CONTROLS.items()} | parameters
    scored, covariates = pairs.scored, _covariates(pairs, bound)
    hard = pairs.difficulty if bound["difficulty"] else None
    return control(
        pairs.preference[scored],
        {name: values[scored] for name, values in covariates.items()},
        difficulty=None if hard is None else hard[scored],
        ridge=bound["ridge"],
        shape=bound["shape"],
        seed=seed,
        level=level,
    )
