"""Exposure of groups of items as bars against what is due to them, and what stands beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from genrec_eval.core.numbers import Figure, by_reason, figure
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.reporting.charts.panel import INK, MUTED, Axis, Panel, drawn, hue, marker, room, short
from genrec_eval.reporting.fairness.compared import Decided
from genrec_eval.reporting.fairness.decided import decided
from genrec_eval.reporting.fairness.exposures import BESIDE, MOST, Seen, Stored, View, views
from genrec_eval.reporting.fairness.held import stored_scores
from genrec_eval.reporting.page.against_rest import LEVEL
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, plural

DUE = {
    "catalogue": "share of the items of the catalogue",
    "train": "share of the training interactions",
    "relevance": "share of the relevant items held out",
    "uniform": "equal share",
    "declared": "declared share",
}
WEIGHTS = {
    "log2": "1 / log2(rank + 1), as in DCG",
    "geometric": "0.85^(rank − 1)",
    "uniform": "the same at every rank",
}
_ROWS = 10
"""Groups that are drawn; all stand in the table."""
_STEP = 24


@dataclass(frozen=True, slots=True)
class Said:
    """The finding on one model.

    Attributes
    ----------
    gravity
        2 where some group's share is told apart from what is due, 1 where none is, 0 where none is known.
    """

    model: str
    text: str
    gravity: int
    size: float
    verdict: Decided | None


@dataclass(frozen=True, slots=True)
class Line:
    """One group of items of one model."""

    model: str
    first: int
    """Rows of the model where this is its first, else 0."""
    group: str
    items: str
    share: Figure
    due: str
    difference: Figure
    ratio: Figure
    p: str
    clear: bool
    n: str
    excluded: str


@dataclass(frozen=True, slots=True)
class Beside:
    """Figures of the exposure of one model, one a metric."""

    model: str
    cells: tuple[tuple[Figure, Decided | None] | None, ...]


@dataclass(frozen=True, slots=True)
class ByUsers:
    """What one group of items gets in the lists of groups of users.

    Attributes
    ----------
    rows
        (value, users, one cell a model: (figure, whether it is told apart from the other users) or None).
    suppressed
        (value, users) of groups that are too small.
    """

    users: str
    summary: str
    rows: tuple[tuple[str, str, tuple[tuple[Figure, bool] | None, ...]], ...]
    suppressed: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Exposed:
    """One comparison of exposure."""

    anchor: str
    summary: str
    said: tuple[Said, ...]
    method: str
    drawing: Markup
    hidden: int
    """Groups that are not drawn."""
    lines: tuple[Line, ...]
    metrics: tuple[str, ...]
    beside: tuple[Beside, ...]
    group: str
    """The group of items that :attr:`by_users` is about."""
    models: tuple[str, ...]
    by_users: tuple[ByUsers, ...]
    others: tuple[str, ...]
    """Metrics of comparisons that are not drawn."""


def exposed(material: Material, scenario: str) -> list[Exposed] | None:
    """What each group of items is shown, beside what is due; None where no metric compares that."""
    results = material.results
    found = views(results, scenario)
    if not found:
        return None
    place = results.scenarios().index(scenario) + 1
    with stored_scores(material) as scores:
        stored = Stored(material, scenario, scores)
        made = [
            _exposed(material, scenario, stored, view, f"s{place}fe{number}")
            for number, view in enumerate(found[:MOST], 1)
        ]
    if not any(one.lines for one in made):  # the same is to be said of each
        made = made[:1]
    shown = {metric for view in found[: len(made)] for metric in view.metrics}
    left = dict.fromkeys(m for view in found[len(made) :] for m in view.metrics if m not in shown)
    return [*made[:-1], replace(made[-1], others=tuple(left))]


def _exposed(material: Material, scenario: str, stored: Stored, view: View, anchor: str) -> Exposed:
    results = material.results
    models = [m for m in material.order if results.get(scenario, view.source, m) is not None]
    held = None if stored.missing else stored.groups(view)
    groups = () if held is None else tuple(held.names)
    items = () if held is None else tuple(np.bincount(held.codes.values, minlength=len(groups)).tolist())
    seen: dict[str, Seen] = {}
    for model in models if groups else ():
        row = results.get(scenario, view.source, model)
        one = stored.seen(view, model, len(groups), row.level if row is not None else 0.95)
        if one is not None:
            seen[model] = one
    known = {model: one for model, one in seen.items() if one.shares is not None}
    said = [
        _said(material, scenario, view, model, groups, seen.get(model), stored.missing) for model in models
    ]
    said.sort(key=lambda one: (not (one.verdict and one.verdict.style == "fail"), -one.gravity, -one.size))
    picked = _picked(known)
    worst = picked[0] if picked else 0
    metrics = tuple(m for m in results.metrics(scenario) if m in view.metrics and _name(results, m) in BESIDE)
    return Exposed(
        anchor=anchor,
        summary=_summary(said, view, groups, _what(material, scenario, view)),
        said=tuple(said),
        method=_method(view, results, scenario, models),
        drawing=drawn(_panels(material, known, groups, picked), anchor) if known else Markup(""),
        hidden=len(groups) - len(picked) if known else 0,
        lines=tuple(_lines(view, known, groups, items)),
        metrics=metrics,
        beside=tuple(_beside(material, scenario, model, metrics) for model in models),
        group=line(groups[worst], 60) if groups else "",
        models=tuple(known),
        by_users=tuple(_by_users(known, worst, line(groups[worst], 40))) if known else (),
        others=(),
    )


def _name(results: Results, metric: str) -> str:
    return str(results.definition(metric).get("name"))


def _what(material: Material, scenario: str, view: View) -> str:
    """Column of the items that the groups come from."""
    declared = mapping(mapping(material.run.get("suite")).get("scenarios"))
    options = mapping(mapping(declared.get(scenario)).get("options"))
    return line(options.get(view.by) or view.by, 60)


def _summary(said: Sequence[Said], view: View, groups: Sequence[str], what: str) -> str:
    known = [one for one in said if one.gravity]
    if not known:
        why = f"all items are of one {what}" if len(groups) == 1 else f"no figure for any {what}"
        return f"Exposure by {what} could not be compared: {why}"
    off = [one for one in known if one.gravity > 1]
    due = f"exposure by {what} {'differs' if off else 'shown to differ'} from the {DUE[view.target]}"
    if not off:
        return f"Under none of {plural(len(known), 'model')} is {due}"
    if len(off) == len(known):
        return f"Under {'the one model' if len(off) == 1 else f'all {len(off)} models'} {due}"
    return f"Under {len(off)} of {plural(len(known), 'model')} {due}"


def _said(
    material: Material,
    scenario: str,
    view: View,
    model: str,
    groups: Sequence[str],
    seen: Seen | None,
    no: str,
) -> Said:
    results = material.results
    verdict = decided(results, scenario, model, view.metrics)
    left = _left_out(results, scenario, view, model)
    if seen is None or seen.shares is None:
        row = results.get(scenario, view.source, model)
        why = (
            no
            or (row.reason if row is not None and row.value is None else "")
            or (seen.reason if seen else "")
        )
        return Said(model, f"not compared ({line(why or 'no scores', 160)})", 0, 0.0, verdict)
    shares = seen.shares
    # of two groups that are off by the same, the one that gets more
    g = int(np.argmax(abs(shares.difference) + (shares.difference > 0) * 1e-9))
    low, high = (float(end[g]) for end in shares.difference_ends)
    by = float(shares.difference[g])
    sure = bool((shares.p < LEVEL).any())
    size = figure(abs(by), *sorted((abs(low), abs(high))), unit="share", difference=True)
    name, due = line(groups[g], 60), DUE[view.target]
    share = figure(shares.share[g], shares.share_ends[0][g], shares.share_ends[1][g], unit="share")
    if not sure or low * high <= 0:
        gap = figure(by, low, high, unit="share", difference=True)
        text = f"no group is told apart from its {due}; {name}, the furthest, gets {share}, {gap} off"
        return Said(model, text + left, 1, abs(by), verdict)
    side = "over" if by > 0 else "under"
    text = f"{name} gets {share} of the exposure, {size} {side} its {due}"
    return Said(model, text + left, 2, abs(by), verdict)


def _left_out(results: Results, scenario: str, view: View, model: str) -> str:
    """What the shares say nothing of."""
    for metric in results.metrics(scenario):
        definition = results.definition(metric)
        given = mapping(definition.get("parameters"))
        found = definition.get("name"), given.get("by"), given.get("weights"), definition.get("k")
        if found != ("unlabelled", view.by, view.weights, view.k):
            continue
        row = results.get(scenario, metric, model)
        if row is not None and row.value:
            shown = figure(row.value, row.low, row.high, unit="share")
            return (
                f"; {shown} of what the lists show goes to items of no known {view.by.removesuffix('s')}"
                " and is left out"
            )
    return ""


def _picked(known: Mapping[str, Seen]) -> list[int]:
    """Groups that are drawn, the one that is furthest off in any model first."""
    if not known:
        return []
    off = np.max([abs(one.shares.difference) for one in known.values() if one.shares is not None], axis=0)
    return [int(i) for i in np.argsort(-off, kind="stable")[:_ROWS]]


def _method(view: View, results: Results, scenario: str, models: Sequence[str]) -> str:
    rows = [results.get(scenario, view.source, model) for model in models]
    level = next((row.level for row in rows if row is not None), 0.95)
    upright = f"the upright across it is what is due: the group's {DUE[view.target]}"
    if view.target == "uniform":
        upright = "the upright across it is what is due: the same for each group"
    return (
        f"Bar: the group's share of the exposure in the first {view.k} places of all lists, a place weighing"
        f" {WEIGHTS.get(view.weights, view.weights)}; {upright}. The line at the end of the bar is its"
        f" {level:.0%} interval, users being the units, made for all groups of a model at once (Bonferroni)."
    )


def _panels(
    material: Material, known: Mapping[str, Seen], groups: Sequence[str], picked: Sequence[int]
) -> list[Panel]:
    order = sorted(picked)
    ends: list[float | None] = [0.0]
    for one in known.values():
        if one.shares is not None:
            for i in order:
                ends += [float(one.shares.share_ends[1][i]), float(one.shares.due[i])]
    axis = Axis.over(ends, "share", "% of the exposure")
    names = [line(groups[i], 60) for i in order]
    found = []
    for model, one in known.items():
        shares = one.shares
        if shares is None:
            continue
        position = list(material.order).index(model)
        panel = Panel(
            line(model, 60),
            f"Exposure of {plural(len(order), 'group')} of items in the lists of {line(model, 60)}, beside"
            " what is due",
            x=axis,
            y=Axis.rows(len(order)),
            height=_STEP * len(order),
            left=min(room(names), 150),
            right=50,
            top=20,
            bottom=40,
        )
        names_at = [{"x": axis.low, "y": y, "t": short(name), "c": INK} for y, name in enumerate(names)]
        panel.put("words", names_at, align="right", dx=-8)
        bars, spans, dots, marks, figures = [], [], [], [], []
        for y, i in enumerate(order):
            s, due = float(shares.share[i]) * 100, float(shares.due[i]) * 100
            low, high = (float(end[i]) * 100 for end in shares.share_ends)
            bars.append({"x": 0.0, "x2": s, "y": y - 0.3, "y2": y + 0.3, "c": hue(position)})
            spans.append({"x": low, "x2": high, "y": y, "y2": y, "c": INK})
            dots.append({"x": s, "y": y, "c": hue(position), "s": marker(position)})
            marks.append({"x": due, "x2": due, "y": y - 0.46, "y2": y + 0.46, "c": INK})
            text = figure(s / 100, low / 100, high / 100, unit="share").value
            figures.append({"x": axis.high, "y": y, "t": text, "c": INK})
        panel.put("boxes", bars, opacity=0.35)
        panel.put("spans", spans, strokeWidth=1.2)
        panel.put("dots", dots, size=2.2)
        panel.put("spans", marks, strokeWidth=2)
        panel.put("words", figures, align="right", dx=44)
        panel.put("words", [{"x": marks[0]["x"], "y": -0.5, "t": "due", "c": MUTED}], align="center", dy=-9)
        found.append(panel)
    return found


def _lines(view: View, known: Mapping[str, Seen], groups: Sequence[str], items: Sequence[int]) -> list[Line]:
    found = []
    for model, one in known.items():
        shares = one.shares
        if shares is None:
            continue
        for i, group in enumerate(groups):
            ends = [(float(e[0][i]), float(e[1][i])) for e in (shares.share_ends, shares.due_ends)]
            ratio = tuple(float(end[i]) for end in shares.ratio_ends)
            due = float(shares.due[i])
            found.append(
                Line(
                    model=model,
                    first=len(groups) if i == 0 else 0,
                    group=line(group, 80),
                    items=f"{items[i]:,}",
                    share=figure(float(shares.share[i]), *ends[0], unit="share"),
                    due=f"{100 * due:.1f}"
                    if view.target != "relevance"
                    else figure(due, *ends[1], unit="share").unheaded,
                    difference=figure(
                        float(shares.difference[i]),
                        *(float(end[i]) for end in shares.difference_ends),
                        unit="share",
                        difference=True,
                    ),
                    ratio=figure(float(shares.ratio[i]), *ratio, reason="nothing is due"),
                    p=p_text(float(shares.p[i])),
                    clear=bool(shares.p[i] < LEVEL),
                    n=f"{one.n:,}",
                    excluded=by_reason(one.excluded) if one.excluded else "none",
                )
            )
    return found


def _beside(material: Material, scenario: str, model: str, metrics: Sequence[str]) -> Beside:
    results = material.results
    cells: list[tuple[Figure, Decided | None] | None] = []
    for metric in metrics:
        row = results.get(scenario, metric, model)
        if row is None:
            cells.append(None)
            continue
        shown = figure(row.value, row.low, row.high, unit=results.unit(metric), reason=row.reason)
        cells.append((shown, decided(results, scenario, model, [metric])))
    return Beside(model, tuple(cells))


def _by_users(known: Mapping[str, Seen], worst: int, group: str) -> list[ByUsers]:
    """Exposure of one group of items by groups of users, told apart after Holm's adjustment over all."""
    import math

    from genrec_eval.stats.multiplicity import holm

    ps: dict[tuple[str, str, str], float] = {}
    for model, one in known.items():
        for users, values in one.slices.items():
            for value, part in values.items():
                if part.apart is not None and part.error is not None and part.error[worst] > 0:
                    z = abs(float(part.apart[worst])) / float(part.error[worst])
                    ps[users, value, model] = math.erfc(z / math.sqrt(2))
    adjusted = dict(zip(ps, holm(list(ps.values())).tolist() if ps else [], strict=True))
    found = []
    for users in dict.fromkeys(users for one in known.values() for users in one.slices):
        named = list(dict.fromkeys(v for one in known.values() for v in one.slices.get(users, {})))
        rows, suppressed, clear = [], [], 0
        for value in named:
            parts = [one.slices.get(users, {}).get(value) for one in known.values()]
            counts = sorted({one.n for one in parts if one is not None})
            said = f"{counts[0]:,}" if len(counts) == 1 else f"{counts[0]:,} to {counts[-1]:,}"
            cells: list[tuple[Figure, bool] | None] = []
            for model, held in zip(known, parts, strict=True):
                if held is None or held.shares is None:
                    cells.append(None)
                    continue
                told = adjusted.get((users, value, model), 1.0) < LEVEL
                low, high = (float(end[worst]) for end in held.shares.share_ends)
                cells.append((figure(float(held.shares.share[worst]), low, high, unit="share"), told))
                clear += told
            if counts[-1] < LEAST:
                suppressed.append((line(value, 80), counts[-1]))
            else:
                rows.append((line(value, 80), said, tuple(cells)))
        if not rows:
            continue
        several = plural(clear, "figure") if clear else "no figure"
        verb = "is" if clear < 2 else "are"
        summary = (
            f"By users' {line(users, 60)}: {several} for {group} {verb} told apart from the other users'"
        )
        found.append(ByUsers(line(users, 60), summary, tuple(rows), tuple(suppressed)))
    return found
