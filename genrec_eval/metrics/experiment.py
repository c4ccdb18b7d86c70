"""Experiments: means of arms, effects against the control, and whether the split was sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from genrec_eval.metrics.arms import Arms, Bool, Outcome
from genrec_eval.metrics.base import Accumulator, Definition, UnitScores, define
from genrec_eval.protocol.arrays import Float64

MISMATCH = "sample-ratio-mismatch"

_OUTCOME: dict[str, Any] = {"outcome": ("outcome", None)}
_PER: dict[str, Any] = {"per": ("user", ("user", "exposure"))}
_MEANINGS = {
    "outcome": "column of the log",
    "per": "user adds up a user's outcomes and counts every user alike; exposure divides their sum by the"
    " number of exposures of the arm",
    "days": "all; or the mean of a day among a user's first days, or later, or later minus first",
}
_SHARED: dict[str, Any] = {
    "direction": "none",
    "bounds": (None, None),
    "needs_cutoff": False,
    "on": "experiment",
}
_DEGENERATE = (
    "By intention to treat: every assigned user counts, one without any outcome with 0 (missing: zero) or"
    " left out and counted (no-outcome). Users of further arms are left out (other-arm). After a sample-ratio"
    " mismatch nobody is scored (sample-ratio-mismatch)."
)
_TRAPS = (
    "Users are the units, never exposures: exposures of one user are alike, and intervals over them are too"
    " narrow. Comparing only users who clicked, or who stayed, undoes the randomisation."
)


def _scores(arms: Arms, values: Float64, weights: Float64 | None, reasons: dict[str, Bool]) -> UnitScores:
    """Scores with disjoint reasons, the first that applies to a user."""
    left = np.ones(len(arms), bool)
    given = {MISMATCH: np.full(len(arms), arms.unsound), **reasons}
    disjoint = {}
    for name, mask in given.items():
        if (hit := left & mask).any():
            disjoint[name] = hit
            left &= ~hit
    return UnitScores(values=np.where(left, values, 0.0), weights=weights, reasons=disjoint)


class _Whole(Accumulator):
    """A figure of the whole experiment that no single user can change."""

    voided = False
    """Whether a sample-ratio mismatch takes its value away."""

    def __init__(self, **parameters: str) -> None:
        self.parameters = parameters
        self.arms: Arms | None = None

    def update(self, lists: Arms) -> None:
        """Take the experiment, which comes in one piece."""
        if self.arms is not None:
            raise ValueError("an experiment is scored in one piece")
        self.arms = lists

    def value(self, arms: Arms) -> float:
        """The figure."""
        raise NotImplementedError

    def finish(self) -> UnitScores:
        """The figure, for all users together."""
        arms = self.arms
        if arms is None:
            return UnitScores(values=np.empty(0), total=0.0, reach=0.0)
        void = np.full(len(arms), self.voided and arms.unsound)
        reasons = {MISMATCH: void} if void.any() else {}
        return UnitScores(values=np.zeros(len(arms)), total=self.value(arms), reach=0.0, reasons=reasons)


def _contrast(
    arms: Arms, values: Float64, reasons: dict[str, Bool], weights: Float64 | None = None
) -> UnitScores:
    sign = arms.sign
    return _scores(
        arms, values, sign if weights is None else sign * weights, {"other-arm": sign == 0, **reasons}
    )


def _of(arms: Arms, outcome: str, per: str) -> tuple[Float64, Float64 | None, dict[str, Bool]]:
    """Values, weights and who has none, of a mean per user or per exposure."""
    found: Outcome = arms.outcomes[outcome]
    if per == "user":
        return found.total, None, {"no-outcome": found.missing}
    values = np.divide(found.total, found.exposures, out=np.zeros(len(arms)), where=found.exposures > 0)
    return values, found.exposures, {"no-outcome": found.exposures == 0}


@define(
    Definition(
        name="mean_outcome",
        title="Mean",
        summary="Mean outcome of an arm, per assigned user or per exposure.",
        formula="sum of the outcome over the arm / users of the arm (per=exposure: exposures of the arm)",
        degenerate=_DEGENERATE,
        source="Kohavi, Tang & Xu 2020, Trustworthy Online Controlled Experiments.",
        parameters={**_OUTCOME, **_PER},
        meanings=_MEANINGS,
        traps=_TRAPS,
        **_SHARED,
    )
)
def mean_outcome(arms: Arms, *, outcome: str, per: str) -> UnitScores:
    """Mean over the users of the arm."""
    values, weights, reasons = _of(arms, outcome, per)
    return _scores(arms, values, weights, {"other-arm": ~arms.treated, **reasons})


@define(
    Definition(
        name="effect",
        title="Effect",
        summary="Mean outcome of the arm minus that of the control.",
        formula=(
            "mean over users of the arm − mean over users of the control; days=change: of each user's mean"
            " day after the first days minus the mean day in them"
        ),
        degenerate=f"{_DEGENERATE} With days other than all, users who entered too late to be seen in both"
        " phases are left out (entered-too-late).",
        source="Welch 1947; Deng, Knoblich & Lu 2018 (ratios: the delta method, here as the jackknife).",
        parameters={**_OUTCOME, **_PER, "days": ("all", ("all", "first", "later", "change"))},
        meanings=_MEANINGS,
        traps=f"{_TRAPS} A novelty fades and a learning grows: read days=first, later and change before"
        " taking the effect of a short experiment for that of years.",
        contrast="difference",
        **_SHARED,
    )
)
def effect(arms: Arms, *, outcome: str, per: str, days: str) -> UnitScores:
    """Difference of the arms' means."""
    if days == "all":
        values, weights, reasons = _of(arms, outcome, per)
        return _contrast(arms, values, reasons, weights)
    found = arms.outcomes[outcome]
    values = {"first": found.first, "later": found.later, "change": found.later - found.first}[days]
    return _contrast(arms, values, {"no-outcome": found.missing, "entered-too-late": ~arms.both_phases})


