"""A first-order Markov chain: what usually follows the last item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch


class MarkovOptions(StrictModel):
    """Options of the Markov chain."""

    smoothing: PositiveFloat = Field(
        default=10.0, description="Weight of popularity, in transitions seen from the last item."
    )
    window: PositiveInt = Field(
        default=1, description="Followers that count per item; the n-th one counts 1/n."
    )


class Markov(Scored):
    r"""Items by the probability that they follow the last item of the history.

    With :math:`c_{lj}` the number of times that j comes next after l in a training history (in its time
    order; items of one moment in the order of the source) and :math:`p_j` the share of j in the training,

    .. math:: P(j \mid l) = \frac{c_{lj} + \mu p_j}{\sum_j c_{lj} + \mu}

    which falls back to popularity where little is known of l, and is popularity for a user without
    history. A repetition of the item itself is no transition.

    References
    ----------
    Chen, Goodman (1999), An empirical study of smoothing techniques for language modeling, section 2:
    interpolation with a lower-order model, here with a Dirichlet prior.
    """

    name: ClassVar[str] = "markov"
    version: ClassVar[int] = 1
    # probabilities of rare items in large catalogues need a finer grid than the usual one
    step: ClassVar[float | None] = 2.0**-33
    Options: ClassVar[type[StrictModel]] = MarkovOptions
    transitions: Any
    """scipy float64 CSR [n_items, n_items]: row l holds the weighted counts of what followed l."""
    popularity: Float64
    """float64[n_items], share of each item in the training."""

    def fit(self) -> None:
        """Count."""
        import numpy as np

        from genrec_eval.reference.transitions import count

        super().fit()
        assert isinstance(self.options, MarkovOptions)
        self.transitions = count(self.training.histories(), len(self.counts), self.options.window)
        self.popularity = self.counts / np.maximum(self.counts.sum(), 1)

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        from genrec_eval.reference.transitions import last_items, probabilities

        assert isinstance(self.options, MarkovOptions)
        last, smoothing = last_items(batch.history), self.options.smoothing

        def score(rows: Int64) -> Float64:
            return probabilities(last[rows], self.transitions, self.popularity, smoothing)

        return score
