"""Ratings from the mean and the biases of user and item."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from genrec_eval.reference.rating_model import RatingModel, RatingOptions

if TYPE_CHECKING:
    from genrec_eval.protocol.arrays import Float64, Int32
    from genrec_eval.reference.rating_fit import Biases


class BiasRatings(RatingModel):
    r"""Ratings ``μ + b_u + b_i``: the mean and the biases of user and item.

    :math:`\mu` is the mean of the training ratings; the biases minimise

    .. math:: \sum_{(u,i)} (r_{ui} - \mu - b_u - b_i)^2 + \lambda_u \sum_u b_u^2 + \lambda_i \sum_i b_i^2

    exactly: the users are eliminated, the items solved by conjugate gradients. An unseen user or item has
    bias 0. Ranking by it gives every user the same order.

    References
    ----------
    Koren (2010), Factor in the neighbors: scalable and accurate collaborative filtering, ACM TKDD 4(1),
    section 2.1.
    """

    name: ClassVar[str] = "bias"
    version: ClassVar[int] = 1
    biases: Biases

    def learn(self) -> None:
        """Solve."""
        from genrec_eval.reference.rating_fit import fit_biases

        assert isinstance(self.options, RatingOptions)
        self.biases = fit_biases(self.training, self.options.user_damping, self.options.item_damping)

    def pairs(self, users: Int32, items: Int32) -> Float64:
        """See :meth:`RatingModel.pairs`."""
        return self.biases.pairs(users, items)

    def rows(self, users: Int32) -> Float64:
        """See :meth:`RatingModel.rows`."""
        return self.biases.rows(users)
