"""Trade-offs: two metrics against each other, with the front that no model passes. Never one score."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

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
_FRONT = (
    "The thin line is the front: no model is better on both than one on it. A hollow mark is dominated, and"
    " the intervals of both differences show it."
)


def tradeoff(scene: Scene) -> Sketch | None:
    """The first main metric with a better side against at most :data:`MOST` others; None with one model."""
    main = _utility(scene)
    others = sorted(
        (m for m in scene.results.metrics(scene.scenario) if name_of(m) in SIDES and m != main),
        key=lambda m: list(SIDES).index(name_of(m)),
    )
    views = _views(scene, main, _first_of_each(others))
    assumed = [
        f"{'more' if SIDES[name_of(one.other)] == 'higher' else 'less'} {_title(scene, one.other)}"
        for one in views
        if scene.results.direction(one.other) == "none"
    ]
    side = (
        f" {listing(assumed)[:1].upper()}{listing(assumed)[1:]} is read as the better side here; the metric"
        " itself has none."
        if assumed
        else ""
    )
    told = f"Crosses are the intervals of both figures. {_FRONT}{side}"
    return _sketch(scene, main, "trade-off", joined([one.finding for one in views]), told, views)


def disparity(scene: Scene) -> Sketch | None:
    """The same with what differs between groups, what claims are about first."""
    main = _utility(scene)
    claimed = {row.metric for row in scene.results.verdicts if row.gate and row.scenario == scene.scenario}
    others = sorted(
        (m for m in scene.results.metrics(scene.scenario) if name_of(m) in DISPARITIES),
        key=lambda m: (m not in claimed, DISPARITIES.index(name_of(m))),
    )
    views = _views(scene, main, sorted(_first_of_each(others), key=lambda m: m not in claimed))
    said = "; ".join(cost for one in views for cost in _costs(scene, one, main))
    told = (
        f"{joined([one.finding for one in views])}. Crosses are the intervals of both figures, and a cost is"
        f" told only where both paired differences are told apart from zero after Holm's adjustment. {_FRONT}"
    )
    finding = said[:1].upper() + said[1:] if said.startswith("what ") else said
    return _sketch(scene, main, "disparity", finding, told, views)


@dataclass(frozen=True, slots=True)
class _View:
    """The models by one metric and the main one.

    Attributes
    ----------
    pairs
        (the other metric's figure, the main one's) of each model that has both.
    front
        Whether no model is better than it on both.
    """

    other: str
    pairs: Sequence[tuple[Estimate, Estimate]]
    front: Sequence[bool]
    panel: Panel
    rows: Sequence[tuple[str, ...]]
    finding: tuple[str, str, str]


def _first_of_each(metrics: Sequence[str]) -> list[str]:
    """The first of each name, in the order of the last."""
    return list({name_of(m): m for m in reversed(metrics)}.values())[::-1]


def _views(scene: Scene, main: str, others: Sequence[str]) -> list[_View]:
    """The main metric against the first :data:`MOST` others that two models have."""
    found: list[_View] = []
    for other in others:
        pairs = _pairs(scene, other, main) if main and len(found) < MOST else []
        if len(pairs) > 1:
            found.append(_drawn(scene, other, main, pairs))
    return found


def _sketch(
    scene: Scene, main: str, kind: str, finding: str, told: str, views: Sequence[_View]
) -> Sketch | None:
    if not views:
        return None
    return Sketch(
        kind,
        finding,
        told,
        [one.panel for one in views],
        ("against", "model", "x", "x low", "x high", titled(scene.results, main), "low", "high", "place"),
        [row for one in views for row in one.rows],
        words=2,
    )


def _utility(scene: Scene) -> str:
    """What the lists are good for: the first main metric with a better side, else the scenario's first."""
    plain = (m for m in scene.results.metrics(scene.scenario) if not is_validity(m) and scene.known(m))
    for metric in (*scene.main, *plain):
        if scene.results.direction(metric) != "none" and name_of(metric) not in _NO_UTILITY:
            return metric
    return ""


def _costs(scene: Scene, view: _View, main: str) -> list[str]:
    """Who on the front gives up how much of the one for less of the other, the cheapest first."""
    other, pairs = view.other, view.pairs
    models = [pair[0].model for pair, kept in zip(pairs, view.front, strict=True) if kept]
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
    for row, sign in _differences(scene, metric, first, second):
        if row.value is not None and stays_clear(row) and row.value * sign > 0:
            return row
    return None


def _size(scene: Scene, row: Estimate) -> str:
    low, high = sorted((abs(row.low or 0.0), abs(row.high or 0.0)))
    unit = scene.results.unit(row.metric)
    return str(figure(abs(row.value or 0.0), low, high, unit=unit, difference=True))


def _pairs(scene: Scene, other: str, main: str) -> list[tuple[Estimate, Estimate]]:
    held = {row.model: row for row in scene.known(other)}
    return [(held[row.model], row) for row in scene.known(main) if row.model in held]


def _drawn(scene: Scene, other: str, main: str, pairs: Sequence[tuple[Estimate, Estimate]]) -> _View:
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
    finding = _finding(scene, other, main, names, ahead.tolist(), surely)
    return _View(other, pairs, ahead.tolist(), panel, rows, finding)


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
    for row, sign in _differences(scene, metric, first, second):
        if has_interval(row):
            return min(end * sign for end in ends(row, 1.0)) > 0
    return False


def _differences(scene: Scene, metric: str, first: str, second: str) -> Iterator[tuple[Estimate, float]]:
    """The paired difference, either way round, with the sign that is positive where ``first`` is better."""
    turn = _turn(side(scene, metric))
    for model, other, sign in ((first, second, turn), (second, first, -turn)):
        row = scene.results.get(scene.scenario, metric, model, "all", other)
        if row is not None:
            yield row, sign
