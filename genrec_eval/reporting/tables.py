"""The matrix as tables of cells: models down, metrics across."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from genrec_eval.core.numbers import Figure, count, figure, sign
from genrec_eval.protocol.results import Estimate, Ruling
from genrec_eval.reporting.compare import best, broken, is_ruled, is_validity
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.svg import Scale, whisker
from genrec_eval.reporting.text import listing

ARROWS = {"higher": "↑", "lower": "↓"}
LEVELS = frozenset({"at_least", "at_most"})
"""Rules that are about a figure itself and not about a difference."""
_SPELLED = 4
"""Metrics that a sentence names."""
WIDEST = 7
"""Most metrics side by side: what a page of A4 and a tablet can hold."""


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure as the template shows it."""

    figure: Figure
    drawing: Markup
    order: str
    """The value, for sorting; empty where there is none."""
    units: str
    """n and what is excluded."""
    mark: str = ""
    """``"best"``, ``"broken"`` (a claim or check), ``"clear"`` or empty."""
    note: str = ""
    """Why there is no figure."""

    @property
    def brief(self) -> str:
        """The first words of the note: the rest is one pointing away."""
        return self.note.partition(":")[0]


@dataclass(frozen=True, slots=True)
class Column:
    """A metric in the head of a table."""

    metric: str
    title: str
    unit: str
    direction: str
    label: str
    ends: tuple[str, str]


