"""The world that the audit's tests look at."""

from __future__ import annotations

from pathlib import Path

import pytest

from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec


@pytest.fixture(scope="session")
def world() -> Dataset:
    options = {"users": 120, "items": 150, "interactions_per_user": 20}
    spec = SyntheticSpec.model_validate({**options, "groups": {"A": 0.67, "B": 0.3, "C": 0.03}})
    return spec.load(Path(), 3)
