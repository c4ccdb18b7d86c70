"""What changed between two texts, word by word, in bounded time."""

from __future__ import annotations

import difflib
import re
from collections import Counter

LONGEST = 3000
"""Characters of a text that are compared, and shown."""

_MOST_PAIRS = 20_000
"""Pairs of equal words that are worth lining up, for the search takes time with their number; beyond them,
as in a text of one word repeated, all between the first and the last difference counts as changed."""

# Scripts without spaces are cut at every sign, or one changed sign would mark a whole sentence.
_WORD = re.compile(
    r"[\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]|[^\s\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\u0e00-\u0e7f]+"
)

Stretches = list[tuple[str, bool]]
"""A text in stretches, each with whether it differs."""


def differing(before: str, after: str) -> tuple[Stretches, Stretches]:
    """Both texts in stretches, each with whether it differs from the other text.

    >>> differing("a good film", "a bad film")
    ([('a ', False), ('good', True), (' film', False)], [('a ', False), ('bad', True), (' film', False)])
    """
    before, after = before[:LONGEST], after[:LONGEST]
    old, new = list(_WORD.finditer(before)), list(_WORD.finditer(after))
    changes = _changes([word[0] for word in old], [word[0] for word in new])
    return (
        _stretches(before, old, [(first, last) for first, last, _, _ in changes]),
        _stretches(after, new, [(first, last) for _, _, first, last in changes]),
    )


def _changes(old: list[str], new: list[str]) -> list[tuple[int, int, int, int]]:
    """Ranges of words that differ, of both."""
    start, most = 0, min(len(old), len(new))
    while start < most and old[start] == new[start]:
        start += 1
    end = 0
    while end < most - start and old[-1 - end] == new[-1 - end]:
        end += 1
    left, right = old[start : len(old) - end], new[start : len(new) - end]
    if not left and not right:
        return []
    there = Counter(right)
    if sum(n * there[word] for word, n in Counter(left).items()) > _MOST_PAIRS:
        return [(start, start + len(left), start, start + len(right))]
    codes = difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes()
    return [(start + a, start + b, start + c, start + d) for tag, a, b, c, d in codes if tag != "equal"]


def _stretches(text: str, words: list[re.Match[str]], changed: list[tuple[int, int]]) -> Stretches:
    found: Stretches = []
    at = 0
    for first, last in changed:
        if first == last:
            continue
        begin, end = words[first].start(), words[last - 1].end()
        if begin > at:
            found.append((text[at:begin], False))
        found.append((text[begin:end], True))
        at = end
    if at < len(text):
        found.append((text[at:], False))
    return found
