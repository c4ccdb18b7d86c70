"""AlpacaEval 2's length control: the algebra, and the ten recorded systems."""

from __future__ import annotations

import csv
import gzip
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.judged.pairs import Pairs, rows_of
from genrec_eval.metrics.judged.win_rate import tally
from genrec_eval.stats.alpaca_glm import (
    AlpacaWeights,
    Reruns,
    expected_preferences,
    fit_alpaca,
    fit_resamples,
    head_to_head,
    length_controlled,
    length_term,
)
from genrec_eval.stats.resample import resamples

# weights that alpaca_eval publishes for its baseline asked to be verbose and to be concise
# (metrics/weights/weighted_alpaca_eval_gpt4_turbo/length_controlled_v1, leaderboard of the same name)
RERUNS = {
    "gpt4_1106_preview_verbose": (
        AlpacaWeights(-1.5835274219761557, 0.8334888457867451, 0.1923534665807022),
        64.3036,
    ),
    "gpt4_1106_preview_concise": (
        AlpacaWeights(-1.6424856171097677, 0.6835779026468267, -0.3182055425894927),
        22.9202,
    ),
}


def synthetic(seed: int = 1, n: int = 400) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    length = length_term(rng.normal(2000, 500, n), rng.normal(1500, 500, n))
    difficulty = rng.normal(0, 1.5, n)
    chance = expected_preferences(AlpacaWeights(-1.5, 0.8, -0.5), length, difficulty)
    return (rng.random(n) < chance).astype(float), length, difficulty


def test_fit_is_the_unpenalised_logistic_regression() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    preference, length, difficulty = synthetic()
    features = np.stack([length, difficulty, np.ones(len(length))], axis=1)
    want = linear_model.LogisticRegression(C=1e10, fit_intercept=False, tol=1e-12, max_iter=10_000)
    want.fit(features, preference)
    found = fit_alpaca(preference, length, difficulty)
    assert (found.phi, found.psi, found.theta) == pytest.approx(want.coef_[0], abs=1e-5)


def test_reruns_are_rows_of_little_weight_without_theta() -> None:
    """As scikit-learn fits them: each row once as a win and once as a loss, weighted by its preference."""
    linear_model = pytest.importorskip("sklearn.linear_model")
    preference, length, difficulty = synthetic()
    soft = np.clip(preference, 0.1, 0.8)
    other, more, hard = synthetic(2, 100)
    features = np.stack([length, difficulty, np.ones(400)], axis=1)
    features = np.concatenate([features, np.stack([more, hard, np.zeros(100)], axis=1)])
    targets, weights = np.concatenate([soft, other]), np.repeat([1.0, 0.1], [400, 100])
    want = linear_model.LogisticRegression(C=1e10, fit_intercept=False, tol=1e-12, max_iter=10_000)
    want.fit(
        np.concatenate([features, features]),
        np.repeat([1, 0], 500),
        sample_weight=np.concatenate([weights * targets, weights * (1 - targets)]),
    )
    found = fit_alpaca(
        soft, length, difficulty, reruns=Reruns(length=more, difficulty=hard, preference=other)
    )
    assert (found.phi, found.psi, found.theta) == pytest.approx(want.coef_[0], abs=1e-5)
    fitted = expected_preferences(found, length, difficulty)
    assert fitted.mean() == pytest.approx(soft.mean())  # reruns have no theta, so they cannot move this


def test_a_resample_is_the_fit_to_repeated_rows() -> None:
    preference, length, difficulty = synthetic()
    counts = np.random.default_rng(3).multinomial(400, np.full(400, 1 / 400), size=3).astype(float)
    found = fit_resamples(preference, length, difficulty, counts)
    for row, rate in zip(counts, found, strict=True):
        drawn = np.repeat(np.arange(400), row.astype(int))
        weights = fit_alpaca(preference[drawn], length[drawn], difficulty[drawn])
        assert rate == pytest.approx(length_controlled(weights, difficulty[drawn]))


