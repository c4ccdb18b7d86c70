"""Holds what a text says against a brief: supported, contradicted, not in the source, fabricated history."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from genrec_eval.metrics.explanations.checks import of_items, of_users
from genrec_eval.metrics.explanations.checks.referents import Referents
from genrec_eval.metrics.explanations.evidence import shown, told
from genrec_eval.metrics.explanations.finding import SILENT, SUPPORTED, Finding
from genrec_eval.metrics.explanations.mentions import Mention, MentionKind, Reading
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.protocol.brief import ItemFacts


def check(reading: Reading, source: Source) -> list[Finding]:
    """What the source says of every claim of a text, in the order of the text.

    Parameters
    ----------
    reading
        What :class:`~genrec_eval.metrics.explanations.reader.Reader` found in the text.
    """
    about = Referents(reading, source)
    return [finding for mention in reading.mentions for finding in _CHECKS[mention.kind](mention, about)]


def _title(mention: Mention, about: Referents) -> list[Finding]:
    if not about.is_title(mention):
        return []
    source, item = about.source, about.item(mention)
    found = [_named(mention, item, source)]
    if mention.year is not None and mention.year_at is not None and item is not None:
        outside = source.only and not source.holds(item.id)
        known = [about.target] if outside else [item]
        found.append(of_items.year_of(mention.year_at, float(mention.year), known, item))
    return found


def _named(mention: Mention, item: ItemFacts | None, source: Source) -> Finding:
    if mention.stance is not None and not (item is source.brief.item and not mention.close):
        return of_users.past(mention, item, source)
    if item is None:
        return Finding.of(mention, SILENT, "no item of the catalogue has this title")
    if item.id == source.brief.item.id:
        return Finding.of(mention, SUPPORTED, f"the item to explain: {shown(item)}", item)
    seen = source.history.get(item.id)
    if seen is not None:
        return Finding.of(mention, SUPPORTED, f"in the user's history: {told(seen)}", item)
    verdict = SILENT if source.only else SUPPORTED
    return Finding.of(mention, verdict, f"in the catalogue: {shown(item)}", item)


def _genre(mention: Mention, about: Referents) -> list[Finding]:
    said_of_user = mention.stance is not None and not about.named(mention, before=True)
    return (of_users.taste if said_of_user else of_items.genre)(mention, about)


_CHECKS: Mapping[MentionKind, Callable[[Mention, Referents], list[Finding]]] = {
    "title": _title,
    "genre": _genre,
    "person": of_items.person,
    "year": of_items.year,
    "price": of_items.price,
    "runtime": of_items.runtime,
    "number": of_items.number,
    "aspect": of_users.aspect,
    "rating": of_users.rating,
}
