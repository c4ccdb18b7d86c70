"""Trade-offs: two metrics against each other, with the front that no model passes. Never one score."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from genrec_eval.core.numbers import figure
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import (
    Scene,
    Sketch,
    ends,
    exactly,
    factor,
    has_interval,
    joined,
    titled,
)
from genrec_eval.reporting.charts.choose import name_of
from genrec_eval.reporting.charts.labels import name_marks
from genrec_eval.reporting.charts.panel import MUTED, PAPER, Axis, Panel, Row, hue, marker
from genrec_eval.reporting.charts.pareto import dominators, front
from genrec_eval.reporting.compare import is_validity, stays_clear
from genrec_eval.reporting.text import line, listing

SIDES = {
    "coverage": "higher",
    "ild": "higher",
    "embedding_diversity": "higher",
    "entropy": "higher",
    "distinct": "higher",
    "novelty": "higher",
    "serendipity": "higher",
    "unexpectedness": "higher",
    "long_tail": "higher",
    "exposure": "higher",
    "gini": "lower",
    "popularity": "lower",
    "popularity_lift": "lower",
    "calibration": "lower",
    "jaccard": "lower",
    "self_bleu": "lower",
    "opening_share": "lower",
    "length": "lower",
}
"""What accuracy is held against, in this order → the side that counts as better in the drawing."""
DISPARITIES = ("group_gap", "exposure_gap", "snsr_excess", "differential_fairness", "pairwise_accuracy_gap")
"""How differently groups are served, which accuracy is held against in a drawing of their own."""
_NO_UTILITY = frozenset(
    {
        *SIDES,
        *DISPARITIES,
        *("group_ratio", "group_difference", "demographic_parity", "equal_opportunity", "equalised_odds"),
        *("differential_fairness_amplification", "exposure_ratio", "exposure_divergence"),
        *("attention_per_merit", "neutral_similarity", "neutral_noise", "arm_similarity"),
        *("relative_similarity", "snsr", "snsv", "quadrant"),
        *("answer_rate", "refusal_rate", "parse_failure_rate", "latency", "list_length"),
    }
)
_TRADES = 2
"""Exchanges that are told of each drawing."""
MOST = 2
_HEIGHT = 220


def tradeoff(scene: Scene) -> Sketch | None:
    """The first main metric with a better side against at most :data:`MOST` others; None with one model."""
    main = _utility(scene)
    others = sorted(
        (m for m in scene.results.metrics(scene.scenario) if name_of(m) in SIDES and m != main),
        key=lambda m: list(SIDES).index(name_of(m)),
    )
    others = list({name_of(m): m for m in reversed(others)}.values())[::-1]
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    said: list[tuple[str, str, str]] = []
    assumed: list[str] = []
    for other in others if main else ():
        pairs = _pairs(scene, other, main)
        if len(pairs) < 2 or len(panels) == MOST:
            continue
        panel, lines, finding = _drawn(scene, other, main, pairs)
        panels.append(panel)
        rows += lines
        said.append(finding)
        if scene.results.direction(other) == "none":
            more = "more" if SIDES[name_of(other)] == "higher" else "less"
            assumed.append(f"{more} {_title(scene, other)}")
    if not panels:
        return None
    side = (
        f" {listing(assumed)[:1].upper()}{listing(assumed)[1:]} is read as the better side here; the metric"
        " itself has none."
        if assumed
        else ""
    )
    return Sketch(
        "trade-off",
        joined(said),
        "Crosses are the intervals of both figures. The thin line is the front: no model is better on both"
        " than one on it. A hollow mark is dominated, and the intervals of both differences show it."
        f"{side}",
        panels,
        ("against", "model", "x", "x low", "x high", titled(scene.results, main), "low", "high", "place"),
        rows,
        words=2,
    )


def disparity(scene: Scene) -> Sketch | None:
    """The same with what differs between groups, what claims are about first."""
    main = _utility(scene)
    claimed = {row.metric for row in scene.results.verdicts if row.gate and row.scenario == scene.scenario}
    others = sorted(
        (m for m in scene.results.metrics(scene.scenario) if name_of(m) in DISPARITIES),
        key=lambda m: (m not in claimed, DISPARITIES.index(name_of(m))),
    )
    others = list({name_of(m): m for m in reversed(others)}.values())[::-1]
    others.sort(key=lambda m: m not in claimed)
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    costs: list[str] = []
    places: list[tuple[str, str, str]] = []
    for other in others if main else ():
        pairs = _pairs(scene, other, main)
        if len(pairs) < 2 or len(panels) == MOST:
            continue
        panel, lines, finding = _drawn(scene, other, main, pairs)
        panels.append(panel)
        rows += lines
        places.append(finding)
        costs += _costs(scene, other, main, pairs)
    if not panels:
        return None
    return Sketch(
        "disparity",
        said[:1].upper() + said[1:] if (said := "; ".join(costs)).startswith("what ") else said,
        f"{joined(places)}. Crosses are the intervals of both figures, and a cost is told only where both"
        " paired differences are told apart from zero after Holm's adjustment. The thin line is the front: no"
        " model is better on both than one on it. A hollow mark is dominated, and the intervals of both"
        " differences show it.",
        panels,
        ("against", "model", "x", "x low", "x high", titled(scene.results, main), "low", "high", "place"),
        rows,
        words=2,
    )


def _utility(scene: Scene) -> str:
    """What the lists are good for: the first main metric with a better side, else the scenario's first."""
    plain = (m for m in scene.results.metrics(scene.scenario) if not is_validity(m) and scene.known(m))
    for metric in (*scene.main, *plain):
        if scene.results.direction(metric) != "none" and name_of(metric) not in _NO_UTILITY:
            return metric
    return ""


