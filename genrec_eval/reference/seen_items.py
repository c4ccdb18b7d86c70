"""A planted flaw: recommending what the user already knows."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.flawed import Flawed

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class SeenItems(Flawed):
    """Popularity with an item of the history, the latest first, at every planted position.

    With ``share`` 0.3 a list of 10 has 3 of them, where the history (within the candidates) is that
    long; beyond it the position is filled by popularity.
    """

    name: ClassVar[str] = "seen-items"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "seen"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.flawed import put
        from genrec_eval.reference.lists import latest

        planted = self.planted_at(width)
        known = latest(batch.history, batch.candidates, int(planted.sum()))
        return RankedBatch(items=put(self.popular(batch, width), planted, known))
