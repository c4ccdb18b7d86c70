"""Power of margins against the noncentral t distribution of scipy and against simulation."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import nctdtr, stdtrit

from genrec_eval.stats.margin_power import (
    Spread,
    alarm_power,
    equivalence_power,
    fewest,
    non_inferiority_power,
    smallest_alarm,
    two_sided_spread,
    units_for_margin,
)


@given(st.floats(0.05, 1.0), st.integers(3, 400), st.sampled_from([0.8, 0.95, 0.99]))
def test_power_is_that_of_the_noncentral_t(margin: float, n: int, level: float) -> None:
    limit, shift = stdtrit(n - 1, (1 + level) / 2), margin * n**0.5
    wanted = 1 - nctdtr(n - 1, shift, limit)
    assert non_inferiority_power(margin, 1.0, n, level=level) == pytest.approx(wanted, abs=2e-3)
    alarm = alarm_power(margin, 1.0, n, level=level, adjusted=level)
    assert alarm == pytest.approx(nctdtr(n - 1, -shift, -limit), abs=2e-3)


def test_equivalence_and_alarms_with_a_margin_by_simulation() -> None:
    n, draws, rng = 25, 20_000, np.random.default_rng(4)
    found = rng.normal(0, 1, (draws, n))
    mean, half = found.mean(axis=1), stdtrit(n - 1, 0.975) * found.std(axis=1, ddof=1) / n**0.5
    within = (mean - half >= -0.6) & (mean + half <= 0.6)
    assert equivalence_power(0.6, 1.0, n) == pytest.approx(within.mean(), abs=0.012)
    moved, wide = mean - 0.5, half * stdtrit(n - 1, 0.995) / stdtrit(n - 1, 0.975)
    alarm = (moved + wide < 0) & (moved - half < -0.8)
    assert alarm_power(0.5, 1.0, n, level=0.95, adjusted=0.99, margin=0.8) == pytest.approx(
        alarm.mean(), abs=0.012
    )


def test_units_are_the_fewest_that_do() -> None:
    for both, power in ((False, non_inferiority_power), (True, equivalence_power)):
        n = units_for_margin(0.1, 0.7, both_sides=both)
        assert n is not None
        assert power(0.1, 0.7, n) >= 0.8 > power(0.1, 0.7, n - 1)
    assert units_for_margin(1e-9, 1.0) is None
    assert fewest(lambda n: n >= 17) == 17


@given(st.floats(0.0, 0.4), st.floats(0.0, 0.5).filter(lambda loss: loss == 0 or loss > 1e-9))
def test_two_sided_spread_is_that_of_three_values(apart: float, loss: float) -> None:
    values, shares = np.array([-1.0, 1.0, 0.0]), np.array([apart / 2 + loss, apart / 2, 1 - apart - loss])
    found = two_sided_spread(apart, loss)
    mean = values @ shares
    assert mean == pytest.approx(-loss)
    variance = (values - mean) ** 2 @ shares
    assert found.between**2 == pytest.approx(variance, abs=1e-12)
    if variance > 1e-6:
        kurtosis = (values - mean) ** 4 @ shares / variance**2
        assert found.freedom == pytest.approx(2 / max(kurtosis - 1, 2), rel=1e-6)


def test_the_smallest_alarm_meets_its_power_and_knows_when_none_does() -> None:
    under = Spread(0.4, 79)
    for margin in (0.0, 0.3):
        loss = smallest_alarm(lambda _: under, 80, adjusted=0.99, margin=margin)
        assert loss is not None
        reached = alarm_power(loss, 0.4, 80, level=0.95, adjusted=0.99, margin=margin)
        assert reached == pytest.approx(0.8, abs=1e-3)
    estimated = smallest_alarm(lambda _: under._replace(known=False, freedom=6), 80) or 0
    assert estimated > (smallest_alarm(lambda _: under._replace(freedom=6), 80) or 0)
    assert smallest_alarm(lambda _: under, 4, most=0.1) is None


def test_what_no_pair_has_shown_yet_is_noticed_from_a_few_pairs_on() -> None:
    """With k losses among n pairs and no gain, t is about sqrt(k); k = 7.8 are found with a power of 80 %."""

    def under(loss: float) -> Spread:
        return two_sided_spread(0.0, loss)._replace(freedom=float("inf"))

    assert smallest_alarm(under, 2_000, most=1.0) == pytest.approx(7.85 / 2_000, rel=0.02)
