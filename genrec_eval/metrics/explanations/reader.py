"""Finds in a text what can be looked up: titles, people, years, genres, prices, minutes, ratings, numbers."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence

from genrec_eval.metrics.explanations import patterns as p
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention, MentionKind, Reading
from genrec_eval.metrics.explanations.stances import take_stances
from genrec_eval.metrics.explanations.tokens import Phrases, Tokens, words
from genrec_eval.protocol.brief import ItemFacts

_BEFORE = 80
"""Characters before a mention that say how it is meant."""
_SEQUEL = re.compile(
    r" (?:\d{1,2}|II|III|IV|V|VI|VII|VIII|IX|Part\s\w+)\b"
    r"(?![/.,]\d|[-\s]?(?:min|hour|star|times|film|out of))"
)
_ENTRY = re.compile(r"(?:^|\n)[ \t]{0,8}(?:\d{1,3}[.)]|[-*•])[ \t]{0,4}$")


class Reader:
    """Reads texts against a catalogue; one reader serves any number of briefs.

    Parameters
    ----------
    catalogue
        Every item that a text may name.
    aspects
        Features that are looked for beside genres.
    """

    def __init__(self, catalogue: Iterable[ItemFacts], aspects: Sequence[str] = ()) -> None:
        lists = lexicon("claims")
        self._common = frozenset(lists["common"])
        self._nouns_in_titles = frozenset(lists["common_nouns"])
        self._verbs = frozenset(lists["verbs"])
        self._ambiguous = frozenset(map(words, lists["ambiguous"]))
        self._nouns = frozenset(lists["genre_nouns"])
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
        named = self._genre_names(genres, lists["genres"])
        # "music" is a genre to some catalogues, and something that reviews judge by to others
        self.genres = {
            phrase: genre for phrase, genre in named.items() if phrase in genres or phrase not in spoken
        }
        for phrase, genre in self.genres.items():
            self._phrases.add(phrase, ("genre", genre))
        for phrase, aspect in spoken.items():
            if phrase not in self.genres:
                self._phrases.add(phrase, ("aspect", aspect))

    @staticmethod
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

    def read(self, text: str) -> Reading:
        """What is named in a text, in the order of the text."""
        tokens = Tokens.of(text)
        quotes = _quotes(text)
        mentions = self._named(tokens, quotes)
        mentions += _unknown_titles(tokens, quotes, mentions)
        titles = sorted((m for m in mentions if m.kind == "title"), key=lambda m: m.start)
        for title in titles:
            _written_year(text, title)
        taken = _Taken([(m.start, m.year_at[1] if m.year_at else m.end) for m in titles])
        mentions = titles + [m for m in mentions if m.kind != "title" and not taken.holds(m.start, m.end)]
        _roles(text, mentions, taken)
        mentions += _numbers(text, taken)
        mentions.sort(key=lambda m: (m.start, -m.end))
        sentences = _sentences(text, taken)
        for mention in mentions:
            mention.sentence = bisect_right(sentences, mention.start) - 1
            if mention.kind in ("genre", "aspect", "person"):
                before = text[max(sentences[mention.sentence], mention.start - _BEFORE) : mention.start]
                mention.negated = p.NEGATED.search(before) is not None
                mention.predicated = mention.kind == "genre" and p.PREDICATED.search(before) is not None
        take_stances(text, mentions, sentences, self._verbs)
        addressed = {bisect_right(sentences, m.start()) - 1 for m in p.ADDRESSED.finditer(text)}
        resets = [m.start() for m in p.BACK_TO_ITEM.finditer(text) if not taken.holds(m.start(), m.end())]
        return Reading(
            text=text,
            tokens=tokens,
            mentions=mentions,
            sentences=sentences,
            addressed=frozenset(addressed),
            resets=resets,
        )

    def _named(self, tokens: Tokens, quotes: Mapping[int, int]) -> list[Mention]:
        """Titles, people, genres and aspects: the longest that is written as what it would be."""
        found: list[Mention] = []
        at, ends = 0, set(quotes.values())
        norms, lower = tokens.norms, not any(map(str.isupper, tokens.text))
        while at < len(tokens):
            mention, after = None, at + 1
            for end, meanings in self._phrases.at(norms, at):
                for kind, value in sorted(meanings, key=lambda meaning: _RANK[meaning[0]]):
                    mention = self._as(kind, value, tokens, at, end, quotes, ends, lower)
                    if mention is not None:
                        break
                if mention is not None:
                    after = end
                    break
            if mention is not None:
                found.append(mention)
            at = after
        return found

    def _as(
        self,
        kind: str,
        value: object,
        tokens: Tokens,
        at: int,
        end: int,
        quotes: Mapping[int, int],
        ends: set[int],
        lower: bool,
    ) -> Mention | None:
        start, stop = tokens.starts[at], tokens.ends[end - 1]
        text = tokens.text[start:stop]
        if kind == "title":
            quoted = start in quotes and _closes(tokens.text, stop, quotes[start])
            if (
                not quoted
                and (inside := _inside(quotes, start, stop)) is not None
                and _title_like(tokens.text[inside : quotes[inside]])
            ):
                return None  # part of a longer name in quotes
            if not quoted and not self._written_as_title(tokens, at, end, lower):
                return None
            assert isinstance(value, tuple)
            sequel = None if quoted else _SEQUEL.match(tokens.text, stop)
            rated = p.RATED.search(tokens.text, max(0, start - 130), start)  # "you rated Heat 5"
            if sequel is not None and rated is None:  # "Heat 2" is another work, and not in the catalogue
                stop = sequel.end()
                return Mention(kind="title", start=start, end=stop, text=tokens.text[start:stop])
            weak = (
                end - at == 1
                and tokens.norms[at] in self._nouns_in_titles
                and not quoted
                and _opens_sentence(tokens.text, start)
            )
            return Mention(kind="title", start=start, end=stop, text=text, items=value, weak=weak)
        assert isinstance(value, str)
        if kind == "person":
            capital = all(tokens.capital(i) or not tokens.cased(i) for i in (at, end - 1))
            return (
                Mention(kind="person", start=start, end=stop, text=text, value=value)
                if capital or lower
                else None
            )
        if (
            kind == "genre"
            and tuple(tokens.norms[at:end]) in self._ambiguous
            and not self._genre(tokens, at, end)
        ):
            return None
        return Mention(
            kind="genre" if kind == "genre" else "aspect", start=start, end=stop, text=text, value=value
        )

    def _written_as_title(self, tokens: Tokens, at: int, end: int, lower: bool) -> bool:
        """Whether words are written as a title: in capitals, with a year, several in a caseless script."""
        stop = tokens.ends[end - 1]
        year = p.WRITTEN_YEAR.match(tokens.text, stop)
        if year is not None and year["a"]:
            return True
        if not any(tokens.cased(i) for i in range(at, end)):
            return end - at > 1 or len(tokens.word(at)) > 3
        if end - at > 1:
            if lower:
                return sum(norm not in self._common for norm in tokens.norms[at:end]) > 1
            long = [i for i in range(at, end) if tokens.norms[i] not in _SMALL]
            return tokens.capital(at) and all(tokens.capital(i) or not tokens.cased(i) for i in long)
        if not tokens.capital(at) or tokens.word(at).isdigit():
            return False
        if _neighbour(tokens, at, end):  # "Miami Heat", "Heat Wave": a longer name of something else
            return False
        particle = tokens.norms[at] in self._common and tokens.norms[at] not in self._nouns_in_titles
        before = tokens.text[max(0, tokens.starts[at] - 4) : tokens.starts[at]].rstrip()
        if not _opens_sentence(tokens.text, tokens.starts[at]):
            return tokens.norms[at] != "i" and not (particle and before.endswith(":"))
        head = max(0, tokens.starts[at] - 14)
        if tokens.text[stop : stop + 1] in ("", "\n") and _ENTRY.search(tokens.text, head, tokens.starts[at]):
            return True
        following = tokens.norms[end] if end < len(tokens) else ""
        return not particle and following in self._verbs

    def _genre(self, tokens: Tokens, at: int, end: int) -> bool:
        """Whether a word such as "war" is meant as a genre."""
        if tokens.capital(at) and not _opens_sentence(tokens.text, tokens.starts[at]):
            return True
        text, following = tokens.text, tokens.norms[end : end + 4]
        if any(norm in self._nouns for norm in following[:2]):
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


_RANK = {"title": 0, "person": 1, "genre": 2, "aspect": 3}
_SMALL = frozenset(lexicon("claims")["small"])


class _Taken:
    """Stretches of a text that are spoken for."""

    def __init__(self, spans: Iterable[tuple[int, int]]) -> None:
        self.spans = sorted(spans)
        self.starts = [start for start, _ in self.spans]

    def holds(self, start: int, end: int) -> bool:
        """Whether a stretch overlaps one of them."""
        at = bisect_right(self.starts, end - 1) - 1
        return at >= 0 and self.spans[at][1] > start

    def first(self, start: int, end: int) -> int | None:
        """Where the first of them begins that overlaps a stretch."""
        return next((left for left, right in self.spans if left < end and start < right), None)

    def add(self, start: int, end: int) -> None:
        """One more."""
        at = bisect_right(self.starts, start)
        self.spans.insert(at, (start, end))
        self.starts.insert(at, start)


def _quotes(text: str) -> dict[int, int]:
    """Start → end of what stands in quotation marks or is set off."""
    found = {}
    for match in p.QUOTED.finditer(text):
        group = match.lastgroup
        assert group is not None
        found[match.start(group)] = match.end(group)
    return found


def _inside(quotes: Mapping[int, int], start: int, stop: int) -> int | None:
    return (
        next((left for left, right in quotes.items() if left <= start and stop <= right), None)
        if quotes
        else None
    )


def _closes(text: str, stop: int, end: int) -> bool:
    """Whether nothing but a year or punctuation is left of a quotation."""
    rest = text[stop:end].strip(" .,;:!?")
    return not rest or re.fullmatch(r"[(\[]?(?:18|19|20)\d\d[)\]]?", rest) is not None


def _opens_sentence(text: str, start: int) -> bool:
    head = text[max(0, start - 12) : start].rstrip(" \t\"'“‘«([*_-•")
    return (
        not head
        or head[-1] in ".!?\n…。！？"
        or text[max(0, start - 12) : start].rstrip(" \t*_#-").endswith("\n")
    )


def _neighbour(tokens: Tokens, at: int, end: int) -> bool:
    text = tokens.text
    if at and text[tokens.ends[at - 1] : tokens.starts[at]] == " " and tokens.capital(at - 1):
        before = tokens.word(at - 1)
        if before[0].isupper() and not _opens_sentence(text, tokens.starts[at - 1]) and before != "I":
            return True
    return (
        end < len(tokens)
        and text[tokens.ends[end - 1] : tokens.starts[end]] == " "
        and tokens.word(end)[0].isupper()
    )


def _title_like(text: str) -> bool:
    """Whether a quotation reads as the name of a work."""
    inside = Tokens.of(text.strip())
    if not 0 < len(inside) <= 14 or text.rstrip()[-1:] in ".,;":
        return False
    if not any(inside.cased(i) for i in range(len(inside))):
        return True
    long = [i for i in range(len(inside)) if inside.norms[i] not in _SMALL]
    return inside.capital(0) and bool(long) and all(inside.capital(i) for i in long)


_CUED_TITLE = re.compile(
    r"(?:[A-ZÀ-ÖØ-Þ0-9][\w'’&!.-]{0,30}(?:[ ]|:[ ]|,[ ](?=The\b|A\b))"
    r"(?:(?:of|the|and|in|a|an|to|for|on|at|de|la|&|with|from)[ ]){0,3}){0,8}"
    r"[A-ZÀ-ÖØ-Þ0-9][\w'’&!-]{0,30}"
)


_TRAILING = re.compile(r"(?:[\s,&(\"'“‘]|\b(?:and|of|the|in|a|an|to|for|on|at|with|from)\b)+$")


def _unknown_titles(tokens: Tokens, quotes: Mapping[int, int], known: list[Mention]) -> list[Mention]:
    """Names of works that no item has: in quotation marks, before a year, or said to be the user's past."""
    text = tokens.text
    taken = _Taken([(m.start, m.end) for m in known if m.kind in ("title", "person")])
    found: list[Mention] = []

    def note(start: int, end: int) -> None:
        if not taken.holds(start, end):
            taken.add(start, end)
            found.append(Mention(kind="title", start=start, end=end, text=text[start:end]))

    for start, end in quotes.items():
        inner = p.WRITTEN_YEAR.search(text, start, end)
        stop = inner.start() if inner is not None and inner["a"] and inner.start() > start else end
        if _title_like(text[start:stop]) and (stop - start > 3):
            note(start, stop)
    for year in re.finditer(r"\s[(\[](?:18|19|20)\d\d[)\]]", text):
        if (name := _name_before(tokens, year.start())) is not None:
            note(name, year.start())
    for cue in p.CUE.finditer(text):
        at = cue.end()
        if text[at : at + 1] != " " or p.CONDITION.search(text[max(0, cue.start() - 24) : cue.start()]):
            continue
        while True:
            match = _CUED_TITLE.match(text, at + 1)
            if match is None or match[0].split()[0] in ("I", "You", "We", "It") or _plain(match[0]):
                break
            start, end = match.span()
            known_from = taken.first(start, end)
            if (
                known_from is not None and known_from > start
            ):  # "A Quiet Place and Heat", only one of them known
                end = start + len(_TRAILING.sub("", text[start:known_from]))
            note(start, end)
            joined = re.compile(r"(?:\s\((?:18|19|20)\d\d\))?(?:,\sand|\sand|,|\s&)(?=\s)").match(
                text, match.end()
            )
            if joined is None:
                break
            at = joined.end()
    return found


