"""20 metrics for 1,000,000 users × 100 items from arrays, and beside ranx and pytrec_eval on 100,000 users.

    python benchmarks/metrics.py [--users 1000000] [--rounds 5] [--peer-python PATH]

The floor is one reading of the same arrays (a sum), which nothing can undercut. Compiled code (extra
`fast`) is loaded beforehand, as is that of ranx; without numba that line is left out. The peers may live in
another environment (--peer-python); one that is not installed is left out, and that is said. All start from
the same arrays and end in 20 means, which must agree. On a shared machine the least of several rounds says
most.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
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
TREC = ("recall", "P", "ndcg_cut", "map_cut")


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


def ours(listed: np.ndarray, relevant: np.ndarray) -> list[float]:
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

    scores = score_lists(metrics, (chunk(start) for start in range(0, len(listed), CHUNK)))
    return [float(scores[one.id].values.mean()) for one in metrics]


def numpy_alone(listed: np.ndarray, relevant: np.ndarray) -> list[float]:
    """The same as if numba were not installed."""
    from genrec_eval.metrics import fused

    kept, fused.least_users = fused.least_users, lambda: sys.maxsize
    try:
        return ours(listed, relevant)
    finally:
        fused.least_users = kept


def dicts(listed: np.ndarray, relevant: np.ndarray) -> tuple[dict[str, Any], dict[str, Any]]:
    """Truth and lists in the form that both peers take and their documentation shows."""
    names = [str(item) for item in range(ITEMS)]
    scores = [float(score) for score in range(K, 0, -1)]
    truth, run = {}, {}
    for user, (items, wanted) in enumerate(zip(listed.tolist(), relevant.tolist(), strict=True)):
        run[str(user)] = dict(zip((names[item] for item in items), scores, strict=True))
        truth[str(user)] = {names[item]: 1 for item in wanted}
    return truth, run


def ranx(listed: np.ndarray, relevant: np.ndarray) -> list[float]:
    """The same by ranx."""
    from ranx import Qrels, Run, evaluate

    truth, run = dicts(listed, relevant)
    found = evaluate(Qrels(truth), Run(run), RANX)
    return [float(found[name]) for name in RANX]


def pytrec_eval(listed: np.ndarray, relevant: np.ndarray) -> list[float]:
    """The same by pytrec_eval (its maintained fork pytrec-eval-terrier)."""
    import pytrec_eval as trec

    truth, run = dicts(listed, relevant)
    cuts = ",".join(map(str, CUTOFFS))
    found = trec.RelevanceEvaluator(truth, {f"{name}.{cuts}" for name in TREC}).evaluate(run)
    return [
        sum(user[f"{name}_{k}"] for user in found.values()) / len(found) for name in TREC for k in CUTOFFS
    ]


PEERS: dict[str, Callable[[np.ndarray, np.ndarray], list[float]]] = {"ranx": ranx, "pytrec_eval": pytrec_eval}


def timed(
    work: Callable[..., list[float]], listed: np.ndarray, relevant: np.ndarray, rounds: int
) -> dict[str, Any]:
    """Least wall and CPU seconds of some rounds, and the means."""
    walls, cpus, means = [], [], []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        means = work(listed, relevant)
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return {"wall": min(walls), "cpu": min(cpus), "means": means}


def show(users: int, what: str, took: dict[str, Any]) -> None:
    print(f"{users:>11,}  {what:<24} {took['wall']:9.3f} {took['cpu']:9.3f}", flush=True)


def main() -> None:
    """Ours on few, many and very many users, then beside the peers."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--beside", type=int, default=100_000, help="Users of the comparison with the peers.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--peer-python", default=sys.executable)
    parser.add_argument("--peer", choices=PEERS, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    listed, relevant = world(
        max(*arguments.users, arguments.beside) if not arguments.peer else arguments.beside
    )
    if arguments.peer:
        PEERS[arguments.peer](listed[:100], relevant[:100])  # compiles
        print(json.dumps(timed(PEERS[arguments.peer], listed, relevant, 1)))
        return

    from genrec_eval.metrics import fused

    began = time.perf_counter()
    ways = {"genrec-eval (numpy)": numpy_alone}
    if fused.compiled() is not None:
        print(f"numba imported and its code loaded in {time.perf_counter() - began:.2f} s")
        ways = {"genrec-eval (compiled)": ours, **ways}
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{len(OURS)} metrics, {K} items a list, {os.cpu_count()} cores, load {load}\n")
    print("      users  what                        wall s     CPU s")
    for users in arguments.users:
        some = listed[:users], relevant[:users]
        floor = timed(lambda one, two: [float(one.sum(dtype=np.int64) + two.sum())], *some, arguments.rounds)
        show(users, "memory-read floor", floor)
        for what, work in ways.items():
            show(users, what, timed(work, *some, arguments.rounds))

    few = arguments.beside
    some = listed[:few], relevant[:few]
    mine = {what: timed(work, *some, arguments.rounds) for what, work in ways.items()}
    print(f"\nbeside others, {few:,} users, from arrays to means")
    for what, took in mine.items():
        show(few, what, took)
    for peer in PEERS:
        words = [arguments.peer_python, __file__, "--peer", peer, "--beside", str(few)]
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            print(f"{few:>11,}  {peer}: not run: {done.stderr.strip().splitlines()[-1]}")
            continue
        theirs = json.loads(done.stdout.splitlines()[-1])
        show(few, peer, theirs)
        for what, took in mine.items():
            wall, cpu = (theirs[clock] / took[clock] for clock in ("wall", "cpu"))
            apart = max(abs(a - b) for a, b in zip(took["means"], theirs["means"], strict=True))
            print(f"{'':13}{wall:,.0f} times as long as {what}, {cpu:,.0f} in CPU; means within {apart:.0e}")


if __name__ == "__main__":
    main()
