"""Where attributes of users meet: each cell raw and shrunk, the widest pair, differential fairness."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from markupsafe import Markup

from genrec_eval.audit.score import StoredScores
from genrec_eval.core.numbers import Figure, count, exact, figure
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.metrics.grouped.intersections import Cell, Intersections, intersection_table
from genrec_eval.metrics.lists import GroupCodes
from genrec_eval.protocol.results import Verdict
from genrec_eval.reporting.answer import few
from genrec_eval.reporting.fairness.compared import (
    Compared,
    Decided,
    bases,
    compared,
    decided,
    named,
    rows_of,
    sentence,
)
from genrec_eval.reporting.fairness.compared import crossed as is_crossed
from genrec_eval.reporting.fairness.held import Held, stored_scores
from genrec_eval.reporting.page.against_rest import LEVEL
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, listing, plural
from genrec_eval.scenarios.ranking.groups import CROSSED
from genrec_eval.stats.differential import driving_pair
from genrec_eval.stats.multiplicity import holm

STEPS = 3
"""Shades of a cell, on either side of the mean of all."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A cell as it is shown.

    Attributes
    ----------
    off
        How far its raw mean lies from the mean of all, as a figure with a sign.
    shade
        ``"low3"`` to ``"high3"``; empty where hidden.
    mark
        ``"lowest"`` or ``"highest"``; empty for the others.
    """

    name: str
    n: int
    hidden: bool
    raw: Figure
    shrunk: str
    expected: str
    off: str
    shade: str
    mark: str


@dataclass(frozen=True, slots=True)
class Beside:
    """A gap or differential fairness over the cells, with its verdict where one is claimed."""

    title: str
    figure: Figure
    more: Markup
    ruled: Decided | None


@dataclass(frozen=True, slots=True)
class Crossing:
    """The cells of one model.

    Attributes
    ----------
    grid
        Values of the second part down and of the first across, those that are worse off first; None where
        more than two attributes are crossed.
    cells
        All, worst first; cells that are too small come last.
    loud
        Whether a claim is on them, or a pair is told apart: it is shown, and folded otherwise.
    """

    model: str
    position: int
    text: Markup
    beside: tuple[Beside, ...]
    grid: Grid | None
    cells: tuple[Shown, ...]
    drawn: str
    loud: bool


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells by the values of two attributes."""

    corner: str
    across: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Shown | None, ...]], ...]


@dataclass(frozen=True, slots=True)
class Crossed:
    """One intersection under one metric."""

    attribute: str
    metric: str
    title: str
    finding: Markup
    least: int
    models: tuple[Crossing, ...]


def crossed(material: Material, scenario: str) -> list[Crossed] | None:
    """The intersections of a scenario; None where none is declared or nothing is known of its cells."""
    rows = rows_of(material, scenario)
    results = material.results
    names = dict.fromkeys(
        row.slice.partition("=")[0] for mine in rows.values() for row in mine if row.slice != "all"
    )
    chosen = [(n, m) for n in names if is_crossed(n) for m in bases(material, scenario, n, rows)]
    held = Held.read(material.directory, scenario) if chosen else None
    if held is None:
        return None
    figures = compared(results, scenario)
    with stored_scores(material) as stored:
        if stored is None:
            return None
        looks = [
            Look(
                material,
                scenario,
                stored,
                held,
                name,
                metric,
                [one for one in figures if one.by == name and one.of in (metric, "")],
            )
            for name, metric in chosen
            if name in held.groups
        ]
        made = [_crossed(look) for look in looks]
    return [one for one in made if one is not None] or None


@dataclass(frozen=True, slots=True)
class Look:
    """One intersection under one metric, and what is read to show it.

    Attributes
    ----------
    figures
        What else is measured over the same cells.
    """

    material: Material
    scenario: str
    stored: StoredScores
    held: Held
    name: str
    metric: str
    figures: Sequence[Compared]

    @property
    def results(self) -> Results:
        """Of the run."""
        return self.material.results

    @property
    def least(self) -> int:
        """Units that a cell must have."""
        return min((one.least for one in self.figures), default=LEAST)

    @property
    def lower(self) -> bool:
        """Whether lower is better."""
        return self.results.direction(self.metric) == "lower"

    def table(self, model: str) -> tuple[Intersections, float] | None:
        """The cells of a model, and its mean over all units; None where it has no plain scores."""
        read = self.stored.get(model, self.scenario, self.metric)
        if read is None or any(one is not None for one in (read[1].total, read[1].sums, read[1].weights)):
            return None
        values, scored = self.held.scores(*read)
        if not scored.any():
            return None
        seed = self.material.run.get("seed")
        found = intersection_table(
            values,
            self.held.parts(self.name),
            scored=scored,
            least=self.least,
            seed=seed if isinstance(seed, int) else 0,
        )
        return found, float(values[scored].mean())


