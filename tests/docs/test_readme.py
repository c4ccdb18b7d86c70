"""What README and CONTRIBUTING show runs as it is shown."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```\w+ file=(\S+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def write_blocks(document: str, folder: Path) -> None:
    """Write every code block that names a file."""
    for name, text in BLOCK.findall((ROOT / document).read_text()):
        (folder / name).write_text(text)


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "genrec_eval.cli.main", *words]


def run(folder: Path, suite: str, **environment: str) -> dict[str, dict[str, float]]:
    """Run a suite and return model → metric → value."""
    done = subprocess.run(
        command("run", suite), cwd=folder, capture_output=True, text=True, env={**os.environ, **environment}
    )
    assert done.returncode in (0, 4), done.stdout + done.stderr
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


def test_the_commands_of_the_readme_exist() -> None:
    from genrec_eval.cli.main import COMMANDS

    listed = re.findall(r"^\| `([a-z-]+)", (ROOT / "README.md").read_text(), re.MULTILINE)
    assert sorted(listed) == sorted(COMMANDS)


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
