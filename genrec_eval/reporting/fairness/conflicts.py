"""Criteria of fairness that a scenario claims or measures, and which of them unequal base rates set apart."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from markupsafe import Markup

from genrec_eval.core.errors import UsageError
from genrec_eval.core.numbers import Figure, figure
from genrec_eval.reporting.charts.panel import Panel, drawn
from genrec_eval.reporting.charts.rows import rows_panel
from genrec_eval.reporting.fairness.base_rates import BaseRate, NotRanked, Users, adjusted, rated
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, mapping
from genrec_eval.reporting.tables import p_text
from genrec_eval.reporting.text import line, listing, plural

KINDS = {
    "demographic_parity": "rates",
    "differential_fairness": "rates",
    "equal_opportunity": "chances",
    "equalised_odds": "odds",
    "group_gap": "utility",
    "group_ratio": "utility",
    "group_difference": "utility",
    "exposure_gap": "exposure",
    "exposure_ratio": "exposure",
    "exposure_divergence": "exposure",
    "attention_per_merit": "exposure",
    "calibration": "calibration",
}
"""Metric → what it asks to be equal."""
ASKS = {
    "rates": "every group gets the outcome equally often",
    "chances": "of those to whom the outcome is due, every group gets it equally often",
    "odds": "every group gets the outcome equally often where it is due, and where it is not",
    "utility": "lists are equally good for every group",
    "exposure": "every group of items gets the exposure that is due to it",
    "calibration": "lists resemble each user's history",
}
SET_APART: dict[tuple[str, str], tuple[bool, str, str]] = {
    ("rates", "odds"): (
        True,
        "cannot both hold unless lists are no better than chance at this outcome, for with equal odds the"
        " group to which it is due more often gets it more often",
        "A rate is that where it is due times the base rate, and that where it is not times the rest: the"
        " identity behind Kleinberg et al. 2016 and Chouldechova 2017",
    ),
    ("rates", "chances"): (
        False,
        "can both hold only at the cost of a third: of lists that are better than chance, the group to which"
        " the outcome is due less often must then get it undue more often",
        "From the identity behind Chouldechova 2017",
    ),
    ("odds", "calibration"): (
        False,
        "exclude each other where calibration means that what is shown is due equally often in every group,"
        " unless lists are never wrong; measured here is whether lists resemble histories, which is near to"
        " it and not the same",
        "Kleinberg et al. 2016; Chouldechova 2017",
    ),
    ("rates", "calibration"): (
        False,
        "pull apart, for lists that resemble each user's history show more of an outcome to the group that"
        " chooses it more often",
        "From both definitions; on calibration and base rates in general, Kleinberg et al. 2016",
    ),
    ("utility", "exposure"): (
        False,
        "pull apart, for the groups of users want the groups of items in unequal measure, and one share of"
        " exposure for everybody serves some of them further from what they want",
        "No theorem: what it costs, measure",
    ),
}
"""Two kinds of criteria → whether unequal base rates exclude them both, how, and who showed it."""
_GREY = 70
"""A place beyond the models, whose hue is that of none."""
_DRAWN = 12
"""Groups of a drawing; all stand in the table."""


@dataclass(frozen=True, slots=True)
class Criterion:
    """One criterion that the scenario measures."""

    metric: str
    kind: str
    by: str
    outcome: tuple[str, str]
    claimed: bool

    @property
    def asks(self) -> str:
        """What is to be equal."""
        return ASKS[self.kind]


@dataclass(frozen=True, slots=True)
class Conflict:
    """Two criteria that cannot both hold, or that pull against each other."""

    first: str
    second: str
    impossible: bool
    text: str
    evidence: str
    source: str


@dataclass(frozen=True, slots=True)
class Rates:
    """Base rates over one attribute.

    Attributes
    ----------
    rows
        (group, (figure, users) of each quantity or None).
    spans
        Of each quantity: (range, p after Holm, whether it differs).
    small
        (group, users) of those that are too small.
    """

    by: str
    summary: str
    drawing: Markup
    hidden: int
    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[tuple[Figure, str] | None, ...]], ...]
    spans: tuple[tuple[Figure, str, bool], ...]
    small: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class Conflicts:
    """All there is on the choice of criteria."""

    anchor: str
    summary: str
    conflicts: tuple[Conflict, ...]
    clear: str
    """What is said where no two criteria exclude each other."""
    criteria: tuple[Criterion, ...]
    rates: tuple[Rates, ...]
    missing: str


def conflicts(material: Material, scenario: str) -> Conflicts | None:
    """Base rates, criteria and what cannot hold together; None where no two groups are compared."""
    results = material.results
    criteria = _criteria(results, scenario)
    of_users = [one for one in criteria if one.kind not in ("exposure", "calibration")]
    attributes = list(dict.fromkeys(one.by for one in of_users))
    if not attributes:
        return None
    place = results.scenarios().index(scenario) + 1
    anchor = f"s{place}fb"
    level = next((row.level for row in results.estimates if row.scenario == scenario), 0.95)
    rates: dict[str, list[BaseRate]] = {by: [] for by in attributes}
    small: dict[str, dict[str, int]] = {by: {} for by in attributes}
    missing = ""
    try:
        users = Users(material.directory, scenario)
        outcomes = list(dict.fromkeys(one.outcome for one in criteria if one.outcome[0]))
        quantities = users.quantities(outcomes, _wanted(users, criteria))
        for by in attributes:
            groups = users.groups(by)
            for quantity in quantities if groups is not None else ():
                assert groups is not None
                rate, few = rated(quantity, by, groups, level)
                rates[by].append(rate)
                small[by] |= few
    except NotRanked:
        return None
    except (UsageError, OSError):
        missing = "Base rates are not known: the tables of the run do not lie beside its estimates."
    every = iter(adjusted([rate for by in attributes for rate in rates[by]]))
    rates = {by: [next(every) for _ in rates[by]] for by in attributes}
    found = _conflicts(results, criteria, rates)
    tables = tuple(
        _table(by, rates[by], small[by], f"{anchor}{number}")
        for number, by in enumerate(attributes, 1)
        if rates[by]
    )
    return Conflicts(
        anchor=anchor,
        summary=_summary(found, rates),
        conflicts=tuple(found),
        clear="" if found or missing else _clear(criteria, rates),
        criteria=tuple(criteria),
        rates=tables,
        missing=missing,
    )


def _criteria(results: Results, scenario: str) -> list[Criterion]:
    claimed = {row.metric for row in results.verdicts if row.gate and row.scenario == scenario}
    found = []
    for metric in results.metrics(scenario):
        definition = results.definition(metric)
        kind = KINDS.get(str(definition.get("name")))
        if kind is None:
            continue
        given = mapping(definition.get("parameters"))
        outcome = str(given.get("outcome") or "") if kind in ("rates", "chances", "odds") else ""
        found.append(
            Criterion(
                metric,
                kind,
                str(given.get("by") or ""),
                (outcome, str(given.get("items") or "")),
                metric in claimed,
            )
        )
    return sorted(found, key=lambda one: not one.claimed)


def _wanted(users: Users, criteria: Sequence[Criterion]) -> list[tuple[str, str]]:
    """The largest group of items of each way in which exposure is compared, where utility is compared too."""
    import numpy as np

    from genrec_eval.metrics.item_groups import item_groups

    if not any(one.kind == "utility" for one in criteria):
        return []
    found = []
    for by in dict.fromkeys(one.by for one in criteria if one.kind == "exposure"):
        groups = item_groups(users.catalogue, by, "base rate")
        if len(groups) > 1:
            found.append((by, groups.names[int(np.bincount(groups.codes.values).argmax())]))
    return found


def _conflicts(
    results: Results, criteria: Sequence[Criterion], rates: dict[str, list[BaseRate]]
) -> list[Conflict]:
    """Pairs of criteria, each pair of kinds told once an attribute."""
    found: dict[tuple[object, ...], Conflict] = {}
    for one, other in combinations(criteria, 2):
        first, second = sorted((one, other), key=lambda c: list(ASKS).index(c.kind))
        by = first.by
        key = (first.kind, second.kind, by, first.outcome, second.outcome)
        made = None if key in found else _conflict(results, first, second, rates.get(by, ()))
        if made is not None:
            found[key] = made
    return sorted(found.values(), key=lambda made: not made.impossible)


def _conflict(
    results: Results, first: Criterion, second: Criterion, rates: Sequence[BaseRate]
) -> Conflict | None:
    """The pair, where base rates are told apart."""
    known = SET_APART.get((first.kind, second.kind))
    if known is None:
        return None
    key = ("wanted", second.by) if first.kind == "utility" else ("due", *first.outcome)
    rate = next((rate for rate in rates if rate.quantity.key[: len(key)] == key and rate.differs), None)
    alike = first.by == second.by and first.outcome == second.outcome
    if rate is None or (second.kind in ("chances", "odds") and not alike):
        return None
    impossible, text, source = known
    title = results.title
    return Conflict(title(first.metric), title(second.metric), impossible, text, _evidence(rate), source)


def _evidence(rate: BaseRate) -> str:
    values = [mean[0] for mean in rate.means]
    ends = (values.index(max(values)), values.index(min(values)))
    shown = [f"{line(rate.groups[i], 40)} {_figure(rate, i)}" for i in ends]
    return f"{line(rate.quantity.name.removesuffix(', %'), 80)}: {' against '.join(shown)}"


def _figure(rate: BaseRate, i: int) -> Figure:
    return figure(*rate.means[i], unit=rate.quantity.unit)


def _summary(found: Sequence[Conflict], rates: dict[str, list[BaseRate]]) -> str:
    """How many base rates differ, and whether criteria exclude each other."""
    every = [rate for by in rates for rate in rates[by] if rate.range is not None]
    differ = [rate for rate in every if rate.differs]
    by = listing([line(name, 40) for name in dict.fromkeys(rate.by for rate in differ)])
    if not every:
        return "Base rates cannot be compared: no attribute has two groups that are known and large enough"
    if len(every) == 1 and not differ:
        said = "The one base rate that can be compared is not told apart between groups"
    elif differ:
        are = "is" if len(differ) == 1 else "are"
        said = f"Base rates differ: {len(differ)} of {len(every)} {are} told apart, by {by}"
    else:
        said = f"Base rates are not told apart: none of {len(every)} differs between groups beyond chance"
    hard, soft = (sum(one.impossible == kind for one in found) for kind in (True, False))
    if hard:
        return f"{said}; {plural(hard, 'pair')} of criteria cannot both hold"
    if soft:
        return f"{said}; {plural(soft, 'pair')} of criteria cannot be had together for nothing"
    return f"{said}; no two criteria measured here exclude each other for that"


def _clear(criteria: Sequence[Criterion], rates: dict[str, list[BaseRate]]) -> str:
    kinds = {one.kind for one in criteria}
    if not ({"rates", "chances", "odds"} & kinds) and not {"utility", "exposure"} <= kinds:
        return "None of the criteria here is known to exclude another, whatever the base rates."
    known = [r for by in rates for r in rates[by] if r.quantity.key[0] in ("due", "wanted")]
    if not any(rate.range is not None for rate in known):
        return "Whether criteria exclude each other here cannot be told: that rests on base rates not known."
    return (
        "What these criteria condition on is not told apart between the groups, so they may hold together"
        " here; that is no proof that it is equal."
    )


def _table(by: str, rates: Sequence[BaseRate], small: dict[str, int], anchor: str) -> Rates:
    groups = list(dict.fromkeys(name for rate in rates for name in rate.groups))
    rows = []
    for group in groups:
        cells: list[tuple[Figure, str] | None] = []
        for rate in rates:
            if group not in rate.groups:
                cells.append(None)
                continue
            i = rate.groups.index(group)
            cells.append((_figure(rate, i), f"{rate.counts[i]:,}"))
        rows.append((line(group, 80), tuple(cells)))
    spans = tuple(
        (
            figure(*rate.range, unit=rate.quantity.unit, difference=True)
            if rate.range is not None
            else figure(None, None, None, reason="fewer than two groups, or no spread"),
            p_text(rate.adjusted),
            rate.differs,
        )
        for rate in rates
    )
    differ = [line(rate.quantity.name.removesuffix(", %"), 60) for rate in rates if rate.differs]
    told = f"told apart are {listing(differ)}" if differ else "no base rate is told apart"
    panels = [_panel(rate) for rate in rates if rate.range is not None]
    return Rates(
        by=line(by, 60),
        summary=f"By {line(by, 60)}, {told}",
        drawing=drawn(panels, anchor) if panels else Markup(""),
        hidden=max(0, len(groups) - _DRAWN) if panels else 0,
        names=tuple(line(rate.quantity.name, 80) for rate in rates),
        rows=tuple(rows),
        spans=spans,
        small=tuple((line(name, 60), n) for name, n in small.items() if name not in groups),
    )


def _panel(rate: BaseRate) -> Panel:
    kept = sorted(range(len(rate.groups)), key=lambda i: -rate.counts[i])[:_DRAWN]
    kept.sort()
    name = line(rate.quantity.name, 80)
    return rows_panel(
        name,
        f"{name} by {line(rate.by, 60)}",
        [rate.groups[i] for i in kept],
        [rate.means[i] for i in kept],
        [_GREY] * len(kept),
        [],
        rate.quantity.unit,
    )
