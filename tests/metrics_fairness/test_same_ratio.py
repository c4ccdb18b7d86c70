"""A ratio that is the same for every unit has an interval, and it holds as often as it says."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.metrics.sensitivity.to_neutral import ratio_alone
from genrec_eval.stats.fits import Constant


def ends(rows: np.ndarray) -> tuple[float, float] | None:
    found = ratio_alone(rows, {})
    return None if found is None else found.ends(0.95)


def test_units_that_differ_and_have_one_ratio() -> None:
    noise = np.random.default_rng(0).uniform(0.2, 1, 40)
    for share in (0.0, 0.3, 1.0):
        found = ratio_alone(np.column_stack([share * noise, noise]), {})
        assert isinstance(found, Constant)
        low, high = found.ends(0.95)
        unseen = 1 - 0.025 ** (1 / 40)  # the exact binomial end for none of 40
        kept = (1 - unseen) * noise.mean()
        assert found.value == pytest.approx(share)
        assert low == pytest.approx(share * kept / (kept + unseen))
        assert high == pytest.approx((share * kept + unseen) / kept)
        assert found.tails(low - 1e-6)[0] < 0.025 < found.tails(low + 1e-3)[0] or share == 0
        assert found.tails(1e9)[1] < 1e-9


def test_a_third_column_of_counts_is_none_of_it() -> None:
    rows = np.column_stack([np.full(9, 0.5), np.full(9, 0.5), np.ones(9)])
    assert ends(rows) == ends(rows[:, :2])


def test_where_ratios_differ_or_there_is_none_units_are_resampled() -> None:
    assert ends(np.array([[0.5, 0.5], [0.5, 0.51]])) is None
    assert ends(np.zeros((5, 2))) is None
    assert ends(np.empty((0, 2))) is None


@pytest.mark.parametrize("other", [(0.0, 1.0), (1.0, 0.0), (0.0, 0.0), (1.0, 1.0), (0.2, 0.9)])
@pytest.mark.parametrize("chance", [0.01, 0.05, 0.1, 0.15])
def test_coverage_with_units_of_another_kind(other: tuple[float, float], chance: float) -> None:
    """Samples that show some of another kind are resampled: they count as held here, and are no part."""
    rng, n, runs = np.random.default_rng(5), 25, 4000
    noise = rng.choice([0.4, 0.6, 0.8], (runs, n))
    strange = rng.random((runs, n)) < chance
    truth = (0.6 * (1 - chance) + other[0] * chance) / (0.6 * (1 - chance) + other[1] * chance)
    missed = 0
    for row, hit in zip(noise, strange, strict=True):
        if not hit.any():
            low, high = ends(np.column_stack([row, row])) or (np.nan, np.nan)
            missed += not low <= truth <= high
    assert missed / runs <= 0.025 + 3 * np.sqrt(0.025 * 0.975 / runs)
