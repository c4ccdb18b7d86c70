"""One panel of a chart: layers in the words of Vega-Lite, drawn without a browser and without the network.

Fields have neutral names, and what strangers wrote is only ever a value of one: a model may be called
``datum['x']`` without any expression being made of it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from markupsafe import Markup

from genrec_eval.reporting.charts.dress import dress
from genrec_eval.reporting.svg import HUES, MARKERS, Scale
from genrec_eval.reporting.text import line

WIDTH = 344
"""Of a panel: a phone shows it as it is, a wide screen several side by side."""
INK, MUTED, RULE, PAPER = "var(--ink)", "var(--muted)", "var(--rule)", "var(--paper)"
TEXT = 12
NAME = 20
"""Characters of a name in a drawing; the table beside it has the whole."""
_GLYPH = 7
"""Width of a character of :data:`TEXT` px, generously: no typeface is measured, so that every machine
draws alike."""

Row = dict[str, Any]


def hue(position: int) -> str:
    """Colour of the model at ``position``, as everywhere on the page."""
    return f"var(--h{position})" if position < HUES else "var(--hx)"


def marker(position: int) -> str:
    """Shape of the model at ``position``, as everywhere on the page."""
    return MARKERS[position % len(MARKERS)]


def short(name: str, most: int = NAME) -> str:
    """A name as drawings show it."""
    return line(name, most)


def room(names: Sequence[str], most: int = NAME) -> int:
    """Pixels that the longest of ``names`` takes."""
    return round(max((len(short(name, most)) for name in names), default=0) * _GLYPH) + 12


@dataclass(frozen=True, slots=True)
class Axis:
    """One direction of a panel.

    Attributes
    ----------
    low, high
        Ends of the scale, in the unit shown.
    ticks
        Where thin lines stand.
    places
        Decimals of their labels; None where a layer says what they are.
    title
        Under the labels, or over them where they stand at the left.
    log, reverse
        Kind of scale.
    """

    low: float
    high: float
    ticks: tuple[float, ...] = ()
    places: int | None = None
    title: str = ""
    log: bool = False
    reverse: bool = False

    @classmethod
    def over(cls, values: Sequence[float | None], unit: str = "", title: str = "") -> Axis:
        """A round scale that holds all ``values``, which are in the metric's own unit."""
        scale = Scale.covering(values)
        factor = 100.0 if unit == "share" else 1.0
        places = len(scale.ends(unit)[1].partition(".")[2])
        steps = round((scale.high - scale.low) / scale.step)
        at = tuple(round((scale.low + step * scale.step) * factor, 9) for step in range(steps + 1))
        return cls(at[0], at[-1], at, places, title)

    @classmethod
    def rows(cls, count: int) -> Axis:
        """Places 0, 1, … from top to bottom."""
        return cls(-0.5, count - 0.5, reverse=True)

    @classmethod
    def columns(cls, count: int, title: str = "") -> Axis:
        """Places 0, 1, … from left to right; their labels are a layer."""
        return cls(-0.5, count - 0.5, title=title)

    def share(self, value: float) -> float:
        """Place between the ends, 0 to 1 and beyond."""
        if self.log:
            whole = math.log(self.high / self.low)
            return math.log(value / self.low) / whole
        place = (value - self.low) / (self.high - self.low)
        return 1 - place if self.reverse else place


@dataclass(frozen=True, slots=True)
class Panel:
    """A drawing before it is drawn.

    Attributes
    ----------
    heading
        Of the panel among others, as text of the page.
    about
        What a screen reader says of it.
    height
        Of the plot; ``left``, ``right``, ``top`` and ``bottom`` are the room around it.
    layers
        (kind, rows, options of the mark), the last on top; see :data:`_LAYERS`.
    """

    heading: str
    about: str
    x: Axis
    y: Axis
    height: int
    left: int = 12
    right: int = 12
    top: int = 8
    bottom: int = 26
    layers: list[tuple[str, list[Row], dict[str, Any]]] = field(default_factory=list)

    @property
    def width(self) -> int:
        """Of the plot."""
        return WIDTH - self.left - self.right

    def at(self, left: float, top: float) -> tuple[float, float]:
        """The point at these pixels, on linear scales: the inverse of :meth:`place`."""
        across, down = left / self.width, top / self.height
        x = self.x.low + (1 - across if self.x.reverse else across) * (self.x.high - self.x.low)
        y = self.y.low + (down if self.y.reverse else 1 - down) * (self.y.high - self.y.low)
        return x, y

    def put(self, kind: str, rows: Sequence[Row], **mark: Any) -> None:
        """Add a layer; nothing where there are no rows.

        Parameters
        ----------
        kind
            ``"spans"`` from (x, y) to (x2, y2), ``"dots"`` with shape s, ``"words"`` t, ``"paths"`` through
            the points of each group g, ``"boxes"`` from (x, y) to (x2, y2); c is the colour.
        mark
            Options of Vega-Lite's mark.
        """
        if rows:
            self.layers.append((kind, list(rows), mark))

    def place(self, x: float, y: float) -> tuple[float, float]:
        """Pixels of a point, from the left and from the top of the plot."""
        return self.x.share(x) * self.width, (1 - self.y.share(y)) * self.height


