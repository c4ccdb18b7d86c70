"""A planted flaw: scores that say nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class TiesEverywhere(Popularity):
    """Popularity in which every item has the score 1.

    Whoever orders by these scores gets the order of some sorting routine; the order of the lists is right.
    """

    name: ClassVar[str] = "ties-everywhere"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "tied"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch

        items = self.popular(batch, width)
        return RankedBatch(items=items, scores=(items >= 0).astype(np.float64))
