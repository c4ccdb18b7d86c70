"""User-based nearest neighbours on who interacted with what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, NonNegativeFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class UserKNNOptions(StrictModel):
    """Options of UserKNN."""

    neighbours: PositiveInt = Field(default=100, description="Most similar training users asked per user.")
    shrinkage: NonNegativeFloat = Field(
        default=10.0, description="Added to the denominator: trusts similarities of short histories less."
    )


class UserKNN(Popularity):
    r"""What the most similar training users had.

    The similarity of the asked history H and a training user v with items I_v is
    ``|H ∩ I_v| / (sqrt(|H| |I_v|) + shrinkage)``, over distinct items. The score of an item is the sum over
    the ``neighbours`` most similar users (ties by user code) that have it; users do not count as their own
    neighbours. Only the history of the request is looked at, so users unseen in training are served alike.
    Lists are ordered by score, then popularity, then catalogue code; sums are exact, as in ItemKNN.

    References
    ----------
    Herlocker, Konstan, Borchers, Riedl (1999), An algorithmic framework for performing collaborative
    filtering, SIGIR; on binary data as in Ferrari Dacrema, Cremonesi, Jannach (2019), RecSys.
    """

    name: ClassVar[str] = "user-knn"
    version: ClassVar[int] = 1
    Options: ClassVar[type[StrictModel]] = UserKNNOptions
    options: UserKNNOptions
    histories: Any
    """scipy int64 CSR [n_users, n_items], 1 where a training user has an item."""

    def fit(self) -> None:
        """Keep who has what."""
        from genrec_eval.reference.sums import binary

        super().fit()
        self.histories = binary(self.training.histories(), len(self.training.items))

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.neighbours import by_users

        items, scores = by_users(self, batch, width)
        return RankedBatch(items=items, scores=scores)