def drawn(panels: Sequence[Panel], anchor: str) -> Markup:
    """The panels of one chart, side by side where there is room.

    Parameters
    ----------
    anchor
        Of the chart, unique in the page.
    """
    import vl_convert

    parts = []
    for number, panel in enumerate(panels, 1):
        svg = vl_convert.vegalite_to_svg(specification(panel), allowed_base_urls=[])
        head = Markup('<p class="panel-head">{}</p>').format(panel.heading) if panel.heading else Markup("")
        title = panel.heading or panel.about
        parts.append(
            Markup('<div class="panel">{}{}</div>').format(
                head, dress(svg, f"{anchor}-{number}", title, panel.about)
            )
        )
    return Markup("").join(parts)


def specification(panel: Panel) -> dict[str, Any]:
    """The panel in Vega-Lite, written out: to build it from the objects of Altair takes a second a page."""
    layers = [*panel.layers, *_titles(panel)]
    x, y = _channel("x", panel.x), _channel("y", panel.y)
    return {
        "$schema": "https://vega.github.io/schema/vega-lite/v6.json",
        "background": "transparent",
        "width": panel.width,
        "height": panel.height,
        "padding": {"left": panel.left, "right": panel.right, "top": panel.top, "bottom": panel.bottom},
        "autosize": "none",
        "config": {
            "view": {"stroke": "transparent"},
            "aria": False,
            "axis": {
                "labelColor": MUTED,
                "labelFontSize": TEXT,
                "labelPadding": 5,
                "gridColor": RULE,
                "domain": False,
                "ticks": False,
            },
        },
        "layer": [_layer(f"d{i}", kind, x, y, mark) for i, (kind, _, mark) in enumerate(layers)],
        "datasets": {f"d{i}": rows for i, (_, rows, _) in enumerate(layers)},
    }


def _titles(panel: Panel) -> list[tuple[str, list[Row], dict[str, Any]]]:
    """Titles of the axes as words: the x axis under its labels, the y axis over its own."""
    found: list[tuple[str, list[Row], dict[str, Any]]] = []
    x, y = panel.x, panel.y
    floor, ceiling = (y.high, y.low) if y.reverse else (y.low, y.high)
    if x.title:
        row = {"x": x.high, "y": floor, "t": x.title, "c": MUTED}
        found.append(("words", [row], {"align": "right", "dy": panel.bottom - 9}))
    if y.title:
        row = {"x": x.low, "y": ceiling, "t": y.title, "c": MUTED}
        found.append(("words", [row], {"align": "left", "dx": 2 - panel.left, "dy": -14}))
    return found


def _channel(field: str, axis: Axis) -> dict[str, Any]:
    guide = None
    if axis.ticks:
        guide = {
            "values": list(axis.ticks),
            "labels": axis.places is not None,
            "format": f",.{axis.places or 0}f",
            "title": None,
            "labelOverlap": False,
            "labelFlush": False,
        }
    scale = {
        "domain": [axis.low, axis.high],
        "nice": False,
        "zero": False,
        "type": "log" if axis.log else "linear",
        "reverse": axis.reverse,
    }
    return {"field": field, "type": "quantitative", "scale": scale, "axis": guide}


_TO = {"x2": {"field": "x2"}, "y2": {"field": "y2"}}
_AS_IT_IS: dict[str, Any] = {"type": "nominal", "scale": None, "legend": None}
_LAYERS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "spans": ({"type": "rule", "strokeWidth": 1.6}, _TO),
    "dots": (
        {"type": "point", "filled": True, "size": 4, "opacity": 1, "strokeWidth": 1.6},
        {"shape": {"field": "s", **_AS_IT_IS}},
    ),
    "words": (
        {"type": "text", "fontSize": TEXT, "baseline": "middle"},
        {"text": {"field": "t", "type": "nominal"}},
    ),
    "paths": (
        {"type": "line", "strokeWidth": 1.6},
        {"detail": {"field": "g", "type": "nominal"}, "order": {"field": "o", "type": "quantitative"}},
    ),
    "boxes": ({"type": "rect", "opacity": 1}, _TO),
}
"""Kind of layer → its mark and what it encodes beside place and colour."""


def _layer(
    data: str, kind: str, x: dict[str, Any], y: dict[str, Any], mark: dict[str, Any]
) -> dict[str, Any]:
    usual, encoded = _LAYERS[kind]
    return {
        "data": {"name": data},
        "mark": {**usual, **mark},
        "encoding": {"x": x, "y": y, "color": {"field": "c", **_AS_IT_IS}, **encoded},
    }
