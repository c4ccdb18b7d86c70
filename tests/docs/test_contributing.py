"""The worked examples of CONTRIBUTING run as they stand."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest
from test_readme import ROOT, command, values_of, write_blocks


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    write_blocks("CONTRIBUTING.md", tmp_path)
    return tmp_path


def run(folder: Path, suite: str, *options: str) -> dict[str, dict[str, float]]:
    """Run a suite in a process of its own: what it registers is for good."""
    done = subprocess.run(
        command("run", suite, *options), cwd=folder, capture_output=True, text=True, check=False
    )
    assert done.returncode in (0, 4), done.stdout + done.stderr
    return values_of(folder)


def test_a_metric_of_ones_own(folder: Path) -> None:
    values = run(folder, "metric.yaml", "--no-report")["popularity"]
    assert 0 < values["second_hit@10"] < 1


def test_a_loader_of_ones_own(folder: Path) -> None:
    orders = [
        {
            "customer": f"c{n % 7}",
            "time": f"2024-03-{1 + n // 5:02d}",
            "articles": [f"a{n % 5}", f"a{n}"],
        }
        for n in range(100)
    ]
    (folder / "orders.jsonl").write_text("\n".join(map(json.dumps, orders)))
    assert "ndcg@3" in run(folder, "loader.yaml", "--no-report")["popularity"]


def test_an_adapter_of_ones_own(folder: Path) -> None:
    values = run(folder, "adapter.yaml", "--no-report")["shelf"]
    assert values["seen@3"] == 0
    assert values["recall@3"] > 0


def test_a_scenario_of_ones_own(folder: Path) -> None:
    assert run(folder, "scenario.yaml", "--no-report")["parrot"]["steadfast"] == 1.0


def test_a_text_metric_of_ones_own(folder: Path) -> None:
    assert 0 < run(folder, "text-metric.yaml", "--no-report")["flatterer"]["commas"] < 5


def test_a_rubric_a_dialect_a_judge_and_a_scenario_of_writing(folder: Path) -> None:
    values = run(folder, "writing.yaml", "--no-report")["tagger"]
    assert values == {"length": 13, "rubric_score(judge=mine,rubric=brevity)": 2}


def test_a_framework_of_ones_own(folder: Path) -> None:
    run(folder, "framework.yaml")
    page = (folder / "runs" / "own-framework" / "report.html").read_text()
    assert "House rules of the shop" in page
    assert "Whether the groups are the right ones." in page


def test_the_places_it_names_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text()
    for place in re.findall(
        r"`((?:genrec_eval|judges)/[a-z_/]+\.(?:py|md)|(?:tests|judges|reports)/[a-z]+/|genrec_eval/[a-z_/]+/)`",
        text,
    ):
        assert (ROOT / place).exists(), place
    for place in re.findall(r"`((?:audit|reporting)/[a-z_]+/)`", text):
        assert (ROOT / "genrec_eval" / place).exists(), place
