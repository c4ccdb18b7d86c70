"""Each group of users held against all others, by attribute: who is served worse, and how surely."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from genrec_eval.core.numbers import Figure, bound, count, figure
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.charts.chart import factor
from genrec_eval.reporting.charts.panel import RULE, Panel, drawn, short
from genrec_eval.reporting.charts.rows import Upright, rows_panel
from genrec_eval.reporting.fairness.compared import (
    Compared,
    Decided,
    attributes,
    bases,
    compared,
    crossed,
    decided,
    declared,
    named,
    rows_of,
    sentence,
)
from genrec_eval.reporting.fairness.differences import (
    FREE,
    Against,
    claims_of,
    differences,
    plain_differences,
)
from genrec_eval.reporting.page.against_rest import LEVEL, adjusted
from genrec_eval.reporting.page.by_group import Outlook, figures_apart, outlooks
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import listing, plural


@dataclass(frozen=True, slots=True)
class Said:
    """A finding of one model, with the claims and figures of gaps that stand beside it."""

    model: str
    position: int
    text: Markup
    beside: tuple[Beside, ...]
    drawing: Markup | None


@dataclass(frozen=True, slots=True)
class Beside:
    """A gap, ratio or difference over the same groups, with its verdict where one is claimed."""

    metric: str
    title: Markup
    figure: Figure
    p: str
    without: Markup
    ruled: Decided | None


@dataclass(frozen=True, slots=True)
class Split:
    """All groups of one attribute under one metric.

    Attributes
    ----------
    loud
        Models with a claim, or with a group that is told apart; they are drawn.
    quiet
        What is said of all others at once.
    rows
        The same as a table: words of models, group, counts, figures, p and reading.
    open
        Whether it is shown unfolded: an attribute of persons, or a claimed one.
    """

    attribute: str
    metric: str
    title: str
    anchor: str
    finding: Markup
    loud: tuple[Said, ...]
    quiet: tuple[Markup, ...]
    rows: tuple[Against, ...]
    open: bool


@dataclass(frozen=True, slots=True)
class Groups:
    """The panel: attributes, and what stands out in metrics that are not drawn."""

    finding: Markup
    method: str
    splits: tuple[Split, ...]
    elsewhere: tuple[Outlook, ...]
    told: Markup
    """How much stands out elsewhere."""


def groups(material: Material, scenario: str) -> Groups | None:
    """Group differences of a scenario; None where nobody is in a group, or nothing is a mean over units."""
    results, rows = material.results, rows_of(material, scenario)
    every = [row for mine in rows.values() for row in mine]
    names = attributes(every)
    if not names:
        return None
    figures = compared(results, scenario)
    chosen = [
        (name, metric)
        for name in names
        if not crossed(name)
        for metric in bases(material, scenario, name, rows)
    ]
    drawn_metrics = {metric for _, metric in chosen}
    others = {(scenario, metric): mine for metric, mine in rows.items() if metric not in drawn_metrics}
    plain, apart = plain_differences(results, chosen, rows), figures_apart(results, scenario, others)
    # whoever reads the panel reads the fold too: one family
    ps = adjusted({**{key: one.rest for key, one in plain.items()}, **apart.against})
    found = differences(material, scenario, chosen, plain, ps, figures)
    number = results.scenarios().index(scenario) + 1
    splits = tuple(
        _split(material, scenario, name, metric, found[name, metric], figures, f"fg{number}-{place}")
        for place, (name, metric) in enumerate(chosen, 1)
    )
    outlook = outlooks(results, apart, ps)
    if not splits and not any(one.rows for one in outlook):
        return None
    return Groups(
        sentence(_finding(splits)),
        _method([row for split in splits for row in split.rows], len(apart.against)),
        splits,
        tuple(one for one in outlook if one.rows),
        sentence(_elsewhere(outlook, bool(splits))),
    )


def _elsewhere(outlook: Sequence[Outlook], drawn_too: bool) -> str:
    """``"In other metrics 4 figures are told apart by gender, and none by age"``."""
    loud = [f"{len(one.rows) + one.more} by {named(one.group, 60)}" for one in outlook if one.rows]
    quiet = [named(one.group, 60) for one in outlook if not one.rows]
    said = [f"none by {listing(quiet)}"] if quiet else []
    where = "In metrics that are not drawn, figures" if drawn_too else "Figures"
    return f"{where} of groups told apart from the rest of the units: {listing([*loud, *said])}"


def _split(
    material: Material,
    scenario: str,
    name: str,
    metric: str,
    rows: Sequence[Against],
    figures: Sequence[Compared],
    anchor: str,
) -> Split:
    results = material.results
    mine = [one for one in figures if one.by == name and one.of in (metric, "")]
    models = list(dict.fromkeys(row.model for row in rows))
    beside = {
        model: (
            *_beside(material, scenario, mine, [row for row in rows if row.model == model]),
            *_of_slices(material, scenario, name, metric, model),
        )
        for model in models
    }
    told_apart = {
        model: any(row.clear or row.reading == "outside the margin" for row in rows if row.model == model)
        or any(one.ruled or one.p.startswith("p") for one in beside[model])
        for model in models
    }
    worst = sorted(
        (model for model in models if told_apart[model]),
        key=lambda model: _rank([row for row in rows if row.model == model]),
    )
    reach = [end for row in rows if row.model in worst for end in row.ends]
    loud = tuple(
        _said(material, metric, model, [r for r in rows if r.model == model], beside[model], reach, anchor, i)
        for i, model in enumerate(worst, 1)
    )
    claimed = any(one.ruled for said in loud for one in said.beside)
    others = _quiet(results, metric, rows, [model for model in models if model not in worst])
    return Split(
        name,
        metric,
        results.title(metric),
        anchor,
        sentence(_split_finding(name, results.title(metric), rows, worst)),
        loud,
        tuple(sentence(one) for one in others),
        tuple(rows),
        declared(name) or claimed,
    )


def _rank(rows: Sequence[Against]) -> tuple[int, float]:
    """Models with a group outside its margin first, then with one told apart, the widest first."""
    state = 0 if any(row.reading == "outside the margin" for row in rows) else 1
    state = 2 if state and not any(row.clear for row in rows) else state
    return state, -max((abs(row.ends[0]) for row in rows if row.clear), default=0.0)


def _worst(rows: Sequence[Against], direction: str) -> Against | None:
    """The group to name: one that is clearly worse off before one that is clearly better off."""
    loud = [row for row in rows if row.reading == "outside the margin"] or [row for row in rows if row.clear]
    if not loud:
        return None
    turn = -1.0 if direction == "lower" else 1.0
    worse = [row for row in loud if turn * row.ends[0] < 0]
    return max(worse or loud, key=lambda row: abs(row.ends[0]))


def _said(
    material: Material,
    metric: str,
    model: str,
    rows: Sequence[Against],
    beside: tuple[Beside, ...],
    reach: Sequence[float],
    anchor: str,
    number: int,
) -> Said:
    results = material.results
    position = material.order.index(model) if model in material.order else len(material.order)
    panel = _panel(results, metric, model, rows, reach, position)
    worst = _worst(rows, results.direction(metric))
    if worst is None:
        text = _undecided(results, metric, rows)
    else:
        text = _sentence(results, metric, worst)
        more = sum(row.clear for row in rows) - worst.clear
        if more:
            text += f"; {plural(more, 'other group')} {'is' if more == 1 else 'are'} told apart too"
    return Said(model, position, sentence(text), beside, drawn([panel], f"{anchor}-{number}"))


def _sentence(results: Results, metric: str, row: Against) -> str:
    """``"F has NDCG@10 0.046 lower than the others (−0.054 to −0.039), n 2,724 of 5,740"``."""
    size = row.difference.value.lstrip("−-")
    unit = f" {row.difference.unit}" if row.difference.unit else ""
    way = "lower" if row.ends[0] < 0 else "higher"
    return (
        f"{named(row.group, 60)} has {results.title(metric)} {size}{unit} {way} than the others"
        f" ({row.difference.low} to {row.difference.high}), n {count(row.n)} of {count(row.of)}"
    )


def _undecided(results: Results, metric: str, rows: Sequence[Against]) -> str:
    """What is said of a model in which no group is told apart."""
    inside = [row for row in rows if row.reading.startswith("alike")]
    open_ = [row for row in rows if row.reading.startswith("cannot")]
    if open_:
        names = few([named(row.group, 40) for row in open_])
        some = f"{listing([named(row.group, 40) for row in inside])} alike; " if 0 < len(inside) < 4 else ""
        widest = max(open_, key=lambda row: abs(row.ends[0]))
        return f"{some}{names} cannot be told: {named(widest.group, 40)} differs by {widest.difference}"
    if inside and len(inside) == len(rows):
        band = rows[0].band[1] or 0.0
        size = bound(band, results.unit(metric), True)
        return f"{_all(len(rows))} groups are alike: each lies inside ±{size} of the others"
    return "no group is told apart from the others"


def _all(number: int) -> str:
    return "both" if number == 2 else f"all {number}"


def _quiet(results: Results, metric: str, rows: Sequence[Against], models: Sequence[str]) -> list[str]:
    """What is said of models without a claim and without a group that is told apart."""
    if not models:
        return []
    mine = [row for row in rows if row.model in models]
    widest = max(mine, key=lambda row: abs(row.ends[0]))
    names = few([named(model, 60) for model in models])
    return [
        f"Of {names} no group is told apart from the others; the greatest difference is"
        f" {widest.difference} ({named(widest.group, 40)} of {named(widest.model, 60)}). No margin is claimed"
        f" of {'it' if len(models) == 1 else 'them'}, so that nothing says how alike the groups are"
    ]


def _split_finding(name: str, title: str, rows: Sequence[Against], loud: Sequence[str]) -> str:
    models = list(dict.fromkeys(row.model for row in rows))
    apart = [m for m in models if any(row.clear for row in rows if row.model == m)]
    if not rows:
        return f"By {name}: no group has the {LEAST} units that a difference takes"
    groups_ = plural(len({row.group for row in rows}), "group")
    if not apart:
        return f"By {name}: none of {groups_} is told apart from the others in {title}"
    some = few([named(model, 60) for model in apart])
    return f"By {name}: {title} differs between groups under {some}"


def _method(rows: Sequence[Against], folded: int) -> str:
    if not rows:
        return ""
    said = (
        "Each mark is the mean of a group less that of the units of all other known groups, with its interval"
        f" and n; p is after Holm over all {count(len(rows) + folded)} differences"
        f"{f', {count(folded)} of them in metrics that are not drawn' if folded else ''}."
    )
    if any(row.band != FREE for row in rows):
        said += (
            " The band is what a claim on the gap allows any two groups: one outside of it breaks the claim;"
            " that all are inside does not keep it, as the verdict does."
        )
    return said


def _panel(
    results: Results, metric: str, model: str, rows: Sequence[Against], reach: Sequence[float], position: int
) -> Panel:
    """Groups down, the margin as a band behind them."""
    unit = results.unit(metric)
    uprights = [Upright(0.0, "" if any(row.band != FREE for row in rows) else "no difference")]
    bands: dict[tuple[float, str], list[int]] = {}
    for place, row in enumerate(rows):
        low, high = row.band
        both = low is not None and high is not None and low == -high
        if low is not None:
            said = "" if both else bound(low, unit, True)
            bands.setdefault((low, said), []).append(place)
        if high is not None:
            said = f"margin ±{bound(high, unit, True)}" if both else bound(high, unit, True)
            bands.setdefault((high, said), []).append(place)
    uprights += [Upright(at, said, tuple(places)) for (at, said), places in bands.items()]
    names = [f"{short(row.group, 15)}, n {row.n:,}" for row in rows]
    panel = rows_panel(
        "",
        f"Differences of {plural(len(rows), 'group')} from the others in {results.title(metric)} of {model}",
        names,
        [row.ends for row in rows],
        [position] * len(rows),
        uprights,
        unit,
        most=26,
        reach=reach,
    )
    by = factor(unit)
    boxes = [
        {
            "x": panel.x.low if row.band[0] is None else row.band[0] * by,
            "x2": panel.x.high if row.band[1] is None else row.band[1] * by,
            "y": place - 0.5,
            "y2": place + 0.5,
            "c": RULE,
        }
        for place, row in enumerate(rows)
        if row.band != FREE
    ]
    if boxes:
        panel.layers.insert(0, ("boxes", boxes, {"opacity": 0.55}))
    return panel


def _beside(
    material: Material, scenario: str, figures: Sequence[Compared], rows: Sequence[Against]
) -> tuple[Beside, ...]:
    """Gaps and ratios of a model over the same groups; claimed ones, then those whose test is clear."""
    results, model = material.results, rows[0].model
    found = []
    for one in figures:
        row = results.get(scenario, one.metric, model)
        small = [named(group.group, 40) for group in rows if group.n < one.least]
        without = f"without {few(small)}, of fewer than {count(one.least)}" if small else ""
        if row is None:
            continue
        claims: list[Verdict | None] = [*claims_of(results, scenario, one.metric, model)]
        clear = row.p_adjusted is not None and row.p_adjusted < LEVEL
        shown = figure(row.value, row.low, row.high, unit=results.unit(one.metric), reason=row.reason)
        p = f"p {p_text(row.p_adjusted)}" if clear else ""
        for verdict in claims or [None]:
            found.append(
                Beside(
                    one.metric,
                    sentence(results.title(one.metric)),
                    shown,
                    p,
                    sentence(without),
                    None if verdict is None else decided(results, verdict),
                )
            )
    return tuple(found)


def _of_slices(material: Material, scenario: str, name: str, metric: str, model: str) -> list[Beside]:
    """Claims on the metric itself in one of the groups."""
    results = material.results
    found = []
    for verdict in results.verdicts:
        where = (verdict.scenario, verdict.metric, verdict.model, verdict.slice.partition("=")[0])
        if where == (scenario, metric, model, name) and verdict.baseline is None:
            shown = figure(
                verdict.value, verdict.low, verdict.high, unit=results.unit(metric), reason=verdict.reason
            )
            title = f"{results.title(metric)} for {named(verdict.slice, 60)}"
            found.append(Beside(metric, sentence(title), shown, "", Markup(""), decided(results, verdict)))
    return found


def _finding(splits: Sequence[Split]) -> str:
    """The panel in one sentence."""
    found: dict[str, list[str]] = {}
    for split in splits:
        if declared(split.attribute):
            for said in split.loud:
                if any(row.clear for row in split.rows if row.model == said.model):
                    found.setdefault(said.model, []).append(split.attribute)
    asked = list(dict.fromkeys(split.attribute for split in splits if declared(split.attribute)))
    if not asked:
        return "No group of persons is declared; users are told apart by what training knows of them alone"
    models = {row.model for split in splits for row in split.rows}
    by = {model: listing(list(dict.fromkeys(names))) for model, names in found.items()}
    if not by:
        return (
            f"By {listing(asked)}, none of {plural(len(models), 'model')} is shown to serve a group of users"
            " otherwise than the others"
        )
    shown = [f"{named(model, 60)} (by {names})" for model, names in by.items()]
    return (
        f"Of {plural(len(models), 'model')}, {len(by)} {'serves' if len(by) == 1 else 'serve'} some group of"
        f" users otherwise than the others: {few(shown)}"
    )
