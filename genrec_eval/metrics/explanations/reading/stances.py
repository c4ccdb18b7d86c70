"""What a text says that the user did: which of the things it names are said to be liked, had or disliked."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence

from genrec_eval.metrics.explanations.mentions import Mention, Stance
from genrec_eval.metrics.explanations.reading import patterns as p
from genrec_eval.metrics.explanations.reading.spans import Spans
from genrec_eval.metrics.explanations.reading.title_form import VERBS

_OPPOSITE: dict[str, Stance] = {"liked": "disliked", "disliked": "liked", "neutral": "neutral"}
_NEXT_WORD = re.compile(
    r"[\"'”’»*_)\]]{0,3}(?:\s?[(\[](?:18|19|20)\d\d[)\]])?[\"'”’»*_]{0,3}\s(?P<word>[a-z]+)\b(?!\s?,)"
)
_CLOSE = 48
"""Characters between the words that tell of the past and what they are about, to be sure of the latter."""


def take_stances(text: str, mentions: Sequence[Mention], sentences: Sequence[int]) -> None:
    """Mark the mentions that are said of the user's past.

    Words such as "you liked" hold for what follows, up to words that turn to the recommended item ("this",
    "will", "so") or the end of the sentence; a name that a verb follows is the subject of a new clause.
    """
    titles = Spans((m.start, m.end) for m in mentions if m.kind == "title")
    events: list[tuple[int, int, Stance | None]] = []
    for cue in p.CUE.finditer(text):
        if titles.holds(*cue.span()):
            continue
        conditional = p.CONDITION.search(text[max(0, cue.start() - 24) : cue.start()]) is not None
        events.append((cue.start(), cue.end(), None if conditional else _stance(cue)))
    held = Spans((start, end) for start, end, _ in events)
    for reset in p.RESET.finditer(text):
        if not titles.holds(*reset.span()) and not held.holds(*reset.span()):
            events.append((reset.start(), reset.end(), None))
    events.sort()
    at, stance, since, sentence = 0, None, 0, 0
    for mention in mentions:
        while at < len(events) and events[at][0] < mention.start:
            start, end, stance = events[at]
            since, sentence = end, bisect_right(sentences, start) - 1
            at += 1
        if mention.kind in ("year", "price", "runtime", "number"):
            continue
        if stance is not None and sentence == mention.sentence and since <= mention.start:
            beside = mention.start - since <= 2  # nothing but a blank and a quotation mark between
            follows = None if beside or mention.kind != "title" else _NEXT_WORD.match(text, mention.end)
            if follows is not None and follows["word"] in VERBS:
                stance = None
            else:
                mention.stance = stance
                mention.close = mention.start - since <= _CLOSE
                if mention.negated and mention.kind in ("genre", "aspect"):
                    mention.stance = _OPPOSITE[stance]
        if mention.kind == "title" and mention.stance is None:
            after = p.AFTER_CUE.match(text, mention.end)
            if after is not None:
                mention.stance, mention.close = _stance(after), True


def _stance(cue: re.Match[str]) -> Stance:
    found = next(name for name, value in cue.groupdict().items() if value and name.rstrip("234") in _OPPOSITE)
    stance = found.rstrip("234")
    return _OPPOSITE[stance] if cue["denied"] else stance  # type: ignore[return-value]
