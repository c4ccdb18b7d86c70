"""A planted flaw: lists that repeat items."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.flawed import Flawed

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class Duplicates(Flawed):
    """Popularity that repeats the item before at every planted position but the first.

    With ``share`` 0.3 a list of 10 has 3 repeats. A list of one position cannot repeat anything.
    """

    name: ClassVar[str] = "duplicates"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "duplicate"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch

        repeated = self.planted_at(width)
        repeated[:1] = False
        return RankedBatch(items=self.popular(batch, width)[:, np.cumsum(~repeated) - 1])
