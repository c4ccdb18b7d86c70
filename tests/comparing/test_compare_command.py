"""``genrec-eval compare``: outputs, exit codes, and runs that cannot be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from made_run import made, scores

from genrec_eval.cli.main import exit_code

NDCG = "ndcg@10"


@pytest.fixture
def runs(tmp_path: Path) -> tuple[Path, Path]:
    before = np.random.default_rng(1).random(60)
    a = made(tmp_path / "a", {"m": {NDCG: scores(before)}})
    b = made(tmp_path / "b", {"m": {NDCG: scores(before * 0.5)}})
    return a, b


def test_everything_comes_from_one_object(
    runs: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outs = [tmp_path / f"c.{ending}" for ending in ("html", "json", "md")]
    words = [word for path in outs for word in ("--out", str(path))]
    assert exit_code(["compare", *map(str, runs), *words]) == 0
    said = capsys.readouterr().out
    assert "WORSE" in said
    assert all(str(path) in said for path in outs)
    document = json.loads(outs[1].read_text())
    assert document["schema"] == "genrec-eval/comparison/1"
    assert document["differences"][0]["change"] == "worse"
    assert all("ndcg" in path.read_text() for path in outs)


def test_quiet_says_nothing_and_worse_fails_only_on_request(
    runs: tuple[Path, Path], capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["compare", *map(str, runs), "--quiet"]) == 0
    assert exit_code(["compare", *map(str, runs), "--quiet", "--fail-on-worse"]) == 1
    assert exit_code(["compare", *map(str, reversed(runs)), "--quiet", "--fail-on-worse"]) == 0
    assert exit_code(["compare", *map(str, runs), "-q", "--fail-on-worse", "--margin", "ndcg=0.9"]) == 0
    captured = capsys.readouterr()
    assert captured.out == captured.err == ""


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--margin", "ndcg"], "--margin ndcg: write METRIC=X"),
        (["--margin", "ndcg=little"], "'little' is not a number"),
        (["--margin", "ndcg=nan"], "a finite number above 0"),
        (["--model", "m"], "--model m: write NEW=OLD"),
        (["--model", "n=m"], "the candidate"),
        (["--metric", "ndgc@10"], "did you mean 'ndcg@10'"),
        (["--out", "c.pdf"], "--out c.pdf: a comparison is written as .html, .json, .md"),
        (["--out", "nowhere/c.md"], "there is no folder 'nowhere'"),
    ],
)
def test_mistakes_are_one_sentence(
    runs: tuple[Path, Path], words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["compare", *map(str, runs), *words]) == 2
    error = capsys.readouterr().err
    assert said in error
    assert len(error.strip().splitlines()) == 1


def spoil_estimates(path: Path) -> str:
    (path / "estimates.json").unlink()
    return "genrec-eval score"


def spoil_scores(path: Path) -> str:
    (path / "scores.parquet").unlink()
    return "genrec-eval score"


def spoil_state(path: Path) -> str:
    _edit(path, state="playing")
    return "finish it with 'genrec-eval run'"


def spoil_format(path: Path) -> str:
    _edit(path, format=99)
    return "written by a newer version of genrec-eval (format 99"


def spoil_json(path: Path) -> str:
    (path / "run.json").write_text("{")
    return "not valid JSON"


def spoil_suite(path: Path) -> str:
    _edit(path, suite=None)
    return "does not say what was played"


def spoil_cases(path: Path) -> str:
    _scramble(path / "cases" / "top-k.parquet")
    return "cannot be read"


def spoil_table_of_scores(path: Path) -> str:
    _scramble(path / "scores.parquet", keep=400)
    return "score the run again"


def spoil_scores_cut_off(path: Path) -> str:
    file = path / "scores.parquet"
    file.write_bytes(file.read_bytes()[:-50])
    return "no table of scores"


def spoil_records(path: Path) -> str:
    _scramble(next((path / "records").glob("*.parquet")))
    return "cannot be read"


def spoil_everything(path: Path) -> str:
    shutil.rmtree(path)
    return "is not a run directory: no such directory"


def _edit(path: Path, **change: object) -> None:
    file = path / "run.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **change}))


def _scramble(file: Path, keep: int = 8) -> None:
    """Other bytes in the pages, the same footer."""
    raw = bytearray(file.read_bytes())
    footer = int.from_bytes(raw[-8:-4], "little") + 8
    for place in range(keep if keep < len(raw) - footer else 4, len(raw) - footer):
        raw[place] ^= 0x5A
    file.write_bytes(bytes(raw))


@pytest.mark.parametrize("side", [0, 1])
@pytest.mark.parametrize(
    "spoil", [value for name, value in list(globals().items()) if name.startswith("spoil_")]
)
def test_a_run_that_cannot_be_read_is_one_sentence(
    runs: tuple[Path, Path], spoil: object, side: int, capsys: pytest.CaptureFixture[str]
) -> None:
    said = spoil(runs[side])  # type: ignore[operator]
    assert exit_code(["compare", *map(str, runs)]) == 2
    error = capsys.readouterr().err
    assert said in error, error
    assert "this is a fault of genrec-eval" not in error
    assert len(error.strip().splitlines()) == 1
