"""Reports, exports and redactions of runs that are hostile or have lost a part."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
from hostile import cli, refusal

Runs = tuple[Path, Path]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("scores.parquet", "scores.parquet is missing"),
        ("judgements.parquet", "judgements.parquet is missing"),
        ("cases/explanation.parquet", "cases/explanation.parquet is missing"),
        ("records/top-k@mine.00000.parquet", "the records of 'mine' in 'top-k' are missing"),
    ],
)
def test_a_lost_table_is_no_smaller_report(broken: Path, file: str, said: str, tmp_path: Path) -> None:
    (broken / file).unlink()
    for words in (
        ("report", broken, "-o", tmp_path / "report.html"),
        ("export", broken, "-o", tmp_path / "e"),
    ):
        assert said in refusal(*words)
    assert not list(tmp_path.glob("report*"))
    assert not (tmp_path / "e").exists()
    verified = cli("verify", broken, "--hashes-only")
    assert (verified.code, verified.out.startswith(f"differs: {file}: is missing")) == (1, True)


def test_a_broken_verdict_of_the_gate_names_its_own_cure(broken: Path) -> None:
    (broken / "gate.json").write_text('{"schema": ')
    said = refusal("report", broken)
    assert "gate.json is not valid JSON" in said
    assert said.endswith("decide it again with 'genrec-eval gate', or remove the file")


@pytest.mark.parametrize("file", ["judgements.parquet", "records/explanation@writer.00000.parquet"])
def test_a_run_with_a_cut_table_is_not_redacted(broken: Path, file: str) -> None:
    path = broken / file
    path.write_bytes(path.read_bytes()[:100])
    before = {one: one.read_bytes() for one in broken.rglob("*.parquet")}
    assert "nothing was redacted; see: genrec-eval verify" in refusal(
        "redact", broken, "--case", "u1", "--reason", "a person is named"
    )
    assert {one: one.read_bytes() for one in broken.rglob("*.parquet")} == before


def test_everything_on_the_pages_is_text(hostile_runs: Runs, tmp_path: Path) -> None:
    before, after = hostile_runs
    page, index, short = tmp_path / "audit.html", tmp_path / "index.html", tmp_path / "audit.md"
    assert cli("report", after, "--against", before, "-o", page).code == 0
    assert cli("report", before, after, "-o", index).code == 0
    assert cli("report", after, "-o", short).code == 0
    assert cli("export", after, "--to", "model-card", "-o", tmp_path).code == 0
    for path in (page, index, short, *tmp_path.glob("model-card.*.md")):
        text = path.read_text("utf-8")
        assert "<script>alert(1)" not in text
        assert "</textarea> =1+1" not in text
        assert not set("\x1b\x07\x00\u202e") & set(text)


def test_a_spreadsheet_runs_nothing_and_holds_the_figures(hostile_runs: Runs, tmp_path: Path) -> None:
    run = hostile_runs[1]
    assert cli("export", run, "-o", tmp_path).code == 0
    for path in tmp_path.glob("*.csv"):
        with path.open(encoding="utf-8", newline="") as stream:
            for row in csv.reader(stream):
                for cell in row:
                    assert cell[:1] not in "=+@\t\r" or not cell, (path.name, cell)
                    assert not cell.startswith("-") or float(cell) <= 0, (path.name, cell)
    told = json.loads((run / "estimates.json").read_text())["estimates"]
    with (tmp_path / "estimates.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert len(rows) == len(told)
    for row, one in zip(rows, told, strict=True):
        for name in ("value", "low", "high", "p"):
            assert (float(row[name]) if row[name] else None) == one.get(name)


def test_an_index_names_the_runs_that_it_cannot_read(
    hostile_runs: Runs, broken: Path, tmp_path: Path
) -> None:
    (broken / "estimates.json").write_text("{")
    assert cli("report", hostile_runs[0], broken, "-o", tmp_path / "index.html").code == 0
    assert "is not valid JSON" in (tmp_path / "index.html").read_text("utf-8")
