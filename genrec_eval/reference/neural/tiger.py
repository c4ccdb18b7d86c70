"""The decoder of the TIGER-like model and its training; lists come from :mod:`.beams`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Training
from genrec_eval.protocol.arrays import Float64, Int32, Int64
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.histories import known_only, latest, windows
from genrec_eval.reference.neural.beams import Beams, Trie
from genrec_eval.reference.neural.tools import Dropout, normal, reproducible
from genrec_eval.reference.neural.transformer import Block, causal_mask
from genrec_eval.reference.semantic_codes import SemanticIds

if TYPE_CHECKING:
    from genrec_eval.reference.tiger import TigerOptions

ROWS = 64
"""Histories that are read in one go: bounds the memory, whatever the batch."""


class Network(nn.Module):
    """Token, level and item position embeddings below a stack of causal blocks.

    Item positions are counted from the end, and the item that is generated has the last one.
    """

    def __init__(self, n_tokens: int, levels: int, options: TigerOptions, draws: np.random.Generator) -> None:
        super().__init__()
        width = options.dimensions
        self.tokens = normal(n_tokens, width, std=width**-0.5, draws=draws)
        self.levels = normal(levels, width, std=width**-0.5, draws=draws)
        self.places = normal(options.max_length + 1, width, std=width**-0.5, draws=draws)
        self.blocks = nn.ModuleList(
            Block(width, options.heads, 2 * width, options.dropout, draws) for _ in range(options.layers)
        )
        self.dropout, self.final = Dropout(options.dropout, draws), nn.LayerNorm(width)

    def embed(self, tokens: torch.Tensor, places: torch.Tensor, levels: torch.Tensor) -> torch.Tensor:
        """float[..., width] of tokens int64[...] at item positions and levels that broadcast with them."""
        embedded = nn.functional.embedding(tokens.clamp(min=0), self.tokens) * self.tokens.shape[1] ** 0.5
        return embedded + self.places[places] + self.levels[levels]

    def logits(self, hidden: torch.Tensor) -> torch.Tensor:
        """float[..., n_tokens] from float[..., width]: all tokens of all levels compete."""
        found: torch.Tensor = self.final(hidden) @ self.tokens.T
        return found

    def read(self, items: torch.Tensor, last: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Positions and levels of the tokens int64[n, items, levels], and the same in one line per row.

        Parameters
        ----------
        last
            Position of the last item, counted from the end: 0 for the one that is generated.
        """
        _, count, levels = items.shape
        places = (len(self.places) - last - count + torch.arange(count)).repeat_interleave(levels)
        return items.flatten(1), places, torch.arange(levels).repeat(count)

    def forward(self, items: torch.Tensor) -> torch.Tensor:
        """Logits of the token after each but the last: float[n, items * levels - 1, n_tokens].

        Parameters
        ----------
        items
            int64[n, items, levels], tokens of each item; -1 throughout for an empty slot.
        """
        tokens, places, levels = self.read(items, last=0)
        tokens, places, levels = tokens[:, :-1], places[:-1], levels[:-1]
        filled = tokens >= 0
        x = self.dropout(self.embed(tokens, places, levels)) * filled[..., None]
        mask = causal_mask(filled)
        for block in self.blocks:
            x = block(x, mask)
        return self.logits(x)


class Trained:
    """A trained decoder.

    Parameters
    ----------
    ids
        The tokens of every item.
    order
        int64[n_items], the place of each item in the order of popularity.
    """

    def __init__(
        self, training: Training, ids: SemanticIds, order: Int64, options: TigerOptions, seed: int
    ) -> None:
        self.options, self.ids, self.catalogue = options, ids, training.items
        # an empty slot takes the last row
        self.table = np.vstack([ids.tokens, np.full(ids.tokens.shape[1], -1)]).astype(np.int64)
        _, sequences = windows(training.histories(), options.max_length + 1)
        levels = ids.tokens.shape[1]
        with reproducible():
            draws = generator(seed, "tiger", "network")
            self.network = Network(len(ids.names), levels, options, draws)
            self._train(sequences, seed)
        self.network.eval().double()  # rounding errors of other shapes then stay far below the grid
        self.trie = Trie(ids, order)

    def _train(self, sequences: Int32, seed: int) -> None:
        options, random = self.options, generator(seed, "tiger", "batches")
        adam = torch.optim.Adam(self.network.parameters(), lr=options.learning_rate, betas=(0.9, 0.98))
        self.network.train()
        for _ in range(options.epochs):
            order = random.permutation(len(sequences))
            for start in range(0, len(order), options.batch_size):
                batch = sequences[order[start : start + options.batch_size]]
                items = torch.from_numpy(self.table[batch[:, (batch >= 0).any(axis=0)]])
                tokens = items.flatten(1)
                asked = tokens[:, :-1] >= 0
                loss = nn.functional.cross_entropy(self.network(items)[asked], tokens[:, 1:][asked])
                adam.zero_grad()
                loss.backward()
                adam.step()

    def generate(self, batch: RankBatch, width: int) -> tuple[Int64, Int32, Float64, list[str]]:
        """Lists of the rows that have a known item in their history.

        Returns
        -------
        int64[m], int32[m, width], float64[m, width]
            Rows, their lists as in :class:`RankedBatch`, and log-probabilities.
        list of str
            Token sequences that name no item.
        """
        read = latest(known_only(batch.history), self.options.max_length)
        rows = np.flatnonzero(read[:, -1] >= 0)
        beams = Beams(self.network, self.trie, max(width, self.options.beams), width)
        lists = np.empty((len(rows), width), np.int32)
        scores = np.empty((len(rows), width))
        invented: dict[tuple[int, ...], int] = {}
        with torch.inference_mode():
            for start in range(0, len(rows), ROWS):
                part = slice(start, start + ROWS)
                context = torch.from_numpy(self.table[read[rows[part]]])
                if self.options.constraint == "trie":
                    allowed = _allowed(batch, rows[part], len(self.catalogue))
                    lists[part], scores[part] = beams.constrained(context, allowed)
                else:
                    lists[part], scores[part] = beams.free(context, invented)
        return rows, lists, scores, self._written(list(invented))

    def _written(self, sequences: list[tuple[int, ...]]) -> list[str]:
        import pyarrow as pa

        made = ["".join(self.ids.names[token] for token in tokens) for tokens in sequences]
        taken = self.catalogue.encode(pa.array(made, pa.string())) >= 0
        return [f"tokens {text}" if odd else text for text, odd in zip(made, taken.tolist(), strict=True)]


def _allowed(batch: RankBatch, rows: Int64, n_items: int) -> np.ndarray:
    """bool[len(rows), n_items], the items that a row may be recommended."""
    spare = np.zeros((len(rows), n_items + 1), bool)  # unknown items, -1, land in the spare column
    if batch.candidates is None:
        spare[:] = True
    else:
        chosen = batch.candidates.take(rows)
        spare[np.repeat(np.arange(len(rows)), chosen.lengths), chosen.values] = True
    history = batch.history.take(rows)
    spare[np.repeat(np.arange(len(rows)), history.lengths), history.values] = False
    return spare[:, :-1]
