"""The run directory as an interface: versions, locks, faults of the disk."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pytest

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.engine.rundir import RunDirectory, disk_faults, write_json


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


def test_a_place_where_nothing_can_be_written_is_usage(tmp_path: Path) -> None:
    for path in (tmp_path / "none" / "a.json", tmp_path / ("a" * 300)):
        with pytest.raises(UsageError, match=r"cannot write to .*; name another place"):
            write_json(path, {})
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match=r"\(Not a directory\); name another place"):
        write_json(tmp_path / "file" / "a.json", {})


def test_cases_and_context_come_back(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path)
    cases, items = pa.table({"case": ["a"]}), pa.table({"item": ["x", "y"]})
    directory.store_cases("top-k", cases, {"items": items})
    assert directory.cases("top-k").equals(cases)
    assert directory.context("top-k")["items"].equals(items)
    with pytest.raises(UsageError, match=r"cases/other\.parquet is missing"):
        directory.cases("other")


def test_a_process_killed_at_its_very_start_leaves_nothing_in_the_way(tmp_path: Path) -> None:
    (tmp_path / "lock").touch()
    (tmp_path / "run.json.partial").write_text('{"form')
    assert RunDirectory.create(tmp_path).run == {"format": 1}


def test_context_of_an_earlier_version_of_the_scenario_is_not_read(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path)
    table = pa.table({"case": ["a"]})
    directory.store_cases("s", table, {"items": table, "old": table})
    directory.store_cases("s", table, {"items": table})
    assert set(directory.context("s")) == {"items"}


@pytest.mark.parametrize("content", [b"", b"PAR1 not really PAR1"])
def test_a_broken_table_is_a_sentence(tmp_path: Path, content: bytes) -> None:
    directory = RunDirectory.create(tmp_path)
    directory.store_cases("s", pa.table({"case": ["a"]}), {})
    (tmp_path / "cases" / "s.parquet").write_bytes(content)
    with pytest.raises(UsageError, match=r"s\.parquet cannot be read .* run the suite again to rebuild it"):
        directory.cases("s")
    directory.records_folder.mkdir()
    (directory.records_folder / "s@m.00000.parquet").write_bytes(content)
    with pytest.raises(UsageError, match=r"cannot be read .*; delete it and run the suite again"):
        list(directory.records("m", "s"))


def test_a_play_finds_neither_results_nor_records_of_another(tmp_path: Path) -> None:
    directory = RunDirectory.create(tmp_path)
    directory.records_folder.mkdir()
    for name in ("estimates.json", "scores.parquet", "report.html"):
        (tmp_path / name).write_text("of an earlier suite")
    for name in ("s@kept.00000", "s@gone.00000", "s@gone.00001", "old@kept.00000"):
        (directory.records_folder / f"{name}.parquet").write_text(name)
    (directory.records_folder / "s@kept.00001.partial").write_text("killed while writing")

    directory.begin([("kept", "s")])
    assert [path.name for path in directory.records_folder.iterdir()] == ["s@kept.00000.parquet"]
    assert {path.name for path in tmp_path.iterdir()} == {"records", "spare"}

    directory.begin([("gone", "s")])
    assert sorted(path.name for path in directory.records_folder.iterdir()) == [
        "s@gone.00000.parquet",
        "s@gone.00001.parquet",
    ]
    assert (directory.records_folder / "s@gone.00001.parquet").read_text() == "s@gone.00001"


def test_nothing_secret_reaches_run_json(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from genrec_eval.core.secrets import expand

    monkeypatch.setenv("TEST_KEY", "pass/word with ünïcode & spaces")
    key = expand("${env:TEST_KEY}")
    directory = RunDirectory.create(tmp_path)
    directory.run["coverage"] = [{"reason": f"{key} refused"}, {"reason": "GET /?q=pass%2Fword%20with"}]
    directory.run["data"] = {"source": f"https://x/{key}"}
    directory.save()
    text = (tmp_path / "run.json").read_text()
    assert "word with ünïcode" not in text
    assert text.count("${env:TEST_KEY}") == 2


def test_fresh_sets_aside_and_never_deletes(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "run.json").write_text('{"format": 99}')
    (tmp_path / "run" / "journal.sqlite").write_text("paid for")
    directory = RunDirectory.create(tmp_path / "run", fresh=True)
    with directory.locked():
        assert directory.renew() == tmp_path / "run~1"
        assert directory.renew() is None
    assert (tmp_path / "run~1" / "journal.sqlite").read_text() == "paid for"
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "thesis.tex").write_text("precious")
    with pytest.raises(UsageError, match="holds other files"):
        RunDirectory.create(tmp_path / "thesis", fresh=True)
