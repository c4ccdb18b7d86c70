"""20 metrics for 1,000,000 users × 100 items from arrays, and beside ranx on 100,000 users.

    python benchmarks/metrics.py [--users 1000000] [--ranx-python PATH]

The floor is one reading of the same arrays (a sum), which nothing can undercut. ranx may live in another
environment (--ranx-python); without it that part is left out, and that is said. Both start from the same
arrays and end in 20 means; ranx is compiled beforehand, and its figures must be ours.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import time
from typing import Any

import numpy as np

ITEMS = 39_989  # prime, so that a walk with any stride meets no item twice
K, RELEVANT, WALK = 100, 10, 200
CHUNK = 10_000
CUTOFFS = (5, 10, 20, 50, 100)
OURS = [
    name.format(k)
    for name in ("recall@{}", "precision@{}", "ndcg@{}", "map(denominator=relevant)@{}")
    for k in CUTOFFS
]
RANX = [f"{name}@{k}" for name in ("recall", "precision", "ndcg", "map") for k in CUTOFFS]


def world(users: int) -> tuple[np.ndarray, np.ndarray]:
    """int32[users, K] of listed and int32[users, RELEVANT] of relevant items, half of these listed."""
    rng = np.random.default_rng(20261123)
    listed = np.empty((users, K), np.int32)
    relevant = np.empty((users, RELEVANT), np.int32)
    for start in range(0, users, CHUNK):
        rows = slice(start, min(start + CHUNK, users))
        n = rows.stop - start
        first, stride = rng.integers(0, ITEMS, (n, 1)), rng.integers(1, ITEMS, (n, 1))
        listed[rows] = (first + stride * np.arange(K)) % ITEMS
        step = WALK // RELEVANT
        places = np.arange(0, WALK, step) + rng.integers(0, step, (n, RELEVANT))
        relevant[rows] = (first + stride * places) % ITEMS
    return listed, relevant


def ours(listed: np.ndarray, relevant: np.ndarray) -> dict[str, Any]:
    """Score in chunks, as a run does, and take the means."""
    from genrec_eval.metrics.catalogue import Catalogue
    from genrec_eval.metrics.evaluate import score_lists
    from genrec_eval.metrics.lists import RankedLists
    from genrec_eval.metrics.registry import metric
    from genrec_eval.protocol.arrays import Ragged

    metrics = [metric(name) for name in OURS]
    catalogue = Catalogue(train_counts=np.zeros(ITEMS, np.int64))

    def chunk(start: int) -> RankedLists:
        items, truth = listed[start : start + CHUNK], relevant[start : start + CHUNK]
        n = len(items)
        return RankedLists(
            items=items,
            truth=Ragged(np.arange(n + 1) * RELEVANT, truth.ravel()),
            history=Ragged(np.zeros(n + 1, np.int64), np.empty(0, np.int32)),
            answered=np.ones(n, bool),
            catalogue=catalogue,
        )

    began, cpu = time.perf_counter(), time.process_time()
    scores = score_lists(metrics, (chunk(start) for start in range(0, len(listed), CHUNK)))
    means = [float(scores[one.id].values.mean()) for one in metrics]
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "means": means}


def ranx(listed: np.ndarray, relevant: np.ndarray) -> dict[str, Any]:
    """The same by ranx, from dicts as its documentation shows."""
    from ranx import Qrels, Run, evaluate

    def work(users: int) -> list[float]:
        names = [str(item) for item in range(ITEMS)]
        scores = [float(score) for score in range(K, 0, -1)]
        rows = zip(listed[:users].tolist(), relevant[:users].tolist(), strict=True)
        truth, run = {}, {}
        for user, (items, wanted) in enumerate(rows):
            run[str(user)] = dict(zip((names[item] for item in items), scores, strict=True))
            truth[str(user)] = {names[item]: 1 for item in wanted}
        found = evaluate(Qrels(truth), Run(run), RANX)
        return [float(found[name]) for name in RANX]

    work(100)  # compiles
    began, cpu = time.perf_counter(), time.process_time()
    means = work(len(listed))
    return {"wall": time.perf_counter() - began, "cpu": time.process_time() - cpu, "means": means}


def main() -> None:
    """Ours on many users, then both on fewer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, default=1_000_000)
    parser.add_argument("--beside", type=int, default=100_000, help="Users of the comparison with ranx.")
    parser.add_argument("--ranx-python", default=sys.executable)
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.one:
        print(json.dumps(ranx(*world(arguments.beside))))
        return
    listed, relevant = world(arguments.users)
    ours(listed[:CHUNK], relevant[:CHUNK])  # imports
    print(f"{len(OURS)} metrics, {K} items a list\n\n      users  what                  wall s    CPU s")
    for _ in range(2):
        began = time.perf_counter()
        listed.sum(dtype=np.int64), relevant.sum(dtype=np.int64)
        print(f"{arguments.users:>11,}  memory-read floor   {time.perf_counter() - began:8.3f}")
        took = ours(listed, relevant)
        print(f"{arguments.users:>11,}  genrec-eval (numpy) {took['wall']:8.2f} {took['cpu']:8.2f}")
    few = arguments.beside
    mine = ours(*world(few))
    print(f"{few:>11,}  genrec-eval (numpy) {mine['wall']:8.2f} {mine['cpu']:8.2f}")
    words = [arguments.ranx_python, __file__, "--one", "--beside", str(few)]
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        print(f"{few:>11,}  ranx: not run: {done.stderr.strip().splitlines()[-1]}")
        return
    theirs = json.loads(done.stdout.splitlines()[-1])
    print(f"{few:>11,}  ranx                {theirs['wall']:8.2f} {theirs['cpu']:8.2f}")
    apart = max(abs(a - b) for a, b in zip(mine["means"], theirs["means"], strict=True))
    times = theirs["wall"] / mine["wall"]
    print(f"\nranx takes {times:.0f} times as long; the greatest difference of a mean is {apart:.1e}")


if __name__ == "__main__":
    main()
