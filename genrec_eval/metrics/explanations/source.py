"""A brief made ready for looking things up."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.metrics.explanations.tokens import words
from genrec_eval.protocol.brief import Brief, ItemFacts, SeenItem


@dataclass(frozen=True)
class Source:
    """A brief, and the catalogue behind it.

    Attributes
    ----------
    catalogue
        Every item by id.
    genres
        Way to write a genre → as the catalogue writes it.
    only
        Whether nothing outside the brief counts as a source, not even for the existence of a title.
    """

    brief: Brief
    catalogue: Mapping[str, ItemFacts]
    genres: Mapping[tuple[str, ...], str]
    only: bool = False

    @cached_property
    def history(self) -> dict[str, SeenItem]:
        """Items of the history by id, the latest where one comes twice."""
        return {seen.item.id: seen for seen in self.brief.history}

    @cached_property
    def scale(self) -> float:
        """The end of the rating scale, as far as the brief shows it."""
        most = max((seen.rating for seen in self.brief.history if seen.rating is not None), default=0.0)
        return next((end for end in (5.0, 10.0, 100.0) if most <= end), most)

    @cached_property
    def mean(self) -> float:
        """The user's mean rating in the brief; 0 where nothing is rated."""
        rated = [seen.rating for seen in self.brief.history if seen.rating is not None]
        return sum(rated) / len(rated) if rated else 0.0

    def low(self, rating: float | None) -> bool:
        """Whether a rating says that the user did not like it: 2 of 5 stars and less."""
        return rating is not None and rating <= 0.4 * self.scale

    def high(self, rating: float | None) -> bool:
        """Whether a rating says that the user liked it: 4 of 5 stars and more."""
        return rating is not None and rating >= 0.8 * self.scale

    def genres_of(self, item: ItemFacts) -> frozenset[str]:
        """Genres as the catalogue writes them."""
        return frozenset(map(self.canonical, item.genres))

    def canonical(self, genre: str) -> str:
        """A genre as the catalogue writes it."""
        return self.genres.get(words(genre), genre)

    @cached_property
    def numbers(self) -> frozenset[float]:
        """Every number that stands in the brief's words, and how many items the history has."""
        texts = [self.brief.item.title, self.brief.item.description or ""]
        texts += [review.text for review in self.brief.reviews]
        texts += [
            text for seen in self.brief.history for text in (seen.item.title, seen.item.description or "")
        ]
        found = {float(word) for text in texts for word in words(text) if word.isdecimal() and len(word) < 12}
        return frozenset(found | {float(len(self.brief.history)), float(len(self.brief.reviews))})

    @cached_property
    def prose(self) -> frozenset[str]:
        """Words of the descriptions and reviews."""
        texts = [self.brief.item.description or "", *(review.text for review in self.brief.reviews)]
        return frozenset(word for text in texts for word in words(text))

    def holds(self, item: str) -> bool:
        """Whether the brief shows an item."""
        return item == self.brief.item.id or item in self.history

    def facts(self, item: str) -> ItemFacts | None:
        """What is known of an item, as the brief shows it where it does."""
        if item == self.brief.item.id:
            return self.brief.item
        seen = self.history.get(item)
        return seen.item if seen is not None else self.catalogue.get(item)

    def item_of(self, title: Mention) -> ItemFacts | None:
        """Which item a title means: of the written year where one is, else of the brief where one is."""
        items = [item for one in title.items if (item := self.facts(one)) is not None]
        if title.year is not None:
            items = [item for item in items if item.year in (title.year, None)] or items
        in_brief = [item for item in items if item.id in self.history]
        target = [item for item in items if item.id == self.brief.item.id]
        order = [*in_brief, *target] if title.stance else [*target, *in_brief]
        return next(iter([*order, *items]), None)
