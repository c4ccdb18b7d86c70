"""Two small runs that were really played, and a maker of runs from numbers."""

from __future__ import annotations

from pathlib import Path

import pytest

import genrec_eval

SUITE = {
    "name": "small",
    "seed": 3,
    "data": {
        "world": {
            "dataset": "synthetic",
            "options": {"users": 150, "items": 120, "interactions_per_user": 20},
        }
    },
    "models": {
        "knn": {"adapter": "reference", "model": "item-knn", "options": {"neighbours": 50}},
        "popularity": {"adapter": "reference", "model": "popularity"},
    },
    "scenarios": {
        "top-k": {
            "scenario": "top-k",
            "data": "world",
            "options": {"k": 10, "groups": ["group"], "metrics": ["ndcg@10", "hit_rate@10", "coverage@10"]},
        }
    },
}


@pytest.fixture(scope="session")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Reference and candidate: item-kNN with 50 and with 1 neighbour."""
    folder = tmp_path_factory.mktemp("played")
    genrec_eval.run(SUITE, out=folder / "before", quiet=True, report=False)
    genrec_eval.run(
        SUITE,
        out=folder / "after",
        quiet=True,
        report=False,
        sets=["models.knn.options.neighbours=1", "engine.timeout=30"],
    )
    return folder / "before", folder / "after"
