"""Two linear towers on top of item embeddings, and their training."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32
from genrec_eval.reference.histories import windows
from genrec_eval.reference.neural.tools import Linear, reproducible

if TYPE_CHECKING:
    from genrec_eval.reference.dense_retriever import DenseRetrieverOptions


class Trained:
    """A trained pair of towers.

    Parameters
    ----------
    vectors
        float64[n_items, d], embeddings of the items.

    Attributes
    ----------
    items
        float64[n_items, dimensions], the items as they are searched, at length 1.
    """

    def __init__(
        self, training: Training, vectors: Float64, options: DenseRetrieverOptions, seed: int
    ) -> None:
        self.options = options
        draws = generator(seed, "dense-retriever", "towers")
        _, sequences = windows(training.histories(), options.max_length + 1)
        with reproducible():
            self.user_tower = Linear(vectors.shape[1], options.dimensions, draws)
            self.item_tower = Linear(vectors.shape[1], options.dimensions, draws)
            self._train(np.unique(training.interactions.item), sequences, vectors.astype(np.float32), seed)
            self.user_tower.double()
            self.item_tower.double()
            with torch.inference_mode():
                self.items: Float64 = _unit(self.item_tower(torch.from_numpy(vectors))).numpy()

    def _train(self, known: Int32, sequences: Int32, vectors: np.ndarray, seed: int) -> None:
        options, random = self.options, generator(seed, "dense-retriever", "batches")
        # an empty slot takes the last row
        table = torch.from_numpy(np.vstack([vectors, np.zeros((1, vectors.shape[1]), np.float32)]))
        searched, number = torch.from_numpy(vectors[known]), np.full(len(vectors), -1)
        number[known] = np.arange(len(known))
        parameters = [*self.user_tower.parameters(), *self.item_tower.parameters()]
        adam = torch.optim.Adam(parameters, lr=options.learning_rate)
        for _ in range(options.epochs):
            order = random.permutation(len(sequences))
            for start in range(0, len(order), options.batch_size):
                batch = sequences[order[start : start + options.batch_size]].astype(np.int64)
                had, asked = table[batch[:, :-1]], batch[:, :-1] >= 0
                if options.user == "mean":
                    counts = np.maximum(np.cumsum(asked, axis=1), 1).astype(np.float32)
                    had = had.cumsum(dim=1) / torch.from_numpy(counts)[..., None]
                users = _unit(self.user_tower(had[torch.from_numpy(asked)]))
                cosines = users @ _unit(self.item_tower(searched)).T
                target = torch.from_numpy(number[batch[:, 1:][asked]])
                loss = nn.functional.cross_entropy(cosines / options.temperature, target)
                adam.zero_grad()
                loss.backward()
                adam.step()

    def users(self, means: Float64) -> Float64:
        """float64[n, dimensions] of mean embeddings float64[n, d]; zeros stay zeros."""
        with torch.inference_mode():
            made: Float64 = _unit(self.user_tower(torch.from_numpy(means))).numpy()
        return made * (means != 0).any(axis=1, keepdims=True)


def _unit(vectors: torch.Tensor) -> torch.Tensor:
    return nn.functional.normalize(vectors, dim=-1)
