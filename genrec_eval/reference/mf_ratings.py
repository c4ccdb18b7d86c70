"""Ratings from biases and factors."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.rating_model import RatingModel, RatingOptions

if TYPE_CHECKING:
    from genrec_eval.protocol.arrays import Float64, Int32
    from genrec_eval.reference.rating_fit import Biases


class MFOptions(RatingOptions):
    """Options of the factor model of ratings."""

    factors: PositiveInt = Field(default=20, description="Dimensions of the factors.")
    sweeps: PositiveInt = Field(default=15, description="Times that both sides are solved.")
    regularisation: PositiveFloat = Field(default=15.0, description="Ridge on the factors.")


class MFRatings(RatingModel):
    r"""Ratings ``μ + b_u + b_i + p_u · q_i``: biases, and factors of user and item.

    The biases are those of ``bias``. The factors minimise, by solving for users and items in turn, the
    squared error of what the biases leave, plus
    :math:`\lambda (\sum_u \|p_u\|^2 + \sum_i \|q_i\|^2)`. An unseen user or item has bias and factors 0.

    References
    ----------
    Koren, Bell, Volinsky (2009), Matrix factorization techniques for recommender systems, IEEE Computer
    42(8).
    """

    name: ClassVar[str] = "mf-ratings"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = MFOptions
    biases: Biases
    user_factors: Float64
    item_factors: Float64
    losses: list[float]
    """The objective of the factors after each sweep."""

    def learn(self) -> None:
        """Solve for the biases, then for users and items in turn."""
        from genrec_eval.reference.rating_fit import factorise, fit_biases

        options = self.options
        assert isinstance(options, MFOptions)
        self.biases = fit_biases(self.training, options.user_damping, options.item_damping)
        self.user_factors, self.item_factors, self.losses = factorise(
            self.training, self.biases, options.factors, options.sweeps, options.regularisation, self.seed
        )

    def pairs(self, users: Int32, items: Int32) -> Float64:
        """See :meth:`RatingModel.pairs`."""
        from genrec_eval.reference.rating_fit import products

        return self.biases.pairs(users, items) + products(self.user_factors, self.item_factors, users, items)

    def rows(self, users: Int32) -> Float64:
        """See :meth:`RatingModel.rows`."""
        from genrec_eval.reference.dense import exact_product
        from genrec_eval.reference.least_squares import or_zero

        made = exact_product(or_zero(self.user_factors, users), self.item_factors)
        made += self.biases.rows(users)
        return made
