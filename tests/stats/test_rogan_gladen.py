"""Rogan-Gladen: closed forms, when there is no telling, cut ends, and coverage with calibration noise."""

from __future__ import annotations

import math

import numpy as np
import pytest

from genrec_eval.stats.rogan_gladen import rogan_gladen


def calibration(no: tuple[int, int], yes: tuple[int, int]) -> tuple[np.ndarray, np.ndarray]:
    """Labels and judgements with (right, all) of each kind."""
    people = np.repeat([False, True], [no[1], yes[1]])
    judge = np.concatenate([np.arange(no[1]) >= no[0], np.arange(yes[1]) < yes[0]])
    return people, judge


def said(yes: int, n: int) -> np.ndarray:
    return np.arange(n) < yes


def lee(p: float, n: int, q0: float, m0: int, q1: float, m1: int, z: float) -> tuple[float, float]:
    """Lee et al. 2025, equation 6, term by term."""
    n_, m0_, m1_ = n + z**2, m0 + 2, m1 + 2
    p_, q0_, q1_ = (n * p + z**2 / 2) / n_, (m0 * q0 + 1) / m0_, (m1 * q1 + 1) / m1_
    theta = (p_ + q0_ - 1) / (q0_ + q1_ - 1)
    d = 2 * z**2 * (-(1 - theta) * q0_ * (1 - q0_) / m0_ + theta * q1_ * (1 - q1_) / m1_)
    variance = (
        p_ * (1 - p_) / n_ + (1 - theta) ** 2 * q0_ * (1 - q0_) / m0_ + theta**2 * q1_ * (1 - q1_) / m1_
    )
    half = z * math.sqrt(variance) / (q0_ + q1_ - 1)
    return theta + d - half, theta + d + half


def test_by_the_published_formula() -> None:
    found = rogan_gladen(said(600, 1000), *calibration((40, 50), (45, 50)))
    assert found.value == pytest.approx((0.6 + 0.8 - 1) / (0.8 + 0.9 - 1))
    assert (found.low, found.high) == pytest.approx(lee(0.6, 1000, 0.8, 50, 0.9, 50, 1.959964))
    assert (found.method, found.labelled, found.judged, found.judge) == ("rogan-gladen", 100, 1000, 0.6)


def test_one_sided() -> None:
    data = said(600, 1000), *calibration((40, 50), (45, 50))
    both = rogan_gladen(*data, level=0.9)
    above, below = (rogan_gladen(*data, level=0.95, alternative=one) for one in ("greater", "less"))  # type: ignore[arg-type]
    assert (above.low, above.high) == (pytest.approx(both.low), None)
    assert (below.low, below.high) == (None, pytest.approx(both.high))


def test_calibration_noise_is_part_of_the_interval() -> None:
    few, many = (
        rogan_gladen(said(60_000, 100_000), *calibration((8 * m, 10 * m), (9 * m, 10 * m))) for m in (3, 300)
    )
    assert few.value == pytest.approx(many.value)
    assert few.high - few.low > 7 * (many.high - many.low)


def test_a_perfect_judge_is_believed() -> None:
    found = rogan_gladen(said(300, 1000), *calibration((500, 500), (500, 500)))
    assert found.value == pytest.approx(0.3)
    assert (found.low, found.high) == pytest.approx((0.272, 0.330), abs=0.002)


@pytest.mark.parametrize(("no", "yes"), [((5, 10), (5, 10)), ((3, 10), (6, 10)), ((1, 10), (9, 10))])
def test_a_judge_without_skill_says_nothing(no: tuple[int, int], yes: tuple[int, int]) -> None:
    found = rogan_gladen(said(6, 10), *calibration(no, yes))
    assert (found.value, found.raw, found.low) == (None, None, None)
    assert found.reason.startswith(
        f"the judge says yes to {10 * (10 - no[0])}% of what people call no and to"
    )


def test_a_judge_that_is_barely_better_than_none_has_the_whole_range() -> None:
    found = rogan_gladen(said(6, 10), *calibration((1, 2), (40, 70)))
    assert (found.low, found.high) == (0.0, 1.0)


def test_too_few_of_a_kind_and_nothing_judged() -> None:
    found = rogan_gladen(said(6, 10), *calibration((1, 1), (40, 70)))
    assert found.reason == "people labelled 1 calibration units 'no': too few to know the judge's errors"
    found = rogan_gladen([], *calibration((8, 10), (8, 10)))
    assert (found.value, found.judge, found.reason) == (None, None, "no unit is judged")


@pytest.mark.parametrize(("yes", "value"), [(10, 0.0), (990, 1.0)])
def test_rates_beyond_what_the_errors_allow_are_cut(yes: int, value: float) -> None:
    found = rogan_gladen(said(yes, 1000), *calibration((80, 100), (80, 100)))
    assert found.value == value
    assert not 0 <= found.raw <= 1
    assert found.low <= value <= found.high
    assert 0 <= found.low < found.high <= 1 or found.low == found.high == value


def test_input_is_yes_or_no() -> None:
    with pytest.raises(ValueError, match="yes or no"):
        rogan_gladen([0.5, 1.0], [True], [True])
    with pytest.raises(ValueError, match="each unit has one of both"):
        rogan_gladen([True], [True, False], [True])


@pytest.mark.parametrize("rate", [0.05, 0.3, 0.7])
@pytest.mark.parametrize(("q0", "q1"), [(0.9, 0.9), (0.75, 0.85)])
def test_coverage_at_another_base_rate_than_that_of_the_calibration(
    rate: float, q0: float, q1: float
) -> None:
    rng, inside, draws = np.random.default_rng(1), 0, 800
    for _ in range(draws):
        yes = rng.binomial(1000, rate * q1 + (1 - rate) * (1 - q0))
        right = calibration((rng.binomial(50, q0), 50), (rng.binomial(50, q1), 50))
        found = rogan_gladen(said(yes, 1000), *right)
        inside += found.low is not None and found.low <= rate <= found.high
    assert 0.935 <= inside / draws <= 0.98
