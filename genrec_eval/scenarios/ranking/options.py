"""Options that every scenario of ranked lists has."""

from __future__ import annotations

import re
from typing import Literal

from pydantic import Field, PositiveInt, ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from genrec_eval.core.strict import StrictModel
from genrec_eval.data.splits.spec import SplitSpec

DEFAULT_METRICS = ("ndcg", "recall", "precision", "mrr", "hit_rate", "coverage", "popularity")

_SPELLING = re.compile(
    r"([A-Za-z][\w-]*|[^()@]+:[A-Za-z_][\w.]*)(\((?:[^()]|\([^()]*\))*\))?(@(?P<k>[1-9]\d{0,8}))?", re.ASCII
)
"""A first look that needs no import; :mod:`genrec_eval.metrics.registry` reads it in full."""


class RankingOptions(StrictModel):
    """Options of a scenario that asks for ranked lists."""

    k: PositiveInt = Field(10, le=10_000, description="Length of the lists that are asked for.")
    split: SplitSpec = Field(
        default_factory=lambda: SplitSpec.model_validate({}),
        description="What is training and what is truth.",
    )
    metrics: tuple[str, ...] = Field(
        DEFAULT_METRICS, min_length=1, description="Metrics, as in ndcg@10; without @ they are taken at k."
    )
    min_rating: float | None = Field(None, description="Only ratings from here up count as relevant.")
    relevance: Literal["binary", "rating"] = Field(
        "binary",
        description="binary: every relevant item counts alike. rating: the ratings are grades for ndcg.",
    )
    groups: tuple[str, ...] = Field(
        (), description="Columns of the user table; every result is also given for each of their values."
    )
    history_limit: PositiveInt | None = Field(
        None, description="Most recent items sent with a request; the whole history by default."
    )
    max_users: PositiveInt | None = Field(
        None, description="Ask only about this many users, drawn at random from the seed."
    )
    attributes: str = Field(
        "genres", description="List column of the item table that diversity and calibration work on."
    )
    providers: str = Field("provider", description="Column of the item table that exposure is counted by.")
    provider_targets: dict[str, float] = Field(
        default_factory=dict,
        description="Share of the exposure due to each provider, as in {major: 0.5, independent: 0.5};"
        " for figures of exposure with target=declared.",
    )

    @field_validator("provider_targets")
    @classmethod
    def _whole(cls, targets: dict[str, float]) -> dict[str, float]:
        if targets and (least := min(targets.values())) < 0:
            raise PydanticCustomError(
                "provider_targets",
                "the shares of provider_targets are at least 0 and sum to 1, and one of these is {least}",
                {"least": f"{least:.6g}"},
            )
        if targets and not abs(sum(targets.values()) - 1) < 1e-6:
            raise PydanticCustomError(
                "provider_targets",
                "the shares of provider_targets are at least 0 and sum to 1, and these sum to {total}",
                {"total": f"{sum(targets.values()):.6g}"},
            )
        return targets

    @field_validator("metrics")
    @classmethod
    def _spellings(cls, metrics: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        return looked_at(metrics, info.data.get("k"))


def looked_at(metrics: tuple[str, ...], k: int | None) -> tuple[str, ...]:
    """Metrics as they are, each spelled like one and no deeper than ``k``."""
    for spelling in metrics:
        match = _SPELLING.fullmatch(spelling.strip())
        if match is None:
            raise PydanticCustomError(
                "metric_spelling",
                "metric '{spelling}' is not of the form name(parameter=value)@k",
                {"spelling": spelling},
            )
        if k is not None and match["k"] is not None and int(match["k"]) > k:
            raise PydanticCustomError(
                "metric_cutoff",
                "metric '{spelling}' looks deeper than the lists are long: raise k from {k} to {cutoff} "
                "or lower the cutoff",
                {"spelling": spelling, "k": k, "cutoff": int(match["k"])},
            )
    return metrics
