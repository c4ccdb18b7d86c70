"""Sign flips and McNemar: exact values, Monte-Carlo, and uniform p-values under the null."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import genrec_eval.stats.permutation as permutation
from genrec_eval.stats.permutation import mcnemar, sign_flip, sign_flips


@given(
    differences=st.lists(st.sampled_from([-1.0, -0.5, -0.1, 0.0, 0.1, 0.3, 0.5]), min_size=1, max_size=9),
    alternative=st.sampled_from(["two-sided", "greater", "less"]),
)
def test_few_differences_are_enumerated(differences: list[float], alternative: str) -> None:
    tenths = [round(10 * d) for d in differences]
    sums = [
        sum(s * d for s, d in zip(signs, tenths, strict=True))
        for signs in itertools.product((-1, 1), repeat=len(tenths))
    ]
    seen = sum(tenths)
    as_far = {
        "two-sided": [abs(s) >= abs(seen) for s in sums],
        "greater": [s >= seen for s in sums],
        "less": [s <= seen for s in sums],
    }[alternative]
    if any(tenths):
        assert sign_flip(differences, 1, alternative=alternative) == pytest.approx(np.mean(as_far))
    else:
        assert sign_flip(differences, 1) == 1.0


def test_ties_are_exact() -> None:
    """0.1 + 0.2 and 0.3 are the same distance; in floating point they are not."""
    assert sign_flip([0.1, 0.2, 0.3], 1) == 0.25
    assert sign_flip([0.1, 0.2, -0.3], 1) == 1.0


def test_drawn_patterns_agree_with_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(1).normal(0.3, 1, 15)
    exact = sign_flip(differences, 1)
    monkeypatch.setattr(permutation, "EXACT_UNITS", 5)
    drawn = sign_flip(differences, 1, replicates=20_000)
    assert drawn == pytest.approx(exact, abs=4 * np.sqrt(exact * (1 - exact) / 20_000))
    assert (
        drawn == sign_flip(differences, 1, replicates=20_000) != sign_flip(differences, 2, replicates=20_000)
    )


def test_it_is_scipys() -> None:
    from scipy.stats import permutation_test

    differences = np.random.default_rng(2).normal(0.25, 1, 12)
    want = permutation_test((differences,), np.mean, permutation_type="samples", n_resamples=np.inf)
    assert sign_flip(differences, 1) == pytest.approx(want.pvalue)


def test_a_drawn_p_value_is_never_zero() -> None:
    assert sign_flip(np.ones(60), 1, replicates=999) == 0.001


def test_columns_share_patterns_and_nothing_else() -> None:
    rng = np.random.default_rng(3)
    columns = np.stack([rng.normal(0.2, 1, 70), rng.choice([-1.0, 0.0, 1.0], 70), np.zeros(70)], axis=1)
    columns[6:, 1] = 0
    together = sign_flips(columns, 4)
    assert together.tolist() == [sign_flip(column, 4) for column in columns.T]
    assert sign_flips(columns[:, ::-1], 4).tolist() == together[::-1].tolist()


def test_the_smallest_of_many_differences_are_summed_as_normal(monkeypatch: pytest.MonkeyPatch) -> None:
    differences = np.random.default_rng(4).standard_t(4, 3000) + 0.04
    one_by_one = sign_flip(differences, 1)
    monkeypatch.setattr(permutation, "FLIPPED_UNITS", 100)
    assert sign_flip(differences, 1) == pytest.approx(one_by_one, abs=0.01)


def test_mcnemar_is_the_sign_flip_of_hits_and_the_binomial_test() -> None:
    from scipy.stats import binomtest

    for gained, lost in itertools.product(range(6), repeat=2):
        differences = [1.0] * gained + [-1.0] * lost + [0.0] * 3
        for alternative in ("two-sided", "greater", "less"):
            p = mcnemar(gained, lost, alternative=alternative)
            assert p == pytest.approx(sign_flip(differences, 1, alternative=alternative))
            if gained + lost:
                assert p == pytest.approx(binomtest(gained, gained + lost, alternative=alternative).pvalue)


def test_mcnemar_of_impossible_counts() -> None:
    with pytest.raises(ValueError, match="at least 0"):
        mcnemar(-1, 3)


def test_no_unit_and_no_number() -> None:
    assert sign_flip([], 1) == 1.0
    with pytest.raises(ValueError, match="not a finite number"):
        sign_flip([0.1, float("nan")], 1)


def test_p_values_are_uniform_under_the_null() -> None:
    rng = np.random.default_rng(5)
    continuous = sign_flips(rng.standard_t(3, (40, 2000)), 1, replicates=1999)
    for alpha in (0.05, 0.2, 0.5, 0.8):
        assert (continuous <= alpha).mean() == pytest.approx(
            alpha, abs=4 * np.sqrt(alpha * (1 - alpha) / 2000)
        )
    sparse = rng.choice([-1, -0.5, 0, 0.5, 1], p=[0.05, 0.05, 0.8, 0.05, 0.05], size=(40, 2000))
    coarse = sign_flips(sparse, 1, replicates=1999)
    for alpha in (0.05, 0.2, 0.5):
        assert (coarse <= alpha).mean() <= alpha + 3 * np.sqrt(alpha * (1 - alpha) / 2000)
