"""Quadrants: is a change of lists a change for the worse? Counts, and real users side by side."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec_eval.core.numbers import exact, fixed
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import Chart, Sketch, exactly, has_interval
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, hue, marker, room, short
from genrec_eval.reporting.charts.rows import STEP
from genrec_eval.reporting.fairness.arms import (
    Finding,
    Likeness,
    Told,
    cell,
    gathered,
    lacking,
    whole,
)
from genrec_eval.reporting.fairness.examples import Example, Pick, clearest, examples, redacted
from genrec_eval.reporting.fairness.held import stored_scores
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, listing, plural

if TYPE_CHECKING:
    import numpy as np
    import pyarrow as pa

    from genrec_eval.audit.score import StoredScores

OUTCOMES = {
    "harmful": "Harmful: fewer held-out items",
    "beneficial": "Beneficial: more held-out items",
    "unjustified": "Unjustified: other items, no gain",
    "stable": "Stable: no change beyond chance",
}
_CHANGED = ("harmful", "unjustified", "beneficial")
"""Outcomes that have examples, the worst first."""
EACH = 2
"""Examples of the worst outcome of a model and attribute; one of each other."""
MOST = 24
"""Examples of a scenario."""

Held = Mapping[str, "tuple[pa.Array, np.ndarray, np.ndarray]"]


@dataclass(frozen=True, slots=True)
class Line:
    """Counts of a model: (share with interval, users with such a list) by outcome."""

    model: str
    cells: tuple[tuple[str, str], ...]
    n: str
    excluded: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An example with what is stored of it."""

    model: str
    outcome: str
    example: Example
    counts: str
    scores: str


@dataclass(frozen=True, slots=True)
class Block:
    """One attribute."""

    attribute: str
    anchor: str
    summary: str
    findings: Sequence[Finding]
    chart: Chart | None
    heads: Sequence[str]
    lines: Sequence[Line]
    shown: Sequence[Shown]
    note: str


def quadrants(material: Material, scenario: str) -> list[Block] | None:
    """What kinds of change each attribute makes."""
    told = Told.of(material, scenario)
    attributes = told.attributes("quadrant") if told is not None else []
    if told is None or not attributes:
        return None
    with stored_scores(material) as stored:
        picks = _picks(material, told, attributes, stored)
        k = next((one.k for a in attributes for one in told.likenesses(a, "quadrant")), None) or 10
        found, left = examples(material.directory, scenario, picks[:MOST], k)
        return [
            _block(told, attribute, f"s{told.place}fq{number}", stored, found, left, picks[MOST:])
            for number, attribute in enumerate(attributes, 1)
        ]


def _held(told: Told, model: str, attribute: str, likeness: Likeness, stored: StoredScores | None) -> Held:
    """Outcome → users, their shares of lists with it, and whether they were scored."""
    found = {}
    for outcome in OUTCOMES:
        metric = told.metric("quadrant", likeness, attribute=attribute, outcome=outcome)
        kept = None if stored is None or metric is None else stored.get(model, told.scenario, metric)
        if kept is not None:
            users, scores = kept
            found[outcome] = users, scores.values, scores.scored
    return found


def _picks(
    material: Material, told: Told, attributes: Sequence[str], stored: StoredScores | None
) -> list[Pick]:
    """Whom to show, the worst outcomes first and models in turn."""
    given = material.run.get("seed")
    seed = given if isinstance(given, int) else 0
    without = redacted(material.directory, told.scenario)
    found: list[tuple[tuple[int, int], Pick]] = []
    for attribute in attributes:
        likeness = told.likenesses(attribute, "quadrant")[0]
        for model in told.order:
            held = _held(told, model, attribute, likeness, stored)
            rows = {
                outcome: told.row(model, "quadrant", likeness, attribute=attribute, outcome=outcome)
                for outcome in OUTCOMES
            }
            beyond = beyond_chance(rows, _floor(told, attribute, likeness))
            worst = True
            for gravity, outcome in enumerate(_CHANGED):
                if outcome not in held or outcome not in beyond:
                    continue
                purpose = f"{told.scenario} {model} {attribute} {outcome}"
                drawn = clearest(held, outcome, EACH if worst else 1, seed, purpose, without)
                worst = worst and not drawn
                found += [((at, gravity), (model, attribute, outcome, user)) for at, user in enumerate(drawn)]
    return [pick for _, pick in sorted(found, key=lambda one: one[0])]


def _floor(told: Told, attribute: str, likeness: Likeness) -> float:
    """The share of neutral repeats that count as changed."""
    metric = told.metric("quadrant", likeness, attribute=attribute, outcome="stable")
    said = mapping(told.results.definition(metric or "").get("parameters")).get("floor")
    return said if isinstance(said, float) else 0.05


