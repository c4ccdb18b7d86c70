"""Intervals of rates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.stats.rates import clopper_pearson, wilson


@given(n=st.integers(1, 300), share=st.floats(0, 1), level=st.sampled_from([0.8, 0.95, 0.99]))
def test_both_are_scipys(n: int, share: float, level: float) -> None:
    from scipy.stats import binomtest

    hits = round(share * n)
    for method, ours in (("exact", clopper_pearson), ("wilson", wilson)):
        want = binomtest(hits, n).proportion_ci(level, method=method)
        assert ours(hits, n, level) == pytest.approx((want.low, want.high), abs=1e-9)


def test_rule_of_three() -> None:
    """No event in n units: at most about 3.7 / n at 97.5 % on one side."""
    assert clopper_pearson(0, 300)[1] == pytest.approx(1 - 0.025 ** (1 / 300))
    assert clopper_pearson(300, 300)[0] == pytest.approx(0.025 ** (1 / 300))


@pytest.mark.parametrize("n", [5, 20, 60])
def test_exact_covers_at_every_proportion(n: int) -> None:
    from scipy.stats import binom

    ends = [clopper_pearson(hits, n) for hits in range(n + 1)]
    for p in (0.001, 0.03, 0.2, 0.5, 0.77, 0.999):
        inside = sum(binom.pmf(hits, n, p) for hits, (low, high) in enumerate(ends) if low <= p <= high)
        assert inside >= 0.95


@pytest.mark.parametrize(("hits", "n"), [(-1, 5), (6, 5), (0, 0)])
def test_impossible_counts(hits: int, n: int) -> None:
    for interval in (wilson, clopper_pearson):
        with pytest.raises(ValueError, match="between 0 and n hits"):
            interval(hits, n)
