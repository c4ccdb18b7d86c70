"""Confidence sequences and group-sequential boundaries: closed forms, published values, simulation."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import ndtr

from genrec_eval.stats.group_sequential import crossing_probability, spending_boundaries
from genrec_eval.stats.sequential import Looks, confidence_sequence, looks

AMPLE = np.array([1e9])
FIFTHS = [0.2, 0.4, 0.6, 0.8, 1.0]


def test_looks_are_welch_at_every_look() -> None:
    from scipy import stats

    rng = np.random.default_rng(1)
    values, treated = rng.normal(1e3, 1, 300), rng.random(300) < 0.3
    seen = looks(values, treated, np.array([1, 40, 300]))
    assert np.isnan(seen.difference[0])
    assert np.isnan(seen.error[0])
    for place, n in ((1, 40), (2, 300)):
        one, other = values[:n][treated[:n]], values[:n][~treated[:n]]
        want = stats.ttest_ind(one, other, equal_var=False)
        assert seen.difference[place] == pytest.approx(one.mean() - other.mean(), abs=1e-6)
        assert seen.difference[place] / seen.error[place] == pytest.approx(want.statistic, rel=1e-5)


def test_p_is_the_likelihood_ratio_of_msprt() -> None:
    """Johari et al. 2017: sqrt(V / (V + n tau²)) exp(n² tau² mean² / (2 V (V + n tau²)))."""
    n, mean, variance = 500, 0.12, 1.3
    seen = Looks(np.array([n]), np.array([mean]), np.array([np.sqrt(variance / n)]), AMPLE)
    found = confidence_sequence(seen, planned=2000)
    # invert: the interval's end is where the p-value meets alpha
    radius = found.high[0] - mean
    at_end = Looks(seen.n, np.array([radius]), seen.error, AMPLE)
    assert confidence_sequence(at_end, planned=2000).p[0] == pytest.approx(0.05)
    x = np.linspace(1e-4, 50, 400_001)
    best = x[np.argmin((x + 1) / x * np.log((x + 1) / 0.05**2))]  # prior variance that is best at 2,000 units
    tau2 = best / 2000 * variance
    ratio = np.sqrt(variance / (variance + n * tau2)) * np.exp(
        n**2 * tau2 * mean**2 / (2 * variance * (variance + n * tau2))
    )
    assert found.p[0] == pytest.approx(1 / ratio, rel=1e-3)


@pytest.mark.parametrize(("side", "sign"), [("greater", 1), ("less", -1)])
def test_one_sided_ends_are_where_p_meets_alpha(side: str, sign: int) -> None:
    seen = Looks(np.array([900]), np.array([0.0]), np.array([0.05]), AMPLE)
    found = confidence_sequence(seen, planned=1000, side=side)
    end = found.low[0] if sign == 1 else found.high[0]
    assert confidence_sequence(seen, planned=1000, side=side, null=end).p[0] == pytest.approx(0.05)
    two = confidence_sequence(seen, planned=1000)
    assert abs(end) < two.high[0]
    assert np.isinf(found.high[0] if sign == 1 else found.low[0])


def test_tightest_where_planned_and_about_half_as_wide_again_as_a_fixed_interval() -> None:
    n = np.arange(100, 20_000, 10)
    seen = Looks(n, np.zeros(len(n)), 1 / np.sqrt(n), np.full(len(n), 1e9))
    for planned in (1000, 5000):
        ratio = confidence_sequence(seen, planned=planned).high * np.sqrt(n) / 1.96
        assert n[ratio.argmin()] == pytest.approx(planned, rel=0.02)
        assert ratio.min() == pytest.approx(1.55, abs=0.01)


def test_nothing_is_said_before_enough_units_carry_the_spread() -> None:
    rng = np.random.default_rng(2)
    values, treated = rng.normal(size=400), np.arange(400) % 2 == 0
    seen = looks(values, treated, np.array([1, 60, 400]))
    arm = values[treated] - values[treated].mean()
    other = values[~treated] - values[~treated].mean()
    carriers = [(d**2).sum() ** 2 / (d**4).sum() for d in (arm, other)]
    assert seen.carriers[2] == pytest.approx(min(carriers))
    assert 40 < min(carriers) < 100  # about a third of 200
    found = confidence_sequence(seen, planned=400)
    assert np.isinf(found.high).tolist() == [True, True, False]
    assert found.p[:2].tolist() == [1.0, 1.0]


def test_an_arm_without_events_says_nothing() -> None:
    """30 of 900 controls clicked and none of 100 treated: an error of 0 in that arm is no error at all."""
    treated = np.arange(1000) % 10 == 0
    values = ((np.arange(1000) % 30 == 1) & ~treated).astype(float)
    seen = looks(values, treated, np.array([1000]))
    assert abs(seen.difference[0]) > 4 * seen.error[0]
    found = confidence_sequence(seen, planned=1000)
    assert (seen.carriers[0], np.isinf(found.low[0]), found.p[0]) == (0.0, True, 1.0)


def test_what_cannot_be_looked_at() -> None:
    treated = np.array([True, False])
    with pytest.raises(ValueError, match="not a finite number"):
        looks(np.array([np.nan, 1.0]), treated, np.array([1]))
    with pytest.raises(ValueError, match="at least one unit is planned"):
        confidence_sequence(looks(np.ones(2), treated, np.array([2])), planned=0)


def test_sequences_hold_under_continuous_looking() -> None:
    """Looking all the time at a rate of 5 %: a fixed interval is wrong at some time in half of the runs."""
    rng = np.random.default_rng(3)
    ends, runs = np.arange(4, 4001, 4), 200
    wrong = {"two-sided": 0, "greater": 0, "less": 0, "fixed": 0}
    for _ in range(runs):
        seen = looks((rng.random(4000) < 0.05).astype(float), rng.random(4000) < 0.5, ends)
        found = confidence_sequence(seen, planned=2000)
        excluded = ((found.low > 0) | (found.high < 0)).any()
        assert excluded == (found.p[-1] <= 0.05)
        wrong["two-sided"] += excluded
        wrong["fixed"] += (np.abs(seen.difference[50:]) > 1.96 * seen.error[50:]).any()
        for side in ("greater", "less"):
            wrong[side] += confidence_sequence(seen, planned=2000, side=side).p[-1] <= 0.05
    allowed = 0.05 + 3 * np.sqrt(0.05 * 0.95 / runs)
    assert max(wrong["two-sided"], wrong["greater"], wrong["less"]) / runs <= allowed
    assert wrong["fixed"] / runs > 0.3


def test_an_effect_is_found() -> None:
    rng = np.random.default_rng(4)
    treated = rng.random(6000) < 0.5
    seen = looks(rng.normal(0.2 * treated), treated, np.arange(100, 6001, 100))
    found = confidence_sequence(seen, planned=3000)
    assert (found.low > 0).any()
    assert ((found.low < 0.2) & (found.high > 0.2)).all()
    assert (np.diff(found.p) <= 0).all()


@pytest.mark.parametrize(
    ("spending", "want"),
    [
        ("obrien-fleming", [4.8769, 3.3569, 2.6803, 2.2898, 2.0310]),
        ("pocock", [2.4380, 2.4268, 2.4101, 2.3966, 2.3859]),
    ],
)
def test_boundaries_as_published(spending: str, want: list[float]) -> None:
    """Five equal looks at two-sided 0.05; Reboussin, DeMets, Kim & Lan (2000), program LD98."""
    found = spending_boundaries(FIFTHS, spending=spending)
    assert found == pytest.approx(want, abs=2e-3)
    assert crossing_probability(found, FIFTHS) == pytest.approx(0.05, abs=1e-6)


def test_quarters_on_one_side() -> None:
    """The example of SeqBounds.jl (PharmCat, README), one-sided 0.05."""
    found = spending_boundaries([0.25, 0.5, 0.75, 1.0], alpha=0.05, sides=1)
    assert found == pytest.approx([3.74955, 2.53993, 2.01604, 1.72014], abs=2e-4)


def test_classical_constants() -> None:
    """Jennison & Turnbull 2000, tables 2.1 and 2.3: K = 5 at 0.05, Pocock 2.413, O'Brien-Fleming 2.040."""
    assert crossing_probability([2.413] * 5, FIFTHS) == pytest.approx(0.05, abs=2e-4)
    rising = 2.040 / np.sqrt(FIFTHS)
    assert crossing_probability(rising, FIFTHS) == pytest.approx(0.05, abs=2e-4)