def _block(
    told: Told,
    attribute: str,
    anchor: str,
    stored: StoredScores | None,
    found: Mapping[Pick, Example],
    left: Mapping[str, int],
    beyond: Sequence[Pick],
) -> Block:
    likeness = told.likenesses(attribute, "quadrant")[0]
    shares = {
        (model, outcome): told.row(model, "quadrant", likeness, attribute=attribute, outcome=outcome)
        for model in told.order
        for outcome in OUTCOMES
    }
    floor = _floor(told, attribute, likeness)
    said = [one for model in told.order if (one := _sentence(model, shares, floor)) is not None]
    sketch = _sketch(told, attribute, likeness, shares)
    gravity = {model: kind for kind, model, _ in said}
    shown = [
        Shown(pick[0], pick[2], example, _counts(example), _scores(told, pick, example, likeness, stored))
        for pick, example in sorted(
            found.items(), key=lambda one: (_CHANGED.index(one[0][2]), -gravity.get(one[0][0], 0))
        )
        if pick[1] == attribute
    ]
    lines = [_line(told, model, attribute, likeness, shares, stored) for model in told.order]
    more = sum(pick[1] == attribute for pick in beyond)
    notes = [f"{plural(more, 'example')} more would not fit" if more else ""]
    notes += [f"{plural(n, 'example')} of this scenario cannot be shown: {why}" for why, n in left.items()]
    return Block(
        attribute,
        anchor,
        _summary(attribute, [kind for kind, _, _ in said]),
        gathered(said),
        sketch.drawn(anchor) if sketch is not None else None,
        list(OUTCOMES),
        [row for row in lines if row is not None],
        shown,
        "; ".join(filter(None, notes)),
    )


_WORSE, _BOTH, _OTHER, _BETTER, _STABLE, _NOTHING = 6, 5, 4, 3, 2, 1
"""How grave a finding is."""


def _summary(attribute: str, kinds: Sequence[int]) -> str:
    said = [
        f"{plural(kinds.count(kind), 'model')} {one if kinds.count(kind) == 1 else many}"
        for kind, one, many in (
            (_WORSE, "makes lists worse more often than better", "make lists worse more often than better"),
            (_BOTH, "makes some lists worse and others better", "make some lists worse and others better"),
            (_OTHER, "changes lists to no end", "change lists to no end"),
            (_BETTER, "makes some lists better", "make some lists better"),
            (
                _STABLE,
                "is not shown to change lists beyond chance",
                "are not shown to change lists beyond chance",
            ),
            (_NOTHING, "could not be counted", "could not be counted"),
        )
        if kind in kinds
    ]
    return f"Told {line(attribute, 60)}, {listing(said)}"


def _sentence(
    model: str, shares: Mapping[tuple[str, str], Estimate | None], floor: float
) -> tuple[int, str, str] | None:
    rows = {outcome: shares[model, outcome] for outcome in OUTCOMES}
    if all(row is None for row in rows.values()):
        return None
    if all(row is None or not has_interval(row) for row in rows.values()):
        row = next(row for row in rows.values() if row is not None)
        if row.value is not None:
            why = line(row.reason or "no interval", 160)
        elif set(row.excluded) == {"one-repeat"}:
            why = "no noise floor was asked; repeats: 2 or more give one"
        else:
            why = f"nobody is left to compare: {lacking(row)}"
        return _NOTHING, model, f"could not be counted ({why})"
    parts = ", ".join(f"{whole(row, 'share')} {name}" for name, row in rows.items() if row is not None)
    kinds = beyond_chance(rows, floor)
    said = f"of the lists under a value {parts}"
    if not kinds:
        same = whole(rows["stable"], "share")
        return (
            _STABLE,
            model,
            f"{same} of the lists under a value are stable; no change beyond chance is shown",
        )
    gravity = {"harmful": _WORSE, "unjustified": _OTHER, "beneficial": _BETTER}[kinds[0]]
    return _BOTH if kinds[:2] == ["harmful", "beneficial"] else gravity, model, said


def beyond_chance(rows: Mapping[str, Estimate | None], floor: float) -> list[str]:
    """Outcomes that are shown to be more than chance gives, the worst first.

    Where nothing is disclosed, a share ``floor`` may count as unjustified, and as much as harmful and
    beneficial together, each as often as the other.
    """
    low, high = (
        {
            name: (getattr(row, end) if row is not None and has_interval(row) else None)
            for name, row in rows.items()
        }
        for end in ("low", "high")
    )

    def more(one: str, other: str) -> bool:
        mine, theirs = low.get(one), high.get(other)
        return mine is not None and (mine > floor or (theirs is not None and mine > theirs))

    found = {
        "harmful": more("harmful", "beneficial"),
        "beneficial": more("beneficial", "harmful"),
        "unjustified": more("unjustified", ""),
    }
    return [name for name, beyond in found.items() if beyond]


