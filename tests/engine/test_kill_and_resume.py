"""``kill -9`` at random moments of a run against a flaky server: nothing is lost, nothing asked twice."""

from __future__ import annotations

import hashlib
import json
import multiprocessing
import os
import random
import signal
import sqlite3
import time
from multiprocessing.process import BaseProcess
from pathlib import Path

import pytest

from genrec_eval.cli.main import main
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.status import TRANSIENT
from genrec_eval.serving.faults import Faults
from genrec_eval.serving.run import serve_in_thread

KILLS = 20
WORLD = {"users": 400, "items": 120, "interactions_per_user": 20}


def suite(url: str) -> str:
    return json.dumps(
        {
            "name": "flaky",
            "seed": 3,
            "data": {"world": {"dataset": "synthetic", "options": WORLD}},
            "models": {
                "service": {"adapter": "http", "url": url},
                "popularity": {"adapter": "reference", "model": "popularity"},
            },
            "scenarios": {"top-k": {"scenario": "top-k", "data": "world", "options": {"groups": ["group"]}}},
            "engine": {"limit": 4, "retries": 20},
        }
    )


FORKS = multiprocessing.get_context("forkserver")
FORKS.set_forkserver_preload(
    ["genrec_eval.api", "genrec_eval.cli.run", "genrec_eval.audit.audit", "genrec_eval.engine.play", "httpx2",
     "genrec_eval.models.http", "genrec_eval.scenarios.top_k", "pandas", "pyarrow.parquet", "scipy.sparse",
     "scipy.special", "genrec_eval.stats.intervals"]
)  # fmt: skip


def start(path: Path, out: Path) -> BaseProcess:
    """A process of its own, forked from one that has imported what all of them need."""
    command = ["run", str(path), "--out", str(out), "--quiet", "--no-report"]
    process = FORKS.Process(target=main, args=(command,))
    process.start()
    return process


def finished(process: BaseProcess) -> int | None:
    process.join(120)
    return process.exitcode


def received(log: Path) -> list[str]:
    """Digests of the requests that the server got, in order."""
    lines = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    return [line["digest"] for line in lines if line["event"] == "request"]


def kept(out: Path) -> set[str]:
    """Digests of the requests whose answers are final in the journal."""
    try:
        with sqlite3.connect(f"file:{out / 'journal.sqlite'}?mode=ro", uri=True) as db:
            rows = db.execute("SELECT request, status FROM exchanges").fetchall()
    except sqlite3.OperationalError:  # killed before there was a journal
        return set()
    return {hashlib.sha256(body).hexdigest() for body, status in rows if status not in TRANSIENT}


def kill_at_random(process: BaseProcess, chance: random.Random, log: Path) -> None:
    """Kill at a random moment: while it starts, or a little after it has asked a few questions."""
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0.0, 0.6))
    else:
        few, deadline = chance.randint(1, 32), time.monotonic() + 60
        start = log.stat().st_size if log.exists() else 0
        while not log.exists() or log.read_bytes()[start:].count(b'"event":"request"') < few:
            assert process.is_alive()
            assert time.monotonic() < deadline
            time.sleep(0.002)
        time.sleep(chance.uniform(0.0, 0.02))
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    process.join()


@pytest.mark.slow
def test_twenty_kills_change_no_byte_and_repeat_no_completed_call(tmp_path: Path) -> None:
    data = SyntheticSpec.model_validate(WORLD).load(tmp_path, 3)
    from genrec_eval.data.splits.spec import SplitSpec

    training = SplitSpec().apply(data, None).training
    faults = Faults(
        latency="uniform:2ms-12ms", error_5xx=0.05, error_429=0.02, truncate=0.03, retry_after=0.1
    )
    log = tmp_path / "calls.jsonl"
    with serve_in_thread(training, ["item-knn"], faults, log=log) as server:
        path = tmp_path / "flaky.json"
        path.write_text(suite(f"{server.url}/rank"))
        calm = tmp_path / "calm"
        assert finished(start(path, calm)) == 0
        expected = (calm / "estimates.json").read_bytes()

        out, chance = tmp_path / "killed", random.Random(11)
        os.truncate(log, 0)  # the server holds it open
        for _ in range(KILLS):
            before, done = kept(out), len(received(log))
            process = start(path, out)
            kill_at_random(process, chance, log)
            assert not before & set(received(log)[done:])
        assert 0 < len(kept(out)) < WORLD["users"]  # the last kill still hit a run under way
        assert finished(start(path, out)) == 0
        assert (out / "estimates.json").read_bytes() == expected
