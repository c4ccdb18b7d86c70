"""What a text says for and against the aspects of an item: clause by clause, with lists of words."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise

from genrec_eval.metrics.explanations.lexicon import lexicon
from genrec_eval.metrics.explanations.mentions import Reading
from genrec_eval.metrics.explanations.tokens import Phrases, words

_REACH = 3
"""Words before a word of praise or blame in which a negation turns it round."""
_BREAK = re.compile(r"[;:–—]|\s-\s")
_STOP = re.compile(r"[^\w\s\"'“”‘’]")
_SHARE = re.compile(
    r"\b(?P<n>\d{1,6}) (?:out )?of (?:the |its |all )?(?P<of>\d{1,6})\b"
    r"|\b(?P<percent>\d{1,3}) ?(?:%|per ?cent)"
)
_BOTH = 2.0


@dataclass(frozen=True, slots=True)
class Opinion:
    """What one sentence says of one aspect.

    Attributes
    ----------
    glad
        Praise, or else blame.
    few
        Whether it is told as the view of some, and not as the general one.
    """

    aspect: str
    glad: bool
    sentence: int
    start: int
    end: int
    few: bool = False


@dataclass(frozen=True, slots=True)
class Opinions:
    """Of one text.

    Attributes
    ----------
    named
        Aspects that it names, praised, criticised or neither.
    """

    said: tuple[Opinion, ...]
    named: frozenset[str]

    @property
    def held(self) -> frozenset[tuple[str, bool]]:
        """(aspect, praised or not)."""
        return frozenset((one.aspect, one.glad) for one in self.said)


@dataclass(slots=True)
class _Run:
    """Aspects side by side that share what is said of them."""

    first: int
    last: int
    aspects: list[tuple[int, int, str]]


@cache
def _polarity() -> dict[str, float]:
    tone, own = lexicon("sentiment"), lexicon("opinions")
    found = {words(word)[0]: 1.0 for word in (*tone["positive"], *own["positive"])}
    found |= {words(word)[0]: -1.0 for word in (*tone["negative"], *own["negative"])}
    found |= {words(word)[0]: _BOTH for word in own["both"]}
    for word in own["unsaid"]:
        found.pop(word, None)
    return found


@cache
def _set(name: str, file: str = "opinions") -> frozenset[str]:
    return frozenset(lexicon(file)[name])


class OpinionReader:
    """Reads what texts say of some aspects, which may be written in other usual words."""

    def __init__(self, aspects: Iterable[str]) -> None:
        own = {words(aspect): aspect for aspect in aspects}
        spelled_as = dict(own)
        for group in lexicon("aspects"):
            spelled = [words(word) for word in group]
            known = [phrase for phrase in spelled if phrase in own]
            if len(known) == 1:
                spelled_as |= {phrase: own[known[0]] for phrase in spelled if phrase not in own}
        self._spelled = frozenset(spelled_as)
        self._phrases = Phrases(spelled_as.items())

    def read(self, reading: Reading) -> Opinions:
        """The opinions in a text, outside titles and names, and outside what the user is said to like."""
        text, tokens = reading.text, reading.tokens
        taken = bytearray(len(tokens))
        for mention in reading.mentions:
            heading = mention.kind == "title" and not mention.items and words(mention.text) in self._spelled
            if heading:  # "**Acting**: widely praised"
                continue
            if mention.kind in ("title", "person") or (mention.kind == "aspect" and mention.stance):
                first = bisect_left(tokens.starts, mention.start)
                last = bisect_left(tokens.starts, mention.end)
                taken[first:last] = b"\1" * (last - first)
        norms = ["" if held else norm for norm, held in zip(tokens.norms, taken, strict=True)]
        spans = [(at, end, found[0]) for at, end, found in self._phrases.scan(norms)]
        if not spans:
            return Opinions((), frozenset())
        said: list[Opinion] = []
        bounds = [bisect_left(tokens.starts, start) for start in reading.sentences] + [len(norms)]
        for sentence in sorted({bisect_right(bounds, at) - 1 for at, _, _ in spans}):
            first, last = bounds[sentence], bounds[sentence + 1]
            inside = [span for span in spans if first <= span[0] < last]
            for aspect, glad, few, at, end in _sentence(
                text, tokens.starts, tokens.ends, norms, first, last, inside
            ):
                said.append(Opinion(aspect, glad, sentence, tokens.starts[at], tokens.ends[end - 1], few))
        return Opinions(tuple(dict.fromkeys(said)), frozenset(aspect for _, _, aspect in spans))


_Said = tuple[str, bool, bool, int, int]
_Gap = Callable[[int], str]
"""Token → what stands between it and the one before."""


def _sentence(
    text: str,
    starts: Sequence[int],
    ends: Sequence[int],
    norms: Sequence[str],
    first: int,
    last: int,
    spans: Sequence[tuple[int, int, str]],
) -> list[_Said]:
    """Opinions of one sentence, clause by clause; a clause on "it" is about what the one before spoke of."""

    def gap(at: int) -> str:
        return text[ends[at - 1] : starts[at]] if at > first else ""

    found: list[_Said] = []
    before: _Run | None = None
    few = False
    for start, stop in _clauses(norms, first, last, gap):
        inside = [span for span in spans if start <= span[0] < stop]
        cued = _cues(text, starts, ends, norms, start, stop)
        opens = start > first and norms[start] in _set("turns") and not any(at < stop for at, _ in cued)
        few = False if opens else few
        marks = _marks(norms, start, stop, inside, gap)

        def by_few(mark: int, at: int, few: bool = few, cued: list[tuple[int, bool]] = cued) -> bool:
            after = [norm for norm in norms[mark + 1 : mark + 4] if norm not in ("a", "an", "the", "only")]
            if after[:1] == ["by"] and len(after) > 1 and after[1] in _set("few"):
                return True
            told = bisect_right(cued, (at, True))
            return cued[told - 1][1] if told else few

        runs = _runs(inside, norms)
        for run, polarity, mark, at in _assigned(runs, marks, norms, gap):
            found += _said(run, polarity, by_few(mark, at))
        if not runs and before is not None:
            lone = _lone(before, marks, norms, start, stop)
            found += [
                one for polarity, place in lone for one in _said(before, polarity, by_few(place, place))
            ]
            if not marks and any(norm in _set("dissent") for norm in norms[start:stop]):
                held = {(aspect, glad) for aspect, glad, *_ in found}
                found += [
                    (aspect, not glad, True, at, end)
                    for at, end, aspect in before.aspects
                    for glad in (True, False)
                    if (aspect, glad) in held and (aspect, not glad) not in held
                ]
        if runs:
            before = runs[-1]
        if cued:
            few = cued[-1][1]
    return found


def _said(run: _Run, polarity: float, few: bool) -> list[_Said]:
    sides = (True, False) if polarity == _BOTH else (polarity > 0,)
    return [(aspect, glad, few, at, end) for at, end, aspect in run.aspects for glad in sides]


def _clauses(norms: Sequence[str], first: int, last: int, gap: _Gap) -> list[tuple[int, int]]:
    cuts = [first]
    for at in range(first + 1, last):
        if norms[at] in _set("turns") or _BREAK.search(gap(at)):
            cuts.append(at)
    return list(zip(cuts, [*cuts[1:], last], strict=True))


def _cues(
    text: str, starts: Sequence[int], ends: Sequence[int], norms: Sequence[str], start: int, stop: int
) -> list[tuple[int, bool]]:
    """Tokens that say how many hold what follows: (place, whether they are few)."""
    found = []
    for match in _SHARE.finditer(text, starts[start], ends[stop - 1]) if stop > start else ():
        of = 100 if match["percent"] else int(match["of"])
        n = int(match["percent"] or match["n"])
        found.append((bisect_left(starts, match.end()) - 1, 2 * n < of))
    counted = [at for at, _ in found]
    for at in range(start, stop):
        norm = norms[at]
        if norm == "one" and norms[at + 1 : at + 2] not in (["of"], ["reviewer"], ["viewer"], ["person"]):
            continue
        if norm in _set("few") or norm in _set("most"):
            if norm in ("reviewers", "viewers") and any(0 < at - cue <= 3 for cue in counted):
                continue  # "some reviewers" are some
            counted.append(at)
            found.append((at, norm in _set("few")))
    return sorted(found)


def _marks(
    norms: Sequence[str], start: int, stop: int, spans: Sequence[tuple[int, int, str]], gap: _Gap
) -> list[tuple[int, float]]:
    """Words of praise and blame: (place, 1, −1 or both)."""
    aspects = {at for first, last, _ in spans for at in range(first, last)}
    found = []
    for at in range(start, stop):
        value = _polarity().get(norms[at])
        if value is None or at in aspects:
            continue
        if value != _BOTH and _negated(norms, start, at, gap):
            value = -value
        found.append((at, value))
    return found


def _negated(norms: Sequence[str], start: int, at: int, gap: _Gap) -> bool:
    for place in range(at - 1, max(start, at - _REACH) - 1, -1):
        if _STOP.search(gap(place + 1)):
            return False
        if norms[place] in _set("negators", "sentiment"):
            return norms[place + 1] not in ("only", "just", "merely")
    return False


def _runs(spans: Sequence[tuple[int, int, str]], norms: Sequence[str]) -> list[_Run]:
    """Aspects with nothing but small words and commas between them."""
    runs: list[_Run] = []
    small = _set("beside") | _set("lists")
    for at, end, aspect in spans:
        if runs and all(norm in small for norm in norms[runs[-1].last : at]):
            runs[-1].last = end
            runs[-1].aspects.append((at, end, aspect))
        else:
            runs.append(_Run(at, end, [(at, end, aspect)]))
    return runs


def _assigned(
    runs: Sequence[_Run], marks: Sequence[tuple[int, float]], norms: Sequence[str], gap: _Gap
) -> list[tuple[_Run, float, int, int]]:
    """What is said of which run: by the word right before it ("weak pacing"), else after it, else before.

    With it the place of the word, and the place up to which words count that say how many hold it.
    """
    places = [place for place, _ in marks]
    found = []
    for number, run in enumerate(runs):
        after = bisect_left(places, run.first)
        left = after - 1 if after else None
        right = after if after < len(marks) else None
        following = runs[number + 1].first if number + 1 < len(runs) else None
        if right is not None and following is not None and following < places[right]:
            # "the acting of this film and its music are superb", not "as for the acting, its music is superb"
            right = None if _comma(run.last, following, gap) else right
        if left is not None and (right is None or _beside(norms, places[left], run.first, gap)):
            chosen = left
        elif right is not None:
            chosen = right
        else:
            continue
        mark = places[chosen]
        cue = mark if mark and norms[mark - 1] in _set("few") else min(mark, run.first)
        found.append((run, marks[chosen][1], mark, cue))
        ahead = bisect_left(places, run.last)
        if chosen != right and ahead < len(marks):  # "some criticised the ending, others loved it"
            leads = norms[run.last : places[ahead]]
            if _small(leads) and any(norm in _set("few") for norm in leads):
                found.append((run, marks[ahead][1], places[ahead], places[ahead]))
        for more in range(chosen + 1, len(marks)) if chosen == right else ():
            if not _joined(norms, places[more - 1], places[more]):
                break
            found.append((run, marks[more][1], places[more], places[more]))
    return found


def _beside(norms: Sequence[str], mark: int, first: int, gap: _Gap) -> bool:
    return all(norm in _set("beside") for norm in norms[mark + 1 : first]) and not _comma(
        mark + 1, first, gap
    )


def _comma(first: int, last: int, gap: _Gap) -> bool:
    """Whether punctuation stands before one of the words up to ``last``."""
    return any(_STOP.search(gap(at)) for at in range(first, last + 1))


def _small(norms: Sequence[str]) -> bool:
    small = _set("joins") | _set("turns") | _set("few") | _set("again")
    return all(norm in small for norm in norms)


def _joined(norms: Sequence[str], one: int, other: int) -> bool:
    """Whether nothing but small words stands between two words of praise or blame."""
    return all(norm in _set("joins") for norm in norms[one + 1 : other])


def _lone(
    before: _Run, marks: Sequence[tuple[int, float]], norms: Sequence[str], start: int, stop: int
) -> list[tuple[float, int]]:
    """Praise and blame in a clause that names no aspect, where it is about the one before: "others dull"."""
    if not marks:
        return []
    leads = norms[start : marks[0][0]]
    named = before.last == start  # "Acting: widely praised"
    if not named and not _small(leads) and not any(norm in _set("again") for norm in leads):
        return []
    found = [(marks[0][1], marks[0][0])]
    for (one, _), (other, value) in pairwise(marks):
        if not _joined(norms, one, other):
            break
        found.append((value, other))
    return found
