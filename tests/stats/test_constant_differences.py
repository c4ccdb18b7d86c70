"""Differences of ratios that no unit moves."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.sample import Sample


@pytest.mark.parametrize("weights", [None, np.full(24, 22.0), np.arange(1.0, 25.0)])
def test_one_difference_in_every_unit_is_a_constant(weights: np.ndarray | None) -> None:
    rng = np.random.default_rng(3)
    other = rng.random(24) / 2
    made = {"scored": np.ones(24, bool), "bounds": (0.0, 1.0), "weights": weights}
    minus = Sample(values=other, **made)
    sample = Sample(values=other + 0.25, minus=minus, **{**made, "bounds": (-1.0, 1.0)})
    (found,) = intervals([sample], seed=1)
    assert found.method == "constant"
    assert found.value == pytest.approx(0.25)
    assert found.low is not None
    assert found.high is not None
    assert -1 < found.low < 0.25 < found.high < 1
