"""All there is on one scenario."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.compare import is_ruled, is_validity, uneventful
from genrec_eval.reporting.distributions import Distribution
from genrec_eval.reporting.experiment import Watch, watches
from genrec_eval.reporting.groundings import Grounded
from genrec_eval.reporting.judged import is_judged
from genrec_eval.reporting.judges import Judges, judges
from genrec_eval.reporting.page.detail import Detail, detail
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.page.parts import scenario_parts
from genrec_eval.reporting.page.ruled import Ruled, place_of
from genrec_eval.reporting.protocol import Leak, leaks, protocol
from genrec_eval.reporting.results import Results
from genrec_eval.reporting.tables import Table, interval_name, matrix
from genrec_eval.reporting.text import listing
from genrec_eval.reporting.texts import Texts, texts


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
    details: list[Detail]
    cells: Mapping[str, str]
    """Metric → anchor of its detail."""
    judges: Judges | None
    texts: Texts | None
    grounded: list[Grounded]
    protocol: list[tuple[str, str]]
    leaks: list[Leak]
    watches: list[Watch]
    parts: Mapping[str, Any]
    """Of :data:`~genrec_eval.reporting.page.parts.SCENARIO_PARTS`."""


def section(
    material: Material,
    scenario: str,
    number: int,
    rows: Mapping[tuple[str, str], Sequence[Estimate]],
    told: Sequence[Ruled],
    spread: Mapping[tuple[str, str, str], Distribution],
    grounded: list[Grounded],
) -> Section:
    """Gather what there is on one scenario.

    Parameters
    ----------
    number
        Its place on the page, from 1.
    rows
        (scenario, metric) → its estimates.
    told
        All verdicts, worst first.
    spread, grounded
        Distributions and groundings of the whole run.
    """
    results, run, directory = material.results, material.run, material.directory
    order = list(material.order)
    every = results.metrics(scenario)
    metrics = [m for m in every if not is_judged(results.definition(m))]
    calm = uneventful(results, scenario)
    written = texts(results, run, directory, scenario, material.flaws)
    plain = [m for m in metrics if not is_validity(m)]
    ruled = [m for m in plain if is_ruled(results, scenario, m)]
    cells = {metric: f"s{number}m{place}" for place, metric in enumerate(every, 1)}
    claims: dict[str, list[Ruled]] = {}
    for row in told:
        if row.verdict.scenario == scenario:
            claims.setdefault(row.verdict.metric, []).append(row)
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
        details=[
            detail(results, rows[scenario, m], order, cells[m], spread, claims.get(m, ())) for m in every
        ],
        cells=cells,
        judges=judges(results, run, directory, scenario, order),
        texts=written,
        grounded=sorted(
            (row for row in grounded if row.scenario == scenario), key=lambda row: place_of(row.model, order)
        ),
        protocol=protocol(run, scenario),
        leaks=leaks(run, scenario),
        watches=watches(run, scenario),
        parts=scenario_parts(material, scenario),
    )


def _intervals(results: Results, scenario: str) -> str:
    rows = [row for row in results.estimates if row.scenario == scenario and row.interval]
    levels = list(dict.fromkeys(interval_name(row) + "s" for row in rows))
    methods = list(dict.fromkeys(str(row.interval).partition(", ")[0] for row in rows))
    return f"{listing(levels)} ({listing(methods)})" if rows else "intervals"
