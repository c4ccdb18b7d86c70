"""A suite is edited between two runs into one directory: nothing old is shown, nothing is asked twice."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

import genrec_eval
from genrec_eval.api import score
from genrec_eval.core.errors import IncompleteError, UsageError

MODEL = """
from pathlib import Path

async def recommend(user, history, k, top={top}):
    with (Path(__file__).parent / "asked.txt").open("a") as log:
        log.write(f"{{user}} {{k}} {{top}}\\n")
    return history[:top]

def another(user, history, k):
    return history[::-1][:k]
"""


@pytest.fixture
def suite(tmp_path: Path) -> dict[str, Any]:
    (tmp_path / "model.py").write_text(MODEL.format(top=3))
    world = {"users": 150, "items": 50, "interactions_per_user": 12}
    options = {"k": 4, "metrics": ["ndcg@3"]}
    return {
        "name": "edited",
        "seed": 5,
        "data": {"world": {"dataset": "synthetic", "options": world}},
        "models": {
            "own": {"adapter": "python", "target": f"{tmp_path}/model.py:recommend"},
            "other": {"adapter": "python", "target": f"{tmp_path}/model.py:another"},
        },
        "scenarios": {"top-k": {"scenario": "top-k", "data": "world", "options": options}},
    }


def play(suite: dict[str, Any], out: Path, *, report: bool = False, **more: Any) -> bytes:
    run = genrec_eval.run(suite, out=out, quiet=True, report=report, **more)
    return (run.path / "estimates.json").read_bytes()


def asked(folder: Path) -> Counter[str]:
    log = folder / "asked.txt"
    found = Counter(log.read_text().splitlines()) if log.exists() else Counter()
    log.unlink(missing_ok=True)
    return found


def test_estimates_after_every_edit_are_those_of_a_fresh_run(tmp_path: Path, suite: dict[str, Any]) -> None:
    run = tmp_path / "run"
    first = play(suite, run)
    everything = asked(tmp_path)
    assert set(everything.values()) == {1}

    def edit(change: Any) -> dict[str, Any]:
        edited = json.loads(json.dumps(suite))
        change(edited)
        return dict(edited)

    edits: list[tuple[dict[str, Any], dict[str, Any], bool]] = [
        (edit(lambda s: s["scenarios"]["top-k"]["options"].update(k=3)), {}, True),
        (edit(lambda s: s["models"]["own"].update(options={"top": 2})), {}, True),
        (edit(lambda s: s["models"]["own"].update(repeats=2)), {}, True),
        (edit(lambda s: s["models"].pop("other")), {}, False),
        (edit(lambda s: s["models"].update(mine=s["models"].pop("own"))), {}, False),
        (edit(lambda s: s["scenarios"].update(rank=s["scenarios"].pop("top-k"))), {}, False),
        (suite, {"limit": 20}, False),
        (suite, {"only": ["other"]}, False),
        (edit(lambda s: s.update(engine={"limit": 2, "retries": 0})), {}, False),
    ]
    for number, (edited, how, asks) in enumerate(edits):
        there = play(edited, run, **how)
        again = asked(tmp_path)
        assert bool(again) is asks, (number, again)
        assert there == play(edited, tmp_path / f"fresh-{number}", **how)
        asked(tmp_path)
    assert play(suite, run) == first
    assert not asked(tmp_path)


def test_an_edited_function_is_asked_anew(tmp_path: Path, suite: dict[str, Any]) -> None:
    play(suite, tmp_path / "run")
    before = asked(tmp_path)
    (tmp_path / "model.py").write_text(MODEL.format(top=1))
    play(suite, tmp_path / "run")
    assert len(asked(tmp_path)) == len(before)


def test_a_rerun_that_broke_off_shows_no_results_of_the_run_before(
    tmp_path: Path, suite: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    play(suite, tmp_path / "run", report=True)

    def full(*_: Any) -> None:
        raise IncompleteError("no room")

    monkeypatch.setattr("genrec_eval.engine.play.cover", full)
    with pytest.raises(IncompleteError, match="no room"):
        play(suite, tmp_path / "run")
    names = {path.name for path in (tmp_path / "run").iterdir()}
    assert not names & {"estimates.json", "scores.parquet", "report.html"}
    with pytest.raises(UsageError, match="was interrupted while it was played"):
        score(tmp_path / "run")


def test_a_rerun_that_cannot_start_leaves_the_finished_run_as_it_was(tmp_path: Path) -> None:
    suite = {
        "name": "whole",
        "data": {"world": {"dataset": "synthetic", "options": {"users": 60, "items": 120}}},
        "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {"top-k": {"scenario": "top-k", "data": "world"}},
    }
    out = tmp_path / "run"
    genrec_eval.run(suite, out=out, quiet=True, report=False)
    before = {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()}
    broken: dict[str, Any] = {**suite, "models": {"lost": {"adapter": "replay", "path": "nowhere.csv"}}}
    for fresh in (False, True):
        with pytest.raises(UsageError, match=r"nowhere\.csv"):
            genrec_eval.run(broken, out=out, quiet=True, report=False, fresh=fresh)
        assert {path: path.read_bytes() for path in sorted(out.rglob("*")) if path.is_file()} == before
    assert not (tmp_path / "run~1").exists()
