"""Fixtures of the tests of bad input."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

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
