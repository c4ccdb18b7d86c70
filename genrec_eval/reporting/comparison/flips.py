"""Flips with both answers side by side: changed words, and items that came, went or moved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest

from genrec_eval.audit.comparing.types import Answered, Comparison, Flip
from genrec_eval.core.numbers import bound
from genrec_eval.reporting.comparison.words import KINDS
from genrec_eval.reporting.pieces import fold_at
from genrec_eval.reporting.text import line
from genrec_eval.reporting.worddiff import LONGEST, Stretches, differing

_STYLES = {
    "lost": ("v-fail", "fail"),
    "gained": ("v-pass", "pass"),
    "status": ("v-open", "open"),
    "changed": ("m3", "open"),
}
_LISTED = 10
"""Items that stand in the open; the others fold."""
_MOST_ITEMS = 100
_OPEN = 2
"""Flips of each model and metric that stand in the open; the others fold."""


@dataclass(frozen=True, slots=True)
class Entry:
    """An item of a list, and what became of it: ``"in"``, ``"out"``, ``"moved"`` or nothing."""

    item: str
    mark: str = ""
    note: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """One answer of a flip.

    Attributes
    ----------
    head, tail
        Its text in stretches, each with whether it changed; the tail folds. None where there is no text.
    items, more
        Its list; ``more`` folds.
    cut
        Characters or items that are not shown at all.
    """

    title: str
    status: str
    score: str
    error: str
    head: Stretches | None
    tail: Stretches
    folded: int
    items: Sequence[Entry]
    more: Sequence[Entry]
    cut: int


@dataclass(frozen=True, slots=True)
class Shown:
    """A flip as the page shows it."""

    kind: str
    word: str
    shape: str
    style: str
    case: str
    unit: str
    step: str
    sides: tuple[Side, Side]
    open: bool


@dataclass(frozen=True, slots=True)
class Group:
    """Flips of one model in one metric."""

    metric: str
    model: str
    scenario: str
    flips: Sequence[Shown]


def groups(comparison: Comparison) -> list[Group]:
    """The quoted flips by scenario, model and metric, in their order."""
    units = {(row.scenario, row.metric): row.unit for row in comparison.differences}
    found: dict[tuple[str, str, str | None], list[Shown]] = {}
    for flip in comparison.flips:
        at = (flip.scenario, flip.model, flip.metric)
        rows = found.setdefault(at, [])
        unit = units.get((flip.scenario, flip.metric or ""), "")
        rows.append(_shown(flip, unit, len(rows) < _OPEN))
    return [
        Group("status" if metric is None else line(metric, 120), line(model, 120), line(scenario, 120), rows)
        for (scenario, model, metric), rows in found.items()
    ]


def kinds(found: Sequence[Group]) -> list[tuple[str, str, int]]:
    """Kind, word and number of the quoted flips."""
    there = Counter(flip.kind for group in found for flip in group.flips)
    return [(kind, KINDS[kind][0].lower(), there[kind]) for kind in KINDS if there[kind]]


def _shown(flip: Flip, unit: str, open: bool) -> Shown:
    shape, style = _STYLES[flip.kind]
    before, after = flip.reference, flip.candidate
    texts: tuple[Stretches | None, Stretches | None] = (None, None)
    if before.text is not None or after.text is not None:
        marked = differing(before.text or "", after.text or "")
        texts = (
            None if before.text is None else marked[0],
            None if after.text is None else marked[1],
        )
    lists = entries(before.items[:_MOST_ITEMS], after.items[:_MOST_ITEMS])
    scores = [_score(flip, one, unit) for one in (before, after)]
    step = f"{scores[0]} → {scores[1]}"
    if flip.metric is None:
        step = f"{line(before.status, 40)} → {line(after.status, 40)}"
    sides = tuple(
        _side(title, answered, score, text, items)
        for title, answered, score, text, items in zip_longest(
            ("Before", "After"), (before, after), scores, texts, lists
        )
    )
    return Shown(
        flip.kind,
        KINDS[flip.kind][0],
        shape,
        style,
        line(flip.case, 120),
        "" if flip.unit == flip.case else line(flip.unit, 120),
        step,
        (sides[0], sides[1]),
        open,
    )


def _score(flip: Flip, answered: Answered, unit: str) -> str:
    return "—" if flip.metric is None or answered.value is None else bound(answered.value, unit)


def _side(title: str, answered: Answered, score: str, text: Stretches | None, items: Sequence[Entry]) -> Side:
    head, tail, folded = (None, [], 0) if text is None else _folded(text)
    cut = max(0, len(answered.text or "") - LONGEST) + max(0, len(answered.items) - _MOST_ITEMS)
    return Side(
        title,
        line(answered.status, 60),
        "" if score == "—" else score,
        line(answered.error, 600) if answered.error else "",
        head,
        tail,
        folded,
        items[:_LISTED],
        items[_LISTED:],
        cut,
    )


def _folded(text: Stretches) -> tuple[Stretches, Stretches, int]:
    """What stands in the open, about eight lines, and what folds."""
    whole = "".join(stretch for stretch, _ in text)
    at = fold_at(whole)
    head: Stretches = []
    tail: Stretches = []
    for stretch, new in text:
        if at > 0:
            head.append((stretch[:at], new))
        if len(stretch) > max(at, 0):
            tail.append((stretch[max(at, 0) :], new))
        at -= len(stretch)
    return head, tail, sum(len(stretch) for stretch, _ in tail)


def entries(before: Sequence[str], after: Sequence[str]) -> tuple[list[Entry], list[Entry]]:
    """Both lists, with what came, went and moved; the second of two equal items is an item of its own.

    >>> [(one.item, one.mark, one.note) for one in entries(["a", "b"], ["b", "c"])[1]]
    [('b', 'moved', 'up 1'), ('c', 'in', 'new')]
    """
    old, new = _numbered(before), _numbered(after)
    places, later = {one: at for at, one in enumerate(old)}, {one: at for at, one in enumerate(new)}
    return (
        [_entry(one, at, later.get(one), "out", "gone", -1) for at, one in enumerate(old)],
        [_entry(one, at, places.get(one), "in", "new", 1) for at, one in enumerate(new)],
    )


def _entry(one: tuple[str, int], at: int, other: int | None, alone: str, said: str, turn: int) -> Entry:
    item = line(one[0], 120)
    if other is None:
        return Entry(item, alone, said)
    up = (other - at) * turn
    if not up or turn < 0:
        return Entry(item, "moved" if up else "")
    return Entry(item, "moved", f"up {up}" if up > 0 else f"down {-up}")


def _numbered(items: Sequence[str]) -> list[tuple[str, int]]:
    seen: Counter[str] = Counter()
    found = []
    for item in items:
        found.append((item, seen[item]))
        seen[item] += 1
    return found
