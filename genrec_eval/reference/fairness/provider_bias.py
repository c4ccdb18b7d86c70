"""A planted unfairness to providers: one of them has a fixed share of all lists."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.fairness.base import Planted, PlantedOptions

if TYPE_CHECKING:
    from genrec_eval.protocol.arrays import Int32, Int64
    from genrec_eval.protocol.batch import RankBatch, RankedBatch
    from genrec_eval.reference.lists import Bools

_DEPTH = 4
"""How many times deeper than the list its order is looked at, at first and whenever that was not enough."""


class ProviderBiasOptions(PlantedOptions):
    """Options of ProviderBias."""

    share: float = Field(
        default=0.7, ge=0, le=1, description="Share of list positions that are the provider's."
    )
    positions: Literal["drawn", "fixed"] = Field(
        default="drawn",
        description="drawn: each position of each user with chance `share`; fixed: the same ones for all.",
    )
    column: str = Field(
        default="provider_group", description="Column of the items' table that names providers."
    )
    provider: str = Field(default="major", description="The provider, as the data spells it.")


class ProviderBias(Planted):
    """The best items of one provider at a share of the positions, the best of all others at the rest.

    So its share of the exposure is known. With ``positions: drawn`` each position of each user is the
    provider's with chance ``share``, by a hash of seed, user and position: the expected share of the
    exposure is ``share`` at every k, however ranks are weighted. Where t is due to the provider and
    ``share`` is above t, its gap is ``share`` - t; with all others in one group, theirs is the least ratio,
    (1 - ``share``) / (1 - t).

    With ``positions: fixed`` the share is the same in every single list: the weight of the planted ranks over
    that of all (:func:`genrec_eval.reference.fairness.effects.exposure`; k = 10, ``share`` 0.7: 0.7 where all
    ranks weigh the same, and 0.6118 with weights 1 / log2(r + 1)). Where a row has too few unseen items of
    one side, the other fills the list.
    """

    name: ClassVar[str] = "provider-bias"
    version: ClassVar[int] = 1
    planted: ClassVar[str | None] = "exposure_ratio"
    seeded: ClassVar[bool] = True
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
        from genrec_eval.reference.lists import blocks

        found = [np.empty((0, width), np.int32)]
        for part in blocks(np.full(len(batch), len(self.own), np.int64)):
            block = rows_of(batch, np.arange(part.start, part.stop))
            planted = self._planted(block, width)
            found.append(_merged(planted, *self._sides(block, width, planted.sum(axis=1))))
        return RankedBatch(items=np.concatenate(found))

    def _planted(self, batch: RankBatch, width: int) -> Bools:
        """bool[n, width], the positions of the provider."""
        import numpy as np

        from genrec_eval.reference.hashing import hash_strings, scores

        if self.options.positions == "fixed":
            return np.broadcast_to(self.planted_at(width), (len(batch), width))
        drawn = scores(hash_strings(batch.users, self.seed)[:, None], np.arange(width, dtype=np.int32))
        chance: Bools = drawn / 2.0**64 < self.options.share
        return chance

    def _sides(self, batch: RankBatch, width: int, count: Int64) -> tuple[Int32, Int32]:
        """int32[n, width] twice, the best of the provider's items and of all others.

        A row is looked at as deep as it takes for ``count``, int64[n], of the one and the rest of the other.
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
            enough = ((own[rows] >= 0).sum(axis=1) >= count[rows]) & (
                (others[rows] >= 0).sum(axis=1) >= width - count[rows]
            )
            rows = rows[~enough & (listed[:, -1] >= 0) & (depth < len(self.own))]
            depth *= _DEPTH
        return own, others


def _merged(planted: Bools, own: Int32, others: Int32) -> Int32:
    """int32[n, width], ``own`` at the planted positions, ``others`` at the rest, each in its order.

    Positions whose side has run out get what the other has left over.
    """
    import numpy as np

    from genrec_eval.reference.lists import closed_up

    count = planted.sum(axis=1, keepdims=True)
    items = np.where(
        planted, _nth(own, planted.cumsum(axis=1) - 1), _nth(others, (~planted).cumsum(axis=1) - 1)
    )
    hole = np.cumsum(items < 0, axis=1) - 1
    left = _nth(own, count + hole)
    left = np.where(left < 0, _nth(others, planted.shape[1] - count + hole), left)
    return closed_up(np.where(items < 0, left, items))


def _nth(lists: Int32, places: Int64) -> Int32:
    """int32[n, width], what stands at these places; -1 outside."""
    import numpy as np

    width = lists.shape[1]
    taken = np.take_along_axis(lists, np.clip(places, 0, max(width - 1, 0)), axis=1)
    return np.where((places >= 0) & (places < width), taken, np.int32(-1))


def _first(listed: Int32, chosen: Bools, width: int) -> Int32:
    """int32[n, width], the first chosen items of each list."""
    import numpy as np

    place = np.cumsum(chosen, axis=1) - 1
    row, column = np.nonzero(chosen & (place < width))
    found = np.full((len(listed), width), -1, np.int32)
    found[row, place[row, column]] = listed[row, column]
    return found
