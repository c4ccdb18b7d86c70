"""A planted sensitivity that is no unfairness between values: any profile changes the list alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.fairness.base import Planted

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class ChangesForAll(Planted):
    """A sound list; whenever anything is disclosed, the items that follow it at planted positions.

    What is disclosed does not matter. So with m planted of k positions the lists of every value have,
    exactly and for every user, Jaccard (k - m) / (k + m) with their neutral ones (k = 20, ``share`` 0.3:
    0.5385; SERP 0.7429, PRAG 0.7474); SNSR and SNSV are 0, and lists of two values are the same.
    """

    name: ClassVar[str] = "changes-for-all"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "neutral_similarity"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.fairness.base import put_in_place
        from genrec_eval.reference.fairness.people import anything_disclosed

        planted = self.planted_at(width)
        longer = self.neutral(batch, width + int(planted.sum()))
        items, told = longer[:, :width].copy(), anything_disclosed(batch)
        changed = items[told]
        put_in_place(changed, planted, longer[told, width:])
        items[told] = changed
        return RankedBatch(items=items)
