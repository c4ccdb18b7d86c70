"""Names beside marks: each where it meets no other name and no other mark, with a thin line if it is far."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genrec_eval.reporting.charts.panel import INK, MUTED, Panel, Row, short

_WIDE, _HIGH = 7.0, 13.0
"""Room of a character."""
_RINGS = (9.0, 22.0, 36.0, 52.0, 70.0, 90.0)
_SIDES = (("left", 1, -0.6), ("right", -1, -0.6), ("left", 1, 0.7), ("right", -1, 0.7), ("left", 1, 0.0),
          ("right", -1, 0.0), ("center", 0, -1.2), ("center", 0, 1.3))  # fmt: skip
_FAR = 12.0
"""Pixels from which a name is joined to its mark."""

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def name_marks(
    panel: Panel, points: Sequence[tuple[float, float]], names: Sequence[str], spans: Sequence[Row] = ()
) -> None:
    """Put the names of ``points`` into a panel with linear scales, off marks and, if it can be, off spans."""
    lying = [_room(panel, row) for row in spans]
    places = [panel.place(x, y) for x, y in points]
    marks = [(px - 5, py - 5, px + 5, py + 5) for px, py in places]
    taken: list[Box] = []
    words: dict[str, list[Row]] = {}
    lines: list[Row] = []
    for i, ((px, py), name) in enumerate(zip(places, names, strict=True)):
        text = short(name)
        others = [*taken, *(box for j, box in enumerate(marks) if j != i)]
        align, left, top, ring, box = min(
            _places(px, py, len(text) * _WIDE), key=lambda one: _cost(panel, one[4], one[3], others, lying)
        )
        taken.append(box)
        x, y = panel.at(left, top)
        words.setdefault(align, []).append({"x": x, "y": y, "t": text, "c": INK})
        if ring > _FAR:
            x2, y2 = panel.at(px, py)
            lines.append({"x": x, "y": y, "x2": x2, "y2": y2, "c": MUTED})
    panel.put("spans", lines, strokeWidth=0.7)
    for align, rows in words.items():
        panel.put("words", rows, align=align)


def _places(px: float, py: float, wide: float) -> Iterator[tuple[str, float, float, float, Box]]:
    """Where a name may stand: align, its anchor, how far out, and its room."""
    for ring in _RINGS:
        for align, across, down in _SIDES:
            x, y = px + across * ring, py + down * ring * (1.4 if across == 0 else 1)
            left = x - {"left": 0.0, "right": wide, "center": wide / 2}[align]
            yield align, x, y, ring, (left, y - _HIGH / 2, left + wide, y + _HIGH / 2)


def _room(panel: Panel, row: Row) -> Box:
    (x, y), (x2, y2) = panel.place(row["x"], row["y"]), panel.place(row["x2"], row["y2"])
    return min(x, x2) - 1, min(y, y2) - 1, max(x, x2) + 1, max(y, y2) + 1


def _cost(panel: Panel, box: Box, ring: float, others: Sequence[Box], lying: Sequence[Box]) -> float:
    outside = (
        box[0] < 2 or box[2] > panel.width + panel.right - 2 or box[1] < -_HIGH or box[3] > panel.height - 2
    )
    over = sum(_meet(box, one) for one in lying)
    return ring + 200 * outside + 150 * sum(_meet(box, one) for one in others) + 25 * over


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
