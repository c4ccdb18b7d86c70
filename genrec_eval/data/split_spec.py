"""How a suite asks for a split."""

from __future__ import annotations

from datetime import UTC, date, datetime
from datetime import time as clock
from typing import TYPE_CHECKING, Literal, Self

from pydantic import Field, model_validator

from genrec_eval.core.strict import StrictModel

if TYPE_CHECKING:
    from genrec_eval.data.dataset import Dataset
    from genrec_eval.data.splits import Split


class SplitSpec(StrictModel):
    """Which interactions are for training and which for testing."""

    method: Literal["global-temporal"] = Field(
        "global-temporal", description="One cut in time for all users: whatever is earlier is training."
    )
    fraction: float | None = Field(
        None, gt=0, lt=1, description="Share of interactions before the cut; 0.8 when no time is given."
    )
    time: int | datetime | date | None = Field(
        None, description="The cut: Unix seconds, a date or a date with time (UTC unless it says otherwise)."
    )
    cold_users: Literal["include", "exclude"] = Field(
        "include", description="Whether users without training interactions are evaluated."
    )

    @model_validator(mode="after")
    def _one_cut(self) -> Self:
        if self.fraction is not None and self.time is not None:
            raise ValueError("a split takes either fraction or time, not both")
        return self

    @property
    def cut(self) -> int | None:
        """``time`` in Unix seconds."""
        when = self.time
        if when is None or isinstance(when, int):
            return when
        if not isinstance(when, datetime):
            when = datetime.combine(when, clock())
        return int((when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp())

    def apply(self, dataset: Dataset, min_rating: float | None = None, seed: int = 0) -> Split:
        """Split ``dataset``; see :func:`genrec_eval.data.splits.global_temporal`."""
        from genrec_eval.data.splits import global_temporal

        fraction = 0.8 if self.fraction is None and self.time is None else self.fraction
        return global_temporal(
            dataset,
            fraction=fraction,
            time=self.cut,
            min_rating=min_rating,
            cold_users=self.cold_users,
            seed=seed,
        )
