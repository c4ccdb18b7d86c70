"""Bradley-Terry: strengths of many models from comparisons of two, with ties, covariates and intervals.

::

    logit P(first wins) = strength_first - strength_second + sum_c effect_c · difference_c / scale_c

Bradley & Terry 1952; effects of style are held apart as in Chatbot Arena's style control. Intervals are
percentiles of a bootstrap of whole prompts.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.stats.comparisons import Comparisons, refuse_unconnected, unbeaten
from genrec_eval.stats.fits import Bootstrapped
from genrec_eval.stats.intervals import Interval
from genrec_eval.stats.resample import resamples
from genrec_eval.stats.tie_models import Slopes, Ties, expected_score, slopes, start

Float64 = npt.NDArray[np.float64]
Int64 = npt.NDArray[np.int64]

_STEPS = 100
_TOLERANCE = 1e-9
_FURTHEST = 30.0
"""Log-odds between two models that data cannot show: a likelihood that still grows there has no maximum."""
_GUARD = 0.01
"""Ridge of resamples in which some model wins or loses everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BradleyTerry:
    """Strengths of k models.

    Attributes
    ----------
    strengths
        Model → log-odds with interval; 0 is the anchor, or the mean over models where there is none.
    effects
        Covariate → change of the log-odds where the first model has more of it by ``scales``, the root mean
        square of its differences.
    tie
        Davidson's nu or Rao and Kupper's kappa; None where ties are half wins.
    guarded
        Share of resamples in which some model won or lost everything, so that a ridge of 0.01 held it.
    remarks
        Sentences on what a reader must know.
    """

    strengths: Mapping[str, Interval]
    effects: Mapping[str, Interval]
    scales: Mapping[str, float]
    ties: Ties
    tie: float | None
    anchor: str | None
    guarded: float
    remarks: tuple[str, ...]

    def elo(self, base: float = 1000.0) -> dict[str, Interval]:
        """Strengths on the scale of Elo: 400 points are odds of ten to one, the anchor has ``base``."""
        scale = 400 / math.log(10)

        def moved(value: float | None) -> float | None:
            return None if value is None else base + scale * value

        return {
            name: replace(
                one, value=moved(one.value), low=moved(one.low), high=moved(one.high), p=None
            )  # a p-value against 0 says nothing on this scale
            for name, one in self.strengths.items()
        }

    def win_rate(self, one: str, other: str) -> float:
        """Expected win rate of one model over another, ties as half, with equal covariates."""
        for name in (one, other):
            if name not in self.strengths:
                raise UsageError(f"bradley-terry: no model '{name}'{did_you_mean(name, self.strengths)}")
        ahead, behind = self.strengths[one].value, self.strengths[other].value
        assert ahead is not None
        assert behind is not None
        if self.tie is None or self.tie == _no_ties(self.ties):
            return expected_score("half", ahead - behind, 0.0)
        return expected_score(self.ties, ahead - behind, math.log(self.tie))


