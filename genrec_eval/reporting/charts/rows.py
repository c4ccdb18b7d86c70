"""Rows with whiskers on one scale: the drawing of every forest."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from genrec_eval.reporting.charts.chart import factor
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, hue, marker, room, short

STEP = 22
"""Pixels of a row."""

Triple = tuple[float, float, float]
"""Value, low and high, in the metric's own unit."""


class Upright(NamedTuple):
    """A line that figures are held against.

    Attributes
    ----------
    at
        Where it stands, in the metric's own unit.
    name
        What it is called.
    rows
        The rows that it binds, and in which alone it is drawn; all when None.
    """

    at: float
    name: str
    rows: tuple[int, ...] | None = None


def rows_panel(
    heading: str,
    about: str,
    names: Sequence[str],
    shown: Sequence[Triple],
    positions: Sequence[int],
    rules: Sequence[Upright],
    unit: str,
    most: int = 20,
    reach: Sequence[float] = (),
) -> Panel:
    """A panel of rows.

    Parameters
    ----------
    names, shown, positions
        Of each row: its name, its figures and the position of its model, which is hue and marker.
    rules
        The uprights.
    most
        Characters of a name.
    reach
        What the scale holds beside, so that it is that of other panels too.
    """
    values: list[float | None] = [*reach, *(rule.at for rule in rules)]
    for row in shown:
        values += row
    by = factor(unit)
    panel = Panel(
        heading,
        about,
        x=Axis.over(values, unit),
        y=Axis.rows(len(shown)),
        height=STEP * len(shown),
        left=min(room(names, most), 190),
        right=16,
        top=22 if rules else 8,
    )
    labels = [{"x": panel.x.low, "y": i, "t": short(name, most), "c": INK} for i, name in enumerate(names)]
    panel.put("words", labels, align="right", dx=-10)
    _rules(panel, [rule._replace(at=rule.at * by) for rule in rules])
    spans, dots = [], []
    for i, ((value, low, high), position) in enumerate(zip(shown, positions, strict=True)):
        spans.append({"x": low * by, "x2": high * by, "y": i, "y2": i, "c": hue(position)})
        dots.append({"x": value * by, "y": i, "c": hue(position), "s": marker(position)})
    panel.put("spans", spans, strokeWidth=2)
    panel.put("dots", dots, size=2.2)
    return panel


def _rules(panel: Panel, rules: Sequence[Upright]) -> None:
    """Margins as dashed uprights, named above where the names do not meet; zero is drawn through."""
    floor, ceiling = panel.y.high, panel.y.low
    last = -1e9
    for at, name, bound in sorted(rules, key=lambda rule: rule.at):
        spans = [(floor, ceiling)] if bound is None else [(i + 0.5, i - 0.5) for i in bound]
        drawn = [{"x": at, "x2": at, "y": low, "y2": high, "c": INK} for low, high in spans]
        panel.put("spans", drawn, strokeWidth=1, opacity=0.6, **({} if at == 0 else {"strokeDash": [3, 3]}))
        place = panel.place(at, 0)[0]
        if name and place - last > len(name) * 6.5:
            thirds = min(2, int(3 * place / panel.width))
            align = ("left", "center", "right")[thirds]
            panel.put("words", [{"x": at, "y": ceiling, "t": name, "c": MUTED}], align=align, dy=-11)
            last = place
