"""The bootstrap resampler: right, exact, and indifferent to everything but data and seed."""

from __future__ import annotations

import numpy as np
import pytest

import genrec_eval.stats.resample as resample
from genrec_eval.core.randomness import generator
from genrec_eval.stats.resample import exact_sums, replicate_sums, replicates_for


def replicate_means(values: np.ndarray, *, seed: int, replicates: int) -> np.ndarray:
    return replicate_sums(values, seed=seed, replicates=replicates) / len(values)


@pytest.fixture
def columns() -> np.ndarray:
    rng = np.random.default_rng(0)
    return np.stack([rng.random(40), rng.random(40) < 0.2, rng.lognormal(9, 3, 40), -rng.random(40)], axis=1)


def test_equals_a_plain_loop(columns: np.ndarray) -> None:
    means = replicate_means(columns, seed=5, replicates=25)
    rng = generator(5, "bootstrap", len(columns))
    for replicate in means:
        drawn = [int(rng.integers(0, 40)) for _ in range(40)]
        for column, mean in enumerate(replicate):
            assert mean == pytest.approx(sum(columns[unit, column] for unit in drawn) / 40, rel=1e-10)


def test_a_seed_fixes_every_bit(columns: np.ndarray) -> None:
    one, again = (replicate_means(columns, seed=5, replicates=50) for _ in range(2))
    assert one.tobytes() == again.tobytes()
    assert (replicate_means(columns, seed=6, replicates=50) != one).any()


def test_neither_columns_nor_blocks_matter(columns: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> None:
    together = replicate_means(columns, seed=5, replicates=50)
    for column in range(columns.shape[1]):
        alone = replicate_means(columns[:, [column]], seed=5, replicates=50)
        assert alone.tobytes() == together[:, [column]].tobytes()
    assert replicate_means(columns[:, ::-1], seed=5, replicates=50).tobytes() == together[:, ::-1].tobytes()
    monkeypatch.setattr(resample, "_BLOCK", 90)
    assert replicate_means(columns, seed=5, replicates=50).tobytes() == together.tobytes()


def test_differences_of_replicates_are_replicates_of_differences(columns: np.ndarray) -> None:
    means = replicate_means(columns, seed=5, replicates=50)
    paired = replicate_means(columns[:, [0]] - columns[:, [3]], seed=5, replicates=50)
    np.testing.assert_allclose(means[:, 0] - means[:, 3], paired[:, 0], rtol=1e-9)


def test_replicates_have_the_moments_of_a_mean() -> None:
    values = np.random.default_rng(1).random((300, 1))
    means = replicate_means(values, seed=2, replicates=20_000)
    assert means.mean() == pytest.approx(values.mean(), abs=4 * values.std() / np.sqrt(300 * 20_000))
    assert means.std() == pytest.approx(values.std() / np.sqrt(300), rel=0.02)


@pytest.mark.parametrize("scale", [0.0, 1e-300, 1.0, 1e300])
def test_any_scale_is_kept(scale: float) -> None:
    values = np.linspace(-1, 1, 11)[:, None] * scale
    assert np.isfinite(replicate_means(values, seed=1, replicates=10)).all()
    assert exact_sums(values + scale) / 11 == pytest.approx(scale, rel=1e-10)


def test_replicates_for_bounds_the_work() -> None:
    assert [replicates_for(n) for n in (1, 2000, 5000, 20_000)] == [10_000, 10_000, 4000, 2000]
