"""Intervals of means hold the population's mean as often as they say, on the synthetic world."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.data.synthetic import SyntheticSpec
from genrec_eval.protocol.arrays import Int32, Int64, Ragged
from genrec_eval.scenarios.ranking_records import ragged
from genrec_eval.scenarios.top_k import TopK, TopKOptions
from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.sample import Sample, paired

POPULATION, UNITS, SAMPLES = 20_000, 300, 1_500
METRICS = ("ndcg@10", "recall@10")


def top_of(weights: np.ndarray, history: Ragged, k: int) -> Int32:
    """Each user's ``k`` heaviest items that are not in the history."""
    rows = np.empty((len(history), k), np.int32)
    for start in range(0, len(history), 2_000):
        part = history.take(np.arange(start, min(start + 2_000, len(history))))
        chosen = np.broadcast_to(weights, (len(part), len(weights))).copy()
        chosen[np.repeat(np.arange(len(part)), part.lengths), part.values] = -1
        rows[start : start + len(part)] = np.argsort(-chosen, axis=1, kind="stable")[:, :k]
    return rows


@pytest.fixture(scope="module")
def population() -> dict[str, dict[str, Sample]]:
    """Scores of two models for every user: popularity, and the items that are popular of late."""
    spec = SyntheticSpec.model_validate({"users": POPULATION, "items": 200, "interactions_per_user": 12})
    scenario = TopK(TopKOptions.model_validate({"metrics": ["ndcg", "recall"]}), 5)
    prepared = scenario.prepare(spec.load(Path(), 5))
    assert prepared.training is not None
    trained = prepared.training.interactions.item
    history = ragged(prepared.cases.column("history"))
    found = {}
    for model, items in {"popularity": trained, "recent": trained[-len(trained) // 20 :]}.items():
        codes = top_of(np.bincount(items, minlength=200).astype(float), history, 10)
        lists = prepared.context["items"].column("item").combine_chunks().take(pa.array(codes.ravel()))
        record = pa.record_batch(
            {
                "case": prepared.cases.column("case").combine_chunks(),
                "repeat": pa.array(np.zeros(len(codes)), pa.int16()),
                "status": pa.array(["ok"] * len(codes)),
                "items": pa.ListArray.from_arrays(
                    pa.array(np.arange(len(codes) + 1) * 10, pa.int32()), lists
                ),
            }
        )
        scored = scenario.score(prepared.cases, prepared.context, [record])
        found[model] = {m.id: m.sample(scored.scores[m.id]) for m in scenario.metrics() if m.id in METRICS}
    return found


def draw(sample: Sample, units: Int64) -> Sample:
    return Sample(
        values=sample.values[units],
        scored=np.ones(len(units), bool),
        bounds=sample.bounds,
        indicator=sample.indicator,
    )


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("what", ["popularity", "recent", "difference"])
def test_intervals_hold_what_they_promise(
    population: dict[str, dict[str, Sample]], metric: str, what: str
) -> None:
    models = {model: samples[metric] for model, samples in population.items()}
    whole = paired(models["recent"], models["popularity"]) if what == "difference" else models[what]
    assert whole.scored.all()
    truth = whole.values.mean()
    units = np.random.default_rng(11).integers(0, len(whole.values), (SAMPLES, UNITS))
    found = intervals([draw(whole, chosen) for chosen in units], seed=3)
    held = np.mean([i.low is not None and i.low <= truth <= (i.high or 0.0) for i in found])
    # The two models differ for few users, the hardest case for a bootstrap: with long simulations the
    # difference in recall is covered at 93.3 %, so the error of a short one has to be allowed for.
    slack = 2 * np.sqrt(0.05 * 0.95 / SAMPLES) if what == "difference" else 0.0
    assert 0.93 - slack <= held <= 0.97 + slack
