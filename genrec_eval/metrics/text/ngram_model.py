"""The language model that comes with the suite: word trigrams, and bytes for words it never saw."""

from __future__ import annotations

import functools
from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np

from genrec_eval.metrics.text.kneser_ney import KneserNey
from genrec_eval.metrics.text.tokens import UNSPACED
from genrec_eval.protocol.arrays import Float64, Int64, Ragged

WORD_ORDER, BYTE_ORDER = 3, 5
LEAST_COUNT = 2
"""Pieces that the corpus holds less often teach the model what unknown ones are like."""
_BYTES = 257


@functools.cache
def _pattern() -> Any:
    import regex

    letter = rf"[[\p{{L}}\p{{M}}]--[{UNSPACED}]]"
    return regex.compile(
        rf"(?V1) ?[{UNSPACED}]\p{{M}}*| ?{letter}+(?:['’]{letter}+)*| ?\p{{N}}+"
        rf"| ?[^\s\p{{L}}\p{{M}}\p{{N}}]+|\s+|."
    )


def pieces(text: str) -> list[str]:
    """The text in pieces that join to the text again: words, numbers, signs, each with the blank before it.

    >>> pieces("It's 9.50, cheap!")
    ["It's", ' 9', '.', '50', ',', ' cheap', '!']
    """
    found: list[str] = _pattern().findall(text)
    return found


def _ragged(rows: Sequence[Sequence[int]]) -> Ragged:
    offsets = np.cumsum([0, *map(len, rows)])
    return Ragged(offsets, np.fromiter((one for row in rows for one in row), np.int32, int(offsets[-1])))


def _bytes(words: Sequence[str]) -> Ragged:
    return _ragged([word.encode("utf-8", "surrogatepass") for word in words])


class NgramModel:
    """Probability of texts in the manner of a corpus; deterministic, and no text is impossible.

    Interpolated Kneser–Ney over pieces (:func:`pieces`) to order 3, in which pieces that the corpus holds
    only once stand as one unknown piece; what an unknown piece is spelled like is asked of a second model,
    over bytes to order 5, of the corpus' different pieces. A text begins after a mark of its own and ends
    with another, whose probability counts: it is one token more than there are pieces.

    Parameters
    ----------
    corpus
        Texts to learn from, in any order; each different text once.
    """

    def __init__(self, corpus: Sequence[str]) -> None:
        cut = [pieces(text) for text in sorted(set(corpus))]
        counts = Counter(piece for text in cut for piece in text)
        known = sorted(piece for piece, count in counts.items() if count >= LEAST_COUNT)
        self.codes = {piece: code for code, piece in enumerate(known)}
        self.unknown = len(known)
        self.words = KneserNey(self._coded(cut), size=len(known) + 2, order=WORD_ORDER)
        self.spelling = KneserNey(_bytes(sorted(counts)), size=_BYTES, order=BYTE_ORDER)

    def _coded(self, cut: Sequence[Sequence[str]]) -> Ragged:
        codes, unknown = self.codes, self.unknown
        return _ragged([[codes.get(piece, unknown) for piece in text] for text in cut])

    def score(self, texts: Sequence[str]) -> tuple[Float64, Int64]:
        """Negative log-probability (nats) and number of tokens of each text, the end included in both."""
        cut = [pieces(text) for text in texts]
        coded = self._coded(cut)
        tokens = coded.lengths + 1
        logs = self.words.score(coded)
        of_token = np.repeat(np.arange(len(cut)), tokens)
        surprise: Float64 = -np.bincount(of_token, logs, minlength=len(cut)).astype(np.float64)
        strange: dict[str, int] = {}
        at = [
            (row, strange.setdefault(piece, len(strange)))
            for row, text in enumerate(cut)
            for piece in text
            if piece not in self.codes
        ]
        if at:
            spelled = _bytes(list(strange))
            of = np.repeat(np.arange(len(strange)), spelled.lengths + 1)
            spelling = np.bincount(of, self.spelling.score(spelled), minlength=len(strange))
            rows, kinds = np.array(at).T
            surprise -= np.bincount(rows, spelling[kinds], minlength=len(cut))
        return surprise, tokens
