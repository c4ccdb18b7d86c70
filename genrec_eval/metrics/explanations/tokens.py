"""Words of a text with their places, and a dictionary of phrases that is searched in linear time."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np

from genrec_eval.metrics.base import Bool

# Scripts without spaces between words give one token per letter, so that a title is found inside a run.
_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af"
_TOKEN = re.compile(rf"[{_UNSPACED}]|&|[^\W{_UNSPACED}]+(?:['’][^\W{_UNSPACED}]+)*")
_MARKS = re.compile("[\u0300-\u036f]+")
_LONGEST = 40
"""Tokens of a phrase; longer ones are cut, which keeps the search linear."""


@lru_cache(maxsize=65_536)
def normal(word: str) -> str:
    """One word without case, accents and apostrophes.

    >>> normal("Amélie’s"), normal("&")
    ('amelies', 'and')
    """
    if word == "&":
        return "and"
    if not word.isascii():
        word = _MARKS.sub("", unicodedata.normalize("NFKD", word)).replace("’", "'")
        word = unicodedata.normalize("NFC", word)
    return word.casefold().replace("'", "")


@dataclass(frozen=True, slots=True)
class Tokens:
    """Words of a text: n parallel entries."""

    text: str
    starts: list[int]
    ends: list[int]
    norms: list[str]

    @classmethod
    def of(cls, text: str) -> Tokens:
        """Split a text."""
        starts, ends, norms = [], [], []
        for match in _TOKEN.finditer(text):
            starts.append(match.start())
            ends.append(match.end())
            norms.append(normal(match[0]))
        return cls(text, starts, ends, norms)

    def __len__(self) -> int:
        return len(self.starts)

    def word(self, at: int) -> str:
        """The token as written."""
        return self.text[self.starts[at] : self.ends[at]]

    def capital(self, at: int) -> bool:
        """Whether the token is written with a capital or a digit in front."""
        first = self.text[self.starts[at]]
        return first.isupper() or first.isdigit()

    def cased(self, at: int) -> bool:
        """Whether the script of the token has capitals at all."""
        first = self.text[self.starts[at]]
        return first.isdigit() or first.lower() != first.upper()


def words(text: str) -> tuple[str, ...]:
    """Normal forms of the words of a text.

    >>> words("Spider-Man & Ana's friends")
    ('spider', 'man', 'and', 'anas', 'friends')
    """
    return tuple(normal(match[0]) for match in _TOKEN.finditer(text))


def has_word(text: str) -> bool:
    """Whether a text holds any word.

    >>> has_word(" \\n…"), has_word("7")
    (False, True)
    """
    return _TOKEN.search(text) is not None


def wordless(texts: Iterable[str | None]) -> Bool:
    """bool[n], texts that are there and hold no word."""
    return np.array([text is not None and not has_word(text) for text in texts], bool)


class Phrases:
    """A trie of phrases over tokens; a phrase may stand for several things."""

    def __init__(self, phrases: Iterable[tuple[tuple[str, ...], Any]] = ()) -> None:
        self.root: dict[str | None, Any] = {}
        for phrase, meaning in phrases:
            self.add(phrase, meaning)

    def add(self, phrase: tuple[str, ...], meaning: Any) -> None:
        """Let ``phrase`` stand for ``meaning`` too; an empty phrase stands for nothing."""
        if not phrase:
            return
        node = self.root
        for word in phrase[:_LONGEST]:
            node = node.setdefault(word, {})
        meanings = node.setdefault(None, [])
        if meaning not in meanings:
            meanings.append(meaning)

    def at(self, norms: list[str], start: int) -> list[tuple[int, list[Any]]]:
        """Phrases that begin at a token: (end, meanings), the longest first."""
        node = self.root.get(norms[start])
        if node is None:
            return []
        found, end = [], start + 1
        while node is not None:
            if None in node:
                found.append((end, node[None]))
            node = node.get(norms[end]) if end < len(norms) else None
            end += 1
        return found[::-1]

    def scan(self, norms: list[str]) -> Iterator[tuple[int, int, list[Any]]]:
        """Longest phrases from the left that do not overlap: (start, end, meanings)."""
        at = 0
        while at < len(norms):
            if found := self.at(norms, at):
                end, meanings = found[0]
                yield at, end, meanings
                at = end
            else:
                at += 1
