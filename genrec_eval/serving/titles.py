"""Finding the catalogue's titles in running text, and writing them."""

from __future__ import annotations

import re

import pyarrow as pa

from genrec_eval.models.llm.text import as_data, catalogue_title

_WORD = re.compile(r"\w+")
_ESCAPE = re.compile(r"\\u([0-9a-fA-F]{4})")

Match = tuple[int, int]
"""(place in the text, item code)."""


class Titles:
    """The titles of a catalogue.

    Parameters
    ----------
    item_table
        Table with ``item`` and, where there are any, ``title``, ``year`` and ``aliases``; the row is
        the item's code.
    """

    def __init__(self, item_table: pa.Table) -> None:
        ids = item_table.column("item").to_pylist()
        names = set(item_table.column_names)
        titles = item_table.column("title").to_pylist() if "title" in names else ids
        years = item_table.column("year").to_pylist() if "year" in names else [None] * len(ids)
        aliases = item_table.column("aliases").to_pylist() if "aliases" in names else [None] * len(ids)
        self.labels: list[str] = []
        """``"Title (Year)"`` per code; without what is not known."""
        self._dated = _Index()
        self._bare = _Index()
        for code, (item, title, year, others) in enumerate(zip(ids, titles, years, aliases, strict=True)):
            for place, name in enumerate([title or item, *(others or ())]):
                plain, when = catalogue_title(name, year)
                label = plain if when is None else f"{plain} ({when})"
                if place == 0:
                    self.labels.append(label)
                if when is not None:
                    self._dated.add(label, code)
                if len(cut := as_data(label)) < len(label):  # as a prompt shows it
                    self._dated.add(cut, code)
                self._bare.add(plain, code)

    def find(self, text: str) -> list[Match]:
        """What :meth:`read` finds."""
        return self.read(text)[0]

    def read(self, text: str) -> tuple[list[Match], str]:
        """Items whose titles occur in ``text``, in order of first occurrence, each once.

        Titles with their year are looked for first. Only where there are none do titles count that stand
        without it, and then only as the catalogue spells their first word: else "it" and "up" would be
        films in every sentence. The longest title wins; of items of one name the first of the catalogue.

        Places are those in the second result: the text without JSON's escapes, in which titles with
        their year are blotted out, so that "Give Me 5 (2001)" cannot be taken for a wish.
        """
        text = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)  # as JSON in a prompt has them
        written = [(match.group(), match.start()) for match in _WORD.finditer(text)]
        folded = [word.casefold() for word, _ in written]
        found = self._dated.find(folded)
        rest = list(text)
        for at, length, _ in found:
            last, place = written[at + length - 1]
            start, end = written[at][1], place + len(last)
            rest[start:end] = "\0" * (end - start)
        if not found:
            found = [match for match in self._bare.find(folded) if _opens_a_title(written[match[0]][0])]
        first: dict[int, int] = {}
        for at, _, code in found:
            first.setdefault(code, written[at][1])
        return [(place, code) for code, place in first.items()], "".join(rest)


class _Index:
    """Word sequences → code."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}
        self.longest: dict[str, int] = {}

    def add(self, name: str, code: int) -> None:
        words = _WORD.findall(name.casefold())
        if words:
            self.codes.setdefault(" ".join(words), code)
            self.longest[words[0]] = max(self.longest.get(words[0], 0), len(words))

    def find(self, words: list[str]) -> list[tuple[int, int, int]]:
        """(number of the first word, of words, code) of each match, left to right, the longest first."""
        found, at = [], 0
        while at < len(words):
            for length in range(self.longest.get(words[at], 0), 0, -1):
                code = self.codes.get(" ".join(words[at : at + length]))
                if code is not None and at + length <= len(words):
                    found.append((at, length, code))
                    at += length - 1
                    break
            at += 1
        return found


def _opens_a_title(word: str) -> bool:
    return not word[0].islower()
