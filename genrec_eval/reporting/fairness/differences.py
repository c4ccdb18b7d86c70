"""Differences of groups of users from all others, with the margins that claims set them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.core.numbers import Figure, count, figure
from genrec_eval.metrics.grouped.by_group import LEAST
from genrec_eval.protocol.results import Estimate, Verdict
from genrec_eval.reporting.charts.rows import Triple
from genrec_eval.reporting.fairness.compared import Compared, Rows, of_group
from genrec_eval.reporting.page.against_rest import LEVEL, Rest, rests
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import p_text
from genrec_eval.stats.power import units_needed

Band = tuple[float | None, float | None]
"""Least and greatest difference that a claim allows; None where it does not bind."""
FREE: Band = (None, None)


@dataclass(frozen=True, slots=True)
class Against:
    """A group of one model against the others.

    Attributes
    ----------
    n, of
        Its scored units, and those of all known groups.
    ends
        Group less the others: value, low and high, in the metric's unit.
    p
        After Holm, over all groups and models that are drawn or told of in the fold; of a measured
        ``group_difference`` its own.
    clear
        Whether the difference is told apart from none.
    reading
        What the interval says of the margin, or of no difference where none is claimed.
    """

    model: str
    group: str
    n: int
    of: int
    mean: Figure
    rest: Figure
    ends: Triple
    difference: Figure
    p: float
    p_said: str
    clear: bool
    band: Band
    reading: str


Key = tuple[str, str, str, str]
"""Attribute, metric, model and slice."""


@dataclass(frozen=True, slots=True)
class Plain:
    """A group's figure, that of all others, and the units of all known groups."""

    row: Estimate
    rest: Rest
    known: int


def plain_differences(results: Results, chosen: Sequence[tuple[str, str]], rows: Rows) -> dict[Key, Plain]:
    """Each group that has the units for it beside all others, before anything is adjusted."""
    plain: dict[Key, Plain] = {}
    for name, metric in chosen:
        mine = {
            (row.model, row.slice): row
            for row in rows[metric]
            if row.baseline is None and row.slice.partition("=")[0] == name
        }
        known = {model: sum(row.n for (of, _), row in mine.items() if of == model) for model, _ in mine}
        held = rests(results, rows[metric])
        for (model, where), row in mine.items():
            if row.n >= LEAST and (model, where) in held:
                plain[name, metric, model, where] = Plain(row, held[model, where], known[model])
    return plain


def differences(
    material: Material,
    scenario: str,
    chosen: Sequence[tuple[str, str]],
    plain: Mapping[Key, Plain],
    ps: Mapping[Any, float],
    figures: Sequence[Compared],
) -> dict[tuple[str, str], list[Against]]:
    """(Attribute, metric) → its rows, by model and then by group.

    Parameters
    ----------
    ps
        Key → p, adjusted for all that is told beside it too.
    """
    results = material.results
    found: dict[tuple[str, str], list[Against]] = {pair: [] for pair in chosen}
    order = [*material.order]
    for key in sorted(plain, key=lambda key: order.index(key[2]) if key[2] in order else len(order)):
        name, metric, model, _ = key
        one = plain[key]
        row = one.row
        band = _band(results, scenario, figures, name, metric, model, of_group(row))
        own = _measured(results, scenario, figures, name, metric, model, of_group(row))
        found[name, metric].append(_against(results, row, one.rest, one.known, ps[key], band, own))
    return found


def _measured(
    results: Results,
    scenario: str,
    figures: Sequence[Compared],
    name: str,
    metric: str,
    model: str,
    group: str,
) -> Estimate | None:
    """The estimate of ``group_difference`` that says the same, where it is measured."""
    for one in figures:
        if (one.kind, one.by, one.of, one.group) == ("group_difference", name, metric, group):
            row = results.get(scenario, one.metric, model)
            if row is not None and None not in (row.value, row.low, row.high):
                return row
    return None


def _against(
    results: Results,
    row: Estimate,
    rest: Rest,
    whole: int,
    p: float,
    band: Band,
    own: Estimate | None,
) -> Against:
    unit = results.unit(row.metric)
    ends = (rest.difference, rest.least, rest.most)
    if own is not None and own.value is not None and own.low is not None and own.high is not None:
        ends = (own.value, own.low, own.high)
        p = p if own.p_adjusted is None else own.p_adjusted
    shown = figure(*ends, unit=unit, difference=True, apart=[at for at in band if at is not None])
    clear = p < LEVEL
    return Against(
        row.model,
        of_group(row),
        row.n,
        whole,
        figure(row.value, row.low, row.high, unit=unit),
        figure(rest.value, rest.low, rest.high, unit=unit),
        ends,
        shown,
        p,
        p_text(p),
        clear,
        band,
        _reading(ends, band, clear, whole, unit),
    )


def _band(
    results: Results,
    scenario: str,
    figures: Sequence[Compared],
    name: str,
    metric: str,
    model: str,
    group: str,
) -> Band:
    """What the claims on gaps and differences over these groups allow this group."""
    low: list[float] = []
    high: list[float] = []
    for one in figures:
        if (one.by, one.of) != (name, metric) or one.group not in ("", group):
            continue
        for verdict in claims_of(results, scenario, one.metric, model):
            if one.kind == "group_gap" and verdict.rule == "at_most":
                low, high = [*low, -verdict.margin], [*high, verdict.margin]
            elif one.kind == "group_difference" and verdict.rule in ("at_most", "at_least"):
                (high if verdict.rule == "at_most" else low).append(verdict.margin)
    return (max(low) if low else None), (min(high) if high else None)


def claims_of(results: Results, scenario: str, metric: str, model: str) -> list[Verdict]:
    """The verdicts on a figure of a model over all units."""
    return [
        row
        for row in results.verdicts
        if (row.scenario, row.metric, row.model, row.slice, row.baseline)
        == (scenario, metric, model, "all", None)
    ]


def _reading(ends: Triple, band: Band, clear: bool, n: int, unit: str) -> str:
    """What an interval says.

    >>> _reading((0.001, -0.004, 0.006), (-0.02, 0.02), False, 900, "")
    'alike: inside the margin'
    >>> _reading((-0.05, -0.06, -0.04), (-0.02, 0.02), True, 900, "")
    'outside the margin'
    >>> _reading((0.01, -0.02, 0.04), (-0.02, 0.02), False, 900, "")
    'cannot be told; about 8,100 units would decide, if the figure stays'
    """
    value, low, high = ends
    least, most = band
    if least is None and most is None:
        return ("lower" if value < 0 else "higher") if clear else "not told apart"
    if (most is not None and low > most) or (least is not None and high < least):
        return "outside the margin"
    if (most is None or high <= most) and (least is None or low >= least):
        return "alike: inside the margin" if None not in band else "inside the margin"
    needed = [
        units_needed(value, at, value - low if value > at else high - value, n)
        for at in band
        if at is not None and low <= at <= high
    ]
    most_needed = max((one for one in needed if one), default=0)
    if not most_needed:
        return "cannot be told"
    return (
        f"cannot be told; about {count(float(f'{most_needed:.3g}'))} units would decide, if the figure stays"
    )
