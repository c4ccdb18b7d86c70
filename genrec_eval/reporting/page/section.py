"""All there is on one scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from genrec_eval.reporting.compare import is_ruled, is_validity, uneventful
from genrec_eval.reporting.curves import Curve, curves
from genrec_eval.reporting.differences import difference_tables
from genrec_eval.reporting.distributions import Distribution
from genrec_eval.reporting.exchanges import Exchange
from genrec_eval.reporting.experiment import Watch, watches
from genrec_eval.reporting.groundings import Grounded
from genrec_eval.reporting.judged import is_judged
from genrec_eval.reporting.judges import Judges, judges
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.page.parts import scenario_parts
from genrec_eval.reporting.page.ruled import place_of
from genrec_eval.reporting.page.spreads import Spread, spreads
from genrec_eval.reporting.protocol import Leak, leaks, protocol
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import Table, group_tables, groups_of, interval_name, matrix
from genrec_eval.reporting.text import listing
from genrec_eval.reporting.texts import Texts, texts

_FOLDED = 8
"""Groups with more values than this start folded."""


@dataclass(frozen=True, slots=True)
class Section:
    """All there is on one scenario."""

    name: str
    anchor: str
    intervals: str
    matrix: list[Table]
    validity: list[Table]
    calm: list[Table]
    """Of the checks of the lists that found nothing."""
    calm_names: str
    differences: list[Table]
    check_differences: list[Table]
    groups: list[tuple[str, list[Table], list[Table], bool]]
    judges: Judges | None
    texts: Texts | None
    spreads: list[Spread]
    undistributed: list[str]
    grounded: list[Grounded]
    exchanges: list[Exchange]
    protocol: list[tuple[str, str]]
    leaks: list[Leak]
    curves: list[Curve]
    watches: list[Watch]
    parts: Mapping[str, Any]
    """Of :data:`~genrec_eval.reporting.page.parts.SCENARIO_PARTS`."""


def section(
    material: Material,
    scenario: str,
    number: int,
    spread: Mapping[tuple[str, str, str], Distribution],
    grounded: list[Grounded],
    quoted: list[Exchange],
) -> Section:
    """Gather what there is on one scenario.

    Parameters
    ----------
    number
        Its place on the page, from 1.
    spread, grounded, quoted
        Distributions, groundings and exchanges of the whole run.
    """
    results, run, directory = material.results, material.run, material.directory
    order = list(material.order)
    judged = [m for m in results.metrics(scenario) if is_judged(results.definition(m))]
    metrics = [m for m in results.metrics(scenario) if m not in judged]
    calm = uneventful(results, scenario)
    written = texts(results, run, directory, scenario, material.flaws)
    drawn, undistributed = spreads(results, scenario, order, spread)
    plain = [m for m in metrics if not is_validity(m)]
    ruled = [m for m in plain if is_ruled(results, scenario, m)]
    groups = []
    for group in groups_of(results, scenario):
        tables = group_tables(results, scenario, group, [*plain, *judged], order)
        lists = group_tables(results, scenario, group, [m for m in metrics if is_validity(m)], order)
        longest = max((table.height for table in [*tables, *lists]), default=0)
        groups.append((group, tables, lists, longest > _FOLDED * len(order)))
    return Section(
        name=scenario,
        anchor=f"s{number}",
        intervals=_intervals(results, scenario),
        matrix=[
            *matrix(results, scenario, ruled, order),
            *matrix(results, scenario, [m for m in plain if m not in ruled], order),
        ],
        validity=matrix(results, scenario, [m for m in metrics if is_validity(m) and m not in calm], order),
        calm=matrix(results, scenario, calm, order),
        calm_names=listing([results.title(m) for m in calm]),
        differences=difference_tables(results, scenario, [*plain, *judged], order),
        check_differences=difference_tables(results, scenario, [m for m in metrics if is_validity(m)], order),
        groups=groups,
        judges=judges(results, run, directory, scenario, order),
        texts=written,
        spreads=drawn,
        undistributed=undistributed,
        grounded=sorted(
            (row for row in grounded if row.scenario == scenario), key=lambda row: place_of(row.model, order)
        ),
        exchanges=sorted(
            (
                exchange
                for exchange in quoted
                # texts that went well stand beside their evidence
                if exchange.scenario == scenario and not (exchange.status == "ok" and written)
            ),
            key=lambda exchange: (exchange.status == "ok", place_of(exchange.model, order)),
        ),
        protocol=protocol(run, scenario),
        leaks=leaks(run, scenario),
        curves=curves(results, scenario, order),
        watches=watches(run, scenario),
        parts=scenario_parts(material, scenario),
    )


def _intervals(results: Results, scenario: str) -> str:
    rows = [row for row in results.estimates if row.scenario == scenario and row.interval]
    levels = list(dict.fromkeys(interval_name(row) + "s" for row in rows))
    methods = list(dict.fromkeys(str(row.interval).partition(", ")[0] for row in rows))
    return f"{listing(levels)} ({listing(methods)})" if rows else "intervals"