def _plain(name: str) -> bool:
    """Words with a capital that are no title: a genre, a rating."""
    first = words(name)
    return not first or (len(first) == 1 and (first[0].isdigit() or first in _GENRE_WORDS))


_GENRE_WORDS = frozenset(words(name) for group in lexicon("claims")["genres"] for name in group)


def _name_before(tokens: Tokens, stop: int) -> int | None:
    """Where a run of capitalised words that ends at ``stop`` starts."""
    at = bisect_right(tokens.ends, stop) - 1
    if at < 0 or tokens.ends[at] != stop:
        return None
    start, last = None, at
    while at >= 0 and last - at < 12:
        gap = tokens.text[tokens.ends[at] : tokens.starts[at + 1]] if at < last else ""
        if at < last and (gap.strip(" '’:&-,!.") or re.search(r"\n|[.!?]\s", gap)):
            break
        if tokens.capital(at):
            start = at
        elif tokens.norms[at] not in _SMALL or at == last:
            break
        at -= 1
    if start is not None and start < last and tokens.norms[start + 1] in ("the", "a", "an"):
        start += tokens.capital(start + 1)  # "See The Lost Ferry"
    if start is None or tokens.norms[start] in ("in", "since", "because", "you", "from", "released"):
        start = None if start is None or start == last else start + 1
    return None if start is None or not tokens.capital(start) else tokens.starts[start]


