"""Calibration of predicted ratings, from a played run."""

from __future__ import annotations

from pathlib import Path

import pytest
from charted import scene

import genrec_eval
from genrec_eval.reporting.charts.reliability import reliability
from genrec_eval.reporting.results import Results

SUITE = {
    "name": "stars",
    "seed": 3,
    "data": {"world": {"dataset": "synthetic", "options": {"users": 150, "items": 120}}},
    "models": {"bias": {"adapter": "reference", "model": "bias"}},
    "scenarios": {"s": {"scenario": "rating", "data": "world"}},
}


def test_bins_hold_what_users_gave_to_what_was_predicted(tmp_path: Path) -> None:
    run = genrec_eval.run(SUITE, out=tmp_path / "run", quiet=True, report=False)
    part = scene(Results.load(run.path), run.path, run.directory.run)
    (found,) = reliability(part)
    truth = {row["case"]: row["ratings"] for row in run.directory.cases("s").to_pylist()}
    pairs = sorted(
        (predicted, given)
        for row in run.records("bias", "s")[["case", "ratings"]].itertuples()
        for predicted, given in zip(row.ratings, truth[row.case], strict=True)
    )
    counts = [int(row[1].replace(",", "")) for row in found.rows]
    assert sum(counts) == len(pairs)
    first = pairs[: counts[0]]
    assert float(found.rows[0][2]) == pytest.approx(sum(p for p, _ in first) / len(first), abs=1e-3)
    assert float(found.rows[0][3]) == pytest.approx(sum(g for _, g in first) / len(first), abs=1e-3)
    held = sum(float(row[4]) <= float(row[2]) <= float(row[5]) for row in found.rows)
    assert f"bias in {held} of {len(counts)} bins" in found.title