def test_one_look_is_the_fixed_test() -> None:
    assert spending_boundaries([1.0])[0] == pytest.approx(1.959964, abs=1e-5)
    assert spending_boundaries([1.0], alpha=0.025, sides=1)[0] == pytest.approx(1.959964, abs=1e-5)
    assert crossing_probability([1.0], [0.3], sides=1) == pytest.approx(float(ndtr(-1.0)))


def test_boundaries_by_simulation() -> None:
    rng = np.random.default_rng(5)
    information = np.array([0.1, 0.15, 0.5, 0.9, 1.0])
    steps = rng.normal(size=(100_000, 5)) * np.sqrt(np.diff([0.0, *information]))
    z = steps.cumsum(axis=1) / np.sqrt(information)
    for sides, alpha in ((1, 0.025), (2, 0.05)):
        boundaries = spending_boundaries(information.tolist(), alpha=alpha, spending="pocock", sides=sides)
        crossed = (z if sides == 1 else np.abs(z)) >= boundaries
        assert crossed.any(axis=1).mean() == pytest.approx(alpha, abs=4 * np.sqrt(alpha / 100_000))


@pytest.mark.parametrize("information", [[], [0.5, 0.5], [0.0, 1.0], [0.5, 1.1]])
def test_looks_come_in_order(information: list[float]) -> None:
    with pytest.raises(ValueError, match="ascending shares"):
        spending_boundaries(information)
