"""A metric of a scenario in full: what each cell of the matrix opens."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from markupsafe import Markup

from genrec_eval.core.numbers import Figure, bound, figure, sign
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.compare import best, broken, stays_clear
from genrec_eval.reporting.contents.definitions import value_made
from genrec_eval.reporting.distributions import Distribution
from genrec_eval.reporting.page.by_group import Split, splits
from genrec_eval.reporting.page.ruled import Ruled
from genrec_eval.reporting.page.spreads import Spread, spread
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.rules import margins_on
from genrec_eval.reporting.tables import (
    ARROWS,
    counts,
    covering,
    drawn,
    interval_name,
    margins_of,
    p_text,
)
from genrec_eval.reporting.text import line, listing

_SIDES = {"higher": "higher is better", "lower": "lower is better"}


@dataclass(frozen=True, slots=True)
class Row:
    """The figure of one model, or the difference of two."""

    name: str
    position: int
    figure: Figure
    drawing: Markup
    range: str
    counts: str
    mark: str = ""
    baseline: str = ""
    tested: tuple[str, str, str] | None = None
    """p, p after Holm and the smallest difference that would show."""


@dataclass(frozen=True, slots=True)
class Rows:
    """Rows on one scale; what they have in common is said once.

    Attributes
    ----------
    method
        Level and method of the intervals.
    common
        Counts, where they are the same for all rows.
    """

    rows: tuple[Row, ...]
    ends: tuple[str, str]
    method: str
    common: str


@dataclass(frozen=True, slots=True)
class Detail:
    """All there is on one metric of one scenario."""

    scenario: str
    metric: str
    anchor: str
    title: str
    unit: str
    arrow: str
    finding: str
    facts: tuple[tuple[str, str], ...]
    figures: Rows
    pairs: Rows
    spread: Spread
    splits: tuple[Split, ...]
    claims: tuple[Ruled, ...]


def rows_by_metric(results: Results) -> dict[tuple[str, str], list[Estimate]]:
    """(scenario, metric) → its estimates, in their order."""
    found: dict[tuple[str, str], list[Estimate]] = {}
    for row in results.estimates:
        found.setdefault((row.scenario, row.metric), []).append(row)
    return found


def detail(
    results: Results,
    rows: Sequence[Estimate],
    order: Sequence[str],
    anchor: str,
    found: Mapping[tuple[str, str, str], Distribution],
    claims: Iterable[Ruled],
) -> Detail:
    """Gather what there is on the metric that ``rows`` are about.

    Parameters
    ----------
    rows
        All estimates of one scenario and metric.
    anchor
        Where it stands on the page.
    found
        Distributions of the whole run.
    claims
        Verdicts of this scenario and metric.
    """
    scenario, metric = rows[0].scenario, rows[0].metric
    whole = [row for row in rows if row.slice == "all" and row.baseline is None]
    whole.sort(key=lambda row: order.index(row.model))
    differences = [row for row in rows if row.baseline is not None]
    tops, faults = best(results, scenario, metric), broken(results, scenario, metric)
    marks = {**dict.fromkeys(tops, "best"), **dict.fromkeys(faults, "broken")}
    direction = results.direction(metric)
    claims = tuple(claims)
    levels = margins_of(results, scenario, metric)
    on = [row.verdict for row in claims]
    apart = [tuple(dict.fromkeys((0.0, *margins_on(row, on, direction)))) for row in differences]
    return Detail(
        scenario=scenario,
        metric=metric,
        anchor=anchor,
        title=results.title(metric),
        unit=sign(results.unit(metric)),
        arrow=ARROWS.get(direction, ""),
        finding=_finding(results, whole, tops, faults),
        facts=(*_facts(results, metric), *_tests(whole)),
        figures=_rows(results, whole, order, [levels.get(row.model, ()) for row in whole], marks),
        pairs=_rows(results, differences, order, apart, {}),
        spread=spread(results, scenario, metric, order, found),
        splits=splits(results, rows, order),
        claims=claims,
    )


def _rows(
    results: Results,
    rows: Sequence[Estimate],
    order: Sequence[str],
    rules: Sequence[tuple[float, ...]],
    marks: Mapping[str, str],
) -> Rows:
    """The rows, each with the margins that bind it, on the scale that holds those of all."""
    if not rows:
        return Rows((), ("", ""), "", "")
    unit = results.unit(rows[0].metric)
    scale = covering(rows, [at for margins in rules for at in margins])
    said = {counts(row) for row in rows}
    common = said.pop() if len(said) == 1 else ""
    made = []
    for row, margins in zip(rows, rules, strict=True):
        shown = figure(row.value, row.low, row.high, unit=unit, reason=row.reason)
        position = order.index(row.model)
        made.append(
            Row(
                name=row.model,
                position=position,
                figure=shown,
                drawing=drawn(row, shown, scale, position, margins),
                range=shown.range if shown.known else "",
                counts="" if common else counts(row),
                mark=_mark(row, marks),
                baseline=(row.baseline or "")
                + (f", {row.slice}" if row.baseline and row.slice != "all" else ""),
                tested=_tested(row, unit),
            )
        )
    known = [row for row in rows if row.interval]
    levels = dict.fromkeys(interval_name(row) for row in known)
    methods = dict.fromkeys(str(row.interval) for row in known)
    method = f"{listing(list(levels))}, by {listing(list(methods))}" if known else ""
    return Rows(tuple(made), scale.ends(unit), method, common)


def _mark(row: Estimate, marks: Mapping[str, str]) -> str:
    if row.baseline is not None:
        return "clear" if stays_clear(row) else ""
    return marks.get(row.model, "")


def _tested(row: Estimate, unit: str) -> tuple[str, str, str] | None:
    if row.baseline is None:
        return None
    least = "—" if not row.detectable else bound(float(f"{row.detectable:.2g}"), unit, True)
    return p_text(row.p), p_text(row.p_adjusted), least


def _finding(
    results: Results, whole: Sequence[Estimate], tops: frozenset[str], faults: frozenset[str]
) -> str:
    """What the figures come to, in one line."""
    known = [row for row in whole if row.value is not None and row.low is not None]
    if not known:
        return "no figure"
    unit = results.unit(known[0].metric)
    said = []
    if faults:
        said.append(f"{listing(sorted(faults))} {'breaks' if len(faults) == 1 else 'break'} a rule")
    if tops:
        one = next(row for row in known if row.model in tops)
        shown = figure(one.value, one.low, one.high, unit=unit)
        names = [row.model for row in known if row.model in tops]
        said.append(f"{names[0]} is best, {shown}" if len(names) == 1 else f"{listing(names)} share the lead")
    elif not faults and results.direction(known[0].metric) != "none" and len(known) > 1:
        said.append("no model is shown to be best")
    ends = sorted(known, key=lambda row: row.value or 0.0)
    low, high = ends[0], ends[-1]
    if len(known) > 1 and not tops:
        texts = [figure(row.value, row.low, row.high, unit=unit).value for row in (low, high)]
        percent = " %" if unit == "share" else ""
        same = texts[0] == texts[1]
        said.append(f"all {texts[0]}{percent}" if same else f"{texts[0]} to {texts[1]}{percent}")
    elif not tops:
        said.append(str(figure(low.value, low.low, low.high, unit=unit)))
    return "; ".join(said)


def _tests(whole: Sequence[Estimate]) -> tuple[tuple[str, str], ...]:
    """p of each model's figure by a test of the metric's own, and after which adjustment."""
    said = [
        f"{line(row.model, 60)} {p_text(row.p)},"
        f" {p_text(row.p_adjusted)} after {line(row.adjustment or '', 120)}"
        for row in whole
        if row.p is not None and row.adjustment
    ]
    return (("p of its test", "; ".join(said)),) if said else ()


def _facts(results: Results, metric: str) -> tuple[tuple[str, str], ...]:
    """Definition in a few lines; all of it stands under the definitions."""
    about: Mapping[str, Any] = results.definition(metric)
    unit = results.unit(metric)
    side = _SIDES.get(results.direction(metric), "no better side")
    side += _reach(about.get("bounds"), unit)
    per = about.get("resampling_unit")
    made = about.get("made")
    value = value_made(str(made), str(per or "unit")) if made else f"one per {per}" if per else ""
    return tuple(
        (word, text)
        for word, text in (
            ("Formula", str(about.get("formula") or "")),
            ("Direction", side),
            ("Value", value[:1].upper() + value[1:]),
        )
        if text
    )


def _reach(ends: Any, unit: str) -> str:
    """``"; from 0 to 1"`` of a metric with bounds."""
    if not isinstance(ends, list | tuple) or len(ends) != 2:
        return ""
    low, high = (bound(end, unit) if isinstance(end, int | float) else "" for end in ends)
    return f"; from {low} to {high}" if low and high else f"; from {low} up" if low else ""