def bradley_terry(
    comparisons: Comparisons,
    *,
    seed: int,
    ties: Ties = "half",
    ridge: float = 0.0,
    anchor: str | None = None,
    replicates: int = 1000,
    level: float = 0.95,
) -> BradleyTerry:
    """Fit strengths by greatest likelihood, and again to resamples of the prompts.

    Parameters
    ----------
    ties
        ``"half"`` counts a tie as half a win and half a loss; ``"davidson"`` and ``"rao-kupper"`` give ties a
        probability of their own, for which outcomes are 0, ½ or 1.
    ridge
        ``½ · ridge · (strength² + ...)`` is taken from the log-likelihood, of effects too. 0 for none.
    anchor
        Model whose strength is 0.
    replicates
        0 for no intervals.

    Raises
    ------
    UsageError
        When there is nothing to compare, some models never meet, or without a ridge a model wins everything.

    >>> games = Comparisons.of(["a"] * 4, ["b"] * 4, np.array([1.0, 1.0, 1.0, 0.0]))
    >>> found = bradley_terry(games, seed=1, anchor="b", replicates=0)
    >>> round(found.strengths["a"].value, 4), round(found.elo()["a"].value, 1)
    (1.0986, 1190.8)
    >>> round(found.win_rate("a", "b"), 4)
    0.75
    """
    if not len(comparisons):
        raise UsageError("bradley-terry: there are no comparisons")
    if anchor is not None and anchor not in comparisons.models:
        known = did_you_mean(anchor, comparisons.models)
        raise UsageError(f"bradley-terry: the anchor '{anchor}' was never compared{known}")
    if not ridge >= 0:
        raise UsageError(f"bradley-terry: a ridge is a number of at least 0, not {ridge}")
    refuse_unconnected(comparisons)
    problem = _Problem(comparisons, ties)
    whole = problem.fit(np.ones(problem.prompts), ridge)
    remarks = []
    stuck = unbeaten(comparisons)
    if ridge == 0 and (stuck or whole is None):
        raise UsageError(
            f"bradley-terry: {stuck or 'wins can be told from losses without a remainder'}, so that strengths"
            " are infinite; give a ridge above 0 (0.01 is little), or more comparisons"
        )
    if whole is None:
        raise UsageError(f"bradley-terry: no greatest likelihood was found with a ridge of {ridge:g}")
    if stuck:
        remarks.append(f"{stuck}: only the ridge of {ridge:g} keeps strengths finite")
    drawn, guarded = [], 0
    replicates = replicates if problem.prompts > 1 else 0
    for _, counts in resamples(problem.prompts, seed=seed, replicates=replicates):
        for row in counts:
            found = problem.fit(row, ridge, whole) if ridge or not problem.stuck(row) else None
            if found is None:
                guarded += 1
                found = problem.fit(row, max(ridge, _GUARD))
            if found is not None:
                drawn.append(found)
    if guarded:
        remarks.append(
            f"in {guarded / replicates:.1%} of the resamples a model wins or loses all, where a ridge of"
            f" {max(ridge, _GUARD):g} holds it: intervals reach at least that far"
        )
    k = len(comparisons.models)
    middle = 0 if anchor is None else comparisons.models.index(anchor)
    table = np.stack([whole, *drawn])
    table[:, :k] -= table[:, :k].mean(axis=1, keepdims=True) if anchor is None else table[:, middle, None]
    names = [*comparisons.models, *comparisons.covariates]
    all_ = [_interval(column, problem.prompts, level) for column in table.T[: len(names)]]
    tied = None if ties == "half" else _no_ties(ties) if problem.ties == "half" else float(np.exp(whole[-1]))
    return BradleyTerry(
        strengths=dict(zip(names[:k], all_[:k], strict=True)),
        effects=dict(zip(names[k:], all_[k:], strict=True)),
        scales=dict(zip(comparisons.covariates, problem.scales.tolist(), strict=True)),
        ties=ties,
        tie=tied,
        anchor=anchor,
        guarded=guarded / replicates if replicates else 0.0,
        remarks=tuple(remarks),
    )


def _no_ties(ties: Ties) -> float:
    """The tie rate where nobody ties."""
    return 0.0 if ties == "davidson" else 1.0


def _interval(column: Float64, prompts: int, level: float) -> Interval:
    """Percentiles of the replicates ``column[1:]``, widened for few prompts; ``column[0]`` is the value."""
    value, ordered = float(column[0]), np.sort(column[1:])
    if len(ordered) < 2:
        reason = "one prompt says nothing about the spread" if prompts < 2 else "no resamples were asked for"
        return Interval(value=value, level=level, reason=reason, n=prompts)
    if ordered[0] == ordered[-1]:
        return Interval(value=value, level=level, reason="the same in every resample", n=prompts)
    widen = math.sqrt(prompts / (prompts - 1))
    fit = Bootstrapped(
        value=value,
        error=float(ordered.std(ddof=1)) * widen,
        ordered=ordered,
        bias=0.0,
        acceleration=0.0,
        freedom=prompts - 1.0,
        widen=widen,
        method="bootstrap-percentile",
    )
    low, high = fit.ends(level)
    p = min(1.0, 2 * min(fit.tails(0.0)))
    return Interval(value=value, low=low, high=high, level=level, method=fit.method, n=prompts, p=p)


