"""The options of the generated experiment."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, PositiveFloat, model_validator

from genrec_eval.data.registry import DatasetSpec

if TYPE_CHECKING:
    from genrec_eval.data.experiments.exposures import Exposures


class SyntheticExposuresSpec(DatasetSpec):
    """A generated experiment with known effects; see :mod:`genrec_eval.data.experiments.make`.

    The first arm is the control; all others have the same effects.
    """

    summary: ClassVar[str] = "a generated A/B test with known effects: clicks and errors of users by day"
    holds: ClassVar[str] = "exposures"

    users: int = Field(6000, ge=10, le=2_000_000, description="Number of users.")
    arms: dict[str, PositiveFloat] = Field(
        {"A": 0.5, "B": 0.5}, min_length=2, max_length=20, description="Share of users in each arm."
    )
    days: int = Field(28, ge=1, le=365, description="Length of the experiment.")
    enrolment: int = Field(14, ge=1, le=365, description="Days on which users may enter.")
    visits: float = Field(0.6, gt=0, le=1, description="Chance of a visit on a day after the first.")
    clicks: float = Field(0.5, gt=0, le=1000, description="Mean clicks of a visit in the control arm.")
    heterogeneity: float = Field(
        1.0, ge=0, le=10, description="Variance of users' click rates, in squares of their mean."
    )
    lift: float = Field(0.1, ge=-1, le=10, description="Relative effect on clicks that lasts.")
    novelty: float = Field(
        0.0, ge=-1, le=10, description="Further relative effect on clicks on a user's first day, fading out."
    )
    half_life: float = Field(3.0, gt=0, le=365, description="Days in which the novelty halves.")
    errors: float = Field(0.05, gt=0, le=100, description="Mean errors of a visit in the control arm.")
    harm: float = Field(0.0, ge=-1, le=100, description="Relative effect on errors.")
    before_days: int = Field(
        28, ge=0, le=365, description="Days before the experiment of which clicks are known; 0 for none."
    )
    lost: float = Field(
        0.0, ge=0, lt=1, description="Planted flaw: share of treated users who are missing from the log."
    )
    crossed: float = Field(0.0, ge=0, lt=1, description="Share of users who were seen in several arms.")
    seed: int | None = Field(None, description="Seed of the experiment; the run's seed by default.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.enrolment > self.days:
            raise ValueError(
                f"enrolment ({self.enrolment}) takes longer than the experiment ({self.days} days)"
            )
        if self.lift + self.novelty < -1:
            raise ValueError("lift and novelty together cannot take away more than all clicks")
        return self

    def load(self, folder: Path, seed: int) -> Exposures:
        """See :meth:`DatasetSpec.load`."""
        from genrec_eval.data.experiments.make import generate

        return generate(self, seed if self.seed is None else self.seed)
