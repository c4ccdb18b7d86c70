"""Names beside marks: marks that lie together share one, and each name stands clear where it can."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from genrec_eval.reporting.charts.panel import INK, MUTED, Panel, Row, short

_WIDE, _HIGH = 7.0, 13.0
"""Room of a character."""
_RINGS = (9.0, 14.0, 20.0, 28.0)
_SIDES = (("left", 1, -0.6), ("right", -1, -0.6), ("left", 1, 0.7), ("right", -1, 0.7), ("left", 1, 0.0),
          ("right", -1, 0.0), ("center", 0, -1.2), ("center", 0, 1.3))  # fmt: skip
_FAR = 30.0
"""What a name costs that is joined to its mark by a line."""
_NEAR = 18.0
"""Pixels between marks that share a name."""
_LONG = 26

Box = tuple[float, float, float, float]
"""Left, top, right and bottom, in pixels."""


def name_marks(
    panel: Panel, points: Sequence[tuple[float, float]], names: Sequence[str], spans: Sequence[Row] = ()
) -> None:
    """Put the names of ``points`` into a panel with linear scales, off marks and, if it can be, off spans."""
    places = [panel.place(x, y) for x, y in points]
    marks = [(px - 5, py - 5, px + 5, py + 5) for px, py in places]
    lying = [_room(panel, row) for row in spans]
    taken: list[Box] = []
    words: dict[str, list[Row]] = {}
    lines: list[Row] = []
    for group in together(places):
        text = _shared([short(names[i]) for i in group])
        px, py = places[group[0]]
        others = [*taken, *(box for i, box in enumerate(marks) if i not in group)]
        align, left, top, cost, box = min(
            _places(px, py, len(text) * _WIDE + 6),
            key=lambda one: _cost(panel, one[4], one[3], others, lying),
        )
        taken.append(box)
        x, y = panel.at(left, top)
        words.setdefault(align, []).append({"x": x, "y": y, "t": text, "c": INK})
        if cost > _FAR:
            x2, y2 = panel.at(px, py)
            lines.append({"x": x, "y": y, "x2": x2, "y2": y2, "c": MUTED})
    panel.put("spans", lines, strokeWidth=0.7)
    for align, rows in words.items():
        panel.put("words", rows, align=align)


def together(places: Sequence[tuple[float, float]]) -> list[list[int]]:
    """Marks that lie within reach of one another, by chains of neighbours, each group in its order.

    >>> together([(0, 0), (100, 0), (10, 0), (20, 0)])
    [[0, 2, 3], [1]]
    """
    left = list(range(len(places)))
    found = []
    while left:
        group = [left.pop(0)]
        for one in group:
            x, y = places[one]
            near = [i for i in left if (places[i][0] - x) ** 2 + (places[i][1] - y) ** 2 < _NEAR**2]
            group += near
            left = [i for i in left if i not in near]
        found.append(sorted(group))
    return found


def _shared(names: Sequence[str]) -> str:
    text = ", ".join(names)
    return text if len(text) <= _LONG or len(names) == 1 else f"{names[0]} and {len(names) - 1} more"


def _places(px: float, py: float, wide: float) -> Iterator[tuple[str, float, float, float, Box]]:
    """Where a name may stand: align, its anchor, how far out, and its room."""
    for ring in _RINGS:
        for align, across, down in _SIDES:
            x, y = px + across * ring, py + down * ring * (1.4 if across == 0 else 1)
            left = x - {"left": 0.0, "right": wide, "center": wide / 2}[align]
            yield align, x, y, ring, (left, y - _HIGH / 2, left + wide, y + _HIGH / 2)
    for step in range(2, 7):  # in a crowd, below or above, joined to the mark by a line
        for align, across in (("left", 1), ("right", -1)):
            for y in (py + step * _HIGH, py - step * _HIGH):
                x = px + across * 8
                left = x if align == "left" else x - wide
                yield align, x, y, _FAR + 8 * step, (left, y - _HIGH / 2, left + wide, y + _HIGH / 2)


def _room(panel: Panel, row: Row) -> Box:
    (x, y), (x2, y2) = panel.place(row["x"], row["y"]), panel.place(row["x2"], row["y2"])
    return min(x, x2) - 1, min(y, y2) - 1, max(x, x2) + 1, max(y, y2) + 1


def _cost(panel: Panel, box: Box, ring: float, others: Sequence[Box], lying: Sequence[Box]) -> float:
    outside = (
        box[0] < 2 or box[2] > panel.width + panel.right - 2 or box[1] < -_HIGH or box[3] > panel.height - 2
    )
    over = sum(_meet(box, one) for one in lying)
    return ring + 200 * outside + 150 * sum(_meet(box, one) for one in others) + 8 * over


def _meet(a: Box, b: Box) -> bool:
    return a[0] < b[2] and b[0] < a[2] and a[1] < b[3] and b[1] < a[3]
