"""Finds names of works that no item has: in quotation marks, before a year, or said to be the user's past."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Mapping

from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.reading.spans import Spans
from genrec_eval.metrics.explanations.reading.title_form import SMALL, title_like
from genrec_eval.metrics.explanations.tokens import Tokens, words

_CUED_TITLE = re.compile(
    r"(?:[A-ZÀ-ÖØ-Þ0-9][\w'’&!.-]{0,30}(?:[ ]|:[ ]|,[ ](?=The\b|A\b))"
    r"(?:(?:of|the|and|in|a|an|to|for|on|at|de|la|&|with|from)[ ]){0,3}){0,8}"
    r"[A-ZÀ-ÖØ-Þ0-9][\w'’&!-]{0,30}"
)
_TRAILING = re.compile(r"(?:[\s,&(\"'“‘]|\b(?:and|of|the|in|a|an|to|for|on|at|with|from)\b)+$")
_AND = re.compile(r"(?:\s\((?:18|19|20)\d\d\))?(?:,\sand|\sand|,|\s&)(?=\s)")
_IN_BRACKETS = re.compile(r"\s[(\[](?:18|19|20)\d\d[)\]]")
_GENRE_WORDS = frozenset(words(name) for group in lexicon("claims")["genres"] for name in group)


def unknown_titles(tokens: Tokens, quotes: Mapping[int, int], known: list[Mention]) -> list[Mention]:
    """Names of works that no item has: in quotation marks, before a year, or said to be the user's past."""
    text = tokens.text
    taken = Spans([(m.start, m.end) for m in known if m.kind in ("title", "person")])
    found: list[Mention] = []

    def note(start: int, end: int) -> None:
        if not taken.holds(start, end):
            taken.add(start, end)
            found.append(Mention(kind="title", start=start, end=end, text=text[start:end]))

    for start, end in quotes.items():
        inner = p.WRITTEN_YEAR.search(text, start, end)
        stop = inner.start() if inner is not None and inner["a"] and inner.start() > start else end
        if title_like(text[start:stop]) and (stop - start > 3):
            note(start, stop)
    for year in _IN_BRACKETS.finditer(text):
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
            if known_from is not None and known_from > start:
                # "A Quiet Place and Heat", only one of them known
                end = start + len(_TRAILING.sub("", text[start:known_from]))
            note(start, end)
            joined = _AND.match(text, match.end())
            if joined is None:
                break
            at = joined.end()
    return found


def _plain(name: str) -> bool:
    """Words with a capital that are no title: a genre, a rating."""
    first = words(name)
    return not first or (len(first) == 1 and (first[0].isdigit() or first in _GENRE_WORDS))


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
        elif tokens.norms[at] not in SMALL or at == last:
            break
        at -= 1
    if start is not None and start < last and tokens.norms[start + 1] in ("the", "a", "an"):
        start += tokens.capital(start + 1)  # "See The Lost Ferry"
    if start is None or tokens.norms[start] in ("in", "since", "because", "you", "from", "released"):
        start = None if start is None or start == last else start + 1
    return None if start is None or not tokens.capital(start) else tokens.starts[start]
