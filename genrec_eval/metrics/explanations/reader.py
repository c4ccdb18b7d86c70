"""Finds in a text what can be looked up: titles, people, years, genres, prices, minutes, ratings, numbers."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence

from genrec_eval.metrics.explanations.mentions import Mention, Reading
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.reading.amounts import amounts
from genrec_eval.metrics.explanations.reading.known_names import KnownNames
from genrec_eval.metrics.explanations.reading.roles import take_roles
from genrec_eval.metrics.explanations.reading.spans import Spans
from genrec_eval.metrics.explanations.reading.stances import take_stances
from genrec_eval.metrics.explanations.reading.title_form import quotations
from genrec_eval.metrics.explanations.reading.unknown_titles import unknown_titles
from genrec_eval.metrics.explanations.tokens import Tokens
from genrec_eval.protocol.brief import ItemFacts

_BEFORE = 80
"""Characters before a mention that say how it is meant."""


class Reader:
    """Reads texts against a catalogue; one reader serves any number of briefs.

    Parameters
    ----------
    catalogue
        Every item that a text may name.
    aspects
        Features that are looked for beside genres.

    Attributes
    ----------
    genres
        Way to write a genre → as the catalogue writes it.
    """

    def __init__(self, catalogue: Iterable[ItemFacts], aspects: Sequence[str] = ()) -> None:
        self._names = KnownNames(catalogue, aspects)
        self.genres = self._names.genres

    def read(self, text: str) -> Reading:
        """What is named in a text, in the order of the text."""
        tokens = Tokens.of(text)
        quotes = quotations(text)
        mentions = self._names.find(tokens, quotes)
        mentions += unknown_titles(tokens, quotes, mentions)
        titles = sorted((m for m in mentions if m.kind == "title"), key=lambda m: m.start)
        for title in titles:
            _written_year(text, title)
        taken = Spans([(m.start, m.year_at[1] if m.year_at else m.end) for m in titles])
        mentions = titles + [m for m in mentions if m.kind != "title" and not taken.holds(m.start, m.end)]
        take_roles(text, mentions, taken)
        mentions += amounts(text, taken)
        mentions.sort(key=lambda m: (m.start, -m.end))
        sentences = _sentences(text, taken)
        for mention in mentions:
            mention.sentence = bisect_right(sentences, mention.start) - 1
            if mention.kind in ("genre", "aspect", "person"):
                before = text[max(sentences[mention.sentence], mention.start - _BEFORE) : mention.start]
                mention.negated = p.NEGATED.search(before) is not None
                mention.predicated = mention.kind == "genre" and p.PREDICATED.search(before) is not None
        take_stances(text, mentions, sentences)
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


def _written_year(text: str, title: Mention) -> None:
    match = p.WRITTEN_YEAR.match(text, title.end)
    if match is not None:
        group = "a" if match["a"] else "b"
        title.year, title.year_at = int(match[group]), match.span(group)


def _sentences(text: str, taken: Spans) -> list[int]:
    """Where each sentence starts."""
    starts = [0]
    for match in p.SENTENCE_END.finditer(text):
        if taken.holds(match.start(), match.start() + 1):
            continue
        if match[0].startswith(".") and p.ABBREVIATED.search(text, max(0, match.start() - 8), match.start()):
            continue
        starts.append(match.end())
    return starts