def _costs(scene: Scene, other: str, main: str, pairs: Sequence[tuple[Estimate, Estimate]]) -> list[str]:
    """Who on the front gives up how much of the one for less of the other, the cheapest first."""
    turns = [_turn(side(scene, metric)) for metric in (other, main)]
    ahead = front(*([(pair[i].value or 0.0) * turns[i] for pair in pairs] for i in (0, 1)))
    models = [pair[0].model for pair, kept in zip(pairs, ahead.tolist(), strict=True) if kept]
    found: list[tuple[float, str]] = []
    for fair in models:
        for good in models:
            lost, gained = _told(scene, main, good, fair), _told(scene, other, fair, good)
            if lost is None or gained is None:
                continue
            rate = abs(lost.value or 0.0) / abs(gained.value or 1.0)
            said = (
                f"{line(fair, 60)} loses {_size(scene, lost)} {_title(scene, main)} to {line(good, 60)} and"
                f" has {_size(scene, gained)} less {_title(scene, other)}"
            )
            found.append((rate, said))
    good, less = _title(scene, main), _title(scene, other)
    if len(models) == 1:
        rest = [pair[0].model for pair in pairs if pair[0].model != models[0]]
        sure = all(_better(scene, metric, models[0], one) for metric in (main, other) for one in rest)
        if sure:
            return [f"{line(models[0], 60)} has both the best {good} and the least {less}"]
        why = f"{line(models[0], 60)} leads on both as measured, but not on both beyond chance over all"
        return [f"what less {less} costs in {good} cannot be told: {why}"]
    if not found:
        why = "no two models on the front are told apart on both"
        return [f"what less {less} costs in {good} cannot be told: {why}"]
    told = [said for _, said in sorted(found)]
    more = len(told) - _TRADES
    return told[:_TRADES] + ([f"{more} more pairs exchange the two"] if more > 1 else told[_TRADES:])


def _told(scene: Scene, metric: str, first: str, second: str) -> Estimate | None:
    """The paired difference, where it is told apart from zero and ``first`` is the better one."""
    turn = _turn(side(scene, metric))
    for model, other, sign in ((first, second, turn), (second, first, -turn)):
        row = scene.results.get(scene.scenario, metric, model, "all", other)
        if row is not None and row.value is not None and stays_clear(row) and row.value * sign > 0:
            return row
    return None


def _size(scene: Scene, row: Estimate) -> str:
    low, high = sorted((abs(row.low or 0.0), abs(row.high or 0.0)))
    unit = scene.results.unit(row.metric)
    return str(figure(abs(row.value or 0.0), low, high, unit=unit, difference=True))


def _pairs(scene: Scene, other: str, main: str) -> list[tuple[Estimate, Estimate]]:
    held = {row.model: row for row in scene.known(other)}
    return [(held[row.model], row) for row in scene.known(main) if row.model in held]


