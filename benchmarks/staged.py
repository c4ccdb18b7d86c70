"""Rounds of scoring, estimating and testing, timed by stage: what benchmarks of metrics share."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from genrec_eval.metrics.base import Metric, UnitScores


def timed_rounds(
    what: str,
    rounds: int,
    metrics: Sequence[Metric],
    score: Callable[[], Mapping[str, UnitScores]],
    tests: int,
) -> None:
    """Print seconds by stage and the greatest resident memory.

    Parameters
    ----------
    score
        Metric id → scores, with nothing kept from the round before.
    tests
        How many of the metrics must have given a p.
    """
    from genrec_eval.stats.intervals import intervals

    print(f"{what}, load {os.getloadavg()[0]:.1f}")
    print(
        "| round | score | intervals | tests | all | CPU s | peak GiB |\n|---:|---:|---:|---:|---:|---:|---:|"
    )
    for turn in range(rounds):
        times, cpu = [time.perf_counter()], time.process_time()
        scores = score()
        times.append(time.perf_counter())
        found = intervals([one.sample(scores[one.id]) for one in metrics], seed=1)
        times.append(time.perf_counter())
        tested = 0
        for one in metrics:
            rows = scores[one.id].sums
            if one.definition.test is not None and rows is not None:
                p = one.definition.test(rows[scores[one.id].scored], one.parameters, 1)
                tested += p is not None
        times.append(time.perf_counter())
        assert all(one.low is not None for one in found)
        assert tested == tests
        spent = [f"{later - earlier:.2f}" for earlier, later in pairwise(times)]
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        whole, used = times[-1] - times[0], time.process_time() - cpu
        print(f"| {turn + 1} | {' | '.join(spent)} | {whole:.2f} | {used:.2f} | {peak:.2f} |")
