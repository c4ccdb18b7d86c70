"""What a brief holds that an argument can be made from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from genrec_eval.protocol.brief import Brief, ItemFacts, ReviewFacts, SeenItem


@dataclass(frozen=True, slots=True)
class Link:
    """What an item of the history has in common with the item that is written about."""

    seen: SeenItem
    people: tuple[tuple[str, str], ...]
    """Role in the item, and name."""
    genres: tuple[str, ...]

    @property
    def strength(self) -> int:
        """More for people than for genres: they are rarer."""
        return 3 * len(self.people) + len(self.genres)


@dataclass(frozen=True, slots=True)
class Tally:
    """How many reviews praise an aspect, and how many criticise it."""

    aspect: str
    praise: int
    blame: int

    @property
    def mentions(self) -> int:
        """Opinions of the aspect."""
        return self.praise + self.blame


def links(brief: Brief) -> list[Link]:
    """What the history has in common with the item, the strongest first, the latest first among equals."""
    found = [_link(brief.item, seen) for seen in reversed(brief.history) if seen.item.id != brief.item.id]
    return sorted((link for link in found if link.strength), key=lambda link: -link.strength)


def _link(item: ItemFacts, seen: SeenItem) -> Link:
    theirs = {name for names in seen.item.people.values() for name in names}
    genres = set(seen.item.genres)
    return Link(
        seen=seen,
        people=tuple((role, name) for role, names in item.people.items() for name in names if name in theirs),
        genres=tuple(genre for genre in item.genres if genre in genres),
    )


def middle(history: Sequence[SeenItem]) -> float | None:
    """The user's mean rating; None where nothing is rated."""
    rated = [seen.rating for seen in history if seen.rating is not None]
    return sum(rated) / len(rated) if rated else None


def liked(brief: Brief, seen: SeenItem) -> bool:
    """Whether the user thought well of an item: rated it no lower than the mean, and no 2 of 5 stars or less.

    The scale ends at 5, 10 or 100, whichever the ratings of the brief fit in. What has no rating was sought
    out, and says no more.
    """
    mean = middle(brief.history)
    if seen.rating is None or mean is None:
        return True
    highest = max(one.rating for one in brief.history if one.rating is not None)
    scale = next((end for end in (5.0, 10.0, 100.0) if highest <= end), highest)
    return seen.rating >= mean and seen.rating > 0.4 * scale


def disliked(brief: Brief, seen: SeenItem) -> bool:
    """Whether the user rated an item clearly below the mean."""
    mean = middle(brief.history)
    return seen.rating is not None and mean is not None and seen.rating <= mean - 0.75


def leanings(brief: Brief) -> Counter[str]:
    """Aspect → how often the user praised it less how often the user criticised it."""
    counts: Counter[str] = Counter()
    for seen in brief.history:
        counts.update(seen.liked)
        counts.subtract(seen.disliked)
    return counts


def praised_in(brief: Brief, aspect: str) -> SeenItem | None:
    """The latest item, among those that the user thought well of, whose ``aspect`` the user praised."""
    found = (seen for seen in reversed(brief.history) if aspect in seen.liked and liked(brief, seen))
    return next(found, None)


def tallies(reviews: Sequence[ReviewFacts]) -> list[Tally]:
    """Opinions by aspect, the most mentioned first."""
    praise, blame = Counter[str](), Counter[str]()
    for review in reviews:
        praise.update(set(review.positive))
        blame.update(set(review.negative))
    found = [Tally(aspect, praise[aspect], blame[aspect]) for aspect in sorted({*praise, *blame})]
    return sorted(found, key=lambda tally: -tally.mentions)
