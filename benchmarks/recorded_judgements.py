"""What a recorded judgement costs on its way to figures: read, put in tables, scored.

    python benchmarks/recorded_judgements.py [--judgements 30000] [--rounds 3] [--llmbar FOLDER]

The goal is 0.2 ms a judgement. Made-up texts are 600 characters of reasons before a verdict; with
``--llmbar`` the recorded ones of LLMBar are taken. Metrics are those of ``suites/reproduce/llmbar.yaml``,
without their intervals.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc

from genrec_eval.data.judgements.log import JudgementLog, Rows
from genrec_eval.suite.load import resolve


def made_up(count: int) -> JudgementLog:
    """Verdicts of four judges in both orders, most of them right, one in a hundred without a verdict."""
    rng = np.random.default_rng(20261123)
    reasons = "Both outputs follow the instruction, but one is more precise than the other in this. " * 7
    rows = Rows(skip=False)
    for number in range(count):
        item, judge = number // 8, number % 4
        order = ("given", "swapped")[number // 4 % 2]
        right = rng.random() < 0.8
        verdict = "first" if right else "second"
        shown = "a" if (verdict == "first") == (order == "given") else "b"
        said = "I cannot say." if rng.random() < 0.01 else f"Therefore, Output ({shown}) is better."
        rows.add(
            item=str(item),
            system="output 1",
            other="output 2",
            judge=f"judge {judge}",
            category=f"subset {item % 8}",
            order=order,
            verdict=verdict,
            raw=reasons + said,
            human=["first"],
        )
    return rows.finish("made up", licence=None, source=None, digest="", annotators=("gold",))


def least(work: Callable[[], Any], rounds: int) -> tuple[float, float, Any]:
    """Least wall and CPU seconds of some rounds, and what came of the last."""
    walls, cpus, found = [], [], None
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        found = work()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus), found


def main() -> None:
    """Time the reading of all texts with the tables, and the scores of all arms."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--judgements", type=int, default=30_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--llmbar", type=Path)
    arguments = parser.parse_args()
    loaded = resolve("reproduce/llmbar")
    log = made_up(arguments.judgements)
    if arguments.llmbar is not None:
        spec = loaded.suite.data["llmbar"].options
        log = spec.model_copy(update={"path": str(arguments.llmbar)}).load(Path.cwd(), 0)
    scenario = loaded.scenario("orders")
    wall, cpu, prepared = least(lambda: scenario.prepare(log), arguments.rounds)
    arms = prepared.cases.column("arm")
    served = [prepared.cases.filter(pc.equal(arms, arm)) for arm in sorted(set(arms.to_pylist()))]

    def score() -> None:
        for cases in served:
            scenario.score(prepared.cases, prepared.context, cases.select(["case"]).to_batches())

    scored = least(score, arguments.rounds)
    texts = log.table["raw"]
    print(f"{len(log):,} judgements, {len(log) - texts.null_count:,} of them with a text, {len(served)} arms")
    print("| what | wall ms a judgement | CPU ms |")
    print("|---|---:|---:|")
    for what, seconds, busy in (
        ("texts read, tables made", wall, cpu),
        (f"{len(scenario.metrics())} metrics", *scored[:2]),
        ("both", wall + scored[0], cpu + scored[1]),
    ):
        print(f"| {what} | {1000 * seconds / len(log):.3f} | {1000 * busy / len(log):.3f} |")


if __name__ == "__main__":
    main()
