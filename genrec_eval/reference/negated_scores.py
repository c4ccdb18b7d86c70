"""A planted flaw: scores of the wrong sign."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.popularity import Popularity

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class NegatedScores(Popularity):
    """Popularity whose scores are negative log-probabilities: they rise along the list.

    The score of an item with c of N training interactions among n items is ``-ln((c + 1) / (N + n))``. The
    order of the lists is right; whoever orders by these scores turns it upside down, and whoever takes a
    positive score for "retrieved" is lucky.
    """

    name: ClassVar[str] = "negated-scores"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "misordered"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch

        items = self.popular(batch, width)
        losses = np.log(self.counts.sum() + len(self.counts)) - np.log1p(self.counts)
        return RankedBatch(items=items, scores=np.append(losses, 0.0)[items])
