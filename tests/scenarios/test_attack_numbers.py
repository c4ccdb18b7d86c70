"""Figures of the protocols against a recomputation from the run directory that shares no code with them."""

from __future__ import annotations

import itertools
import math
import random
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genrec_eval
from genrec_eval.protocol.model import Call, Model
from genrec_eval.protocol.requests import RankRequest, Request
from genrec_eval.protocol.responses import Answer, RankResponse
from genrec_eval.protocol.status import Status

K, REPEATS = 5, 2
ALL = [f"i{number:02d}" for number in range(1, 61)]


class Erratic(Model):
    """Different in every repeat; fails, invents, repeats, ignores its candidates."""

    kinds = frozenset({"rank"})

    def identity(self) -> dict[str, Any]:
        return {"adapter": "erratic"}

    async def answer(self, request: Request, call: Call) -> Answer:
        assert isinstance(request, RankRequest)
        pool = request.candidates
        draw = random.Random(f"{request.user} {request.history} {len(pool or ())} {call.repeat}")
        mood = draw.choice(["well"] * 5 + ["ignores", "invents", "repeats", "raises", "empty"])
        if mood == "raises":
            return Answer(status=Status.ERROR, error="no such user")
        known = sorted(pool) if pool is not None and mood != "ignores" else ALL
        items = draw.sample(known, min(request.k, len(known)))
        if mood == "empty":
            items = []
        if mood == "invents":
            items = ["nowhere", *items[1:]]
        if mood == "repeats":
            items = [items[0], *items[:-1]]
        return Answer(response=RankResponse(items=tuple(items)))


SUITE: dict[str, Any] = {
    "name": "numbers",
    "seed": 5,
    "data": {
        "world": {"dataset": "synthetic", "options": {"users": 45, "items": 60, "interactions_per_user": 12}}
    },
    "models": {"random": {"adapter": "reference", "model": "random"}},
    "scenarios": {
        "rerank": {"scenario": "rerank", "data": "world",
                   "options": {"k": K, "negatives": 9, "metrics": ["recall", "gauc"], "groups": ["group"]}},
        "shots": {"scenario": "cold-start", "data": "world",
                  "options": {"of": "users", "k": K, "shots": [0, 2], "metrics": ["recall", "coverage"],
                              "split": {"method": "strong-generalisation", "pick": "last",
                                        "test_users": 0.5}}},
        "shift": {"scenario": "preference-shift", "data": "world",
                  "options": {"k": K, "since": [0, 2], "metrics": ["recall"]}},
        "next": {"scenario": "next-item", "data": "world",
                 "options": {"k": K, "targets": "all", "metrics": ["mrr", "coverage"],
                             "split": {"method": "global-temporal"}}},
        "page": {"scenario": "page", "data": "world",
                 "options": {"rows": 2, "columns": 2, "k": 4, "metrics": ["page_ndcg", "first_row"]}},
        "cold": {"scenario": "cold-start", "data": "world",
                 "options": {"k": K, "most_interactions": 5, "metrics": ["recall"]}},
    },
    "engine": {"repeats": REPEATS, "retries": 0},
}  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.api.Run:
    folder = tmp_path_factory.mktemp("numbers")
    return genrec_eval.run(SUITE, models={"erratic": Erratic()}, out=folder / "run", quiet=True, report=False)


