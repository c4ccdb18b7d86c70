"""The network of Mult-VAE, its training and its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int64, Ragged
from genrec_eval.reference.histories import Known
from genrec_eval.reference.lists import known_pairs
from genrec_eval.reference.neural.tools import Dropout, Linear, reproducible

if TYPE_CHECKING:
    from genrec_eval.reference.mult_vae import MultVAEOptions

ROWS = 512
"""Histories that are encoded in one go: bounds the memory, whatever the batch."""


class Network(nn.Module):
    """One hidden layer on either side of the latent user."""

    def __init__(self, n_items: int, options: MultVAEOptions, draws: np.random.Generator) -> None:
        super().__init__()
        self.draws = draws
        self.dropout = Dropout(options.dropout, draws)
        self.encoder = Linear(n_items, options.hidden, draws)
        self.latent = Linear(options.hidden, 2 * options.latent, draws)
        self.decoder = Linear(options.latent, options.hidden, draws)
        self.logits = Linear(options.hidden, n_items, draws)

    def forward(self, had: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Logits float[n, n_items] and the KL divergence float[n] of histories float[n, n_items] of 0 and 1.

        The latent user is drawn in training, and its mean otherwise.
        """
        hidden = torch.tanh(self.encoder(self.dropout(nn.functional.normalize(had, dim=1))))
        mean, log_variance = self.latent(hidden).chunk(2, dim=1)
        divergence = 0.5 * (log_variance.exp() + mean**2 - 1.0 - log_variance).sum(dim=1)
        if self.training:
            noise = self.draws.standard_normal(tuple(mean.shape), np.float32)
            mean = mean + torch.from_numpy(noise) * (0.5 * log_variance).exp()
        return self.logits(torch.tanh(self.decoder(mean))), divergence


class Trained:
    """A trained Mult-VAE.

    Parameters
    ----------
    counts
        int64[n_items], training interactions per item; items without any are unknown to the network.
    """

    def __init__(self, training: Training, counts: Int64, options: MultVAEOptions, seed: int) -> None:
        self.options, self.known = options, Known(counts)
        histories = self.known.renumber(training.histories())
        histories = histories.take(np.flatnonzero(histories.lengths))
        self.trained = len(histories) > 0
        if not self.trained:
            return
        with reproducible():
            self.network = Network(len(self.known), options, generator(seed, "mult-vae", "network"))
            self._train(histories, seed)
        self.network.eval().double()  # rounding errors of other shapes then stay far below the grid

    def _train(self, histories: Ragged, seed: int) -> None:
        options, random = self.options, generator(seed, "mult-vae", "batches")
        adam = torch.optim.Adam(self.network.parameters(), lr=options.learning_rate)
        steps = options.epochs * -(-len(histories) // options.batch_size)
        grows = max(options.anneal_share * steps, 1.0)
        step = 0
        self.network.train()
        for _ in range(options.epochs):
            order = random.permutation(len(histories))
            for start in range(0, len(order), options.batch_size):
                had = self._matrix(histories.take(order[start : start + options.batch_size]), np.float32)
                logits, divergence = self.network(had)
                likelihood = (had * nn.functional.log_softmax(logits, dim=1)).sum(dim=1)
                loss = (options.beta * min(step / grows, 1.0) * divergence - likelihood).mean()
                adam.zero_grad()
                loss.backward()
                adam.step()
                step += 1

    def _matrix(self, histories: Ragged, dtype: type[np.floating]) -> torch.Tensor:
        had = np.zeros((len(histories), len(self.known)), dtype)
        had[known_pairs(histories)] = 1.0
        return torch.from_numpy(had)

    def scores(self, histories: Ragged) -> Float64:
        """float64[n, n_items]; all 0 for a history without a known item."""
        found = np.zeros((len(histories), self.known.n_items))
        if not self.trained:
            return found
        histories = self.known.renumber(histories)
        filled = np.flatnonzero(histories.lengths)
        with torch.inference_mode():
            for start in range(0, len(filled), ROWS):
                rows = filled[start : start + ROWS]
                logits = self.network(self._matrix(histories.take(rows), np.float64))[0].numpy()
                found[rows] = self.known.spread(logits)
        return found
