"""What a suite says about asking a chat model for recommendations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

from pydantic import Field, NonNegativeInt, field_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.models.spec import BuildContext

if TYPE_CHECKING:
    from genrec_eval.models.llm.recommender import Recommender

Tier = Literal["exact", "normalised", "alias", "fuzzy"]

TIERS: tuple[Tier, ...] = ("exact", "normalised", "alias", "fuzzy")


class GroundingSpec(StrictModel):
    """How a title that a model wrote is matched to the catalogue."""

    tiers: tuple[Tier, ...] = Field(default=TIERS, description="Kinds of match to accept, strictest first.")
    fuzzy_cutoff: float = Field(
        default=90, ge=50, le=100, description="Least similarity for a fuzzy match, in percent."
    )
    year_tolerance: NonNegativeInt = Field(
        default=0, description="Years by which a written year may miss the catalogue's."
    )

    @field_validator("tiers")
    @classmethod
    def _ordered(cls, tiers: tuple[Tier, ...]) -> tuple[Tier, ...]:
        if not tiers or list(tiers) != [tier for tier in TIERS if tier in tiers]:
            raise ValueError(f"tiers are some of {', '.join(TIERS)}, each once and in that order")
        return tiers


class RecommenderSpec(StrictModel):
    """Turns a chat model into one that ranks items of the catalogue."""

    prompt: str = Field(
        default="rank-list",
        min_length=1,
        description="Name of a shipped prompt, or path of a prompt file relative to the suite.",
    )
    parser: Literal["auto", "json", "numbered", "lines"] = Field(
        default="auto", description="Form in which the answer is read."
    )
    history_limit: NonNegativeInt = Field(
        default=20, description="Most items of the history to show, the latest ones."
    )
    grounding: GroundingSpec = Field(default_factory=GroundingSpec)

    def build(self, context: BuildContext) -> Recommender:
        """Read the prompt and index the catalogue of ``context.training``.

        Raises
        ------
        UsageError
            When the prompt file is missing or wrong, or the scenario has no catalogue.
        """
        from genrec_eval.models.llm.recommender import build

        return build(self, context)
