"""Holm and Benjamini-Hochberg against their definitions, scipy and simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.multiplicity import benjamini_hochberg, holm

p_lists = st.lists(
    st.sampled_from([0.0, 0.001, 0.01, 0.02, 0.04, 0.05, 0.3, 0.9, 1.0]), min_size=1, max_size=12
)


def test_places_are_not_ranks() -> None:
    """The order 1, 2, 0 of these p-values has the ranks 2, 0, 1: a published scanner mixed them up."""
    assert benjamini_hochberg([0.5, 0.01, 0.03]) == pytest.approx([0.5, 0.03, 0.045])
    assert holm([0.5, 0.01, 0.03]) == pytest.approx([0.5, 0.03, 0.06])


@given(p=p_lists)
def test_holm_rejects_what_its_steps_reject(p: list[float]) -> None:
    for alpha in (0.0499, 0.1):
        rejected = set()
        for step, place in enumerate(np.argsort(p, kind="stable")):
            if p[place] > alpha / (len(p) - step):
                break
            rejected.add(int(place))
        assert set(np.flatnonzero(holm(p) <= alpha * (1 + 1e-12))) == rejected


@given(p=p_lists)
def test_benjamini_hochberg_is_scipys(p: list[float]) -> None:
    from scipy.stats import false_discovery_control

    assert benjamini_hochberg(p) == pytest.approx(false_discovery_control(p))


@given(p=p_lists, seed=st.integers(0, 99))
def test_order_changes_nothing(p: list[float], seed: int) -> None:
    shuffled = np.random.default_rng(seed).permutation(len(p))
    for adjust in (holm, benjamini_hochberg):
        adjusted = adjust(p)
        np.testing.assert_array_equal(adjust(np.array(p)[shuffled]), adjusted[shuffled])
        assert ((adjusted >= p) & (adjusted <= 1)).all()


def test_what_they_bound() -> None:
    """Of 20 tests 15 are true nulls: Holm errs at all in 5 % of families, BH in 5 % of its finds."""
    rng = np.random.default_rng(1)
    from scipy.special import ndtr

    z = rng.normal(size=(4000, 20))
    z[:, 15:] += 3
    p = 2 * ndtr(-np.abs(z))
    families = np.mean([(holm(row)[:15] <= 0.05).any() for row in p])
    found = np.array([benjamini_hochberg(row) <= 0.05 for row in p])
    false = found[:, :15].sum(axis=1) / np.maximum(found.sum(axis=1), 1)
    assert families <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 4000)
    assert false.mean() == pytest.approx(0.05 * 15 / 20, abs=0.01)


def test_no_tests_and_no_numbers() -> None:
    assert len(holm([])) == len(benjamini_hochberg([])) == 0
    for wrong in ([0.1, float("nan")], [1.2], [-0.1]):
        with pytest.raises(ValueError, match="between 0 and 1"):
            holm(wrong)
