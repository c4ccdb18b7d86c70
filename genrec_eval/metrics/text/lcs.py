"""Longest common subsequences by bits: exact, a word of the machine at a time, so that long texts end."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence


def _rows(first: Sequence[str], second: Sequence[str]) -> Iterator[int]:
    """For each prefix of ``first``: bit j is 0 where ``second[: j + 1]`` shares more than ``second[:j]``."""
    places: defaultdict[str, int] = defaultdict(int)
    for place, token in enumerate(second):
        places[token] |= 1 << place
    full = (1 << len(second)) - 1
    row = full
    for token in first:
        if here := places.get(token, 0):
            common = row & here
            row = ((row + common) | (row - common)) & full
        yield row


def lcs_length(first: Sequence[str], second: Sequence[str]) -> int:
    """Length of a longest common subsequence (Hyyrö 2004).

    >>> lcs_length("abcbdab", "bdcaba")
    4
    """
    row = (1 << len(second)) - 1
    for row in _rows(first, second):  # noqa: B007  # the last one counts
        pass
    return len(second) - row.bit_count()


def lcs_places(first: Sequence[str], second: Sequence[str]) -> list[int]:
    """Places in ``first`` of the longest common subsequence that rouge-score finds, last first.

    Of several it is the one met by walking back from both ends: over a common token if there is one, else
    back in ``second`` where only that keeps the length, else in ``first``.

    >>> lcs_places("abcbdab", "bdcaba")
    [5, 3, 2, 1]
    """
    rows = [(1 << len(second)) - 1, *_rows(first, second)]
    i, j = len(first), len(second)
    places = []

    def length(i: int, j: int) -> int:
        return j - (rows[i] & ((1 << j) - 1)).bit_count()

    here = length(i, j)
    while here:
        if first[i - 1] == second[j - 1]:
            places.append(i - 1)
            i, j, here = i - 1, j - 1, here - 1
        elif length(i - 1, j) < here:
            j -= 1
        else:
            i -= 1
    return places
