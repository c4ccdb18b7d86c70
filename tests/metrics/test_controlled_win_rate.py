"""The controlled win rate as a metric: spelling, rows to refit, refusals."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.judged.controlled import controlled
from genrec_eval.metrics.judged.pairs import Pairs
from genrec_eval.metrics.registry import metric
from genrec_eval.stats.intervals import Interval, intervals
from genrec_eval.stats.sample import paired


def pairs(seed: int = 1, n: int = 120, *, hard: bool = False) -> Pairs:
    """A judge who likes length and nothing else; the model is the longer one."""
    rng = np.random.default_rng(seed)
    longer, items, difficulty = (
        rng.normal(100, 100, n),
        rng.integers(-3, 4, n).astype(float),
        rng.normal(size=n),
    )
    wins = rng.random(n) < 1 / (1 + np.exp(-1.5 * np.tanh(longer / 100)))
    return Pairs(
        preference=wins.astype(float),
        reasons={"unparsed": np.arange(n) % 20 == 7},
        covariates={"length": longer, "items": items},
        difficulty=difficulty if hard else None,
    )


def estimate(spelling: str, found: Pairs) -> Interval:
    one = metric(spelling)
    return intervals([one.sample(one(found))], seed=1)[0]


def test_values_average_to_the_rate() -> None:
    one = metric("controlled_win_rate")
    scores = one(pairs())
    whole = estimate("controlled_win_rate", pairs())
    assert scores.values[scores.scored].mean() == pytest.approx(whole.value)
    assert whole.n == 114
    assert whole.low is not None
    assert whole.high is not None
    assert whole.low < 0.5 < whole.high
    assert whole.method == "bootstrap-bca"
    raw = estimate("win_rate", pairs())
    assert raw.low is not None
    assert raw.low > 0.5


@pytest.mark.parametrize(
    "parameters",
    [{}, {"for": "length+items"}, {"shape": "linear", "ridge": 0.5}, {"difficulty": True}],
)
def test_metrics_and_the_summary_agree(parameters: dict[str, object]) -> None:
    found = pairs(hard=True)
    spelled = ",".join(f"{name}={str(value).lower()}" for name, value in parameters.items())
    summary = controlled(found, seed=1, **parameters)
    assert estimate(f"controlled_win_rate({spelled})", found) == summary.win_rate
    assert estimate("win_rate", found) == summary.raw
    for name, effect in summary.effects.items():
        joined = f"of={name}{',' if spelled else ''}{spelled}"
        assert estimate(f"covariate_effect({joined})", found) == effect
    assert list(summary.effects) == str(parameters.get("for", "length")).split("+")


def test_length_is_liked_and_items_are_not_noticed() -> None:
    found = controlled(pairs(2, 300), seed=1, **{"for": "length+items"})
    length, items = found.effects["length"], found.effects["items"]
    assert length.low is not None
    assert items.low is not None
    assert items.high is not None
    assert length.low > 0
    assert items.low < 0 < items.high


def test_units_of_a_reason_are_never_read() -> None:
    found = pairs()
    hidden = ~found.scored
    dirty = Pairs(
        preference=np.where(hidden, np.nan, found.preference),
        reasons=found.reasons,
        covariates={name: np.where(hidden, np.inf, values) for name, values in found.covariates.items()},
    )
    assert estimate("controlled_win_rate", dirty) == estimate("controlled_win_rate", found)


def test_difference_of_two_models_is_paired() -> None:
    one = metric("controlled_win_rate")
    first, second = (one.sample(one(pairs(seed))) for seed in (3, 4))
    gap = intervals([paired(first, second)], seed=1)[0]
    apart = intervals([first, second], seed=1)
    assert gap.value == pytest.approx(apart[0].value - apart[1].value)  # type: ignore[operator]
    assert gap.low is not None
    assert intervals([paired(first, first)], seed=1)[0].value == 0


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("controlled_win_rate(for=lenght)", "no such covariate; did you mean 'length'"),
        ("controlled_win_rate(for=)", r"no such covariate \(known: length, items\)"),
        ("controlled_win_rate(for=length+length)", "names a covariate twice"),
        ("controlled_win_rate(ridge=0)", "the weight of the prior is a number above 0"),
        ("controlled_win_rate(difficulty=true)", "the difficulty of these units is not known"),
        ("covariate_effect(of=items)", "add it to for=length"),
    ],
)
def test_refusals(spelling: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        metric(spelling)(pairs())


def test_no_pair_and_no_scored_pair() -> None:
    empty = Pairs(preference=np.empty(0), covariates={"length": np.empty(0)})
    assert len(metric("controlled_win_rate")(empty)) == 0
    none = Pairs(
        preference=np.zeros(3), covariates={"length": np.zeros(3)}, reasons={"refused": np.ones(3, bool)}
    )
    found = estimate("controlled_win_rate", none)
    assert (found.value, found.n) == (None, 0)


def test_alpaca_eval_with_a_ridge_in_place_of_reruns(real_data: object) -> None:
    """Nothing that upstream published enters, and still no system is 3 points off."""
    import csv
    import gzip
    from pathlib import Path

    folder = Path(str(real_data)) / "judgements" / "alpaca-eval"
    if not folder.is_dir():
        pytest.skip("no recorded judgements of AlpacaEval")
    with gzip.open(folder / "annotations_10_models.csv.gz", "rt") as lines:
        rows = list(csv.DictReader(lines))
    with (folder / "derived_instruction_difficulty.csv").open() as lines:
        hard = {row["instruction_id"]: float(row["difficulty_hat"]) for row in csv.DictReader(lines)}
    with (folder / "published_leaderboard.csv").open() as lines:
        board = {row[""]: float(row["length_controlled_winrate"]) for row in csv.DictReader(lines)}
    ours = {}
    for name in board:
        own = [row for row in rows if row["model"] == name]
        found = Pairs(
            preference=np.array([float(row["preference"]) - 1 for row in own]),
            covariates={
                "length": np.array([float(row["model_chars"]) - float(row["baseline_chars"]) for row in own])
            },
            difficulty=np.array([hard[row["instruction_id"]] for row in own]),
        )
        scores = metric("controlled_win_rate(difficulty=true)")(found)
        ours[name] = 100 * float(scores.values.mean())
    ranks = [np.argsort(np.argsort(list(figures.values()))) for figures in (ours, board)]
    assert np.corrcoef(*ranks)[0, 1] > 0.95
    assert max(abs(ours[name] - board[name]) for name in board) < 3
