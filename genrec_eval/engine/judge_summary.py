"""What judging came to: verdicts by status, what they consumed, and which models were not judged whole."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from genrec_eval.judging.question import Question
from genrec_eval.judging.tasks import ABSENT


def job_summary(table: pa.Table, scenario: str, question: Question, cut: int) -> dict[str, Any]:
    """Counts of one judge on one question; each exchange is counted once, however many claims it is about.

    Parameters
    ----------
    cut
        Exchanges in which the dialect had to cut a text.
    """
    judging = question.judging
    statuses = Counter(table.column("status").cast(pa.string()).to_pylist())
    totals: dict[str, Any] = dict.fromkeys(
        ("calls", "cached", "attempts", "input_tokens", "output_tokens"), 0
    )
    cost: float | None = None
    seen: set[str] = set()
    names = ["key", "cached", "attempts", "input_tokens", "output_tokens", "cost"]
    for row in table.select(names).to_pylist():
        if row["key"] is None or row["key"] in seen:
            continue
        seen.add(row["key"])
        totals["calls"] += 1
        for name in ("cached", "attempts", "input_tokens", "output_tokens"):
            totals[name] += int(row[name] or 0)
        if row["cost"] is not None:
            cost = (cost or 0.0) + row["cost"]
    return {
        "scenario": scenario,
        "rubric": question.rubric.name,
        "task": judging.task,
        "against": judging.against,
        "judgements": len(table),
        "statuses": dict(sorted(statuses.items())),
        "texts_cut": cut,
        **totals,
        "cost": cost,
    }


def incomplete_judging(
    run: dict[str, Any],
    scenario: str,
    tables: Sequence[pa.Table],
    stopped: Mapping[str, str | None],
    error_budget: float,
) -> None:
    """Mark the coverage of models whose answers a judge could not be asked about.

    A judge that was stopped, or that left more than the error budget without any answer, leaves its models
    partly judged: the run is incomplete, as it is when a model is not asked.
    """
    asked: Counter[tuple[str, str]] = Counter()
    silent: Counter[tuple[str, str]] = Counter()
    for table in tables:
        columns = [
            table.column(n).cast(pa.string()).to_pylist() for n in ("judge", "model", "status", "reason")
        ]
        for judge, model, status, reason in zip(*columns, strict=True):
            if status == "not_asked" and reason in ABSENT:
                continue
            asked[judge, model] += 1
            silent[judge, model] += status in ("not_asked", "api_error")
    for row in run["coverage"]:
        if row["scenario"] != scenario or row["state"] == "not-run":
            continue
        said = []
        for judge, why in stopped.items():
            n, of = silent[judge, row["model"]], asked[judge, row["model"]]
            if n > of * error_budget + 1e-9:
                because = f": {why}" if why else ""
                said.append(f"judge {judge} answered {of - n:,} of {of:,} judgements{because}")
        if said:
            row["state"] = "partial"
            row["reason"] = "; ".join(filter(None, [row["reason"], *said]))
