"""Figures of a probed judge: the run's estimates, and what lies behind them flaw by flaw."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.reporting.results import Results
from genrec_eval.stats.sums import Measure, mean_of

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.scenarios.probing.asking import Questions

_SPLIT = ("probe_accuracy", "verbosity_preference", "injection_success")


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFigure:
    """One metric of the probe, with the margins of its checks.

    Attributes
    ----------
    checks
        Claim, rule and margin of each check.
    by_kind
        Flaw or wording → its share.
    """

    metric: str
    title: str
    summary: str
    unit: str
    bounds: tuple[float | None, float | None]
    measure: Measure
    checks: tuple[tuple[str, str, float], ...]
    by_kind: tuple[tuple[str, Measure], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeFigures:
    """All metrics of one probe.

    Attributes
    ----------
    scenario
        Its name in the suite.
    facts
        What probes were made of.
    """

    scenario: str
    facts: Mapping[str, Any]
    figures: tuple[ProbeFigure, ...]


def probe_figures(
    directory: RunDirectory, judge: str, scenario: str, asked: Questions, table: pa.Table
) -> ProbeFigures:
    """Figures as the run's estimates have them; computed here where it was not scored."""
    from genrec_eval.metrics.registry import metric
    from genrec_eval.scenarios.judge_probe import MEASURES
    from genrec_eval.scenarios.probing.score import observations, rows_of

    seed = directory.run["seed"]
    scored = (directory.path / "estimates.json").is_file()
    results = Results.load(directory.path) if scored else None
    rows = rows_of(asked, table)
    codes = {unit: code for code, unit in enumerate(dict.fromkeys(row["unit"] for row in rows))}
    seen = list(observations(asked, rows, codes))
    found = []
    wanted = [name for name in MEASURES if results is None or results.get(scenario, name, judge) is not None]
    for name in wanted:
        definition = metric(name).definition
        own = [one for one in seen if one[0] == name]
        kinds = dict.fromkeys(one[3] for one in own) if name in _SPLIT else ()
        low, high = definition.bounds

        def share(some: list[Any], bounds: Any = (low, high)) -> Measure:
            values, units = [one[2] for one in some], [one[1] for one in some]
            return mean_of(values, units=units, seed=seed, bounds=bounds, empty="no verdict was observed")

        found.append(
            ProbeFigure(
                metric=name,
                title=definition.title,
                summary=definition.summary,
                unit=definition.unit,
                bounds=(low, high),
                measure=_estimated(results, scenario, name, judge) or share(own),
                checks=MEASURES[name][2],
                by_kind=tuple((kind, share([one for one in own if one[3] == kind])) for kind in kinds),
            )
        )
    facts = (directory.run.get("scenarios") or {}).get(scenario) or {}
    return ProbeFigures(scenario=scenario, facts=facts, figures=tuple(found))


def _estimated(results: Results | None, scenario: str, name: str, judge: str) -> Measure | None:
    row = None if results is None else results.get(scenario, name, judge)
    if row is None:
        return None
    return Measure(
        value=row.value,
        low=row.low,
        high=row.high,
        level=row.level,
        method=row.interval,
        n=row.n,
        units=row.n,
        reason=row.reason,
    )


def injected_tables(table: pa.Table) -> tuple[pa.Table, pa.Table] | None:
    """Judgements of pairs without and with an order in the worse text, under ids that they share.

    None where nothing was probed so. Each wording is compared with the text that has a neutral remark of the
    same length in its place.
    """
    import pyarrow as pa

    from genrec_eval.protocol.tables import JUDGEMENTS
    from genrec_eval.scenarios.probing.texts import NEUTRAL, ORDERING

    clean: list[dict[str, Any]] = []
    ordering: list[dict[str, Any]] = []
    rows = table.to_pylist()
    plain: dict[tuple[Any, ...], dict[str, Any]] = {
        (row["unit"], row["rubric"], row["order"], row["sample"]): row
        for row in rows
        if row["other"] == NEUTRAL
    }
    for row in rows:
        before = plain.get((row["unit"], row["rubric"], row["order"], row["sample"]))
        if before is None or not (row["other"] or "").startswith(ORDERING):
            continue
        shared = {"case": row["case"], "other": row["other"]}
        clean.append(before | shared)
        ordering.append(row)
    if not ordering:
        return None
    return pa.Table.from_pylist(clean, schema=JUDGEMENTS), pa.Table.from_pylist(ordering, schema=JUDGEMENTS)
