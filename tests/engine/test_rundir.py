"""The run directory as an interface: versions, locks, faults of the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.engine.rundir import RunDirectory, disk_faults, set_aside, write_json


def test_it_opens_what_it_created(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path / "run")
    directory.run |= {"play": [{"model": "m", "scenario": "s"}]}
    directory.save()
    assert RunDirectory.open(tmp_path / "run").played() == [("m", "s")]


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (None, "is not a run directory: it holds no run.json"),
        ("{", "is not valid JSON"),
        ('{"name": "x"}', "older, unreleased version"),
        ('{"format": 99}', "newer version of genrec-eval \\(format 99, this one reads up to 1\\); upgrade"),
    ],
)
def test_other_directories_are_refused_with_a_sentence(
    tmp_path: Path, content: str | None, sentence: str
) -> None:
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    with pytest.raises(UsageError, match=sentence):
        RunDirectory.open(tmp_path)


def test_a_missing_directory_and_a_foreign_one_are_told_apart(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no such directory"):
        RunDirectory.open(tmp_path / "none")
    (tmp_path / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="holds other files"):
        RunDirectory.create(tmp_path)
    with pytest.raises(UsageError, match="is a file"):
        RunDirectory.create(tmp_path / "thesis.tex")


def test_two_runs_cannot_write_one_directory(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path)
    other = (
        "import sys\nfrom pathlib import Path\nfrom genrec_eval.engine.rundir import RunDirectory\n"
        "with RunDirectory.create(Path(sys.argv[1])).locked(): pass"
    )
    with directory.locked():
        done = subprocess.run([sys.executable, "-c", other, tmp_path], capture_output=True, text=True)
    assert "another genrec-eval is writing to" in done.stderr
    subprocess.run([sys.executable, "-c", other, tmp_path], check=True)


def test_json_is_strict_and_whole(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": None, "a": 1})
    assert json.loads((tmp_path / "a.json").read_text()) == {"a": 1, "b": None}
    assert [path.name for path in tmp_path.iterdir()] == ["a.json"]


def test_a_full_disk_is_a_sentence(tmp_path: Path) -> None:
    with (
        pytest.raises(IncompleteError, match=r"No space left on device.*make room and run the same command"),
        disk_faults(tmp_path),
        open("/dev/full", "wb", buffering=0) as full,  # noqa: PTH123
    ):
        full.write(b"x")


def test_cases_and_context_come_back(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path)
    cases, items = pa.table({"case": ["a"]}), pa.table({"item": ["x", "y"]})
    directory.store_cases("top-k", cases, {"items": items})
    assert directory.cases("top-k").equals(cases)
    assert directory.context("top-k")["items"].equals(items)
    with pytest.raises(UsageError, match=r"cases/other\.parquet is missing"):
        directory.cases("other")


def test_fresh_sets_aside_and_never_deletes(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "journal.sqlite").write_text("paid for")
    assert set_aside(tmp_path / "run") == tmp_path / "run~1"
    assert (tmp_path / "run~1" / "journal.sqlite").read_text() == "paid for"
    assert set_aside(tmp_path / "run") is None
