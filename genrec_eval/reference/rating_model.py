"""What the models that predict ratings share."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, NonNegativeFloat

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int32, Int64
    from genrec_eval.protocol.batch import RankBatch, RateBatch
    from genrec_eval.protocol.requests import Kind


class RatingOptions(StrictModel):
    """Options of every model that predicts ratings."""

    user_damping: NonNegativeFloat = Field(
        default=15.0, description="Ridge on user biases: ratings at which a user's bias counts half."
    )
    item_damping: NonNegativeFloat = Field(
        default=10.0, description="Ridge on item biases: ratings at which an item's bias counts half."
    )
    clip: bool = Field(
        default=True, description="Keep predictions between the least and the greatest training rating."
    )


class RatingModel(Scored):
    """Predicts ratings, and ranks by the rating it predicts.

    The requests name what a user has rated but not how: users unseen in training have no bias.
    """

    kinds: frozenset[Kind] = frozenset({"rank", "rate"})
    Options: ClassVar[type[StrictModel]] = RatingOptions
    scale: tuple[float, float]
    """The least and the greatest training rating."""

    def fit(self) -> None:
        """Check that there are ratings, and learn from them."""
        super().fit()
        given = self.training.interactions
        if given.rating is None:
            raise UsageError(
                f"reference model '{self.name}' predicts ratings, but data set '{self.training.dataset}' has"
                " none; use data with ratings, or a model that ranks"
            )
        if not len(given):
            raise UsageError(
                f"reference model '{self.name}' predicts ratings, but the training part of data set"
                f" '{self.training.dataset}' is empty; choose a later cut or a larger share for training"
            )
        self.scale = (float(given.rating.min()), float(given.rating.max()))
        self.learn()

    @abstractmethod
    def learn(self) -> None:
        """Learn from ``self.training``, which has ratings."""

    @abstractmethod
    def pairs(self, users: Int32, items: Int32) -> Float64:
        """float64[n], predictions for parallel codes; -1 for unknown ones."""

    @abstractmethod
    def rows(self, users: Int32) -> Float64:
        """float64[n, n_items], predictions of every item for each of these users, in a fresh array."""

    def ratings(self, batch: RateBatch) -> Float64:
        """See :meth:`ReferenceModel.ratings`."""
        import numpy as np

        users = np.repeat(batch.user_codes, batch.targets.lengths)
        predicted = self.pairs(users, batch.targets.values)
        assert isinstance(self.options, RatingOptions)
        return np.clip(predicted, *self.scale) if self.options.clip else predicted

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`; clipping would tie the best items, so it is left out."""
        return lambda rows: self.rows(batch.user_codes[rows])
