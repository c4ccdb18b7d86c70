"""Distributions: how the scores of a metric are spread over units, a histogram per model on one scale."""

from __future__ import annotations

import math
from collections.abc import Mapping

from genrec_eval.core.numbers import fixed
from genrec_eval.reporting.charts.chart import Scene, Sketch, factor, joined, titled
from genrec_eval.reporting.charts.panel import INK, MUTED, RULE, Axis, Panel, Row, hue, room, short
from genrec_eval.reporting.distributions import BARS, Distribution, Key, is_mean
from genrec_eval.reporting.text import line, listing, plural

MOST = 2
"""Metrics that are drawn; the quartiles of the others stand in the table."""
_TABLE = 24
"""Metrics in the table."""
_ROW = 30


def spread(scene: Scene, found: Mapping[Key, Distribution]) -> Sketch | None:
    """Histograms of the main metrics; None where nothing is spread."""
    held, left = _worth(scene, found)
    if not held:
        return None
    # half of the units at one value make a line and no shape
    order = sorted(held, key=lambda m: (not any(_wide(row) for row in held[m].values()), m not in scene.main))
    drawn = order[:MOST]
    rows: list[tuple[str, ...]] = []
    for metric in order[:_TABLE]:
        for model, one in held[metric].items():
            quartiles = _quartiles(one, factor(scene.results.unit(metric)))
            at_zero = fixed(100 * one.zero / one.n, 1)
            rows.append((titled(scene.results, metric), line(model, 80), f"{one.n:,}", at_zero, *quartiles))
    others = len(held) - len(drawn)
    more = f" The table has {others} more {'metric' if others == 1 else 'metrics'}." if others else ""
    why = "; ".join(f"{listing(names)} ({reason})" for reason, names in left.items())
    return Sketch(
        "distribution",
        joined([_finding(scene, metric, held[metric]) for metric in drawn]),
        "The height of a bar is the share of units, on one scale for all models of a metric; units at exactly"
        " 0 are given as a number and left out of the bars. The upright is the median."
        f"{more}{f' Not drawn: {why}.' if why else ''}",
        [_panel(scene, metric, held[metric]) for metric in drawn],
        ("metric", "model", "units", "at 0 %", "25th percentile", "median", "75th percentile"),
        rows,
        words=2,
    )


def _worth(
    scene: Scene, found: Mapping[Key, Distribution]
) -> tuple[dict[str, dict[str, Distribution]], dict[str, list[str]]]:
    """Metrics whose spread says more than their figure, and why the others say nothing more."""
    kept: dict[str, dict[str, Distribution]] = {}
    left: dict[str, list[str]] = {}
    for metric in scene.results.metrics(scene.scenario):
        keys = {model: (model, scene.scenario, metric) for model in scene.order}
        rows = {model: found[key] for model, key in keys.items() if key in found}
        if not rows:
            continue
        title = scene.results.title(metric)
        values = {model: scene.results.get(scene.scenario, metric, model) for model in rows}
        if all(row.binary for row in rows.values()):
            same = all(row.constant for row in rows.values())
            why = (
                "the same for every unit of a model"
                if same
                else "0 or 1 for every unit, so that the share says all"
            )
            left.setdefault(why, []).append(title)
        elif not any(is_mean(row, e.value) for model, row in rows.items() if (e := values[model])):
            left.setdefault("a figure of the whole run and not a mean over units", []).append(title)
        elif all(row.constant for row in rows.values()):
            left.setdefault("the same for every unit of a model", []).append(title)
        else:
            kept[metric] = rows
    return kept, left


def _wide(one: Distribution) -> bool:
    return one.quartiles[2] > one.quartiles[0]


def _quartiles(one: Distribution, by: float) -> tuple[str, str, str]:
    """With the digits that the bins they are read from justify."""
    places = max(0, 2 - math.ceil(math.log10((one.high - one.low) * by))) if one.high > one.low else 2
    first, second, third = (fixed(value * by, places) for value in one.quartiles)
    return first, second, third


def _panel(scene: Scene, metric: str, rows: Mapping[str, Distribution]) -> Panel:
    unit = scene.results.unit(metric)
    by = factor(unit)
    first = next(iter(rows.values()))
    low, high = first.low * by, first.high * by
    axis = Axis.over([first.low, first.high], unit)
    ticks = tuple(at for at in axis.ticks if low - 1e-9 <= at <= high + 1e-9)
    panel = Panel(
        scene.heading(metric),
        f"{scene.results.title(metric)} over units, a histogram for each of {plural(len(rows), 'model')}",
        x=Axis(low, high, ticks, axis.places),
        y=Axis.rows(len(rows)),
        height=_ROW * len(rows),
        left=min(room(list(rows), 16), 120),
        right=64,
        top=4,
    )
    top = max(max(row.shares) for row in rows.values()) or 1.0
    width = (high - low) / BARS
    boxes: list[Row] = []
    names: list[Row] = []
    zeros: list[Row] = []
    medians: list[Row] = []
    floors: list[Row] = []
    for i, (model, one) in enumerate(rows.items()):
        base = i + 0.42
        floors.append({"x": low, "x2": high, "y": base, "y2": base, "c": RULE})
        for bar, share in enumerate(one.shares):
            if share > 0:
                at = low + bar * width
                boxes.append(
                    {
                        "x": at,
                        "x2": at + width,
                        "y": base,
                        "y2": base - 0.84 * share / top,
                        "c": hue(scene.position(model)),
                    }
                )
        names.append({"x": low, "y": i + 0.15, "t": short(model, 16), "c": INK})
        zeros.append({"x": high, "y": i + 0.15, "t": f"{100 * one.zero / one.n:.0f} % at 0", "c": MUTED})
        middle = one.quartiles[1] * by
        medians.append({"x": middle, "x2": middle, "y": base, "y2": i - 0.42, "c": INK})
    panel.put("spans", floors, strokeWidth=1)
    panel.put("boxes", boxes)
    panel.put("spans", medians, strokeWidth=1.2)
    panel.put("words", names, align="right", dx=-8)
    if any(one.zero for one in rows.values()):
        panel.put("words", zeros, align="left", dx=6, fontSize=11)
    return panel


def _finding(scene: Scene, metric: str, rows: Mapping[str, Distribution]) -> tuple[str, str, str]:
    title, unit = scene.results.title(metric), scene.results.unit(metric)
    zeros = {model: one.zero / one.n for model, one in rows.items()}
    model = max(zeros, key=lambda name: zeros[name])
    if zeros[model] >= 0.5:
        least = min(zeros.values())
        share = f"{100 * zeros[model]:.0f} %"
        if least >= 0.5 and len(zeros) > 1:
            return "Most units score 0 on ", title, f" with every model, {share} with {line(model, 60)}"
        return "Most units score 0 on ", title, f" with {line(model, 60)} ({share})"
    turn = -1 if scene.results.direction(metric) == "lower" else 1
    model = max(rows, key=lambda name: rows[name].quartiles[1] * turn)
    first, _, third = _quartiles(rows[model], factor(unit))
    sign = " %" if unit == "share" else ""
    if first == third:
        return (
            "On ",
            title,
            f" the middle half of the units lies at about {first}{sign} with {line(model, 60)}",
        )
    word = "lowest" if turn < 0 else "highest"
    whose = f"{line(model, 60)}, which has the {word} median" if len(rows) > 1 else line(model, 60)
    return "On ", title, f" the middle half of the units lies between {first} and {third}{sign} with {whose}"
