"""Figures over time: lines through runs that may be compared, and breaks where they may not."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.numbers import figure
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.charts.chart import Sketch, exactly, factor, joined
from genrec_eval.reporting.charts.choose import main_metrics
from genrec_eval.reporting.charts.curves import end_names
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, Row, hue, marker, room
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.runs.past import Past, Point
from genrec_eval.reporting.text import line, listing, plural

MOST = 60
"""Runs in a drawing and its table: the newest."""
METRICS = 2
"""Metrics of a scenario that are followed."""
_HEIGHT = 170
_WORDS = {
    "data": "data",
    "options": "options of the scenario",
    "limit": "number of units asked",
    "judge": "judge",
    "definition": "definition",
}


@dataclass(frozen=True, slots=True)
class Followed:
    """One metric of one scenario over the runs of a suite.

    Attributes
    ----------
    positions
        Of each model: its hue and marker, as in the report of the newest run.
    runs
        Oldest first; those without any figure of the metric are left out.
    breaks
        Place of a run → what differs from the run before it, so that the two must not be compared.
    """

    scenario: str
    metric: str
    title: str
    unit: str
    direction: str
    models: tuple[str, ...]
    positions: tuple[int, ...]
    runs: tuple[Past, ...]
    breaks: Mapping[int, tuple[str, ...]]

    def at(self, place: int, model: str) -> Point | None:
        """Figure of a model in the run at ``place``."""
        return self.runs[place].figures.get((self.scenario, self.metric, model))


def followed(runs: Sequence[Past], newest: Results) -> list[Followed]:
    """The main metrics of each scenario, as the newest scored run has them.

    Parameters
    ----------
    runs
        Of one suite, oldest first.
    newest
        The results of the last of them that was scored.
    """
    found = []
    for scenario in newest.scenarios():
        for metric in main_metrics(newest, scenario)[:METRICS]:
            held = [run for run in runs if any(key[:2] == (scenario, metric) for key in run.figures)]
            judges = _judges(newest.definition(metric))
            bases = [_basis(run, scenario, metric, judges) for run in held]
            models = dict.fromkeys(
                key[2] for run in reversed(held) for key in run.figures if key[:2] == (scenario, metric)
            )
            order = newest.models()
            order += [model for model in models if model not in order]
            shown = [model for model in order if model in models]
            found.append(
                Followed(
                    scenario,
                    metric,
                    newest.title(metric),
                    newest.unit(metric),
                    newest.direction(metric),
                    tuple(shown),
                    tuple(order.index(model) for model in shown),
                    tuple(held),
                    {
                        i: differing
                        for i in range(1, len(held))
                        if (differing := _differing(bases[i - 1], bases[i]))
                    },
                )
            )
    return found


def _basis(run: Past, scenario: str, metric: str, judges: Sequence[str]) -> dict[str, str]:
    """What a figure rests on beside the model."""
    definitions = {p.definition for key, p in run.figures.items() if key[:2] == (scenario, metric)}
    basis = dict(run.asked.get(scenario, {}))
    basis["judge"] = "".join(run.judges.get(judge, "") for judge in judges)
    basis["definition"] = " ".join(sorted(definitions))
    return basis


def _judges(definition: Mapping[str, Any]) -> list[str]:
    judge = mapping(definition.get("parameters")).get("judge")
    return str(judge).split("+") if judge else []


def _differing(before: Mapping[str, str], after: Mapping[str, str]) -> tuple[str, ...]:
    return tuple(word for key, word in _WORDS.items() if before.get(key, "") != after.get(key, ""))


def history(found: Sequence[Followed], scenario: str) -> Sketch | None:
    """The lines of one scenario; None with fewer than two runs."""
    held = [one for one in found if one.scenario == scenario and len(one.runs) > 1 and one.models]
    if not held:
        return None
    rows: list[tuple[str, ...]] = []
    for one in held:
        start = max(0, len(one.runs) - MOST)
        for place in range(start, len(one.runs)):
            run = one.runs[place]
            fit = _changed(one, place) if place in one.breaks else "yes"
            for model in one.models:
                if (point := one.at(place, model)) is not None:
                    ends = (exactly(v, one.unit) for v in (point.value, point.low, point.high))
                    said = "—" if place == 0 else fit
                    name = f"{one.title} %" if one.unit == "share" else one.title
                    rows.append((name, _moment(run), line(model, 80), *ends, f"{point.n:,}", said))
    runs = max(len(one.runs) for one in held)
    cut = f" Shown are the newest {MOST} of {runs} runs." if runs > MOST else ""
    return Sketch(
        "history",
        joined([_finding(one) for one in held]),
        "One place a run, oldest at the left; a line joins runs that may be compared, and each upright is an"
        " interval. At a dashed upright something beside the models changed, and nothing is joined across"
        f" it.{cut}",
        [_panel(one) for one in held],
        ("metric", "run", "model", "value", "low", "high", "n", "comparable with the run before"),
        rows,
        words=3,
    )


def moves(one: Followed) -> dict[str, bool]:
    """Models whose newest interval does not meet that of the run before → whether they rose."""
    last = len(one.runs) - 1
    found = {}
    if last > 0 and last not in one.breaks:
        for model in one.models:
            new, old = one.at(last, model), one.at(last - 1, model)
            if new is not None and old is not None and (new.low > old.high or old.low > new.high):
                found[model] = new.value > old.value
    return found


def _finding(one: Followed) -> tuple[str, str, str]:
    last = len(one.runs) - 1
    if last in one.breaks:
        return "On ", one.title, " the newest run cannot be compared with the one before"
    moved = moves(one)
    rose, fell = ([line(m, 60) for m, up in moved.items() if up is way] for way in (True, False))
    said = [f"{few(names)} {word}" for names, word in ((rose, "rose"), (fell, "fell")) if names]
    if said:
        return "On ", one.title, f" {' and '.join(said)} beyond the intervals in the newest run"
    return "On ", one.title, " no model left the intervals of the run before"


def change(one: Followed) -> tuple[str, bool]:
    """The newest run against the one before it, as a sentence, and whether anything moved beyond chance."""
    last = len(one.runs) - 1
    if last < 1:
        return f"{one.title} was measured once", False
    if last in one.breaks:
        return f"{one.title} cannot be compared with the run before; {_changed(one, last)}", False
    moved: list[str] = []
    for model, rose in moves(one).items():
        ends = (one.at(last - 1, model), one.at(last, model))
        before, after = (figure(p.value, p.low, p.high, unit=one.unit) for p in ends if p is not None)
        word = "rose" if rose else "fell"
        moved.append(f"{line(model, 60)} {word} from {before} to {after}{_side(one, rose)}")
    both = [m for m in one.models if one.at(last, m) is not None and one.at(last - 1, m) is not None]
    still = len(both) - len(moved)
    if moved:
        rest = f"; {plural(still, 'model')} stayed within the intervals" if still else ""
        return f"{one.title} of {listing(moved)}{rest}", True
    if not still:
        return f"{one.title} has no model in common with the run before", False
    return f"{one.title} stayed within the intervals for {plural(still, 'model')}", False


def _changed(one: Followed, place: int) -> str:
    return f"changed: {listing(list(one.breaks[place]))}"


def _side(one: Followed, rose: bool) -> str:
    if one.direction not in ("higher", "lower"):
        return ""
    return ", for the better" if rose == (one.direction == "higher") else ", for the worse"


def _panel(one: Followed) -> Panel:
    start = max(0, len(one.runs) - MOST)
    places = range(start, len(one.runs))
    by = factor(one.unit)
    points = {(i, m): p for i in places for m in one.models if (p := one.at(i, m)) is not None}
    arrow = {"higher": " ↑", "lower": " ↓"}.get(one.direction, "")
    panel = Panel(
        f"{one.title}{' in %' if one.unit == 'share' else ''}{arrow}",
        f"{one.title} of {plural(len(one.models), 'model')} over {plural(len(places), 'run')}",
        x=Axis.columns(len(places)),
        y=Axis.over([end for p in points.values() for end in (p.low, p.value, p.high)], one.unit),
        height=_HEIGHT,
        left=46,
        right=min(room(one.models, 14), 112),
        top=26,
    )
    floor, ceiling = panel.y.low, panel.y.high
    first, final = (_moment(one.runs[i])[:10] for i in (start, len(one.runs) - 1))
    panel.put("words", [{"x": panel.x.low, "y": floor, "t": first, "c": MUTED}], dy=14, align="left")
    if final != first:
        panel.put("words", [{"x": panel.x.high, "y": floor, "t": final, "c": MUTED}], dy=14, align="right")
    cuts = [i - start for i in one.breaks if i > start]
    panel.put(
        "spans",
        [{"x": i - 0.5, "x2": i - 0.5, "y": floor, "y2": ceiling, "c": INK} for i in cuts],
        strokeWidth=1,
        opacity=0.6,
        strokeDash=[3, 3],
    )
    _cut_names(panel, [(i - 0.5, line(" and ".join(one.breaks[i + start]), 24)) for i in cuts])
    spans: list[Row] = []
    paths: list[Row] = []
    dots: list[Row] = []
    last: list[tuple[float, str]] = []
    step = min(0.6 / max(1, len(one.models)), 0.02 * len(places))
    for number, model in enumerate(one.models):
        position = one.positions[number]
        shift = (number - (len(one.models) - 1) / 2) * step
        stretch = 0
        for i in places:
            stretch += i in one.breaks
            point = points.get((i, model))
            if point is None:
                stretch += 1  # a run without the model is not joined over
                continue
            x, colour = i - start + shift, hue(position)
            spans.append({"x": x, "x2": x, "y": point.low * by, "y2": point.high * by, "c": colour})
            dots.append({"x": x, "y": point.value * by, "c": colour, "s": marker(position)})
            paths.append({"x": x, "y": point.value * by, "o": i, "g": f"{number}.{stretch}", "c": colour})
        held = [points[i, model] for i in places if (i, model) in points]
        if held:
            last.append((held[-1].value * by, model))
    panel.put("spans", spans, strokeWidth=1.2, opacity=0.6)
    panel.put("paths", paths)
    panel.put("dots", dots, size=2.2 if len(places) <= 24 else 0.8)
    end_names(panel, last)
    return panel


def _cut_names(panel: Panel, cuts: Sequence[tuple[float, str]]) -> None:
    """What changed, over the breaks, where the names do not meet."""
    words: dict[str, list[Row]] = {}
    last = -1e9
    for x, name in cuts:
        place = panel.place(x, panel.y.high)[0]
        wide = len(name) * 6.5
        if place - last > wide:
            align = "right" if place + wide / 2 > panel.width else "left" if place < wide / 2 else "center"
            words.setdefault(align, []).append({"x": x, "y": panel.y.high, "t": name, "c": MUTED})
            last = place
    for align, rows in words.items():
        panel.put("words", rows, dy=-9, align=align, fontSize=11)


def _moment(run: Past) -> str:
    return run.created[:16].replace("T", " ") or run.run
