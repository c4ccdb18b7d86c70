"""What the models of fairness share: a sound list, planted positions, and whom the flaw strikes."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.base import REFERENCE, ReferenceModel

if TYPE_CHECKING:
    from collections.abc import Sequence

    from genrec_eval.protocol.arrays import Int32
    from genrec_eval.protocol.batch import RankBatch, RankedBatch
    from genrec_eval.reference.lists import Bools
    from genrec_eval.reference.popularity import Popularity


class PlantedOptions(StrictModel):
    """Options of every model of fairness."""

    share: float = Field(
        default=0.3, ge=0, le=1, description="Share of list positions with the flaw: floor(k * share) of k."
    )
    recommender: Literal["popularity", "item-knn"] = Field(
        default="popularity", description="Who makes the list that the flaw is planted in."
    )


class Planted(ReferenceModel):
    """The list of a sound recommender with something else at planted positions."""

    Options: ClassVar[type[StrictModel]] = PlantedOptions
    sound: Popularity

    def fit(self) -> None:
        """Fit the sound recommender."""
        self.sound = REFERENCE.get(self.options.recommender)(self.training, seed=self.seed)

    def neutral(self, batch: RankBatch, width: int) -> Int32:
        """int32[n, width], the sound recommender's lists; it is told nothing of the users' profiles."""
        from dataclasses import replace

        items = self.sound.rank(replace(batch, k=width, profiles=None)).items
        if items.shape[1] == width:
            return items
        import numpy as np

        return np.pad(items, ((0, 0), (0, width - items.shape[1])), constant_values=-1)

    def planted_at(self, width: int) -> Bools:
        """bool[width], the positions with the flaw."""
        from genrec_eval.reference.lists import planted_positions

        return planted_positions(width, self.options.share)


def put_in_place(items: Int32, planted: Bools, others: Int32) -> None:
    """Write ``others``, int32[n, planted positions], over the planted positions; where -1, the item stays."""
    import numpy as np

    items[:, planted] = np.where(others >= 0, others, items[:, planted])


class HarmOptions(PlantedOptions):
    """Options of a model that serves some people worse."""

    known_by: Literal["profile", "membership"] = Field(
        default="profile",
        description=(
            "How the model knows the value: profile, the question discloses it; membership, the table of"
            " users says it of the user, whatever the question discloses."
        ),
    )


class Harming(Planted):
    """Worst items at the planted positions of people who hold some values of attributes, all at once."""

    members: Any
    """bool[users + 1], who is struck by membership; the last entry is for users unseen in training."""
    worst: Popularity

    @property
    @abstractmethod
    def conditions(self) -> Sequence[tuple[str, str]]:
        """Attributes and the values that a person must hold of them, all at once."""

    def fit(self) -> None:
        """Fit the sound recommender, and look up who is struck.

        Raises
        ------
        UsageError
            When membership counts and the users' table has no such attribute, or nobody of that value.
        """
        import numpy as np

        from genrec_eval.reference.fairness.people import members
        from genrec_eval.reference.popularity import Popularity

        super().fit()
        self.worst = Popularity(self.training)
        counts = self.worst.counts
        # an item that nobody has yet may be tomorrow's hit: those come last
        self.worst.rank_by(-np.where(counts > 0, counts, counts.sum() + 1))
        if self.options.known_by == "membership":
            self.members = members(self.name, self.training, self.conditions)

    def struck(self, batch: RankBatch) -> Bools:
        """bool[n], the rows that the flaw strikes."""
        from genrec_eval.reference.fairness.people import disclose

        if self.options.known_by == "membership":
            known: Bools = self.members[batch.user_codes]
            return known
        return disclose(batch, self.conditions)

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.fairness.people import rows_of

        items = self.neutral(batch, width)
        planted, rows = self.planted_at(width), np.flatnonzero(self.struck(batch))
        if len(rows) and planted.any():
            worse = items[rows]
            asked = rows_of(batch, rows, besides=worse)
            put_in_place(worse, planted, self.worst.popular(asked, int(planted.sum())))
            items[rows] = worse
        return RankedBatch(items=items)
