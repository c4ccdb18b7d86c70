"""What README and CONTRIBUTING show runs as it is shown."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_blocks(document: str, folder: Path) -> None:
    """Write every code block that names a file."""
    for name, text in BLOCK.findall((ROOT / document).read_text()):
        (folder / name).write_text(text)


def section(title: str) -> str:
    """The text of the README below a heading, up to the next of its kind."""
    text = (ROOT / "README.md").read_text()
    return text.split(f"\n## {title}\n")[1].split("\n## ")[0]


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "genrec_eval.cli.main", *words]


def run(folder: Path, suite: str, **environment: str) -> dict[str, dict[str, float]]:
    """Run a suite in this process, which has imported what each would import anew, and return its values."""
    from genrec_eval.cli.main import exit_code

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        for name, value in environment.items():
            patch.setenv(name, value)
        assert exit_code(["run", suite]) in (0, 4)
    return values_of(folder)


def values_of(folder: Path) -> dict[str, dict[str, float]]:
    """Model → metric → value of the only run."""
    (found,) = (folder / "runs").glob("*/estimates.json")
    values: dict[str, dict[str, float]] = {}
    for row in json.loads(found.read_text())["estimates"]:
        if row["slice"] == "all" and row["baseline"] is None:
            assert row["attempted"] == row["answered"], row
            values.setdefault(row["model"], {})[row["metric"]] = row["value"]
    return values


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[str]:
    """`genrec-eval serve` on a free port; its address."""
    process = subprocess.Popen(
        command("serve", *words, "--port", "0"), cwd=folder, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout is not None
        found = re.search(r"http://127\.0\.0\.1:\d+", process.stdout.readline())
        assert found is not None
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_blocks("README.md", tmp_path)
    return tmp_path


def test_a_function_of_five_lines(folder: Path) -> None:
    assert len((folder / "recommender.py").read_text().splitlines()) == 5
    values = run(folder, "python.yaml")
    assert 0 < values["mine"]["recall@10"] < values["popularity"]["recall@10"]
    assert values["mine"]["duplicate@10"] == values["mine"]["seen@10"] == 0


def test_another_language_over_stdin_and_stdout(folder: Path) -> None:
    if shutil.which("node") is None:
        pytest.skip("the example is JavaScript and there is no node")
    values = run(folder, "process.yaml")
    assert values["mine"]["duplicate@10"] == 0
    assert values["mine"]["seen@10"] > 0


def test_a_web_service(folder: Path) -> None:
    with serving(folder, "item-knn", "--data", "http.yaml", "--error-5xx", "0.05") as url:
        suite = (folder / "http.yaml").read_text()
        assert "http://127.0.0.1:8000" in suite
        (folder / "http.yaml").write_text(suite.replace("http://127.0.0.1:8000", url))
        values = run(folder, "http.yaml")
    assert values["mine"]["recall@10"] > 0.05
    assert values["mine"]["invalid@10"] == 0


def test_an_llm_behind_the_openai_protocol(folder: Path) -> None:
    with serving(folder, "item-knn", "--data", "llm.yaml") as url:
        values = run(folder, "llm.yaml", OPENAI_BASE_URL=f"{url}/v1", OPENAI_API_KEY="none")
    assert values["mine"]["recall@10"] > 0.05
    assert values["mine"]["invalid@10"] == 0


def test_a_model_that_is_told_of_people_differently(folder: Path, monkeypatch, capsys) -> None:
    from genrec_eval.cli.main import exit_code

    monkeypatch.chdir(folder)
    assert exit_code(["run", "fair.yaml", "--no-report"]) == 1
    assert "does not hold: Gender makes no difference" in capsys.readouterr().out


def test_the_commands_of_the_readme_exist() -> None:
    from genrec_eval.cli.main import COMMANDS

    assert sorted(re.findall(r"^\| `([a-z-]+)", section("Commands"), re.MULTILINE)) == sorted(COMMANDS)


def test_a_writer_of_ones_own_and_recorded_texts(folder: Path) -> None:
    values = run(folder, "explain.yaml")["mine"]
    assert values["supported"] == 1
    assert 0 < values["bleu"] < 100
    assert values["rubric_score(judge=rules,rubric=faithfulness)"] == 5
    asked = pd.read_parquet(folder / "runs/explain/cases/explanation.parquet")
    asked["text"] = [f"{json.loads(brief)['item']['title']} is a film." for brief in asked["brief"]]
    asked.rename(columns={"unit": "user"})[["user", "item", "text"]].to_csv(folder / "texts.csv", index=False)
    shutil.rmtree(folder / "runs")
    values = run(folder, "recorded.yaml")["mine"]
    assert values["supported"] == 1
    assert values["claims"] == 1


def test_an_llm_that_writes_and_one_that_judges(folder: Path) -> None:
    served = ("retrieval-writer", "rubric-judge", "--data", "llm-texts.yaml")
    with serving(folder, *served) as url:
        endpoint = {"OPENAI_BASE_URL": f"{url}/v1", "OPENAI_API_KEY": "none"}
        values = run(folder, "llm-texts.yaml", **endpoint)
        shutil.rmtree(folder / "runs")
        probed = run(folder, "my-judge.yaml", **endpoint)
    assert values["mine"]["win_rate(against=template,judge=llm,rubric=helpfulness)"] > 0
    assert probed["llm"]["injection_success"] == 0
    (cases,) = re.findall(r"# (\d+) short calls", (folder / "my-judge.yaml").read_text())
    assert len(pd.read_parquet(folder / "runs/my-judge/cases/probe.parquet")) == int(cases)


def test_every_planted_flaw_of_the_suites_is_in_the_table() -> None:
    shown = re.findall(
        r"^\|[^|`]*\| `([a-z-]+)` \| `([^`]+)` \|", section("Explanations and summaries"), re.M
    )
    expected = {}
    for name in ("summary", "explanation"):
        suite = yaml.safe_load((ROOT / "suites" / f"{name}.yaml").read_text())
        for claim in suite["claims"]:
            if claim.get("expect") == "FAIL":
                expected[suite["models"][claim["model"]]["model"]] = claim["metric"]
    assert dict(shown) == expected


def test_every_policy_of_a_judge_is_in_the_table_with_its_default() -> None:
    from genrec_eval.judging.policy import JudgePolicy

    rows = re.findall(r"^\| (`.*?`) \| (`.*?`) \|", section("Judges you can trust"), re.M)
    shown = {
        name: value
        for names, values in rows
        for name, value in zip(names.split(", "), values.split(", "), strict=True)
    }
    assert shown == {
        f"`{name}`": f"`{str(field.default).lower()}`" for name, field in JudgePolicy.model_fields.items()
    }


def test_the_signature_shown_is_that_of_the_metric() -> None:
    from genrec_eval.metrics.registry import metric

    assert f"`{metric('bleu').signature}`" in section("Which BLEU is it?").replace(
        "sacrebleu:2.6.0", f"sacrebleu:{version('sacrebleu')}"
    )


def test_every_reproducing_suite_is_in_the_table() -> None:
    shown = re.findall(r"^\| `(reproduce/[a-z-]+)`", section("Published figures, computed again"), re.M)
    assert sorted(shown) == sorted(
        f"reproduce/{path.stem}" for path in (ROOT / "suites" / "reproduce").glob("*.yaml")
    )


def test_report_comparison_gate_and_baseline(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys) -> None:
    from genrec_eval.cli.main import exit_code

    monkeypatch.chdir(folder)
    lines = [
        line.split("#")[0].split()[1:]
        for title in ("A gate for CI", "Compare two runs", "Read the report", "Take the numbers elsewhere")
        for block in re.findall(r"^```sh\n(.*?)^```$", section(title), re.MULTILINE | re.DOTALL)
        for line in block.splitlines()
    ]
    codes = {" ".join(words): exit_code(words) for words in map(_on_the_head, lines) if _offline(words)}
    assert codes.pop("gate runs/head") == 1
    assert set(codes.values()) == {0}, codes
    assert exit_code(["gate", "runs/base"]) == 0
    assert exit_code(["validate", "audited.yaml"]) == 0
    for made in ("audit.html", "runs/index.html", "compare.html", "runs/head/export/model-card.mine.md"):
        assert (folder / made).stat().st_size > 1000
    gated = json.loads((folder / "runs/head/gate.json").read_text())
    assert "FAIL" in {row["verdict"] for row in gated["rows"]}
    capsys.readouterr()
    exec(compile((folder / "regression.py").read_text(), "regression.py", "exec"), {})
    said = capsys.readouterr().out
    assert "ndcg@10 -0.0" in " ".join(said.split())
    assert "differs from the baseline's by −0.0" in said or "differs by −0.0" in said, said

    import genrec_eval

    example: dict[str, Any] = {}
    exec(compile((folder / "test_recommender.py").read_text(), "test_recommender.py", "exec"), example)
    check = example["test_no_regression"]
    assert check.pytestmark[0].args == ("gated.yaml",)
    check(genrec_eval.load_run("runs/base"))
    with pytest.raises(AssertionError, match="ndcg@10 is not worse"):
        check(genrec_eval.load_run("runs/head"))


def _on_the_head(words: list[str]) -> list[str]:
    return ["runs/head" if word == "RUN" else word for word in words]


def _offline(words: list[str]) -> bool:
    """Whether a command of the README needs no tracker."""
    return not {"mlflow", "wandb"} & set(words)


def test_which_number_is_it(folder: Path) -> None:
    values = run(folder, "depth.yaml")
    assert values["ease"]["ndcg@10"] > values["popularity"]["ndcg@10"]
    slots = next(value for name, value in values["ease"].items() if "ideal=slots" in name)
    assert 0 < slots < values["ease"]["ndcg@10"]


def test_the_names_of_the_readme_are_those_of_the_registries() -> None:
    from genrec_eval.metrics.presets import PRESETS
    from genrec_eval.scenarios.base import SCENARIOS

    text = (ROOT / "README.md").read_text()
    for name in (*SCENARIOS.names(), *PRESETS):
        assert f"`{name}`" in text, name
