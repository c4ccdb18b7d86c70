"""Finds prices, minutes, ratings and years, and whatever numbers are left."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from genrec_eval.metrics.explanations.mentions import Mention, MentionKind
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.reading.spans import Spans

# most texts hold none of these, and looking for words is cheaper than for patterns
_ANY = re.compile(r"\b(?:stars?|hours?)\b")
_HOUR = re.compile(r"hour|hrs?\b|\dh\b|\d h\b")
_STAR = re.compile(r"star|rat(?:ed|ing)|gave|scor|out of|/")
_COIN = re.compile(r"[$€£¥]|USD|EUR|GBP|dollar|euro|pound|buck|cent|cost|pric", re.IGNORECASE)


def amounts(text: str, taken: Spans) -> list[Mention]:
    """Prices first, then minutes, ratings, years and other numbers; each takes its place from the next."""
    if not any(map(str.isdigit, text)) and not _ANY.search(text):
        return []
    found = _Found(text, taken)
    for kind in (_prices, _minutes, _ratings, _years, _others):
        kind(found)
    return found.mentions


class _Found:
    """Amounts found so far, and the places that are spoken for."""

    def __init__(self, text: str, taken: Spans) -> None:
        self.text, self.taken = text, taken
        self.low = text.casefold()
        self.mentions: list[Mention] = []

    def free(self, pattern: re.Pattern[str]) -> Iterator[re.Match[str]]:
        """Matches in places that nothing else has taken."""
        return (match for match in pattern.finditer(self.text) if not self.taken.holds(*match.span()))

    def add(self, kind: MentionKind, span: tuple[int, int], number: float, **more: Any) -> None:
        """Take a place for an amount."""
        start, end = span
        self.taken.add(start, end)
        before = self.text[max(0, start - 24) : start]
        bound = next((sign for cue, sign in p.COMPARED if cue.search(before)), None)
        text = self.text[start:end]
        self.mentions.append(
            Mention(kind=kind, start=start, end=end, text=text, number=number, bound=bound, **more)
        )


def _amount(words: str) -> float:
    return p.WORDS.get(words.lower()) or float(words.replace(",", ""))


def _prices(found: _Found) -> None:
    if _COIN.search(found.text):
        for match in found.free(p.PRICE):
            found.add("price", match.span(), _amount(match["a"] or match["b"] or match["d"]))


def _minutes(found: _Found) -> None:
    if "h" in found.low and _HOUR.search(found.low):
        for match in found.free(p.HOURS):
            minutes = 60 * _amount(match["h"]) + (30 if match["half"] else 0) + float(match["m"] or 0)
            found.add("runtime", match.span(), minutes, bare=match["m"] is None)
    for match in found.free(p.MINUTES):
        found.add("runtime", match.span(), float(match["m"]))


def _ratings(found: _Found) -> None:
    text, taken = found.text, found.taken
    for start, end in list(taken.spans):  # "you rated Heat (1995) 4"
        if p.RATED.search(text, max(0, start - 130), start):
            stop = end + 1 if text[end : end + 1] in (")", "]") else end
            rated = p.AFTER_RATED.match(text, stop)
            if rated is not None and not taken.holds(*rated.span("n")):
                found.add("rating", rated.span("n"), float(rated["n"]))
    if _STAR.search(found.low):
        for match in found.free(p.STARS):
            of = match["of"] or match["of2"] or match["of3"]
            stars = _amount(match["a"] or match["b"] or match["c"])
            found.add("rating", match.span(), stars, scale=_amount(of) if of else None)


def _years(found: _Found) -> None:
    for match in found.free(p.YEAR):
        before = found.text[max(0, match.start() - 32) : match.start()]
        cued = p.YEAR_CUE.search(before) is not None and p.SETTING.search(before) is None
        decade = "decade" if match["s"] else ""
        found.add("year", match.span(), float(match["y"]), value=decade, bare=not cued)


def _others(found: _Found) -> None:
    for match in found.free(p.NUMBER):
        listed = p.ENUMERATION.search(found.text, max(0, match.start() - 10), match.start())
        if not (listed and found.text[match.end() : match.end() + 1] in ".):"):
            found.add("number", match.span(), float(match[0].rstrip("%").replace(",", "")))
