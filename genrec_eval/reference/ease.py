"""Embarrassingly shallow autoencoder: the best linear item model in closed form."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64, Ragged
    from genrec_eval.protocol.batch import RankBatch


class DenseOptions(StrictModel):
    """Options of models that hold a matrix of all pairs of items."""

    memory: PositiveFloat = Field(default=4.0, description="Gigabytes it may use; more is refused before.")
    most_items: PositiveInt | None = Field(
        default=None, description="Model only the most popular so many items; the others score 0."
    )


class EASEOptions(DenseOptions):
    """Options of EASE."""

    regularisation: PositiveFloat = Field(
        default=250.0, description="Added to the diagonal of the Gram matrix (lambda)."
    )


class EASE(Scored):
    r"""Linear regression of every item on all others, by least squares with an L2 penalty.

    With the binary training matrix X, ``P = (X^T X + lambda I)^-1`` and ``B = I - P diag(1 / diag(P))``,
    whose diagonal is 0; the scores of a history h are ``h B``. Lists are ordered by score, then popularity,
    then catalogue code. Weights may be negative; items without training interactions score 0, as do those
    beyond ``most_items``.

    Scores are summed item by item of the history and rounded to multiples of 2^-24, so that a list does
    not depend on the users it is computed with.

    References
    ----------
    Steck (2019), Embarrassingly shallow autoencoders for sparse data, WWW, equation 8.
    """

    name: ClassVar[str] = "ease"
    version: ClassVar[int] = 1
    step: ClassVar[float | None] = 2.0**-24
    Options: ClassVar[type[StrictModel]] = EASEOptions
    options: EASEOptions
    modelled: Int64
    """int64[m], codes of the items that have weights."""
    weights: Any
    """float[m, m]: entry (i, j) is how much item i of the history adds to the score of item j."""

    def fit(self) -> None:
        """Solve.

        Raises
        ------
        UsageError
            When the matrix would need more memory than ``memory``.
        """
        import numpy as np

        from genrec_eval.reference.gram import gram, invert, modelled
        from genrec_eval.reference.sums import binary

        super().fit()
        self.modelled = modelled(self.name, self.counts, self.options.memory, self.options.most_items)
        histories = binary(self.training.histories(), len(self.counts))[:, self.modelled]
        self.weights = gram(histories)
        diagonal = np.einsum("ii->i", self.weights)  # a view
        diagonal += self.options.regularisation
        invert(self.weights)
        self.weights /= -diagonal.copy()
        diagonal[:] = 0

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        return lambda rows: self._scores(batch.history.take(rows))

    def _scores(self, histories: Ragged) -> Any:
        """float64[n, n_items]"""
        import numpy as np

        from genrec_eval.reference.sums import binary

        # sparse by dense: each row is summed by itself, whatever else is in the block
        own = binary(histories, len(self.counts))[:, self.modelled].astype(self.weights.dtype)
        scores = np.zeros((len(histories), len(self.counts)))
        scores[:, self.modelled] = own @ self.weights
        return scores
