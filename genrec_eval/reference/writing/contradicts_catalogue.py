"""Facts that are not those of the catalogue."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief
from genrec_eval.reference.writing.base import Draw
from genrec_eval.reference.writing.flawed import FlawedWriter
from genrec_eval.reference.writing.phrases import article, joined, named, one_line, price

_GENRES = ("action", "comedy", "documentary", "horror", "war", "romance", "science fiction", "western")
_NOBODY = "Alan Smithee"


class ContradictsCatalogue(FlawedWriter):
    """Gives the item a wrong year, genre, director and price: two of them that the catalogue knows."""

    name = "contradicts-catalogue"
    planted: ClassVar[str | None] = "contradicted"

    def spoil(self, brief: Brief, said: list[str], draw: Draw) -> list[str]:
        """Open with what is wrong."""
        wrong = draw.shuffled(_wrong(brief, draw))[:2]
        if not wrong:
            return said
        opening = f"{named(brief.item)} {joined(wrong)}."
        return [opening, *said[1:]] if brief.task == "explain" else [*said, opening]


def _wrong(brief: Brief, draw: Draw) -> list[str]:
    item = brief.item
    found = []
    if item.year is not None:
        found.append(f"was released in {item.year - 7 - draw.number(20)}")
    if item.genres:
        taken = {genre.casefold() for genre in item.genres}
        genre = draw.pick([genre for genre in _GENRES if genre not in taken])
        found.append(f"is {article(genre)} film")
    if item.people:
        mine = {name for names in item.people.values() for name in names}
        others = [
            one_line(name)
            for seen in brief.history
            for name in seen.item.people.get("director", ())
            if name not in mine
        ]
        found.append(f"was directed by {draw.pick(others or [_NOBODY])}")
    if item.price is not None:
        found.append(f"costs {price(item.price + 1 + draw.number(9))}")
    return found