def test_a_system_against_itself_is_even() -> None:
    one, difficulty = AlpacaWeights(-1.0, 0.7, 0.3), np.array([-2.0, 0.0, 3.0])
    assert head_to_head(one, one, difficulty) == 0.5
    other = AlpacaWeights(-2.0, 0.9, -0.4)
    assert head_to_head(one, other, difficulty) == pytest.approx(1 - head_to_head(other, one, difficulty))
    baseline = AlpacaWeights(0.0, 0.0, 0.0)
    assert head_to_head(one, baseline, difficulty) == length_controlled(one, difficulty)
    assert fit_alpaca(np.full(9, 0.5), np.linspace(-1, 1, 9), np.arange(9.0)) == baseline


@pytest.mark.parametrize("wins", [np.ones(6), np.array([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])])
def test_infinite_weights_are_refused(wins: np.ndarray) -> None:
    length = np.array([-0.9, -0.5, -0.1, 0.2, 0.5, 0.9])
    difficulty = np.array([0.0, 1.0, 0.0, 1.0, 0.0, 1.0])
    with pytest.raises(UsageError, match="weights are infinite"):
        fit_alpaca(wins, length, difficulty)
    assert np.isnan(fit_resamples(wins, length, difficulty, np.ones((1, 6)))).all()


def test_equal_lengths_have_no_term() -> None:
    assert length_term(np.array([10.0, 20.0]), np.array([10.0, 20.0])).tolist() == [0.0, 0.0]
    assert length_term(np.array([10.0]), np.array([5.0])).tolist() == [0.0]


@dataclass(frozen=True)
class System:
    preference: np.ndarray
    length: np.ndarray
    difficulty: np.ndarray
    published: dict[str, str]
    weights: AlpacaWeights

    @property
    def rate(self) -> float:
        return float(self.published["length_controlled_winrate"])


@dataclass(frozen=True)
class Recorded:
    systems: dict[str, System]
    expected: Reruns
    constant: Reruns


def read(path: Path) -> list[dict[str, str]]:
    with gzip.open(path, "rt") if path.suffix == ".gz" else path.open() as lines:
        return list(csv.DictReader(lines))


@pytest.fixture(scope="module")
def recorded(real_data: Path) -> Recorded:
    folder = real_data / "judgements" / "alpaca-eval"
    if not folder.is_dir():
        pytest.skip("no recorded judgements of AlpacaEval")
    hard = {
        row["instruction_id"]: float(row["difficulty_hat"])
        for row in read(folder / "derived_instruction_difficulty.csv")
    }
    ids, difficulty = list(hard), np.array(list(hard.values()))
    glm = {row[""]: row for row in read(folder / "published_glm_weights.csv")}
    board = {row[""]: row for row in read(folder / "published_leaderboard.csv")}
    by_system: dict[str, list[dict[str, str]]] = {name: [] for name in board}
    for row in read(folder / "annotations_10_models.csv.gz"):
        by_system[row["model"]].append(row)
    systems = {}
    for name, rows in by_system.items():
        raw = np.array([float(row["preference"]) for row in rows])
        lengths = [
            np.array([float(row[column]) for row in rows]) for column in ("baseline_chars", "model_chars")
        ]
        phi, psi, theta = (float(value) for column, value in glm[name].items() if column)
        systems[name] = System(
            preference=np.where(raw == 0, 1.5, raw) - 1,
            length=length_term(*lengths),
            difficulty=difficulty[rows_of([row["instruction_id"] for row in rows], ids, "the difficulty")],
            published=board[name],
            weights=AlpacaWeights(phi, psi, theta),
        )
    chars: dict[str, dict[str, float]] = {}
    for row in read(folder / "baseline_lengths.csv"):
        chars.setdefault(row["generator"], {})[row["instruction_id"]] = float(row["n_chars"])
    columns: list[list[np.ndarray]] = [[], [], [], []]
    for name, (weights, rate) in RERUNS.items():
        length = length_term(
            *(np.array([chars[one][key] for key in ids]) for one in ("gpt4_1106_preview", name))
        )
        preference = expected_preferences(weights, length, difficulty)
        assert 100 * preference.mean() == pytest.approx(rate, abs=0.2)  # what was published of these rows
        for column, values in zip(
            columns, (length, difficulty, preference, np.full(len(ids), rate / 100)), strict=True
        ):
            column.append(values)
    length, again, preference, constant = map(np.concatenate, columns)
    return Recorded(
        systems,
        Reruns(length=length, difficulty=again, preference=preference),
        Reruns(length=length, difficulty=again, preference=constant),
    )


