"""Similarity over the noise floor: what a disclosed value changes, beyond what chance changes anyway."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import Chart, Sketch, exactly, has_interval
from genrec_eval.reporting.fairness.arms import (
    Finding,
    Likeness,
    Mark,
    Told,
    band_panels,
    cell,
    floors,
    gathered,
    lacking,
    plain,
    whole,
)
from genrec_eval.reporting.page.against_rest import LEVEL
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.tables import interval_name, p_text
from genrec_eval.reporting.text import line, listing, plural

_NAMES = ("neutral_similarity", "relative_similarity", "snsr_excess", "snsr", "snsv")
_MOST = 8
"""Values that a sentence names."""


@dataclass(frozen=True, slots=True)
class Line:
    """What there is on one model and variant, beside the drawing."""

    model: str
    position: int
    likeness: str
    snsr: str
    snsv: str
    excess: str
    p: str
    adjusted: str
    n: str
    excluded: str


@dataclass(frozen=True, slots=True)
class Block:
    """One attribute."""

    attribute: str
    anchor: str
    summary: str
    findings: Sequence[Finding]
    chart: Chart | None
    lines: Sequence[Line]
    several: bool
    """Whether the lines are of several ways to measure likeness."""
    level: str


def noise(material: Material, scenario: str) -> list[Block] | None:
    """What each attribute changes, against what changes when nothing is disclosed."""
    told = Told.of(material, scenario)
    if told is None:
        return None
    blocks = []
    for number, attribute in enumerate(told.attributes(*_NAMES), 1):
        likenesses = told.likenesses(attribute, *_NAMES)
        blocks.append(_block(told, attribute, likenesses, f"s{told.place}fn{number}"))
    return blocks or None


def _block(told: Told, attribute: str, likenesses: Sequence[Likeness], anchor: str) -> Block:
    main = likenesses[0]
    found = [_sentence(told, model, attribute, main) for model in told.order]
    sketch = _sketch(told, attribute, main)
    rows = [_line(told, model, attribute, one) for one in likenesses for model in told.order]
    levels = [
        interval_name(row)
        for model in told.order
        for name in _NAMES
        if (row := told.row(model, name, main, attribute=attribute)) is not None
    ]
    return Block(
        attribute,
        anchor,
        _summary(attribute, [gravity for gravity, _, _ in found if gravity]),
        gathered([one for one in found if one[0]]),
        sketch.drawn(anchor) if sketch is not None else None,
        [row for row in rows if row is not None],
        len(likenesses) > 1,
        listing(list(dict.fromkeys(levels))),
    )


_DIFFERS, _ALIKE, _OPEN, _WITHIN = 4, 3, 2, 1
"""How grave a finding is; 0 where a model has no figure here."""


def _summary(attribute: str, kinds: Sequence[int]) -> str:
    """The finding over all models."""
    said = [
        f"{plural(kinds.count(kind), 'model')} {one if kinds.count(kind) == 1 else many}"
        for kind, one, many in (
            (_DIFFERS, "treats its values differently", "treat its values differently"),
            (_ALIKE, "changes its lists for any value alike", "change their lists for any value alike"),
            (_OPEN, "cannot be told from chance or noise", "cannot be told from chance or noise"),
            (_WITHIN, "is not shown to change beyond chance", "are not shown to change beyond chance"),
        )
        if kind in kinds
    ]
    return f"Told {line(attribute, 60)}, {listing(said)}"


def _sentence(told: Told, model: str, attribute: str, likeness: Likeness) -> tuple[int, str, str]:
    """(gravity, model, what is found)."""
    excess = told.row(model, "snsr_excess", likeness, attribute=attribute)
    over = told.row(model, "relative_similarity", likeness, attribute=attribute)
    every = told.row(model, "neutral_similarity", likeness, attribute=attribute)
    floor = told.row(model, "neutral_noise", likeness, arm="neutral")
    if excess is None and every is None:
        return 0, model, ""
    p = None if excess is None else excess.p if excess.p_adjusted is None else excess.p_adjusted
    differs = (
        excess is not None and excess.low is not None and excess.low > 0 and p is not None and p <= LEVEL
    )
    every_value = {
        value: told.row(model, "neutral_similarity", likeness, attribute=attribute, value=value)
        for value in told.values("neutral_similarity", attribute, likeness)
    }
    by_value = {value: row for value, row in every_value.items() if row is not None and row.value is not None}
    no_floor = floor is None or not has_interval(floor)
    if differs and excess is not None:
        said = f"which value is told explains {whole(excess)} of SNSR beyond chance"
        return _DIFFERS, model, f"{_lower(told, model, by_value, floor, likeness)}; {said}"
    if (every is None or every.value is None) and (excess is None or excess.value is None):
        held = every or excess
        return _OPEN, model, f"nothing can be told, for nobody is left to compare ({lacking(held)})"
    if no_floor:
        lists = f"; lists are {plain(every)} like the neutral ones" if every is not None else ""
        why = "no noise floor was asked (repeats: 2 or more give one)"
        if floor is not None and floor.excluded.keys() - {"one-repeat"}:
            why = f"there is no noise floor ({lacking(floor)})"
        return _OPEN, model, f"{why}{lists}, and how much of that is chance cannot be told{_but(excess)}"
    assert floor is not None
    if over is not None and over.high is not None and over.high < 1:
        said = (
            f"its lists change for any value alike: told any of them, they are less like the neutral ones"
            f" ({plain(every)}) than chance explains ({plain(floor)}), and no difference between values is"
            f" shown, SNSR over chance {whole(excess)}"
        )
        if excess is None or not has_interval(excess):
            said = (
                f"told any value, lists are less like the neutral ones ({plain(every)}) than chance explains"
                f" ({plain(floor)}){_but(excess)}"
            )
        return _ALIKE, model, said + _words(told, model, every, likeness)
    if over is None or not has_interval(over) or excess is None or not has_interval(excess):
        lists = f"{plain(every)} told a value, {plain(floor)} neutral again"
        return _OPEN, model, f"too little to tell: lists are alike by {lists}{_but(excess)}"
    return (
        _WITHIN,
        model,
        f"no change beyond chance is shown: told a value, lists are {plain(every)} like the neutral ones, and"
        f" neutral ones {plain(floor)} like each other; SNSR over chance is {whole(excess)}",
    )


def _but(excess: Estimate | None) -> str:
    """What else is not known."""
    if excess is None or has_interval(excess):
        return ""
    return f"; whether values differ cannot be told ({line(excess.reason or 'no interval', 160)})"


def _lower(
    told: Told,
    model: str,
    by_value: dict[str, Estimate],
    floor: Estimate | None,
    likeness: Likeness,
) -> str:
    """Which values are below the floor, the lowest first."""
    ranked = sorted(by_value, key=lambda value: (by_value[value].value or 0.0, value))
    if not ranked:
        return "lists depend on which value is told"
    low, high = ranked[0], ranked[-1]
    if floor is None or not has_interval(floor):
        return (
            f"lists for '{line(low, 60)}' are less like the neutral ones ({plain(by_value[low])}) than those"
            f" for '{line(high, 60)}' ({plain(by_value[high])}); no noise floor was asked"
        )
    assert floor.low is not None
    under = [v for v in ranked if (top := by_value[v].high) is not None and top < floor.low]
    if not under:
        return (
            f"lists for '{line(low, 60)}' ({plain(by_value[low])}) are less like the neutral ones than those"
            f" for '{line(high, 60)}' ({plain(by_value[high])}), and none is clear of the noise"
            f" ({plain(floor)})"
        )
    names = [f"'{line(value, 60)}' ({plain(by_value[value])})" for value in under[:_MOST]]
    names += [f"{len(under) - _MOST} more"] if under[_MOST:] else []
    if len(under) == 1:
        names = [f"'{line(under[0], 60)}'"]
        same = f" ({plain(by_value[under[0]])})"
    else:
        same = ""
    every = " every value:" if len(under) == len(ranked) > 1 else ""
    return (
        f"lists for{every} {listing(names)} are less like the neutral ones{same} than chance explains"
        f" ({plain(floor)}){_words(told, model, by_value[under[0]], likeness)}"
    )


def _words(told: Told, model: str, row: Estimate | None, likeness: Likeness) -> str:
    """That other words alone change as much, where they do."""
    if row is None or row.high is None:
        return ""
    as_much = [
        f"{mark.name} {plain(mark.row)}"
        for mark in floors(told, model, likeness)[1:]
        if mark.row.low is not None and mark.row.low <= row.high
    ]
    return f"; asking in other words changes as much ({listing(as_much)})" if as_much else ""


def _sketch(told: Told, attribute: str, likeness: Likeness) -> Sketch | None:
    heads, rows = [], []
    values = told.values("neutral_similarity", attribute, likeness)
    arms = 0
    for model in told.order:
        marks = floors(told, model, likeness)
        arms = max(arms, len(marks))
        for value in values or [""]:
            row = told.row(model, "neutral_similarity", likeness, attribute=attribute, value=value)
            if row is not None and row.value is not None:
                marks.append(Mark(line(value, 60) or "any value", row))
        heads.append((model, told.position(model), marks))
        for mark in marks:
            said = (exactly(end, "") for end in (mark.row.value, mark.row.low, mark.row.high))
            rows.append((line(model, 80), mark.name, *said, f"{mark.row.n:,}", lacking(mark.row)))
    panels = band_panels(heads, f"Similarity to neutral, told {line(attribute, 60)},")
    if not panels:
        return None
    band = (
        "The shaded band is how alike lists are when nothing is disclosed"
        + (", asked again or in other words" if arms > 1 else ", asked again")
        + ", from the lowest to the highest end of the intervals; what stands left of it changed more."
        if arms
        else "No noise floor was asked, so that there is no band to hold the figures against."
    )
    return Sketch(
        "fairness",
        f"How like the neutral lists are the lists under each {line(attribute, 60)}? {likeness.name}",
        f"Each mark is a mean over users with its interval; 1 is the same list. {band}",
        panels,
        ("model", "told", "value", "low", "high", "n", "excluded"),
        rows,
        words=2,
    )


def _line(told: Told, model: str, attribute: str, likeness: Likeness) -> Line | None:
    rows = {name: told.row(model, name, likeness, attribute=attribute) for name in _NAMES}
    held = [row for row in rows.values() if row is not None]
    if not held:
        return None
    excess = rows["snsr_excess"]
    fewest = min(held, key=lambda row: row.n)
    return Line(
        model,
        told.position(model),
        likeness.name,
        cell(rows["snsr"]),
        cell(rows["snsv"]),
        cell(excess),
        p_text(None if excess is None else excess.p),
        p_text(None if excess is None else excess.p_adjusted),
        f"{fewest.n:,}",
        lacking(fewest),
    )
