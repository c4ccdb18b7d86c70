"""Scored run directories made from numbers: any units, any scores, no model."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.audit import score
from genrec_eval.audit.results import Results, write_estimates
from genrec_eval.audit.sources.run import RunSource
from genrec_eval.engine.records import part_name, write_part
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.results import Coverage
from genrec_eval.protocol.tables import RECORDS, SCORES


def scores(values: Sequence[float], **further: Any) -> UnitScores:
    """Scores of units, NaN where there is none."""
    array = np.asarray(values, np.float64)
    lost = np.isnan(array)
    reasons = {"lost": lost} if lost.any() else {}
    return UnitScores(values=np.where(lost, 0.0, array), reasons=reasons, **further)


def made(
    path: Path,
    found: Mapping[str, Mapping[str, UnitScores]],
    *,
    units: Sequence[str] | None = None,
    truth: Sequence[Sequence[int]] | None = None,
    history: Sequence[int] = (0,),
    items: Sequence[str] = ("a", "b", "c", "d"),
    groups: Sequence[str] | None = None,
    statuses: Mapping[str, Sequence[str]] | None = None,
    metrics: Sequence[str] | None = None,
    change: Mapping[str, Any] | None = None,
    scenario: str = "top-k",
) -> Path:
    """Write a run of one ranking scenario: ``found`` is model → metric → scores in the order of ``units``."""
    first = next(iter(next(iter(found.values())).values()))
    n = len(first)
    units = [f"u{i:04d}" for i in range(n)] if units is None else list(units)
    truth = [[i % len(items)] for i in range(n)] if truth is None else truth
    codes = pa.array(truth, pa.list_(pa.int32()))
    cases: dict[str, Any] = {
        "case": pa.array(units, pa.string()),
        "unit": pa.array(units, pa.string()),
        "arm": pa.array(["neutral"] * n).dictionary_encode(),
    }
    if groups is not None:
        cases["group.kind"] = pa.array(groups, pa.string())
    cases |= {"truth": codes, "history": pa.array([list(history)] * n, pa.list_(pa.int32()))}
    named = list(dict.fromkeys(name for by_metric in found.values() for name in by_metric))
    directory = RunDirectory.create(path)
    counts = {model: list((statuses or {}).get(model, ["ok"] * n)) for model in found}
    directory.run |= {
        "run": path.name,
        "state": "played",
        "created": "2026-01-01T00:00:00+00:00",
        "seed": 7,
        "folder": str(path.parent),
        "suite": {
            "name": "made",
            "level": 0.95,
            "engine": {"error_budget": 0.05},
            "models": {model: {} for model in found},
            "scenarios": {
                scenario: {
                    "scenario": "top-k",
                    "data": "world",
                    "options": {"k": 10, "metrics": list(metrics or named)},
                }
            },
        },
        "data": {"world": {"digest": "d" * 64}},
        "models": {model: {scenario: {"identity": {"model": model}, "repeats": 1}} for model in found},
        "versions": {"genrec-eval": "0.1.0"},
        "play": [{"model": model, "scenario": scenario} for model in found],
        "coverage": [
            Coverage(
                model=model,
                scenario=scenario,
                state="run",
                attempted=n,
                answered=sum(status == "ok" for status in said),
            ).to_json()
            for model, said in counts.items()
        ],
    }
    for key, value in (change or {}).items():
        place, *rest = key.split(".")
        held = directory.run
        for word in rest:
            held, place = held.setdefault(place, {}), word
        held[place] = value
    directory.save()
    table = pa.table({"item": pa.array(list(items)), "train_count": pa.array([1] * len(items), pa.int64())})
    directory.store_cases(scenario, pa.table(cases), {"items": table})
    directory.records_folder.mkdir(exist_ok=True)
    for model, said in counts.items():
        given = {
            "model": [model] * n,
            "scenario": [scenario] * n,
            "case": units,
            "unit": units,
            "repeat": [0] * n,
            "step": [0] * n,
            "status": said,
            "items": [[f"{model}-{path.name}", str(i)] for i in range(n)],
        }
        columns = [_column(field, given.get(field.name, [None] * n)) for field in RECORDS]
        write_part(
            directory.records_folder / part_name(model, scenario, 0),
            pa.Table.from_arrays(columns, schema=RECORDS),
        )
    write_scores(directory, scenario, units, found, counts)
    write_estimates(path / "estimates.json", Results(run=path.name, estimates=[]))
    return path


def _column(field: pa.Field, values: list[Any]) -> pa.Array:
    plain = pa.string() if pa.types.is_dictionary(field.type) else field.type
    return pa.array(values, plain).cast(field.type)


def write_scores(
    directory: RunDirectory,
    scenario: str,
    units: Sequence[str],
    found: Mapping[str, Mapping[str, UnitScores]],
    statuses: Mapping[str, Sequence[str]],
) -> None:
    """What ``score_run`` writes, of given numbers."""
    index = []
    with pq.ParquetWriter(directory.path / "scores.parquet", SCORES) as writer:
        for model, by_metric in found.items():
            answered = scores([float(status == "ok") for status in statuses[model]])
            for metric, one in {score.ANSWERED: answered, **by_metric}.items():
                table = score._table(model, scenario, metric, pa.array(list(units)), one)
                writer.write_table(table, row_group_size=max(1, len(table)))
                index.append((model, scenario, metric))
        writer.add_key_value_metadata({score._INDEX: json.dumps(index)})


def source(path: Path) -> RunSource:
    """The run as comparisons read it."""
    return RunSource.open(path)
