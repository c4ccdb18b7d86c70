"""One entry of a written list: the title, and where it may end.

A line such as ``Mission: Impossible - Fallout (2018) - great stunts`` does not say where its title
stops. An entry therefore holds *readings*, the longest first, and the catalogue decides: the first
reading that is in it is the mention. To cut is allowed only

- after a year in brackets, at the end of bold or quoted text at the start, or
- before " - ", ": ", " by Name Name" or brackets, when what follows reads like a remark (three words
  or more, lower-case words among them) and not like a subtitle. A year that stands after such a cut
  stays attached to the reading, so that "Mission: Impossible - Fallout (2018)" can never become the
  film of 1996.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import islice

from genrec_eval.models.llm.text import YEAR_GROUP, is_qualifier, split_year, squeeze

LONGEST = 300
"""Characters of a line that are read; no title is longer."""
MOST_READINGS = 8
MOST_SEPARATORS = 16
"""Places of a line at which a remark may begin; an answer of nothing but brackets took seconds to read."""


@dataclass(frozen=True, slots=True)
class Entry:
    """What was written at one position of the list.

    Attributes
    ----------
    readings
        Candidate texts of the title, the longest first; never empty.
    mention
        The reading that is kept when none is in the catalogue.
    """

    readings: tuple[str, ...]
    mention: str


_MARKED = re.compile(r"(?<!\w)(\*{1,3}|_{1,3}|~~|`)(?=\S)(.+?)(?<=\S)\1(?!\w)")
_QUOTED = re.compile(r"[\"“„«](?=\S)(.+?)(?<=\S)[\"”“»]|‘(.+?)’(?!\w)|'(.+?)'(?!\w)")
_LINK = re.compile(r"\[([^\[\]]+)\]\((?:https?://|www\.|/|#)[^()\s]*\)")
_LABEL = re.compile(
    r"[*_]{0,3}(?:title|movie|film|book|song|item|name|recommendation)\s*[*_]{0,3}:[*_]{0,3}\s+", re.I
)
_SEPARATOR = re.compile(
    r"\s+[-–—|]{1,2}\s+|[:;]\s+|\s*,?\s+(?=(?:directed|written|created) by\s)|\s+(?=[(\[])|,?\s+(?=because\s)"
    r"|\s+(?=by\s+[^\W\d_a-z][\w.'’-]*\s+[^\W\d_a-z])"
)
_OPENERS = frozenset(
    ("because", "since", "this", "it", "it's", "it’s", "if", "you", "you'll", "your", "another", "directed")
)
_SMALL = frozenset(
    ("from", "with", "into", "over", "upon", "under", "than", "that", "when", "your", "after", "before")
)
_NAME = re.compile(r"by\s+[^\W\d_a-z][\w.'’-]*\s+[^\W\d_a-z]")


def entry(text: str) -> Entry:
    """Read one line, without its number or bullet.

    >>> entry("Mission: Impossible - Fallout (2018) - the stunts are real").readings
    ('Mission: Impossible - Fallout (2018) - the stunts are real', 'Mission: Impossible - Fallout (2018)')
    >>> entry("**Heat** (1995): a duel of two professionals").mention
    'Heat (1995)'
    """
    whole = squeeze(text)[:LONGEST].strip()
    linked = _LINK.sub(r"\1", whole)
    labelled = _LABEL.match(linked)
    body = linked[labelled.end() :] if labelled and linked[labelled.end() :] else linked
    plain = _unmark(body)
    cuts = _marked_cuts(body) or _cuts(plain)
    readings = [whole, linked, body, plain, *cuts]
    kept = list(filter(None, dict.fromkeys(reading.strip() for reading in readings))) or [whole]
    del kept[MOST_READINGS - 1 : -1]  # the shortest stays
    mention = next((cut for cut in cuts if cut), plain) or whole
    return Entry(tuple(kept), mention)


def json_entry(text: str) -> Entry:
    """An entry whose ends are marked, as in JSON: all of it is the mention unless a shorter part is known."""
    return Entry(entry(text).readings, squeeze(text)[:LONGEST].strip())


def _unmark(text: str) -> str:
    return _MARKED.sub(r"\2", text).rstrip(",;").rstrip()


def _inner(marked: re.Match[str]) -> str:
    return next(group for group in reversed(marked.groups()) if group)


def _marked_cuts(body: str) -> list[str]:
    """Shorter readings of a line that starts with bold or quoted text; none when it does not."""
    marked = _MARKED.match(body) or _QUOTED.match(body)
    if marked is None:
        return []
    inner = _unmark(_inner(marked))
    quoted = _QUOTED.fullmatch(inner)
    inner = (_inner(quoted) if quoted else inner).rstrip(":-–— ").rstrip()
    rest = body[marked.end() :]
    if split_year(inner)[1] is None and (year := YEAR_GROUP.match(rest)):
        return [f"{inner} {rest[: year.end()].strip()}"]
    if marked.re is _QUOTED and (year := YEAR_GROUP.search(rest)):
        # "'Hellboy': The Seeds of Creation (2004)": the quotes may be part of a longer title.
        return [*_cuts(body), f"{inner} ({year['year']})"]
    # "**Title (1995) - remark**": the marked text itself may hold a remark.
    return [inner, *_cuts(inner)]


def _cuts(text: str) -> list[str]:
    """Shorter readings of unmarked text, the longest first."""
    found = []
    year = next((match for match in YEAR_GROUP.finditer(text) if match.start() > 0), None)
    end = len(text)
    if year is not None and year.end() < len(text):
        end = year.end()
        found.append(text[:end])
    head = text[: year.start()] if year else text
    tail = f" ({year['year']})" if year else ""
    for match in reversed(list(islice(_SEPARATOR.finditer(head), MOST_SEPARATORS))):
        if match.start() > 0 and _is_remark(text[: match.start()], head[match.end() :]):
            found.append(head[: match.start()] + tail)
    return found


def _is_remark(head: str, rest: str) -> bool:
    """Whether ``rest`` reads like a remark on ``head`` and not like a part of its title."""
    words = rest.split()
    if not words:
        return True
    if _NAME.match(rest):
        return True
    if rest[0] in "([":
        return not is_qualifier(rest)
    if len(words) >= 4 and words[0].lower().strip("*_") in _OPENERS:
        return True
    # Case tells a remark from a subtitle only where the title itself is written with capitals.
    if len(words) < 3 or not (head[:1].isupper() or head[:1].isdigit()):
        return False
    return any(
        len(word) >= 4 and word[0].islower() and word not in _SMALL for word in re.findall(r"[^\W\d_]+", rest)
    )
