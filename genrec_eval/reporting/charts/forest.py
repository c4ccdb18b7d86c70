"""Forests: every model's figure with its interval, and the paired differences, on common scales."""

from __future__ import annotations

from collections.abc import Sequence

from genrec_eval.core.numbers import figure
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.charts.chart import (
    Scene,
    Sketch,
    ends,
    exactly,
    has_interval,
    joined,
    margin_name,
    titled,
)
from genrec_eval.reporting.charts.panel import Panel, short
from genrec_eval.reporting.charts.rows import Upright, rows_panel
from genrec_eval.reporting.compare import best, differences, stays_clear
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import margins_on
from genrec_eval.reporting.tables import LEVELS, interval_name, p_text
from genrec_eval.reporting.text import line, listing, plural

_PAIRS = 10
"""Pairs of models up to which all are drawn; beyond them those with one common model."""


_UPRIGHT = "A dashed upright is the margin of a claim or check on the models in whose rows it stands."


def forest(scene: Scene) -> Sketch | None:
    """Models down, one panel a metric; None where no figure has an interval."""
    results = scene.results
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    for metric in scene.main:
        shown = scene.known(metric)
        if not shown:
            continue
        panels.append(
            rows_panel(
                scene.heading(metric),
                f"{results.title(metric)} of {plural(len(shown), 'model')} with intervals",
                [row.model for row in shown],
                [ends(row, 1.0) for row in shown],
                [scene.position(row.model) for row in shown],
                _margins(scene, metric, [row.model for row in shown]),
                results.unit(metric),
            )
        )
        rows += [_line(results, metric, row) for row in shown]
        rows += _missing(scene, metric)
    if not panels:
        return None
    levels = listing(list(dict.fromkeys(interval_name(row) for m in scene.main for row in scene.known(m))))
    ruled = any(_margins(scene, metric, [row.model for row in scene.known(metric)]) for metric in scene.main)
    return Sketch(
        "forest",
        _finding(scene),
        f"Each mark is a model's figure, the line through it its {levels}, on one scale per metric."
        f"{f' {_UPRIGHT}' if ruled else ''}{_rest(scene)}",
        panels,
        ("metric", "model", "value", "low", "high", "n"),
        rows,
        words=2,
    )


def paired(scene: Scene) -> Sketch | None:
    """Paired differences of the main metrics; the upright rule is no difference."""
    results = scene.results
    panels: list[Panel] = []
    rows: list[tuple[str, ...]] = []
    said: list[str] = []
    left = 0
    found = differences(results, scene.scenario)
    for metric in scene.main:
        whole = [row for row in found if row.metric == metric and has_interval(row)]
        shown = _of_interest(scene, metric, whole)
        if not shown:
            continue
        left += len(whole) - len(shown)
        names = [f"{short(row.model, 13)} − {short(row.baseline or '', 13)}" for row in shown]
        panels.append(
            rows_panel(
                scene.heading(metric),
                f"Paired differences in {results.title(metric)} of {plural(len(shown), 'pair')} of models",
                names,
                [ends(row, 1.0) for row in shown],
                [scene.position(row.model) for row in shown],
                [Upright(0.0, "no difference"), *_difference_margins(scene, shown)],
                results.unit(metric),
                most=29,
            )
        )
        clear = sum(stays_clear(row) for row in shown)
        said.append(f"{clear} of {len(shown)} in {results.title(metric)}")
        rows += [_difference_line(results, metric, row) for row in shown]
    if not panels:
        return None
    more = f" {plural(left, 'pair')} more stand in the table of differences." if left else ""
    return Sketch(
        "differences",
        f"Of the paired differences {listing(said)} are clear of zero",
        "Model minus model on the same units, with the interval of each pair alone; clear of zero means told"
        f" apart even after Holm's adjustment for the pairs.{more}",
        panels,
        ("metric", "pair", "difference", "low", "high", "p after Holm", "clear of zero"),
        rows,
        words=2,
    )


def _margins(scene: Scene, metric: str, models: Sequence[str]) -> list[Upright]:
    """Margins of claims and checks on these rows; one that does not bind all names the model it binds."""
    unit = scene.results.unit(metric)
    found: dict[tuple[float, str], list[int]] = {}
    for row in scene.results.verdicts:
        there = (row.scenario, row.metric, row.slice) == (scene.scenario, metric, "all")
        if there and row.rule in LEVELS and row.model in models:
            found.setdefault((row.margin, row.rule), []).append(models.index(row.model))
    return [
        Upright(margin, _whose(margin_name(rule, margin, unit), rows, models), tuple(sorted(set(rows))))
        for (margin, rule), rows in found.items()
    ]


