"""A planted flaw: lists shorter than asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.flawed import Flawed

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class ShortLists(Flawed):
    """Popularity whose lists of ``k`` end ``floor(k * share)`` items early: 7 of 10 with ``share`` 0.3."""

    name: ClassVar[str] = "short-lists"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "short"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch

        items = self.popular(batch, width)
        items[:, width - int(self.planted_at(width).sum()) :] = -1
        return RankedBatch(items=items)
