"""Texts that stand in the page, beside what their claims were checked against."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.results import mapping

if TYPE_CHECKING:
    import pyarrow as pa

    from genrec_eval.scenarios.evidence import Evidence

Turn = tuple[str, str, int, int]
"""Model, case, repeat and step."""


def proofs(
    directory: Path, run: Mapping[str, Any], scenario: str, picked: Mapping[str, Collection[str]]
) -> dict[Turn, Evidence]:
    """Evidence of the texts of a scenario that writes; nothing for other scenarios.

    Parameters
    ----------
    picked
        Model → cases.
    """
    if scenario not in mapping(mapping(run.get("suite")).get("scenarios")):
        return {}
    import pyarrow as pa
    import pyarrow.compute as pc

    from genrec_eval.audit.run_tables import scenario_of
    from genrec_eval.engine.rundir import RunDirectory

    found: dict[Turn, Evidence] = {}
    try:
        tables = RunDirectory.open(directory)
        kind = scenario_of(tables, scenario)
        if not kind.writes:
            return {}
        cases, context = tables.cases(scenario), tables.context(scenario)
        for model, wanted in picked.items():
            ids = pa.array(sorted(wanted), pa.string())
            some = cases.filter(pc.is_in(cases.column("case").cast(pa.string()), value_set=ids))
            for one in kind.evidence(some, context, _of(tables.records(model, scenario, kind.reads), ids)):
                found[model, one.case, one.repeat, one.step] = one
    except (UsageError, KeyError, TypeError, ValueError):
        return {}  # what is wrong is said where the texts of the scenario stand
    return found


def _of(records: Any, ids: pa.Array) -> Iterator[pa.RecordBatch]:
    import pyarrow as pa
    import pyarrow.compute as pc

    for batch in records:
        kept = batch.filter(pc.is_in(batch.column("case").cast(pa.string()), value_set=ids))
        if kept.num_rows:
            yield kept
