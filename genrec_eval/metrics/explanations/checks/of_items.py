"""Claims about items: genres, people, years, prices, minutes, other numbers."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from genrec_eval.metrics.explanations import evidence
from genrec_eval.metrics.explanations.checks.referents import Referents
from genrec_eval.metrics.explanations.finding import CONTRADICTED, SILENT, SUPPORTED, Finding
from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Mention
from genrec_eval.metrics.explanations.tokens import words
from genrec_eval.protocol.brief import ItemFacts

_ROLES = {word: role for role, group in lexicon("claims")["roles"].items() for word in group}


def genre(mention: Mention, about: Referents) -> list[Finding]:
    """A genre that an item is said to be of, or to have something of."""
    named, source = mention.value, about.source
    subjects = about.subjects(mention)
    holding = [item for item in subjects if named in source.genres_of(item)]
    known = [item for item in subjects if item.genres]
    first = subjects[0]
    if mention.negated:
        if named in source.genres_of(first):
            return [Finding.of(mention, CONTRADICTED, evidence.genres(first), first)]
        return [Finding.of(mention, SUPPORTED, evidence.genres(first), first)] if first.genres else []
    if holding:
        return [Finding.of(mention, SUPPORTED, evidence.genres(holding[0]), holding[0])]
    if about.addressed(mention) and not mention.predicated:
        for seen in source.brief.history:
            if named in source.genres_of(seen.item):
                said = f"in the user's history: {evidence.genres(seen.item)}"
                return [Finding.of(mention, SUPPORTED, said, seen.item)]
    if any(word in source.prose for word in words(mention.text)):
        return [Finding.of(mention, SUPPORTED, "a description or review of the brief says so", first)]
    if known:
        return [Finding.of(mention, CONTRADICTED, evidence.genres(known[0]), known[0])]
    return [Finding.of(mention, SILENT, f"no genres are known of {evidence.shown(first)}", first)]


def person(mention: Mention, about: Referents) -> list[Finding]:
    """Someone who is said to have had a part in an item."""
    subjects = [about.target] if mention.predicated else about.subjects(mention)
    past = [seen.item for seen in about.source.brief.history] if mention.stance else []

    def fits(known: str) -> bool:
        return mention.role is None or _role(known) == mention.role

    def has(names: Iterable[str]) -> bool:
        return any(mention.value == " ".join(words(name)) for name in names)

    for item in (*subjects, *past):
        for known, names in item.people.items():
            if fits(known) and has(names):
                verdict = CONTRADICTED if mention.negated else SUPPORTED
                return [Finding.of(mention, verdict, evidence.people(item, known), item)]
    if mention.negated:
        return []
    for item in subjects:
        for known, names in item.people.items():
            if has(names):
                return [Finding.of(mention, CONTRADICTED, evidence.people(item, known), item)]
    for item in subjects:
        for known, names in item.people.items():
            # a work has one director; of actors a catalogue rarely names all
            if _role(known) == mention.role and (mention.role != "actor" or len(names) > 1):
                return [Finding.of(mention, CONTRADICTED, evidence.people(item, known), item)]
    said = f"nothing is known of {mention.text} in {evidence.shown(subjects[0])}"
    return [Finding.of(mention, SILENT, said, subjects[0])]


def _role(known: str) -> str:
    return _ROLES.get(known.casefold(), known.casefold())


def year(mention: Mention, about: Referents) -> list[Finding]:
    """A year or a decade in which something is said to have come out."""
    assert mention.number is not None
    subjects, history = about.subjects(mention), [seen.item for seen in about.source.brief.history]
    if mention.value == "decade":
        decade = int(mention.number) // 10
        return [_compared(mention, [*subjects, *history], lambda year: year // 10 == decade)]
    if mention.bare:
        given = any(item.year == mention.number for item in (*subjects, *history))
        if given or mention.number in about.source.numbers:
            return [Finding.of(mention, SUPPORTED, "the brief gives this year")]
        return [Finding.of(mention, SILENT, "the brief does not give this year")]
    if mention.number in about.source.numbers:
        return [Finding.of(mention, SUPPORTED, "the brief's descriptions give this year")]
    if about.addressed(mention) and any(item.year == mention.number for item in history):
        return [Finding.of(mention, SUPPORTED, "an item of the user's history is of this year")]
    return [year_of((mention.start, mention.end), mention.number, subjects)]


def year_of(
    span: tuple[int, int], year: float, items: Sequence[ItemFacts], item: ItemFacts | None = None
) -> Finding:
    """Whether one of ``items`` is of a year; where none has a year, the finding is about ``item``."""
    right = next((one for one in items if one.year == year), None)
    known = next((one for one in items if one.year is not None), None)
    about = right or known or item or items[0]
    return Finding(
        start=span[0],
        end=span[1],
        kind="year",
        verdict=SUPPORTED if right else CONTRADICTED if known else SILENT,
        evidence=evidence.year(about),
        subject=about.id,
    )


def price(mention: Mention, about: Referents) -> list[Finding]:
    """What an item is said to cost."""
    return [_compared(mention, about.subjects(mention), lambda known: _near(mention, known, 0.005))]


def runtime(mention: Mention, about: Referents) -> list[Finding]:
    """How long an item is said to be."""
    near = 15.0 if mention.bare else 0.5  # "two hours" is a round number
    return [_compared(mention, about.subjects(mention), lambda known: _near(mention, known, near))]


def number(mention: Mention, about: Referents) -> list[Finding]:
    """A number that nothing says the meaning of."""
    assert mention.number is not None
    if mention.number in about.source.numbers or len(about.named(mention)) == mention.number:
        return [Finding.of(mention, SUPPORTED, "the brief gives this number")]
    target = about.target
    if mention.number in (target.runtime, target.price, target.year):
        return [Finding.of(mention, SUPPORTED, "the catalogue gives this number", target)]
    return [Finding.of(mention, SILENT, "the brief does not give this number")]


_WORDED: Mapping[str, Callable[[ItemFacts], str]] = {
    "year": evidence.year,
    "price": evidence.price,
    "runtime": evidence.runtime,
}


def _compared(mention: Mention, items: Sequence[ItemFacts], fits: Callable[[float], bool]) -> Finding:
    """Whether a fact of one of the items fits; the first that has the fact speaks against it otherwise."""
    known = [item for item in items if getattr(item, mention.kind) is not None]
    right = next((item for item in known if fits(getattr(item, mention.kind))), None)
    verdict = SUPPORTED if right else CONTRADICTED if known else SILENT
    item = right or (known[0] if known else items[0])
    return Finding.of(mention, verdict, _WORDED[mention.kind](item), item)


def _near(mention: Mention, known: float, near: float) -> bool:
    assert mention.number is not None
    if mention.bound == "<":
        return known <= mention.number
    if mention.bound == ">":
        return known >= mention.number
    near = max(near, 0.1 * mention.number) if mention.bound == "~" else near
    return abs(known - mention.number) <= near
