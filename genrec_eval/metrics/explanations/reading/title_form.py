"""How titles are written: in quotation marks, with a year, in capitals that no sentence calls for."""

from __future__ import annotations

import re
from collections.abc import Mapping

from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.tokens import Tokens

_LISTS = lexicon("claims")
SMALL = frozenset(_LISTS["small"])
"""Words that have no capital inside a title."""
COMMON_NOUNS = frozenset(_LISTS["common_nouns"])
"""Nouns that are titles too."""
VERBS = frozenset(_LISTS["verbs"])
"""What follows a title that is the subject of a clause."""
_COMMON = frozenset(_LISTS["common"])
_ENTRY = re.compile(r"(?:^|\n)[ \t]{0,8}(?:\d{1,3}[.)]|[-*•])[ \t]{0,4}$")


def written_as_title(tokens: Tokens, at: int, end: int, lower: bool) -> bool:
    """Whether words are written as a title: in capitals, with a year, several in a caseless script."""
    stop = tokens.ends[end - 1]
    year = p.WRITTEN_YEAR.match(tokens.text, stop)
    if year is not None and year["a"]:
        return True
    if not any(tokens.cased(i) for i in range(at, end)):
        return end - at > 1 or len(tokens.word(at)) > 3
    if end - at > 1:
        if lower:
            return sum(norm not in _COMMON for norm in tokens.norms[at:end]) > 1
        long = [i for i in range(at, end) if tokens.norms[i] not in SMALL]
        return tokens.capital(at) and all(tokens.capital(i) or not tokens.cased(i) for i in long)
    if not tokens.capital(at) or tokens.word(at).isdigit():
        return False
    if _neighbour(tokens, at, end):  # "Miami Heat", "Heat Wave": a longer name of something else
        return False
    particle = tokens.norms[at] in _COMMON and tokens.norms[at] not in COMMON_NOUNS
    before = tokens.text[max(0, tokens.starts[at] - 4) : tokens.starts[at]].rstrip()
    if not opens_sentence(tokens.text, tokens.starts[at]):
        return tokens.norms[at] != "i" and not (particle and before.endswith(":"))
    head = max(0, tokens.starts[at] - 14)
    if tokens.text[stop : stop + 1] in ("", "\n") and _ENTRY.search(tokens.text, head, tokens.starts[at]):
        return True
    following = tokens.norms[end] if end < len(tokens) else ""
    return not particle and following in VERBS


def title_like(text: str) -> bool:
    """Whether a quotation reads as the name of a work."""
    name = Tokens.of(text.strip())
    if not 0 < len(name) <= 14 or text.rstrip()[-1:] in ".,;":
        return False
    if not any(name.cased(i) for i in range(len(name))):
        return True
    long = [i for i in range(len(name)) if name.norms[i] not in SMALL]
    return name.capital(0) and bool(long) and all(name.capital(i) for i in long)


def quotations(text: str) -> dict[int, int]:
    """Start → end of what stands in quotation marks or is set off."""
    found = {}
    for match in p.QUOTED.finditer(text):
        group = match.lastgroup
        assert group is not None
        found[match.start(group)] = match.end(group)
    return found


def inside(quotes: Mapping[int, int], start: int, stop: int) -> int | None:
    """Where the quotation starts that a stretch is part of."""
    return next((left for left, right in quotes.items() if left <= start and stop <= right), None)


def closes(text: str, stop: int, end: int) -> bool:
    """Whether nothing but a year or punctuation is left of a quotation."""
    rest = text[stop:end].strip(" .,;:!?")
    return not rest or re.fullmatch(r"[(\[]?(?:18|19|20)\d\d[)\]]?", rest) is not None


def opens_sentence(text: str, start: int) -> bool:
    """Whether a word is the first of its sentence, line or list entry."""
    head = text[max(0, start - 12) : start].rstrip(" \t\"'“‘«([*_-•")
    return (
        not head
        or head[-1] in ".!?\n…。！？"
        or text[max(0, start - 12) : start].rstrip(" \t*_#-").endswith("\n")
    )


def _neighbour(tokens: Tokens, at: int, end: int) -> bool:
    """Whether a word with a capital stands right before or behind."""
    text = tokens.text
    if at and text[tokens.ends[at - 1] : tokens.starts[at]] == " " and tokens.capital(at - 1):
        before = tokens.word(at - 1)
        if before[0].isupper() and not opens_sentence(text, tokens.starts[at - 1]) and before != "I":
            return True
    return (
        end < len(tokens)
        and text[tokens.ends[end - 1] : tokens.starts[end]] == " "
        and tokens.word(end)[0].isupper()
    )