class _Problem:
    """The data as Newton's method needs it: equal rows collapsed, weights by prompt."""

    def __init__(self, found: Comparisons, ties: Ties) -> None:
        n, self.k = len(found), len(found.models)
        owners = np.arange(n) if found.prompts is None else np.unique(found.prompts, return_inverse=True)[1]
        self.owners = owners.reshape(-1)
        self.prompts = int(self.owners.max()) + 1
        table = np.stack(list(found.covariates.values())) if found.covariates else np.empty((0, n))
        self.scales = np.sqrt((table * table).mean(axis=1))
        key = np.stack([found.first, found.second, found.outcome, *table], axis=1)
        cells, self.cell = np.unique(key, axis=0, return_inverse=True)
        self.cell = self.cell.reshape(-1)
        self.first, self.second = cells[:, 0].astype(np.int64), cells[:, 1].astype(np.int64)
        self.outcome = cells[:, 2]
        safe = np.where(self.scales > 0, self.scales, 1.0)
        self.covariates = (cells[:, 3:] / safe).T.copy()
        drawn = self.outcome == 0.5
        if ties != "half":
            if not np.isin(self.outcome, (0.0, 0.5, 1.0)).all():
                raise UsageError(f"bradley-terry: ties={ties} takes outcomes 0, ½ and 1, not probabilities")
            if drawn.all():
                raise UsageError(
                    f"bradley-terry: every comparison is a tie, which gives ties={ties} no rate; use half"
                )
        self.ties: Ties = ties if drawn.any() else "half"

    def weights(self, counts: Float64) -> Float64:
        """float64[cells], from how often each prompt counts."""
        found = np.bincount(self.cell, weights=counts[self.owners], minlength=len(self.first))
        return np.asarray(found, np.float64)

    def stuck(self, counts: Float64) -> bool:
        """Whether some models never lose to, or never win against, the rest of this resample."""
        held = self.weights(counts) > 0
        rest = Comparisons(
            models=tuple(map(str, range(self.k))),
            first=self.first[held],
            second=self.second[held],
            outcome=self.outcome[held],
        )
        return unbeaten(rest) is not None

    def fit(self, counts: Float64, ridge: float, begin: Float64 | None = None) -> Float64 | None:
        """Strengths, effects and the logarithm of the tie rate; None where the likelihood has no maximum."""
        weights, k, c = self.weights(counts), self.k, len(self.covariates)
        total = float(weights.sum())
        share = float(weights[self.outcome == 0.5].sum()) / total
        # a resample without a tie has the likelihood of ties as half, and says nothing of the tie rate
        ties: Ties = self.ties if 0 < share < 1 else "half"
        size = k + c + (self.ties != "half")
        best = np.zeros(size) if begin is None else begin.copy()
        if self.ties != "half" and (begin is None or ties == "half"):
            best[-1] = start(self.ties, share) if 0 < share < 1 else 0.0
        penalty = np.zeros(size)
        penalty[: k + c] = ridge
        penalty[k : k + c] += np.where(self.scales > 0, 0.0, 1.0)
        step, value = np.zeros(size), -math.inf
        for _ in range(_STEPS):
            trial = best + step
            apart = trial[self.first] - trial[self.second] + trial[k : k + c] @ self.covariates
            at = slopes(ties, apart, self.outcome, float(trial[-1]))
            reached = float(weights @ at.value) - 0.5 * float(penalty @ (trial * trial))
            if reached < value - 1e-12 * abs(value):
                step = step / 2
            else:
                best, value = trial, reached
                step = self._step(best, weights, at, penalty, ties)
            if np.abs(step).max() <= _TOLERANCE:
                return best if np.ptp(best[:k]) < _FURTHEST else None
            if not ridge and np.ptp(best[:k]) > _FURTHEST:
                return None
        return None

    def _step(self, best: Float64, weights: Float64, at: Slopes, penalty: Float64, ties: Ties) -> Float64:
        """Newton's step; the mean strength, which the likelihood does not know, stays where it is."""
        k, size = self.k, len(best)
        pull, bend = weights * at.d, -weights * at.dd
        slope, curve = np.zeros(size), np.zeros((size, size))
        slope[:k] = self._by_model(pull)
        met = np.bincount(self.first * k + self.second, weights=bend, minlength=k * k).reshape(k, k)
        curve[:k, :k] = np.diag(met.sum(axis=0) + met.sum(axis=1)) - met - met.T + 1 / k
        for row, column in enumerate(self.covariates, start=k):
            slope[row] = pull @ column
            curve[row, :k] = curve[:k, row] = self._by_model(bend * column)
            inner = self.covariates @ (bend * column)
            curve[row, k : k + len(inner)] = inner
        if self.ties != "half":
            cross = -weights * at.dt
            slope[-1] = weights @ at.t
            curve[-1, :k] = curve[:k, -1] = self._by_model(cross)
            curve[-1, k:-1] = curve[k:-1, -1] = self.covariates @ cross
            curve[-1, -1] = -weights @ at.tt if ties != "half" else 1.0
        slope -= penalty * best
        curve[np.arange(size), np.arange(size)] += penalty + 1e-12
        return np.asarray(np.linalg.solve(curve, slope), np.float64)

    def _by_model(self, values: Float64) -> Float64:
        """float64[k], sums over rows where a model comes first less those where it comes second."""
        ahead = np.bincount(self.first, weights=values, minlength=self.k)
        behind = np.bincount(self.second, weights=values, minlength=self.k)
        return np.asarray(ahead - behind, np.float64)