def _crossed(look: Look) -> Crossed | None:
    found = {model: look.table(model) for model in look.material.order}
    tables = {model: one for model, one in found.items() if one is not None}
    if not tables:
        return None
    pairs = {model: table.widest.p for model, (table, _) in tables.items() if table.widest is not None}
    ps = dict(zip(pairs, holm(list(pairs.values())).tolist(), strict=True)) if pairs else {}
    # one scale for all models: what is far off under one is not dark under another for being its worst
    widest = max(
        (abs(c.mean - mean) for table, mean in tables.values() for c in table.cells if c.mean is not None),
        default=0.0,
    )
    made = [_crossing(look, model, *one, widest, ps.get(model)) for model, one in tables.items()]
    made.sort(key=lambda one: (not one.loud, ps.get(one.model, 1.0)))
    apart = [one.model for one in made if ps.get(one.model, 1.0) < LEVEL]
    return Crossed(
        look.name,
        look.metric,
        look.results.title(look.metric),
        sentence(_finding(look.results, look.name, look.metric, apart, len(made))),
        look.least,
        tuple(made),
    )


def _finding(results: Results, name: str, metric: str, apart: Sequence[str], models: int) -> str:
    title = results.title(metric)
    if not apart:
        return (
            f"Where {listing(name.split(CROSSED))} meet, no two cells are told apart in {title}, under any of"
            f" {plural(models, 'model')}"
        )
    some = few([named(model, 60) for model in apart])
    return f"Where {listing(name.split(CROSSED))} meet, {title} differs between cells under {some}"


def _crossing(
    look: Look, model: str, table: Intersections, mean: float, widest: float, p: float | None
) -> Crossing:
    parts = look.held.parts(look.name)
    cells = _cells(look, table, mean, widest)
    beside = tuple(one for figure_ in look.figures for one in _beside(look, figure_, model))
    return Crossing(
        model,
        look.material.order.index(model),
        sentence(_text(look.results, look.metric, table, p)),
        beside,
        _grid(look.name, parts, table, cells, look.lower) if len(parts) == 2 else None,
        tuple(replace(c, name=line(c.name, 80)) for c in sorted(cells, key=lambda one: one.hidden)),
        _towards(table),
        (p is not None and p < LEVEL) or any(one.ruled for one in beside),
    )


def _cells(look: Look, table: Intersections, mean: float, widest: float) -> list[Shown]:
    """Cells, worst first."""
    unit = look.results.unit(look.metric)
    known = [cell.mean for cell in table.cells if cell.mean is not None]
    ends = (min(known), max(known)) if len(known) > 1 else (None, None)
    turn = -1.0 if look.lower else 1.0

    def place(cell: Cell) -> float:
        return turn * cell.mean if cell.mean is not None else float("inf")

    found = []
    for cell in sorted(table.cells, key=place):
        off, shade = "", ""
        if cell.mean is not None:
            gap = cell.mean - mean
            step = 0 if widest == 0 else round(STEPS * abs(gap) / widest)
            shade = f"{'low' if gap < 0 else 'high'}{step}" if step else ""
            half = figure(gap, cell.low and cell.low - mean, cell.high and cell.high - mean, unit=unit)
            off = f"{'+' if gap > 0 and half.value.strip('0.') else ''}{half.value}"
        found.append(
            Shown(
                cell.name,
                cell.n,
                cell.suppressed,
                figure(cell.mean, cell.low, cell.high, unit=unit, reason="too few"),
                _plain(cell.shrunk, cell, unit),
                _plain(cell.expected, cell, unit),
                off,
                shade,
                "lowest" if cell.mean == ends[0] else "highest" if cell.mean == ends[1] else "",
            )
        )
    return found


def _plain(value: float | None, cell: Cell, unit: str) -> str:
    """With the digits that the raw mean's interval justifies; what has no interval of its own is no claim."""
    if value is None:
        return "—"
    if cell.low is None or cell.high is None:
        return exact(float(f"{value * (100 if unit == 'share' else 1):.2g}"))
    half = (cell.high - cell.low) / 2
    return figure(value, value - half, value + half, unit=unit).value


