"""A small suite to break."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from small_suite import SMALL

from genrec_eval.core.errors import UsageError
from genrec_eval.suite.load import LoadedSuite, resolve


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def small() -> str:
    return SMALL


@pytest.fixture
def load(tmp_path: Path) -> Callable[..., LoadedSuite]:
    """Write YAML as s.yaml in the working folder and resolve it."""

    def write_and_load(text: str, *sets: str) -> LoadedSuite:
        (tmp_path / "s.yaml").write_text(text, encoding="utf-8")
        return resolve("s.yaml", sets)

    return write_and_load


@pytest.fixture
def faults(load: Callable[..., LoadedSuite]) -> Callable[..., list[str]]:
    """The lines in which a broken suite is refused; empty for a sound one."""

    def lines_of(text: str, *sets: str) -> list[str]:
        try:
            load(text, *sets)
        except UsageError as error:
            return getattr(error, "lines", [str(error)])
        return []

    return lines_of
