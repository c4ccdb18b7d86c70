"""Most popular items of late first."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import Field, PositiveFloat, model_validator
from pydantic_core import PydanticCustomError

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from genrec_eval.protocol.arrays import Float64
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class RecentPopularityOptions(StrictModel):
    """Options of recent popularity; at most one of them."""

    days: PositiveFloat | None = Field(
        default=None, description="Count the training interactions of the last so many days."
    )
    share: float | None = Field(
        default=None, gt=0, le=1, description="Count this share of the training interactions, the last ones."
    )
    half_life: PositiveFloat | None = Field(
        default=None, description="Let the weight of an interaction halve every so many days."
    )

    @model_validator(mode="after")
    def _one_window(self) -> Self:
        if len(self.model_dump(exclude_none=True)) > 1:
            raise PydanticCustomError(
                "windows", "recent-popularity takes one of days, share and half_life, not several"
            )
        return self


class RecentPopularity(Popularity):
    """Items by their training interactions in a window of time before the end of the training.

    The window is the last ``days``, the last ``share`` of the interactions (the default, 0.1), or an
    exponential decay with ``half_life``. Ties by count over the whole training, then by catalogue code.
    Without timestamps there is no "recent": the model warns and counts all interactions.

    Attributes
    ----------
    keys
        float64[n_items], weights in the window in whole steps, plus the overall count as a fraction of one;
        ``order`` is theirs.

    References
    ----------
    Ji, Sun, Zhang, Li (2020), A re-visit of the popularity baseline in recommender systems, SIGIR.
    """

    name: ClassVar[str] = "recent-popularity"
    version: ClassVar[int] = 1
    Options: ClassVar[type[StrictModel]] = RecentPopularityOptions
    options: RecentPopularityOptions
    keys: Float64

    def fit(self) -> None:
        """Count within the window."""
        import numpy as np

        from genrec_eval.reference.dense import STEP, steps

        super().fit()
        weights = np.bincount(
            self.training.interactions.item, weights=self._weights(), minlength=len(self.counts)
        )
        self.keys = steps(weights.astype(np.float64), self.counts, STEP)
        self.rank_by(self.keys)

    def _weights(self) -> Float64:
        """float64, how much each training interaction counts."""
        import numpy as np

        interactions = self.training.interactions
        n, when = len(interactions), interactions.timestamp
        if when is None:
            warnings.warn(
                f"recent-popularity: dataset '{self.training.dataset}' has no timestamps, so all training"
                " interactions count alike, as in popularity; name the column that holds the times",
                stacklevel=2,
            )
            return np.ones(n)
        days = (int(when.max(initial=0)) - when) / 86400.0
        if self.options.half_life is not None:
            return np.exp2(-days / self.options.half_life)
        if self.options.days is not None:
            return (days < self.options.days).astype(np.float64)
        share = 0.1 if self.options.share is None else self.options.share
        # those that fall on one moment with the first of them are all in or all out
        first = when[min(int(n * (1 - share) + 1e-9), n - 1)] if n else 0
        return (when >= first).astype(np.float64)

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.dense import STEP

        items = self.popular(batch, width)
        return RankedBatch(items=items, scores=np.append(self.keys * STEP, 0.0)[items])
