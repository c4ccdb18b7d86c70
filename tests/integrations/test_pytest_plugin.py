"""The plug-in for pytest, in a pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

SUITE = """\
name: shop
data:
  world: {dataset: synthetic, options: {users: 300, items: 100}}
models:
  popularity: {adapter: reference, model: popularity}
scenarios:
  top-k: {scenario: top-k, data: world, options: {metrics: [ndcg@10]}}
claims:
  - {claim: It finds something, scenario: top-k, metric: ndcg@10, model: popularity, at_least: 0.001}
"""

TESTS = """\
import pytest
from genrec_eval.pytest_plugin import assert_no_regression


@pytest.mark.genrec_eval("suite.yaml")
def test_claims_hold():
    pass


@pytest.mark.genrec_eval("suite.yaml", sets=["claims.0.at_least=0.9"])
def test_a_claim_fails():
    pass


@pytest.mark.genrec_eval("suite.yaml", sets=["claims.0.at_least=0.9"], check=False)
def test_unchecked(genrec_run):
    assert genrec_run.exit_code == 1


@pytest.mark.genrec_eval("suite.yaml")
def test_equal_to_itself(genrec_run):
    assert_no_regression(genrec_run, genrec_run.path, margins={"ndcg@10": 0.02})


@pytest.mark.genrec_eval("suite.yaml", sets=["models.popularity.model=random"], check=False, out="runs/worse")
def test_worse(genrec_run):
    assert_no_regression(genrec_run, "runs/test_shop-suite", margins={"ndcg@10": 0.02})


@pytest.mark.genrec_eval("suit.yaml")
def test_no_such_suite():
    pass


@pytest.mark.genrec_eval("suite.yaml", limits=3)
def test_no_such_option():
    pass


def test_plain():
    pass
"""


def _pytest(folder: Path, *arguments: str) -> str:
    place = {key: value for key, value in os.environ.items() if not key.startswith("PYTEST")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-rA", "-p", "no:cacheprovider", *arguments],
        cwd=folder, env=place, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> str:
    folder = tmp_path_factory.mktemp("plugin")
    (folder / "suite.yaml").write_text(SUITE)
    (folder / "test_shop.py").write_text(TESTS)
    return _pytest(folder, "--strict-markers")


@pytest.mark.parametrize(
    ("name", "outcome"),
    [
        ("test_claims_hold", "PASSED"),
        ("test_a_claim_fails", "ERROR"),
        ("test_unchecked", "PASSED"),
        ("test_equal_to_itself", "PASSED"),
        ("test_worse", "FAILED"),
        ("test_no_such_suite", "ERROR"),
        ("test_no_such_option", "ERROR"),
        ("test_plain", "PASSED"),
    ],
)
def test_outcomes(said, name, outcome):
    assert f"{outcome} test_shop.py::{name}" in said, said


def test_why_is_said(said):
    assert "It finds something" in said
    assert "'suit.yaml'" in said
    assert "takes no 'limits'" in said
    worse = said[said.index("test_worse") :]
    assert "ndcg@10" in worse
    assert "Traceback" not in said


def test_nothing_is_imported_unless_it_is_used(tmp_path):
    (tmp_path / "test_other.py").write_text(
        "import sys\n\n\ndef test_light():\n"
        "    heavy = {'numpy', 'pandas', 'pyarrow', 'pydantic', 'genrec_eval.api'}\n"
        "    assert not heavy & set(sys.modules)\n"
    )
    said = _pytest(tmp_path, "-p", "no:hypothesispytest", "-p", "no:axe", "-p", "no:playwright")
    assert "1 passed" in said, said
