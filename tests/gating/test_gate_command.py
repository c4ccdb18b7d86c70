"""``genrec-eval gate`` and ``baseline`` on runs of real models, as a CI job calls them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

import genrec_eval
from genrec_eval.audit.gating.types import GateResult
from genrec_eval.cli.main import exit_code
from genrec_eval.core.errors import UsageError

SUITE = """\
name: gated
seed: 7
data:
  world: {dataset: synthetic, options: {users: 600, items: 200}}
models:
  knn: {adapter: reference, model: item-knn, options: {neighbours: 50}}
scenarios:
  top-k:
    scenario: top-k
    data: world
    options: {k: 10, metrics: [ndcg@10, hit_rate@10], groups: [group]}
gate:
  baseline: baseline.json
  rules:
    - {scenario: top-k, metric: ndcg@10, at_least: 0.05}
    - {scenario: top-k, metric: ndcg@10, not_worse_by: 0.03}
"""
ALONE = SUITE.replace("    - {scenario: top-k, metric: ndcg@10, not_worse_by: 0.03}\n", "")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a suite, a run of it, one of a worse model, and a baseline of the first."""
    folder = tmp_path_factory.mktemp("gated")
    (folder / "suite.yaml").write_text(SUITE, "utf-8")
    genrec_eval.run(folder / "suite.yaml", out=folder / "base", quiet=True, report=False)
    worse = ["models.knn.model=random", "models.knn.options={}"]
    genrec_eval.run(folder / "suite.yaml", out=folder / "worse", sets=worse, quiet=True, report=False)
    assert exit_code(["baseline", "save", str(folder / "base"), "-o", str(folder / "baseline.json")]) == 0
    return folder


def test_the_run_of_the_baseline_passes_and_a_worse_model_fails(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert exit_code(["gate", str(place / "base")]) == 0
    out = tmp_path / "verdict.json"
    outputs = ["--json", str(out), "--junit", str(tmp_path / "g.xml"), "--markdown", str(tmp_path / "g.md")]
    outputs += ["--html", str(tmp_path / "g.html")]
    assert exit_code(["gate", str(place / "worse"), *outputs]) == 1
    said = capsys.readouterr().out
    assert "differs from the baseline's by −0." in said
    assert out.read_bytes() == (place / "worse" / "gate.json").read_bytes()
    found = GateResult.from_json(json.loads(out.read_text("utf-8")))
    assert found == genrec_eval.gate(place / "worse")
    assert [row.where.rpartition(":")[2] for row in found.rows if row.where] == ["15", "16"]
    assert all((tmp_path / name).stat().st_size > 300 for name in ("g.xml", "g.md", "g.html"))


def test_a_run_may_be_the_baseline(place: Path) -> None:
    found = genrec_eval.gate(place / "worse", place / "base")
    other = genrec_eval.gate(place / "worse")
    assert [row.low for row in found.rows] == [row.low for row in other.rows]  # the file is exact
    assert found.exit_code == 1
    run = genrec_eval.load_run(place / "base")
    assert genrec_eval.gate(run, run).exit_code == 0


def test_newer_rules_come_from_a_suite(place: Path, tmp_path: Path) -> None:
    suite = tmp_path / "newer.yaml"
    suite.write_text(SUITE.replace("0.03}", "0.0001}").replace("baseline.json", "other.json"), "utf-8")
    (tmp_path / "other.json").write_bytes((place / "baseline.json").read_bytes())
    found = genrec_eval.gate(place / "base", suite=suite)
    assert (int(found.exit_code), str(found.baseline)) == (4, str(tmp_path / "other.json"))
    assert found.rows[1].where == f"{suite}:16"
    assert genrec_eval.gate(place / "base", suite=suite, inconclusive="warn").exit_code == 0
    assert (
        exit_code(["gate", str(place / "base"), "--suite", str(suite), "--inconclusive", "pass", "-q"]) == 0
    )


def test_ci_gets_annotations_and_a_summary(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)  # annotations name files of the repository, which is where the job is
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(tmp_path / "summary.md"))
    assert exit_code(["gate", str(place / "worse"), "-q"]) == 1
    assert "::error file=suite.yaml,line=16," in capsys.readouterr().out
    assert "FAIL" in (tmp_path / "summary.md").read_text("utf-8")
    assert exit_code(["gate", str(place / "worse"), "--no-github", "-q"]) == 1
    assert "::error" not in capsys.readouterr().out
    assert exit_code(["gate", str(place / "worse"), "--baseline", str(tmp_path / "none.json")]) == 2
    told = capsys.readouterr()
    assert "::error title=" in told.out
    assert "there is no baseline" in told.err