def _whose(name: str, rows: Sequence[int], models: Sequence[str]) -> str:
    return f"{short(models[rows[0]], 16)} {name}" if len(set(rows)) == 1 < len(models) else name


def _difference_margins(scene: Scene, rows: Sequence[Estimate]) -> list[Upright]:
    """Margins of claims on these differences, each in the rows of its two models."""
    found: dict[float, list[int]] = {}
    for place, row in enumerate(rows):
        for at in margins_on(row, scene.results.verdicts, scene.results.direction(row.metric)):
            if at:
                found.setdefault(at, []).append(place)
    return [Upright(at, "margin", tuple(places)) for at, places in found.items()]


def _of_interest(scene: Scene, metric: str, rows: Sequence[Estimate]) -> list[Estimate]:
    """All pairs where they are few, else those with the model that claims compare with, or the leader."""
    if len(rows) <= _PAIRS:
        return list(rows)
    asked = [v.baseline for v in scene.results.verdicts if v.metric == metric and v.gate and v.baseline]
    held = scene.known(metric)
    lower = scene.results.direction(metric) == "lower"
    ranked = sorted(held, key=lambda row: (row.value or 0.0) * (1 if lower else -1))
    common = next(iter(asked), ranked[0].model if ranked else rows[0].model)
    return [row for row in rows if common in (row.model, row.baseline)]


def _finding(scene: Scene) -> str:
    """Who is best on what, as far as the paired differences support it."""
    results = scene.results
    found: list[tuple[str, str, str]] = []
    for metric in scene.main:
        shown = scene.known(metric)
        title = results.title(metric)
        if not shown:
            continue
        if len(shown) == 1:
            found.append((f"{line(shown[0].model, 60)} reaches {_figure(results, shown[0])} in ", title, ""))
            continue
        top = best(results, scene.scenario, metric)
        names = [line(model, 60) for model in scene.order if model in top]
        if len(top) == 1:
            found.append((f"{names[0]} is best on ", title, ""))
        elif top:
            rest = [line(row.model, 60) for row in shown if row.model not in top]
            who = f"All models but {listing(rest)}" if len(rest) < 3 < len(names) else few(names)
            found.append((f"{who} are ahead on ", title, " and cannot be told apart"))
        elif results.direction(metric) == "none":
            low, high = (pick(shown, key=lambda row: row.value or 0.0) for pick in (min, max))
            least, most = (f"{_figure(results, row)} ({line(row.model, 60)})" for row in (low, high))
            found.append(("", title, f" runs from {least} to {most}"))
        else:
            found.append(("No model is shown to be best on ", title, ""))
    return joined(found)


def _figure(results: Results, row: Estimate) -> str:
    return str(figure(row.value, row.low, row.high, unit=results.unit(row.metric)))


def _missing(scene: Scene, metric: str) -> list[tuple[str, ...]]:
    """Models whose figure cannot be drawn, and why."""
    found: list[tuple[str, ...]] = []
    for model in scene.order:
        row = scene.results.get(scene.scenario, metric, model)
        if row is not None and not has_interval(row):
            why = line(row.reason or "no interval", 200)
            found.append((scene.results.title(metric), line(model, 80), "—", "—", why, str(row.n)))
    return found


def _line(results: Results, metric: str, row: Estimate) -> tuple[str, ...]:
    unit = results.unit(metric)
    figures = tuple(exactly(value, unit) for value in (row.value, row.low, row.high))
    return (titled(results, metric), line(row.model, 80), *figures, f"{row.n:,}")


def _difference_line(results: Results, metric: str, row: Estimate) -> tuple[str, ...]:
    unit = results.unit(metric)
    figures = tuple(exactly(value, unit) for value in (row.value, row.low, row.high))
    pair = f"{line(row.model, 60)} − {line(row.baseline or '', 60)}"
    clear = "yes" if stays_clear(row) else "no"
    return (titled(results, metric), pair, *figures, p_text(row.p_adjusted), clear)


def _rest(scene: Scene) -> str:
    count = len(scene.results.metrics(scene.scenario))
    drawn = sum(bool(scene.known(metric)) for metric in scene.main)
    if count <= drawn:
        return ""
    return (
        f" Drawn {'is' if drawn == 1 else 'are'} {listing([scene.results.title(m) for m in scene.main])}:"
        f" what claims are about, or what comes first; all {count} metrics stand in the tables."
    )
