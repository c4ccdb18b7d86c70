"""Recorded lists of many users go from file to report as arrays: no object per user, bounded chunks."""

from __future__ import annotations

import gc
import itertools
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import genrec_eval
from genrec_eval.api import score
from genrec_eval.audit.chain import build
from genrec_eval.reporting import html
from genrec_eval.scenarios.ranking import records as ranking_records

K = 4


def recorded(folder: Path, users: int) -> dict[str, Any]:
    """A suite on ``users`` users; a few lists are missing, and some ids are invented or repeated."""
    folder.mkdir()
    rng = np.random.default_rng(1)
    names = pa.array(np.char.add("u", np.arange(users).astype(str)))
    words = pa.array([f"i{n}" for n in range(50)] + ["made up", "made up too"])
    when = np.repeat([100, 200], 2 * users)
    log = {
        "user": names.take(pa.array(np.tile(np.arange(users), 4))),
        "item": words.take(pa.array(rng.integers(0, 50, 4 * users))),
        "timestamp": pa.array(when),
    }
    pq.write_table(pa.table(log), folder / "log.parquet")
    codes = rng.integers(0, len(words), (users - 2) * K)
    lists = pa.ListArray.from_arrays(pa.array(np.arange(0, len(codes) + 1, K)), words.take(pa.array(codes)))
    pq.write_table(pa.table({"user": names[2:], "items": lists}), folder / "lists.parquet")
    metrics = ["recall@4", "ndcg@4", "coverage@4"]
    options = {"k": K, "split": {"method": "global-temporal", "time": 150}, "metrics": metrics}
    return {
        "name": "recorded",
        "data": {"log": {"dataset": "files", "options": {"interactions": str(folder / "log.parquet")}}},
        "models": {"recorded": {"adapter": "replay", "path": str(folder / "lists.parquet")}},
        "scenarios": {"top-k": {"scenario": "top-k", "data": "log", "options": options}},
    }


def most_objects(work: Callable[[], object]) -> int:
    """The most small memory blocks held at once, looked at on each eighth step of our code."""
    gc.collect()
    before = most = sys.getallocatedblocks()
    ours = str(Path(genrec_eval.__file__).parent)
    calls = itertools.count()

    def look(frame: FrameType, *_: object) -> None:
        nonlocal most
        # to count takes long where a whole test session holds memory
        if frame.f_code.co_filename.startswith(ours) and next(calls) % 8 == 0:
            most = max(most, sys.getallocatedblocks())

    sys.setprofile(look)
    try:
        work()
    finally:
        sys.setprofile(None)
    return most - before


def test_many_users_take_no_object_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # evidence and report take rows one by one, a batch at a time: play, scores and estimates must not
    monkeypatch.setattr(build, "write_chain", lambda directory: None)
    monkeypatch.setattr(html, "write_report", lambda folder: folder / "report.html")
    few, many = recorded(tmp_path / "few", 1_000), recorded(tmp_path / "many", 20_000)
    genrec_eval.run(few, out=tmp_path / "first", quiet=True)  # imports and caches
    small = most_objects(lambda: genrec_eval.run(few, out=tmp_path / "a", quiet=True))
    large = most_objects(lambda: genrec_eval.run(many, out=tmp_path / "b", quiet=True))
    assert large - small < 8_000  # 19,000 more users, a chunk has 16,384


def test_blocks_change_no_score(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = genrec_eval.run(recorded(tmp_path / "data", 1_000), out=tmp_path / "run", quiet=True)
    whole = (run.path / "estimates.json").read_bytes(), (run.path / "scores.parquet").read_bytes()
    monkeypatch.setattr(ranking_records, "CELLS", 7 * K)
    score(run.path)
    assert ((run.path / "estimates.json").read_bytes(), (run.path / "scores.parquet").read_bytes()) == whole
    invented = run.results.estimates
    assert next(e for e in invented if e.metric == "invalid@4").value == pytest.approx(2 / 52, abs=0.02)
