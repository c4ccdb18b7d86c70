"""What playing came to: coverage by status, and what it consumed."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

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
    attempted = 0
    failures = Failures()
    unanswered: set[int] = set()
    for batch in directory.records(model, scenario, ["status", "step", "error"]):
        first = batch.column("step").to_numpy() == 0
        status = batch.column("status")
        words, codes = status.dictionary.to_pylist(), status.indices.to_numpy()
        counts = np.bincount(codes, minlength=len(words))
        statuses.update({word: int(n) for word, n in zip(words, counts, strict=True) if n})
        good = np.array([word not in UNANSWERED for word in words])
        # the records of a case stand together, so counting first steps numbers the cases
        unanswered.update(np.unique((attempted + np.cumsum(first))[~good[codes]]).tolist())
        attempted += int(first.sum())
        failures.add(status, batch.column("error"))
    answered = attempted - len(unanswered)
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
    totals = dict.fromkeys(("calls", "cached", "attempts", "input_tokens", "output_tokens"), 0)
    cost: float | None = None
    seen: set[bytes] = set()
    spans: list[np.ndarray] = [np.empty((2, 0))]
    single: list[np.ndarray] = []
    for batch in directory.records(model, scenario, columns):
        if batch.column("sent").null_count == len(batch):
            continue  # a log was read, nothing was asked
        if batch.column("key").null_count == len(batch):  # columnar: times belong to the chunk
            totals["calls"] += len(batch)
            totals["attempts"] += len(batch)
            spans.append(np.unique(_times(batch), axis=1))
            continue
        totals["cached"] += int(pc.sum(batch.column("cached")).as_py() or 0)
        new = np.zeros(len(batch), bool)
        for row, key in enumerate(batch.column("key").to_pylist()):
            half = bytes.fromhex(key[:32])
            new[row] = half not in seen
            seen.add(half)
        counted = batch.filter(pa.array(new))
        totals["calls"] += len(counted)
        for name in ("attempts", "input_tokens", "output_tokens"):
            totals[name] += int(pc.sum(counted.column(name)).as_py() or 0)
        paid = pc.sum(counted.column("cost")).as_py()
        cost = cost if paid is None else (cost or 0.0) + paid
        single.append(_times(counted))
    latency = None
    if single:
        sent, end = np.concatenate(single, axis=1)
        shares = np.percentile(end - sent, [50, 95, 99]).tolist() if len(sent) else [None] * 3
        latency = dict(zip(("p50", "p95", "p99"), shares, strict=True))
    seconds = _busy(np.concatenate([*spans, *single], axis=1))
    return {
        "model": model,
        "scenario": scenario,
        **totals,
        "cost": cost,
        "seconds": seconds,
        "latency": latency,
    }


def _times(batch: pa.RecordBatch) -> np.ndarray:
    """float[2, n]: when each exchange was sent and when it ended."""
    return np.stack([batch.column(name).to_numpy(zero_copy_only=False) for name in ("sent", "end")])


def _busy(spans: np.ndarray) -> float:
    """Seconds in which at least one exchange was under way; pauses between sessions do not count.

    >>> _busy(np.array([[0.0, 1.0, 10.0], [2.0, 3.0, 11.0]]))
    4.0
    """
    if not spans.shape[1]:
        return 0.0
    starts, ends = spans[:, np.argsort(spans[0])]
    until = np.maximum.accumulate(ends)
    before = np.concatenate([[-np.inf], until[:-1]])
    return float(np.maximum(0.0, ends - np.maximum(starts, before)).sum())
