"""Estimates made by hand, and what is drawn of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from genrec_eval.protocol.results import Estimate, Ruling, Verdict
from genrec_eval.reporting.charts.chart import Scene
from genrec_eval.reporting.charts.choose import main_metrics
from genrec_eval.reporting.results import Results

NOWHERE = Path("nowhere")


def estimate(
    metric: str,
    model: str,
    value: float | None,
    half: float | None = 0.05,
    baseline: str | None = None,
    **more: Any,
) -> Estimate:
    known = value is not None and half is not None
    facts = {"direction": "higher", "p_adjusted": None, **more}
    return Estimate(
        model=model, scenario="s", metric=metric, definition=metric, baseline=baseline, value=value,
        low=value - half if known else None, high=value + half if known else None,
        interval="t" if known else None, reason=None if known else "no unit is scored",
        n=9, attempted=9, answered=9, scored=9, **facts,
    )  # fmt: skip


def ranked(metric: str, values: Mapping[str, float], half: float = 0.05, **more: Any) -> list[Estimate]:
    """Every model's figure and all paired differences, clear where values differ by more than ``half``."""
    rows = [estimate(metric, model, value, half, **more) for model, value in values.items()]
    models = list(values)
    for i, first in enumerate(models):
        for second in models[i + 1 :]:
            apart = values[second] - values[first]
            p = 0.001 if abs(apart) > half else 0.5
            rows.append(estimate(metric, second, apart, half, first, **{**more, "p_adjusted": p}))
    return rows


def results(
    rows: Sequence[Estimate], units: Mapping[str, str] | None = None, verdicts: Sequence[Verdict] = ()
) -> Results:
    return Results.read(
        {
            "run": "r",
            "estimates": [row.to_json() for row in rows],
            "verdicts": [row.to_json() for row in verdicts],
            "definitions": {metric: {"unit": unit} for metric, unit in (units or {}).items()},
        }
    )


def claim(metric: str, model: str = "a", **more: Any) -> Verdict:
    facts = {"verdict": Ruling.PASS, "gate": True, "margin": 0.1, "rule": "at_least", **more}
    return Verdict(
        claim="c", model=model, scenario="s", metric=metric, reason="", direction="higher", **facts
    )


def scene(read: Results, directory: Path = NOWHERE, run: Mapping[str, Any] | None = None) -> Scene:
    return Scene(read, run or {}, directory, "s", read.models(), main_metrics(read, "s"))
