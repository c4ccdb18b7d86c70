"""Mult-VAE: a variational autoencoder of what each user has had."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.reference.torch_extra import Network


class MultVAEOptions(StrictModel):
    """Options of Mult-VAE; the defaults of the layers are those of the paper."""

    hidden: PositiveInt = Field(default=600, description="Units of the layer on either side.")
    latent: PositiveInt = Field(default=200, description="Dimensions of the latent user.")
    dropout: float = Field(default=0.5, ge=0, lt=1, description="Share of the history hidden in training.")
    beta: NonNegativeFloat = Field(default=0.2, description="Weight of the KL term once it is annealed.")
    anneal_share: float = Field(
        default=0.5, ge=0, le=1, description="Share of the steps over which that weight grows from 0."
    )
    epochs: PositiveInt = Field(default=60, description="Passes over the users.")
    batch_size: PositiveInt = Field(default=100, description="Users per step.")
    learning_rate: PositiveFloat = Field(default=1e-3, description="Step size of Adam.")


class MultVAE(Network):
    r"""A multinomial variational autoencoder; scores are the logits of the decoder at the mean.

    The history as a set, scaled to length 1, is encoded as the mean and variance of a latent user; the
    decoder gives a softmax over the items. Training maximises ``Σ_i x_ui log π_i(z) - β KL(q(z|x)||N(0,1))``
    with z drawn, half of the history hidden from the encoder and β growing from 0. Any history can be
    encoded, also that of a user who was never trained on (strong generalisation). Items without training
    interactions stand behind all others; a user without a known item gets the popular items.

    The paper's recall divides by ``min(k, |relevant|)`` and its relevant items are ratings of 4 and 5 of
    users with at least 5: compare with it by that definition and that data only.

    References
    ----------
    Liang, Krishnan, Hoffman, Jebara (2018), Variational autoencoders for collaborative filtering, WWW.
    """

    name: ClassVar[str] = "mult-vae"
    version: ClassVar[int] = 1
    Options: ClassVar[type[StrictModel]] = MultVAEOptions

    def fit(self) -> None:
        """Train."""
        from genrec_eval.reference.neural.mult_vae import Trained

        super().fit()
        assert isinstance(self.options, MultVAEOptions)
        self.network = Trained(self.training, self.counts, self.options, self.seed)
