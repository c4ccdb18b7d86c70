"""Beam search over token sequences, with and without a trie of the ids that exist."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import torch

from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64
from genrec_eval.reference.dense import STEP, largest
from genrec_eval.reference.lists import Bools, ordered
from genrec_eval.reference.semantic_codes import SemanticIds

if TYPE_CHECKING:
    from genrec_eval.reference.neural.tiger import Network


class Trie:
    """All ids as a tree of tokens: the nodes of each level in lexicographic order.

    Attributes
    ----------
    starts
        Per level, int64[n_nodes], the first id below each node.
    child_offsets, child_tokens
        Per level, the tokens that may follow each node of the level above (the root for the first), as
        ragged lists; the children of a level, in that order, are its nodes.
    items
        The items of each id, most popular first.
    """

    def __init__(self, ids: SemanticIds, order: Int64) -> None:
        self.ids, self.items = ids.ids, ids.items(order)
        self.by_id = self.items.values
        new = np.zeros(len(self.ids), bool)
        new[0] = True
        above = np.zeros(1, np.int64)  # where the nodes of the level above start
        self.starts: list[Int64] = []
        self.child_offsets: list[Int64] = []
        self.child_tokens: list[Int32] = []
        for level in range(self.ids.shape[1]):
            new[1:] |= self.ids[1:, level] != self.ids[:-1, level]
            starts = np.flatnonzero(new)
            self.starts.append(starts)
            self.child_offsets.append(np.append(np.searchsorted(starts, above), len(starts)))
            self.child_tokens.append(self.ids[starts, level])
            above = starts

    def alive(self, allowed: Bools, level: int) -> Bools:
        """bool[n, n_nodes]: whether any allowed item of the row (bool[n, n_items]) is below the node."""
        first_items = self.items.offsets[self.starts[level]]
        return np.logical_or.reduceat(allowed[:, self.by_id], first_items, axis=1)

    def find(self, sequences: Int32) -> Int64:
        """int64[n], the id that each token sequence (int32[n, levels]) is; -1 for none."""
        node = np.zeros(len(sequences), np.int64)
        for level in range(self.ids.shape[1]):
            offsets, tokens = self.child_offsets[level], self.child_tokens[level]
            span = int(self.ids.max()) + 1
            parents = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
            keys = parents * span + tokens  # sorted, as both are
            wanted = np.where(
                (node >= 0) & (sequences[:, level] < span), node * span + sequences[:, level], -1
            )
            place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
            node = np.where(keys[place] == wanted, place, -1)
        return node


class State:
    """What the network remembers of n rows × b beams.

    Parameters
    ----------
    context
        int64[n, items, levels], tokens of the histories; -1 throughout for an empty slot.
    """

    def __init__(self, network: Network, context: torch.Tensor) -> None:
        from genrec_eval.reference.neural.transformer import causal_mask

        self.network = network
        tokens, places, levels = network.read(context, last=1)
        self.filled = tokens >= 0
        x = network.embed(tokens, places, levels) * self.filled[..., None]
        mask = causal_mask(self.filled)
        self.context: list[tuple[torch.Tensor, torch.Tensor]] = []
        for block in network.blocks:
            _, keys, values = block.project(x)
            self.context.append((keys, values))
            x = block(x, mask)
        self.own: list[tuple[torch.Tensor, torch.Tensor] | None] = [None] * len(self.context)
        self.step = 0
        self.first = log_probabilities(network.logits(x[:, -1:]))

    def advance(self, parents: Int64, tokens: Int64) -> Float64:
        """Follow beams with one more token each, and ask for the next.

        Parameters
        ----------
        parents, tokens
            int64[n, b], the beam that each continues, and how.

        Returns
        -------
        float64[n, b, n_tokens]
            Log-probabilities.
        """
        network = self.network
        chosen = torch.from_numpy(tokens)
        x = network.embed(chosen, torch.tensor(len(network.places) - 1), torch.tensor(self.step))
        follow = torch.from_numpy(parents)[:, None, :, None, None]
        for layer, block in enumerate(network.blocks):
            queries, keys, values = block.project(x)
            keys, values = keys[:, :, :, None], values[:, :, :, None]  # [n, heads, beams, steps, width]
            past = self.own[layer]
            if past is not None:
                keys, values = (
                    torch.cat([old.take_along_dim(follow, dim=2), new], dim=3)
                    for old, new in zip(past, (keys, values), strict=True)
                )
            self.own[layer] = (keys, values)
            x = block.finish(x, self._attend(queries, self.context[layer], (keys, values)))
        self.step += 1
        return log_probabilities(network.logits(x))

    def _attend(
        self,
        queries: torch.Tensor,
        context: tuple[torch.Tensor, torch.Tensor],
        own: tuple[torch.Tensor, torch.Tensor],
    ) -> torch.Tensor:
        """Attention of beams to the history, which they share, and to their own tokens."""
        scale = queries.shape[-1] ** -0.5
        there = queries @ context[0].transpose(2, 3) * scale
        there = there.masked_fill(~self.filled[:, None, None, :], -torch.inf)
        here = torch.einsum("nhbd,nhbsd->nhbs", queries, own[0]) * scale
        weights = torch.cat([there, here], dim=3).softmax(dim=3)
        length = there.shape[3]
        mixed = weights[..., :length] @ context[1]
        return mixed + torch.einsum("nhbs,nhbsd->nhbd", weights[..., length:], own[1])


def log_probabilities(logits: torch.Tensor) -> Float64:
    """On a grid, so that sums are exact and the order of beams is the same in any block."""
    found: Float64 = torch.log_softmax(logits, dim=-1).numpy()
    return np.rint(found / STEP) * STEP


class Beams:
    """Beam search of ``count`` beams that ends in lists of ``width``."""

    def __init__(self, network: Network, trie: Trie, count: int, width: int) -> None:
        self.network, self.trie, self.count, self.width = network, trie, count, width
        self.levels = trie.ids.shape[1]

    def constrained(self, context: torch.Tensor, allowed: Bools) -> tuple[Int32, Float64]:
        """Lists of allowed items alone: a token is open when an allowed item is below it.

        Parameters
        ----------
        allowed
            bool[n, n_items].

        Returns
        -------
        int32[n, width], float64[n, width]
        """
        trie, n = self.trie, len(context)
        state = State(self.network, context)
        after = state.first
        nodes = np.zeros((n, 1), np.int64)  # of the trie; the root
        scores = np.zeros((n, 1))
        for level in range(self.levels):
            rows, beams = np.nonzero(nodes >= 0)
            offsets = trie.child_offsets[level]
            parents = nodes[rows, beams]
            counts = offsets[parents + 1] - offsets[parents]
            ends = np.cumsum(counts)
            children = np.repeat(offsets[parents] - (ends - counts), counts) + np.arange(counts.sum())
            rows, beams = np.repeat(rows, counts), np.repeat(beams, counts)
            open_nodes = trie.alive(allowed, level)[rows, children]
            rows, beams, children = rows[open_nodes], beams[open_nodes], children[open_nodes]
            tokens = trie.child_tokens[level][children]
            reached = scores[rows, beams] + after[rows, beams, tokens]
            _, source = ordered(rows, tokens, (-reached, children), n, self.count)
            found = source >= 0
            nodes = np.where(found, np.append(children, -1)[source], -1)
            scores = np.where(found, np.append(reached, 0.0)[source], 0.0)
            if level + 1 < self.levels:
                follow = np.where(found, np.append(beams, 0)[source], 0)
                after = state.advance(
                    follow, np.where(found, np.append(tokens, 0)[source], 0).astype(np.int64)
                )
        rows, beams = np.nonzero(nodes >= 0)
        return self._items(rows, beams, nodes[rows, beams], scores, allowed)

    def free(self, context: torch.Tensor, invented: dict[tuple[int, ...], int]) -> tuple[Int32, Float64]:
        """Lists as they are generated: any token may follow any.

        Parameters
        ----------
        invented
            Token sequences that name no item → their number; new ones are added.

        Returns
        -------
        int32[n, width], float64[n, width]
            ``-2 - j`` for the sequence number j of ``invented``.
        """
        n, n_tokens = len(context), len(self.network.tokens)
        state = State(self.network, context)
        after = state.first
        sequences = np.empty((n, 1, 0), np.int32)
        scores = np.zeros((n, 1))
        for level in range(self.levels):
            reached = (scores[..., None] + after).reshape(n, -1)
            rows, cells = largest(reached, min(self.count, reached.shape[1]))
            best, source = ordered(rows, cells, (-reached[rows, cells], cells), n, len(cells) // n)
            follow, tokens = best // n_tokens, best % n_tokens
            scores = reached[rows, cells][source]
            sequences = np.take_along_axis(sequences, follow[..., None], axis=1)
            sequences = np.concatenate([sequences, tokens[..., None]], axis=2)
            if level + 1 < self.levels:
                after = state.advance(follow.astype(np.int64), tokens.astype(np.int64))
        flat = sequences.reshape(-1, self.levels)
        ids = self.trie.find(flat)
        rows, beams = np.divmod(np.arange(len(flat)), sequences.shape[1])
        named = ids >= 0
        named &= beams < self.width  # no list is longer: what comes later cannot be listed
        items, values, place = self._spread(rows[named], beams[named], ids[named], scores, None)
        wrong = np.flatnonzero((ids < 0) & (beams < self.width))
        numbers = [invented.setdefault(tuple(flat[cell].tolist()), len(invented)) for cell in wrong.tolist()]
        items = (
            np.concatenate([items[0], rows[wrong]]),
            np.concatenate([items[1], -2 - np.asarray(numbers, np.int32)]),
        )
        values = np.concatenate([values, scores[rows[wrong], beams[wrong]]])
        place = np.concatenate([place, beams[wrong]])
        return self._listed(n, items, values, place)

    def _items(
        self, rows: Int64, beams: Int64, ids: Int64, scores: Float64, allowed: Bools
    ) -> tuple[Int32, Float64]:
        items, values, place = self._spread(rows, beams, ids, scores, allowed)
        return self._listed(len(allowed), items, values, place)

    def _spread(
        self, rows: Int64, beams: Int64, ids: Int64, scores: Float64, allowed: Bools | None
    ) -> tuple[tuple[Int64, Int32], Float64, Int64]:
        """Each id's items, the most popular first: row and item, score, and the beam that they came from."""
        items = self.trie.items.take(ids)
        rows, beams = np.repeat(rows, items.lengths), np.repeat(beams, items.lengths)
        values: Any = items.values
        if allowed is not None:
            keep = allowed[rows, values]
            rows, beams, values = rows[keep], beams[keep], values[keep]
        return (rows, values), scores[rows, beams], beams

    def _listed(
        self, n: int, items: tuple[Int64, Int32], values: Float64, place: Int64
    ) -> tuple[Int32, Float64]:
        entries = np.arange(len(place))  # items of one id keep their order
        lists, source = ordered(items[0], items[1], (place, entries), n, self.width)
        return lists, np.where(lists == PAD, 0.0, np.append(values, 0.0)[source])
