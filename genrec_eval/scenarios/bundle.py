"""Bundles: complete a set of which some items are known."""

from __future__ import annotations

from typing import ClassVar, Self

from pydantic import Field, PositiveInt, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.scenarios.ranking.base import RankingScenario
from genrec_eval.scenarios.ranking.options import RankingOptions


class BundleOptions(RankingOptions):
    """Options of the bundle scenario."""

    k: PositiveInt = Field(5, le=10_000, description="Items that are asked for.")
    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate(
            {"method": "session", "fraction": 0.8, "revealed": 1, "context": "session"}
        ),
        description="What counts as a bundle: a session, of which the first `revealed` items are known.",
    )
    metrics: tuple[str, ...] = Field(
        ("jaccard", "recall", "precision", "complete"),
        min_length=1,
        description="Metrics, as in jaccard@5; without @ they are taken at k.",
    )

    @model_validator(mode="after")
    def _belong_together(self) -> Self:
        if self.split.method not in ("session", "given"):
            raise ValueError("a bundle is a session or a given case: set split: {method: session}")
        return self


class Bundle(RankingScenario):
    """Complete a bundle; the order of the answer does not matter."""

    name: ClassVar[str] = "bundle"
    title: ClassVar[str] = "Bundle completion"
    summary: ClassVar[str] = "Completes a session or basket from its first items; order does not matter."
    Options: ClassVar[type[StrictModel]] = BundleOptions
