"""A planted unfairness to providers: one of them has a fixed share of all lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.fairness.base import Planted, PlantedOptions

if TYPE_CHECKING:
    from genrec_eval.protocol.arrays import Int32
    from genrec_eval.protocol.batch import RankBatch, RankedBatch
    from genrec_eval.reference.lists import Bools

_DEPTH = 4
"""How many times deeper than the list its order is looked at, at first and whenever that was not enough."""


class ProviderBiasOptions(PlantedOptions):
    """Options of ProviderBias."""

    share: float = Field(
        default=0.7, ge=0, le=1, description="Share of list positions of the provider: floor(k * share) of k."
    )
    column: str = Field(
        default="provider_group", description="Column of the items' table that names providers."
    )
    provider: str = Field(default="major", description="The provider, as the data spells it.")


class ProviderBias(Planted):
    """The best items of one provider at planted positions, the best of all others at the rest.

    So its share of the exposure is known for every list: the weights of the planted ranks over those of
    all ranks, floor(k share) / k where every rank weighs the same
    (:func:`genrec_eval.reference.fairness.effects.exposure`; k = 10, ``share`` 0.7: 0.7, and 0.6118 with
    weights 1 / log2(r + 1)). The exposure ratio is that over the provider's target share, whatever the
    users. Where a row has too few unseen items of one side, the other fills the list.
    """

    name: ClassVar[str] = "provider-bias"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "exposure_ratio"
    Options: ClassVar[type[StrictModel]] = ProviderBiasOptions
    own: Bools
    """bool[n_items], the provider's items."""

    def fit(self) -> None:
        """Fit the sound recommender, and look up the provider's items.

        Raises
        ------
        UsageError
            When the items' table has no such column or provider.
        """
        from genrec_eval.reference.fairness.people import items_of

        super().fit()
        self.own = items_of(self.name, self.training, self.options.column, self.options.provider)

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.fairness.people import rows_of
        from genrec_eval.reference.flawed import put
        from genrec_eval.reference.lists import blocks

        planted = self.planted_at(width)
        count = int(planted.sum())
        found = [np.empty((0, width), np.int32)]
        for part in blocks(np.full(len(batch), len(self.own), np.int64)):
            own, others = self._sides(rows_of(batch, np.arange(part.start, part.stop)), width, count)
            # behind the others come the provider's items that no planted position takes
            spare = np.full(own.shape, -1, np.int32)
            spare[:, : width - count] = own[:, count:]
            room = np.maximum((others < 0).cumsum(axis=1) - 1, 0)
            others = np.where(others < 0, np.take_along_axis(spare, room, axis=1), others)
            found.append(put(others, planted, own[:, :count]))
        return RankedBatch(items=np.concatenate(found))

    def _sides(self, batch: RankBatch, width: int, count: int) -> tuple[Int32, Int32]:
        """int32[n, width] twice, the best of the provider's items and of all others.

        A row is looked at only as deep as it takes to find ``count`` of the one and the rest of the other.
        """
        import numpy as np

        from genrec_eval.reference.fairness.people import rows_of

        own, others = (np.full((len(batch), width), -1, np.int32) for _ in range(2))
        rows, depth = np.arange(len(batch)), _DEPTH * width
        while len(rows):
            depth = min(depth, len(self.own))
            listed = self.neutral(rows_of(batch, rows), depth)
            mine = (listed >= 0) & self.own[listed]
            own[rows] = _first(listed, mine, width)
            others[rows] = _first(listed, (listed >= 0) & ~mine, width)
            enough = ((own[rows] >= 0).sum(axis=1) >= count) & (
                (others[rows] >= 0).sum(axis=1) >= width - count
            )
            rows = rows[~enough & (listed[:, -1] >= 0) & (depth < len(self.own))]
            depth *= _DEPTH
        return own, others


def _first(listed: Int32, chosen: Bools, width: int) -> Int32:
    """int32[n, width], the first chosen items of each list."""
    import numpy as np

    place = np.cumsum(chosen, axis=1) - 1
    row, column = np.nonzero(chosen & (place < width))
    found = np.full((len(listed), width), -1, np.int32)
    found[row, place[row, column]] = listed[row, column]
    return found
