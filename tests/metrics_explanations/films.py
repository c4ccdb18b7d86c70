"""A small catalogue with awkward titles, and a brief to hold texts against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from genrec_eval.metrics.explanations.checking import check
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.reader import Reader
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts, SeenItem


def film(key: str, title: str, year: int, genres: str, **more: Any) -> ItemFacts:
    """One item."""
    return ItemFacts(id=key, title=title, year=year, genres=tuple(genres.split("/")), **more)


HEAT = film(
    "heat",
    "Heat",
    1995,
    "Crime/Drama",
    people={"director": ("Michela Manno",), "cast": ("Alba Pacini", "Roberta Nero")},
    price=9.99,
    runtime=170,
)
OLD_HEAT = film("old-heat", "Heat", 1986, "Action")
UP = film("up", "Up", 2009, "Animation/Comedy")
IT = film("it", "It", 2017, "Horror")
TOYS = film("toys", "Toy Story", 1995, "Animation/Comedy", people={"director": ("Jona Lassiter",)})
ALIEN = film("alien", "Alien", 1979, "Horror/Science Fiction", people={"director": ("Rita Scotti",)})
ALIENS = film("aliens", "Aliens", 1986, "Action/Science Fiction")
BRIDGE = film("bridge", "The Bridge", 2001, "War/Romance", aliases=("Bridge, The",))
LONG = film("long", "The Bridge of Silent Stars", 2003, "Drama")
SEVEN = film("seven", "七人の侍", 1954, "Action/Drama", aliases=("Seven Samurai",))
OLD_MAN = film("old-man", "The Old Man and the Widow", 1999, "Drama")
NUMBER = film("number", "1984", 1984, "Drama")
ITEMS = (HEAT, OLD_HEAT, UP, IT, TOYS, ALIEN, ALIENS, BRIDGE, LONG, SEVEN, OLD_MAN, NUMBER)
CATALOGUE = {item.id: item for item in ITEMS}
ASPECTS = ("acting", "pacing", "music", "special effects")

BRIEF = Brief(
    task="explain",
    item=HEAT,
    user="u1",
    history=(
        SeenItem(item=ALIEN, rating=5.0, liked=("pacing",)),
        SeenItem(item=TOYS, rating=1.0, disliked=("music",)),
        SeenItem(item=BRIDGE, rating=4.0, liked=("acting",), disliked=("music",)),
    ),
    aspects=ASPECTS,
)
OTHER = Brief(
    task="explain",
    item=UP,
    user="u2",
    history=(SeenItem(item=SEVEN, rating=4.0), SeenItem(item=TOYS, rating=5.0)),
    reviews=(ReviewFacts(id="r1", text="Funny.", rating=4.0, positive=("acting",)),),
    aspects=ASPECTS,
)


def findings(
    text: str, brief: Brief = BRIEF, items: Sequence[ItemFacts] = ITEMS
) -> list[tuple[str, str, str]]:
    """(words, kind, verdict) of every claim."""
    reader = Reader(items, ASPECTS)
    found = check(reader.read(text), Source(brief, {item.id: item for item in items}, reader.genres))
    return [(text[f.start : f.end], f.kind, str(f.verdict)) for f in found]


def explained(*texts: str | None, **more: Any) -> Explanations:
    """Explanations of one brief after the other, the same for all unless given."""
    given = {"briefs": [BRIEF] * len(texts), "catalogue": CATALOGUE, "vocabulary": ASPECTS}
    return Explanations(texts=list(texts), **{**given, **more})
