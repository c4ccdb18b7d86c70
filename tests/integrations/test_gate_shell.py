"""The shell of the GitHub action and of the GitLab job, run on a repository with a base and a head."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
GATE = ROOT / "integrations" / "gate.sh"

pytestmark = pytest.mark.skipif(
    not (shutil.which("git") and shutil.which("bash")), reason="needs git and bash on the PATH"
)

SUITE = """\
name: shop
data:
  world: {dataset: synthetic, options: {users: 400, items: 120}}
models:
  mine: {adapter: python, target: "recommender.py:Popular"}
scenarios:
  top-k: {scenario: top-k, data: world, options: {metrics: [ndcg@10, hit_rate@10]}}
gate:
  rules:
    - rule: The ranking does not get worse
      scenario: top-k
      metric: ndcg@10
      not_worse_by: 0.05
"""

GOOD = """\
from collections import Counter


class Popular:
    def fit(self, training):
        ids = training.items.ids.to_pylist()
        counts = Counter(ids[code] for code in training.interactions.item.tolist())
        self.items = [item for item, _ in counts.most_common()]

    def rank(self, user, history, k):
        return [item for item in self.items if item not in history][:k]
"""

SAME = GOOD.replace("counts.most_common()", "counts.most_common(None)")
WORSE = GOOD.replace("counts.most_common()", "counts.most_common()[::-1]")


def _git(repository: Path, *arguments: str) -> str:
    settings = ["-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", *settings, "-C", str(repository), *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "repository"
    (folder / "evaluation").mkdir(parents=True)
    _git(folder, "init", "-q")
    _commit(folder, GOOD)
    return folder


def _commit(repository: Path, recommender: str, suite: str = SUITE) -> str:
    (repository / "evaluation" / "recommender.py").write_text(recommender)
    (repository / "evaluation" / "suite.yaml").write_text(suite)
    _git(repository, "add", "-A")
    _git(repository, "commit", "-q", "--allow-empty", "-m", "a change")
    return _git(repository, "rev-parse", "HEAD")


def _run(repository: Path, **settings: str) -> subprocess.CompletedProcess[str]:
    place = {
        **{
            key: value for key, value in os.environ.items() if not key.startswith(("GITHUB_", "GENREC_EVAL_"))
        },
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GENREC_EVAL_SUITE": "evaluation/suite.yaml",
        "GENREC_EVAL_OUT": str(repository.parent / "out"),
        "GITHUB_ACTIONS": "true",
        "GITHUB_STEP_SUMMARY": str(repository.parent / "summary.md"),
        "GITHUB_OUTPUT": str(repository.parent / "output"),
        **settings,
    }
    return subprocess.run(
        ["bash", str(GATE)], cwd=repository, env=place, capture_output=True, text=True, timeout=300
    )


def test_a_worse_head_fails_with_annotation_and_summary(repository):
    base = _git(repository, "rev-parse", "HEAD")
    _commit(repository, WORSE)
    done = _run(repository, GENREC_EVAL_BASE=base)
    assert done.returncode == 1, done.stdout + done.stderr
    line = SUITE.splitlines().index("    - rule: The ranking does not get worse") + 1
    errors = [text for text in done.stdout.splitlines() if text.startswith("::error ")]
    assert len(errors) == 1
    assert f"file=evaluation/suite.yaml,line={line}," in errors[0]
    assert "mine's ndcg@10" in errors[0]
    summary = (repository.parent / "summary.md").read_text()
    assert "FAIL" in summary
    assert "The ranking does not get worse" in summary
    assert "exit-code=1" in (repository.parent / "output").read_text()
    suite = ET.parse(repository.parent / "out" / "gate.xml").getroot()
    assert sum(1 for _ in suite.iter("failure")) == 1
    assert (repository.parent / "out" / "head" / "report.html").is_file()
    assert _git(repository, "worktree", "list").count("\n") == 0  # nothing is left behind


def test_an_equal_head_passes(repository):
    base = _git(repository, "rev-parse", "HEAD")
    _commit(repository, SAME)
    done = _run(repository, GENREC_EVAL_BASE=base)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "::error" not in done.stdout
    assert "::warning" not in done.stdout
    assert "PASS" in (repository.parent / "summary.md").read_text()
    assert "exit-code=0" in (repository.parent / "output").read_text()


def test_the_question_is_that_of_the_head(repository):
    _commit(repository, GOOD, "name: [broken")  # the base's own suite could not even be read
    base = _git(repository, "rev-parse", "HEAD")
    _commit(repository, GOOD)
    done = _run(repository, GENREC_EVAL_BASE=base)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the suite of the base is not valid" in done.stderr


def test_a_model_whose_settings_get_worse_in_the_suite_fails(repository):
    described = "mine: {adapter: reference, model: popularity}"
    _commit(
        repository,
        GOOD,
        SUITE.replace('mine: {adapter: python, target: "recommender.py:Popular"}', described),
    )
    base = _git(repository, "rev-parse", "HEAD")
    worse = (
        (repository / "evaluation" / "suite.yaml").read_text().replace("model: popularity", "model: random")
    )
    _commit(repository, GOOD, worse.replace("hit_rate@10", "recall@10"))  # and the question changes too
    done = _run(repository, GENREC_EVAL_BASE=base)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "::error file=evaluation/suite.yaml" in done.stdout


@pytest.mark.parametrize(
    ("settings", "suite", "code", "said"),
    [
        ({"GENREC_EVAL_BASE": "0" * 40}, SUITE, 2, "fetch the whole history"),
        ({}, SUITE.replace("ndcg@10\n", "ndgc@10\n"), 2, "did you mean 'ndcg"),
        ({}, SUITE, 2, "baseline"),
        ({}, SUITE.replace("mine:", "mein:").replace("recommender.py", "nothing.py"), 2, "nothing.py"),
        ({"GENREC_EVAL_SETUP": "exit 7"}, SUITE, 2, ""),
        ({"GENREC_EVAL_SUITE": ""}, SUITE, 2, "must name the suite"),
    ],
)
def test_no_failure_is_swallowed(repository, settings, suite, code, said):
    _commit(repository, GOOD, suite)
    done = _run(repository, **settings)
    assert done.returncode == code, done.stdout + done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_claim_that_fails_fails_although_the_gate_holds(repository):
    claim = """\