class Own:
    """The cases of one scenario and what each model listed, from the parquet files alone."""

    def __init__(self, path: Path, scenario: str) -> None:
        self.cases = pd.read_parquet(path / "cases" / f"{scenario}.parquet")
        self.names = pd.read_parquet(path / "cases" / f"{scenario}@items.parquet")["item"].tolist()
        shared = path / "cases" / f"{scenario}@candidates.parquet"
        self.shared = pd.read_parquet(shared)["code"].tolist() if shared.is_file() else None
        self.lists: dict[tuple[str, str, int], list[str] | None] = {}
        for file in sorted((path / "records").glob("*.parquet")):
            for row in pd.read_parquet(file).itertuples():
                if row.scenario == scenario:
                    listed = list(row.items) if row.status == "ok" and row.items is not None else None
                    self.lists[row.model, row.case, row.repeat] = listed

    def named(self, codes: Any) -> list[str]:
        return [self.names[code] for code in codes]

    def one(self, metric: str, row: Any, listed: list[str] | None, k: int = K) -> tuple[float, float] | None:
        """Value and weight of one list; None where there is none."""
        truth, items = set(self.named(row.truth)), (listed or [])[:k]
        hits = [place for place, item in enumerate(items) if item in truth and item not in items[:place]]
        if metric == "recall":
            return len(hits) / len(truth), 1
        if metric == "mrr":
            return (1 / (hits[0] + 1) if hits else 0.0), 1
        if metric == "first_row":
            return float(any(place < 2 for place in hits)), 1
        if metric == "page_ndcg":
            worth = [1 / math.log2(place // 2 + place % 2 + 2) for place in range(k)]
            best = sum(sorted(worth, reverse=True)[: min(k, len(truth))])
            return sum(worth[place] for place in hits) / best, 1
        if metric == "outside":
            pool = set(self.named(self.shared if self.shared is not None else row.candidates))
            return (sum(item not in pool for item in items) / len(items), 1) if items else None
        assert metric == "gauc"
        pool = set(self.named(row.candidates))
        ranks = {item: place for place, item in reversed(list(enumerate(listed or [])))}
        won = 0.0
        pairs = list(itertools.product(truth & pool, pool - truth))
        for wanted, other in pairs:
            above, below = ranks.get(wanted, 10**6), ranks.get(other, 10**6)
            won += 1.0 if above < below else 0.5 if above == below else 0.0
        return (won / len(pairs) if listed is not None else 0.0), len(truth)

    def units(self, metric: str, model: str, k: int = K, **condition: Any) -> dict[str, tuple[float, float]]:
        """Mean over a case's repeats, then over a unit's cases, weighted where the metric is."""
        found: dict[str, list[tuple[float, float]]] = defaultdict(list)
        for row in self.cases.itertuples():
            if any(getattr(row, name) != value for name, value in condition.items()):
                continue
            given = [self.one(metric, row, self.lists[model, row.case, r], k) for r in range(REPEATS)]
            scored = [pair for pair in given if pair is not None]
            if scored:
                weight = sum(w for _, w in scored)
                mean = sum(v * w for v, w in scored) / weight
                found[row.unit].append((mean, weight / len(scored)))
        return {
            unit: (
                sum(v * w for v, w in pairs) / sum(w for _, w in pairs),
                sum(w for _, w in pairs) if metric == "gauc" else 1.0,
            )
            for unit, pairs in found.items()
        }


def mean(units: dict[str, tuple[float, float]], of: set[str] | None = None) -> float:
    chosen = [pair for unit, pair in units.items() if of is None or unit in of]
    return sum(v * w for v, w in chosen) / sum(w for _, w in chosen)


def estimate(run: genrec_eval.api.Run, *key: Any) -> Any:
    scenario, metric, model, slice, baseline = key
    (row,) = [
        e
        for e in run.results.estimates
        if (e.scenario, e.metric, e.model, e.slice, e.baseline) == (scenario, metric, model, slice, baseline)
    ]
    return row


CASES = [
    ("rerank", f"recall(candidates_are=full)@{K}", "recall", {"candidates_are": "full"}, K),
    ("rerank", f"recall(candidates_are=sampled)@{K}", "recall", {"candidates_are": "sampled"}, K),
    ("rerank", "gauc(candidates_are=full)", "gauc", {"candidates_are": "full"}, K),
    ("rerank", "gauc(candidates_are=sampled)", "gauc", {"candidates_are": "sampled"}, K),
    ("rerank", f"outside@{K}", "outside", {}, K),
    ("shots", f"recall(shots=0)@{K}", "recall", {"shots": 0}, K),
    ("shots", f"recall(shots=2)@{K}", "recall", {"shots": 2}, K),
    ("shift", f"recall(since=2)@{K}", "recall", {"since": "2"}, K),
    ("shift", f"recall(since=settled)@{K}", "recall", {"since": "settled"}, K),
    ("next", f"mrr@{K}", "mrr", {}, K),
    ("page", "page_ndcg(columns=2)@4", "page_ndcg", {}, 4),
    ("page", "first_row(columns=2)@4", "first_row", {}, 4),
    ("cold", f"recall@{K}", "recall", {}, K),
    ("cold", f"outside@{K}", "outside", {}, K),
]


@pytest.mark.parametrize(("scenario", "metric", "plain", "condition", "k"), CASES)
def test_values_of_models_groups_and_pairs(
    run: genrec_eval.api.Run, scenario: str, metric: str, plain: str, condition: dict[str, Any], k: int
) -> None:
    own = Own(run.path, scenario)
    units = {model: own.units(plain, model, k, **condition) for model in ("random", "erratic")}
    for model, scores in units.items():
        row = estimate(run, scenario, metric, model, "all", None)
        assert row.value == pytest.approx(mean(scores), abs=1e-12)
        assert row.n == len(scores)
        assert row.attempted == own.cases["unit"].nunique()
        heard = {
            case.unit
            for case in own.cases.itertuples()
            if any(own.lists[model, case.case, repeat] is not None for repeat in range(REPEATS))
        }
        assert row.answered == len(heard)
    row = estimate(run, scenario, metric, "erratic", "all", "random")
    both = units["erratic"].keys() & units["random"].keys()
    if plain == "gauc":
        wanted = mean(units["erratic"], both) - mean(units["random"], both)
    else:
        wanted = sum(units["erratic"][u][0] - units["random"][u][0] for u in both) / len(both)
    assert row.value == pytest.approx(wanted, abs=1e-12)
    if "group.group" in own.cases.columns:
        for value, rows in own.cases.groupby("group.group"):
            row = estimate(run, scenario, metric, "erratic", f"group={value}", None)
            members = set(rows["unit"])
            if row.value is not None:
                assert row.value == pytest.approx(mean(units["erratic"], members), abs=1e-12)
            assert row.attempted == len(members)


def test_what_the_shift_costs_is_the_difference_unit_by_unit(run: genrec_eval.api.Run) -> None:
    own = Own(run.path, "shift")
    for since, model in itertools.product(("0", "2"), ("random", "erratic")):
        shifted, settled = (own.units("recall", model, since=value) for value in (since, "settled"))
        costs = [settled[unit][0] - shifted[unit][0] for unit in shifted.keys() & settled.keys()]
        row = estimate(run, "shift", f"lost_recall(since={since})@{K}", model, "all", None)
        assert row.value == pytest.approx(sum(costs) / len(costs), abs=1e-12)
        assert row.direction == "lower"


def test_a_metric_of_the_whole_run_is_by_condition_or_withheld_with_a_reason(
    run: genrec_eval.api.Run,
) -> None:
    own = Own(run.path, "shots")
    for shots, model in itertools.product((0, 2), ("random", "erratic")):
        rows = own.cases[own.cases["shots"] == shots]
        shares = []
        for repeat in range(REPEATS):
            listed = {i for case in rows["case"] for i in (own.lists[model, case, repeat] or [])[:K]}
            shares.append(len(listed & set(own.names)) / len(own.names))
        row = estimate(run, "shots", f"coverage(shots={shots})@{K}", model, "all", None)
        assert row.value == pytest.approx(sum(shares) / REPEATS, abs=1e-12)
    row = estimate(run, "next", f"coverage@{K}", "random", "all", None)
    assert row.value is None
    assert row.excluded == {"several-lists": row.attempted}
    assert "several lists" in str(row.reason)


def test_the_expectation_is_what_many_samples_give(run: genrec_eval.api.Run) -> None:
    own = Own(run.path, "rerank")
    draw = np.random.default_rng(0)
    means = []
    for row in own.cases[own.cases["candidates_are"] == "full"].itertuples():
        truth = set(own.named(row.truth))
        pool = [item for item in own.named(row.candidates) if item not in truth]
        seen = set(own.named(row.history))
        of_case = []
        for repeat in range(REPEATS):
            listed = own.lists["erratic", row.case, repeat] or []
            clean = [
                i
                for n, i in enumerate(listed)
                if i not in listed[:n] and i in own.names and (i in truth or i not in seen)
            ]
            for _ in range(60):
                sample = {*draw.choice(pool, min(9, len(pool)), replace=False), *truth}
                top = [item for item in clean if item in sample][:K]
                of_case.append(len(set(top) & truth) / len(truth))
        means.append(sum(of_case) / len(of_case))
    row = estimate(run, "rerank", f"expected_recall(negatives=9)@{K}", "erratic", "all", None)
    assert row.value == pytest.approx(sum(means) / len(means), abs=0.02)


def test_scoring_again_gives_the_same_bytes(run: genrec_eval.api.Run) -> None:
    from genrec_eval.audit.audit import audit_run

    before = [(run.path / name).read_bytes() for name in ("scores.parquet", "estimates.json")]
    audit_run(run.directory)
    assert [(run.path / name).read_bytes() for name in ("scores.parquet", "estimates.json")] == before


def test_records_replayed_by_case_give_the_same_figures(tmp_path: Path) -> None:
    names = ("rerank", "shots", "shift", "next")
    once = {**SUITE, "scenarios": {name: SUITE["scenarios"][name] for name in names}, "engine": {}}
    first = genrec_eval.run(once, out=tmp_path / "first", quiet=True, report=False)
    columns = {"user": "case", "scores": "item_scores"}
    models = {}
    for file in sorted((first.path / "records").glob("*.parquet")):
        (scenario,) = set(pd.read_parquet(file, columns=["scenario"])["scenario"])
        models[f"replayed-{scenario}"] = {
            "adapter": "replay", "path": str(file), "columns": columns, "scenarios": [scenario],
        }  # fmt: skip
    second = genrec_eval.run({**once, "models": models}, out=tmp_path / "second", quiet=True, report=False)
    values = ["scenario", "metric", "slice", "value", "low", "high", "n"]
    before, after = (
        run.estimates[values].sort_values(values[:3], ignore_index=True) for run in (first, second)
    )
    pd.testing.assert_frame_equal(before, after)
