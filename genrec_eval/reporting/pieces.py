"""A quoted text in pieces, each under the marks that cover it, and the facts that the marks point to."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from genrec_eval.reporting.text import line
from genrec_eval.reporting.worddiff import LONGEST, differing
from genrec_eval.scenarios.evidence import Mark

VERDICTS = {
    "contradicted": ("CONTRADICTED", "cc", "fail", "a source says otherwise"),
    "fabricated-history": ("FABRICATED HISTORY", "cf", "fail", "the user's past does not hold it"),
    "not-in-source": ("NOT IN SOURCE", "cn", "open", "no source says so"),
    "supported": ("SUPPORTED", "cs", "pass", "a source bears it out"),
}
"""Verdict on a claim, worst first → word, class of its underline, class of its hue, meaning."""
FLAG = ("ALSO FOUND", "cm", "none", "no claim, and it speaks against the text")

SHOWN = LONGEST
"""Characters of a text that are quoted."""
_HEAD, _LINES = 520, 8
"""What eight lines of a column hold; more than that folds."""
_MOST = 60
"""Facts beside one text."""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a text under the same marks.

    Attributes
    ----------
    style
        Class of the claim's underline, or empty.
    flagged
        Whether something other than a claim was found here.
    labels
        Numbers and letters of the marks that end with it.
    """

    text: str
    style: str = ""
    flagged: bool = False
    labels: str = ""


@dataclass(frozen=True, slots=True)
class Fact:
    """What marks of a text point to."""

    label: str
    kind: str
    evidence: str


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts of one verdict."""

    word: str
    style: str
    hue: str
    rows: tuple[Fact, ...]
    more: int = 0


@dataclass(frozen=True, slots=True)
class Marked:
    """A text as it is quoted.

    Attributes
    ----------
    head, tail
        Its pieces; the tail is folded, and empty where the text is short.
    folded
        Characters of the tail.
    cut
        Characters that are not quoted at all.
    """

    head: tuple[Piece, ...]
    tail: tuple[Piece, ...] = ()
    folded: int = 0
    cut: int = 0
    facts: tuple[Facts, ...] = field(default=())


def marked(text: str, marks: Sequence[Mark]) -> Marked:
    """Cut a text at its marks and number what they point to, equal facts alike.

    >>> marks = [Mark(start=0, end=4, kind="title", verdict="supported", evidence="in the catalogue: Heat")]
    >>> shown = marked("Heat it is", marks)
    >>> [(piece.text, piece.style, piece.labels) for piece in shown.head]
    [('Heat', 'cs', '1'), (' it is', '', '')]
    """
    shown = text[:SHOWN]
    known = [mark for mark in marks if 0 <= mark.start < mark.end <= len(text)]
    ordered = sorted(known, key=lambda mark: (mark.start, mark.end))
    labels = _labels(ordered)
    inside = [mark for mark in ordered if mark.end <= len(shown)]
    fold = fold_at(shown)
    head = _pieces(shown, 0, fold, inside, labels)
    tail = _pieces(shown, fold, len(shown), inside, labels)
    return Marked(
        tuple(head), tuple(tail), len(shown) - fold, len(text) - len(shown), _facts(ordered, labels)
    )


Key = tuple[str | None, str]


def _key(mark: Mark) -> Key:
    """What is one fact: said of a title and of its rating, it has one number."""
    return mark.verdict if mark.verdict in VERDICTS else None, mark.evidence or mark.kind


def _labels(marks: Sequence[Mark]) -> dict[Key, str]:
    """Numbers for facts, letters for what is no claim, in the order of the text."""
    found: dict[Key, str] = {}
    number = letter = 0
    for mark in marks:
        key = _key(mark)
        if key in found:
            continue
        if key[0] is not None:
            number += 1
            found[key] = str(number)
        else:
            found[key] = _letters(letter)
            letter += 1
    return found


def _letters(number: int) -> str:
    return (_letters(number // 26 - 1) if number >= 26 else "") + chr(97 + number % 26)


def fold_at(text: str) -> int:
    """Where the tail begins; the end of the text where it is short."""
    at = -1
    for _ in range(_LINES):
        at = text.find("\n", at + 1)
        if at < 0:
            break
    limit = min(_HEAD, at if at >= 0 else len(text))
    if len(text) - limit < 80 and at < 0:
        return len(text)
    space = max(text.rfind(" ", 0, limit), text.rfind("\n", 0, limit))
    return space + 1 if space > limit // 2 else limit


def _pieces(text: str, start: int, end: int, marks: Sequence[Mark], labels: dict[Key, str]) -> list[Piece]:
    cuts = {start, end}
    for mark in marks:
        cuts |= {at for at in (mark.start, mark.end) if start < at < end}
    bounds = sorted(cuts)
    order = list(VERDICTS)
    found = []
    for first, last in pairwise(bounds):
        over = [mark for mark in marks if mark.start < last and mark.end > first]
        verdicts = [mark.verdict for mark in over if mark.verdict in VERDICTS]
        worst = min(verdicts, key=order.index, default=None)
        ending = dict.fromkeys(labels[_key(mark)] for mark in over if mark.end == last)
        found.append(
            Piece(
                text[first:last],
                VERDICTS[worst][1] if worst else "",
                any(mark.verdict not in VERDICTS for mark in over),
                " ".join(ending),
            )
        )
    return found


def _facts(marks: Sequence[Mark], labels: dict[Key, str]) -> tuple[Facts, ...]:
    kinds: dict[Key, dict[str, None]] = {}
    for mark in marks:
        kinds.setdefault(_key(mark), {})[mark.kind] = None
    rows: dict[str | None, list[Fact]] = {}
    for key, found_as in kinds.items():
        evidence = "" if key[1] in found_as else line(key[1], 300)
        rows.setdefault(key[0], []).append(Fact(labels[key], line(", ".join(found_as), 80), evidence))
    found = []
    for verdict in ("contradicted", "fabricated-history", "not-in-source", None, "supported"):
        if mine := rows.get(verdict):
            word, style, hue, _ = VERDICTS[verdict] if verdict else FLAG
            found.append(Facts(word, style, hue, tuple(mine[:_MOST]), max(0, len(mine) - _MOST)))
    return tuple(found)


def changed(before: str, after: str) -> list[tuple[str, bool]]:
    """``after`` in stretches, each with whether it differs from ``before``, word by word.

    >>> changed("a good film", "a bad film")
    [('a ', False), ('bad', True), (' film', False)]
    """
    return differing(before, after)[1]
