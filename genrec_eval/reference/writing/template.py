"""Sentences from templates, filled with facts of the brief alone."""

from __future__ import annotations

from typing import ClassVar

from genrec_eval.protocol.brief import Brief, ItemFacts, SeenItem
from genrec_eval.reference.writing import evidence
from genrec_eval.reference.writing.base import Draw, Writer, Written
from genrec_eval.reference.writing.evidence import Link, Tally
from genrec_eval.reference.writing.phrases import (
    be,
    grade,
    joined,
    kind,
    made,
    makers,
    named,
    one_line,
    price,
)


class TemplateWriter(Writer):
    """Fills templates with facts of the brief: what the item shares with what the user liked, and what not.

    An explanation says what the item is, what links it with something that the user rated well, and what
    speaks for or against it: an aspect that the user praised elsewhere and reviews praise here, a kindred
    item that the user rated low. A summary tells what most reviews praise, what most find weak, and what a
    minority holds. Nothing is said that the brief does not hold, and nothing about the user's person.
    """

    name = "template-writer"
    version: ClassVar[int] = 1

    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """See :meth:`Writer.write`."""
        return Written(" ".join(self.sentences(brief, self.draw(brief, repeat))))

    def sentences(self, brief: Brief, draw: Draw) -> list[str]:
        """The text, a sentence each."""
        return explanation(brief, draw) if brief.task == "explain" else summary(brief, draw)


def explanation(brief: Brief, draw: Draw) -> list[str]:
    """Why the item, in two to four sentences."""
    said = [_opening(brief.item, draw)]
    found = evidence.links(brief)
    good = next((link for link in found if evidence.liked(brief, link.seen)), None)
    said.append(_tie(good, draw) if good else _no_tie(brief, draw))
    if argument := _aspect(brief, draw):
        said.append(argument)
    against = next((link for link in found if evidence.disliked(brief, link.seen)), None)
    if against is not None and (good is None or against.strength >= good.strength):
        said.append(_warning(against))
    return said


def _opening(item: ItemFacts, draw: Draw) -> str:
    who = makers(item)
    facts = [", ".join(who[:1])] if who else []
    practical = []
    if item.runtime is not None:
        practical.append(f"runs {item.runtime} minutes")
    if item.price is not None:
        practical.append(f"costs {price(item.price)}")
    described = " ".join([kind(item), *facts])
    return draw.pick(
        [
            f"{named(item)} is {described}.",
            f"Here is {named(item)}: {described}.",
            f"{named(item)} is {described}" + (f"; it {joined(practical)}." if practical else "."),
        ]
    )


def _seen(seen: SeenItem) -> str:
    if seen.rating is None:
        return f"you have seen {named(seen.item)}"
    return f"you gave {named(seen.item)} {grade(seen.rating)}"


def _tie(link: Link, draw: Draw) -> str:
    seen = _seen(link.seen)
    capital = seen[0].upper() + seen[1:]
    if link.people:
        role, name = link.people[0]
        name = one_line(name)
        return draw.pick(
            [
                f"{capital}, and {name}, who {made(role)} this one, was part of that too.",
                f"It is suggested because {seen}: {name} is part of both.",
            ]
        )
    genres = joined([one_line(genre).lower() for genre in link.genres])
    return draw.pick(
        [
            f"{capital}, and that is {_kindred(genres)} film too.",
            f"It is suggested because {seen}, which is also {_kindred(genres)} film.",
            f"Like {named(link.seen.item)}, it is {_kindred(genres)} film, and {seen}.",
        ]
    )


def _kindred(genres: str) -> str:
    return f"{'an' if genres[:1] in 'aeiou' else 'a'} {genres}"


def _no_tie(brief: Brief, draw: Draw) -> str:
    if not brief.history:
        return draw.pick(
            [
                "Nothing is known yet of what you have seen, so take it as a place to start.",
                "It is an open suggestion, for there is no history to go by.",
            ]
        )
    return draw.pick(
        [
            "It shares neither makers nor genres with the titles that you rated well: it is new ground.",
            "No title that you rated well has its makers or its genres, so take it as a change.",
        ]
    )


def _aspect(brief: Brief, draw: Draw) -> str | None:
    """An argument from an aspect that the user cares for; reviews of the item decide where there are any."""
    wanted = [aspect for aspect, count in evidence.leanings(brief).most_common() if count > 0]
    opinions = {tally.aspect: tally for tally in evidence.tallies(brief.reviews)}
    for aspect in wanted:
        seen, opinion = evidence.praised_in(brief, aspect), opinions.get(aspect)
        if seen is None:
            continue
        past = f"you praised the {one_line(aspect)} of {named(seen.item)}"
        if opinion is not None and opinion.praise > opinion.blame:
            return f"Reviewers find its {one_line(aspect)} strong, and {past}."
        if opinion is not None and opinion.blame > opinion.praise:
            return f"A word of caution: {past}, but reviewers find it weak here."
    for aspect in wanted:
        if brief.reviews or (seen := evidence.praised_in(brief, aspect)) is None:
            continue
        past = f"you praised the {one_line(aspect)} of {named(seen.item)}"
        return draw.pick(
            [
                f"Since {past}, watch what it makes of that.",
                f"Y{past[1:]}, so that may be what to watch for.",
            ]
        )
    return None


def _warning(link: Link) -> str:
    assert link.seen.rating is not None
    past = f"you gave {named(link.seen.item)} only {grade(link.seen.rating)}"
    if link.people:
        return f"What speaks against it: {past}, and {one_line(link.people[0][1])} is part of that as well."
    genres = joined([one_line(genre).lower() for genre in link.genres])
    return f"What speaks against it: {past}, which is {_kindred(genres)} film as well."


def summary(brief: Brief, draw: Draw) -> list[str]:
    """What reviews say, in one to four sentences."""
    if not brief.reviews:
        return [f"There are no reviews of {named(brief.item)} yet."]
    found = evidence.tallies(brief.reviews)
    praised = [tally for tally in found if tally.praise > tally.blame]
    blamed = [tally for tally in found if tally.blame > tally.praise]
    split = [tally for tally in found if tally.blame == tally.praise]
    if not found:
        return [f"The reviews of {named(brief.item)} judge it as a whole and go into no detail."]
    said = []
    if praised:
        said.append(
            draw.pick(
                [
                    f"Reviewers of {named(brief.item)} find {_listed(praised, 'strong')}.",
                    f"Reviewers of {named(brief.item)} praise {_names(praised)}.",
                ]
            )
        )
    if blamed:
        said.append(
            f"{'They' if said else 'Reviewers of ' + named(brief.item)} find {_listed(blamed, 'weak')}."
        )
    if split:
        said.append(f"Opinions are split on {_names(split)}: some find {_it(split)} strong, others weak.")
    if minority := _minority(praised, blamed):
        said.append(minority)
    return said


def _names(found: list[Tally]) -> str:
    return joined([f"the {one_line(tally.aspect)}" for tally in found])


def _listed(found: list[Tally], word: str) -> str:
    return f"{_names(found)} {word}"


def _it(found: list[Tally]) -> str:
    return "them" if len(found) > 1 or be(found[0].aspect) == "are" else "it"


def _minority(praised: list[Tally], blamed: list[Tally]) -> str | None:
    """What the fewer hold, where they hold something else."""
    weak = [tally for tally in praised if tally.blame]
    strong = [tally for tally in blamed if tally.praise]
    parts = [f"finds {_names(found)} {word}" for found, word in ((weak, "weak"), (strong, "strong")) if found]
    return f"A minority disagrees and {', and '.join(parts)}." if parts else None
