"""Small pieces of English from which the bundled writers make sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genrec_eval.protocol.brief import ItemFacts

_BREAKS = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u2028\u2029]+")
_ROLES = {"director": "directed by", "cast": "with", "actor": "with", "writer": "written by", "author": "by"}
_PLURAL = frozenset({"visuals", "graphics", "effects", "characters", "lyrics"})


def one_line(text: str) -> str:
    """Foreign text on one line."""
    return _BREAKS.sub(" ", text).strip()


def joined(words: Sequence[str]) -> str:
    """``"a, b and c"``."""
    return " and ".join(filter(None, [", ".join(words[:-1]), *words[-1:]]))


def named(item: ItemFacts) -> str:
    """Title, with its year where there is one: remakes share their titles."""
    title = one_line(item.title) or item.id
    return title if item.year is None else f"{title} ({item.year})"


def article(phrase: str) -> str:
    """``phrase`` with "a" or "an".

    >>> article("action film"), article("war film")
    ('an action film', 'a war film')
    """
    return f"{'an' if phrase[:1].lower() in 'aeiou' else 'a'} {phrase}"


def kind(item: ItemFacts, most: int = 3) -> str:
    """What an item is, by its genres: ``"a crime and drama film"``."""
    genres = [one_line(genre).lower() for genre in item.genres[:most]]
    return article(f"{joined(genres)} film") if genres else "a title"


def makers(item: ItemFacts) -> list[str]:
    """``["directed by Ana Brandt", "with Leo Falk and Ida Moreau"]``."""
    return [
        f"{_ROLES.get(role, one_line(role) + ':')} {joined([one_line(name) for name in names[:2]])}"
        for role, names in item.people.items()
        if names
    ]


def made(role: str) -> str:
    """What somebody did for an item, by role."""
    return {
        "director": "directed",
        "cast": "acts in",
        "actor": "acts in",
        "writer": "wrote",
        "author": "wrote",
    }.get(role, "worked on")


def number(value: float) -> str:
    """``"4"``, ``"3.5"``."""
    return str(int(value)) if value == int(value) else repr(float(value))


def grade(value: float) -> str:
    """A rating with its article: "rated Heat 5" might be a title, "gave Heat a 5" is none.

    >>> grade(4.0), grade(8.5)
    ('a 4', 'an 8.5')
    """
    written = number(value)
    return f"{'an' if written.startswith(('8', '11', '18')) else 'a'} {written}"


def price(value: float) -> str:
    """Two decimals."""
    return f"{value:.2f}"


def be(aspect: str) -> str:
    """``"is"`` or ``"are"``."""
    return "are" if aspect in _PLURAL else "is"
