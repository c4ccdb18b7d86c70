"""Folders of runs made by hand: run.json and estimates.json as they are written, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genrec_eval.protocol.results import Coverage, Estimate, Ruling, Verdict


def write_run(
    folder: Path,
    day: int = 1,
    values: Mapping[str, float] | None = None,
    *,
    suite: str = "nightly",
    half: float = 0.01,
    data: str = "d1",
    options: Mapping[str, Any] | None = None,
    judge: str = "j1",
    definition: str = "ndcg(gain=binary)@10",
    verdicts: Sequence[tuple[Ruling, Ruling]] = ((Ruling.PASS, Ruling.PASS),),
    **more: Any,
) -> Path:
    """A run of the ``day`` of May whose models have ``values`` in NDCG."""
    values = {"a": 0.2, "b": 0.1} if values is None else values
    folder.mkdir(parents=True)
    run = {
        "format": 1,
        "run": f"{day:016x}",
        "name": suite,
        "state": "played",
        "created": f"2026-05-{day:02d}T03:00:00+00:00",
        "finished": f"2026-05-{day:02d}T03:01:00+00:00",
        "models": {model: {} for model in values},
        "data": {"world": {"digest": data}},
        "judges": {"rules": {"identity": judge, "dialect": {"digest": "x"}, "policy": "p"}},
        "suite": {
            "name": suite,
            "scenarios": {"top-k": {"scenario": "top-k", "data": "world", "options": dict(options or {})}},
        },
        **more,
    }
    estimates = [
        Estimate(
            model=model, scenario="top-k", metric="ndcg@10", definition=definition, value=value,
            low=value - half, high=value + half, interval="t", n=100, attempted=100, answered=100, scored=100,
            direction="higher",
        ).to_json()
        for model, value in values.items()
    ]  # fmt: skip
    claims = [
        Verdict(
            claim="c", model="a", scenario="top-k", metric="ndcg@10", verdict=verdict, expected=expected,
            gate=True, reason="", margin=0.1, rule="at_least", direction="higher",
        ).to_json()
        for verdict, expected in verdicts
    ]  # fmt: skip
    coverage = [
        Coverage(model=model, scenario="top-k", state="run", attempted=100, answered=100).to_json()
        for model in values
    ]
    held = {
        "schema": "genrec-eval/estimates/1",
        "run": run["run"],
        "estimates": estimates,
        "verdicts": claims,
        "coverage": coverage,
        "definitions": {"ndcg@10": {"title": "NDCG", "unit": "", "direction": "higher", "parameters": {}}},
    }
    (folder / "run.json").write_text(json.dumps(run))
    (folder / "estimates.json").write_text(json.dumps(held))
    return folder
