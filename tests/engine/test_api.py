"""The same from Python: notebooks, threads, interrupts, runs that are not finished."""

from __future__ import annotations

import asyncio
import json
import signal
import subprocess
import sys
import textwrap
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

import genrec_eval
from genrec_eval.core.errors import UsageError

SUITE: dict[str, Any] = {
    "name": "small",
    "data": {
        "w": {"dataset": "synthetic", "options": {"users": 120, "items": 40, "interactions_per_user": 12}}
    },
    "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
    "scenarios": {"top-k": {"scenario": "top-k", "data": "w", "options": {"metrics": ["ndcg"]}}},
}


def first(user: str, history: list[str], k: int) -> list[str]:
    return history[:k]


def test_from_inside_a_running_loop_and_from_two_threads_at_once(tmp_path: Path) -> None:
    async def notebook() -> genrec_eval.Run:
        return genrec_eval.run(SUITE, models={"first": first}, out=tmp_path / "loop", quiet=True)

    inside = asyncio.run(notebook())
    with ThreadPoolExecutor(2) as pool:
        runs = [
            pool.submit(genrec_eval.run, SUITE, models={"first": first}, out=tmp_path / name, quiet=True)
            for name in ("a", "b")
        ]
    same = {(run.path / "estimates.json").read_bytes() for run in (inside, *(r.result() for r in runs))}
    assert len(same) == 1


SCRIPT = """
import asyncio, signal, sys, time
import genrec_eval

signal.signal(signal.SIGINT, signal.default_int_handler)

async def recommend(user, history, k):
    await asyncio.sleep(0.02)
    print("asked", flush=True)
    return []

async def notebook():
    genrec_eval.run({suite}, models={{"slow": recommend}}, out={out!r}, quiet=True)

loop = asyncio.new_event_loop()
{call}
"""


@pytest.mark.parametrize(
    "call",
    [
        "loop.run_until_complete(notebook())",
        "genrec_eval.run({suite}, models={{'slow': recommend}}, out={out!r}, quiet=True)",
    ],
)
def test_an_interrupt_ends_a_run_at_once_and_quietly(tmp_path: Path, call: str) -> None:
    suite = json.loads(json.dumps(SUITE))
    suite["data"]["w"]["options"]["users"] = 20_000
    values = {"suite": repr(suite), "out": str(tmp_path / "run")}
    script = tmp_path / "notebook.py"
    script.write_text(textwrap.dedent(SCRIPT).format(call=call.format(**values), **values))
    with subprocess.Popen(
        [sys.executable, script], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"asked\n"
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    said = errors.decode()
    assert said.rstrip().endswith("KeyboardInterrupt")
    assert "never retrieved" not in said
    assert "never awaited" not in said
    assert json.loads((tmp_path / "run" / "run.json").read_text())["state"] == "playing"
    with pytest.raises(UsageError, match="was interrupted while it was played"):
        _ = genrec_eval.load_run(tmp_path / "run").estimates


def test_what_a_run_lacks_is_said_in_a_sentence(tmp_path: Path) -> None:
    run = genrec_eval.run(SUITE, out=tmp_path / "run", quiet=True)
    with pytest.raises(UsageError, match=r"no records of 'popularty' in 'top-k'; did you mean"):
        run.records("popularty", "top-k")
    assert len(run.records("popularity", "top-k")) == len(run.scores.query("metric == 'ndcg@10'"))
    for name in ("estimates.json", "scores.parquet"):
        (run.path / name).unlink()
    again = genrec_eval.load_run(run.path)
    assert "was played but not scored; run: genrec-eval score" in repr(again)
    with pytest.raises(UsageError, match="was played but not scored"):
        _ = again.scores


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        ({"limit": 0}, "limit is a number of cases from 1 on, not 0"),
        ({"models": print}, "models is a dict of names and functions"),
        ({"only": "popularty"}, "--only popularty matches no model or scenario; did you mean 'popularity'"),
        ({"sets": "engine.limit"}, "--set engine.limit: write key.path=value"),
    ],
)
def test_arguments_of_the_wrong_kind_end_in_a_sentence(tmp_path: Path, given: dict, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        genrec_eval.run(SUITE, out=tmp_path / "run", quiet=True, **given)
    assert sentence in str(caught.value)