def _sketch(
    told: Told,
    attribute: str,
    likeness: Likeness,
    shares: Mapping[tuple[str, str], Estimate | None],
) -> Sketch | None:
    """Two by two: worse or better for the user, changed to no end or not at all."""
    panels, rows = [], []
    names = [line(model, 80) for model in told.order]
    axis = Axis(0.0, 100.0, (0.0, 25.0, 50.0, 75.0, 100.0), 0, "% of lists")
    for outcome, head in OUTCOMES.items():
        some = [(model, row) for model in told.order if (row := shares[model, outcome]) is not None]
        known = [(model, row) for model, row in some if has_interval(row)]
        for model, row in some:
            ends = (exactly(end, "share") for end in (row.value, row.low, row.high))
            rows.append((outcome, line(model, 80), *ends, f"{row.n:,}", lacking(row)))
        if not known:
            continue
        panel = Panel(
            head,
            f"Share of {outcome} lists, told {line(attribute, 60)}: {plural(len(known), 'model')}",
            x=axis,
            y=Axis.rows(len(known)),
            height=STEP * len(known),
            left=min(room(names), 190),
            right=16,
            bottom=42,
        )
        label = [{"x": 0.0, "y": i, "t": short(m), "c": INK} for i, (m, _) in enumerate(known)]
        panel.put("words", label, align="right", dx=-10)
        bars, spans, dots = [], [], []
        for i, (model, row) in enumerate(known):
            colour = hue(told.position(model))
            value, low, high = ((end or 0.0) * 100 for end in (row.value, row.low, row.high))
            bars.append({"x": 0.0, "x2": value, "y": i - 0.22, "y2": i + 0.22, "c": MUTED})
            spans.append({"x": low, "x2": high, "y": i, "y2": i, "c": colour})
            dots.append({"x": value, "y": i, "c": colour, "s": marker(told.position(model))})
        panel.put("boxes", bars, opacity=0.3)
        panel.put("spans", spans, strokeWidth=2)
        panel.put("dots", dots, size=2.2)
        panels.append(panel)
    if not panels:
        return None
    return Sketch(
        "fairness",
        f"What becomes of the lists when {line(attribute, 60)} is told? {likeness.name}",
        "Each bar is a share of lists, on one scale from 0 to 100 %, with its interval over users. Worse and"
        " better mean more of a loss or gain of held-out relevant items than neutral lists show among"
        " themselves in 95 % of cases; unjustified is a list less like the neutral one than those are.",
        panels,
        ("outcome", "model", "%", "low", "high", "users", "left out"),
        rows,
        words=2,
    )


def _line(
    told: Told,
    model: str,
    attribute: str,
    likeness: Likeness,
    shares: Mapping[tuple[str, str], Estimate | None],
    stored: StoredScores | None,
) -> Line | None:
    rows = [shares[model, outcome] for outcome in OUTCOMES]
    known = [row for row in rows if row is not None]
    if not known:
        return None
    held = _held(told, model, attribute, likeness, stored)
    cells = []
    for outcome, row in zip(OUTCOMES, rows, strict=True):
        count = ""
        if outcome in held:
            _, values, scored = held[outcome]
            count = plural(int((scored & (values > 0)).sum()), "user")
        cells.append((cell(row, "share"), count))
    return Line(model, tuple(cells), f"{known[0].n:,}", lacking(known[0]))


def _counts(example: Example) -> str:
    before, after = example.neutral.hits, example.told.hits
    of = plural(example.wanted, "held-out item")
    shared = plural(example.shared, "item")
    return f"{shared} in both lists; {before} of {of} in the neutral one, {after} in the other"


def _scores(told: Told, pick: Pick, example: Example, likeness: Likeness, stored: StoredScores | None) -> str:
    """What is stored of the user: the share of lists with this outcome, and similarities."""
    model, attribute, outcome, user = pick
    wanted = (
        (f"{outcome} in", "quadrant", {"attribute": attribute, "outcome": outcome}, True),
        (
            f"like neutral, told {example.value}",
            "neutral_similarity",
            {"attribute": attribute, "value": example.value},
            False,
        ),
        ("neutral again", "neutral_noise", {"arm": "neutral"}, False),
    )
    said = []
    for name, family, parameters, share in wanted:
        metric = told.metric(family, likeness, **parameters)
        value = None if metric is None else _of_user(stored, model, told.scenario, metric, user)
        if value is not None:
            said.append(
                f"{line(name, 120)} {f'{fixed(value * 100, 0)} % of lists' if share else exact(value)}"
            )
    return "; ".join(said)


def _of_user(stored: StoredScores | None, model: str, scenario: str, metric: str, user: str) -> float | None:
    import pyarrow.compute as pc

    kept = None if stored is None else stored.get(model, scenario, metric)
    if kept is None:
        return None
    units, scores = kept
    at = pc.index(units, user).as_py()
    return float(scores.values[at]) if at >= 0 and scores.scored[at] else None
