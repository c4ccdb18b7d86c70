"""What a text cites of its brief: items and aspects of the history, and genres."""

from __future__ import annotations

from dataclasses import dataclass

from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.source import Source


@dataclass(frozen=True, slots=True)
class Cited:
    """What a text cites, in the order of the text.

    Attributes
    ----------
    items
        Ids of items of the history.
    aspects
        Aspects that the history has the user like or dislike.
    genres
        Genres of the item, as the brief writes them.
    """

    items: tuple[str, ...] = ()
    aspects: tuple[str, ...] = ()
    genres: tuple[str, ...] = ()

    @property
    def first(self) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """What a counterfactual takes away: one item, else one aspect, else one genre, as (items, words)."""
        if self.items:
            return self.items[:1], ()
        return (), self.aspects[:1] or self.genres[:1]


def cited(reading: Reading, source: Source) -> Cited:
    """What a text cites of a brief."""
    brief = source.brief
    known = {aspect.casefold() for seen in brief.history for aspect in (*seen.liked, *seen.disliked)}
    own = {source.canonical(genre): genre for genre in brief.item.genres}
    items, aspects, genres = [], [], []
    for mention in reading.mentions:
        if mention.kind == "title":
            item = source.item_of(mention)
            if item is not None and item.id in source.history:
                items.append(item.id)
        elif mention.kind == "aspect" and mention.value.casefold() in known:
            aspects.append(mention.value)
        elif mention.kind == "genre" and not mention.negated and mention.value in own:
            genres.append(own[mention.value])
    return Cited(*(tuple(dict.fromkeys(found)) for found in (items, aspects, genres)))