@dataclass(frozen=True, slots=True)
class Line:
    """A row: the figures of a model."""

    name: str
    position: int
    cells: tuple[Cell | None, ...]

    @property
    def common(self) -> str:
        """Counts that most figures of the row share; said once where there is little room."""
        found = Counter(cell.units for cell in self.cells if cell is not None)
        return found.most_common(1)[0][0] if found else ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table with the finding it shows and, under it, the method."""

    caption: str
    method: str
    columns: tuple[Column, ...]
    lines: tuple[Line, ...]
    absent: tuple[str, ...] = field(default=())
    """Models without a row."""


def blocks(metrics: Sequence[str]) -> list[list[str]]:
    """Split metrics into even blocks of at most :data:`WIDEST`.

    >>> [len(block) for block in blocks([str(i) for i in range(9)])]
    [5, 4]
    """
    if not metrics:
        return []
    parts = -(-len(metrics) // WIDEST)
    size = -(-len(metrics) // parts)
    return [list(metrics[start : start + size]) for start in range(0, len(metrics), size)]


def matrix(
    results: Results,
    scenario: str,
    metrics: Sequence[str],
    order: Sequence[str],
    titles: Mapping[str, str] | None = None,
) -> list[Table]:
    """Models down, metrics across; margins of claims are rules through the column.

    Parameters
    ----------
    titles
        Metric id → title, where it is not the usual one.
    """
    there = {r.model for r in results.estimates if r.scenario == scenario and r.baseline is None}
    models = [model for model in order if model in there]
    absent = tuple(model for model in results.meant(scenario) if model not in models)
    validity = all(is_validity(metric) for metric in metrics)
    tables = []
    for block in blocks(metrics):
        rows = {(m, model): results.get(scenario, m, model) for m in block for model in models}
        margins = {m: margins_of(results, scenario, m) for m in block}
        scales = {
            m: covering([rows[m, model] for model in models], sorted(set().union(*margins[m].values())))
            for m in block
        }
        tops = {m: best(results, scenario, m) for m in block}
        faults = {m: broken(results, scenario, m) for m in block}
        lines = tuple(
            Line(
                model,
                order.index(model),
                tuple(
                    cell(
                        results,
                        rows[m, model],
                        scales[m],
                        order.index(model),
                        rules=margins[m].get(model, ()),
                        mark="broken" if model in faults[m] else "best" if model in tops[m] else "",
                    )
                    for m in block
                ),
            )
            for model in models
        )
        if validity:
            finding = _validity_finding(results, rows)
        elif all(is_ruled(results, scenario, m) for m in block):
            finding = _rules_finding(results, faults)
        else:
            finding = _best_finding(results, tops, titles)
        notes = []
        if any(tops.values()):
            notes.append("★ is better than every model without one, by the paired differences.")
        if any(faults.values()):
            notes.append("✗ fails a claim or check.")
        if any(margins.values()):
            notes.append("A thin upright rule is the margin of a claim or check on the model of that row.")
        tables.append(
            Table(
                finding,
                " ".join(notes),
                columns(results, block, scales, titles),
                lines,
                absent=absent,
            )
        )
    return tables


def columns(
    results: Results,
    metrics: Sequence[str],
    scales: dict[str, Scale],
    titles: Mapping[str, str] | None = None,
) -> tuple[Column, ...]:
    """Heads of the metrics."""
    said = {m: (titles or {}).get(m) or results.title(m) for m in metrics}
    return tuple(
        Column(
            m,
            said[m],
            sign(results.unit(m)),
            results.direction(m),
            f"{said[m]} {sign(results.unit(m))} {ARROWS.get(results.direction(m), '')}".strip(),
            scales[m].ends(results.unit(m)),
        )
        for m in metrics
    )


def cell(
    results: Results,
    row: Estimate | None,
    scale: Scale,
    position: int,
    *,
    rules: Sequence[float] = (),
    mark: str = "",
) -> Cell | None:
    """The cell of an estimate; None where there is none."""
    if row is None:
        return None
    shown = figure(row.value, row.low, row.high, unit=results.unit(row.metric), reason=row.reason)
    return Cell(
        figure=shown,
        drawing=drawn(row, shown, scale, position, rules),
        order=f"{row.value:.6g}" if shown.known and row.value is not None else "",
        units=units_of(row),
        mark=mark,
        note="" if shown.known else shown.reason,
    )


def drawn(row: Estimate, shown: Figure, scale: Scale, position: int, rules: Sequence[float] = ()) -> Markup:
    """The whisker of an estimate; empty where it has no interval."""
    if not shown.known or row.value is None or row.low is None or row.high is None:
        return Markup("")
    return whisker(row.value, row.low, row.high, scale, position, rules)


def p_text(p: float | None) -> str:
    """A p-value as people read it.

    >>> p_text(0.00004), p_text(0.0312), p_text(1.0), p_text(None)
    ('< 0.001', '0.031', '1', '—')
    """
    if p is None:
        return "—"
    return "< 0.001" if p < 0.001 else f"{p:.2g}" if p >= 0.1 else f"{p:.3f}"


def interval_name(row: Estimate) -> str:
    """``"95 % interval"``."""
    return f"{row.level * 100:.4g} % interval"


def units_of(row: Estimate) -> str:
    """n and the excluded units, in a few words."""
    left = sum(row.excluded.values())
    return f"n {count(row.n)}, {f'{count(left)} excluded' if left else 'none excluded'}"


def counts(row: Estimate) -> str:
    """What stands behind a figure: n and the four counts."""
    left = sum(row.excluded.values())
    if not left and row.n == row.attempted == row.answered == row.scored:
        return f"n {count(row.n)}, all answered and scored, none excluded"
    why = ": " + ", ".join(f"{reason} {count(n)}" for reason, n in row.excluded.items()) if left else ""
    return (
        f"n {count(row.n)}, attempted {count(row.attempted)}, answered {count(row.answered)},"
        f" scored {count(row.scored)}, excluded {count(left)}{why}"
    )


def covering(rows: Sequence[Estimate | None], rules: Sequence[float]) -> Scale:
    """A scale that holds all of ``rows`` with their intervals, and ``rules``."""
    values: list[float | None] = list(rules)
    for row in rows:
        if row is not None and row.low is not None and row.high is not None:
            values += [row.value, row.low, row.high]
    return Scale.covering(values)


def margins_of(results: Results, scenario: str, metric: str) -> dict[str, tuple[float, ...]]:
    """Model → the margins that bind it: a claim on one model says nothing of another."""
    found: dict[str, dict[float, None]] = {}
    for row in results.verdicts:
        if (row.scenario, row.metric, row.slice) == (scenario, metric, "all") and row.rule in LEVELS:
            found.setdefault(row.model, {})[row.margin] = None
    return {model: tuple(margins) for model, margins in found.items()}


def _rules_finding(results: Results, faults: Mapping[str, frozenset[str]]) -> str:
    said = [f"{results.title(m)} by {listing(sorted(found))}" for m, found in faults.items() if found]
    if said:
        return f"Rules are broken on {'; '.join(said)}"
    return f"No model breaks a rule of {_named([results.title(m) for m in faults])}"


def _named(titles: Sequence[str]) -> str:
    """Few at length; many by the first, so that two tables of a page have two names."""
    return listing(list(titles)) if len(titles) <= _SPELLED else f"{titles[0]} and {len(titles) - 1} more"


def _best_finding(
    results: Results, tops: dict[str, frozenset[str]], titles: Mapping[str, str] | None = None
) -> str:
    judged = {m: (titles or {}).get(m) or results.title(m) for m in tops if results.direction(m) != "none"}
    alone: dict[str, list[str]] = {}
    for m, title in judged.items():
        if len(tops[m]) == 1:
            alone.setdefault(next(iter(tops[m])), []).append(title)
    if not judged:
        return f"Without a better side: {_named([(titles or {}).get(m) or results.title(m) for m in tops])}"
    spelled = len(judged) <= _SPELLED
    meant = (
        f"the {len(judged)} metrics of this table{'' if len(judged) == len(tops) else ' with a better side'}"
    )
    if not alone:
        of = listing(list(judged.values())) if spelled else meant
        return f"No model is shown to be best on {'any of ' if len(judged) > 1 else ''}{of}"
    ranked = sorted(alone.items(), key=lambda pair: -len(pair[1]))
    said = [listing(found) if spelled else str(len(found)) for _, found in ranked]
    parts = [f"{model} {'is best ' if not i else ''}on {said[i]}" for i, (model, _) in enumerate(ranked)]
    if spelled:
        return "; ".join(parts)
    if len(ranked[0][1]) == len(judged):
        return f"{ranked[0][0]} is best on all {meant[4:]}"
    return f"Of {meant}, {listing(parts)}"


def _validity_finding(results: Results, rows: dict[tuple[str, str], Estimate | None]) -> str:
    ruled = {
        (v.metric, v.model, v.scenario): v.verdict
        for v in results.verdicts
        if v.slice == "all" and not v.gate
    }
    faults = []
    for (metric, model), row in rows.items():
        if row is None or row.low is None or results.direction(metric) != "lower":
            continue
        verdict = ruled.get((metric, model, row.scenario))
        # where a check says how much is tolerated, less is no fault
        if row.low > 0 if verdict is None else verdict is Ruling.FAIL:
            shown = figure(row.value, row.low, row.high, unit=results.unit(metric))
            faults.append((row.value or 0.0, f"{model} ({results.title(metric)} {shown})"))
    if not faults:
        return "No fault that the intervals can tell"
    return "Faults beyond chance: " + listing([text for _, text in sorted(faults, reverse=True)])
