"""Every planted flaw is named by its own check alone, and no sound model is accused, whatever the seed."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrec_eval
from genrec_eval.protocol.results import Ruling

SOUND = (
    "random", "popularity", "recent-popularity", "item-knn", "user-knn", "ease", "slim", "ials", "bpr-mf",
    "markov", "fpmc", "dense-retriever", "bias", "mf-ratings",
)  # fmt: skip
PLANTED = {
    "duplicates": "duplicate@10",
    "unknown-ids": "invalid@10",
    "seen-items": "seen@10",
    "short-lists": "short@10",
    "peeking-popularity": "peeking@10",
    "future-items": "future@10",
    "ties-everywhere": "tied@10",
    "negated-scores": "misordered@10",
}


@pytest.mark.parametrize("seed", [0, 1, 2, 16, 18])  # in the last two, texts speak for new items
def test_flaws_are_flagged_by_name_and_sound_models_never(seed: int, tmp_path: Path) -> None:
    suite = {
        "name": "flaws",
        "seed": seed,
        "data": {"world": {"dataset": "synthetic", "options": {"users": 400, "items": 200}}},
        "models": {name: {"adapter": "reference", "model": name} for name in (*SOUND, *PLANTED)},
        "scenarios": {"top-k": {"scenario": "top-k", "data": "world", "options": {"metrics": ["ndcg"]}}},
    }
    run = genrec_eval.run(suite, out=tmp_path / "run", quiet=True, report=False)
    checks = {(row.model, row.metric): row.verdict for row in run.results.verdicts if not row.gate}
    assert {model for model, _ in checks} == {*SOUND, *PLANTED}
    failed = {key for key, verdict in checks.items() if verdict is Ruling.FAIL}
    assert failed == set(PLANTED.items())
    assert all(verdict is Ruling.PASS for key, verdict in checks.items() if key not in failed)
