"""Film titles as MovieLens writes them: year, trailing article, other titles in brackets."""

from __future__ import annotations

import re

_YEAR = re.compile(r"\((\d{4})(?:\s*[-–]\s*\d{0,4})?\)")
_MEDIUM = re.compile(r"\s*\((?:V|TV|VG|mini)\)\s*$")
_BRACKETS = re.compile(r"^(?P<rest>.*\S)\s+\((?P<inside>[^()]+)\)$")
_KNOWN_AS = re.compile(r"^(?:a\.?k\.?a\.?|aka)\s+", re.IGNORECASE)
_ARTICLE = re.compile(
    r"^(?P<rest>.+), (?P<article>The|A|An|Le|La|Les|L'|Un|Une|El|Los|Las|Il|Lo|I|Gli|Der|Die|Das|Den|Det|De"
    r"|O|Os|As)$"
)


def split_year(title: str) -> tuple[str, int | None]:
    """Name and year of a title; the last four digits in brackets count.

    >>> split_year("Toy Story (1995)")
    ('Toy Story', 1995)
    >>> split_year("Black Mirror")
    ('Black Mirror', None)
    """
    found = list(_YEAR.finditer(title))
    if not found:
        return title.strip(), None
    name = title[: found[-1].start()] + _MEDIUM.sub("", title[found[-1].end() :])
    return " ".join(name.split()), int(found[-1][1])


def natural(name: str) -> str:
    """Put a trailing article in front.

    >>> natural("Matrix, The"), natural("Avventura, L'"), natural("Girl, Interrupted")
    ('The Matrix', "L'Avventura", 'Girl, Interrupted')
    """
    match = _ARTICLE.match(name)
    if match is None:
        return name
    article = match["article"]
    return f"{article}{'' if article.endswith(chr(39)) else ' '}{match['rest']}"


def other_titles(title: str) -> list[str]:
    """Other ways in which people write ``title``, with the year where there is one.

    >>> other_titles("Matrix, The (1999)")
    ['The Matrix (1999)']
    >>> other_titles("Postman, The (Postino, Il) (1994)")
    ['The Postman (1994)', 'Il Postino (1994)']
    >>> other_titles("Toy Story (1995)")
    []
    """
    name, year = split_year(title)
    inside: list[str] = []
    while match := _BRACKETS.match(name):
        inside.insert(0, _KNOWN_AS.sub("", match["inside"]).strip())
        name = match["rest"]
    end = "" if year is None else f" ({year})"
    names = [natural(part) + end for part in (name, *inside) if part]
    return [other for other in dict.fromkeys(names) if other != " ".join(title.split())]
