"""Policies: how single verdicts become a result. Each is named in the suite and printed with the figure."""

from __future__ import annotations

from typing import Literal

from pydantic import Field, PositiveInt, model_validator

from genrec_eval.core.strict import StrictModel

Orders = Literal["both", "random", "given"]
OnDisagree = Literal["tie", "half", "drop"]
OnUnparsed = Literal["exclude", "tie", "loss", "raise"]
Combine = Literal["mean", "median", "majority"]
ScoreMode = Literal["verdict", "expected"]


class JudgePolicy(StrictModel):
    """How a judge is asked, and what becomes of what it says."""

    dialect: str = Field("json", description="Name of a shipped dialect, or a YAML file beside the suite.")
    orders: Orders = Field(
        "both",
        description="Pairs are shown in both orders, in one drawn by seed, or in the given one.",
    )
    on_disagree: OnDisagree = Field(
        "tie",
        description="Both orders, different winners: a tie, the mean of both, or no result for the pair.",
    )
    on_unparsed: OnUnparsed = Field(
        "exclude",
        description="A judgement without a verdict: left out and counted, a tie, a loss, or an error.",
    )
    min_coverage: float = Field(
        0.95,
        ge=0,
        le=1,
        description="Share of judgements that must have a verdict; below it there is no figure.",
    )
    repeats: PositiveInt = Field(1, description="Independent judgements of each task, with fresh seeds.")
    combine: Combine = Field("mean", description="How repeats become one: mean, median or majority.")
    score_mode: ScoreMode = Field(
        "verdict",
        description="Score as written, or expected over log-probabilities (an error where there are none).",
    )
    fence: bool = Field(
        True, description="Mark texts as data in the prompt; off only to reproduce a published judge."
    )

    @property
    def signature(self) -> str:
        """All policies in one line, as results show them."""
        shown = self.model_dump(include=set(JudgePolicy.model_fields))
        return "|".join(f"{name}:{value}" for name, value in shown.items())


class Judging(StrictModel):
    """One question to a judge, or to a panel of judges, about the answers of a scenario."""

    judge: str | tuple[str, ...] = Field(description="Name under `judges`; several are a panel.")
    rubric: str = Field(description="Name of a shipped rubric, or a YAML file beside the suite.")
    task: Literal["pointwise", "pairwise", "listwise", "claims"] = Field(
        "pointwise", description="Score each answer, compare pairs, rank all, or judge claim by claim."
    )
    against: str | None = Field(None, description="Pairwise: the model that every other is compared with.")
    limit: PositiveInt | None = Field(
        None, description="Most cases that are judged, a seeded sample of units."
    )
    control: tuple[str, ...] = Field(
        (), description="Pairwise: covariates that the win rate is also controlled for: length, items, ..."
    )

    @property
    def panel(self) -> tuple[str, ...]:
        """The judges by name."""
        return (self.judge,) if isinstance(self.judge, str) else self.judge

    @model_validator(mode="after")
    def _fitting(self) -> Judging:
        if not self.panel:
            raise ValueError("an empty panel has no judge; name at least one")
        if twice := [name for i, name in enumerate(self.panel) if name in self.panel[:i]]:
            raise ValueError(f"judge '{twice[0]}' is on the panel twice")
        if twice := [name for i, name in enumerate(self.control) if name in self.control[:i]]:
            raise ValueError(f"control names '{twice[0]}' twice")
        if self.task == "pairwise" and self.against is None:
            raise ValueError("task 'pairwise' compares with another model; name it with 'against'")
        for key in ("against", "control"):
            if self.task != "pairwise" and getattr(self, key):
                raise ValueError(f"'{key}' is for task: pairwise; drop it, or set the task")
        return self