def _written_year(text: str, title: Mention) -> None:
    match = p.WRITTEN_YEAR.match(text, title.end)
    if match is not None:
        group = "a" if match["a"] else "b"
        title.year, title.year_at = int(match[group]), match.span(group)


def _sentences(text: str, taken: _Taken) -> list[int]:
    starts = [0]
    for match in p.SENTENCE_END.finditer(text):
        if taken.holds(match.start(), match.start() + 1):
            continue
        if match[0].startswith(".") and p.ABBREVIATED.search(text, max(0, match.start() - 8), match.start()):
            continue
        starts.append(match.end())
    return starts


def _roles(text: str, mentions: list[Mention], taken: _Taken) -> None:
    """Say what people are said to have done, and add the names of people whom the catalogue does not know."""
    people = {m.start: m for m in mentions if m.kind == "person"}
    for cue in p.ROLE_CUE.finditer(text):
        role, at = cue.lastgroup, cue.end()
        while True:
            person = people.get(at)
            if person is None:
                match = p.NAME.match(text, at)
                if match is None or taken.holds(match.start(), match.end()):
                    break
                name = match[0].rstrip(".")
                person = Mention(
                    kind="person", start=at, end=at + len(name), text=name, value=" ".join(words(name))
                )
                if any(m.start < person.end and person.start < m.end for m in people.values()):
                    break
                people[at] = person
                mentions.append(person)
            if person.role is None:
                person.role = role
            joined = p.BETWEEN_NAMES.match(text, person.end)
            if joined is None:
                break
            at = joined.end()
    for person in people.values():
        after = p.AFTER_ROLE.match(text, person.end)
        if person.role is None and after is not None:
            person.role = after.lastgroup
            person.predicated = p.OF_ITEM.match(text, after.end()) is not None


