"""Similar titles: found fast among many, and told from titles that differ by a word."""

from __future__ import annotations

from collections import Counter

import numpy as np
import numpy.typing as npt


class Block:
    """Titles, shortest first, with what tells cheaply that two cannot be similar."""

    def __init__(self, keys: list[str]) -> None:
        self.keys = keys
        self.lengths = np.array([len(key) for key in keys], np.int32)
        self.letters = np.array([_letters(key) for key in keys], np.uint64)

    def candidates(self, text: str, share: float) -> list[str]:
        """All titles of at least ``share`` indel similarity, and a few others.

        At similarity s, titles of lengths a and b are at most (1 - s)(a + b) insertions and deletions
        apart, and each of those changes one bit of the letters at most.
        """
        n = len(text)
        low, high = np.searchsorted(self.lengths, [n * share / (2 - share) - 1, n * (2 - share) / share + 1])
        changed = self.letters[low:high] ^ np.uint64(_letters(text))
        near = np.flatnonzero(_count_bits(changed) <= (1 - share) * (n + self.lengths[low:high]) + 1e-6)
        return [self.keys[place] for place in (near + low).tolist()]


_PAIRS, _NIBBLES, _BYTES, _ONES = (np.uint64(int(byte * 8, 16)) for byte in ("55", "33", "0f", "01"))


def _count_bits(words: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Ones in each word, summed in pairs, nibbles and bytes; numpy has it only from version 2 on."""
    one, two, four, top = np.array([1, 2, 4, 56], np.uint64)
    words = words - ((words >> one) & _PAIRS)
    words = (words & _NIBBLES) + ((words >> two) & _NIBBLES)
    return (((words + (words >> four)) & _BYTES) * _ONES) >> top


def _letters(text: str) -> int:
    """Which letters occur, and which occur twice, in 64 bits; all but a to z share six of them."""
    bits = 0
    for character in text:
        place = ord(character) - 97
        bit = 1 << (place if 0 <= place < 26 else 26 + place % 6)
        bits |= bit << 32 if bits & bit else bit
    return bits


SHORTEST = 4
"""Letters of a title below which nothing is fuzzy: "10" and "Ten" are two films."""
SURE_LENGTH = 7
"""Letters from which a misspelt word is taken for that word even where no year confirms it."""

_ARTICLES = frozenset(("the", "a", "an"))


def misspelt(text: str, key: str, *, certain: bool) -> bool:
    """Whether two similar normal forms are one title, and not two that differ by a word."""

    ours, theirs = text.split(), key.split()
    left, right = _without(ours, theirs), _without(theirs, ours)
    if "".join(left) == "".join(right):  # written as one word or as two
        return True
    return len(left) == len(right) and all(
        _misspelt_word(a, b, certain=certain) for a, b in zip(left, right, strict=True)
    )


def _misspelt_word(a: str, b: str, *, certain: bool) -> bool:
    from rapidfuzz import fuzz

    short, long = sorted((a, b), key=len)
    if long in (short + "s", short + "es"):
        return False
    return fuzz.ratio(a, b) > 80 and (certain or len(short) >= SURE_LENGTH)


def _without(words: list[str], others: list[str]) -> list[str]:
    """Words that ``others`` lack, articles left out, in order."""
    spare = Counter(others)
    left = []
    for word in words:
        if spare[word]:
            spare[word] -= 1
        elif word not in _ARTICLES:
            left.append(word)
    return left
