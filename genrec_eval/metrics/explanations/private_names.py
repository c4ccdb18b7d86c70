"""Names of private persons in reviews, and whether a text repeats them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache

import numpy as np

from genrec_eval.metrics.base import Definition, UnitScores, define
from genrec_eval.metrics.explanations.explanations import Explanations
from genrec_eval.metrics.explanations.found import readings_of, unstained
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.reviewed import read_passage
from genrec_eval.metrics.explanations.tokens import Tokens, normal, words
from genrec_eval.protocol.brief import Brief, ItemFacts

_POSSESSIVE = re.compile(r"['’]s$", re.IGNORECASE)
_NAMELIKE = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")
_PAIR = re.compile(r"[^\W\d_a-z][\w'’-]{0,40}[ .]\s?[^\W\d_a-z]")
"""Two words in a row that may begin with a capital."""
_LONGEST = 4
"""Words of a name."""


@dataclass(frozen=True, slots=True)
class Name:
    """A private person.

    Attributes
    ----------
    full
        Words in normal form.
    parts
        Those that by themselves give the person away.
    """

    full: tuple[str, ...]
    parts: frozenset[str]


@define(
    Definition(
        name="leaked_names",
        title="Leaked names",
        summary="Share of texts that name a reviewer, or a private person whom a review names.",
        formula=(
            "texts with such a name / texts. Persons are the authors of the brief's reviews, and names in the"
            " reviews that stand beside words such as 'signed', 'my friend' or 'saw it with'. A text leaks"
            " one when it holds the whole name in any case, or one part of it with a capital, possessives"
            " included; titles, and people of the catalogue by their whole names, are no leak, nor is a part"
            " that is a name of somebody who made the item or an item of the history."
        ),
        degenerate=(
            "Without a text excluded and counted (no-text), without a word in it too (no-token). A text on"
            " reviews that name nobody leaks nothing: 0. Authors such as 'Anonymous' or 'Amazon Customer'"
            " are nobody."
        ),
        source="This project; personal names in summaries are a privacy leak, not a fact about the item.",
        direction="lower",
        unit="share",
        values="indicator",
        needs_cutoff=False,
        resampling_unit="item",
        on="explanations",
        traps=(
            "Nicknames and misspelt names escape it, and a name in a review that nothing marks as a person's."
            " A part that is a word too (May, Grace) is taken for the word at the head of a sentence."
        ),
    )
)
def leaked_names(explanations: Explanations) -> UnitScores:
    """Whether each text names somebody who has no part in the item."""
    known = _catalogue_people(explanations)
    hits = np.zeros(len(explanations), bool)
    for row, (reading, brief) in enumerate(zip(readings_of(explanations), explanations.briefs, strict=True)):
        if reading is not None:
            hits[row] = bool(leaks(reading, persons_of(explanations, brief), known, makers_of(brief)))
    return unstained(explanations, hits)


def persons_of(explanations: Explanations, brief: Brief) -> list[Name]:
    """The authors of the reviews of a brief, and the private persons whom they name."""
    known = _catalogue_people(explanations)
    by_brief: dict[int, list[Name]] = explanations.kept("private persons", dict)
    if id(brief) not in by_brief:  # briefs live as long as the explanations do
        found: dict[tuple[str, ...], Name] = {}
        for review in brief.reviews:
            names = [review.author] if review.author else []
            if _may_name(review.text):
                names += named_in(read_passage(explanations, review.text), known)
            for name in names:
                person = _person(name)
                if person is not None:
                    found.setdefault(person.full, person)
        by_brief[id(brief)] = list(found.values())
    return by_brief[id(brief)]


def makers_of(brief: Brief) -> frozenset[str]:
    """Parts of the names of people who made the item or an item of the history."""
    items = [brief.item, *(seen.item for seen in brief.history)]
    return frozenset(part for item in items for name in _people(item) for part in words(name))


def _people(item: ItemFacts) -> Iterable[str]:
    return (name for names in item.people.values() for name in names)


def _catalogue_people(explanations: Explanations) -> frozenset[tuple[str, ...]]:
    def make() -> frozenset[tuple[str, ...]]:
        items = [*explanations.catalogue.values()]
        for brief in explanations.briefs:
            items += [brief.item, *(seen.item for seen in brief.history)]
        return frozenset(words(name) for item in items for name in _people(item))

    return explanations.kept("people", make)


@cache
def _set(name: str) -> frozenset[str]:
    return frozenset(lexicon("names")[name])


@cache
def _common() -> frozenset[str]:
    lists = lexicon("claims")
    return frozenset((*lists["common"], *lists["small"], *_set("words")))


def _person(name: str) -> Name | None:
    """Somebody's name; None where it is nobody's."""
    full = words(name)[:_LONGEST]
    written = [normal(word) for word in _NAMELIKE.findall(name) if word[0].isupper()]
    parts = frozenset(word for word in written if len(word) > 2 and word not in _set("nobody"))
    if not full or (not parts and len(full) == 1 and full[0].isalpha() and full[0].isascii()):
        return None
    if all(word in _set("nobody") or word in lexicon("claims")["small"] for word in full):
        return None
    return Name(full, parts)


def _may_name(text: str) -> bool:
    """Whether a review can name somebody at all, told without reading it: few do."""
    return _PAIR.search(text) is not None or not _set("kin").isdisjoint(words(text))


def named_in(reading: Reading, known: frozenset[tuple[str, ...]]) -> list[str]:
    """Names in a review that its words mark as those of private persons.

    Parameters
    ----------
    known
        People of the catalogue, who are nobody's friends here.
    """
    tokens, text = reading.tokens, reading.text
    taken = _titles(reading)
    openings = {bisect_left(tokens.starts, start) for start in reading.sentences}
    found, at = [], 0
    while at < len(tokens):
        end = at
        while end < len(tokens) and end - at < _LONGEST and end not in taken and _capital(tokens, end):
            if end > at and text[tokens.ends[end - 1] : tokens.starts[end]] not in (" ", ". "):
                break
            if (
                end > at
                and end in openings
                and text[tokens.ends[end - 1]] == "."
                and tokens.ends[end - 1] - tokens.starts[end - 1] > 1
            ):
                break
            end += 1
        if end == at:
            at += 1
            continue
        start = at
        at = end
        # "Signed Ada Voss", "My friend": words that open a sentence are no part of a name
        while start < end and (
            tokens.norms[start] in _set("kin") or (start in openings and tokens.norms[start] in _common())
        ):
            start += 1
        if start == end:
            continue
        name = text[tokens.starts[start] : tokens.ends[end - 1]]
        name = _POSSESSIVE.sub("", name)
        if words(name) in known or not _NAMELIKE.search(name):
            continue
        before = tokens.norms[max(0, start - 2) : start]
        after = tokens.norms[end] if end < len(tokens) else ""
        kin = any(norm in _set("kin") for norm in before)
        cued = (before and before[-1] in _set("before")) or after in _set("after")
        if kin or (end - start > 1 and cued):
            found.append(name)
    return found


def _capital(tokens: Tokens, at: int) -> bool:
    word = tokens.word(at)
    return word[0].isupper() and word != "I" and not word.startswith(("I'", "I’"))


def _titles(reading: Reading) -> set[int]:
    """Tokens within titles of the catalogue."""
    tokens = reading.tokens
    return {
        at
        for mention in reading.mentions
        if mention.kind == "title" and mention.items
        for at in range(bisect_left(tokens.starts, mention.start), bisect_left(tokens.starts, mention.end))
    }


def leaks(
    reading: Reading,
    persons: Iterable[Name],
    known: frozenset[tuple[str, ...]],
    makers: frozenset[str] = frozenset(),
) -> list[Name]:
    """Those of ``persons`` whom a text names.

    Parameters
    ----------
    known
        People of the catalogue.
    makers
        Parts of names that stand for people who made the item.
    """
    tokens = reading.tokens
    norms = [normal(_POSSESSIVE.sub("", tokens.word(at))) for at in range(len(tokens))]
    places: dict[str, list[int]] = {}
    for at, norm in enumerate(norms):
        places.setdefault(norm, []).append(at)
    taken = _titles(reading)
    for mention in reading.mentions:
        if mention.kind == "person" and words(_POSSESSIVE.sub("", mention.text)) in known:
            first = bisect_left(tokens.starts, mention.start)
            taken.update(range(first, bisect_left(tokens.starts, mention.end)))
    openings = {bisect_left(tokens.starts, start) for start in reading.sentences}

    def whole(name: Name) -> bool:
        size = len(name.full)
        if size == 1 and name.full[0].isalpha() and name.parts:
            return False  # a single word is told from a name by its capital alone
        return any(
            tuple(norms[at : at + size]) == name.full and not any(i in taken for i in range(at, at + size))
            for at in places.get(name.full[0], ())
        )

    def partly(name: Name) -> bool:
        for part in name.parts - makers:
            for at in places.get(part, ()):
                if at in taken or not _capital(tokens, at) or (at in openings and part in _common()):
                    continue
                if not _of_another(at, part, name):
                    return True
        return False

    def _of_another(at: int, part: str, name: Name) -> bool:
        """Whether the part belongs to another name: "Ada Lovelace" where the reviewer is Ada Voss."""
        text = tokens.text
        if part != name.full[-1] and at + 1 < len(tokens):
            beside = text[tokens.ends[at] : tokens.starts[at + 1]] == " "
            return beside and _capital(tokens, at + 1) and norms[at + 1] not in name.full
        if len(name.full) > 1 and at and at - 1 not in openings:
            beside = text[tokens.ends[at - 1] : tokens.starts[at]] == " "
            return beside and _capital(tokens, at - 1) and norms[at - 1] not in name.full
        return False

    return [name for name in persons if whole(name) or partly(name)]


def leaked(explanations: Explanations, row: int) -> list[tuple[int, int]]:
    """Where the text of one case names private persons: first and last character of each name."""
    reading, brief = readings_of(explanations)[row], explanations.briefs[row]
    if reading is None:
        return []
    known = _catalogue_people(explanations)
    names = leaks(reading, persons_of(explanations, brief), known, makers_of(brief))
    tokens = reading.tokens
    found: list[tuple[int, int]] = []
    for at in range(len(tokens)):
        norm = normal(_POSSESSIVE.sub("", tokens.word(at)))
        if _capital(tokens, at) and any(norm in name.full or norm in name.parts for name in names):
            start, end = tokens.starts[at], tokens.ends[at]
            if found and tokens.text[found[-1][1] : start] == " ":
                start = found.pop()[0]
            found.append((start, end))
    return found
