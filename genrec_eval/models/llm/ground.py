"""From a written title to an item of the catalogue, with how sure that is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import TYPE_CHECKING, Literal

from genrec_eval.models.llm.similar import SHORTEST, Block, misspelt
from genrec_eval.models.llm.spec import TIERS, Tier
from genrec_eval.models.llm.text import (
    as_data,
    bracketed_names,
    catalogue_title,
    normalise,
    spell_numbers,
    split_comma_year,
    split_year,
    squeeze,
)

if TYPE_CHECKING:
    import pyarrow as pa

Grounding = Literal["exact", "normalised", "alias", "fuzzy", "ambiguous", "none"]

UNMATCHED = "unmatched:"
"""Put before a mention that is not in the catalogue but is spelt like an id of it."""


@dataclass(frozen=True, slots=True)
class Match:
    """What a mention refers to.

    Attributes
    ----------
    item
        Id in the catalogue; for ``ambiguous`` and ``none`` the mention itself, which is no id.
    mention
        The reading that matched, or the whole mention.
    tier
        ``exact``, ``normalised``, ``alias`` or ``fuzzy``; ``ambiguous`` when several items fit equally
        well; ``none`` when no item fits.
    """

    item: str
    mention: str
    tier: Grounding


class Grounder:
    """Matches written titles to a catalogue.

    Tiers, tried in this order for one reading, longer readings first:

    exact
        The title as the catalogue shows it, with or without its year; an id written verbatim, except
        an id of digits only whose item has a title ("300" is a film, not item 300).
    normalised
        Equal after :func:`~genrec_eval.models.llm.text.normalise`.
    alias
        Equal to a name in ``aliases``, or to one that the title carries in brackets.
    fuzzy
        Normal forms with numbers in digits, at least ``fuzzy_cutoff`` percent alike (indel
        similarity), with the same numbers and the same words but for misspellings: no word added or
        dropped except articles, no singular for a plural, and no difference in a word of fewer than
        :data:`~genrec_eval.models.llm.similar.SURE_LENGTH` letters unless the year agrees.

    A year in the mention must equal the catalogue's within ``year_tolerance``; a year that is off by
    some is never ``exact``. Several items that fit equally well (a remake named without its year, two
    items with one name) make the mention ``ambiguous``: nothing is picked.

    Parameters
    ----------
    item_table
        Columns ``item`` and, where known, ``title``, ``year``, ``aliases``. An item without a title
        goes by its id.
    """

    def __init__(
        self,
        item_table: pa.Table,
        tiers: Sequence[Tier] = TIERS,
        fuzzy_cutoff: float = 90.0,
        year_tolerance: int = 0,
    ) -> None:
        self.tiers = tuple(tiers)
        self.fuzzy_cutoff = fuzzy_cutoff
        self.year_tolerance = year_tolerance
        self.ids: list[str] = [str(item) for item in item_table["item"].to_pylist()]
        given = _column(item_table, "title")
        years = _column(item_table, "year")
        self._aliases = _column(item_table, "aliases")
        self.titles: list[str] = []
        self.years: list[int | None] = []
        self._written: list[str] = []
        for item, title, year in zip(self.ids, given, years, strict=True):
            written = squeeze(str(title)) if title is not None else ""
            plain, known = catalogue_title(written or squeeze(item), None if year is None else int(year))
            self.titles.append(plain)
            self.years.append(known)
            self._written.append(written)
        self._one = lru_cache(maxsize=200_000)(self._look_up)

    def __len__(self) -> int:
        return len(self.ids)

    @cached_property
    def codes(self) -> dict[str, int]:
        """Id → row of the catalogue."""
        return {item: code for code, item in enumerate(self.ids)}

    def shown(self, item: str) -> str:
        """The title with its year, as prompts show it; an unknown id as it is.

        Items with the same title and year look alike: they cannot be told apart by what a model writes.
        """
        code = self.codes.get(item)
        return item if code is None else self._display(code)

    def match(self, readings: Iterable[str], mention: str | None = None) -> Match:
        """Match the first of ``readings`` that is in the catalogue.

        Parameters
        ----------
        readings
            Candidate texts of one title, the best first.
        mention
            What to keep when none matches; the first reading by default.
        """
        first = None
        for text in map(squeeze, readings):
            first = text if first is None else first
            code, tier = self._one(text)
            if code is not None:
                return Match(self.ids[code], text, tier)
            if tier == "ambiguous":
                return Match(self._outside(text), text, tier)
        kept = squeeze(mention) if mention is not None else (first or "")
        return Match(self._outside(kept), kept, "none")

    def _outside(self, text: str) -> str:
        while text in self.codes:
            text = UNMATCHED + text
        return text

    def _display(self, code: int) -> str:
        year = self.years[code]
        return self.titles[code] if year is None else f"{self.titles[code]} ({year})"

    # Look-up of one reading: (code, tier); code None for ambiguous and none.

    def _look_up(self, text: str) -> tuple[int | None, Grounding]:
        if not text:
            return None, "none"
        if "exact" in self.tiers:
            for index in (self._shown_index, self._plain_index):
                if codes := index.get(text):
                    return (codes[0], "exact") if len(codes) == 1 else (None, "ambiguous")
        title, year = split_year(text)
        split = [(title, year)]
        if year is None and (comma := split_comma_year(text)):
            split.append(comma)
        for tier in self.tiers:
            if tier == "exact":
                continue
            for title, year in split:
                found = self._in_tier(tier, title, year)
                if found is not None:
                    return (found[0], tier) if len(found) == 1 else (None, "ambiguous")
        return None, "none"

    def _in_tier(self, tier: Tier, title: str, year: int | None) -> list[int] | None:
        normal = normalise(title)
        if not normal:
            return None
        if tier == "fuzzy":
            return self._fuzzy(normal, year)
        index = self._normal_index if tier == "normalised" else self._alias_index
        return self._of_year(index.get(normal, ()), year) or None

    def _of_year(self, codes: Sequence[int], year: int | None) -> list[int]:
        """Those that a written year does not contradict: the nearest, else those of no known year."""
        if year is None:
            return list(codes)
        off = {code: abs(known - year) for code in codes if (known := self.years[code]) is not None}
        nearest = min(off.values(), default=self.year_tolerance + 1)
        if nearest <= self.year_tolerance:
            return [code for code, distance in off.items() if distance == nearest]
        return [code for code in codes if self.years[code] is None]

    def _fuzzy(self, normal: str, year: int | None) -> list[int] | None:
        from rapidfuzz import fuzz, process

        text, numbers = spell_numbers(normal)
        block = self._blocks.get(numbers)
        if block is None or len(text) < SHORTEST:
            return None
        close = process.extract(
            text,
            block.candidates(text, self.fuzzy_cutoff / 100),
            scorer=fuzz.ratio,
            score_cutoff=self.fuzzy_cutoff,
            limit=None,
        )
        best: list[int] = []
        best_score = 0.0
        for key, score, _ in close:
            if score < best_score:
                break
            found = [
                code
                for code in self._of_year(self._numbered_index[key], year)
                if misspelt(text, key, certain=year is not None and self.years[code] == year)
            ]
            if found:
                best, best_score = best + found, score
        return best or None

    # Indexes, made when first asked for.

    @cached_property
    def _shown_index(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for code, (item, written) in enumerate(zip(self.ids, self._written, strict=True)):
            # Also as a prompt shows it: a title that was cut to fit is copied with its cut.
            names = {self._display(code), written or item, as_data(self._display(code))}
            if not (written and item.isdecimal()):
                names.add(item)
            for name in names:
                _add(index, name, code)
        return index

    @cached_property
    def _plain_index(self) -> dict[str, list[int]]:
        return _index(enumerate(self.titles))

    @cached_property
    def _normal(self) -> list[str]:
        return [normalise(title) for title in self.titles]

    @cached_property
    def _normal_index(self) -> dict[str, list[int]]:
        index = _index(enumerate(self._normal))
        for code in range(len(self)):
            shown = self._display(code)
            if (cut := as_data(shown)) != shown and len(cut) < len(shown):
                _add(index, normalise(cut), code)
        return index

    @cached_property
    def _alias_index(self) -> dict[str, list[int]]:
        index: dict[str, list[int]] = {}
        for code, (title, aliases) in enumerate(zip(self.titles, self._aliases, strict=True)):
            names = [split_year(squeeze(str(alias)))[0] for alias in aliases or () if alias is not None]
            for name in {normalise(name) for name in [*names, *bracketed_names(title)]}:
                _add(index, name, code)
        return index

    @cached_property
    def _numbered_index(self) -> dict[str, list[int]]:
        return _index((code, spell_numbers(normal)[0]) for code, normal in enumerate(self._normal))

    @cached_property
    def _blocks(self) -> dict[tuple[str, ...], Block]:
        """Numbers in the title → titles with these numbers: what a fuzzy match must search."""
        keys: dict[tuple[str, ...], list[str]] = {}
        for key in sorted(self._numbered_index, key=lambda key: (len(key), key)):
            keys.setdefault(spell_numbers(key)[1], []).append(key)
        return {numbers: Block(block) for numbers, block in keys.items()}


def _column(table: pa.Table, name: str) -> list:
    return table[name].to_pylist() if name in table.column_names else [None] * table.num_rows


def _add(index: dict[str, list[int]], name: str, code: int) -> None:
    if name:
        index.setdefault(name, []).append(code)


def _index(names: Iterable[tuple[int, str]]) -> dict[str, list[int]]:
    index: dict[str, list[int]] = {}
    for code, name in names:
        _add(index, name, code)
    return index
