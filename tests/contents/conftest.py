"""Runs that the contents of an audit are read from, played once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

import genrec_eval


@pytest.fixture(scope="session")
def quickstart(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shipped quickstart, whole; not to be changed."""
    path = tmp_path_factory.mktemp("contents") / "quickstart"
    return genrec_eval.run("quickstart", out=path, quiet=True, report=False).path


@pytest.fixture
def copied(quickstart: Path, tmp_path: Path) -> Path:
    """A copy that a test may change."""
    return Path(shutil.copytree(quickstart, tmp_path / "run"))