def _drawn(
    scene: Scene, other: str, main: str, pairs: Sequence[tuple[Estimate, Estimate]]
) -> tuple[Panel, list[tuple[str, ...]], tuple[str, str, str]]:
    results = scene.results
    units = results.unit(other), results.unit(main)
    by = factor(units[0]), factor(units[1])
    turns = [_turn(side(scene, metric)) for metric in (other, main)]
    values = [[(pair[i].value or 0.0) * turns[i] for pair in pairs] for i in (0, 1)]
    ahead, above = front(*values), dominators(*values)
    surely = [
        [j for j in found if all(_better(scene, m, pairs[j][0].model, pair[0].model) for m in (other, main))]
        for pair, found in zip(pairs, above, strict=True)
    ]
    axes = [
        Axis.over([end for pair in pairs for end in (pair[i].low, pair[i].value, pair[i].high)], units[i])
        for i in (0, 1)
    ]
    label = f"{_title(scene, other)}{', %' if units[0] == 'share' else ''} {_arrow(side(scene, other))}"
    title = f"{results.title(main)}{', %' if units[1] == 'share' else ''} {_arrow(side(scene, main))}"
    panel = Panel(
        f"{results.title(main)} against {_title(scene, other)}",
        f"{results.title(main)} against {results.title(other)} for {len(pairs)} models",
        x=replace(axes[0], title=label),
        y=replace(axes[1], title=title),
        height=_HEIGHT,
        left=46,
        right=20,
        top=26,
        bottom=44,
    )
    points = [(ends(pair[0], by[0]), ends(pair[1], by[1])) for pair in pairs]
    on = sorted((x[0], y[0]) for (x, y), kept in zip(points, ahead, strict=True) if kept)
    path: list[Row] = [{"x": x, "y": y, "o": i, "g": "", "c": MUTED} for i, (x, y) in enumerate(on)]
    panel.put("paths", path if len(on) > 1 else [], strokeWidth=1, opacity=0.7)
    spans: list[Row] = []
    full: list[Row] = []
    hollow: list[Row] = []
    for pair, (x, y), over in zip(pairs, points, surely, strict=True):
        position = scene.position(pair[0].model)
        spans.append({"x": x[1], "x2": x[2], "y": y[0], "y2": y[0], "c": hue(position)})
        spans.append({"x": x[0], "x2": x[0], "y": y[1], "y2": y[2], "c": hue(position)})
        (hollow if over else full).append({"x": x[0], "y": y[0], "c": hue(position), "s": marker(position)})
    panel.put("spans", spans, strokeWidth=1.4)
    panel.put("dots", full)
    panel.put("dots", [{**row, "c": PAPER} for row in hollow])
    panel.put("dots", hollow, filled=False)
    names = [pair[0].model for pair in pairs]
    name_marks(panel, [(x[0], y[0]) for x, y in points], names, spans)
    rows = []
    for pair, kept, found, sure in zip(pairs, ahead.tolist(), above, surely, strict=True):
        who = [line(names[j], 60) for j in (sure or found)]
        place = "on the front" if kept else f"dominated by {listing(who)}"
        place += "" if kept or sure else ", not beyond chance"
        figures = [exactly(v, units[i]) for i in (0, 1) for v in (pair[i].value, pair[i].low, pair[i].high)]
        rows.append((titled(results, other), line(pair[0].model, 80), *figures, place))
    return panel, rows, _finding(scene, other, main, names, ahead.tolist(), surely)


def _finding(
    scene: Scene,
    other: str,
    main: str,
    names: Sequence[str],
    ahead: Sequence[bool],
    surely: Sequence[list[int]],
) -> tuple[str, str, str]:
    before = f"On {scene.results.title(main)} together with "
    beaten = [line(name, 60) for name, found in zip(names, surely, strict=True) if found]
    on = [line(name, 60) for name, kept in zip(names, ahead, strict=True) if kept]
    if beaten:
        after = f"{listing(beaten)} {'is' if len(beaten) == 1 else 'are'} dominated beyond chance"
    elif len(on) == 1:
        after = f"{on[0]} is ahead, but not beyond chance on both"
    else:
        after = "no model is dominated beyond chance"
    return before, _title(scene, other), f" {after}"


def side(scene: Scene, metric: str) -> str:
    """The better side: the metric's own, else the one that the drawing takes."""
    direction = scene.results.direction(metric)
    if direction != "none":
        return direction
    return "lower" if name_of(metric) in DISPARITIES else SIDES.get(name_of(metric), "higher")


def _turn(direction: str) -> float:
    return -1.0 if direction == "lower" else 1.0


def _arrow(direction: str) -> str:
    return "↓" if direction == "lower" else "↑"


def _title(scene: Scene, metric: str) -> str:
    return scene.results.title(metric)


def _better(scene: Scene, metric: str, first: str, second: str) -> bool:
    """Whether the paired difference lies wholly on the better side for ``first``."""
    turn = _turn(side(scene, metric))
    for model, other, sign in ((first, second, turn), (second, first, -turn)):
        row = scene.results.get(scene.scenario, metric, model, "all", other)
        if row is not None and has_interval(row):
            return min(end * sign for end in ends(row, 1.0)) > 0
    return False
