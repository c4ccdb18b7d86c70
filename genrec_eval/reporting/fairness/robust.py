"""Robustness: does a disclosed value still do what it does when it is misspelt or told in other words?"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec_eval.core.numbers import figure
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import Chart, Sketch, exactly
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
)
from genrec_eval.reporting.fairness.held import stored_scores
from genrec_eval.reporting.page.against_rest import LEVEL
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, listing, plural

if TYPE_CHECKING:
    from genrec_eval.audit.score import StoredScores
    from genrec_eval.stats.intervals import Interval

WAYS = {"typo": "misspelt", "order": "in another order", "language": "in another language"}


@dataclass(frozen=True, slots=True)
class Pairing:
    """A model's lists under an attribute in one arm, held against those told plainly.

    Attributes
    ----------
    difference
        Of the arm's similarity to neutral less that of plain disclosure, over users with both.
    p
        After Holm, over the pairings of the attribute.
    """

    model: str
    arm: str
    row: Estimate
    told: Estimate | None
    difference: Interval | None
    p: float | None


@dataclass(frozen=True, slots=True)
class Line:
    """A pairing in words."""

    model: str
    way: str
    told: str
    otherwise: str
    difference: str
    p: str
    users: str
    failed: str


@dataclass(frozen=True, slots=True)
class Block:
    """One attribute."""

    attribute: str
    anchor: str
    summary: str
    findings: Sequence[Finding]
    chart: Chart | None
    lines: Sequence[Line]


def robust(material: Material, scenario: str) -> list[Block] | None:
    """What each attribute changes when it is disclosed in another way."""
    told = Told.of(material, scenario)
    attributes = told.attributes("arm_similarity") if told is not None else []
    if told is None or not attributes:
        return None
    seed = material.run.get("seed")
    with stored_scores(material) as stored:
        return [
            _block(told, attribute, f"s{told.place}fr{number}", stored, seed if isinstance(seed, int) else 0)
            for number, attribute in enumerate(attributes, 1)
        ]


def _block(told: Told, attribute: str, anchor: str, stored: StoredScores | None, seed: int) -> Block:
    likeness = told.likenesses(attribute, "arm_similarity")[0]
    pairings = _pairings(told, attribute, likeness, stored, seed)
    said = [one for model in told.order for one in _sentences(model, pairings)]
    sketch = _sketch(told, attribute, likeness, pairings)
    return Block(
        attribute,
        anchor,
        _summary(attribute, pairings),
        gathered(said),
        sketch.drawn(anchor) if sketch is not None else None,
        [_line(one) for one in pairings],
    )


def _pairings(
    told: Told, attribute: str, likeness: Likeness, stored: StoredScores | None, seed: int
) -> list[Pairing]:
    from genrec_eval.stats.intervals import intervals
    from genrec_eval.stats.multiplicity import holm
    from genrec_eval.stats.sample import Sample, paired

    plainly = told.metric("neutral_similarity", likeness, attribute=attribute)
    bare: list[tuple[str, str, Estimate, Estimate | None]] = []
    samples: dict[int, Sample] = {}
    for model in told.order:
        held = None if stored is None or plainly is None else stored.get(model, told.scenario, plainly)
        for arm in told.arms("arm_similarity", likeness, attribute):
            metric = told.metric("arm_similarity", likeness, attribute=attribute, arm=arm)
            row = told.row(model, "arm_similarity", likeness, attribute=attribute, arm=arm)
            if row is None or metric is None:
                continue
            own = told.row(model, "neutral_similarity", likeness, attribute=attribute)
            other = None if stored is None else stored.get(model, told.scenario, metric)
            if held is not None and other is not None and held[0].equals(other[0]):
                one, two = (
                    Sample(values=scores.values, scored=scores.scored, bounds=(0.0, 1.0))
                    for _, scores in (other, held)
                )
                samples[len(bare)] = paired(one, two)
            bare.append((model, arm, row, own))
    found = dict(zip(samples, intervals(list(samples.values()), seed=seed), strict=True))
    tested = {at: one.p for at, one in found.items() if one.p is not None}
    ps: Mapping[int, float] = dict(zip(tested, map(float, holm(list(tested.values()))), strict=True))
    return [Pairing(*one, found.get(at), ps.get(at)) for at, one in enumerate(bare)]


def _kind(one: Pairing) -> str:
    """``"more"`` where the arm changes more than plain disclosure, ``"less"``, ``"alike"`` or ``"open"``."""
    gap = one.difference
    if gap is None or gap.value is None or gap.low is None or gap.high is None:
        return "open"
    if one.p is not None and one.p <= LEVEL and (gap.high < 0 or gap.low > 0):
        return "more" if gap.high < 0 else "less"
    return "alike"


def _summary(attribute: str, pairings: Sequence[Pairing]) -> str:
    ways = listing([WAYS[arm] for arm in WAYS if any(one.arm == arm for one in pairings)])
    models = {one.model for one in pairings}
    other = {one.model for one in pairings if _kind(one) in ("more", "less")}
    failed = {one.model for one in pairings if one.row.excluded.get("arm-failed")}
    said = f"{line(attribute, 60)} {ways}: {len(other)} of {plural(len(models), 'model')} "
    said += "acts" if len(other) == 1 else "act"
    said += " on it otherwise than when it is told plainly"
    if failed:
        said += f", {len(failed)} {'gives' if len(failed) == 1 else 'give'} some users no list"
    return said[:1].upper() + said[1:]


def _sentences(model: str, pairings: Sequence[Pairing]) -> list[tuple[int, str, str]]:
    """(gravity, model, sentence), one a model: its arms one after the other, the alike ones together."""
    mine = [one for one in pairings if one.model == model]
    parts, gravity = [], 0
    for one in mine:
        kind, way = _kind(one), WAYS.get(one.arm, one.arm)
        against = f"{plain(one.row)} like the neutral ones, against {plain(one.told)} told plainly"
        missing = one.row.excluded.get("arm-failed", 0)
        left = 0 if one.difference is None else one.difference.n
        failed = ""
        if missing:
            failed = f"; {plural(missing, 'user')} got no list so, {left:,} are left in the pairing"
        if kind == "more":
            parts.append(f"{way}, it changes lists more: they are {against}{failed}")
        elif kind == "less":
            parts.append(f"{way}, it changes lists less: they are {against}{failed}")
        elif kind == "open" and missing and not left:
            parts.append(f"{way}, all {plural(missing, 'user')} got no list, and nothing can be told")
        elif failed:
            parts.append(f"{way}, no difference from plain disclosure is shown{failed}")
        gravity = max(
            gravity, {"more": 4, "less": 4, "open": 3 if missing else 2, "alike": 3 if missing else 1}[kind]
        )
    calm = [one for one in mine if _kind(one) == "alike" and not one.row.excluded.get("arm-failed")]
    if calm:
        parts.append(f"{_ways(calm)}, no difference from plain disclosure is shown")
    silent = [one for one in mine if _kind(one) == "open" and not one.row.excluded.get("arm-failed")]
    if silent:
        why = line(silent[0].row.reason or "no scores of users are kept", 160)
        parts.append(f"{_ways(silent)}, nothing can be told ({why})")
    return [(gravity, model, "; ".join(parts))] if parts else []


def _ways(pairings: Sequence[Pairing]) -> str:
    return listing([WAYS.get(one.arm, one.arm) for one in pairings])


def _sketch(told: Told, attribute: str, likeness: Likeness, pairings: Sequence[Pairing]) -> Sketch | None:
    heads, rows = [], []
    for model in told.order:
        marks = floors(told, model, likeness)
        row = told.row(model, "neutral_similarity", likeness, attribute=attribute)
        if row is not None and row.value is not None:
            marks.append(Mark("told plainly", row))
        for one in pairings:
            if one.model == model and one.row.value is not None:
                marks.append(Mark(WAYS.get(one.arm, one.arm), one.row))
        heads.append((model, told.position(model), marks))
        for mark in marks:
            ends = (exactly(end, "") for end in (mark.row.value, mark.row.low, mark.row.high))
            rows.append((line(model, 80), mark.name, *ends, f"{mark.row.n:,}", lacking(mark.row)))
    panels = band_panels(heads, f"Similarity to neutral, {line(attribute, 60)} told otherwise,")
    if not panels:
        return None
    return Sketch(
        "fairness",
        f"Does {line(attribute, 60)} do the same when it is told otherwise? {likeness.name}",
        "Each mark is a mean over users and values with its interval; 1 is the same list as with nothing"
        " disclosed. The shaded band is how alike lists are when nothing is disclosed.",
        panels,
        ("model", "asked", "value", "low", "high", "users", "left out"),
        rows,
        words=2,
    )


def _line(one: Pairing) -> Line:
    gap = one.difference
    shown = "—"
    if gap is not None:
        shown = str(figure(gap.value, gap.low, gap.high, difference=True)) if gap.low is not None else "—"
    return Line(
        one.model,
        WAYS.get(one.arm, one.arm),
        cell(one.told),
        cell(one.row),
        shown,
        p_text(one.p),
        "—" if gap is None else f"{gap.n:,}",
        lacking(one.row),
    )
