"""The options of the synthetic world."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, model_validator

from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.world.make import World


class SyntheticSpec(DatasetSpec):
    """A generated world with known truth; :mod:`genrec_eval.data.world.make` says how it is made."""

    summary: ClassVar[str] = "a generated world with known truth: users, films, drifting tastes, ratings"

    users: int = Field(2000, ge=2, le=10_000_000, description="Number of users.")
    items: int = Field(600, ge=20, le=500_000, description="Number of items.")
    seed: int | None = Field(None, description="Seed of the world; the run's seed by default.")
    interactions_per_user: float = Field(
        30.0, ge=1, description="Mean number of interactions per user, reached within a few percent."
    )
    groups: dict[str, float] = Field(
        {"A": 0.6, "B": 0.3, "C": 0.1}, min_length=1, description="Share of users in each group."
    )
    group_tilt: float = Field(
        0.5, ge=0, le=1, description="How far tastes depend on the group: 0 not at all, 1 entirely."
    )
    tastes: int = Field(16, ge=2, le=200, description="Number of latent tastes.")
    taste_strength: float = Field(
        2.5, ge=0, le=5, description="How far a taste departs from popularity; 0 for not at all."
    )
    mainstream: float = Field(
        0.15, gt=0, lt=1, description="Mean share of visits that follow popularity alone."
    )
    drift: float = Field(
        0.3, ge=0, le=1, description="Share of a user's taste that is replaced by the end of the period."
    )
    noise: float = Field(0.7, gt=0, le=5, description="Standard deviation of a rating, in stars.")
    popularity_exponent: float = Field(
        0.5, ge=0, le=3, description="Item weight is rank to the power of minus this."
    )
    remakes: float = Field(0.05, ge=0, le=0.3, description="Share of items that carry an earlier title.")
    new_items: float = Field(0.1, ge=0, le=0.9, description="Share of items released during the period.")
    new_users: float = Field(0.1, ge=0, le=0.9, description="Share of users who join during the period.")
    reviews: float = Field(
        0.0, ge=0, le=1, description="Share of interactions that come with a written review."
    )
    days: int = Field(365, ge=2, le=20_000, description="Length of the period, in days.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.interactions_per_user > self.items / 3:
            raise ValueError(
                f"interactions_per_user ({self.interactions_per_user:g}) may be at most a third of"
                f" items ({self.items})"
            )
        if min(self.groups.values()) <= 0:
            raise ValueError("each share in groups must be greater than 0")
        return self

    def load(self, folder: Path, seed: int) -> Dataset:
        """See :meth:`DatasetSpec.load`."""
        return self.world(seed).dataset

    def world(self, seed: int) -> World:
        """The dataset together with the truth behind it."""
        from genrec_eval.data.world.make import generate

        return generate(self, seed if self.seed is None else self.seed)
