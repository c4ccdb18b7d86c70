"""Random lists: the floor that every model must stand above."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.base import ReferenceModel

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class Random(ReferenceModel):
    """Unseen items in random order, uniformly; no scores.

    The order is a function of seed, repeat, user id and catalogue size alone, by hashing instead of
    drawing: a generator per user would cost 20 µs each.
    """

    name: ClassVar[str] = "random"
    version: ClassVar[int] = 2
    seeded: ClassVar[bool] = True

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.hashing import again, hash_strings, permuted, scores
        from genrec_eval.reference.lists import choose, first_unseen, ordered

        keys = again(hash_strings(batch.users, self.seed), batch.repeat)
        n_items = len(self.training.items)
        if batch.candidates is None:
            return RankedBatch(
                items=first_unseen(
                    lambda rows, start, stop: permuted(keys[rows], start, stop, n_items),
                    batch.history,
                    n_items,
                    width,
                )
            )
        rows, items = choose(batch.candidates, batch.history)
        return RankedBatch(items=ordered(rows, items, (scores(keys[rows], items),), len(batch), width)[0])
