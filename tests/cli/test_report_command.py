"""``genrec-eval report``: one run, a run since an earlier one, several, and arguments that make no sense."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

import genrec_eval
from genrec_eval.cli.main import exit_code

SUITE = {
    "name": "s",
    "data": {"world": {"dataset": "synthetic", "options": {"users": 150, "items": 100}}},
    "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
    "scenarios": {
        "top-k": {"scenario": "top-k", "data": "world", "options": {"k": 5, "metrics": ["ndcg@5"]}}
    },
}


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs")
    for name in ("old", "new"):
        genrec_eval.run(SUITE, out=folder / name, quiet=True, report=False)
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: object) -> str:
    assert exit_code(["report", *map(str, words)]) == 2
    return " ".join(capsys.readouterr().err.split())


def test_a_report_since_an_earlier_run_shows_what_changed(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "audit.html"
    assert exit_code(["report", str(runs / "new"), "--against", str(runs / "old"), "-o", str(out)]) == 0
    assert capsys.readouterr().out.strip() == str(out)
    text = out.read_text("utf-8")
    assert text.index('id="tested"') < text.index('id="matrix"') < text.index('id="comparison"')
    assert 'href="#comparison"' in text


def test_a_folder_of_runs_gets_an_index_in_it_and_several_runs_where_it_is_said(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["report", str(runs)]) == 0
    assert capsys.readouterr().out.strip() == str(runs / "index.html")
    assert "new" in (runs / "index.html").read_text("utf-8")
    out = tmp_path / "both.html"
    assert exit_code(["report", str(runs / "old"), str(runs / "new"), "-o", str(out)]) == 0
    assert out.is_file()


def test_arguments_that_make_no_sense_are_told_in_a_sentence(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new, old = runs / "new", runs / "old"
    assert "is the run itself; name an earlier one" in said(capsys, new, "--against", new)
    assert "is a folder; name a file in it" in said(capsys, new, "-o", tmp_path)
    assert "say where to write it: -o index.html" in said(capsys, old, new)
    assert "belong to the report of one run" in said(capsys, old, new, "--against", old)
    assert "is not a run directory: no such directory" in said(capsys, tmp_path / "nowhere")
    assert "is not a run directory: it holds no run.json" in said(capsys, tmp_path)
    assert "is not a run directory" in said(capsys, new, "--against", tmp_path)
    assert "genrec-eval compare" in said(capsys, new, "--against", old, "-o", tmp_path / "x.md")
    assert not list(tmp_path.iterdir())


def test_how_many_instances_lie_beside_the_page(
    runs: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = {}
    for wanted in ("all", "20", "none"):
        out = tmp_path / wanted / "page.html"
        assert exit_code(["report", str(runs / "new"), "-o", str(out), "--instances", wanted]) == 0
        beside = out.with_name("page.instances.jsonl.gz")
        rows[wanted] = len(gzip.decompress(beside.read_bytes()).splitlines()) if beside.exists() else 0
    assert rows["all"] > rows["20"] > rows["none"] == 0
    capsys.readouterr()
    for wrong in ("some", "-1", "1e3", ""):
        assert "write how many, all or none" in said(capsys, runs / "new", f"--instances={wrong}")
    assert "has no instances" in said(capsys, runs / "new", "--instances", "3", "-o", tmp_path / "a.md")
    assert "belong to the report of one run" in said(capsys, runs / "new", runs / "old", "--instances", "3")
