"""Holds what a text says against a brief: supported, contradicted, not in the source, fabricated history."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from genrec_eval.metrics.explanations.finding import ClaimKind, ClaimVerdict, Finding
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention, Reading
from genrec_eval.metrics.explanations.tokens import words
from genrec_eval.protocol.brief import Brief, ItemFacts, SeenItem

SUPPORTED, CONTRADICTED = ClaimVerdict.SUPPORTED, ClaimVerdict.CONTRADICTED
SILENT, FABRICATED = ClaimVerdict.NOT_IN_SOURCE, ClaimVerdict.FABRICATED_HISTORY

_ROLES = {word: role for role, group in lexicon("claims")["roles"].items() for word in group}


def shown(item: ItemFacts) -> str:
    """An item as evidence names it."""
    return item.title if item.year is None else f"{item.title} ({item.year})"


@dataclass(frozen=True)
class Source:
    """A brief made ready for looking things up.

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


class Checker:
    """Checks the mentions of one reading against one source."""

    def __init__(self, reading: Reading, source: Source) -> None:
        self.reading, self.source = reading, source
        self.target = source.brief.item
        self._resolved: dict[int, ItemFacts | None] = {}
        self._by_sentence: dict[int, list[Mention]] = {}
        for mention in reading.mentions:
            if mention.kind == "title" and not (mention.weak and self._outside(mention)):
                self._resolved[id(mention)] = self.item_of(mention)
                self._by_sentence.setdefault(mention.sentence, []).append(mention)

    def findings(self) -> list[Finding]:
        """One finding per claim, in the order of the text."""
        found: list[Finding] = []
        for mention in self.reading.mentions:
            found += getattr(self, f"_{mention.kind}")(mention)
        return found

    def _outside(self, mention: Mention) -> bool:
        """Whether the brief holds no item of this title."""
        return not any(item == self.target.id or item in self.source.history for item in mention.items)

    def item_of(self, mention: Mention) -> ItemFacts | None:
        """Which item a title means: of the written year where one is, else of the brief where one is."""
        items = [item for one in mention.items if (item := self._known(one)) is not None]
        if mention.year is not None:
            items = [item for item in items if item.year in (mention.year, None)] or items
        in_brief = [item for item in items if item.id in self.source.history]
        target = [item for item in items if item.id == self.target.id]
        order = [*in_brief, *target] if mention.stance else [*target, *in_brief]
        return next(iter([*order, *items]), None)

    def _known(self, item: str) -> ItemFacts | None:
        if item == self.target.id:
            return self.target
        seen = self.source.history.get(item)
        return seen.item if seen is not None else self.source.catalogue.get(item)

    # One method per kind of mention.

    def _title(self, mention: Mention) -> list[Finding]:
        if id(mention) not in self._resolved:
            return []
        item = self._resolved[id(mention)]
        if mention.stance is not None and not (item is self.target and not mention.close):
            found = [self._past(mention, item)]
        elif item is None:
            found = [_finding(mention, "title", SILENT, "no item of the catalogue has this title")]
        else:
            seen = self.source.history.get(item.id)
            if item.id == self.target.id:
                said, verdict = f"the item to explain: {shown(item)}", SUPPORTED
            elif seen is not None:
                said, verdict = f"in the user's history: {told(seen)}", SUPPORTED
            else:
                said, verdict = f"in the catalogue: {shown(item)}", SILENT if self.source.only else SUPPORTED
            found = [_finding(mention, "title", verdict, said, item)]
        if mention.year is not None and mention.year_at is not None and item is not None:
            outside = self.source.only and item.id != self.target.id and item.id not in self.source.history
            known = [self.target] if outside else [item]
            found.append(self._year_of(mention.year_at, float(mention.year), known, item))
        return found

    def _past(self, mention: Mention, item: ItemFacts | None) -> Finding:
        seen = None if item is None else self.source.history.get(item.id)
        if seen is None:
            name = mention.text if item is None else shown(item)
            return _finding(mention, "history", FABRICATED, f"the user's history does not hold {name}", item)
        against = (mention.stance == "liked" and self.source.low(seen.rating)) or (
            mention.stance == "disliked" and self.source.high(seen.rating)
        )
        return _finding(mention, "history", CONTRADICTED if against else SUPPORTED, told(seen), item)

    def _genre(self, mention: Mention) -> list[Finding]:
        genre, source = mention.value, self.source
        if mention.stance is not None and not self._items(mention, before=True):
            return self._taste(mention)
        subjects = self._subjects(mention)
        holding = [item for item in subjects if genre in source.genres_of(item)]
        told = [item for item in subjects if item.genres]
        if mention.negated:
            subject = subjects[0]
            if genre in source.genres_of(subject):
                return [_finding(mention, "genre", CONTRADICTED, _genres(subject), subject)]
            return (
                [_finding(mention, "genre", SUPPORTED, _genres(subject), subject)] if subject.genres else []
            )
        if holding:
            return [_finding(mention, "genre", SUPPORTED, _genres(holding[0]), holding[0])]
        if mention.sentence in self.reading.addressed and not mention.predicated:
            for seen in source.brief.history:
                if genre in source.genres_of(seen.item):
                    said = f"in the user's history: {_genres(seen.item)}"
                    return [_finding(mention, "genre", SUPPORTED, said, seen.item)]
        if any(word in source.prose for word in words(mention.text)):
            return [
                _finding(
                    mention, "genre", SUPPORTED, "a description or review of the brief says so", subjects[0]
                )
            ]
        if told:
            return [_finding(mention, "genre", CONTRADICTED, _genres(told[0]), told[0])]
        return [
            _finding(mention, "genre", SILENT, f"no genres are known of {shown(subjects[0])}", subjects[0])
        ]

    def _taste(self, mention: Mention) -> list[Finding]:
        """A genre that the user is said to like, to have watched or to dislike."""
        source, genre = self.source, mention.value
        having = [seen for seen in source.brief.history if genre in source.genres_of(seen.item)]
        if not any(seen.item.genres for seen in source.brief.history):
            return [_finding(mention, "genre", SILENT, "no genres are known of the user's history")]
        if not having:
            if mention.stance == "disliked":
                return [_finding(mention, "genre", SILENT, f"the user's history holds no {genre}")]
            return [_finding(mention, "genre", FABRICATED, f"the user's history holds no {genre}")]
        against = source.low if mention.stance == "liked" else source.high
        verdict = SUPPORTED
        if mention.stance != "neutral" and all(against(seen.rating) for seen in having):
            verdict = CONTRADICTED
        return [
            _finding(
                mention,
                "genre",
                verdict,
                f"{genre} in the user's history: {told(having[-1])}",
                having[-1].item,
            )
        ]

    def _aspect(self, mention: Mention) -> list[Finding]:
        """An aspect that the user is said to like or dislike; praise of the item is opinion, no claim."""
        aspect, brief = mention.value.casefold(), self.source.brief
        if mention.stance in (None, "neutral"):
            return []
        cited = {item.id for item in self._items(mention)}
        shown_of = [seen for seen in brief.history if seen.liked or seen.disliked]
        own = [seen for seen in shown_of if seen.item.id in cited] or shown_of
        if not shown_of:
            return [_finding(mention, "aspect", SILENT, "the history says nothing of aspects")]

        def found(name: str) -> SeenItem | None:
            return next((s for s in own if aspect in (word.casefold() for word in getattr(s, name))), None)

        liked, disliked = found("liked"), found("disliked")
        wanted, other = (liked, disliked) if mention.stance == "liked" else (disliked, liked)
        if wanted is not None:
            return [_finding(mention, "aspect", SUPPORTED, told(wanted), wanted.item)]
        if other is not None:
            return [_finding(mention, "aspect", CONTRADICTED, told(other), other.item)]
        return [
            _finding(mention, "aspect", FABRICATED, f"the user's history says nothing of {mention.value}")
        ]

    def _person(self, mention: Mention) -> list[Finding]:
        subjects = [self.target] if mention.predicated else self._subjects(mention)
        role = mention.role
        for item in [*subjects, *(seen.item for seen in self.source.brief.history if mention.stance)]:
            for known, names in item.people.items():
                fits = role is None or _ROLES.get(known.casefold(), known.casefold()) == role
                if fits and any(_same(mention.value, name) for name in names):
                    if mention.negated:
                        return [_finding(mention, "person", CONTRADICTED, _people(item, known), item)]
                    return [_finding(mention, "person", SUPPORTED, _people(item, known), item)]
        if mention.negated:
            return []
        for item in subjects:
            for known, names in item.people.items():
                if any(_same(mention.value, name) for name in names):
                    return [_finding(mention, "person", CONTRADICTED, _people(item, known), item)]
        for item in subjects:
            for known, names in item.people.items():
                # a work has one director; of actors a catalogue rarely names all
                if _ROLES.get(known.casefold(), known.casefold()) == role and (
                    role != "actor" or len(names) > 1
                ):
                    return [_finding(mention, "person", CONTRADICTED, _people(item, known), item)]
        said = f"nothing is known of {mention.text} in {shown(subjects[0])}"
        return [_finding(mention, "person", SILENT, said, subjects[0])]

    def _year(self, mention: Mention) -> list[Finding]:
        assert mention.number is not None
        subjects, history = self._subjects(mention), [seen.item for seen in self.source.brief.history]
        if mention.value == "decade":
            decade = int(mention.number) // 10
            return [
                self._compared(
                    mention, "year", [*subjects, *history], lambda item: _decade(item) == decade, _year
                )
            ]
        if mention.bare:
            known = [*subjects, *history]
            if any(item.year == mention.number for item in known) or mention.number in self.source.numbers:
                return [_finding(mention, "year", SUPPORTED, "the brief gives this year")]
            return [_finding(mention, "year", SILENT, "the brief does not give this year")]
        if mention.number in self.source.numbers:
            return [_finding(mention, "year", SUPPORTED, "the brief's descriptions give this year")]
        if mention.sentence in self.reading.addressed and any(
            item.year == mention.number for item in history
        ):
            return [_finding(mention, "year", SUPPORTED, "an item of the user's history is of this year")]
        return [self._year_of((mention.start, mention.end), mention.number, subjects, None)]

    def _year_of(
        self, span: tuple[int, int], year: float, items: list[ItemFacts], item: ItemFacts | None
    ) -> Finding:
        right = next((one for one in items if one.year == year), None)
        told = next((one for one in items if one.year is not None), None)
        about = right or told or item or items[0]
        verdict = SUPPORTED if right else CONTRADICTED if told else SILENT
        return Finding(
            start=span[0], end=span[1], kind="year", verdict=verdict, evidence=_year(about), subject=about.id
        )

    def _price(self, mention: Mention) -> list[Finding]:
        return [
            self._compared(
                mention, "price", self._subjects(mention), lambda i: _fits(mention, i.price, 0.005), _price
            )
        ]

    def _runtime(self, mention: Mention) -> list[Finding]:
        near = 15.0 if mention.bare else 0.5  # "two hours" is a round number
        return [
            self._compared(
                mention,
                "runtime",
                self._subjects(mention),
                lambda i: _fits(mention, i.runtime, near),
                _runtime,
            )
        ]

    def _rating(self, mention: Mention) -> list[Finding]:
        assert mention.number is not None
        rated = {item.id: item for item in self._items(mention)}
        own = [seen for seen in self.source.brief.history if seen.rating is not None]
        about = [seen for seen in own if seen.item.id in rated]
        factor = self.source.scale / mention.scale if mention.scale else 1.0
        alone = mention.sentence in self.reading.addressed and not self._items(mention, before=True)
        for seen in about or (own if alone else ()):
            if seen.rating is not None and (
                abs(seen.rating - mention.number) < 0.005
                or abs(seen.rating - mention.number * factor) < 0.005
            ):
                return [_finding(mention, "rating", SUPPORTED, told(seen), seen.item)]
        if about and mention.sentence in self.reading.addressed:
            return [_finding(mention, "rating", CONTRADICTED, told(about[0]), about[0].item)]
        reviews = [review.rating for review in self.source.brief.reviews if review.rating is not None]
        if reviews and any(
            abs(mention.number - value) < 0.05 for value in (*reviews, sum(reviews) / len(reviews))
        ):
            return [
                _finding(mention, "rating", SUPPORTED, "ratings of the reviews in the brief", self.target)
            ]
        return [_finding(mention, "rating", SILENT, "the brief gives no such rating")]

    def _number(self, mention: Mention) -> list[Finding]:
        assert mention.number is not None
        if mention.number in self.source.numbers or len(self._items(mention)) == mention.number:
            return [_finding(mention, "number", SUPPORTED, "the brief gives this number")]
        target = self.target
        if mention.number in (target.runtime, target.price, target.year):
            return [_finding(mention, "number", SUPPORTED, "the catalogue gives this number", target)]
        return [_finding(mention, "number", SILENT, "the brief does not give this number")]

    # What a mention is about.

    def _items(self, mention: Mention, before: bool = False, after: int = -1) -> list[ItemFacts]:
        """Items named in the sentence, the nearest before the mention first."""
        titles = [t for t in self._by_sentence.get(mention.sentence, ()) if t.start > after]
        earlier = [t for t in titles if t.start < mention.start][::-1]
        later = [] if before else [t for t in titles if t.start > mention.start]
        found = [item for t in (*earlier, *later) if (item := self._resolved[id(t)]) is not None]
        if self.source.only:
            found = [i for i in found if i.id == self.target.id or i.id in self.source.history]
        return found

    def _subjects(self, mention: Mention) -> list[ItemFacts]:
        """Items that a claim may be about, the likeliest first; the recommended one is always among them."""
        titles = [t for t in self._by_sentence.get(mention.sentence, ()) if t.start < mention.start]
        resets = self.reading.resets
        last = bisect_right(resets, mention.start) - 1
        named = self._items(mention)
        if titles and (last < 0 or resets[last] < titles[-1].start):
            return list({item.id: item for item in (*named, self.target)}.values())
        if titles:  # "you liked Toy Story, so this comedy ...": what came before "this" is not meant
            named = self._items(mention, after=resets[last])
        return list({item.id: item for item in (self.target, *named)}.values())

    def _compared(
        self, mention: Mention, kind: ClaimKind, items: list[ItemFacts], fits: object, evidence: object
    ) -> Finding:
        assert callable(fits)
        assert callable(evidence)
        right = next((item for item in items if fits(item)), None)
        if right is not None:
            return _finding(mention, kind, SUPPORTED, evidence(right), right)
        told = next((item for item in items if _has(item, kind)), None)
        if told is not None:
            return _finding(mention, kind, CONTRADICTED, evidence(told), told)
        return _finding(mention, kind, SILENT, evidence(items[0]), items[0])


