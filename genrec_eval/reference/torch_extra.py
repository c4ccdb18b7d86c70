"""What models of the extra ``torch`` share; nothing here imports it."""

from __future__ import annotations

import importlib.util
from typing import TYPE_CHECKING, Any, ClassVar, Self

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.scored import Scored

if TYPE_CHECKING:
    from collections.abc import Callable

    from genrec_eval.protocol.arrays import Float64, Int64
    from genrec_eval.protocol.batch import RankBatch


def need_torch(model: str) -> None:
    """Raise when torch is not installed.

    Raises
    ------
    UsageError
        With the command that installs it.
    """
    if importlib.util.find_spec("torch") is None:
        raise UsageError(
            f"reference model '{model}' needs torch, which is not installed; install it with:"
            " pip install 'genrec-eval[torch]' (a CPU build is enough)"
        )


class TransformerOptions(StrictModel):
    """Options of every transformer."""

    dimensions: PositiveInt = Field(default=64, description="Size of the embeddings.")
    layers: PositiveInt = Field(default=2, description="Transformer blocks.")
    heads: PositiveInt = Field(default=2, description="Attention heads; must divide the dimensions.")
    batch_size: PositiveInt = Field(default=64, description="Sequences per step.")
    learning_rate: PositiveFloat = Field(default=3e-3, description="Step size of Adam.")

    @model_validator(mode="after")
    def _heads_fit(self) -> Self:
        if self.dimensions % self.heads:
            raise UsageError(
                f"heads ({self.heads}) must divide dimensions ({self.dimensions}); try heads: 1 or 2"
            )
        return self


class Network(Scored):
    """A network that is trained with draws of its own and scores all items from a history."""

    seeded: ClassVar[bool] = True
    network: Any
    """Its ``scores(histories)`` gives float64[n, n_items]."""

    @classmethod
    def check(cls, options: Any) -> None:
        """See :meth:`ReferenceModel.check`."""
        need_torch(cls.name)

    def scorer(self, batch: RankBatch) -> Callable[[Int64], Float64]:
        """See :meth:`Scored.scorer`."""
        return lambda rows: self.network.scores(batch.history.take(rows))
