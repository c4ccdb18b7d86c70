"""RMSE and MAE: against scikit-learn, a weighted mean by hand, and published fixtures."""

from __future__ import annotations

from math import nan, sqrt

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.rated import RatedPairs
from genrec_eval.metrics.registry import metric

stars = st.sampled_from([1.0, 2.0, 3.5, 5.0])
guesses = st.sampled_from([1.0, 2.25, 4.0, 7.0, nan])
people = st.lists(st.lists(st.tuples(stars, guesses), max_size=5), min_size=1, max_size=6)


def pairs_of(users: list[list[tuple[float, float]]], silent: tuple[int, ...] = ()) -> RatedPairs:
    flat = [pair for user in users for pair in user]
    return RatedPairs(
        offsets=np.concatenate([[0], np.cumsum([len(user) for user in users])]).astype(np.int64),
        truth=np.array([pair[0] for pair in flat], float),
        predicted=np.array([pair[1] for pair in flat], float),
        answered=np.array([row not in silent for row in range(len(users))]),
        scale=(1.0, 5.0),
    )


def run(spelling: str, pairs: RatedPairs) -> float | None:
    """The run's value by the weights and the link, written down once more."""
    bound = metric(spelling)
    scores = bound(pairs)
    weights = np.ones(len(scores)) if scores.weights is None else scores.weights
    used = scores.scored
    if not used.any():
        return None
    value = float(np.average(scores.values[used], weights=weights[used]))
    return sqrt(value) if bound.sample(scores).link == "sqrt" else value


@given(users=people, missing=st.sampled_from(["exclude", "worst"]))
def test_against_plain_python(users: list[list[tuple[float, float]]], missing: str) -> None:
    def error(truth: float, guess: float) -> float | None:
        if guess == guess:
            return guess - truth
        return None if missing == "exclude" else max(truth - 1, 5 - truth)

    errors = [[e for pair in user if (e := error(*pair)) is not None] for user in users]
    flat = [e for user in errors for e in user]
    kept = [user for user in errors if user]
    pairs = pairs_of(users)
    ways = {
        "rmse": lambda es: sqrt(sum(e * e for e in es) / len(es)),
        "mae": lambda es: sum(map(abs, es)) / len(es),
    }
    for name, mean in ways.items():
        found = (
            run(f"{name}(missing={missing})", pairs),
            run(f"{name}(average=macro,missing={missing})", pairs),
        )
        if not flat:
            assert found == (None, None)
            continue
        assert found == pytest.approx((mean(flat), sum(map(mean, kept)) / len(kept)))
    scores = metric(f"rmse(missing={missing})")(pairs)
    for row, user in enumerate(users):
        why = [reason for reason, mask in scores.reasons.items() if mask[row]]
        assert why == ([] if errors[row] else ["no-prediction" if user else "no-truth"])
    asked = [pair for user in users for pair in user]
    if asked:
        absent = sum(guess != guess for _, guess in asked) / len(asked)
        assert run("missing_ratings", pairs) == pytest.approx(absent)


def test_equals_scikit_learn() -> None:
    from sklearn.metrics import mean_absolute_error, root_mean_squared_error

    rng = np.random.default_rng(2)
    users = [
        [(float(rng.integers(1, 6)), float(rng.normal(3, 1))) for _ in range(rng.integers(1, 9))]
        for _ in range(50)
    ]
    truth, guess = zip(*(pair for user in users for pair in user), strict=True)
    assert run("rmse", pairs_of(users)) == pytest.approx(root_mean_squared_error(truth, guess))
    assert run("mae", pairs_of(users)) == pytest.approx(mean_absolute_error(truth, guess))
    each = [root_mean_squared_error(*zip(*user, strict=True)) for user in users]
    assert run("rmse(average=macro)", pairs_of(users)) == pytest.approx(np.mean(each))


def test_recommenders_fixture() -> None:
    """tests/unit/recommenders/evaluation of recommenders-team/recommenders (MIT): RMSE 7.254309, MAE 6.375.

    It joins: pairs that nobody predicted are dropped in silence; ours are counted.
    """
    true = {
        1: {3: 3, 1: 5, 2: 4},
        2: {1: 5, 4: 5, 5: 3, 6: 3, 7: 1},
        3: {2: 5, 5: 5, 6: 5, 8: 4, 9: 4, 10: 3, 11: 3, 12: 3, 13: 2, 14: 1},
    }
    said = {
        1: {12: 12, 3: 14, 10: 13},
        2: {10: 14, 3: 13, 5: 12, 11: 11, 13: 10},
        3: {4: 14, 10: 13, 7: 12, 13: 11, 1: 10, 3: 9, 5: 8, 2: 7, 11: 6, 14: 5},
    }
    users = [
        [(float(rating), float(said[user].get(item, nan))) for item, rating in ratings.items()]
        for user, ratings in true.items()
    ]
    pairs = pairs_of(users)
    for preset in ("recommenders", "recbole"):
        assert metric("rmse", preset=preset).id == "rmse"
    assert run("rmse", pairs) == pytest.approx(7.254309, abs=1e-6)
    assert run("mae", pairs) == pytest.approx(6.375)
    assert run("missing_ratings", pairs) == pytest.approx(10 / 18)


def test_recbole_fixture() -> None:
    """tests/metrics/test_loss_metrics.py of RUCAIBox/RecBole (MIT)."""
    cases = [([0.1, 0.9, 0.2, 0.3], [1, 0, 1, 1]), ([0.7, 0.5, 0.6, 0.2], [0, 1, 1, 0])]
    for said, true in cases:
        pairs = pairs_of([list(zip(map(float, true), said, strict=True))])
        gaps = [abs(a - b) for a, b in zip(true, said, strict=True)]
        assert run("mae", pairs) == pytest.approx(sum(gaps) / 4)
        assert run("rmse", pairs) == pytest.approx(sqrt(sum(gap * gap for gap in gaps) / 4))


def test_who_did_not_answer_is_not_who_predicted_nothing() -> None:
    pairs = pairs_of([[(3.0, nan)], [(3.0, nan)], [(3.0, 4.0)], [(3.0, float("inf"))]], silent=(0,))
    scores = metric("rmse")(pairs)
    assert scores.reasons["unanswered"].tolist() == [True, False, False, False]
    assert scores.reasons["no-prediction"].tolist() == [False, True, False, True]
    assert metric("missing_ratings")(pairs).values.tolist() == [1.0, 1.0, 0.0, 1.0]


@given(users=people, cut=st.integers(1, 6))
def test_chunks_change_nothing(users: list[list[tuple[float, float]]], cut: int) -> None:
    metrics = [metric(name) for name in ("rmse", "mae(average=macro)", "missing_ratings")]
    whole = score_lists(metrics, [pairs_of(users)])
    parts = score_lists(metrics, [pairs_of(users[i : i + cut]) for i in range(0, len(users), cut)])
    for name, scores in whole.items():
        np.testing.assert_array_equal(scores.values, parts[name].values)
        np.testing.assert_array_equal(scores.scored, parts[name].scored)
        if scores.weights is not None:
            np.testing.assert_array_equal(scores.weights, parts[name].weights)


def test_link_follows_the_average() -> None:
    assert (metric("rmse").link, metric("rmse(average=macro)").link, metric("mae").link) == (
        "sqrt",
        "identity",
        "identity",
    )
    with pytest.raises(UsageError, match="metric 'rmse' has no cutoff"):
        metric("rmse@10")
