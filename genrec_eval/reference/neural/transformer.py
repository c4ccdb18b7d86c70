"""A small causal transformer, trained on whole sequences and asked for the next token with a cache."""

from __future__ import annotations

import numpy as np
import torch
from torch import nn

from genrec_eval.reference.neural.tools import Dropout, Linear


class Block(nn.Module):
    """Multi-head self-attention and a feed-forward net, each behind a layer norm and a residual.

    Parameters
    ----------
    width
        Dimensions of a token.
    heads
        Divides ``width``.
    inner
        Hidden units of the feed-forward net.
    """

    def __init__(
        self, width: int, heads: int, inner: int, dropout: float, draws: np.random.Generator
    ) -> None:
        super().__init__()
        self.heads = heads
        self.before, self.between = nn.LayerNorm(width), nn.LayerNorm(width)
        self.queries_keys_values = Linear(width, 3 * width, draws)
        self.mixed = Linear(width, width, draws)
        self.widened, self.narrowed = Linear(width, inner, draws), Linear(inner, width, draws)
        self.dropout = Dropout(dropout, draws)

    def project(self, x: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """Queries, keys and values, float[n, heads, tokens, width / heads] each."""
        n, tokens, width = x.shape
        parts = self.queries_keys_values(self.before(x)).view(n, tokens, 3, self.heads, width // self.heads)
        queries, keys, values = parts.permute(2, 0, 3, 1, 4)
        return queries, keys, values

    def finish(self, x: torch.Tensor, attended: torch.Tensor) -> torch.Tensor:
        """Add what was attended to and the feed-forward net.

        Parameters
        ----------
        attended
            float[n, heads, tokens, width / heads].
        """
        x = x + self.dropout(self.mixed(attended.transpose(1, 2).flatten(2)))
        inner = self.dropout(nn.functional.gelu(self.widened(self.between(x))))
        return x + self.dropout(self.narrowed(inner))

    def forward(self, x: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
        """Attend within each sequence.

        Parameters
        ----------
        x
            float[n, tokens, width].
        mask
            bool[n, 1, tokens, tokens]; True where the token of the row may look at that of the column.
        """
        queries, keys, values = self.project(x)
        attended = nn.functional.scaled_dot_product_attention(queries, keys, values, attn_mask=mask)
        return self.finish(x, attended)


def causal_mask(filled: torch.Tensor) -> torch.Tensor:
    """bool[n, 1, tokens, tokens]: each token sees the filled ones up to itself, and always itself.

    An empty slot sees itself because a softmax over nothing is not a number.

    Parameters
    ----------
    filled
        bool[n, tokens].
    """
    tokens = filled.shape[1]
    past = torch.ones(tokens, tokens, dtype=torch.bool).tril()
    itself = torch.eye(tokens, dtype=torch.bool)
    return ((past & filled[:, None, :]) | itself)[:, None]
