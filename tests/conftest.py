"""Fixtures that every room shares."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest
from absl import logging as absl_logging
from hypothesis import settings

os.environ.setdefault("HF_HUB_OFFLINE", "1")

# absl, which rouge-score imports, closes the stream it began with once uvicorn sets logging up: not pytest's
absl_logging.get_absl_handler().python_handler.stream = sys.__stderr__

# how long an example takes says more about the machine than about the code
settings.register_profile("genrec-eval", deadline=None)
settings.load_profile("genrec-eval")

# read by pytest: a conftest is no doctest module, and two of one name cannot both be collected as such
collect_ignore_glob = ["*conftest.py"]

ROOT = Path(__file__).resolve().parent.parent


@pytest.fixture(scope="session")
def real_data() -> Path:
    """The folder of public data sets, which are not part of the project."""
    folder = Path(os.environ.get("GENREC_EVAL_DATA", ROOT.parent / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip("no public data sets: set GENREC_EVAL_DATA to a folder that holds movielens-100k")
    return folder
