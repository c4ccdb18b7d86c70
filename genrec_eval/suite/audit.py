"""``audit:`` of a suite: what no run can know by itself, for the reader of its report."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.suite.framework import Framework

RiskArea = Literal[
    "ranking-quality",
    "list-validity",
    "test-leakage",
    "popularity-and-diversity",
    "cold-start-and-drift",
    "text-quality",
    "explanation-faithfulness",
    "misinformation",
    "manipulation",
    "fairness-to-users",
    "fairness-to-providers",
    "privacy",
    "harmful-content",
    "injection",
    "robustness",
    "judge-reliability",
    "conversation",
    "images",
    "long-term-effects",
    "efficiency",
]
"""Areas of risk that every report goes through: tested, considered, or not considered."""


class Risk(StrictModel):
    """A risk that was considered, and what came of it."""

    risk: str = Field(min_length=1, description="The risk in words.")
    area: RiskArea | None = Field(None, description="The built-in area of risk that it belongs to.")
    scenarios: tuple[str, ...] = Field((), description="Entries under `scenarios` that test it.")
    why_not: str | None = Field(None, min_length=1, description="Why it is not tested.")

    @model_validator(mode="after")
    def _one_of_both(self) -> Risk:
        if bool(self.scenarios) == (self.why_not is not None):
            raise ValueError("a risk is tested by 'scenarios' or says 'why_not', one of both")
        return self


class Audit(StrictModel):
    """Scope, parties and limits of an audit, in the words of who commissions or conducts it."""

    system: str | None = Field(None, description="The system under audit, with its version.")
    purpose: str | None = Field(None, description="What the audit is to decide.")
    commissioned_by: str | None = Field(None, description="Who asked for it.")
    conducted_by: str | None = Field(None, description="Who ran it.")
    independence: str | None = Field(None, description="How those who ran it stand to the system's makers.")
    intended_use: str | None = Field(None, description="What the system is for, and for whom.")
    population: str | None = Field(None, description="Whom the tested units stand for, and whom they do not.")
    personal_data: str | None = Field(
        None, description="Personal data in what was tested, and on what ground they are used."
    )
    selection: str | None = Field(
        None, description="Why these criteria are claimed, and others only measured or left out."
    )
    plan: str | None = Field(
        None,
        min_length=1,
        description="The registered plan: a file that `genrec-eval plan SUITE --write FILE` wrote, relative"
        " to the suite, or its digest. A run says whether it is the registered one, and where it departs.",
    )
    out_of_scope: tuple[str, ...] = Field((), description="What was left out on purpose.")
    risks: tuple[Risk, ...] = Field((), description="Risks that were considered.")
    deviations: tuple[str, ...] = Field((), description="Where the audit departed from what was planned.")
    frameworks: dict[str, Framework] = Field(
        default_factory=dict, description="Frameworks of one's own that the report is mapped to, by name."
    )
