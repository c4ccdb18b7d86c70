"""What playing came to: coverage by status, and what it consumed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from genrec_eval.engine.failures import Failures
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.protocol.results import Coverage
from genrec_eval.protocol.status import MALFORMED, UNANSWERED, Status


def cover(
    directory: RunDirectory,
    model: str,
    scenario: str,
    planned: int,
    stopped: str | None,
    error_budget: float = 0.0,
) -> Coverage:
    """Count the records of one model in one scenario by status, and say what went wrong most often.

    Parameters
    ----------
    planned
        Cases times repeats.
    stopped
        Why the play ended early, or None.
    error_budget
        Share of the cases that may stay without a usable answer.
    """
    statuses: Counter[str] = Counter()
    attempted = answered = 0
    failures = Failures()
    for batch in directory.records(model, scenario, ["status", "step", "error"]):
        first = batch.column("step").to_numpy() == 0
        status = batch.column("status")
        words, codes = status.dictionary.to_pylist(), status.indices.to_numpy()
        counts = np.bincount(codes, minlength=len(words))
        statuses.update({word: int(n) for word, n in zip(words, counts, strict=True) if n})
        good = np.array([word not in UNANSWERED for word in words])
        attempted += int(first.sum())
        answered += int((first & good[codes]).sum())
        failures.add(status, batch.column("error"))
    exchanges = statuses.total()
    if attempted < planned:  # tells a play that broke off from a pairing the suite leaves out
        statuses[str(Status.NOT_ATTEMPTED)] += planned - attempted
    if not attempted:
        reason = stopped or "no case was answered"
        return Coverage(
            model=model, scenario=scenario, state="not-run", reason=reason, statuses=dict(statuses)
        )
    whole = attempted >= planned
    broken_off = None if whole else f"{attempted:,} of {planned:,} cases played: {stopped}"
    failed = failures.sentence(exchanges, "cases" if exchanges == attempted else "exchanges")
    usable = answered - sum(statuses[status] for status in MALFORMED)
    over = whole and usable < planned * (1 - error_budget) - 1e-9
    budget = f"error budget of {error_budget:.3g} exceeded (engine.error_budget)" if over else None
    return Coverage(
        model=model,
        scenario=scenario,
        state="run" if whole else "partial",
        reason="; ".join(filter(None, (broken_off, budget, failed))) or None,
        attempted=attempted,
        answered=answered,
        statuses=dict(sorted(statuses.items())),
    )


def usage(directory: RunDirectory, model: str, scenario: str) -> dict[str, Any]:
    """Calls, tokens, money and latency of one model in one scenario, each exchange counted once."""
    columns = ["key", "attempts", "cached", "sent", "end", "input_tokens", "output_tokens", "cost"]
    seen: set[str] = set()
    totals: dict[str, Any] = dict.fromkeys(
        ("calls", "cached", "attempts", "input_tokens", "output_tokens"), 0
    )
    cost: float | None = None
    latencies: list[float] = []
    chunks: set[tuple[float, float]] = set()
    for batch in directory.records(model, scenario, columns):
        if batch.column("key").null_count == len(batch):  # columnar: times belong to the chunk
            totals["calls"] += len(batch)
            totals["attempts"] += len(batch)
            sent, end = (batch.column(name).to_numpy() for name in ("sent", "end"))
            chunks |= set(zip(np.unique(sent).tolist(), np.unique(end).tolist(), strict=False))
            continue
        for row in batch.to_pylist():
            totals["cached"] += row["cached"]
            if row["key"] in seen:
                continue
            seen.add(row["key"])
            totals["calls"] += 1
            totals["attempts"] += row["attempts"]
            totals["input_tokens"] += row["input_tokens"] or 0
            totals["output_tokens"] += row["output_tokens"] or 0
            if row["cost"] is not None:
                cost = (cost or 0.0) + row["cost"]
            latencies.append(row["end"] - row["sent"])
            chunks.add((row["sent"], row["end"]))
    shares = np.percentile(latencies, [50, 95, 99]).tolist() if latencies else None
    return {
        "model": model,
        "scenario": scenario,
        **totals,
        "cost": cost,
        "seconds": _busy(chunks),
        "latency": None if shares is None else dict(zip(("p50", "p95", "p99"), shares, strict=True)),
    }


def _busy(spans: set[tuple[float, float]]) -> float:
    """Seconds in which at least one exchange was under way; pauses between sessions do not count."""
    total, until = 0.0, float("-inf")
    for start, end in sorted(spans):
        total += max(0.0, end - max(start, until))
        until = max(until, end)
    return total
