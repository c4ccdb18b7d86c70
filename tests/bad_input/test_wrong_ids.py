"""A model that speaks of other ids than the catalogue: the commonest mistake of a first run."""

from __future__ import annotations

from pathlib import Path

import genrec_eval

SUITE = {
    "name": "wrong-ids",
    "data": {"world": {"dataset": "synthetic", "options": {"users": 100, "items": 120}}},
    "models": {"unknown-ids": {"adapter": "reference", "model": "unknown-ids"}},
    "scenarios": {"top-k": {"scenario": "top-k", "data": "world"}},
}


def test_the_ids_of_both_sides_are_shown(tmp_path: Path) -> None:
    live = {"mine": lambda user, history, k: list(range(1, k + 1))}
    run = genrec_eval.run(SUITE, models=live, out=tmp_path / "run", quiet=True)
    reasons = {row.model: row.remark for row in run.results.coverage}
    assert reasons["mine"] == (
        "100% of the listed ids are not in the catalogue, such as '1', '10', '2';"
        " its ids are like 'i001', 'i002', 'i003'"
    )
    assert reasons["unknown-ids"] is None  # three in ten are a finding, not a mix-up
    assert "&#39;i001&#39;" in run.report.read_text() or "'i001'" in run.report.read_text()