def _has(item: ItemFacts, kind: str) -> bool:
    return getattr(item, kind) is not None


def _fits(mention: Mention, known: float | None, near: float) -> bool:
    if known is None or mention.number is None:
        return False
    if mention.bound == "<":
        return known <= mention.number
    if mention.bound == ">":
        return known >= mention.number
    near = max(near, 0.1 * mention.number) if mention.bound == "~" else near
    return abs(known - mention.number) <= near


def _decade(item: ItemFacts) -> int | None:
    return None if item.year is None else item.year // 10


def _same(written: str, name: str) -> bool:
    return written == " ".join(words(name))


def _finding(
    mention: Mention, kind: ClaimKind, verdict: ClaimVerdict, evidence: str, item: ItemFacts | None = None
) -> Finding:
    return Finding(
        start=mention.start,
        end=mention.end,
        kind=kind,
        verdict=verdict,
        evidence=evidence,
        subject=None if item is None else item.id,
    )


def told(seen: SeenItem) -> str:
    """An item of the history as evidence tells it."""
    parts = [shown(seen.item)]
    if seen.rating is not None:
        parts.append(f"rated {seen.rating:g} by the user")
    parts += [
        f"{word}: {', '.join(of)}" for word, of in (("liked", seen.liked), ("disliked", seen.disliked)) if of
    ]
    return "; ".join(parts)


def _genres(item: ItemFacts) -> str:
    return f"{shown(item)}: {', '.join(item.genres) or 'no genres'}"


def _people(item: ItemFacts, role: str) -> str:
    return f"{shown(item)}: {role} {', '.join(item.people[role])}"


def _year(item: ItemFacts) -> str:
    return f"{item.title}: year {item.year if item.year is not None else 'not known'}"


def _price(item: ItemFacts) -> str:
    return f"{shown(item)}: price {'not known' if item.price is None else f'{item.price:g}'}"


def _runtime(item: ItemFacts) -> str:
    return f"{shown(item)}: {'length not known' if item.runtime is None else f'{item.runtime} minutes'}"


def check(reading: Reading, source: Source) -> list[Finding]:
    """What the source says of every claim of a text.

    Parameters
    ----------
    reading
        What :class:`~genrec_eval.metrics.explanations.reader.Reader` found in the text.
    """
    return Checker(reading, source).findings()
