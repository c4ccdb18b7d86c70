"""The columnar path is resumed chunk by chunk, and never from the chunks of another plan."""

from __future__ import annotations

import copy
import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

import genrec_eval
from genrec_eval.api import load_run, score
from genrec_eval.core.errors import UsageError
from genrec_eval.reporting.html import render_report

MODEL = """
import json, os, signal
from pathlib import Path

HERE = Path(__file__).parent

def rank(batch, kill_at=None):
    with (HERE / "calls.jsonl").open("a") as log:
        log.write(json.dumps({"users": len(batch), "k": batch.k, "repeat": batch.repeat}) + "\\n")
    if (HERE / "kill").exists() and len((HERE / "calls.jsonl").read_text().splitlines()) >= 3:
        os.kill(os.getpid(), signal.SIGKILL)
    if (HERE / "oom").exists():
        raise MemoryError("no memory left")
    items = batch.items.strings
    return [items[len(history) % 7:][:batch.k] for history in (batch.history[i] for i in range(len(batch)))]
"""


def suite_of(folder: Path) -> dict[str, Any]:
    """A suite whose own model lies in ``folder``, and says there what it is asked."""
    (folder / "model.py").write_text(MODEL)
    world = {"users": 300, "items": 60, "interactions_per_user": 15}
    options = {"k": 5, "metrics": ["ndcg@4"]}
    return {
        "name": "columns",
        "seed": 3,
        "data": {"world": {"dataset": "synthetic", "options": world}},
        "models": {
            "own": {"adapter": "python", "target": f"{folder}/model.py:rank", "batch": True},
            "popularity": {"adapter": "reference", "model": "popularity"},
            "random": {"adapter": "reference", "model": "random"},
        },
        "scenarios": {"top-k": {"scenario": "top-k", "data": "world", "options": options}},
        "engine": {"chunk": 50},
    }


@pytest.fixture
def suite(tmp_path: Path) -> dict[str, Any]:
    return suite_of(tmp_path)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int]:
    """A folder with a model and a finished run, to be copied, and how often the model was called."""
    folder = tmp_path_factory.mktemp("played")
    play(suite_of(folder), folder)
    return folder, len(calls(folder))


def changed(suite: dict[str, Any], path: str, value: Any) -> dict[str, Any]:
    """A copy of the suite with one value changed, or removed when it is None."""
    copied = copy.deepcopy(suite)
    *above, last = path.split("/")
    place = copied
    for name in above:
        place = place.setdefault(name, {})
    place[last] = value
    if value is None:
        del place[last]
    return copied


def play(suite: dict[str, Any], folder: Path, **more: Any) -> bytes:
    """Play in this process and return the estimates."""
    run = genrec_eval.run(suite, out=folder / "run", quiet=True, report=False, **more)
    return (run.path / "estimates.json").read_bytes()


def fresh(suite: dict[str, Any], folder: Path, **more: Any) -> bytes:
    """What a directory without a past gives."""
    folder.mkdir()
    return play(suite, folder, **more)


