"""Implicit alternating least squares: matrix factorisation of who interacted with what."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch


class IALSOptions(StrictModel):
    """Options of iALS."""

    factors: PositiveInt = Field(default=64, description="Dimensions of the factors.")
    sweeps: PositiveInt = Field(default=16, description="Times that both sides are solved.")
    unobserved_weight: PositiveFloat = Field(
        default=0.1, description="Weight of a pair without interaction (alpha_0), relative to one with."
    )
    regularisation: PositiveFloat = Field(default=0.03, description="Ridge, before it is scaled.")
    scaling: float = Field(
        default=1.0,
        ge=0,
        le=1,
        description="Exponent of frequency in the ridge: 1 as in Rendle et al. 2022, 0 the same ridge for all"
        " as in Hu et al. 2008.",
    )
    stdev: PositiveFloat = Field(default=0.1, description="Spread of the factors at the start.")


class IALS(Scored):
    r"""Factors ``w_u`` and ``h_i`` that explain the binary matrix of training interactions.

    They minimise, by solving for users and items in turn,

    .. math::
        \sum_{(u,i) \in S} (1 - w_u \cdot h_i)^2 + \alpha_0 \sum_{u,i} (w_u \cdot h_i)^2
        + \lambda \sum_u (|S_u| + \alpha_0 |I|)^\nu \|w_u\|^2
        + \lambda \sum_i (|S_i| + \alpha_0 |U|)^\nu \|h_i\|^2

    The user's factors are solved from the history that is asked with, also for users unseen in training;
    for the training history they are those of one more half-sweep. A user without history gets the
    popular items.

    References
    ----------
    Hu, Koren, Volinsky (2008), Collaborative filtering for implicit feedback datasets, ICDM.
    Rendle, Krichene, Zhang, Koren (2022), Revisiting the performance of iALS on item recommendation
    benchmarks, RecSys.
    """

    name: ClassVar[str] = "ials"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = IALSOptions
    item_factors: Float64
    """float64[n_items, factors]."""
    losses: list[float]
    """The objective after each sweep."""

    def fit(self) -> None:
        """Solve for users and items in turn."""
        from genrec_eval.reference.ials_solve import factorise

        super().fit()
        assert isinstance(self.options, IALSOptions)
        self.item_factors, self.losses = factorise(self.training, self.options, self.seed)

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        import numpy as np

        from genrec_eval.reference.dense import exact_product
        from genrec_eval.reference.ials_solve import fold_in
        from genrec_eval.reference.lists import slice_rows

        assert isinstance(self.options, IALSOptions)
        options, items = self.options, self.item_factors
        active = int(np.count_nonzero(self.counts))
        common = options.unobserved_weight * items.T @ items

        def score(rows: Int64) -> Float64:
            history = slice_rows(batch.history, slice(int(rows[0]), int(rows[-1]) + 1))
            return exact_product(fold_in(history, items, common, active, options), items)

        return score