def test_recorded_win_rates_to_the_last_digit(recorded: Recorded) -> None:
    assert len(recorded.systems) == 10
    for one in recorded.systems.values():
        found, want = tally(Pairs(preference=one.preference)), one.published
        assert found.win_rate is not None
        assert found.standard_error is not None
        assert found.discrete_win_rate is not None
        assert 100 * found.win_rate == pytest.approx(float(want["win_rate"]), abs=1e-6)
        assert 100 * found.standard_error == pytest.approx(float(want["standard_error"]), abs=1e-6)
        assert 100 * found.discrete_win_rate == pytest.approx(float(want["discrete_win_rate"]), abs=1e-6)
        counts = [int(want[name]) for name in ("n_total", "n_wins", "n_wins_base", "n_draws")]
        assert [found.n, found.wins, found.losses, found.draws] == counts


def test_published_weights_predict_the_published_rates(recorded: Recorded) -> None:
    for name, one in recorded.systems.items():
        assert 100 * length_controlled(one.weights, one.difficulty) == pytest.approx(one.rate, abs=0.5), name


@pytest.mark.parametrize(
    ("reruns", "ridge", "greatest"),
    [(None, 1.0, 1.1), ("expected", 0.0, 1.7), ("expected", 3.0, 1.0), ("constant", 0.0, 0.9)],
)
def test_refits_come_near_the_published_rates(
    recorded: Recorded, reruns: str | None, ridge: float, greatest: float
) -> None:
    """With each stand-in for the rows that are not at hand; without any, one system is 4 points off."""
    extra = None if reruns is None else getattr(recorded, reruns)
    found, want = [], []
    for one in recorded.systems.values():
        weights = fit_alpaca(one.preference, one.length, one.difficulty, reruns=extra, ridge=ridge)
        found.append(100 * length_controlled(weights, one.difficulty))
        want.append(one.rate)
    assert np.abs(np.subtract(found, want)).max() < greatest
    ranks = [np.argsort(np.argsort(values)) for values in (found, want)]
    assert np.corrcoef(*ranks)[0, 1] > 0.95


def test_published_standard_error_ignores_that_weights_are_estimates(recorded: Recorded) -> None:
    for name in ("FuseChat-Llama-3.2-3B-Instruct", "gpt4_0613_concise", "pythia-12b-mix-sft"):
        one = recorded.systems[name]
        counts = np.concatenate([drawn for _, drawn in resamples(len(one.length), seed=1, replicates=100)])
        rates = fit_resamples(one.preference, one.length, one.difficulty, counts, reruns=recorded.expected)
        ours = 100 * float(rates.std(ddof=1))
        fitted = expected_preferences(one.weights, np.zeros(len(one.length)), one.difficulty)
        naive = 100 * float(fitted.std(ddof=1)) / math.sqrt(len(fitted))
        if published := one.published["lc_standard_error"]:  # of the first alone
            assert naive == pytest.approx(float(published), abs=0.03)
        assert 1.7 * naive < ours < 3 * naive, name
        assert 0.65 < ours < 2.1


def test_difficulty_is_joined_by_id(recorded: Recorded) -> None:
    """Three rows are missing: joined by position, every later prompt gets another's difficulty."""
    one = recorded.systems["claude-2.1"]
    held = np.delete(np.arange(805), [3, 200, 400])
    ids = [str(row) for row in range(805)]
    by_id = one.difficulty[rows_of([ids[row] for row in held], ids, "the difficulty")]
    right, wrong = (
        fit_alpaca(one.preference[held], one.length[held], difficulty, reruns=recorded.expected)
        for difficulty in (by_id, one.difficulty[: len(held)])
    )
    whole = fit_alpaca(one.preference, one.length, one.difficulty, reruns=recorded.expected)
    assert right.psi == pytest.approx(whole.psi, abs=0.02)
    assert wrong.psi < 0.7 * whole.psi
