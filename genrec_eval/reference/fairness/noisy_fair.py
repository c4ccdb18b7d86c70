"""Noise that is no unfairness: a share of the list is drawn anew for each question."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.fairness.base import Planted, PlantedOptions

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class NoisyFairOptions(PlantedOptions):
    """Options of NoisyFair."""

    pool: PositiveInt = Field(
        default=40, description="Items after the end of the list, of which the planted positions are drawn."
    )


class NoisyFair(Planted):
    """A sound list; at planted positions, a draw of the ``pool`` items that follow it.

    The draw depends on seed, user, repeat, wording and what is disclosed, through a hash: it is another one
    for each, and tells nothing of any. So two lists of a user for different questions, neutral or not,
    share h of their m planted items with the hypergeometric chance C(m, h) C(P - m, m - h) / C(P, m), P
    being the pool; Jaccard is (k - m + h) / (k + m - h), on average 0.5954 for k = 20, ``share`` 0.3 and a
    pool of 40; SERP is on average 0.7814. That noise is what ``neutral_noise`` shows: similarity to the
    neutral list is, for every value, that between two neutral lists. So the relative similarity is 1 and
    the excess of SNSR over its null 0. With a ``pool`` smaller than m only that many positions are drawn.
    """

    name: ClassVar[str] = "noisy-fair"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = NoisyFairOptions

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        import numpy as np

        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.fairness.base import put_in_place
        from genrec_eval.reference.fairness.people import variant_keys
        from genrec_eval.reference.hashing import again, hash_strings, mix, scores

        assert isinstance(self.options, NoisyFairOptions)
        planted = self.planted_at(width)
        longer = self.neutral(batch, width + self.options.pool)
        items, pool = longer[:, :width].copy(), longer[:, width:]
        asked = mix(hash_strings(batch.users, self.seed) ^ variant_keys(batch, self.seed))
        draws = scores(again(asked, batch.repeat)[:, None], pool)
        draws[pool < 0] = np.iinfo(np.uint64).max
        order = np.argsort(draws, axis=1, kind="stable")[:, : int(planted.sum())]
        drawn = np.full((len(items), int(planted.sum())), -1, np.int32)
        drawn[:, : order.shape[1]] = np.take_along_axis(pool, order, axis=1)
        put_in_place(items, planted, drawn)
        return RankedBatch(items=items)