def _grid(
    name: str, parts: Sequence[GroupCodes], table: Intersections, cells: Sequence[Shown], lower: bool
) -> Grid:
    """The attribute of fewer values across, values that are worse off first."""
    names = name.split(CROSSED)
    at = {cell.name: cell for cell in cells}
    pairs = {
        (a, b): at[f"{a}{CROSSED}{b}"]
        for a in parts[0].names
        for b in parts[1].names
        if f"{a}{CROSSED}{b}" in at
    }
    means = {cell.name: (cell.mean, cell.n) for cell in table.cells}

    def standing(side: int, value: str) -> float:
        held = [means[cell.name] for key, cell in pairs.items() if key[side] == value]
        known = [(mean, n) for mean, n in held if mean is not None]
        total = sum(n for _, n in known)
        mean = sum(mean * n for mean, n in known) / total if total else float("inf")
        return -mean if lower and total else mean

    columns, lines = sorted((0, 1), key=lambda side: len(parts[side].names))
    across = sorted(parts[columns].names, key=lambda value: standing(columns, value))
    down = sorted(parts[lines].names, key=lambda value: standing(lines, value))

    def cell(a: str, b: str) -> Shown | None:
        return pairs.get((a, b) if columns == 0 else (b, a))

    rows = tuple((line(value, 40), tuple(cell(column, value) for column in across)) for value in down)
    return Grid(
        f"{names[lines]} down, {names[columns]} across", tuple(line(value, 40) for value in across), rows
    )


def _text(results: Results, metric: str, table: Intersections, p: float | None) -> str:
    """The widest pair, in words."""
    pair = table.widest
    hidden = sum(cell.suppressed for cell in table.cells)
    shown = len(table.cells) - hidden
    if pair is None:
        return f"no two of {plural(len(table.cells), 'cell')} are large enough to be compared"
    unit = results.unit(metric)
    size = exact(float(f"{pair.difference * (100 if unit == 'share' else 1):.2g}"))
    said = f"{named(table.cells[pair.lower].name, 60)} (n {count(pair.n_lower)}) lies {size}"
    said += f"{' points' if unit == 'share' else ''} below {named(table.cells[pair.higher].name, 60)}"
    said += (
        f" (n {count(pair.n_higher)}) in {results.title(metric)}, the clearest of all pairs of {shown} cells"
    )
    if pair.least_p >= LEVEL:
        return (
            f"{said}; so few units could show no difference whatever (p is at least {p_text(pair.least_p)})"
        )
    verdict = "told apart" if p is not None and p < LEVEL else "not told apart"
    return f"{said}: {verdict}, max-T p {p_text(pair.p)}, {p_text(p)} after Holm over the models"


def _towards(table: Intersections) -> str:
    how = {
        "main effects": "what the attributes' own effects would predict without an intersection",
        "grand mean": "the mean of all cells",
    }.get(table.towards)
    if how is None:
        return "There are too few cells to shrink their means."
    spread = "no spread beyond chance is seen between cells around it" if table.spread == 0 else ""
    return f"Shrunk means are drawn towards {how}{'; ' + spread if spread else ''}."


def _beside(look: Look, one: Compared, model: str) -> list[Beside]:
    """A measured figure over the cells, with the claims on it."""
    results, scenario = look.results, look.scenario
    row = results.get(scenario, one.metric, model)
    if row is None:
        return []
    shown = figure(row.value, row.low, row.high, unit=results.unit(one.metric), reason=row.reason)
    more = []
    if row.p_adjusted is not None:
        more.append(f"p {p_text(row.p_adjusted)}")
    if one.kind == "differential_fairness" and row.value is not None:
        more.append(
            f"one cell's chance is up to e^ε = {exact(float(f'{np.exp(row.value):.2g}'))} times another's"
        )
        more += _driving(look, model, one.metric)
    left = {reason: n for reason, n in row.excluded.items() if n}
    if left:
        said = ", ".join(f"{count(n)} {reason.replace('-', ' ')}" for reason, n in left.items())
        more.append(f"n {count(row.n)}, left out {said}")
    else:
        more.append(f"n {count(row.n)}")
    claims: list[Verdict | None] = [
        verdict
        for verdict in results.verdicts
        if (verdict.scenario, verdict.metric, verdict.model, verdict.slice, verdict.baseline)
        == (scenario, one.metric, model, "all", None)
    ]
    title = results.title(one.metric)
    return [
        Beside(
            title, shown, sentence("; ".join(more)), None if verdict is None else decided(results, verdict)
        )
        for verdict in (claims or [None])
    ]


def _driving(look: Look, model: str, metric: str) -> list[str]:
    """The pair of cells that makes ε."""
    names = look.held.groups[look.name].names
    read = look.stored.get(model, look.scenario, metric)
    if read is None or read[1].sums is None or read[1].sums.shape[1] != 2 * len(names):
        return []
    hits, counts = np.split(read[1].sums.sum(axis=0), 2)
    alpha = mapping(look.results.definition(metric).get("parameters")).get("alpha", 1.0)
    pair = driving_pair(hits, counts, float(alpha))
    if pair is None:
        return []
    what = "the outcome" if pair.outcome else "going without it"
    return [f"driven by {named(names[pair.higher], 60)} over {named(names[pair.lower], 60)} in {what}"]
