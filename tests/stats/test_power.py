"""Units needed to decide a claim."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.power import (
    smallest_detectable_effect,
    two_sample_detectable_effect,
    two_sample_units,
    units_for_effect,
    units_needed,
)
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


@pytest.mark.parametrize("n", [2, 5, 20, 300])
def test_detectable_effect_by_the_noncentral_t(n: int) -> None:
    from scipy.stats import nct, t

    effect = smallest_detectable_effect(0.4, n, power=0.9)
    shift, limit = effect / 0.4 * np.sqrt(n), t.ppf(0.975, n - 1)
    assert nct.sf(limit, n - 1, shift) == pytest.approx(0.9, abs=2e-5)


def test_units_as_tabled() -> None:
    """Cohen 1988: 64 a group find d = 0.5 at 0.05 with power 0.8; G*Power gives 34 pairs."""
    assert two_sample_units(0.5, (1.0, 1.0)) == (64, 64)
    assert units_for_effect(0.5, 1.0) == 34
    assert units_for_effect(100.0, 1.0) == 2
    assert (
        two_sample_units(0.5, (1.0, 1.0), ratio=2.0)[1] == 2 * two_sample_units(0.5, (1.0, 1.0), ratio=2.0)[0]
    )


@given(effect=st.floats(0.02, 2), spread=st.floats(0.01, 2))
def test_units_are_the_fewest_that_do(effect: float, spread: float) -> None:
    n = units_for_effect(effect, spread)
    assert smallest_detectable_effect(spread, n) <= effect
    assert n == 2 or smallest_detectable_effect(spread, n - 1) > effect


def test_the_detectable_effect_is_found_as_often_as_promised() -> None:
    from scipy.stats import ttest_ind

    rng = np.random.default_rng(1)
    effect = smallest_detectable_effect(1.0, 40)
    samples = [Sample(values=row, scored=np.ones(40, bool)) for row in rng.normal(effect, 1.0, (800, 40))]
    found = np.mean([x.low > 0 for x in intervals(samples, seed=1)])
    assert found == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 800))
    effect = two_sample_detectable_effect((1.0, 2.0), (30, 60))
    p = ttest_ind(
        rng.normal(effect, 1, (2000, 30)), rng.normal(0, 2, (2000, 60)), axis=1, equal_var=False
    ).pvalue
    assert (p < 0.05).mean() == pytest.approx(0.8, abs=4 * np.sqrt(0.16 / 2000))


def test_impossible_questions() -> None:
    assert smallest_detectable_effect(0.0, 10) == two_sample_detectable_effect((0.0, 0.0), (5, 5)) == 0.0
    for wrong in (lambda: smallest_detectable_effect(1.0, 1), lambda: units_for_effect(0.0, 1.0)):
        with pytest.raises(ValueError, match="effect"):
            wrong()
    with pytest.raises(ValueError, match="power above"):
        smallest_detectable_effect(1.0, 10, power=0.01)
