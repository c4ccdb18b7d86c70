"""BPR-MF: matrix factorisation that ranks what was chosen above what was not."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch
    from genrec_eval.reference.pairwise import Factors


class BPROptions(StrictModel):
    """Options of BPR-MF."""

    factors: PositiveInt = Field(default=64, description="Dimensions of the factors.")
    epochs: PositiveInt = Field(default=40, description="Passes over the training interactions.")
    learning_rate: PositiveFloat = Field(default=0.1, description="Step of AdaGrad.")
    regularisation: NonNegativeFloat = Field(default=0.02, description="Ridge per sampled pair.")
    batch_size: PositiveInt = Field(default=2048, description="Pairs per step.")


class BPRMF(Scored):
    r"""Scores ``b_i + w_u · h_i`` that rank chosen items above others.

    For every training interaction (u, i) of an epoch one item j that u did not choose is drawn
    uniformly, and :math:`-\ln \sigma(x_{ui} - x_{uj}) + \lambda (\|w_u\|^2 + \|h_i\|^2 + \|h_j\|^2 + b_i^2
    + b_j^2) / 2` descended.

    BPR has no closed form for a user who is new. A user unseen in training gets factors by ridge
    regression: of the users' factors on the mean factors of their items, learnt from all training users.
    A user without history gets the biases.

    References
    ----------
    Rendle, Freudenthaler, Gantner, Schmidt-Thieme (2009), BPR: Bayesian personalized ranking from
    implicit feedback, UAI.
    """

    name: ClassVar[str] = "bpr-mf"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = BPROptions
    factors: Factors

    def fit(self) -> None:
        """Descend."""
        from genrec_eval.reference.bpr_fit import newcomers, train

        super().fit()
        assert isinstance(self.options, BPROptions)
        self.factors = train(self.training, self.options, self.seed)
        self._known, self._to_user = newcomers(self.training, self.factors)

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        from genrec_eval.reference.bpr_fit import people
        from genrec_eval.reference.dense import exact_product

        def score(rows: Int64) -> Float64:
            asking = people(batch, rows, self.factors, self._known, self._to_user)
            scores = exact_product(asking, self.factors.items)
            scores += self.factors.biases
            return scores

        return score
