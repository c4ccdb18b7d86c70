"""The network of SASRec, its training and its scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged
from genrec_eval.reference.histories import Known, latest, windows
from genrec_eval.reference.lists import known_pairs
from genrec_eval.reference.neural.tools import Dropout, normal, reproducible
from genrec_eval.reference.neural.transformer import Block, causal_mask

if TYPE_CHECKING:
    from genrec_eval.reference.sasrec import SASRecOptions

ROWS = 256
"""Histories that are read in one go: bounds the memory, whatever the batch."""


class Network(nn.Module):
    """Item and position embeddings below a stack of causal blocks.

    Tokens are item numbers from 0; -1 is an empty slot. Positions are counted from the end of the
    window, so that the latest item always has the same one.
    """

    def __init__(self, n_items: int, options: SASRecOptions, draws: np.random.Generator) -> None:
        super().__init__()
        width = options.dimensions
        self.items = normal(n_items, width, std=width**-0.5, draws=draws)
        self.positions = normal(options.max_length, width, std=width**-0.5, draws=draws)
        self.blocks = nn.ModuleList(
            Block(width, options.heads, width, options.dropout, draws) for _ in range(options.layers)
        )
        self.dropout, self.final = Dropout(options.dropout, draws), nn.LayerNorm(width)

    def forward(self, tokens: torch.Tensor) -> torch.Tensor:
        """int64[n, length] → float[n, length, width]."""
        filled = tokens >= 0
        embedded = nn.functional.embedding(tokens.clamp(min=0), self.items) * self.items.shape[1] ** 0.5
        x = self.dropout(embedded + self.positions[-tokens.shape[1] :]) * filled[..., None]
        mask = causal_mask(filled)
        for block in self.blocks:
            x = block(x, mask)
        hidden: torch.Tensor = self.final(x)
        return hidden


class Trained:
    """A trained SASRec.

    Parameters
    ----------
    counts
        int64[n_items], training interactions per item; items without any are unknown to the network.
    """

    def __init__(self, training: Training, counts: Int64, options: SASRecOptions, seed: int) -> None:
        self.options, self.known = options, Known(counts)
        histories = self.known.renumber(training.histories())
        users, sequences = windows(histories, options.max_length + 1)
        self.trained = len(sequences) > 0
        if not self.trained:  # nobody has had two items: there is no order to learn from
            return
        with reproducible():
            self.network = Network(len(self.known), options, generator(seed, "sasrec", "network"))
            self._train(histories, users, sequences, seed)
        self.network.eval().double()  # rounding errors of other shapes then stay far below the grid

    def _train(self, histories: Ragged, users: Int64, sequences: Int32, seed: int) -> None:
        options, random = self.options, generator(seed, "sasrec", "batches")
        adam = torch.optim.Adam(self.network.parameters(), lr=options.learning_rate, betas=(0.9, 0.98))
        negatives = Negatives(histories, len(self.known))
        self.network.train()
        for _ in range(options.epochs):
            order = random.permutation(len(sequences))
            for start in range(0, len(order), options.batch_size):
                rows = order[start : start + options.batch_size]
                batch: Int64 = sequences[rows].astype(np.int64)
                batch = batch[:, (batch >= 0).any(axis=0)]
                asked = batch[:, :-1] >= 0
                hidden = self.network(torch.from_numpy(batch[:, :-1]))[torch.from_numpy(asked)]
                positive = batch[:, 1:][asked]
                if options.loss == "softmax":
                    loss = nn.functional.cross_entropy(
                        hidden @ self.network.items.T, torch.from_numpy(positive)
                    )
                else:
                    owners = np.repeat(users[rows], asked.sum(axis=1))
                    loss = self._binary(hidden, positive, negatives.draw(owners, random))
                adam.zero_grad()
                loss.backward()
                adam.step()

    def _binary(self, hidden: torch.Tensor, positive: Int64, negative: Int64) -> torch.Tensor:
        items = self.network.items
        wanted = (hidden * nn.functional.embedding(torch.from_numpy(positive), items)).sum(dim=1)
        other = (hidden * nn.functional.embedding(torch.from_numpy(negative), items)).sum(dim=1)
        return nn.functional.softplus(-wanted).mean() + nn.functional.softplus(other).mean()

    def scores(self, histories: Ragged) -> Float64:
        """float64[n, n_items]; all 0 for a history without a known item."""
        found = np.zeros((len(histories), self.known.n_items))
        if not self.trained:
            return found
        tokens = latest(self.known.renumber(histories), self.options.max_length).astype(np.int64)
        filled = np.flatnonzero(tokens[:, -1] >= 0)
        with torch.inference_mode():
            for start in range(0, len(filled), ROWS):
                rows = filled[start : start + ROWS]
                hidden = self.network(torch.from_numpy(tokens[rows]))[:, -1]
                found[rows] = self.known.spread((hidden @ self.network.items.T).numpy())
        return found


class Negatives:
    """Draws an item that its user does not have, uniformly.

    Parameters
    ----------
    histories
        Items of each user, in the numbers of the network.
    """

    def __init__(self, histories: Ragged, n_items: int) -> None:
        users, items = known_pairs(histories)
        self.n_items = n_items
        self.pairs = users * n_items + items
        self.full = np.bincount(users, minlength=len(histories)) == n_items

    def draw(self, users: Int64, random: np.random.Generator) -> Int64:
        """int64[n], one item per entry of ``users``; any item for a user who has them all."""
        drawn = random.integers(self.n_items, size=len(users))
        open_entries = np.flatnonzero(~self.full[users])
        while len(open_entries):
            keys = users[open_entries] * self.n_items + drawn[open_entries]
            place = np.minimum(np.searchsorted(self.pairs, keys), len(self.pairs) - 1)
            open_entries = open_entries[self.pairs[place] == keys]
            drawn[open_entries] = random.integers(self.n_items, size=len(open_entries))
        return drawn
