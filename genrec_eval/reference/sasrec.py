"""SASRec: the next item from the order of the history, by self-attention."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Literal

from pydantic import Field, PositiveFloat, PositiveInt, model_validator

from genrec_eval.core.errors import UsageError
from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.popularity import Popularity
from genrec_eval.reference.torch_extra import need_torch

if TYPE_CHECKING:
    from genrec_eval.protocol.batch import RankBatch, RankedBatch


class SASRecOptions(StrictModel):
    """Options of SASRec."""

    loss: Literal["softmax", "bce"] = Field(
        default="softmax",
        description="softmax over all trained items, or the paper's binary loss with one random negative.",
    )
    max_length: PositiveInt = Field(default=50, description="Latest items of a history that are looked at.")
    dimensions: PositiveInt = Field(default=64, description="Size of the item embeddings.")
    layers: PositiveInt = Field(default=2, description="Transformer blocks.")
    heads: PositiveInt = Field(default=2, description="Attention heads; must divide the dimensions.")
    dropout: float = Field(default=0.3, ge=0, lt=1, description="Share of entries dropped in training.")
    epochs: PositiveInt = Field(default=15, description="Passes over the training sequences.")
    batch_size: PositiveInt = Field(default=64, description="Sequences per step.")
    learning_rate: PositiveFloat = Field(default=3e-3, description="Step size of Adam.")

    @model_validator(mode="after")
    def _heads_fit(self) -> SASRecOptions:
        if self.dimensions % self.heads:
            raise UsageError(
                f"heads ({self.heads}) must divide dimensions ({self.dimensions}); try heads: 1 or 2"
            )
        return self


class SASRec(Popularity):
    r"""A causal transformer over the items of the history, oldest first; scores are ``h · e_j``.

    ``h`` is the output at the latest item and ``e_j`` the embedding that item j also has as an input.
    Training histories are cut into windows of ``max_length`` items from the latest backwards, and every
    position of a window foresees the next item. Items without training interactions stand behind all
    others; a user without a known item in the history gets the popular items.

    Trained on one thread with draws of its own: the same data, options and seed give the same lists on
    the same machine and version of torch.

    References
    ----------
    Kang, McAuley (2018), Self-attentive sequential recommendation, ICDM.
    Klenitskiy, Vasilev (2023), Turning dross into gold loss: is BERT4Rec really better than SASRec?,
    RecSys: the softmax loss.
    """

    name: ClassVar[str] = "sasrec"
    version: ClassVar[int] = 1
    seeded: ClassVar[bool] = True
    Options: ClassVar[type[StrictModel]] = SASRecOptions
    network: Any
    """:class:`genrec_eval.reference.neural.sasrec.Trained`."""

    @classmethod
    def check(cls, options: Any) -> None:
        """See :meth:`ReferenceModel.check`."""
        need_torch(cls.name)

    def fit(self) -> None:
        """Train."""
        from genrec_eval.reference.neural.sasrec import Trained

        super().fit()
        assert isinstance(self.options, SASRecOptions)
        self.network = Trained(self.training, self.counts, self.options, self.seed)

    def lists(self, batch: RankBatch, width: int) -> RankedBatch:
        """See :meth:`ReferenceModel.lists`."""
        from genrec_eval.protocol.batch import RankedBatch
        from genrec_eval.reference.dense import top_lists

        items, scores = top_lists(
            lambda rows: self.network.scores(batch.history.take(rows)), batch, width, self.counts
        )
        return RankedBatch(items=items, scores=scores)
