"""Models that score every item: subclasses say how, the lists are made in one way."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class Scored(Popularity):
    """Lists by score, then popularity, then catalogue code: :func:`genrec_eval.reference.dense.top_lists`."""

    step: ClassVar[float | None] = None
    """Grid that scores are rounded to; that of ``top_lists`` when None."""

    @abstractmethod
    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """Rows of ``batch`` → float64[rows, n_items], the scores of all items."""

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.dense import STEP, top_lists

        step = STEP if self.step is None else self.step
        items, scores = top_lists(self.scorer(batch), batch, width, self.counts, step=step)
        return RankedBatch(items=items, scores=scores)