@define(
    Definition(
        name="lift",
        title="Lift",
        summary="Mean outcome of the arm in relation to that of the control.",
        formula="mean of the arm / mean of the control − 1",
        degenerate=f"{_DEGENERATE} No interval where a mean is not clearly above 0.",
        source="Delta method on the logarithm of the ratio; Deng, Knoblich & Lu 2018.",
        parameters={**_OUTCOME, **_PER},
        meanings=_MEANINGS,
        traps=_TRAPS,
        contrast="lift",
        **{**_SHARED, "unit": "share", "bounds": (-1.0, None)},
    )
)
def lift(arms: Arms, *, outcome: str, per: str) -> UnitScores:
    """Ratio of the arms' means, minus 1."""
    values, weights, reasons = _of(arms, outcome, per)
    return _contrast(arms, values, reasons, weights)


@define(
    Definition(
        name="cuped_effect",
        title="CUPED effect",
        summary="The effect with what was known of the users before the experiment taken out of the outcome.",
        formula="mean of the arm − mean of the control, of outcome − theta · (before − mean of before), theta"
        " the slope of the outcome on before inside the arms",
        degenerate=f"{_DEGENERATE} Users of whom nothing was known keep their outcome as it is.",
        source="Deng, Xu, Kohavi & Walker 2013.",
        parameters=_OUTCOME,
        meanings=_MEANINGS,
        traps="What is taken out must be older than the experiment: anything that the arm may have changed"
        " takes the effect out with it. The same effect is estimated, with a share of rho² less variance.",
        contrast="difference",
        **_SHARED,
    )
)
def cuped_effect(arms: Arms, *, outcome: str) -> UnitScores:
    """Difference of the arms' adjusted means."""
    found = arms.outcomes[outcome]
    assert found.adjusted is not None  # refused before anything is scored
    return _contrast(arms, found.adjusted, {"no-outcome": found.missing})


@define(
    Definition(
        name="before_effect",
        title="Difference before",
        summary="The arms' difference before the experiment, where there can be none but by chance.",
        formula="mean over users of the arm − mean over users of the control, of the outcome before",
        degenerate="Users of whom nothing was known are left out (not-known-before), and those of further"
        " arms (other-arm). After a sample-ratio mismatch nobody is scored.",
        source="Kohavi, Tang & Xu 2020, chapter 19 (the A/A test).",
        parameters=_OUTCOME,
        meanings=_MEANINGS,
        traps="An interval that excludes 0 says that the users were not split by chance alone, or that an"
        " earlier experiment left its mark: 1 in 20 does by chance at 95 %.",
        contrast="difference",
        **_SHARED,
    )
)
def before_effect(arms: Arms, *, outcome: str) -> UnitScores:
    """Difference of the arms' means before the experiment."""
    before = arms.outcomes[outcome].before
    assert before is not None  # refused before anything is scored
    return _contrast(arms, np.nan_to_num(before), {"not-known-before": np.isnan(before)})


@define(
    Definition(
        name="sample_ratio",
        title="Sample ratio p",
        summary="p-value of the test that the arms have the sizes that were planned.",
        formula="upper tail of chi-square at the sum over arms of (users − planned users)² / planned users",
        degenerate="Without a user it is 1. A p-value has no interval of its own: both ends are the value.",
        source="Fabijan et al. 2019.",
        direction="none",
        bounds=(0.0, 1.0),
        needs_cutoff=False,
        on="experiment",
        traps="Below 0.001 users were lost or counted in one arm more than in another, and no difference"
        " between the arms can be trusted, however narrow its interval. It is one test over all arms.",
    )
)
class SampleRatio(_Whole):
    """The p-value, which no single user decides."""

    def value(self, arms: Arms) -> float:
        """Of the check over all arms."""
        return arms.mismatch


@define(
    Definition(
        name="stopped_for_harm",
        title="Stopped for harm",
        summary="1 where the guardrail of an outcome stopped the arm for harm on some day, else 0.",
        formula="1 if at any look the always-valid interval of the effect lay wholly beyond the tolerated"
        " harm, else 0",
        degenerate="After a sample-ratio mismatch there is no value. A decision has no interval of its own:"
        " its error is that of the rule, at most 1 − level over all looks together.",
        source="Johari et al. 2017; Waudby-Smith et al. 2021 (arXiv:2103.06476).",
        direction="lower",
        needs_cutoff=False,
        on="experiment",
        parameters=_OUTCOME,
        meanings=_MEANINGS,
        traps="0 is no proof of safety: a harm may be too small to be seen with so many users.",
    )
)
class StoppedForHarm(_Whole):
    """The decision of a guardrail."""

    voided = True

    def value(self, arms: Arms) -> float:
        """1 for stopped."""
        return float(arms.stopped[self.parameters["outcome"]])
