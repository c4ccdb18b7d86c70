"""The evidence chain of a million records: time, memory and size of hashing a run and of hashing it again.

    python benchmarks/evidence.py [--users 100000 1000000] [--metrics 16]

A run directory is made without being played: cases, records with lists of ten ids and their scores, in parts
of the engine's size, and scores of a number of metrics. Each size is hashed in a process of its own. Floor:
SHA-256 of the same bytes of canonical rows at once.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

K = 10
ITEMS = 5_000
PART = 16_384


def make(folder: Path, users: int, metrics: int) -> None:
    """Write the tables of a run of one model."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    from genrec_eval.protocol.tables import RECORDS, SCORES

    rng = np.random.default_rng(20261123)
    names = pa.array(np.char.add("user-", np.arange(users).astype(str)))
    catalogue = pa.array(np.char.add("item-", np.arange(ITEMS).astype(str)))
    (folder / "cases").mkdir()
    (folder / "records").mkdir()

    def word(text: str, n: int) -> Any:
        return pa.DictionaryArray.from_arrays(pa.array(np.zeros(n, np.int32)), [text])

    def lists(n: int, each: int, values: Any) -> Any:
        return pa.ListArray.from_arrays(pa.array(np.arange(n + 1, dtype=np.int32) * each), values)

    cases = {
        "case": names,
        "unit": names,
        "arm": word("neutral", users),
        "truth": lists(users, 2, pa.array(rng.integers(0, ITEMS, users * 2, dtype=np.int32))),
        "history": lists(users, 20, pa.array(rng.integers(0, ITEMS, users * 20, dtype=np.int32))),
    }
    pq.write_table(pa.table(cases), folder / "cases" / "top-k.parquet", compression="zstd")
    for part, start in enumerate(range(0, users, PART)):
        some = names.slice(start, PART)
        n = len(some)
        columns = {
            "model": word("recorded", n),
            "scenario": word("top-k", n),
            "case": some,
            "unit": some,
            "arm": word("neutral", n),
            "repeat": pa.array(np.zeros(n, np.int16)),
            "step": pa.array(np.zeros(n, np.int16)),
            "status": word("ok", n),
            "items": lists(n, K, catalogue.take(pa.array(rng.integers(0, ITEMS, n * K)))),
            "item_scores": lists(n, K, pa.array(rng.random(n * K))),
            "attempts": pa.array(np.ones(n, np.int16)),
            "cached": pa.array(np.zeros(n, bool)),
            "sent": pa.array(np.full(n, 1.7e9)),
            "end": pa.array(np.full(n, 1.7e9)),
        }
        arrays = [columns[f.name].cast(f.type) if f.name in columns else pa.nulls(n, f.type) for f in RECORDS]
        table = pa.Table.from_arrays(arrays, schema=RECORDS)
        pq.write_table(table, folder / "records" / f"top-k@recorded.{part:05d}.parquet", compression="zstd")
    with pq.ParquetWriter(folder / "scores.parquet", SCORES, compression="zstd") as writer:
        for number in range(metrics):
            columns = {
                "model": word("recorded", users),
                "scenario": word("top-k", users),
                "metric": word(f"metric-{number}@10", users),
                "unit": names,
                "value": pa.array(rng.integers(0, 11, users) / 10),
            }
            arrays = [columns.get(f.name, pa.nulls(users, f.type)).cast(f.type) for f in SCORES]
            writer.write_table(pa.Table.from_arrays(arrays, schema=SCORES), row_group_size=users)
    (folder / "run.json").write_text(json.dumps({"format": 1, "run": "benchmark", "state": "played"}))
    (folder / "estimates.json").write_text("{}")


def measure(folder: Path) -> dict[str, float]:
    """Hash the run, then hash it again against its evidence."""
    import hashlib

    import pyarrow.parquet as pq

    from genrec_eval.audit.chain.build import write_chain
    from genrec_eval.audit.chain.evidence import CHAIN_FILE, Evidence
    from genrec_eval.audit.chain.findings import Verification
    from genrec_eval.audit.chain.hashes import check_files
    from genrec_eval.engine.rundir import RunDirectory
    from genrec_eval.protocol.row_digests import encoded, head_of, row_digests

    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    spent: dict[str, float] = {}
    directory = RunDirectory.open(folder)
    spent["write"], spent["write CPU"] = _timed(lambda: write_chain(directory))
    evidence = Evidence.read(folder)
    done = Verification(run="", root="")
    spent["check"], spent["check CPU"] = _timed(lambda: check_files(folder, evidence, done))
    assert not done.findings, done.findings
    spent["MiB"] = (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024
    spent["chain MB"] = (folder / CHAIN_FILE).stat().st_size / 1e6
    spent["run MB"] = sum(path.stat().st_size for path in folder.rglob("*.parquet")) / 1e6 - spent["chain MB"]
    table = pq.read_table(sorted((folder / "records").iterdir())[0])
    rounds = 10
    _, cpu = _timed(lambda: [row_digests(table) for _ in range(rounds)])
    spent["µs a record"] = cpu / rounds / len(table) * 1e6
    rows = b"".join(bytes(part) for part, _ in encoded(table, head_of(table.schema)))
    _, cpu = _timed(lambda: [hashlib.sha256(rows).digest() for _ in range(rounds)])
    spent["floor µs"] = cpu / rounds / len(table) * 1e6
    spent["bytes a record"] = len(rows) / len(table)
    return spent


def _timed(work: Any) -> tuple[float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - wall, time.process_time() - cpu


def main() -> None:
    """Print a table; see the head of this file."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--users", type=int, nargs="+", default=[100_000, 1_000_000])
    parser.add_argument("--metrics", type=int, default=16)
    parser.add_argument("--measure", type=Path, help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.measure is not None:
        print(json.dumps(measure(options.measure)))
        return
    for users in options.users:
        with tempfile.TemporaryDirectory() as name:
            make(Path(name), users, options.metrics)
            command = [sys.executable, __file__, "--measure", name]
            done = subprocess.run(command, check=True, capture_output=True, text=True)
        spent = json.loads(done.stdout)
        print(f"{users:>9,} users (load {os.getloadavg()[0]:.1f}): ", end="")
        print(", ".join(f"{what} {value:.2f}" for what, value in spent.items()), flush=True)


if __name__ == "__main__":
    main()