_HOUR = re.compile(r"hour|hrs?\b|\dh\b|\d h\b")
_STAR = re.compile(r"star|rat(?:ed|ing)|gave|scor|out of|/")
_COIN = re.compile(r"[$€£¥]|USD|EUR|GBP|dollar|euro|pound|buck|cent|cost|pric", re.IGNORECASE)


def _numbers(text: str, taken: _Taken) -> list[Mention]:
    """Prices, minutes, ratings, years, then whatever numbers are left."""
    found: list[Mention] = []
    if not any(map(str.isdigit, text)) and not re.search(r"\b(?:stars?|hours?)\b", text):
        return found

    def add(
        kind: MentionKind,
        match: re.Match[str],
        number: float,
        *,
        at: tuple[int, int] | None = None,
        scale: float | None = None,
        value: str = "",
        bare: bool = False,
    ) -> None:
        start, end = at or match.span()
        taken.add(start, end)
        before = text[max(0, start - 24) : start]
        bound = next((sign for cue, sign in p.COMPARED if cue.search(before)), None)
        found.append(
            Mention(
                kind=kind,
                start=start,
                end=end,
                text=text[start:end],
                number=number,
                bound=bound,
                scale=scale,
                value=value,
                bare=bare,
            )
        )

    def amount(words: str) -> float:
        return p.WORDS.get(words.lower()) or float(words.replace(",", ""))

    for match in p.PRICE.finditer(text) if _COIN.search(text) else ():
        if not taken.holds(*match.span()):
            add("price", match, amount(match["a"] or match["b"] or match["d"]))
    low = text.casefold()
    for match in p.HOURS.finditer(text) if "h" in low and _HOUR.search(low) else ():
        if not taken.holds(*match.span()):
            minutes = 60 * amount(match["h"]) + (30 if match["half"] else 0) + float(match["m"] or 0)
            add("runtime", match, minutes, bare=match["m"] is None)
    for match in p.MINUTES.finditer(text):
        if not taken.holds(*match.span()):
            add("runtime", match, float(match["m"]))
    for start, end in list(taken.spans):  # "you rated Heat (1995) 4"
        if p.RATED.search(text, max(0, start - 130), start):
            stop = end + 1 if text[end : end + 1] in (")", "]") else end
            rated = p.AFTER_RATED.match(text, stop)
            if rated is not None and not taken.holds(*rated.span("n")):
                add("rating", rated, float(rated["n"]), at=rated.span("n"))
    for match in p.STARS.finditer(text) if _STAR.search(low) else ():
        if not taken.holds(*match.span()):
            of = match["of"] or match["of2"] or match["of3"]
            add(
                "rating",
                match,
                amount(match["a"] or match["b"] or match["c"]),
                scale=amount(of) if of else None,
            )
    for match in p.YEAR.finditer(text):
        if not taken.holds(*match.span()):
            before = text[max(0, match.start() - 32) : match.start()]
            cued = p.YEAR_CUE.search(before) is not None and p.SETTING.search(before) is None
            add("year", match, float(match["y"]), value="decade" if match["s"] else "", bare=not cued)
    for match in p.NUMBER.finditer(text):
        listed = p.ENUMERATION.search(text, max(0, match.start() - 10), match.start())
        if not taken.holds(*match.span()) and not (listed and text[match.end() : match.end() + 1] in ".):"):
            add("number", match, float(match[0].rstrip("%").replace(",", "")))
    return found
