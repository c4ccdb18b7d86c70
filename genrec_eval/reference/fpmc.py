"""FPMC: factorised personal transitions, a matrix factorisation and a Markov chain in one."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.bpr import BPROptions
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch
    from genrec_eval.reference.pairwise import Factors


class FPMC(Scored):
    r"""Scores ``b_i + w_u · h_i + f_l · g_i`` after the last item l of the history.

    Trained as BPR-MF on the steps of the training histories: for every item i that came after an item l,
    one j that the user never chose is drawn, and i pushed above it. The third pair of factors of the
    original, user and last item, falls out of the ranking. The first item of a history has no step before
    it and trains user and bias alone. A user unseen in training has no factors of their own: the last item
    speaks for them.

    References
    ----------
    Rendle, Freudenthaler, Schmidt-Thieme (2010), Factorizing personalized Markov chains for next-basket
    recommendation, WWW; with baskets of one item.
    """

    name: ClassVar[str] = "fpmc"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = BPROptions
    factors: Factors

    def fit(self) -> None:
        """Descend."""
        from genrec_eval.core.randomness import generator
        from genrec_eval.reference.pairwise import steps, train

        super().fit()
        assert isinstance(self.options, BPROptions)
        shape = len(self.training.users), len(self.training.items)
        draw = generator(self.seed, "fpmc training")
        self.factors = train(*steps(self.training.histories()), shape, self.options, draw)

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        import numpy as np

        from genrec_eval.reference.dense import exact_product
        from genrec_eval.reference.least_squares import or_zero
        from genrec_eval.reference.transitions import last_items

        factors, last = self.factors, last_items(batch.history)
        assert factors.lasts is not None
        lasts = factors.lasts

        def score(rows: Int64) -> Float64:
            asks = [or_zero(factors.users, batch.user_codes[rows]), or_zero(lasts, last[rows])]
            scores = exact_product(np.concatenate(asks, axis=1), factors.items)
            scores += factors.biases
            return scores

        return score
