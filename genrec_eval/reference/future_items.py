"""A planted flaw: items that nobody could know of yet."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.flawed import Flawed

if TYPE_CHECKING:
    from genrec_eval.protocol.arrays import Int32
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class FutureItems(Flawed):
    """Popularity with an item that only comes up in the held-out part at every planted position.

    With ``share`` 0.3 a list of 10 has 3 of them, the most frequent ones first, as far as there are that
    many; beyond, the position is filled by popularity. Nowhere else does such an item stand.
    """

    name: ClassVar[str] = "future-items"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "future"
    peeks: ClassVar[bool] = True
    unborn: Int32
    """int32[m], items without training interactions that the held-out part has, most frequent first."""

    def fit(self) -> None:
        """Find the items that only come up later.

        Raises
        ------
        UsageError
            When the held-out interactions are not handed over.
        """
        import numpy as np

        from genrec_eval.reference.flawed import future_of

        super().fit()
        later = np.bincount(future_of(self).item, minlength=len(self.counts))
        later[self.counts > 0] = 0
        self.unborn = np.argsort(-later, kind="stable")[: np.count_nonzero(later)].astype(np.int32)
        self.rank_by(np.where(later > 0, -1, self.counts))

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.flawed import put
        from genrec_eval.reference.lists import choose, first_unseen, ordered, shared_order

        planted = self.planted_at(width)
        count, n_items = int(planted.sum()), len(self.counts)
        place = np.full(n_items, len(self.unborn), np.int64)
        place[self.unborn] = np.arange(len(self.unborn))
        if batch.candidates is None:
            # unborn items first, then all others, which do not count here
            order = np.argsort(place, kind="stable").astype(np.int32)
            known = first_unseen(shared_order(order), batch.history, n_items, count)
            known[(known >= 0) & (place[known] == len(self.unborn))] = -1
        else:
            rows, items = choose(batch.candidates, batch.history)
            unborn = place[items] < len(self.unborn)
            rows, items = rows[unborn], items[unborn]
            known = ordered(rows, items, (place[items],), len(batch), count)[0]
        popular = self.popular(batch, width)
        popular[np.append(place, 0)[popular] < len(self.unborn)] = -1  # only where planted; they stand last
        return RankedBatch(items=put(popular, planted, known))
