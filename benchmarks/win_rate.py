"""Length-controlled win rate of 805 prompts with its bootstrap, and strengths of 20 models.

    python benchmarks/win_rate.py [--prompts 805] [--replicates 1000] [--rounds 3]

The goal is 30 s for 1,000 replicates on 805 prompts. Preferences are those of a judge who likes long answers.
The metric's own interval takes 2,000 replicates and a jackknife over the prompts. With scikit-learn, the same
fits one at a time are timed beside them.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable

import numpy as np


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Least wall and CPU seconds of some rounds."""
    walls, cpus = [], []
    for _ in range(rounds):
        began, cpu = time.perf_counter(), time.process_time()
        work()
        walls.append(time.perf_counter() - began)
        cpus.append(time.process_time() - cpu)
    return min(walls), min(cpus)


def one_at_a_time(preference: np.ndarray, longer: np.ndarray, hard: np.ndarray, counts: np.ndarray) -> None:
    """What a loop over scikit-learn's fits takes."""
    from sklearn.linear_model import LogisticRegression

    features = np.stack([np.tanh(longer / longer.std()), hard], axis=1)
    twice, targets = np.concatenate([features, features]), np.repeat([1, 0], len(preference))
    for row in counts:
        weights = np.concatenate([row * preference, row * (1 - preference)])
        LogisticRegression(C=1.0).fit(twice, targets, sample_weight=weights)


def main() -> None:
    """Time the fits to resamples, the metric with its interval, and Bradley-Terry."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--prompts", type=int, default=805)
    parser.add_argument("--replicates", type=int, default=1000)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()

    from genrec_eval.metrics.judged.pairs import Pairs
    from genrec_eval.metrics.registry import metric
    from genrec_eval.stats.alpaca_glm import Reruns, fit_resamples, length_term
    from genrec_eval.stats.bradley_terry import bradley_terry
    from genrec_eval.stats.comparisons import Comparisons
    from genrec_eval.stats.controlled import fit_pieces
    from genrec_eval.stats.intervals import intervals
    from genrec_eval.stats.logistic import sigmoid
    from genrec_eval.stats.resample import resamples

    rng = np.random.default_rng(20261123)
    n, replicates = arguments.prompts, arguments.replicates
    longer, hard = rng.normal(200, 500, n), rng.normal(0, 1.5, n)
    preference = np.clip(sigmoid(1.5 * np.tanh(longer / 500) + hard + rng.normal(0, 2, n)), 0, 1)
    counts = np.concatenate([drawn for _, drawn in resamples(n, seed=1, replicates=replicates)])
    pairs = Pairs(preference=preference, covariates={"length": longer}, difficulty=hard)
    rate = metric("controlled_win_rate(difficulty=true)")
    length = length_term(2000.0 - longer, np.full(n, 2000.0))
    more = Reruns(length=np.tile(length, 2), difficulty=np.tile(hard, 2), preference=np.tile(preference, 2))
    first = rng.integers(0, 20, 10_000)
    second = (first + rng.integers(1, 20, 10_000)) % 20
    wins = (rng.random(10_000) < sigmoid((second - first) / 10)).astype(float)
    games = Comparisons.of([str(one) for one in first], [str(one) for one in second], wins)
    contestants: dict[str, Callable[[], object]] = {
        f"{replicates:,} refits: length, difficulty, ridge": lambda: fit_pieces(
            preference, longer[:, None], hard, counts
        ),
        f"{replicates:,} refits: AlpacaEval's model with {2 * n:,} reruns": lambda: fit_resamples(
            preference, length, hard, counts, reruns=more
        ),
        "metric with its interval (2,000 refits and a jackknife)": lambda: intervals(
            [rate.sample(rate(pairs))], seed=1
        ),
        "Bradley-Terry: 20 models, 10,000 games, 1,000 resamples": lambda: bradley_terry(games, seed=1),
    }
    try:
        import sklearn  # noqa: F401
    except ImportError:
        print("scikit-learn is not installed: its line is left out")
    else:
        contestants[f"scikit-learn, {replicates:,} fits one at a time"] = lambda: one_at_a_time(
            preference, longer, hard, counts
        )
    load = ", ".join(f"{one:.1f}" for one in os.getloadavg())
    print(f"{n:,} prompts, {os.cpu_count()} cores, load {load}\n\n{'':60} wall s   CPU s")
    for what, work in contestants.items():
        wall, cpu = timed(work, arguments.rounds)
        print(f"{what:60} {wall:6.2f}  {cpu:6.2f}", flush=True)


if __name__ == "__main__":
    main()
