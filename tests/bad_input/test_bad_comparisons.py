"""Comparisons of runs that are hostile, damaged or have nothing to say to each other."""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from hostile import cli, refusal

from genrec_eval.core.randomness import generator

Runs = tuple[Path, Path]


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("run.json", "holds no run.json"),
        ("estimates.json", "score"),
        ("scores.parquet", "has no scores"),
        ("cases/top-k.parquet", "cases/top-k.parquet is missing; run the suite again"),
        ("cases/top-k@items.parquet", "cases/top-k@items.parquet is missing; run the suite again"),
        ("records/top-k@mine.00000.parquet", "the records of 'mine' in 'top-k' are missing"),
    ],
)
def test_a_run_that_lost_a_file(hostile_runs: Runs, broken: Path, file: str, said: str) -> None:
    (broken / file).unlink()
    assert said in refusal("compare", hostile_runs[0], broken)
    assert said in refusal("compare", broken, hostile_runs[0])


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("scores.parquet", "scores.parquet is no table of scores; 'genrec-eval score' writes it anew"),
        ("cases/top-k.parquet", "cases/top-k.parquet cannot be read ("),
        ("records/top-k@mine.00000.parquet", "records/top-k@mine.00000.parquet cannot be read ("),
    ],
)
def test_a_run_that_was_cut(hostile_runs: Runs, broken: Path, file: str, said: str) -> None:
    path = broken / file
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    assert said in refusal("compare", hostile_runs[0], broken)


def test_records_that_are_fewer_than_were_counted(hostile_runs: Runs, broken: Path) -> None:
    path = broken / "records" / "top-k@mine.00000.parquet"
    pq.write_table(pq.read_table(path).slice(0, 50), path)
    said = "50 of 60 records of 'mine' in 'top-k' are all there is; run the suite again"
    assert said in refusal("compare", hostile_runs[0], broken)
    assert said in refusal("score", broken)
    assert said in refusal("export", broken, "--to", "csv", "-o", broken / "tables")


def test_everything_that_a_comparison_says_is_text(hostile_runs: Runs, tmp_path: Path) -> None:
    written = [tmp_path / f"compared.{ending}" for ending in ("html", "md", "json")]
    said = cli("compare", *hostile_runs, *(word for path in written for word in ("-o", path)))
    assert said.code == 0
    for path in written[:2]:
        text = path.read_text("utf-8")
        assert "<script>alert(1)" not in text
        assert not set("\x1b\x07\x00\u202e") & set(text)
    assert json.loads(written[2].read_text())["flips"]


def test_differences_by_hand(hostile_runs: Runs, tmp_path: Path) -> None:
    """Against means over pairs, a bootstrap of our own and Holm written out."""
    before, after = hostile_runs
    assert cli("compare", before, after, "-q", "-o", tmp_path / "compared.json").code == 0
    rows = json.loads((tmp_path / "compared.json").read_text())["differences"]
    tables = [pq.read_table(run / "scores.parquet").to_pandas() for run in (before, after)]
    for metric in ("ndcg@5", "recall@5"):
        (row,) = [
            one for one in rows if (one["metric"], one["model"], one["slice"]) == (metric, "mine", "all")
        ]
        one, other = (
            table[(table.model == "mine") & (table.metric == metric)].set_index("unit").value
            for table in tables
        )
        assert set(one.index) == set(other.index)
        differences = (other - one).dropna().to_numpy()
        assert row["n"] == len(differences) == 60
        assert row["value"] == pytest.approx(differences.mean())
        draws = generator(1, "test", metric).integers(0, 60, (20_000, 60))
        low, high = np.quantile(differences[draws].mean(axis=1), [0.025, 0.975])
        assert (row["low"], row["high"]) == pytest.approx((low, high), abs=0.2 * (high - low))
    tested = [one for one in rows if one["slice"] == "all" and one["detectable"] is not None]
    p = np.array([one["p"] for one in tested])
    order = np.argsort(p)
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1)).clip(max=1)
    assert [tested[i]["p_adjusted"] for i in order] == pytest.approx(stepped.tolist())


def test_a_baseline_file_decides_as_its_run_does(hostile_runs: Runs, tmp_path: Path) -> None:
    before, after = hostile_runs
    kept = tmp_path / "kept.json"
    assert cli("baseline", "save", before, "-o", kept).code == 0
    found = []
    for number, against in enumerate((before, kept)):
        path = tmp_path / f"gate.{number}.json"
        cli("gate", after, "--baseline", against, "--json", path)
        found.append(json.loads(path.read_text())["rows"])
    assert found[0] == found[1]


def test_a_full_disk_leaves_no_half_of_a_summary(hostile_runs: Runs, tmp_path: Path) -> None:
    out = tmp_path / "compared.md"
    words = [sys.executable, "-m", "genrec_eval.cli.main", "compare", *map(str, hostile_runs), "-o", str(out)]
    done = subprocess.run(
        words, capture_output=True, text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000)),
    )  # fmt: skip
    assert done.returncode == 3
    assert done.stderr.startswith(f"error: cannot write to {out} (File too large)")
    assert not list(tmp_path.iterdir())
