"""Curves: one metric at several cutoffs or under several conditions, a line per model."""

from __future__ import annotations

import re
from collections.abc import Sequence

from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import Scene, Sketch, ends, exactly, factor, has_interval, joined
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, Row, hue, marker, room, short
from genrec_eval.reporting.compare import best, is_validity
from genrec_eval.reporting.text import line, listing

FEWEST = 3
"""Two points are a difference, and the table shows it; three are a course."""
MOST = 6
"""Panels of one chart; families beyond them stay in the tables."""
_HEIGHT = 170
_ID = re.compile(r"(?P<name>[^()@]+)(?:\((?P<inside>[^()]*)\))?(?:@(?P<k>\d+))?")

Family = tuple[str, str, list[tuple[str, str]]]
"""What varies, the metric with it left open, (value, metric) along it."""


def families(scene: Scene) -> list[Family]:
    """Metrics that are measured at three or more numbers of one thing."""
    found: dict[tuple[str, str], list[tuple[str, str]]] = {}
    for metric in scene.results.metrics(scene.scenario):
        for along, value, rest in readings(metric):
            found.setdefault((along, rest), []).append((value, metric))
    kept = []
    for (along, rest), members in found.items():
        numeric = [value for value, _ in members if _number(value) is not None]
        if len(numeric) < FEWEST or len(members) > 40 or not any(scene.known(m) for _, m in members):
            continue
        members.sort(key=lambda member: (_number(member[0]) is None, _number(member[0]) or 0.0))
        kept.append((along, rest, members))
    # of what claims are about and what has a better side first, checks of lists last
    return sorted(kept, key=lambda one: _weight(scene, [metric for _, metric in one[2]]))


def curves(scene: Scene) -> list[Sketch]:
    """A chart for each thing that varies, a panel for each metric that is measured along it."""
    along: dict[str, list[Family]] = {}
    for family in families(scene):
        along.setdefault(family[0], []).append(family)
    return [_chart(scene, name, held) for name, held in along.items()]


def readings(metric: str) -> list[tuple[str, str, str]]:
    """(what varies, its value, the metric with it left open) of a metric id.

    >>> readings("ndcg(since=3)@10")
    [('since', '3', 'ndcg(since=…)@10'), ('k', '10', 'ndcg(since=3)@…')]
    """
    match = _ID.fullmatch(metric)
    if match is None:
        return []
    inside = [part for part in (match["inside"] or "").split(",") if "=" in part]
    cut = f"@{match['k']}" if match["k"] else ""
    found = []
    for index, part in enumerate(inside):
        name, _, value = part.partition("=")
        opened = ",".join([*inside[:index], f"{name}=…", *inside[index + 1 :]])
        found.append((name, value, f"{match['name']}({opened}){cut}"))
    if match["k"]:
        kept = f"({match['inside']})" if match["inside"] else ""
        found.append(("k", match["k"], f"{match['name']}{kept}@…"))
    return found


def _number(text: str) -> float | None:
    try:
        found = float(text)
    except ValueError:
        return None
    return found if abs(found) < 1e300 else None  # not inf, not nan


def _weight(scene: Scene, metrics: Sequence[str]) -> tuple[bool, bool, bool]:
    return (
        is_validity(metrics[0]),
        not any(metric in scene.main for metric in metrics),
        scene.results.direction(metrics[0]) == "none",
    )


def _chart(scene: Scene, along: str, held: Sequence[Family]) -> Sketch:
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    said: list[tuple[str, str, str]] = []
    for _, rest, members in held[:MOST]:
        title = _open_title(scene, rest, members[0][1])
        lines = {
            model: line_
            for model in scene.order
            if any(line_ := [scene.results.get(scene.scenario, m, model) for _, m in members])
            and any(row is not None and has_interval(row) for row in line_)
        }
        panels.append(_panel(scene, title, along, members, lines))
        said.append(_finding(scene, title, along, members, lines))
        unit = scene.results.unit(members[0][1])
        for model, found in lines.items():
            for (value, _), row in zip(members, found, strict=True):
                if row is not None and has_interval(row):
                    figures = (exactly(v, unit) for v in (row.value, row.low, row.high))
                    name = f"{title} %" if unit == "share" else title
                    rows.append((name, line(model, 80), line(value, 40), *figures))
    rest_of = [_open_title(scene, rest, members[0][1]) for _, rest, members in held[MOST:]]
    left = f" Left to the tables: {listing(rest_of)}." if rest_of else ""
    return Sketch(
        "curves",
        joined(said),
        f"A line joins the values of one model along {line(along, 40)}; each upright is its interval, and"
        f" models stand side by side so that none hides another.{left}",
        panels,
        ("metric", "model", line(along, 40), "value", "low", "high"),
        rows,
        words=2,
    )


def _open_title(scene: Scene, rest: str, metric: str) -> str:
    """The title with the cutoff that all share, or none."""
    head = re.split(r"[(@]", scene.results.title(metric))[0]
    cut = "" if rest.endswith("@…") else rest[rest.rindex("@") :] if "@" in rest else ""
    others = [part for part in rest[rest.find("(") + 1 : rest.find(")")].split(",") if "…" not in part]
    inside = f"({','.join(others)})" if "(" in rest and others else ""
    return line(f"{head}{inside}{cut}", 80)


