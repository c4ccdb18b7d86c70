"""Units needed to decide a claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.power import units_needed
from genrec_eval.stats.sample import Sample


@given(distance=st.floats(0.01, 1), half=st.floats(0.001, 1), n=st.integers(2, 10**6))
def test_the_shrunk_interval_just_excludes_the_margin(distance: float, half: float, n: int) -> None:
    needed = units_needed(distance, 0.0, half, n)
    assert needed is not None
    assert half * np.sqrt(n / needed) < distance * (1 + 1e-6)
    assert needed == 1 or half * np.sqrt(n / (needed - 1)) >= distance * (1 - 1e-6)


def test_on_the_margin_no_number_would_do() -> None:
    assert units_needed(0.3, 0.3, 0.1, 50) is None


def test_it_foretells_the_real_interval() -> None:
    rng = np.random.default_rng(0)

    def interval(n: int) -> tuple[float, float]:
        values = np.tile(rng.permutation(np.repeat([0.0, 1.0, 0.5], [6, 3, 1])), n // 10)
        found = intervals([Sample(values=values, scored=np.ones(len(values), bool))], seed=1)[0]
        return found.value, found.low

    value, low = interval(50)
    needed = units_needed(value, 0.3, value - low, 50)
    assert interval(2 * needed // 10 * 10)[1] > 0.3
    assert interval(needed // 2 // 10 * 10)[1] < 0.3
    assert needed == pytest.approx(310, abs=60)
