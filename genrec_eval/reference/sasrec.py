"""SASRec: the next item from the order of the history, by self-attention."""

from __future__ import annotations

from typing import ClassVar, Literal

from pydantic import Field, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.torch_extra import Network, TransformerOptions


class SASRecOptions(TransformerOptions):
    """Options of SASRec."""

    loss: Literal["softmax", "bce"] = Field(
        default="softmax",
        description="softmax over all trained items, or the paper's binary loss with one random negative.",
    )
    max_length: PositiveInt = Field(default=50, description="Latest items of a history that are looked at.")
    dropout: float = Field(default=0.3, ge=0, lt=1, description="Share of entries dropped in training.")
    epochs: PositiveInt = Field(default=15, description="Passes over the training sequences.")


class SASRec(Network):
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
    Options: ClassVar[type[StrictModel]] = SASRecOptions

    def fit(self) -> None:
        """Train."""
        from genrec_eval.reference.neural.sasrec import Trained

        super().fit()
        assert isinstance(self.options, SASRecOptions)
        self.network = Trained(self.training, self.counts, self.options, self.seed)
