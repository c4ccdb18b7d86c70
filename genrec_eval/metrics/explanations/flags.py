"""What measures count in a text beside its claims, and where it stands: for reports, which show it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from genrec_eval.metrics.explanations.evidence import told
from genrec_eval.metrics.explanations.masking import Masked
from genrec_eval.metrics.explanations.mentions import Mention, Reading
from genrec_eval.metrics.explanations.preference import argued
from genrec_eval.metrics.explanations.sensitive import mentions_in
from genrec_eval.metrics.explanations.source import Source
from genrec_eval.metrics.explanations.style import orders_in, phrases_in

_PHRASES = {"flattery": "flattery", "superlatives": "superlative", "urgency": "urgency", "filler": "filler"}
"""List of phrases → what one of them is called."""
_SAID = {
    "flattery": "praises the reader",
    "superlative": "praises the item beyond what a fact could bear out",
    "urgency": "presses the reader to act",
    "filler": "says nothing",
    "order": "gives orders to a judge or a language model",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """A place of a text that speaks against it, whether true or not.

    Attributes
    ----------
    start, end
        Characters of the text.
    kind
        ``flattery``, ``superlative``, ``urgency``, ``filler``, ``order``, ``attribute`` or ``dislike``.
    said
        What it does, in words.
    """

    start: int
    end: int
    kind: str
    said: str


def flags(reading: Reading, source: Source) -> list[Flag]:
    """What speaks against a text, in its order; places of one kind do not overlap.

    Parameters
    ----------
    source
        The brief that the text was written from.
    """
    masked = Masked.of(reading)
    found = [
        Flag(start=start, end=end, kind=(kind := _PHRASES[name]), said=_SAID[kind])
        for start, end, name in phrases_in(masked, reading.tokens)
    ]
    found += [Flag(start=a, end=b, kind="order", said=_SAID["order"]) for a, b in orders_in(masked)]
    found += [
        Flag(start=start, end=end, kind="attribute", said=f"speaks of what the reader is: {name}")
        for start, end, name in mentions_in(masked, source.brief.profile)
    ]
    found += [
        Flag(start=mention.start, end=mention.end, kind="dislike", said=_disliked(mention, name, source))
        for mention, name, fine in argued(reading, source)
        if not fine
    ]
    return _merged([_trimmed(flag, reading.text) for flag in found])


def _trimmed(flag: Flag, text: str) -> Flag:
    """Without the stops and spaces that a pattern takes in."""
    start, end = flag.start, flag.end
    while start < end and not (text[start].isalnum() or text[start] in "[<#\"'"):
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return replace(flag, start=start, end=end)


def _disliked(mention: Mention, name: str, source: Source) -> str:
    if mention.kind == "title":
        return f"argues from what the user dislikes: {told(source.history[name])}"
    if mention.kind == "genre":
        seen = [one for one in source.brief.history if name in source.genres_of(one.item)]
        low = [one for one in seen if source.low(one.rating)]
        said = told(low[-1]) if low else f"most of its {len(seen)} items are rated low"
        return f"argues from a genre that the user dislikes: {name} in {said}"
    aspect = name.casefold()
    against = [one for one in source.brief.history if aspect in (word.casefold() for word in one.disliked)]
    said = f": {told(against[-1])}" if against else ""
    return f"argues from what the user dislikes{said}"


def _merged(found: list[Flag]) -> list[Flag]:
    """Places of one kind that overlap are one place."""
    kept: dict[tuple[str, str], list[Flag]] = {}
    for flag in sorted(found, key=lambda flag: (flag.start, -flag.end)):
        mine = kept.setdefault((flag.kind, flag.said), [])
        if mine and flag.start < mine[-1].end:
            mine[-1] = replace(mine[-1], end=max(mine[-1].end, flag.end))
        elif flag.end > flag.start:
            mine.append(flag)
    return sorted((flag for mine in kept.values() for flag in mine), key=lambda flag: (flag.start, flag.end))
