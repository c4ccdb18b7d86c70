"""`genrec-eval run` on recorded lists: 10,000 to 1,000,000 users × 100 items under 20 metrics.

    python benchmarks/batch_path.py [--users 10000 100000 1000000]

Interactions and recorded lists are made in a temporary folder, seeded, and written as anyone would write
them: parquet with plain string ids. Each size is one whole run in a process of its own: data set from files,
global temporal split, adapter `replay`, records, scores, intervals, report. `growth` is what a stage's
resident memory rises to above where it began.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

K = 100
ITEMS = 40_000
HISTORY, FUTURE = 10, 2
CUT = 1_700_000_000
CUTOFFS = (5, 10, 20, 50, 100)
METRICS = [f"{name}@{k}" for name in ("recall", "precision", "ndcg", "map") for k in CUTOFFS]
STAGES = ("load", "split", "play", "score", "estimate", "report")
_STATUS = Path("/proc/self/status")


def make(folder: Path, users: int) -> None:
    """Write interactions, recorded lists and the suite.

    Lists hold 2 % invented ids and 2 % repeats, an eighth of the users find one of their next items in
    theirs, and 1 % of the users have no list.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    rng = np.random.default_rng(20261123)
    names = np.char.add("u", np.arange(users).astype(str))
    catalogue = np.char.add("i", np.arange(ITEMS).astype(str))
    words = pa.array(np.concatenate([catalogue, np.char.add("made-up-", np.arange(50_000).astype(str))]))

    def popular(size: Any) -> np.ndarray:  # a long tail: the density of item x falls as x to the -2/3
        return (ITEMS * rng.random(size) ** 3).astype(np.int32)

    each = HISTORY + FUTURE
    bought = popular((users, each))
    when = CUT - rng.integers(1, 31_536_000, (users, each))
    when[:, HISTORY:] = CUT + rng.integers(0, 2_592_000, (users, FUTURE))
    order = rng.permutation(users * each)
    log = {
        "user": pa.array(names).take(pa.array(order // each)),
        "item": words.take(pa.array(bought.ravel()[order])),
        "timestamp": pa.array(when.ravel()[order]),
    }
    pq.write_table(pa.table(log), folder / "interactions.parquet")

    listed = np.flatnonzero(rng.random(users) >= 0.01)
    kind = pa.list_(pa.dictionary(pa.int32(), pa.string()))
    schema = pa.schema([("user", pa.string()), ("items", kind)])
    # without the arrow schema the file holds plain strings, as if from another program
    with pq.ParquetWriter(folder / "lists.parquet", schema, store_schema=False) as writer:
        for start in range(0, len(listed), 100_000):
            rows = listed[start : start + 100_000]
            codes = rng.integers(0, ITEMS, (len(rows), K), dtype=np.int32)
            lucky = rng.random(len(rows)) < 1 / 8
            codes[lucky, rng.integers(0, K, lucky.sum())] = bought[rows[lucky], HISTORY]
            dirt = rng.random(codes.shape, dtype=np.float32)
            codes[dirt < 0.02] = ITEMS + rng.integers(0, 50_000, int((dirt < 0.02).sum()))
            codes[:, 1:] = np.where(dirt[:, 1:] > 0.98, codes[:, :-1], codes[:, 1:])
            offsets = pa.array(np.arange(0, codes.size + 1, K, dtype=np.int32))
            items = pa.ListArray.from_arrays(
                offsets, pa.DictionaryArray.from_arrays(pa.array(codes.ravel()), words)
            )
            writer.write_table(pa.Table.from_arrays([pa.array(names[rows]), items], schema=schema))

    top_k = {"k": K, "split": {"method": "global-temporal", "time": CUT}, "metrics": METRICS}
    suite = {
        "name": "batch-path",
        "data": {"log": {"dataset": "files", "options": {"interactions": "interactions.parquet"}}},
        "models": {"recorded": {"adapter": "replay", "path": "lists.parquet"}},
        "scenarios": {"top-k": {"scenario": "top-k", "data": "log", "options": top_k}},
    }
    (folder / "suite.yaml").write_text(json.dumps(suite))  # JSON is YAML


def run(folder: Path) -> None:
    """`genrec-eval run` in this process, timed by stage from outside; leaves stages.json."""
    from genrec_eval.audit import audit
    from genrec_eval.cli.main import exit_code
    from genrec_eval.data.tables.files import FilesSpec
    from genrec_eval.engine import play
    from genrec_eval.reporting import html
    from genrec_eval.scenarios.top_k import TopK

    spent: dict[str, dict[str, float]] = {}
    watch(FilesSpec, "load", "load", spent)
    watch(TopK, "prepare", "split", spent)
    watch(play, "play_batches", "play", spent)
    watch(audit, "score_run", "score", spent)
    watch(audit, "estimate_run", "estimate", spent)
    watch(html, "write_report", "report", spent)
    code = exit_code(["run", str(folder / "suite.yaml"), "--out", str(folder / "run")])
    assert code in (0, 1), code
    (folder / "stages.json").write_text(json.dumps(spent))


def watch(place: Any, name: str, stage: str, spent: dict[str, dict[str, float]]) -> None:
    """Time every call of ``place.name`` as ``stage``."""
    inner: Callable[..., Any] = getattr(place, name)

    def timed(*arguments: Any, **options: Any) -> Any:
        with _stage(stage, spent):
            return inner(*arguments, **options)

    setattr(place, name, timed)


@contextmanager
def _stage(name: str, spent: dict[str, dict[str, float]]) -> Iterator[None]:
    before, began, cpu = _memory("VmRSS"), time.perf_counter(), time.process_time()
    earlier = _memory("VmHWM")
    Path("/proc/self/clear_refs").write_text("5")  # from here on the peak is this stage's own
    yield
    peak = _memory("VmHWM")
    spent[name] = {
        "seconds": time.perf_counter() - began,
        "cpu": time.process_time() - cpu,
        "growth": peak - before,
        "peak": max(peak, earlier),
    }


def _memory(field: str) -> float:
    line = next(line for line in _STATUS.read_text().splitlines() if line.startswith(field))
    return int(line.split()[1]) / 1024


def main() -> None:
    """One run for each size, in turn, then the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--users", type=int, nargs="+", default=[10_000, 100_000, 1_000_000])
    parser.add_argument("--keep", type=Path, help="Folder to leave the files in.")
    parser.add_argument("--step", nargs=3, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.step:
        step, folder, users = arguments.step
        return make(Path(folder), int(users)) if step == "make" else run(Path(folder))

    from genrec_eval.scenarios.ranking.base import VALIDITY

    measured_too = f"{len(METRICS)} metrics and {len(VALIDITY)} of list validity"
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{K} items a list, {measured_too}, {os.cpu_count()} cores, load {load}\n")
    heads = "".join(f"{stage:>9}" for stage in (*STAGES, "total"))
    print(f"    users  {heads}   CPU s   µs a user   peak GiB")
    measured: dict[int, dict[str, dict[str, float]]] = {}
    for users in arguments.users:
        with tempfile.TemporaryDirectory() as temporary:
            folder = temporary if arguments.keep is None else str(arguments.keep / str(users))
            Path(folder).mkdir(parents=True, exist_ok=True)
            words = [sys.executable, __file__, "--step"]
            subprocess.run([*words, "make", folder, str(users)], check=True)
            began = time.perf_counter()
            child = subprocess.Popen([*words, "run", folder, str(users)], stdout=subprocess.DEVNULL)
            _, code, used = os.wait4(child.pid, 0)
            total = time.perf_counter() - began
            assert code == 0, "the run failed"
            spent = json.loads((Path(folder) / "stages.json").read_text())
        measured[users] = spent
        peak = max(used.ru_maxrss / 1024, *(spent[stage]["peak"] for stage in STAGES)) / 1024
        seconds = "".join(f"{spent[stage]['seconds']:9.2f}" for stage in STAGES)
        cpu = used.ru_utime + used.ru_stime
        share = total / users * 1e6
        print(f"{users:>9,}  {seconds}{total:9.2f}{cpu:8.1f}{share:12.1f}{peak:11.2f}", flush=True)
    for title, field, digits in (("CPU s", "cpu", 2), ("growth of resident memory, MiB", "growth", 0)):
        print(f"\n{title}")
        for users, stages in measured.items():
            print(f"{users:>9,}  " + "".join(f"{stages[stage][field]:9.{digits}f}" for stage in STAGES))


if __name__ == "__main__":
    main()
