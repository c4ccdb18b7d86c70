"""A run of writers and judges, played once for all tests of what its report shows."""

from __future__ import annotations

from pathlib import Path

import pytest
from written_run import play


@pytest.fixture(scope="session")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return play(tmp_path_factory.mktemp("written")).path
