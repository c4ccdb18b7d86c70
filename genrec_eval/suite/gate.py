"""``gate:`` of a suite: what a run must hold, alone and against a baseline, to pass in CI."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

from pydantic import Field, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.suite.rule import PAIRED, Slice, one_rule

GateRuleName = Literal["at_least", "at_most", "better_by", "not_worse_by", "within"]
GATE_RULES: tuple[GateRuleName, ...] = get_args(GateRuleName)
AGAINST_BASELINE = PAIRED
"""Rules that compare the run with its baseline, unit by unit."""

Finite = Annotated[float, Field(allow_inf_nan=False)]
Share = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]


class GateRule(StrictModel):
    """One thing that must hold, for one model or for every one, for all units or in every group."""

    rule: str | None = Field(None, min_length=1, description="The rule in words, for the report.")
    scenario: str = Field(description="Name of an entry under `scenarios`.")
    metric: str = Field(description="Metric, as in ndcg@10.")
    model: str | None = Field(None, description="Name of an entry under `models`; every model by default.")
    against: str | None = Field(
        None,
        description="Model of the baseline to compare with; the one of the same name by default.",
    )
    slice: Slice = Field("all", description="`all`, or one group as in gender=F.")
    by: str | None = Field(None, description="A group as in gender: the rule holds for each of its values.")
    at_least: Finite | None = Field(None, description="Floor: the value is not below it.")
    at_most: Finite | None = Field(None, description="Ceiling: the value is not above it.")
    better_by: Finite | None = Field(
        None, ge=0, description="Must improve: better than the baseline by more than this margin."
    )
    not_worse_by: Finite | None = Field(
        None,
        gt=0,
        description="No regression: not worse than the baseline by this margin or more. Fails where a loss"
        " is shown and staying within the margin is not; the claim of this name fails only beyond the"
        " margin.",
    )
    within: Finite | None = Field(
        None,
        gt=0,
        description="Equivalence: differs from the baseline by less than this margin. Fails where a"
        " difference is shown and staying within the margin is not; the claim of this name fails only beyond"
        " the margin.",
    )

    @model_validator(mode="after")
    def _one_rule(self) -> GateRule:
        given = one_rule(self, GATE_RULES, "a rule of the gate")
        if self.by is not None and self.slice != "all":
            raise ValueError("'slice' names one group and 'by' every one; write one of them")
        if self.against is not None and given not in AGAINST_BASELINE:
            raise ValueError(f"'{given}' looks at the run alone; drop 'against'")
        return self

    @property
    def kind(self) -> GateRuleName:
        """Name of the rule that was given."""
        return one_rule(self, GATE_RULES, "a rule of the gate")

    @property
    def margin(self) -> float:
        """Value of the rule that was given."""
        return float(getattr(self, self.kind))


class Gate(StrictModel):
    """What a run must hold to pass ``genrec-eval gate``."""

    rules: tuple[GateRule, ...] = Field(min_length=1, description="All of them must hold.")
    baseline: str | None = Field(
        None, description="Baseline file or run directory, relative to this file; --baseline overrides it."
    )
    adjust: Literal["holm", "bh", "none"] = Field(
        "holm",
        description="How the p-values of all rules are adjusted before one may fail: holm bounds the chance"
        " of any false alarm, bh the share of false ones among the alarms.",
    )
    power: Annotated[float, Field(gt=0.5, lt=1)] = Field(
        0.8,
        description="Least probability with which not_worse_by and within must pass when nothing changed;"
        " with too few units for that a rule is underpowered: undecided unless a loss is shown. Also the"
        " power that detectable losses are said for.",
    )
    inconclusive: Literal["fail", "warn", "pass"] = Field(
        "fail", description="What rules that could not be decided do: exit code 4, a warning, or nothing."
    )
    error_budget: Share | None = Field(
        None, description="Share of the cases that may stay unanswered; that of the engine by default."
    )
    min_scored: Share = Field(
        0.95, description="Least share of the attempted units that every rule's metric must have scored."
    )
    min_paired: Share = Field(
        0.95, description="Least share of the baseline's units that the run must have asked the same way."
    )
