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
        from genrec_eval.reference.flawed import put

        planted = self.planted_at(width)
        own, others = self._best(batch, width, self.own), self._best(batch, width, ~self.own)
        count, spare = int(planted.sum()), np.full((len(own), width), -1, np.int32)
        # behind the others come the provider's items that no planted position takes
        spare[:, : width - count] = own[:, count:]
        room = (others < 0).cumsum(axis=1) - 1
        others = np.where(others < 0, np.take_along_axis(spare, np.maximum(room, 0), axis=1), others)
        return RankedBatch(items=put(others, planted, own[:, :count]))

    def _best(self, batch: RankBatch, width: int, allowed: Bools) -> Int32:
        """int32[n, width], the sound recommender's lists of these items only, a block of rows at a time."""
        from dataclasses import replace

        import numpy as np

        from genrec_eval.protocol.arrays import Ragged
        from genrec_eval.reference.lists import blocks, known_pairs, slice_rows

        listed = np.flatnonzero(allowed).astype(np.int32)
        found = [np.empty((0, width), np.int32)]
        for part in blocks(np.full(len(batch), max(1, len(listed)), np.int64)):
            n = part.stop - part.start
            if batch.candidates is None:
                rows, items = np.repeat(np.arange(n), len(listed)), np.tile(listed, n)
            else:
                rows, items = known_pairs(slice_rows(batch.candidates, part))
                rows, items = rows[allowed[items]], items[allowed[items]]
            block = replace(
                batch,
                users=batch.users[part],
                user_codes=batch.user_codes[part],
                history=slice_rows(batch.history, part),
                candidates=Ragged.group(rows, items, n),
                cases=None,
                profiles=None,
                wordings=None,
            )
            found.append(self.neutral(block, width))
        return np.concatenate(found)
