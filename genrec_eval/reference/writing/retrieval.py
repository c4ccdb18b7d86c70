"""Retrieval: passages of the brief are looked up, and the text is written from those it returns."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise
from typing import ClassVar

from pydantic import Field, PositiveInt

from genrec_eval.core.strict import StrictModel
from genrec_eval.protocol.brief import Brief, ReviewFacts
from genrec_eval.reference.writing import evidence
from genrec_eval.reference.writing.base import Writer, Written
from genrec_eval.reference.writing.phrases import grade, joined, kind, makers, named, number, one_line
from genrec_eval.reference.writing.template import summary

_SENTENCE = re.compile(r"[^.!?]+[.!?]*")
_WORD = re.compile(r"\w+")
_LONGEST = 200


class RetrievalOptions(StrictModel):
    """Options of ``retrieval-writer``."""

    passages: PositiveInt = Field(3, description="Most sentences of reviews that an explanation quotes.")


class RetrievalWriter(Writer):
    """Looks up sentences of reviews by the aspects that count, and quotes what it finds.

    For an explanation those are the aspects that the user praised elsewhere, the most praised first; for a
    summary all that reviews speak of, a sentence for and one against each, where there are such. A passage is
    a sentence of a review, the item's entry in the catalogue or an entry of the history; those it wrote from
    are returned with the text, in the order of use. Sentences that hold no aspect are never looked up, so
    greetings and signatures stay where they are.
    """

    name = "retrieval-writer"
    version: ClassVar[int] = 1
    Options = RetrievalOptions

    def write(self, brief: Brief, repeat: int = 0) -> Written:
        """See :meth:`Writer.write`."""
        said, passages = self._explain(brief) if brief.task == "explain" else self._summarise(brief, repeat)
        return Written(" ".join(said), tuple(passages))

    def _explain(self, brief: Brief) -> tuple[list[str], list[str]]:
        entry = ", ".join([kind(brief.item), *makers(brief.item)[:1]])
        said, passages = [f"{named(brief.item)} is {entry}."], [f"{named(brief.item)}: {entry}."]
        link = next((one for one in evidence.links(brief) if evidence.liked(brief, one.seen)), None)
        if link is not None:
            shared = [one_line(name) for _, name in link.people] or [one_line(g).lower() for g in link.genres]
            rating = link.seen.rating
            what = "seen" if rating is None else f"rating {number(rating)}"
            passages.append(f"History: {named(link.seen.item)}, {what}; shares {joined(shared)}.")
            past = "have seen" if rating is None else "gave"
            mark = "" if rating is None else f" {grade(rating)}"
            people = f", which shares {joined(shared)} with it" if link.people else ", which is akin to it"
            said.append(f"You {past} {named(link.seen.item)}{mark}{people}.")
        wanted = [aspect for aspect, count in evidence.leanings(brief).most_common() if count > 0]
        quotes = _lookup(brief.reviews, wanted)[: self.options.passages]
        said += [f"{lead} “{quote}”" for lead, quote in zip(_leads(), quotes, strict=False)]
        if not quotes and brief.item.description:
            description = one_line(brief.item.description)[:_LONGEST]
            quotes = [description]
            said.append(f"The catalogue describes it so: “{description}”")
        return said, [*passages, *quotes]

    def _summarise(self, brief: Brief, repeat: int) -> tuple[list[str], list[str]]:
        said, passages = summary(brief, self.draw(brief, repeat)), []
        for tally in evidence.tallies(brief.reviews):
            for side in ("positive", "negative"):
                holding = [review for review in brief.reviews if tally.aspect in getattr(review, side)]
                passages += _lookup(holding, [tally.aspect])[:1]
        passages = list(dict.fromkeys(passages))
        return [*said, *(f"One of them writes: “{quote}”" for quote in passages[:1])], passages


def _leads() -> Iterable[str]:
    yield "A reviewer writes:"
    yield "Another says:"
    while True:
        yield "And one more:"


def _lookup(reviews: Iterable[ReviewFacts], wanted: list[str]) -> list[str]:
    """Sentences that hold a wanted aspect, those of the most wanted first, each once."""
    found: list[tuple[int, int, str]] = []
    for place, review in enumerate(reviews):
        for match in _SENTENCE.finditer(review.text):
            sentence = one_line(match[0])[:_LONGEST]
            words = {word.casefold() for word in _WORD.findall(sentence)}
            ranks = [rank for rank, aspect in enumerate(wanted) if aspect.casefold() in words]
            if ranks and not _names_somebody(sentence, review):
                found.append((ranks[0], place, sentence))
    return list(dict.fromkeys(sentence for _, _, sentence in sorted(found)))


def _names_somebody(sentence: str, review: ReviewFacts) -> bool:
    """Whether a private person may stand in it: its author, or two words with capitals side by side."""
    author = {word.casefold() for word in _WORD.findall(review.author or "")}
    words = _WORD.findall(sentence)
    capitals = [word[:1].isupper() and word != "I" for word in words]
    return any(word.casefold() in author for word in words) or any(
        first and second for first, second in pairwise(capitals)
    )
