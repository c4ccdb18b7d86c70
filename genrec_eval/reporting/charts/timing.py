"""Latency and cost of single exchanges, from the timestamps and prices in the records."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from genrec_eval.core.numbers import money, seconds
from genrec_eval.reporting.charts.chart import Scene, Sketch
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, Row, hue, marker, room, short
from genrec_eval.reporting.results import mapping
from genrec_eval.reporting.text import line, listing, plural

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SHARES = (0.5, 0.95, 0.99)
_BINS = 40
_ROW = 34
_LEVEL = 0.95


@dataclass(frozen=True, slots=True)
class Exchanges:
    """Single exchanges of one model, each counted once.

    Attributes
    ----------
    latency
        float64[n], seconds from the first byte sent to the last one read, sorted.
    cost
        float64[m], US dollars of each unit; empty where nothing says what it cost.
    tokens
        float64[m], tokens written for each unit; empty where none is counted.
    """

    latency: npt.NDArray[np.float64]
    cost: npt.NDArray[np.float64]
    tokens: npt.NDArray[np.float64]


def timed(scene: Scene) -> dict[str, Exchanges]:
    """Model → its exchanges, where they were timed one by one."""
    from genrec_eval.reporting.charts.timing_read import read

    found = {}
    for row in scene.run.get("play") or ():
        facts = mapping(row)
        model = str(facts.get("model"))
        if facts.get("scenario") == scene.scenario and facts.get("latency") and model in scene.order:
            held = read(scene.directory, model, scene.scenario)
            if held is not None and len(held.latency):
                found[model] = held
    return {model: found[model] for model in scene.order if model in found}


def latency(scene: Scene, held: dict[str, Exchanges]) -> Sketch | None:
    """Histograms of latency on a log axis, with the percentiles that services are held to."""
    import numpy as np

    found = {model: one.latency[one.latency > 0] for model, one in held.items()}
    found = {model: times for model, times in found.items() if len(times)}
    if not found:
        return None
    low = 10.0 ** math.floor(math.log10(min(times[0] for times in found.values())))
    high = 10.0 ** math.ceil(math.log10(max(times[-1] for times in found.values())) + 1e-9)
    powers = range(round(math.log10(low)), round(math.log10(high)) + 1)
    ticks = tuple(10.0**power for power in powers)
    panel = Panel(
        "",
        f"Latency of {plural(len(found), 'model')} on a logarithmic axis, with percentiles 50, 95 and 99",
        x=Axis(low, high, ticks, log=True),
        y=Axis.rows(len(found)),
        height=_ROW * len(found),
        left=min(room(list(found), 16), 120),
        right=18,
        top=4,
    )
    step = 1 if len(ticks) < 6 else 2
    labels = [{"x": at, "y": panel.y.high, "t": seconds(at), "c": MUTED} for at in ticks[::step]]
    edges = np.geomspace(low, high, _BINS + 1)
    counts = {model: np.histogram(times, edges)[0] / len(times) for model, times in found.items()}
    top = max(float(shares.max()) for shares in counts.values())
    boxes: list[Row] = []
    spans: list[Row] = []
    dots: list[Row] = []
    names: list[Row] = []
    rows: list[tuple[str, ...]] = []
    for i, (model, times) in enumerate(found.items()):
        base, colour = i + 0.3, hue(scene.position(model))
        for bar in np.flatnonzero(counts[model]).tolist():
            height = 0.74 * float(counts[model][bar]) / top
            boxes.append({"x": edges[bar], "x2": edges[bar + 1], "y": base, "y2": base - height, "c": colour})
        cells = []
        for share in SHARES:
            value, ends_ = percentile(times, share)
            cells.append(seconds(value))
            cells.append("—" if ends_ is None else f"{seconds(ends_[0])} to {seconds(ends_[1])}")
            if ends_ is not None:
                spans.append({"x": ends_[0], "x2": ends_[1], "y": i + 0.42, "y2": i + 0.42, "c": INK})
            dots.append({"x": value, "y": i + 0.42, "c": INK, "s": marker(_LOOK[share])})
        names.append({"x": low, "y": i + 0.1, "t": short(model, 16), "c": INK})
        rows.append((line(model, 80), f"{len(times):,}", *cells))
    for box in boxes:
        box["x"], box["x2"] = float(box["x"]), float(box["x2"])
    panel.put("boxes", boxes, opacity=0.85)
    panel.put("spans", spans, strokeWidth=1.4)
    panel.put("dots", dots, size=1.6)
    panel.put("words", names, align="right", dx=-8)
    panel.put("words", labels, dy=14, align="center")
    slow = max(found, key=lambda model: percentile(found[model], 0.95)[0])
    within = seconds(percentile(found[slow], 0.95)[0])
    finding = f"95 % of the exchanges with {line(slow, 60)} end within {within}"
    finding += ", the slowest of the models" if len(found) > 1 else ""
    return Sketch(
        "latency",
        finding,
        "Bars are the share of exchanges on a logarithmic axis, from the first byte sent to the last one"
        " read; an answer from the cache counts once, as it was timed. Disc, square and triangle are"
        " percentiles 50, 95 and 99, the line through each the 95 % interval of its rank, none where too few"
        " exchanges lie beyond it.",
        [panel],
        ("model", "exchanges", "p50", "interval", "p95", "interval", "p99", "interval"),
        rows,
    )


_LOOK = {0.5: 0, 0.95: 1, 0.99: 2}


def percentile(times: npt.NDArray[np.float64], share: float) -> tuple[float, tuple[float, float] | None]:
    """A percentile of sorted values and the interval between two ranks that holds it.

    The ranks are those of the binomial distribution, without any assumption on the shape (Conover,
    Practical Nonparametric Statistics, section 3.2); None where a rank would lie beyond the last value.

    Examples
    --------
    >>> import numpy as np
    >>> percentile(np.arange(1.0, 101.0), 0.5)
    (50.5, (40.0, 61.0))
    >>> percentile(np.arange(1.0, 11.0), 0.99)[1] is None
    True
    """
    import numpy as np
    from scipy.special import bdtr

    n = len(times)
    ranks = np.arange(n + 1)
    below = bdtr(ranks, n, share)  # P(at most r values lie below the percentile)
    tail = (1 - _LEVEL) / 2
    low = int(np.searchsorted(below, tail, side="right"))
    high = int(np.searchsorted(below, 1 - tail, side="left")) + 1
    value = float(np.quantile(times, share))
    if low < 1 or high > n:
        return value, None
    return value, (float(times[low - 1]), float(times[high - 1]))


def cost(scene: Scene, held: dict[str, Exchanges]) -> Sketch | None:
    """What a unit costs, from zero; tokens where nothing says what they cost."""
    priced = {model: one.cost for model, one in held.items() if len(one.cost) and one.cost.any()}
    written = {model: one.tokens for model, one in held.items() if len(one.tokens) and one.tokens.any()}
    amounts, is_money = (priced, True) if priced else (written, False)
    if not amounts:
        return None
    means = {model: mean_interval(values) for model, values in amounts.items()}
    panel = Panel(
        "US dollars per unit" if is_money else "tokens written per unit",
        f"{'Cost' if is_money else 'Tokens'} per unit of {plural(len(amounts), 'model')}",
        x=Axis.over([0.0, *(end for found in means.values() for end in found)]),
        y=Axis.rows(len(amounts)),
        height=24 * len(amounts),
        left=min(room(list(amounts), 16), 120),
        right=24,
        top=4,
    )
    boxes: list[Row] = []
    spans: list[Row] = []
    names: list[Row] = []
    rows: list[tuple[str, ...]] = []
    for i, (model, (value, low, high)) in enumerate(means.items()):
        boxes.append({"x": 0, "x2": value, "y": i - 0.3, "y2": i + 0.3, "c": hue(scene.position(model))})
        if low is not None and high is not None:
            spans.append({"x": max(0.0, low), "x2": high, "y": i, "y2": i, "c": INK})
        names.append({"x": 0, "y": i, "t": short(model, 16), "c": INK})
        shown = [_amount(end, is_money) for end in (value, low, high)]
        total = float(amounts[model].sum())
        rows.append((line(model, 80), f"{len(amounts[model]):,}", *shown, _amount(total, is_money)))
    panel.put("boxes", boxes)
    panel.put("spans", spans, strokeWidth=1.6)
    panel.put("words", names, align="right", dx=-8)
    what = "cost" if is_money else "number of tokens written"
    unknown = [line(model, 60) for model in scene.order if model in held and model not in amounts]
    return Sketch(
        "cost",
        _dearest(means, what, is_money),
        "The bar starts at zero; the line is the 95 % interval of the mean over units (Student's t). An"
        f" exchange that several cases share counts once.{_no_figure(unknown, what)}",
        [panel],
        ("model", "units", "mean", "low", "high", "total"),
        rows,
    )


def _dearest(means: dict[str, tuple[float, float | None, float | None]], what: str, is_money: bool) -> str:
    model = max(means, key=lambda name: means[name][0])
    value, low, _ = means[model]
    others = [found[2] for name, found in means.items() if name != model]
    text = f"The mean {what} of a unit is {_amount(value, is_money)} with {line(model, 60)}"
    if others and low is not None and all(high is not None and high < low for high in others):
        return f"{text}, the highest of {len(means)} models"
    return f"{text}, not clearly more than with every other model" if others else text


def _no_figure(names: Sequence[str], what: str) -> str:
    return f" No {what} is known of {listing(list(names))}." if names else ""


def _amount(value: float | None, is_money: bool) -> str:
    if value is None:
        return "—"
    return money(value) if is_money else f"{value:,.0f}" if value >= 100 else f"{value:.1f}"


def mean_interval(values: npt.NDArray[np.float64]) -> tuple[float, float | None, float | None]:
    """Mean with its Student interval; none of a single value."""
    import numpy as np
    from scipy.special import stdtrit

    mean = float(values.mean())
    if len(values) < 2:
        return mean, None, None
    half = float(stdtrit(len(values) - 1, 1 - (1 - _LEVEL) / 2) * values.std(ddof=1) / np.sqrt(len(values)))
    return mean, mean - half, mean + half