def _panel(
    scene: Scene,
    title: str,
    along: str,
    members: Sequence[tuple[str, str]],
    lines: dict[str, list[Estimate | None]],
) -> Panel:
    unit = scene.results.unit(members[0][1])
    by = factor(unit)
    known = [row for found in lines.values() for row in found if row is not None and has_interval(row)]
    arrow = {"higher": " ↑", "lower": " ↓"}.get(scene.results.direction(members[0][1]), "")
    panel = Panel(
        f"{title}{' in %' if unit == 'share' else ''}{arrow}",
        f"{title} along {line(along, 40)}, a line for each of {listing([short(m) for m in lines])}",
        x=Axis.columns(len(members), line(along, 40)),
        y=Axis.over([end for row in known for end in (row.value, row.low, row.high)], unit),
        height=_HEIGHT,
        left=46,
        right=min(room(list(lines), 14), 112),
        bottom=42,
    )
    floor = panel.y.low
    ticks = [{"x": i, "y": floor, "t": line(value, 12), "c": MUTED} for i, (value, _) in enumerate(members)]
    panel.put("words", ticks, dy=14, align="center")
    paths: list[Row] = []
    spans: list[Row] = []
    dots: list[Row] = []
    last: list[tuple[float, str]] = []
    step = min(0.8 / max(1, len(lines)), 0.09 * len(members) / 5)
    for number, (model, found) in enumerate(lines.items()):
        position = scene.position(model)
        shift = (number - (len(lines) - 1) / 2) * step
        stretch = 0
        for i, ((value, _), row) in enumerate(zip(members, found, strict=True)):
            if row is None or not has_interval(row):
                stretch += 1  # a gap is not joined over
                continue
            y, low, high = ends(row, by)
            x = i + shift
            spans.append({"x": x, "x2": x, "y": low, "y2": high, "c": hue(position)})
            dots.append({"x": x, "y": y, "c": hue(position), "s": marker(position)})
            if _number(value) is not None:  # what is no number stands apart
                paths.append({"x": x, "y": y, "o": i, "g": f"{number}.{stretch}", "c": hue(position)})
        ends_at = [row for row in found if row is not None and has_interval(row)]
        last.append((ends(ends_at[-1], by)[0], model))
    panel.put("spans", spans, strokeWidth=1.2, opacity=0.6)
    panel.put("paths", paths)
    panel.put("dots", dots, size=2.6)
    end_names(panel, last)
    return panel


def end_names(panel: Panel, last: Sequence[tuple[float, str]]) -> None:
    """Names at the right ends of lines, moved apart where they would meet."""
    gap = (panel.y.high - panel.y.low) * 14 / panel.height
    rows: list[Row] = []
    for value, model in sorted(last, key=lambda pair: pair[0]):
        y = max(value, rows[-1]["y"] + gap) if rows else value
        rows.append({"x": panel.x.high, "y": y, "t": short(model, 14), "c": INK})
    over = rows[-1]["y"] - panel.y.high if rows else 0.0
    for row in reversed(rows):  # pushed out at the top: all move down as far as they have to
        if over <= 0:
            break
        row["y"] -= over
        below = [one["y"] for one in rows if one["y"] <= row["y"] and one is not row]
        over = max(0.0, max(below, default=-1e300) + gap - row["y"])
    panel.put("words", rows, align="left", dx=4)


def _finding(
    scene: Scene,
    title: str,
    along: str,
    members: Sequence[tuple[str, str]],
    lines: dict[str, list[Estimate | None]],
) -> tuple[str, str, str]:
    numeric = [(value, metric) for value, metric in members if _number(value) is not None]
    span = f"{line(along, 40)} {line(numeric[0][0], 12)} to {line(numeric[-1][0], 12)}"
    unit = scene.results.unit(members[0][1])
    if len(lines) == 1:
        ((model, found),) = lines.items()
        held = [row for row in found if row is not None and has_interval(row)]
        sign = " %" if unit == "share" else ""
        first, end = (f"{exactly(row.value, unit)}{sign}" for row in (held[0], held[-1]))
        return "", title, f" of {line(model, 60)} goes from {first} to {end} over {span}"
    tops = [best(scene.results, scene.scenario, metric) for _, metric in numeric]
    if tops and len(tops[0]) == 1 and all(top == tops[0] for top in tops):
        return f"{line(next(iter(tops[0])), 60)} is best on ", title, f" at every {line(along, 40)} shown"
    ever = list(dict.fromkeys(line(next(iter(top)), 60) for top in tops if len(top) == 1))
    if scene.results.direction(members[0][1]) == "none":
        return "No side of ", title, " is the better one"
    if not ever:
        return "No model is shown to be best on ", title, f" at any {line(along, 40)}"
    if len(ever) == 1:
        n = sum(len(top) == 1 for top in tops)
        return f"{ever[0]} is best on ", title, f" at {n} of {len(tops)} values of {line(along, 40)}"
    return "Who is best on ", title, f" depends on {line(along, 40)}: {listing(ever)}"
