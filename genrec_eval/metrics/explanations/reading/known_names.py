"""Finds what a catalogue knows by name: titles, people and genres, and the aspects that users judge by."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.reading.title_form import (
    COMMON_NOUNS,
    closes,
    inside,
    opens_sentence,
    title_like,
    written_as_title,
)
from genrec_eval.metrics.explanations.tokens import Phrases, Tokens, words
from genrec_eval.protocol.brief import ItemFacts

_AMBIGUOUS = frozenset(map(words, lexicon("claims")["ambiguous"]))
_GENRE_NOUNS = frozenset(lexicon("claims")["genre_nouns"])
_RANK = {"title": 0, "person": 1, "genre": 2, "aspect": 3}
"""What words are taken for first that could be several things."""
_SEQUEL = re.compile(
    r" (?:\d{1,2}|II|III|IV|V|VI|VII|VIII|IX|Part\s\w+)\b"
    r"(?![/.,]\d|[-\s]?(?:min|hour|star|times|film|out of))"
)


class KnownNames:
    """Names to look for in texts.

    Attributes
    ----------
    genres
        Way to write a genre → as the catalogue writes it.
    """

    def __init__(self, catalogue: Iterable[ItemFacts], aspects: Sequence[str] = ()) -> None:
        self._phrases = Phrases()
        genres: dict[tuple[str, ...], str] = {}
        titles: dict[tuple[str, ...], list[str]] = {}
        for item in catalogue:
            for name in (item.title, *item.aliases):
                known = titles.setdefault(words(name), [])
                if item.id not in known:
                    known.append(item.id)
            for names in item.people.values():
                for name in names:
                    if len(written := words(name)) > 1:
                        self._phrases.add(written, ("person", " ".join(written)))
            for genre in item.genres:
                genres.setdefault(words(genre), genre)
        for title, ids in titles.items():
            self._phrases.add(title, ("title", tuple(ids)))
        spoken = {words(aspect): aspect for aspect in aspects}
        named = _genre_names(genres, lexicon("claims")["genres"])
        # "music" is a genre to some catalogues, and something that reviews judge by to others
        self.genres = {
            phrase: genre for phrase, genre in named.items() if phrase in genres or phrase not in spoken
        }
        for phrase, genre in self.genres.items():
            self._phrases.add(phrase, ("genre", genre))
        for phrase, aspect in spoken.items():
            if phrase not in self.genres:
                self._phrases.add(phrase, ("aspect", aspect))

    def find(self, tokens: Tokens, quotes: Mapping[int, int]) -> list[Mention]:
        """Mentions in the order of the text, none over another: the longest that is written as what it would
        be."""
        found: list[Mention] = []
        at, lower = 0, not any(map(str.isupper, tokens.text))
        while at < len(tokens):
            mention, after = None, at + 1
            for end, meanings in self._phrases.at(tokens.norms, at):
                for kind, value in sorted(meanings, key=lambda meaning: _RANK[meaning[0]]):
                    if kind == "title":
                        mention = _title(value, tokens, at, end, quotes, lower)
                    elif kind == "person":
                        mention = _person(value, tokens, at, end, lower)
                    elif kind == "aspect" or self._meant(tokens, at, end):
                        mention = _mention(tokens, at, end, kind=kind, value=value)
                    if mention is not None:
                        break
                if mention is not None:
                    after = end
                    break
            if mention is not None:
                found.append(mention)
            at = after
        return found

    def _meant(self, tokens: Tokens, at: int, end: int) -> bool:
        """Whether a genre is meant as one: "war" may be something else."""
        if tuple(tokens.norms[at:end]) not in _AMBIGUOUS:
            return True
        if tokens.capital(at) and not opens_sentence(tokens.text, tokens.starts[at]):
            return True
        text, following = tokens.text, tokens.norms[end : end + 4]
        if any(norm in _GENRE_NOUNS for norm in following[:2]):
            return True
        if any(tuple(following[:size]) in self.genres for size in (1, 2)):
            return True
        joined = p.GENRE_JOIN.match(text, tokens.ends[end - 1])
        if (
            joined
            and end < len(tokens)
            and any(
                tuple(tokens.norms[end + skip : end + skip + size]) in self.genres
                for skip in (0, 1)
                for size in (1, 2)
            )
        ):
            return True
        before = tokens.norms[max(0, at - 3) : at]
        if before and before[-1] in ("and", "or") and any((norm,) in self.genres for norm in before[:-1]):
            return True
        if before and (before[-1],) in self.genres:
            return True
        head = text[max(0, tokens.starts[at] - 40) : tokens.starts[at]]
        return bool(p.ARTICLE.search(head)) and bool(p.GENRE_END.match(text, tokens.ends[end - 1]))


def _mention(tokens: Tokens, at: int, end: int, **more: Any) -> Mention:
    start, stop = tokens.starts[at], tokens.ends[end - 1]
    return Mention(start=start, end=stop, text=tokens.text[start:stop], **more)


def _title(
    items: tuple[str, ...], tokens: Tokens, at: int, end: int, quotes: Mapping[int, int], lower: bool
) -> Mention | None:
    text, start, stop = tokens.text, tokens.starts[at], tokens.ends[end - 1]
    quoted = start in quotes and closes(text, stop, quotes[start])
    if not quoted:
        around = inside(quotes, start, stop)
        if around is not None and title_like(text[around : quotes[around]]):
            return None  # part of a longer name in quotes
        if not written_as_title(tokens, at, end, lower):
            return None
    sequel = None if quoted else _SEQUEL.match(text, stop)
    rated = p.RATED.search(text, max(0, start - 130), start)  # "you rated Heat 5"
    if sequel is not None and rated is None:  # "Heat 2" is another work, and not in the catalogue
        return Mention(kind="title", start=start, end=sequel.end(), text=text[start : sequel.end()])
    single = end - at == 1 and tokens.norms[at] in COMMON_NOUNS
    weak = single and not quoted and opens_sentence(text, start)
    return _mention(tokens, at, end, kind="title", items=items, weak=weak)


def _person(name: str, tokens: Tokens, at: int, end: int, lower: bool) -> Mention | None:
    capital = all(tokens.capital(i) or not tokens.cased(i) for i in (at, end - 1))
    return _mention(tokens, at, end, kind="person", value=name) if capital or lower else None


def _genre_names(
    own: Mapping[tuple[str, ...], str], groups: Sequence[Sequence[str]]
) -> dict[tuple[str, ...], str]:
    """Every way to write a genre → as the catalogue writes it, else its common name."""
    found: dict[tuple[str, ...], str] = {}
    spelled = [list(map(words, group)) for group in groups]
    # a catalogue of restaurants has genres too, and there "western" and "family" mean something else
    films = sum(any(word in own for word in group) for group in spelled) >= 3
    for group in spelled:
        known = next((own[word] for word in group if word in own), None)
        if known is not None or films:
            found.update(dict.fromkeys(group, known or " ".join(group[0]).capitalize()))
    for phrase, name in own.items():
        if phrase and phrase not in found:
            found[phrase] = name
            plural = (*phrase[:-1], f"{phrase[-1]}s")
            found.setdefault(plural, name)
    return found
