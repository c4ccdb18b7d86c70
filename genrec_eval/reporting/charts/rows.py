"""Rows with whiskers on one scale: the drawing of every forest."""

from __future__ import annotations

from collections.abc import Sequence

from genrec_eval.reporting.charts.chart import factor
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, hue, marker, room, short

STEP = 22
"""Pixels of a row."""

Triple = tuple[float, float, float]
"""Value, low and high, in the metric's own unit."""


def rows_panel(
    heading: str,
    about: str,
    names: Sequence[str],
    shown: Sequence[Triple],
    positions: Sequence[int],
    rules: Sequence[tuple[float, str]],
    unit: str,
    most: int = 20,
) -> Panel:
    """A panel of rows.

    Parameters
    ----------
    names, shown, positions
        Of each row: its name, its figures and the position of its model, which is hue and marker.
    rules
        Where uprights stand, in the metric's own unit, and what they are called.
    most
        Characters of a name.
    """
    values: list[float | None] = [at for at, _ in rules]
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
    _rules(panel, [(at * by, name) for at, name in rules])
    spans, dots = [], []
    for i, ((value, low, high), position) in enumerate(zip(shown, positions, strict=True)):
        spans.append({"x": low * by, "x2": high * by, "y": i, "y2": i, "c": hue(position)})
        dots.append({"x": value * by, "y": i, "c": hue(position), "s": marker(position)})
    panel.put("spans", spans, strokeWidth=2)
    panel.put("dots", dots, size=2.2)
    return panel


def _rules(panel: Panel, rules: Sequence[tuple[float, str]]) -> None:
    """Margins as dashed uprights, named above where the names do not meet; zero is drawn through."""
    floor, ceiling = panel.y.high, panel.y.low
    last = -1e9
    for at, name in sorted(rules):
        row = {"x": at, "x2": at, "y": floor, "y2": ceiling, "c": INK}
        panel.put("spans", [row], strokeWidth=1, opacity=0.6, **({} if at == 0 else {"strokeDash": [3, 3]}))
        place = panel.place(at, 0)[0]
        if place - last > len(name) * 6.5:
            thirds = min(2, int(3 * place / panel.width))
            align = ("left", "center", "right")[thirds]
            panel.put("words", [{"x": at, "y": ceiling, "t": name, "c": MUTED}], align=align, dy=-11)
            last = place
