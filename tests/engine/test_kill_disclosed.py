"""``kill -9`` while texts are asked for with values disclosed: the same bytes, and nothing asked twice."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from genrec_eval.protocol.status import TRANSIENT

KILLS = 5
WRITER = '''
import asyncio, os
from pathlib import Path
from genrec_eval.protocol.brief import Brief

LOG = Path(__file__).parent / "asked.txt"

async def write(request, seed):
    """Cites an item of the history, says more to men, and ends with what tells this call from all others."""
    with LOG.open("a") as log:  # opened for each call, so that a kill loses no line
        log.write(f"{seed}\\n")
    await asyncio.sleep(0.005 + seed % 10 / 1000)
    brief = Brief.read(request.messages[-1].content)
    seen = brief.history[seed % len(brief.history)].item.title
    more = " It is a fine one." * (brief.profile.get("gender") == "male")
    return f"You rated {seen} well, so try {brief.item.title}.{more} Take {seed}."
'''
SUITE = {
    "name": "told",
    "seed": 3,
    "data": {"world": {"dataset": "synthetic", "options": {"users": 80, "items": 90}}},
    "models": {"writer": {"adapter": "python", "kinds": ["chat"], "target": "writer.py:write"}},
    "scenarios": {
        "written": {
            "scenario": "explanation",
            "data": "world",
            "repeats": 2,
            "options": {
                "max_users": 20,
                "variants": ["paraphrase", "without_cited"],  # the last one is asked by what was answered
                "attributes": {"gender": {"values": ["female", "male"]}},
                "metrics": [
                    "length",
                    "counterfactual",
                    "value_gap(of=length)",
                    "value_difference(of=tone,value=*)",
                    "relative_text_similarity",
                    "text_similarity_gap",
                ],
            },
        }
    },
    "claims": [
        {
            "claim": "told alike",
            "scenario": "written",
            "model": "writer",
            "metric": "value_gap(attribute=gender,of=length)",
            "at_most": 1,
            "expect": "FAIL",
        }
    ],
    "engine": {"limit": 3},
}
COMMAND = "import sys; from genrec_eval.cli.main import main; sys.exit(main(sys.argv[1:]))"


def start(folder: Path, out: str) -> subprocess.Popen[bytes]:
    told = ["run", "told.json", "--out", out, "--quiet", "--no-report"]
    return subprocess.Popen([sys.executable, "-c", COMMAND, *told], cwd=folder, stdout=subprocess.DEVNULL)


def asked(folder: Path) -> list[str]:
    """What tells each call from all others, in the order in which the writer was called."""
    log = folder / "asked.txt"
    return log.read_text().split() if log.exists() else []


def kept(out: Path) -> set[str]:
    """The calls whose answers are final in the journal."""
    if not (out / "journal.sqlite").exists():
        return set()
    with sqlite3.connect(f"file:{out / 'journal.sqlite'}?mode=ro", uri=True) as db:
        rows = db.execute("SELECT response, status FROM exchanges").fetchall()
    found = [re.search(rb"Take (\d+)\.", body) for body, status in rows if status not in TRANSIENT]
    assert all(found)
    return {match[1].decode() for match in found if match}


def texts(out: Path) -> list[tuple[str, int, int, str]]:
    """(case, repeat, step, text) of every record."""
    (path,) = (out / "records").glob("*.parquet")
    rows = pq.read_table(path, columns=["case", "repeat", "step", "text"]).to_pylist()
    return sorted((row["case"], row["repeat"], row["step"], row["text"]) for row in rows)


@pytest.mark.slow
def test_kills_between_disclosed_values_change_no_byte_and_repeat_no_completed_call(tmp_path: Path) -> None:
    (tmp_path / "writer.py").write_text(WRITER)
    (tmp_path / "told.json").write_text(json.dumps(SUITE))
    calm, out = tmp_path / "calm", tmp_path / "killed"
    assert start(tmp_path, "calm").wait(120) == 0
    whole = asked(tmp_path)
    assert len(whole) == len(set(whole)) == 20 * 2 * 5
    os.truncate(tmp_path / "asked.txt", 0)

    chance, killed_mid_way = random.Random(7), 0
    for _ in range(KILLS):
        before, done = kept(out), len(asked(tmp_path))
        process, few = start(tmp_path, "killed"), chance.randint(1, 30)
        deadline = time.monotonic() + 60
        while len(asked(tmp_path)) < done + few:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.002)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        assert not before & set(asked(tmp_path)[done:])
        killed_mid_way += len(before) < len(kept(out)) < len(whole)
    assert killed_mid_way
    before, done = kept(out), len(asked(tmp_path))
    assert start(tmp_path, "killed").wait(120) == 0
    assert not before & set(asked(tmp_path)[done:])

    times = Counter(asked(tmp_path))
    assert set(times) == set(whole) == kept(out)
    assert max(times.values()) <= 1 + KILLS  # only what was under way when a kill came is asked again
    assert sum(times.values()) - len(times) <= KILLS * 3
    assert texts(out) == texts(calm)
    for name in ("estimates.json", "scores.parquet"):
        assert (out / name).read_bytes() == (calm / name).read_bytes(), name
    # and a run that is whole asks nothing
    assert start(tmp_path, "killed").wait(120) == 0
    assert len(asked(tmp_path)) == sum(times.values())
