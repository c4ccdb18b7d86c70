"""Bradley-Terry against closed forms and other likelihoods; who cannot be ranked is named.

Strengths, ridge, ties as half and covariates were also compared once with choix and statsmodels (400 games of
6 models): equal to 2e-9.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.stats.bradley_terry import BradleyTerry, bradley_terry
from genrec_eval.stats.comparisons import Comparisons
from genrec_eval.stats.tie_models import expected_score, slopes

STRENGTHS = np.array([1.0, 0.5, 0.0, -0.5, -1.0])


def played(
    seed: int, n: int = 300, *, effect: float = 0.0, draws: float = 0.0
) -> tuple[list[str], list[str], np.ndarray, np.ndarray]:
    """Games of five models, m0 the best."""
    rng = np.random.default_rng(seed)
    first = rng.integers(0, 5, n)
    second = (first + rng.integers(1, 5, n)) % 5
    style = rng.normal(0, 3, n)
    chance = 1 / (1 + np.exp(STRENGTHS[second] - STRENGTHS[first] - effect * style / 3))
    outcome = np.where(rng.random(n) < draws, 0.5, rng.random(n) < chance)
    return [f"m{one}" for one in first], [f"m{one}" for one in second], outcome, style


def values(found: BradleyTerry) -> np.ndarray:
    return np.array([one.value for one in found.strengths.values()])


def test_two_models_in_closed_form() -> None:
    """30 wins, 10 losses and 8 ties as half: odds of 34 to 14."""
    outcome = np.repeat([1.0, 0.0, 0.5], [30, 10, 8])
    found = bradley_terry(Comparisons.of(["a"] * 48, ["b"] * 48, outcome), seed=1, anchor="b")
    assert found.strengths["a"].value == pytest.approx(math.log(34 / 14))
    assert found.strengths["b"].value == 0
    assert found.win_rate("a", "b") == pytest.approx(34 / 48)
    elo = found.elo()
    assert elo["b"].value == 1000
    assert elo["a"].value == pytest.approx(1000 + 400 * math.log10(34 / 14))


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_two_models_with_a_tie_rate_fit_all_three_shares(ties: Literal["davidson", "rao-kupper"]) -> None:
    outcome = np.repeat([1.0, 0.0, 0.5], [30, 10, 8])
    found = bradley_terry(Comparisons.of(["a"] * 48, ["b"] * 48, outcome), seed=1, ties=ties, replicates=50)
    assert found.tie is not None
    apart = found.strengths["a"].value - found.strengths["b"].value  # type: ignore[operator]
    shares = np.exp(slopes(ties, np.full(3, apart), np.array([1.0, 0.0, 0.5]), math.log(found.tie)).value)
    assert shares == pytest.approx([30 / 48, 10 / 48, 8 / 48])
    assert found.win_rate("a", "b") == pytest.approx(34 / 48)
    if ties == "davidson":
        assert found.tie == pytest.approx(8 / math.sqrt(300))  # nu: ties over the root of wins times losses


@pytest.mark.parametrize("ridge", [1e-10, 0.5])
def test_half_ties_and_style_against_scikit_learn(ridge: float) -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    first, second, outcome, style = played(1, effect=0.7, draws=0.2)
    found = bradley_terry(
        Comparisons.of(first, second, outcome, covariates={"style": style}), seed=1, ridge=ridge, replicates=0
    )
    assert found.scales["style"] == pytest.approx(math.sqrt((style**2).mean()))
    features = np.zeros((len(outcome), 6))
    features[np.arange(len(outcome)), [int(one[1]) for one in first]] = 1
    features[np.arange(len(outcome)), [int(one[1]) for one in second]] = -1
    features[:, 5] = style / found.scales["style"]
    want = linear_model.LogisticRegression(C=1 / ridge, fit_intercept=False, tol=1e-12, max_iter=10_000)
    n = len(outcome)
    want.fit(
        np.concatenate([features, features]),
        np.repeat([1, 0], n),
        sample_weight=np.concatenate([outcome, 1 - outcome]),
    )
    strengths = want.coef_[0, :5] - want.coef_[0, :5].mean()
    assert values(found) == pytest.approx(strengths, abs=1e-4)
    assert found.effects["style"].value == pytest.approx(want.coef_[0, 5], abs=1e-4)


@pytest.mark.parametrize("ties", ["davidson", "rao-kupper"])
def test_tie_models_against_a_general_optimiser(ties: Literal["davidson", "rao-kupper"]) -> None:
    """Likelihoods written out as Davidson (1970) and Rao & Kupper (1967) print them."""
    from scipy.optimize import minimize

    first, second, outcome, _ = played(2, draws=0.3)
    a, b = (np.array([int(one[1]) for one in names]) for names in (first, second))

    def loss(at: np.ndarray) -> float:
        worth = np.exp(np.append(at[:4], 0.0))
        one, other = worth[a], worth[b]
        if ties == "davidson":
            level = math.exp(at[4]) * np.sqrt(one * other)
            won, lost = one / (one + other + level), other / (one + other + level)
        else:
            kappa = 1 + math.exp(at[4])
            won, lost = one / (one + kappa * other), other / (other + kappa * one)
        chance = np.select([outcome == 1, outcome == 0], [won, lost], 1 - won - lost)
        return -float(np.log(chance).sum())

    want = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-7}).x
    found = bradley_terry(
        Comparisons.of(first, second, outcome), seed=1, ties=ties, anchor="m4", replicates=0
    )
    assert values(found) == pytest.approx(np.append(want[:4], 0.0), abs=1e-4)
    rate = math.exp(want[4]) if ties == "davidson" else 1 + math.exp(want[4])
    assert found.tie == pytest.approx(rate, abs=1e-4)


@given(st.floats(-5, 5), st.floats(0.05, 3), st.sampled_from(["half", "davidson", "rao-kupper"]))
def test_slopes_are_derivatives(
    apart: float, tie: float, ties: Literal["half", "davidson", "rao-kupper"]
) -> None:
    outcome, step = np.array([0.0, 0.5, 1.0]), 1e-5

    def at(d: float, t: float) -> object:
        return slopes(ties, np.full(3, d), outcome, t)

    here, up, down = at(apart, tie), at(apart + step, tie), at(apart - step, tie)
    more, less = at(apart, tie + step), at(apart, tie - step)
    for name, (plus, minus), of in (
        ("d", (up, down), "value"),
        ("dd", (up, down), "d"),
        ("t", (more, less), "value"),
        ("tt", (more, less), "t"),
        ("dt", (more, less), "d"),
    ):
        slope = (getattr(plus, of) - getattr(minus, of)) / (2 * step)
        assert getattr(here, name) == pytest.approx(slope, rel=1e-5, abs=1e-5), name
    if ties != "half":
        assert np.exp(here.value).sum() == pytest.approx(1)  # type: ignore[attr-defined]
    assert expected_score(ties, apart, tie) + expected_score(ties, -apart, tie) == pytest.approx(1)


def test_order_of_rows_sides_and_models_does_not_matter() -> None:
    first, second, outcome, style = played(3, effect=0.5, draws=0.2)
    one = bradley_terry(
        Comparisons.of(first, second, outcome, covariates={"style": style}), seed=1, replicates=0
    )
    other = bradley_terry(
        Comparisons.of(second[::-1], first[::-1], 1 - outcome[::-1], covariates={"style": -style[::-1]}),
        seed=1,
        replicates=0,
    )
    assert values(one) == pytest.approx(values(other), abs=1e-7)
    assert one.effects["style"].value == pytest.approx(other.effects["style"].value, abs=1e-7)


def test_intervals_cover_the_truth_and_depend_on_the_seed_alone() -> None:
    first, second, outcome, _ = played(4, 1000)
    games = Comparisons.of(first, second, outcome)
    found, again, other = (bradley_terry(games, seed=seed, anchor="m2", replicates=300) for seed in (1, 1, 2))
    assert found == again
    assert found.strengths["m0"].low != other.strengths["m0"].low
    for name, truth in zip(found.strengths, STRENGTHS, strict=True):
        one = found.strengths[name]
        if name == "m2":
            assert (one.value, one.low, one.reason) == (0.0, None, "the same in every resample")
        else:
            assert one.low is not None
            assert one.high is not None
            assert one.low < truth < one.high
    assert found.strengths["m0"].p == 0 or found.strengths["m0"].p < 0.001  # type: ignore[operator]


def test_prompts_are_resampled_whole() -> None:
    """Ten judges who always agree on a prompt are one judge."""
    first, second, outcome, _ = played(5, 100)
    once = bradley_terry(Comparisons.of(first, second, outcome), seed=1, anchor="m2", replicates=400)
    names = [str(one) for one in range(100)]
    ten = Comparisons.of(first * 10, second * 10, np.tile(outcome, 10), prompts=names * 10)
    apart = Comparisons.of(first * 10, second * 10, np.tile(outcome, 10))
    widths = []
    for games in (ten, apart):
        one = bradley_terry(games, seed=1, anchor="m2", replicates=400).strengths["m0"]
        assert one.low is not None
        assert one.high is not None
        widths.append(one.high - one.low)
    alone = once.strengths["m0"]
    assert alone.low is not None
    assert alone.high is not None
    assert widths[0] == pytest.approx(alone.high - alone.low, rel=0.15)
    assert widths[1] < 0.5 * widths[0]


def test_groups_that_never_meet_are_named() -> None:
    games = Comparisons.of(["a", "b", "c", "d"], ["b", "a", "d", "c"], np.array([1.0, 1.0, 1.0, 1.0]))
    with pytest.raises(UsageError, match=r"2 groups that never meet: 'a', 'b' \| 'c', 'd'"):
        bradley_terry(games, seed=1, ridge=1.0)


@pytest.mark.parametrize(
    ("outcome", "sentence"),
    [
        ([1.0, 1.0, 1.0, 0.0], "'a' never loses to 'b', 'c'"),
        ([1.0, 0.0, 1.0, 1.0], "'c' never wins against 'a', 'b'"),
    ],
)
def test_separation_is_named_and_a_ridge_holds_it(outcome: list[float], sentence: str) -> None:
    games = Comparisons.of(["a", "a", "b", "b"], ["b", "b", "c", "c"], np.array(outcome))
    with pytest.raises(UsageError, match=f"{sentence}, so that strengths are infinite; give a ridge"):
        bradley_terry(games, seed=1)
    found = bradley_terry(games, seed=1, ridge=0.1, replicates=0)
    assert sentence in found.remarks[0]
    assert np.isfinite(values(found)).all()


def test_covariate_that_tells_wins_from_losses_needs_a_ridge() -> None:
    first, second, outcome, _ = played(6, 60)
    games = Comparisons.of(first, second, outcome, covariates={"style": outcome - 0.5})
    with pytest.raises(UsageError, match="strengths are infinite"):
        bradley_terry(games, seed=1)
    assert np.isfinite(values(bradley_terry(games, seed=1, ridge=0.1, replicates=0))).all()


def test_constant_covariate_has_no_effect() -> None:
    first, second, outcome, _ = played(7, 80)
    plain = bradley_terry(Comparisons.of(first, second, outcome), seed=1, replicates=0)
    games = Comparisons.of(first, second, outcome, covariates={"items": np.zeros(80)})
    found = bradley_terry(games, seed=1, replicates=0)
    assert found.effects["items"].value == 0
    assert values(found) == pytest.approx(values(plain))


def test_resamples_in_which_a_model_wins_all_are_held_and_counted() -> None:
    outcome = np.array([1.0] * 19 + [0.0])
    found = bradley_terry(Comparisons.of(["a"] * 20, ["b"] * 20, outcome), seed=1, anchor="b", replicates=300)
    assert 0.2 < found.guarded < 0.5  # (19/20)^20 = 0.36
    assert "of the resamples a model wins or loses all" in found.remarks[0]
    assert found.strengths["a"].high is not None
    assert math.isfinite(found.strengths["a"].high)


def test_all_ties() -> None:
    games = Comparisons.of(["a"] * 5, ["b"] * 5, np.full(5, 0.5))
    assert values(bradley_terry(games, seed=1)).tolist() == [0, 0]
    with pytest.raises(UsageError, match="every comparison is a tie"):
        bradley_terry(games, seed=1, ties="davidson")


@pytest.mark.parametrize(("ties", "rate"), [("half", None), ("davidson", 0.0), ("rao-kupper", 1.0)])
def test_no_ties(ties: Literal["half", "davidson", "rao-kupper"], rate: float | None) -> None:
    first, second, outcome, _ = played(8, 100)
    found = bradley_terry(Comparisons.of(first, second, outcome), seed=1, ties=ties, replicates=0)
    half = bradley_terry(Comparisons.of(first, second, outcome), seed=1, replicates=0)
    assert found.tie == rate
    assert values(found) == pytest.approx(values(half))
    assert found.win_rate("m0", "m4") == pytest.approx(half.win_rate("m0", "m4"))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"first": ["b", "b"]}, "row 0 compares 'b' with itself"),
        ({"outcome": [0.5, math.nan]}, "outcome nan in row 1 is not between 0 and 1"),
        ({"outcome": [2.0, 0.0]}, "outcome 2.0 in row 0"),
        ({"outcome": [1.0]}, "outcome has 1 rows, not 2"),
        ({"second": ["b"]}, "second has 1 rows, not 2"),
        ({"covariates": {"length": [1.0, math.inf]}}, "length in row 1 is not a finite number"),
        ({"prompts": [1]}, "prompts has 1 rows"),
    ],
)
def test_bad_comparisons(change: dict[str, object], sentence: str) -> None:
    given_ = {"first": ["a", "a"], "second": ["b", "b"], "outcome": [1.0, 0.0], **change}
    with pytest.raises(UsageError, match=sentence):
        Comparisons.of(**given_)  # type: ignore[arg-type]


def test_bad_requests() -> None:
    games = Comparisons.of(["alpha", "alpha"], ["beta", "beta"], np.array([0.7, 0.0]))
    with pytest.raises(UsageError, match="did you mean 'alpha'"):
        bradley_terry(games, seed=1, anchor="alpa")
    with pytest.raises(UsageError, match="takes outcomes 0, ½ and 1, not probabilities"):
        bradley_terry(games, seed=1, ties="davidson")
    with pytest.raises(UsageError, match="a ridge is a number of at least 0"):
        bradley_terry(games, seed=1, ridge=-1)
    with pytest.raises(UsageError, match="there are no comparisons"):
        bradley_terry(Comparisons.of([], [], np.empty(0)), seed=1)
    with pytest.raises(UsageError, match="no model 'gamma'"):
        bradley_terry(games, seed=1, replicates=0).win_rate("alpha", "gamma")


def test_one_prompt_has_no_interval() -> None:
    games = Comparisons.of(["a", "a"], ["b", "b"], np.array([1.0, 0.0]), prompts=["p", "p"])
    one = bradley_terry(games, seed=1).strengths["a"]
    assert (one.value, one.low, one.reason) == (0.0, None, "one prompt says nothing about the spread")