def calls(folder: Path) -> list[dict[str, int]]:
    """What the model was asked since the last look."""
    log = folder / "calls.jsonl"
    found = [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []
    log.unlink(missing_ok=True)
    return found


def test_a_kill_between_chunks_repeats_no_finished_chunk(tmp_path: Path, suite: dict[str, Any]) -> None:
    expected = fresh(suite, tmp_path / "calm")
    whole = calls(tmp_path)
    assert len(whole) > 4
    path = tmp_path / "suite.json"
    path.write_text(json.dumps(suite))
    (tmp_path / "kill").touch()
    command = [sys.executable, "-m", "genrec_eval.cli.main", "run", str(path), "--out", str(tmp_path / "run")]
    killed = subprocess.run([*command, "-q"], capture_output=True, timeout=60, check=False)
    assert killed.returncode == -signal.SIGKILL
    first = calls(tmp_path)
    (tmp_path / "kill").unlink()
    with pytest.raises(UsageError, match="was interrupted while it was played; run the suite again"):
        score(tmp_path / "run")
    assert play(suite, tmp_path) == expected
    assert len(first) - 1 + len(calls(tmp_path)) == len(whole)


@pytest.mark.parametrize(
    ("path", "value", "asked_again"),
    [
        ("scenarios/top-k/options/k", 4, True),
        ("seed", 4, True),  # another world
        ("data/world/options/items", 61, True),
        ("engine/repeats", 2, None),  # the first sample is kept, the second is asked for
        ("engine/chunk", 60, True),
        ("models/popularity", None, False),
        ("models/random/description", "a note", False),
        ("models/own/options", {"kill_at": 9}, True),
        ("engine/retries", 1, False),
    ],
)
def test_a_changed_plan_gives_what_a_fresh_run_gives(
    tmp_path: Path, played: tuple[Path, int], path: str, value: Any, asked_again: bool | None
) -> None:
    model, before = played
    shutil.copytree(model / "run", tmp_path / "run")
    first = (tmp_path / "run" / "estimates.json").read_bytes()
    suite = suite_of(model)
    other = changed(suite, path, value)
    there = play(other, tmp_path)
    again = calls(model)
    if asked_again is None:
        assert {call["repeat"] for call in again} == {1}
    else:
        assert bool(again) is asked_again
    assert there == fresh(other, tmp_path / "fresh")
    calls(model)
    assert play(suite, tmp_path) == first
    assert len(calls(model)) <= before


def test_records_of_a_removed_model_are_not_read_and_not_lost(tmp_path: Path, suite: dict[str, Any]) -> None:
    play(suite, tmp_path)
    calls(tmp_path)
    play(suite, tmp_path, only=["popularity"])
    run = load_run(tmp_path / "run")
    kept = {path.name.split(".")[0] for path in (tmp_path / "run" / "records").iterdir()}
    assert kept == {"top-k@popularity"}
    assert "own" not in {row.model for row in run.results.estimates}
    play(suite, tmp_path)
    assert not calls(tmp_path)


def test_a_limit_is_not_answered_from_the_chunks_of_all_users(tmp_path: Path, suite: dict[str, Any]) -> None:
    play(suite, tmp_path)
    there = play(suite, tmp_path, limit=70)
    assert there == fresh(suite, tmp_path / "fresh", limit=70)
    rows = [
        pq.read_metadata(path).num_rows
        for path in sorted((tmp_path / "run" / "records").glob("top-k@own.*.parquet"))
    ]
    assert rows == [50, 20]


def test_a_damaged_part_is_made_again(tmp_path: Path, suite: dict[str, Any]) -> None:
    expected = play(suite, tmp_path)
    calls(tmp_path)
    part = next((tmp_path / "run" / "records").glob("top-k@own.00001.parquet"))
    part.write_bytes(part.read_bytes()[:-100])
    assert play(suite, tmp_path) == expected
    assert len(calls(tmp_path)) == 1


def test_a_chunk_in_which_everything_failed_is_asked_again(tmp_path: Path, suite: dict[str, Any]) -> None:
    (tmp_path / "oom").touch()
    play(suite, tmp_path)
    failed = len(calls(tmp_path))
    (tmp_path / "oom").unlink()
    assert play(suite, tmp_path) == fresh(suite, tmp_path / "fresh")
    assert len(calls(tmp_path)) == 2 * failed


def test_renamed_models_and_scenarios_leave_nothing_behind(tmp_path: Path, suite: dict[str, Any]) -> None:
    play(suite, tmp_path)
    other = copy.deepcopy(suite)
    other["models"]["mine"] = other["models"].pop("own")
    other["scenarios"]["ranking"] = other["scenarios"].pop("top-k")
    assert play(other, tmp_path) == fresh(other, tmp_path / "fresh")
    names = {path.name.split(".")[0] for path in (tmp_path / "run" / "records").iterdir()}
    assert names == {"ranking@mine", "ranking@popularity", "ranking@random"}
    report = render_report(tmp_path / "run")
    assert "top-k@" not in report
    assert ">own<" not in report
