"""n-grams of many texts as arrays: one number per n-gram, one row per text."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from genrec_eval.metrics.base import Bool
from genrec_eval.metrics.text.texts import Texts
from genrec_eval.metrics.text.tokens import tokenized
from genrec_eval.protocol.arrays import Int64


def numbered(codes: Int64) -> Int64:
    """Consecutive numbers for equal codes; by sorting, which is faster than hashing whole numbers.

    >>> numbered(np.array([40, 7, 40])).tolist()
    [1, 0, 1]
    """
    order = np.argsort(codes, kind="stable")
    fresh = np.diff(codes[order], prepend=codes[order[:1]]) != 0
    numbers = np.empty(len(codes), np.int64)
    numbers[order] = np.cumsum(fresh)
    return numbers


class Collected:
    """Tokens of texts as they come, in chunks."""

    def __init__(self, tokens: str) -> None:
        self.tokens = tokens
        self.known: dict[str, int] = {}
        self.parts: list[Int64] = []
        self.lengths: list[int] = []
        self.missing: list[Bool] = []

    def update(self, texts: Texts) -> None:
        """Number the tokens of the next chunk."""
        known = self.known
        words = [words or [] for words in tokenized(texts, self.tokens)]
        self.lengths += map(len, words)
        self.missing.append(texts.missing)
        self.parts.append(
            np.array([known.setdefault(word, len(known)) for some in words for word in some], np.int64)
        )

    def absent(self) -> Bool:
        """bool[n], units without a text."""
        return np.concatenate([np.empty(0, bool), *self.missing])

    def grams(self, n: int) -> Grams:
        """All runs of n tokens inside a text."""
        units = np.repeat(np.arange(len(self.lengths)), self.lengths)
        words = np.concatenate([np.empty(0, np.int64), *self.parts])
        ids = words
        for width in range(2, n + 1):
            ends = words[width - 1 :]
            whole = units[width - 1 :] == units[: len(ends)]
            # runs into the next text are kept, as -1, so that places stay aligned
            ids = numbered(np.where(whole, ids[: len(ends)] * len(self.known) + ends, -1)) - (not whole.all())
        inside = ids >= 0
        return Grams(ids=ids[inside], units=units[: len(ids)][inside], n_units=len(self.lengths))


@dataclass(frozen=True)
class Grams:
    """n-grams by text.

    Attributes
    ----------
    ids
        int64[T] from 0, equal for equal n-grams.
    units
        int64[T], the text each is in, ascending.
    n_units
        Number of texts.
    """

    ids: Int64
    units: Int64
    n_units: int

    @cached_property
    def counts(self) -> Int64:
        """int64[G], how often each n-gram occurs."""
        return np.bincount(self.ids)

    @cached_property
    def totals(self) -> Int64:
        """int64[n], n-grams of each text."""
        return np.bincount(self.units, minlength=self.n_units)

    @cached_property
    def sole(self) -> Int64:
        """int64[n], distinct n-grams that no other text holds."""
        order = np.argsort(self.ids, kind="stable")
        ends = np.cumsum(self.counts)
        first, last = self.units[order[ends - self.counts]], self.units[order[ends - 1]]
        return np.bincount(first[first == last], minlength=self.n_units)

    @cached_property
    def pairs(self) -> tuple[Int64, Int64, Int64]:
        """Distinct pairs of text and n-gram in ascending order: unit, id, how often."""
        width = max(len(self.counts), 1)
        codes = np.sort(self.units * width + self.ids)
        starts = np.flatnonzero(np.diff(codes, prepend=-1))
        return codes[starts] // width, codes[starts] % width, np.diff(starts, append=len(codes))
