"""Sparse linear item model: EASE with an L1 penalty and weights that are not negative."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.ease import DenseOptions
from genrec_eval.reference.item_knn import ItemSimilarity


class SLIMOptions(DenseOptions):
    """Options of SLIM."""

    l1: NonNegativeFloat = Field(default=5.0, description="Penalty on the weights: makes them sparse.")
    l2: PositiveFloat = Field(default=50.0, description="Half of this times the squared weights is added.")
    neighbours: PositiveInt = Field(
        default=200, description="Each item is regressed on its so many most similar items (cosine)."
    )
    sweeps: PositiveInt = Field(default=100, description="Most rounds of coordinate descent.")


class SLIM(ItemSimilarity):
    r"""Regression of every item on its nearest items, with weights that are sparse and not negative.

    Minimises ``1/2 |x_j - X w|^2 + l1 |w|_1 + l2/2 |w|^2`` over ``w >= 0``, ``w_j = 0`` for every column
    x_j of the binary training matrix X, w being free at the ``neighbours`` items with the highest cosine
    (fsSLIM; with as many neighbours as items it is SLIM). Solved by cyclic coordinate descent on the Gram
    matrix, for many items at a time, until no weight moves by more than 1e-5.

    References
    ----------
    Ning, Karypis (2011), SLIM: sparse linear methods for top-N recommender systems, ICDM.
    """

    name: ClassVar[str] = "slim"
    version: ClassVar[int] = 1
    Options: ClassVar[type[StrictModel]] = SLIMOptions
    options: SLIMOptions

    def fit(self) -> None:
        """Solve.

        Raises
        ------
        UsageError
            When the Gram matrix would need more memory than ``memory``.
        """
        from genrec_eval.reference.gram import modelled
        from genrec_eval.reference.slim_weights import weights

        super().fit()
        options = self.options
        items = modelled(self.name, self.counts, options.memory, options.most_items)
        self.similarity = weights(self.training, items, options)
