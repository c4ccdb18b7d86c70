"""Interpolated Kneser–Ney smoothing over whole numbers, as arrays: words for one model, bytes for another."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from genrec_eval.metrics.base import Bool
from genrec_eval.protocol.arrays import Float64, Int64, Ragged

LEAST_DISCOUNT, GREATEST_DISCOUNT = 0.1, 0.9
"""With few or no n-grams seen once or twice the estimate is 0 or 1, and some text would be impossible."""


@dataclass(frozen=True, slots=True)
class _Order:
    """What is known of the runs of one length.

    Attributes
    ----------
    codes
        int64[G] ascending, context · (size + 1) + symbol; None for single symbols, whose code is the symbol.
    counts
        float64[G]: how often each run was seen; below the highest order, after how many different symbols.
    totals, followers
        float64[C], for each context: the sum of its runs' counts, and how many runs it has.
    discount
        Taken off every count.
    """

    codes: Int64 | None
    counts: Float64
    totals: Float64
    followers: Float64
    discount: float

    def find(self, codes: Int64) -> Int64:
        """Place of each run; -1 for those never seen."""
        return codes if self.codes is None else _find(self.codes, codes)


def _find(table: Int64, codes: Int64) -> Int64:
    if not len(table):
        return np.full(len(codes), -1)
    place = np.minimum(np.searchsorted(table, codes), len(table) - 1)
    return np.where((codes >= 0) & (table[place] == codes), place, -1)


def _discount(counts: Float64) -> float:
    once, twice = (np.count_nonzero(counts == times) for times in (1, 2))
    estimate = once / (once + 2 * twice) if once else 0.0
    return float(min(max(estimate, LEAST_DISCOUNT), GREATEST_DISCOUNT))


class KneserNey:
    """A language model over sequences of the symbols 0 … size − 2, each closed by the end, size − 1.

    The probability of a symbol after a context is (count − D) / total where the run was seen, and for every
    symbol D · followers / total times its probability after the context without its first symbol; under the
    last lies the uniform one, so that nothing is impossible. Counts below the highest order are numbers of
    different symbols before (Kneser & Ney 1995; Chen & Goodman 1999, with one discount D = n1 / (n1 + 2 n2)
    for each order). A sequence begins after ``order`` − 1 marks of its own that are never predicted.

    Parameters
    ----------
    sequences
        What it learns from; symbols from 0 to size − 2.
    size
        Number of symbols, the end included.
    order
        Symbols looked at together.

    >>> model = KneserNey(Ragged(np.array([0, 2, 3]), np.array([0, 1, 0], np.int32)), size=3, order=2)
    >>> every = Ragged(np.arange(4), np.array([0, 1, 2], np.int32))
    >>> bool(np.isclose(np.exp(model.score(every)[::2]).sum(), 1))  # all that may come first
    True
    """

    def __init__(self, sequences: Ragged, *, size: int, order: int) -> None:
        self.size, self.order = size, order
        symbols, place, predicted = self._padded(sequences)
        grams = symbols
        tables: list[Int64] = []
        runs: list[Int64] = [np.where(predicted, symbols, -1)]
        for length in range(2, order + 1):
            codes = self._codes(grams, symbols, place >= length - 1)
            tables.append(np.unique(codes[codes >= 0]))
            grams = _find(tables[-1], codes)
            runs.append(np.where(predicted, grams, -1))
        self.orders: list[_Order] = []
        longer: Int64 | None = None
        for length in range(order, 0, -1):
            table = tables[length - 2] if length > 1 else None
            kinds = len(table) if table is not None else size + 1
            seen = runs[length - 1]
            if longer is None:
                counts = np.bincount(seen[predicted], minlength=max(kinds, 1)).astype(np.float64)
            else:  # each longer run counts once, wherever it stands
                _, first = np.unique(longer[predicted], return_index=True)
                counts = np.bincount(seen[predicted][first], minlength=max(kinds, 1)).astype(np.float64)
            longer = seen
            contexts = np.zeros(len(counts), np.int64) if table is None else table // (size + 1)
            self.orders.insert(
                0,
                _Order(
                    table,
                    counts,
                    np.bincount(contexts, counts, minlength=1).astype(np.float64),
                    np.bincount(contexts, counts > 0, minlength=1).astype(np.float64),
                    _discount(counts),
                ),
            )

    def _padded(self, sequences: Ragged) -> tuple[Int64, Int64, Bool]:
        """Symbols with marks before and the end after each sequence, places in it, which are predicted."""
        marks = self.order - 1
        lengths = sequences.lengths + marks + 1
        ends = np.cumsum(lengths)
        place = np.arange(lengths.sum()) - np.repeat(ends - lengths, lengths)
        symbols = np.full(len(place), self.size, np.int64)
        symbols[ends - 1] = self.size - 1
        inside = place >= marks
        inside[ends - 1] = False
        symbols[inside] = sequences.values
        return symbols, place, place >= marks

    def _codes(self, grams: Int64, symbols: Int64, whole: Bool) -> Int64:
        """Codes of runs from the runs that end one place before; -1 where there is none."""
        before = np.concatenate([[-1], grams[:-1]])
        return np.where(whole & (before >= 0), before * (self.size + 1) + symbols, -1)

    def score(self, sequences: Ragged) -> Float64:
        """float64[T], log-probabilities of all symbols and ends, one sequence after another."""
        symbols, place, predicted = self._padded(sequences)
        grams = symbols
        chance = np.full(len(symbols), 1 / self.size)
        for length, order in enumerate(self.orders, start=1):
            if length == 1:
                contexts = np.zeros(len(symbols), np.int64)
            else:
                contexts = np.concatenate([[-1], grams[:-1]])
                grams = order.find(self._codes(grams, symbols, place >= length - 1))
            known = (contexts >= 0) & (contexts < len(order.totals))
            contexts = np.where(known, contexts, 0)
            total = np.where(known, order.totals[contexts], 0.0)
            count = np.where(grams >= 0, order.counts[np.maximum(grams, 0)], 0.0)
            left = order.discount * order.followers[contexts] * chance
            fresh = np.maximum(count - order.discount, 0.0) + left
            chance = np.where(total > 0, fresh / np.where(total > 0, total, 1.0), chance)
        return np.log(chance[predicted])
