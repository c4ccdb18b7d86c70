"""Tables of a run as csv and parquet: nothing missing, nothing run by a spreadsheet."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrec_eval
from genrec_eval.cli.main import exit_code
from genrec_eval.core.errors import UsageError
from genrec_eval.engine.rundir import RunDirectory
from genrec_eval.reporting.export.files import harmless, write_table
from genrec_eval.reporting.export.tables import Exported, exported, table_names
from genrec_eval.reporting.export.tracked import safe_names, tracked

SUITE = {
    "name": "exported",
    "data": {"world": {"dataset": "synthetic", "options": {"users": 60, "items": 100}}},
    "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
    "scenarios": {
        "top-k": {
            "scenario": "top-k",
            "data": "world",
            "options": {"k": 5, "metrics": ["ndcg@5", "coverage@5"], "groups": ["group"]},
        }
    },
    "claims": [
        {
            "claim": "=HYPERLINK(1)",
            "scenario": "top-k",
            "metric": "ndcg@5",
            "model": "popularity",
            "at_least": 0.0,
        }
    ],
}


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.api.Run:
    return genrec_eval.run(SUITE, out=tmp_path_factory.mktemp("export") / "run", quiet=True, report=False)


def test_every_row_of_every_table_is_there(run, tmp_path):
    names = table_names(run.directory)
    assert names[:3] == ["cases.top-k", "cases.top-k@items", "records"]
    for kind in ("csv", "parquet"):
        for table in exported(run.directory):
            path, rows = write_table(table, tmp_path, kind)
            assert path == tmp_path / f"{table.name}.{kind}"
            read = pd.read_csv(path) if kind == "csv" else pd.read_parquet(path)
            assert len(read) == rows
            assert list(read.columns) == table.schema.names
    scores = pq.read_table(tmp_path / "scores.parquet")
    assert scores.equals(pq.read_table(run.path / "scores.parquet").cast(scores.schema))
    estimates = pd.read_csv(tmp_path / "estimates.csv")
    told = json.loads((run.path / "estimates.json").read_text())["estimates"]
    values = [float("nan") if row["value"] is None else row["value"] for row in told]
    assert estimates["value"].tolist() == pytest.approx(values, nan_ok=True)
    assert json.loads(estimates["excluded"][0]) == told[0]["excluded"]


def test_lists_are_json_and_formulas_are_text(run, tmp_path):
    for table in exported(run.directory, ["records", "verdicts"]):
        write_table(table, tmp_path, "csv")
    with (tmp_path / "records.csv").open(newline="") as stream:
        row = next(csv.DictReader(stream))
    assert len(json.loads(row["items"])) == 5
    with (tmp_path / "verdicts.csv").open(newline="") as stream:
        claims = [row["claim"] for row in csv.DictReader(stream)]
    assert "'=HYPERLINK(1)" in claims


@given(st.lists(st.one_of(st.none(), st.text()), max_size=8))
def test_no_text_starts_as_a_formula_and_nothing_else_changes(texts):
    made = harmless(pa.array(texts, pa.string())).to_pylist()
    for before, after in zip(texts, made, strict=True):
        if before and before[0] in "=+-@\t\r":
            assert after == "'" + before
        else:
            assert after == before


def test_null_and_empty_text_stay_apart(tmp_path):
    schema = pa.schema([("text", pa.string()), ("codes", pa.dictionary(pa.int32(), pa.string()))])
    batch = pa.RecordBatch.from_pylist([{"text": None, "codes": "@a"}, {"text": "", "codes": None}], schema)
    path, rows = write_table(Exported("t", schema, [batch]), tmp_path, "csv")
    assert rows == 2
    assert path.read_text() == '"text","codes"\n,"\'@a"\n"",\n'


def test_an_empty_table_has_its_head(tmp_path):
    schema = pa.schema([("a", pa.int64())])
    path, rows = write_table(Exported("t", schema, []), tmp_path, "csv")
    assert (path.read_text(), rows) == ('"a"\n', 0)


def test_what_is_wrong_is_said(run, tmp_path, capsys):
    with pytest.raises(UsageError, match=r"has no table 'scoers'; did you mean 'scores'\?"):
        list(exported(run.directory, ["scoers"]))
    assert exit_code(["export", str(run.path), "--to", "mlflow", "--table", "scores"]) == 2
    assert "--table goes with --to csv and --to parquet" in capsys.readouterr().err
    assert exit_code(["export", str(tmp_path)]) == 2
    assert "is not a run directory" in capsys.readouterr().err


def test_a_truncated_table_is_named(run, tmp_path):
    import shutil

    broken = tmp_path / "broken"
    shutil.copytree(run.path, broken)
    file = broken / "scores.parquet"
    file.write_bytes(file.read_bytes()[:200])
    with pytest.raises(UsageError, match=r"scores\.parquet cannot be read"):
        list(exported(RunDirectory.open(broken)))


def test_the_command_names_files_and_rows(run, tmp_path, capsys):
    assert exit_code(["export", str(run.path), "-o", str(tmp_path), "--table", "coverage"]) == 0
    assert capsys.readouterr().out.strip() == f"{tmp_path / 'coverage.csv'} (1 row)"
    assert [path.name for path in Path(tmp_path).iterdir()] == ["coverage.csv"]


def test_a_model_card_for_each_model(run, tmp_path, capsys):
    card = tmp_path / "cards" / "model-card.popularity.md"
    assert exit_code(["export", str(run.path), "--to", "model-card", "-o", str(card.parent)]) == 0
    assert capsys.readouterr().out.strip() == str(card)
    assert card.read_text().startswith("# Model card: popularity\n")
    assert exit_code(["export", str(run.path), "--to", "model-card", "--model", "popularty"]) == 2
    assert "did you mean 'popularity'?" in capsys.readouterr().err


def test_trackers_are_told_every_figure_or_its_reason(run):
    (model,) = tracked(run.path).models
    rows = [row for row in run.results.estimates if row.baseline is None]
    for row in rows:
        name = f"top-k/{row.metric}" + ("" if row.slice == "all" else f" {row.slice}")
        assert model.figures.get(name) == row.value
        assert (name in model.missing) == (row.value is None)
    assert model.verdicts["top-k/=HYPERLINK(1)"] == "PASS"
    assert model.settings["data.world"] == run.directory.run["data"]["world"]["digest"]


@given(st.lists(st.text(max_size=20), unique=True, max_size=12))
def test_names_for_trackers_are_safe_and_stay_apart(names):
    made = safe_names(names)
    assert list(made) == names
    assert len(set(made.values())) == len(names)
    for name in made.values():
        assert name
        assert all(letter.isascii() and (letter.isalnum() or letter in "_-. /") for letter in name)
