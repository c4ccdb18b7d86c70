"""Most popular items first."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.base import ReferenceModel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from genrec_eval.protocol.arrays import Int32, Int64
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class Popularity(ReferenceModel):
    """Items by number of training interactions; ties by catalogue code. Scores are the counts.

    Attributes
    ----------
    counts
        int64[n_items], training interactions of each item.
    order
        int32[n_items], item codes, most popular first.
    place
        int64[n_items], the position of each item in ``order``.
    """

    name: ClassVar[str] = "popularity"
    version: ClassVar[int] = 1
    counts: Int64
    order: Int32
    place: Int64

    def fit(self) -> None:
        """Count."""
        import numpy as np

        self.counts = np.bincount(self.training.interactions.item, minlength=len(self.training.items))
        self.rank_by(self.counts)

    def rank_by(self, keys: npt.NDArray[np.number]) -> None:
        """Prefer items with greater keys, among equal ones those with the lower code."""
        import numpy as np

        self.order = np.argsort(-keys, kind="stable").astype(np.int32)
        self.place = np.empty(len(self.order), np.int64)
        self.place[self.order] = np.arange(len(self.order))

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch

        items = self.popular(batch, width)
        return RankedBatch(items=items, scores=np.where(items >= 0, self.counts[items], 0).astype(float))

    def popular(self, batch: RankBatch, width: int) -> Int32:
        """int32[n, width], the most popular unseen items of each row's candidates."""
        from genrec_eval.reference.lists import choose, first_unseen, ordered, shared_order

        if batch.candidates is None:
            return first_unseen(shared_order(self.order), batch.history, len(self.order), width)
        rows, items = choose(batch.candidates, batch.history)
        return ordered(rows, items, (self.place[items],), len(batch), width)[0]
