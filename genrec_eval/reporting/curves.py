"""Curves: one metric at several cutoffs or under several conditions, a line per model."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from genrec_eval.core.numbers import fixed
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.svg import HUES, Scale, hue

FEWEST = 3
"""Two points are a difference, and the table shows it; three are a course."""
WIDTH, HEIGHT = 560, 230
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 44
_ID = re.compile(r"(?P<name>[^()@]+)(?:\((?P<inside>[^()]*)\))?(?:@(?P<k>\d+))?")


@dataclass(frozen=True, slots=True)
class Curve:
    """A drawing with its caption and the models that it shows."""

    title: str
    along: str
    drawing: Markup
    models: tuple[str, ...]


def curves(results: Results, scenario: str, order: Sequence[str]) -> list[Curve]:
    """One curve for each metric that a scenario measures at three or more values of one thing."""
    families: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for metric in results.metrics(scenario):
        for along, value, rest in _readings(metric):
            families.setdefault((along, rest), []).append((value, metric))
    found = []
    for (along, rest), members in families.items():
        numeric = [value for value, _ in members if _number(value) is not None]
        if len(numeric) < FEWEST or len(members) > 40:
            continue
        members.sort(key=lambda member: (_number(member[0]) is None, _number(member[0]) or 0.0))
        found.append(_curve(results, scenario, order, along, rest, members))
    return [curve for curve in found if curve.models]


def _readings(metric: str) -> list[tuple[str, str, str]]:
    """(what varies, its value, the metric with it left open) of a metric id.

    >>> _readings("ndcg(since=3)@10")
    [('since', '3', 'ndcg(since=…)@10'), ('k', '10', 'ndcg(since=3)@…')]
    """
    match = _ID.fullmatch(metric)
    if match is None:
        return []
    inside = [part for part in (match["inside"] or "").split(",") if "=" in part]
    cut = f"@{match['k']}" if match["k"] else ""
    readings = []
    for index, part in enumerate(inside):
        name, _, value = part.partition("=")
        opened = ",".join([*inside[:index], f"{name}=…", *inside[index + 1 :]])
        readings.append((name, value, f"{match['name']}({opened}){cut}"))
    if match["k"]:
        kept = f"({match['inside']})" if match["inside"] else ""
        readings.append(("k", match["k"], f"{match['name']}{kept}@…"))
    return readings


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _curve(
    results: Results,
    scenario: str,
    order: Sequence[str],
    along: str,
    rest: str,
    members: Sequence[tuple[str, str]],
) -> Curve:
    rows: dict[str, list[Estimate | None]] = {}
    for model in order:
        line = [results.get(scenario, metric, model) for _, metric in members]
        if any(row is not None and row.value is not None for row in line):
            rows[model] = line
    known = [row for line in rows.values() for row in line if row is not None]
    unit = results.unit(members[0][1])
    scale = Scale.covering([end for row in known for end in (row.value, row.low, row.high)])
    parts = [*_axes(scale, unit, [value for value, _ in members], along)]
    for number, (model, line) in enumerate(rows.items()):
        shift = (number - (len(rows) - 1) / 2) * 5  # side by side, so that whiskers do not hide each other
        parts.append(_line(line, [value for value, _ in members], scale, order.index(model), shift))
    title = results.title(members[0][1])
    head = title.split("(")[0].split("@")[0]
    open_cut = "" if rest.endswith("@…") else rest[rest.rindex("@") :] if "@" in rest else ""
    label = f"{head}{open_cut} by {along}, a line for each of {', '.join(rows)}"
    drawing = Markup('<svg class="curve" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
        WIDTH, HEIGHT, label, Markup("").join(parts)
    )
    return Curve(f"{head}{open_cut}", along, drawing, tuple(rows))


def _x(index: int, count: int) -> float:
    room = WIDTH - _LEFT - _RIGHT
    return round(_LEFT + room * (index + 0.5) / count, 1)


def _y(value: float, scale: Scale) -> float:
    share = (value - scale.low) / (scale.high - scale.low)
    return round(HEIGHT - _BOTTOM - (HEIGHT - _TOP - _BOTTOM) * min(1.0, max(0.0, share)), 1)


def _axes(scale: Scale, unit: str, labels: Sequence[str], along: str) -> list[Markup]:
    factor = 100.0 if unit == "share" else 1.0
    parts = []
    steps = round((scale.high - scale.low) / scale.step)
    places = len(scale.ends(unit)[1].partition(".")[2])
    for step in range(steps + 1):
        at = scale.low + step * scale.step
        parts.append(
            Markup(
                '<line class="a" x1="{}" x2="{}" y1="{}" y2="{}"/><text x="{}" y="{}" {}>{}</text>'
            ).format(
                _LEFT,
                WIDTH - _RIGHT,
                _y(at, scale),
                _y(at, scale),
                _LEFT - 6,
                _y(at, scale) + 4,
                Markup('text-anchor="end"'),
                fixed(at * factor, places),
            )
        )
    for index, label in enumerate(labels):
        parts.append(
            Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
                _x(index, len(labels)), HEIGHT - _BOTTOM + 16, label
            )
        )
    parts.append(
        Markup('<text x="{}" y="{}" text-anchor="middle">{}</text>').format(
            (_LEFT + WIDTH - _RIGHT) / 2, HEIGHT - 8, along
        )
    )
    return parts


def _line(
    rows: Sequence[Estimate | None], labels: Sequence[str], scale: Scale, position: int, shift: float
) -> Markup:
    parts: list[Markup] = []
    path: list[str] = []
    for index, (row, label) in enumerate(zip(rows, labels, strict=True)):
        if row is None or row.value is None:
            continue
        x, y = round(_x(index, len(rows)) + shift, 1), _y(row.value, scale)
        if _number(label) is not None:  # what is no number stands apart
            path.append(f"{'L' if path else 'M'}{x} {y}")
        if row.low is not None and row.high is not None:
            parts.append(
                Markup('<line x1="{0}" x2="{0}" y1="{1}" y2="{2}"/>').format(
                    x, _y(row.low, scale), _y(row.high, scale)
                )
            )
        parts.append(Markup('<use href="#n{}" x="{}" y="{}"/>').format(position % HUES, x, y))
    return Markup('<g class="{}"><path class="c" d="{}"/>{}</g>').format(
        hue(position), "".join(path), Markup("").join(parts)
    )
