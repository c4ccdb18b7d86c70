"""Run directories made by hand, small enough to know which instances must be shown."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.audit.score import _INDEX
from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict
from genrec_eval.protocol.tables import RECORDS, SCORES

Answer = Mapping[str, Any]
"""Fields of a record beside model, scenario, case and unit."""


def write(
    folder: Path,
    answers: Mapping[str, Mapping[str, Sequence[Answer]]],
    scores: Mapping[str, Mapping[str, float | str | None]],
    *,
    direction: str = "higher",
    unit: str = "",
    groups: Mapping[str, Sequence[str]] | None = None,
    truth: Sequence[Sequence[int]] | None = None,
    titles: Sequence[str] | None = None,
    run: str = "made-by-hand",
    seed: int = 7,
    baseline: str | None = None,
    margin: float | None = None,
) -> Path:
    """Write a run of one scenario ``s`` and one metric ``m``.

    Parameters
    ----------
    answers
        Model → case → its records; a case is its own unit.
    scores
        Model → unit → score, or why there is none.
    """
    folder.mkdir(parents=True, exist_ok=True)
    cases = list(dict.fromkeys(case for of in answers.values() for case in of))
    play = [{"model": model, "scenario": "s"} for model in answers]
    document = {
        "format": 1,
        "run": run,
        "seed": seed,
        "state": "played",
        "suite": {"name": "hand", "scenarios": {}, **({"baseline": baseline} if baseline else {})},
        "play": play,
    }
    (folder / "run.json").write_text(json.dumps(document), "utf-8")
    (folder / "estimates.json").write_text(json.dumps(_estimates(answers, direction, unit, margin)), "utf-8")
    _write_cases(folder / "cases", cases, groups or {}, truth, titles)
    _write_records(folder / "records", answers)
    _write_scores(folder / "scores.parquet", answers, scores, cases)
    return folder


def ranked(*items: str, **more: Any) -> list[Answer]:
    """One answer with a list."""
    return [{"status": "ok", "items": list(items), **more}]


def failed(status: str, error: str = "it broke") -> list[Answer]:
    """One answer that is none."""
    return [{"status": status, "error": error}]


def many(n: int, model: str = "a") -> tuple[dict[str, Any], dict[str, Any]]:
    """Answers and scores of ``n`` cases, the score growing with the number of the case."""
    answers = {model: {f"u{i:04d}": ranked(f"i{i % 7}") for i in range(n)}}
    return answers, {model: {f"u{i:04d}": i / n for i in range(n)}}


def _estimates(answers: Mapping[str, Any], direction: str, unit: str, margin: float | None) -> dict[str, Any]:
    rows = [
        Estimate(
            model=model, scenario="s", metric="m", definition="m", value=0.5, low=0.4, high=0.6,
            interval="t", n=10, attempted=10, answered=10, scored=10, direction=direction,  # type: ignore[arg-type]
        ).to_json()
        for model in answers
    ]  # fmt: skip
    verdicts = []
    if margin is not None:
        verdicts = [
            Verdict(
                claim="c", model=model, scenario="s", metric="m", verdict=Ruling.FAIL, gate=True, reason="",
                margin=margin, rule="at_least", direction="higher",
            ).to_json()
            for model in answers
        ]  # fmt: skip
    coverage = [Coverage(model=model, scenario="s", state="run").to_json() for model in answers]
    definitions = {
        "m": {"title": "Merit", "direction": direction, "unit": unit, "bounds": [0.0, 1.0], "name": "m"}
    }
    return {
        "schema": 1,
        "run": "made-by-hand",
        "estimates": rows,
        "verdicts": verdicts,
        "coverage": coverage,
        "definitions": definitions,
    }


def _write_cases(
    folder: Path,
    cases: Sequence[str],
    groups: Mapping[str, Sequence[str]],
    truth: Sequence[Sequence[int]] | None,
    titles: Sequence[str] | None,
) -> None:
    folder.mkdir(exist_ok=True)
    columns: dict[str, Any] = {
        "case": pa.array(cases, pa.string()),
        "unit": pa.array(cases, pa.string()),
        "arm": pa.array(["neutral"] * len(cases)),
        **{f"group.{name}": pa.array(values, pa.string()) for name, values in groups.items()},
    }
    if truth is not None:
        columns["truth"] = pa.array(truth, pa.list_(pa.int32()))
        columns["history"] = pa.array([[0, 1]] * len(cases), pa.list_(pa.int32()))
        names = titles or [f"Title {i}" for i in range(10)]
        items = pa.table({"item": [f"i{i}" for i in range(len(names))], "title": list(names)})
        pq.write_table(items, folder / "s@items.parquet")
    pq.write_table(pa.table(columns), folder / "s.parquet")


def _write_records(folder: Path, answers: Mapping[str, Mapping[str, Sequence[Answer]]]) -> None:
    folder.mkdir(exist_ok=True)
    for model, of in answers.items():
        rows = [
            {
                "model": model, "scenario": "s", "case": case, "unit": case, "arm": "neutral", "repeat": 0,
                "step": 0, "attempts": 1, "cached": False, **record,
            }
            for case, records in of.items()
            for record in records
        ]  # fmt: skip
        if rows:
            pq.write_table(pa.Table.from_pylist(rows, schema=RECORDS), folder / f"s@{model}.00000.parquet")


def _write_scores(
    path: Path,
    answers: Mapping[str, Any],
    scores: Mapping[str, Mapping[str, float | str | None]],
    cases: Sequence[str],
) -> None:
    index = []
    with pq.ParquetWriter(path, SCORES) as writer:
        for model in answers:
            if model not in scores:
                continue
            found = [scores[model].get(case, "no score") for case in cases]
            columns = {
                "model": [model] * len(cases),
                "scenario": ["s"] * len(cases),
                "metric": ["m"] * len(cases),
                "unit": list(cases),
                "value": [one if isinstance(one, float | int) else None for one in found],
                "reason": [one if isinstance(one, str) else None for one in found],
                "weight": [None] * len(cases),
                "sums": [None] * len(cases),
            }
            arrays = [pa.array(columns[f.name]).cast(f.type) for f in SCORES]
            writer.write_table(pa.Table.from_arrays(arrays, schema=SCORES), row_group_size=max(1, len(cases)))
            index.append((model, "s", "m"))
        writer.add_key_value_metadata({_INDEX: json.dumps(index)})
