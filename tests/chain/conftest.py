"""Two small scored runs, copied for every test that changes them."""

from __future__ import annotations

import hashlib
import os
import shutil
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from chain_tools import edit

import genrec_eval
from genrec_eval.audit.chain.build import seal_pages, write_chain
from genrec_eval.engine.rundir import RunDirectory

ENGINE = Path(__file__).resolve().parent.parent / "engine"

SUITE = {
    "name": "small",
    "seed": 7,
    "data": {
        "w": {"dataset": "synthetic", "options": {"users": 120, "items": 40, "interactions_per_user": 12}}
    },
    "models": {
        "popularity": {"adapter": "reference", "model": "popularity"},
        "random": {"adapter": "reference", "model": "random"},
    },
    "scenarios": {
        "top-k": {
            "scenario": "top-k",
            "data": "w",
            "options": {"metrics": ["ndcg"]},
        }
    },
    "claims": [
        {
            "claim": "Popularity beats chance",
            "scenario": "top-k",
            "metric": "ndcg@10",
            "model": "popularity",
            "against": "random",
            "better_by": 0.0,
        }
    ],
}
PAYLOAD = b"a picture of film-1"


@pytest.fixture(scope="session")
def _ranked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("ranked") / "run"
    genrec_eval.run(SUITE, out=out, quiet=True)
    return out


@pytest.fixture(scope="session")
def _written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Notes by three writers, judged in four ways; film-1 of quokka has a payload."""
    sys.path.insert(0, str(ENGINE))
    try:
        import judging_workshop
    finally:
        sys.path.remove(str(ENGINE))
    folder = tmp_path_factory.mktemp("written")
    (folder / "judging_workshop.py").write_text(Path(judging_workshop.__file__).read_text())
    before = Path.cwd()
    os.chdir(folder)
    try:
        genrec_eval.run(judging_workshop.suite(), out=folder / "run", quiet=True)
        name = f"{hashlib.sha256(PAYLOAD).hexdigest()}.png"
        (folder / "run" / "blobs").mkdir()
        (folder / "run" / "blobs" / name).write_bytes(PAYLOAD)
        path = folder / "run" / "records" / "notes@quokka.00000.parquet"
        row = pq.read_table(path).column("case").to_pylist().index("film-1")
        edit(path, lambda rows: rows[row].update(blob=name))
        directory = RunDirectory.open(folder / "run")
        write_chain(directory)
        seal_pages(directory.path)
    finally:
        os.chdir(before)
    return folder / "run"


@pytest.fixture
def ranked(_ranked: Path, tmp_path: Path) -> Path:
    """A run of lists."""
    return Path(shutil.copytree(_ranked, tmp_path / "ranked"))


@pytest.fixture
def written(_written: Path, tmp_path: Path) -> Path:
    """A run of texts with judgements and a payload."""
    return Path(shutil.copytree(_written, tmp_path / "written"))
