"""`genrec-eval compare` on two runs of 10,000 to 1,000,000 users × 10 items, one model, 14 metrics.

    python benchmarks/comparing.py [--users 10000 100000 1000000]

Run directories are made directly: histories of 20 items, truth of 2, lists of 10; the candidate's catalogue
has one item more in front, so that every code is another, and its model answers a tenth of the users
otherwise. Each size is compared in a process of its own; `peak` is its resident memory at most.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ITEMS, HISTORY, TRUTH, K = 40_000, 20, 2, 10
METRICS = [f"{name}@{K}" for name in ("ndcg", "recall", "precision", "mrr", "hit_rate", "map")]


def make(path: Path, users: int, candidate: bool) -> None:
    """Write cases, records and ``run.json``, and score them as `genrec-eval score` does."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from genrec_eval.api import RunDirectory
    from genrec_eval.audit.audit import audit_run
    from genrec_eval.engine.records import part_name
    from genrec_eval.protocol.tables import RECORDS

    rng = np.random.default_rng(1)
    shift = 1 if candidate else 0
    ids = pa.array([f"i{n}" for n in range(-shift, ITEMS)], pa.string())
    unit = pa.array(np.char.add("u", np.arange(users).astype(str)))
    history, truth = (rng.integers(0, ITEMS, (users, n), dtype=np.int32) for n in (HISTORY, TRUTH))
    lists = rng.integers(0, ITEMS, (users, K), dtype=np.int32)
    hit = rng.random(users) < 0.3
    lists[hit, rng.integers(0, K, int(hit.sum()))] = truth[hit, 0]
    other = rng.random(users) < 0.1
    if candidate:
        lists[other] = rng.integers(0, ITEMS, (int(other.sum()), K), dtype=np.int32)

    def ragged(matrix: Any) -> Any:
        offsets = pa.array(np.arange(0, matrix.size + 1, matrix.shape[1], dtype=np.int32))
        return pa.ListArray.from_arrays(offsets, pa.array((matrix + shift).ravel()))

    group = pa.array(np.array(["A", "B", "C"])[np.arange(users) % 3])
    arm = pa.DictionaryArray.from_arrays(np.zeros(users, np.int32), pa.array(["neutral"]))
    cases = pa.table(
        {
            "case": unit,
            "unit": unit,
            "arm": arm,
            "group.group": group,
            "truth": ragged(truth),
            "history": ragged(history),
        }
    )
    counts = pa.array(np.ones(len(ids), np.int64))
    items = pa.table({"item": ids, "train_count": counts, "train_users": counts, "test_count": counts})
    options = {"k": K, "metrics": METRICS, "groups": ["group"]}
    coverage = {"model": "m", "scenario": "top-k", "state": "run", "attempted": users, "answered": users}
    directory = RunDirectory.create(path)
    directory.run |= {
        "run": "candidate" if candidate else "reference",
        "state": "played",
        "seed": 7,
        "folder": ".",
        "suite": {
            "name": "big",
            "level": 0.95,
            "scenarios": {"top-k": {"scenario": "top-k", "options": options}},
        },
        "play": [{"model": "m", "scenario": "top-k"}],
        "coverage": [coverage],
    }
    directory.save()
    directory.store_cases("top-k", cases, {"items": items.replace_schema_metadata({"train_users": "1"})})
    directory.records_folder.mkdir()
    for part, start in enumerate(range(0, users, 1 << 14)):
        rows = slice(start, start + (1 << 14))
        codes = pa.array((lists[rows] + shift).ravel())
        n = len(lists[rows])
        given = {
            "model": pa.array(["m"] * n),
            "scenario": pa.array(["top-k"] * n),
            "case": unit[rows],
            "unit": unit[rows],
            "repeat": pa.array(np.zeros(n, np.int16)),
            "step": pa.array(np.zeros(n, np.int16)),
            "status": pa.array(["ok"] * n),
            "items": pa.ListArray.from_arrays(
                pa.array(np.arange(0, n * K + 1, K, dtype=np.int32)), ids.take(codes)
            ),
        }
        columns = [given[f.name].cast(f.type) if f.name in given else pa.nulls(n, f.type) for f in RECORDS]
        table = pa.Table.from_arrays(columns, schema=RECORDS)
        pq.write_table(table, directory.records_folder / part_name("m", "top-k", part), compression="zstd")
    audit_run(directory)


def measure(folder: Path) -> dict[str, Any]:
    """Compare the two runs in ``folder``."""
    from genrec_eval.api import compare

    begun = time.perf_counter()
    found = compare(folder / "a", folder / "b")
    seconds = time.perf_counter() - begun
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    changes = sorted({str(one.change) for one in found.differences})
    return {
        "seconds": round(seconds, 1),
        "peak_mb": round(peak),
        "paired": found.pairs[0].paired,
        "differences": len(found.differences),
        "flips": sum(row["count"] for row in found.flip_counts),
        "changes": changes,
    }


def main() -> None:
    """Make, compare in a fresh process, print a line each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.measure is not None:
        print(json.dumps(measure(given.measure)))
        return
    for users in given.users:
        with tempfile.TemporaryDirectory() as name:
            for side in ("a", "b"):
                make(Path(name) / side, users, side == "b")
            command = [sys.executable, __file__, "--measure", name]
            done = subprocess.run(command, capture_output=True, text=True, check=True)
            print(f"{users:>9,} users  {done.stdout.strip()}", flush=True)


if __name__ == "__main__":
    main()
