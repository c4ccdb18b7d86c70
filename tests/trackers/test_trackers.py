"""MLflow and Weights & Biases with their real libraries, writing to a folder."""

from __future__ import annotations

import struct
from collections.abc import Iterator

import pytest

import genrec_eval
from genrec_eval.core.errors import UsageError

SUITE = {
    "name": "tracked",
    "data": {"world": {"dataset": "synthetic", "options": {"users": 60, "items": 100}}},
    "models": {name: {"adapter": "reference", "model": name} for name in ("popularity", "random")},
    "scenarios": {
        "top-k": {
            "scenario": "top-k",
            "data": "world",
            "options": {"k": 5, "metrics": ["ndcg@5"], "groups": ["group"]},
        }
    },
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.api.Run:
    return genrec_eval.run(SUITE, out=tmp_path_factory.mktemp("tracked") / "run", quiet=True)


def test_mlflow_holds_the_figures_and_the_files(run, tmp_path, monkeypatch):
    tracking = pytest.importorskip("mlflow.tracking", reason="needs the extra mlflow")
    from genrec_eval.reporting.export.to_mlflow import log_mlflow

    monkeypatch.setenv("MLFLOW_ALLOW_FILE_STORE", "true")
    uri = f"file:{tmp_path}"
    whole = log_mlflow(run.path, tracking_uri=uri, experiment="ours")
    client = tracking.MlflowClient(tracking_uri=uri)
    assert {file.path for file in client.list_artifacts(whole)} >= {"report.html", "estimates.json"}
    place = client.get_experiment_by_name("ours").experiment_id
    children = client.search_runs([place], f"tags.`mlflow.parentRunId` = '{whole}'")
    found = {child.info.run_name: child.data for child in children}
    assert set(found) == {"popularity", "random"}
    row = run.estimates.query("model == 'popularity' and metric == 'ndcg@5' and slice == 'all'").iloc[0]
    metrics = found["popularity"].metrics
    assert metrics["top-k/ndcg_at_5"] == row["value"]
    assert metrics["top-k/ndcg_at_5.low"] == row["low"]
    assert metrics["top-k/ndcg_at_5.n"] == row["n"]
    assert found["popularity"].params["seed"] == "0"


def test_mlflow_says_why_not(run, monkeypatch):
    pytest.importorskip("mlflow.tracking", reason="needs the extra mlflow")
    from genrec_eval.reporting.export.to_mlflow import log_mlflow

    monkeypatch.delenv("MLFLOW_ALLOW_FILE_STORE", raising=False)
    with pytest.raises(UsageError, match="MLflow did not take the run of"):
        log_mlflow(run.path, tracking_uri="nonsense://nowhere")


def _records(held: bytes) -> Iterator[bytes]:
    """A LevelDB log behind a head of 7 bytes: blocks of 32 KiB, records of crc, length, type and data."""
    place, whole = 7, b""
    while place + 7 <= len(held):
        if 32768 - place % 32768 < 7:
            place += 32768 - place % 32768
            continue
        length, kind = struct.unpack_from("<HB", held, place + 4)
        whole += held[place + 7 : place + 7 + length]
        place += 7 + length
        if kind in (1, 4):  # whole, or the last part
            yield whole
            whole = b""


def test_wandb_writes_files_and_tells_nothing_of_the_machine(run, tmp_path):
    pytest.importorskip("wandb", reason="needs the extra wandb")
    from wandb.proto import wandb_internal_pb2

    from genrec_eval.reporting.export.to_wandb import log_wandb

    ids = log_wandb(run.path, offline=True, folder=tmp_path)
    assert len(ids) == 2
    told = {}
    for path in tmp_path.glob("wandb/offline-run-*/*.wandb"):
        name = ""
        for data in _records(path.read_bytes()):
            record = wandb_internal_pb2.Record()
            record.ParseFromString(data)
            name = record.run.display_name or name
            for item in record.summary.update:
                told[name, item.key or "/".join(item.nested_key)] = item.value_json
    row = run.estimates.query("model == 'random' and metric == 'ndcg@5' and slice == 'all'").iloc[0]
    assert float(told["random", "top-k/ndcg@5"]) == row["value"]
    assert not list(tmp_path.rglob("requirements.txt"))
    assert not list(tmp_path.rglob("wandb-metadata.json"))