claims:
  - {claim: Perfect, scenario: top-k, metric: ndcg@10, model: mine, at_least: 0.99}
"""
    _commit(repository, GOOD, SUITE.replace("not_worse_by: 0.05", "at_least: 0.001") + claim)
    done = _run(repository)
    assert done.returncode == 1, done.stdout + done.stderr


def test_the_action_passes_inputs_through_the_environment():
    action = yaml.safe_load((ROOT / "action.yml").read_text())
    steps = action["runs"]["steps"]
    assert all("${{" not in step["run"] for step in steps)
    given = {name for step in steps for name in step["env"] if name.startswith("GENREC_EVAL_")}
    read = {
        word
        for word in GATE.read_text().replace(":", " ").replace("}", " ").replace("{", " ").split()
        if word.startswith("GENREC_EVAL_")
    }
    assert given == {word.rstrip("-") for word in read}
    assert set(action["inputs"]) == {
        "suite",
        "baseline",
        "base",
        "inconclusive",
        "out",
        "set",
        "setup",
        "install",
    }


def test_the_job_for_gitlab_keeps_the_exit_code(repository):
    job = yaml.safe_load((ROOT / "integrations" / "gitlab-ci.yml").read_text())["genrec-eval"]
    _commit(repository, GOOD, SUITE.replace("not_worse_by: 0.05", "at_least: 0.9"))
    place = {
        **os.environ,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SUITE": "evaluation/suite.yaml",
    }
    done = subprocess.run(
        ["bash", "-eo", "pipefail", "-c", "\n".join(job["script"])],
        cwd=repository, env=place, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 1, done.stdout + done.stderr
    assert (repository / "genrec-eval" / "gate.xml").is_file()
