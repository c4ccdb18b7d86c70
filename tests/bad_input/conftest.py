"""Fixtures of the tests of bad input."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from hostile import played
from workshop import Workshop


@pytest.fixture
def shop(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Workshop:
    """A fresh folder, which is the working folder too."""
    monkeypatch.chdir(tmp_path)
    return Workshop(tmp_path, capsys)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Back off for milliseconds, in this process."""
    from genrec_eval.engine import exchange

    monkeypatch.setattr(exchange, "BACKOFF", 0.001)


@pytest.fixture(scope="session")
def hostile_runs(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Two runs of one suite of hostile texts: an earlier one, and one in which a model answers otherwise.

    Nobody may change them: copy one to break it.
    """
    folder = tmp_path_factory.mktemp("hostile")
    return played(folder / "before", "0"), played(folder / "after", "1")


@pytest.fixture
def broken(hostile_runs: tuple[Path, Path], tmp_path: Path) -> Path:
    """A copy of the later run, to break."""
    return Path(shutil.copytree(hostile_runs[1], tmp_path / "broken"))
