"""A planted flaw: ids that are not in the catalogue."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.flawed import Flawed

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class UnknownIds(Flawed):
    """Popularity with an invented id at every planted position.

    With ``share`` 0.3 a list of 10 has 3 of them, different from each other. What the user should have
    got moves down. Lists are as long as those of popularity.
    """

    name: ClassVar[str] = "unknown-ids"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "invalid"

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch

        invented = self.planted_at(width)
        popular = self.popular(batch, width)
        if not invented.any():
            return RankedBatch(items=popular)
        items = popular[:, np.maximum(np.cumsum(~invented) - 1, 0)]
        items[:, invented] = -2 - np.arange(invented.sum(), dtype=np.int32)
        lengths = (popular >= 0).sum(axis=1, keepdims=True)
        items[np.arange(width) >= lengths] = -1
        return RankedBatch(items=items, unknown=self._invent(int(invented.sum())))

    def _invent(self, count: int) -> list[str]:
        """Ids that no catalogue item has."""
        import pyarrow as pa

        made = [f"invented-{number}" for number in range(count)]
        while (self.training.items.encode(pa.array(made)) >= 0).any():
            made = [f"{name}-x" for name in made]
        return made