def test_another_world_is_refused(place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = SUITE.replace("users: 600", "users: 500")
    (tmp_path / "suite.yaml").write_text(other, "utf-8")
    genrec_eval.run(tmp_path / "suite.yaml", out=tmp_path / "run", quiet=True, report=False)
    assert exit_code(["gate", str(tmp_path / "run"), "--baseline", str(place / "baseline.json")]) == 2
    told = capsys.readouterr().err
    assert "data set 'world' was" in told
    assert f"genrec-eval baseline update {tmp_path / 'run'} {place / 'baseline.json'}" in told


def test_a_baseline_is_replaced_only_when_that_is_asked(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "b.json"
    shutil.copy(place / "baseline.json", file)
    before = file.read_bytes()
    assert exit_code(["baseline", "save", str(place / "worse"), "-o", str(file)]) == 2
    assert "is there already; 'genrec-eval baseline update" in capsys.readouterr().err
    assert exit_code(["baseline", "update", str(place / "base"), str(file)]) == 0
    assert "nothing changed" in capsys.readouterr().out
    assert file.read_bytes() == before
    assert exit_code(["baseline", "update", str(place / "worse"), str(file), "--all"]) == 0
    told = capsys.readouterr().out
    assert "- model 'knn' in 'top-k' is another one: " in told
    assert "- in 'top-k' knn's ndcg@10 differs from the baseline's by" in told
    assert exit_code(["baseline", "show", str(file)]) == 0
    told = capsys.readouterr().out
    assert "hit_rate@10" in told
    assert "group=A" in told
    assert exit_code(["gate", str(place / "base"), "--baseline", str(file)]) == 0


def test_a_suite_without_a_gate_and_a_gate_without_a_baseline(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "alone.yaml").write_text(ALONE, "utf-8")
    assert exit_code(["gate", str(place / "base"), "--suite", str(tmp_path / "alone.yaml")]) == 0
    (tmp_path / "none.yaml").write_text(ALONE[: ALONE.index("gate:")], "utf-8")
    assert exit_code(["gate", str(place / "base"), "--suite", str(tmp_path / "none.yaml")]) == 2
    assert "has no gate; add rules under gate:" in capsys.readouterr().err
    run = json.loads((place / "base" / "run.json").read_text("utf-8"))
    run["suite"]["gate"] = None
    shutil.copytree(place / "base", tmp_path / "run")
    (tmp_path / "run" / "run.json").write_text(json.dumps(run), "utf-8")
    with pytest.raises(UsageError, match="name it with --suite"):
        genrec_eval.gate(tmp_path / "run")


def test_a_run_ends_with_the_command_that_gates_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "suite.yaml").write_text(ALONE.replace("users: 600", "users: 40"), "utf-8")
    exit_code(["run", str(tmp_path / "suite.yaml"), "--out", str(tmp_path / "run")])
    assert f"gate: genrec-eval gate {tmp_path / 'run'}" in capsys.readouterr().out
    assert exit_code(["validate", str(tmp_path / "suite.yaml")]) == 0
    assert "gate: (top-k, ndcg@10, all: every model, at_least 0.05)" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"schema": "genrec-eval/gate/7"}, "upgrade with: pip install -U genrec-eval"),
        ({"exit_code": 0}, "it was changed by hand"),
        ({"verdict": 1}, "unknown key 'verdict'"),
        ({"rows": [{"vaule": 1}]}, "unknown key 'vaule'; did you mean 'value'?"),
        ({"rows": 3}, "rows"),
        ({"power": float("nan")}, "needs a finite number"),
    ],
)
def test_a_kept_verdict_is_read_strictly(place: Path, change: dict[str, object], said: str) -> None:
    document = {**genrec_eval.gate(place / "worse").to_json(), **change}
    with pytest.raises(UsageError) as refused:
        GateResult.from_json(document)
    assert said in str(refused.value)
