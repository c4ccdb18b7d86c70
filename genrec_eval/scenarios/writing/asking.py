"""The requests of explanation scenarios: the brief as text, and its variants."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from genrec_eval.protocol.brief import Brief, SeenItem
from genrec_eval.protocol.requests import ChatRequest, Message

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from genrec_eval.scenarios.arms.attributes import Attribute

PARAPHRASE = "paraphrase"
WITHOUT_CITED = "without_cited"

BRIEF = "{brief}"
"""Where an instruction of one's own wants the facts."""

WORDINGS = {PARAPHRASE: 1}
"""Variant → which wording of the task it is put in; 0 for all others."""


def told_of(attributes: Mapping[str, Attribute]) -> list[tuple[str, str]]:
    """Attribute and value of every disclosure, in the order in which they are asked."""
    return [(name, value) for name, attribute in attributes.items() for value in attribute.values]


def spelled(attribute: str, value: str) -> str:
    """The name of a disclosure among the variants of a case."""
    return f"{attribute}={value}"


def steps_of(variants: Sequence[str], told: Sequence[tuple[str, str]] = ()) -> dict[str, int]:
    """Variant or disclosure → step of its record; step 0 is the plain brief.

    What depends on the first answer, and may not be asked at all, comes last.

    >>> steps_of(["without_cited", "paraphrase"], [("gender", "female"), ("gender", "male")])
    {'paraphrase': 1, 'gender=female': 2, 'gender=male': 3, 'without_cited': 4}
    """
    order = (PARAPHRASE, *(spelled(*one) for one in told), WITHOUT_CITED)
    asked = {*variants, *(spelled(*one) for one in told)}
    return {name: step for step, name in enumerate((name for name in order if name in asked), 1)}


def disclosing(brief: Brief, attribute: str, value: str) -> Brief:
    """The same brief with one thing more about its user."""
    return replace(brief, profile={**brief.profile, attribute: value})


def request_of(brief: Brief, variant: str | None = None, instruction: str | None = None) -> ChatRequest:
    """One message: the task in words with the facts below it.

    Parameters
    ----------
    instruction
        In place of the usual words; the facts stand where it says ``{brief}``, or at its end, and for
        a paraphrase at its beginning.
    """
    wording = WORDINGS.get(variant or "", 0)
    if instruction is None:
        text = brief.text(wording)
    else:
        facts = brief.text(None)
        before, _, after = instruction.partition(BRIEF)
        parts = (facts, before, after) if wording else (before, facts, after)
        text = "\n\n".join(part.strip() for part in parts if part.strip())
    return ChatRequest(messages=(Message("user", text),), user=brief.user or None)


def without(brief: Brief, items: Collection[str], words: Collection[str]) -> Brief:
    """The brief without some items of the history, and without some aspects and genres.

    Parameters
    ----------
    items
        Ids of items that the history loses.
    words
        Aspects that are taken out of what the user liked and disliked, and genres out of the item.
    """
    gone = {word.casefold() for word in words}

    def kept(values: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(value for value in values if value.casefold() not in gone)

    def clear(seen: SeenItem) -> SeenItem:
        return replace(seen, liked=kept(seen.liked), disliked=kept(seen.disliked))

    return replace(
        brief,
        item=replace(brief.item, genres=kept(brief.item.genres)),
        history=tuple(clear(seen) for seen in brief.history if seen.item.id not in items),
        aspects=kept(brief.aspects),
    )
