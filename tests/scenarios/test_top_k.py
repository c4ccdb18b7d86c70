"""The top-k scenario: what it asks, what it refuses, how it scores."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.status import UNANSWERED, Status
from genrec_eval.scenarios.base import Case, Prepared, ScoredUnits
from genrec_eval.scenarios.ranking.base import VALIDITY
from genrec_eval.scenarios.ranking.options import RankingOptions
from genrec_eval.scenarios.top_k import TopK

Row = tuple[str, int, str, list[str] | None]


@pytest.fixture(scope="module")
def world() -> Dataset:
    spec = SyntheticSpec.model_validate({"users": 120, "items": 150, "interactions_per_user": 20})
    return spec.load(Path(), 3)


def top_k(seed: int = 7, **options: Any) -> TopK:
    return TopK(RankingOptions.model_validate(options), seed)


def records(rows: list[Row]) -> list[pa.RecordBatch]:
    case, repeat, status, items = zip(*rows, strict=True) if rows else ((), (), (), ())
    return [
        pa.record_batch(
            {
                "case": pa.array(case, pa.string()),
                "repeat": pa.array(repeat, pa.int16()),
                "status": pa.array(status, pa.string()).dictionary_encode(),
                "items": pa.array(items, pa.list_(pa.string())),
            }
        )
    ]


def case_of(prepared: Prepared, row: int) -> Case:
    name = prepared.cases.column("case")[row].as_py()
    return Case(id=name, unit=name, row=row)


# -- options


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"metrics": ["ndcg@20"]}, "'ndcg@20' looks deeper than the lists are long: raise k from 10 to 20"),
        ({"metrics": ["ndcg@"]}, "'ndcg@' is not of the form name"),
        ({"metrics": ["ndcg@0"]}, "'ndcg@0' is not of the form"),
        ({"metrics": []}, "at least 1"),
        ({"k": 0}, "greater than 0"),
        ({"max_users": 0}, "greater than 0"),
        ({"metrix": ["ndcg"]}, "unknown key 'metrix'; did you mean 'metrics'"),
        ({"min_rating": float("nan")}, "finite number"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence.replace("(", r"\(")):
        RankingOptions.model_validate(options)


def test_options_survive_their_own_json() -> None:
    options = RankingOptions.model_validate({"k": 5, "metrics": ["ndcg", "recall@3"], "groups": ["group"]})
    assert RankingOptions.model_validate_json(options.model_dump_json()) == options


def test_reading_the_options_imports_nothing_heavy() -> None:
    code = "import sys, genrec_eval.scenarios.top_k; print({'numpy', 'pyarrow', 'pandas'} & set(sys.modules))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "set()\n"


def test_metrics_without_cutoff_are_taken_at_k_and_validity_is_always_measured() -> None:
    ids = [
        metric.id for metric in top_k(k=7, metrics=["ndcg", "ndcg@7", "recall(denominator=min)@3"]).metrics()
    ]
    assert ids == ["ndcg@7", "recall(denominator=min)@3", *(f"{name}@7" for name in VALIDITY)]
    assert {check.metric for check in top_k(k=7).checks()} == {f"{name}@7" for name in VALIDITY}


def test_a_misspelt_metric_is_refused_before_anything_is_played(world: Dataset) -> None:
    with pytest.raises(UsageError, match="unknown metric 'ndgc'; did you mean 'ndcg'"):
        top_k(metrics=["ndgc"]).prepare(world)


# -- cases


def test_cases_hold_what_scoring_needs(world: Dataset) -> None:
    prepared = top_k(groups=["group"]).prepare(world)
    cases, items = prepared.cases, prepared.context["items"]
    assert cases.column_names == [
        "case",
        "unit",
        "arm",
        "group.group",
        "group.history",
        "truth",
        "history",
        "cut",
    ]
    assert items.column("item").to_pylist() == world.items.strings
    assert items.column_names == [
        "item",
        "train_count",
        "train_users",
        "test_count",
        "first_seen",
        "title",
        "attributes",
        "provider",
    ]
    assert prepared.training is not None
    trained = prepared.training.interactions
    assert items.column("train_count").to_pylist() == np.bincount(trained.item, minlength=150).tolist()
    groups = dict(zip(world.users.strings, world.user_table.column("group").to_pylist(), strict=True))
    for case in cases.to_pylist():
        code = world.users.codes[case["case"]]
        assert case["case"] == case["unit"]
        assert case["arm"] == "neutral"
        assert case["group.group"] == groups[case["unit"]]
        assert case["history"] == trained.item[trained.user == code].tolist()
        assert case["truth"]
        assert not set(case["truth"]) & set(case["history"])
        n = len(case["history"])
        assert case["group.history"] == (
            "none" if n == 0 else "1-9" if n < 10 else "10-49" if n < 50 else "50+"
        )
    assert prepared.facts["cases"] == len(cases)
    assert prepared.facts["leaked_interactions"] == 0
    assert "excluded_users" in prepared.facts


def test_a_history_group_of_one_bucket_is_left_out(world: Dataset) -> None:
    few = np.flatnonzero(np.bincount(world.interactions.user, minlength=120) > 0)[:3]
    kept = world.interactions.where(np.isin(world.interactions.user, few))
    prepared = top_k().prepare(dataclasses.replace(world, interactions=kept))
    buckets = {len(history) >= 10 for history in prepared.cases.column("history").to_pylist()}
    assert ("group.history" in prepared.cases.column_names) == (len(buckets) > 1)


def test_a_sample_of_users_is_seeded_and_said(world: Dataset) -> None:
    whole = top_k().prepare(world)
    one, again, other = (top_k(seed=s, max_users=20).prepare(world) for s in (1, 1, 2))
    assert one.cases.equals(again.cases)
    assert not one.cases.equals(other.cases)
    assert one.facts["cases"] == len(one.cases) == 20
    assert one.facts["users_sampled_from"] == len(whole.cases)
    rows = {case["case"]: case for case in whole.cases.drop_columns("group.history").to_pylist()}
    sampled = one.cases.select([c for c in one.cases.column_names if c != "group.history"]).to_pylist()
    assert all(rows[case["case"]] == case for case in sampled)


@pytest.mark.parametrize(
    ("groups", "sentence"),
    [
        (["gruop"], "no column 'gruop'; did you mean 'group'"),
        (["tags"], "'tags' of data set '.*' holds list<.*> values, which cannot name groups"),
        (["postcode"], "'postcode' of data set '.*' has 120 values, and a group may have at most 100"),
    ],
)
def test_groups_that_cannot_be_are_refused(world: Dataset, groups: list[str], sentence: str) -> None:
    table = world.user_table.append_column("tags", pa.array([["x"]] * 120))
    table = table.append_column("postcode", pa.array([str(i) for i in range(120)]))
    with pytest.raises(UsageError, match=sentence):
        top_k(groups=groups).prepare(dataclasses.replace(world, user_table=table))


def test_a_scenario_without_data_is_refused() -> None:
    with pytest.raises(UsageError, match="'top-k' needs data"):
        top_k().prepare(None)


@pytest.mark.parametrize("limit", [None, 3])
def test_single_requests_and_batches_ask_the_same(world: Dataset, limit: int | None) -> None:
    scenario = top_k(history_limit=limit, k=4)
    prepared = scenario.prepare(world)
    rows = np.array([5, 0, len(prepared.cases) - 1])
    batch = scenario.batch(prepared, rows)
    for i, row in enumerate(rows):
        request = scenario.request(prepared, case_of(prepared, int(row)))
        full = prepared.cases.column("history")[int(row)].as_py()
        assert request.k == batch.k == 4
        assert request.user == batch.users[i].as_py() == world.users.strings[batch.user_codes[i]]
        assert [world.items.codes[item] for item in request.history] == batch.history[i].tolist()
        assert batch.history[i].tolist() == (full if limit is None else full[-limit:])


# -- scores


def mean(scored: ScoredUnits, metric: str) -> float:
    scores = scored.scores[metric]
    return float(scores.values[scores.scored].mean())


def by_hand(case: dict[str, Any], listed: list[int | None], k: int) -> dict[str, float]:
    """Plain-Python metrics of one list; None stands for an unknown id, each the same."""
    hits, gain, first = 0, 0.0, 0.0
    credited: set[int] = set()
    for rank, item in enumerate(listed[:k], 1):
        if item in case["truth"] and item not in credited:
            credited.add(item)
            hits += 1
            gain += 1 / math.log2(rank + 1)
            first = first or 1 / rank
    top = listed[:k]
    ideal = sum(1 / math.log2(rank + 1) for rank in range(1, min(k, len(case["truth"])) + 1))
    return {
        "ndcg": gain / ideal,
        "recall": hits / len(case["truth"]),
        "precision": hits / k,
        "mrr": first,
        "hit_rate": float(hits > 0),
        "short": (k - len(top)) / k,
        "invalid": sum(item is None for item in top) / len(top) if top else math.nan,
        "duplicate": (len(top) - len(set(top))) / len(top) if top else math.nan,
        "seen": sum(item in case["history"] for item in top) / len(top) if top else math.nan,
    }


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_scores_equal_those_by_hand_whatever_the_lists(world: Dataset, data: st.DataObject) -> None:
    scenario = top_k(k=4, metrics=["ndcg", "recall", "precision", "mrr", "hit_rate"], max_users=6)
    prepared = scenario.prepare(world)
    cases = prepared.cases.to_pylist()
    lists = []
    for case in cases:
        pool = [*case["truth"][:3], *case["history"][:3], 0, 1, None]
        lists.append(data.draw(st.lists(st.sampled_from(pool), max_size=7)))
    rows: list[Row] = [
        (case["case"], 0, "ok", ["nowhere" if i is None else world.items.strings[i] for i in listed])
        for case, listed in zip(cases, lists, strict=True)
    ]
    order = data.draw(st.permutations(rows))
    scored = scenario.score(prepared.cases, prepared.context, records(order))
    assert scored.units.to_pylist() == [case["unit"] for case in cases]
    for i, (case, listed) in enumerate(zip(cases, lists, strict=True)):
        for name, expected in by_hand(case, listed, 4).items():
            scores = scored.scores[f"{name}@4"]
            assert bool(scores.scored[i]) == (not math.isnan(expected))
            if scores.scored[i]:
                assert scores.values[i] == pytest.approx(expected)


@pytest.mark.parametrize("status", list(Status))
def test_what_becomes_of_each_status(world: Dataset, status: Status) -> None:
    scenario = top_k(k=3, metrics=["recall"], max_users=2)
    prepared = scenario.prepare(world)
    first = prepared.cases.to_pylist()[0]
    right = [world.items.strings[i] for i in first["truth"][:3]]
    rows: list[Row] = [(first["case"], 0, str(status), right)]
    scored = scenario.score(prepared.cases, prepared.context, records(rows))
    recall, invalid, short = (scored.scores[f"{name}@3"] for name in ("recall", "invalid", "short"))
    assert recall.reasons["not-attempted"][1]
    assert not scored.attempted[1]
    if status is Status.NOT_ATTEMPTED:
        assert not scored.attempted[0]
        assert recall.reasons["not-attempted"][0]
        return
    assert scored.attempted[0]
    assert recall.scored[0]
    assert scored.answered[0] == (status not in UNANSWERED)
    assert (recall.values[0] > 0) == (status in (Status.OK, Status.TRUNCATED))
    if status in UNANSWERED:
        assert invalid.reasons["unanswered"][0]
        assert short.reasons["unanswered"][0]
    elif status not in (Status.OK, Status.TRUNCATED):
        assert invalid.reasons["empty-list"][0]
        assert short.values[0] == 1


def test_repeats_are_averaged_within_a_unit(world: Dataset) -> None:
    scenario = top_k(k=2, metrics=["hit_rate", "coverage"], max_users=3)
    prepared = scenario.prepare(world)
    a, b, c = prepared.cases.to_pylist()
    hit = {case["case"]: [world.items.strings[case["truth"][0]]] for case in (a, b, c)}
    rows: list[Row] = [
        (a["case"], 1, "ok", ["nowhere"]),
        (a["case"], 0, "ok", hit[a["case"]]),
        (b["case"], 0, "timeout", None),
        (b["case"], 1, "ok", hit[b["case"]]),
        (c["case"], 0, "ok", hit[c["case"]]),
        (c["case"], 1, "not_attempted", None),
    ]
    scored = scenario.score(prepared.cases, prepared.context, records(rows))
    assert scored.scores["hit_rate@2"].values.tolist() == [0.5, 0.5, 1.0]
    assert scored.scores["invalid@2"].values.tolist() == [0.5, 0.0, 0.0]
    assert scored.answered.all()
    distinct = [{a["truth"][0], c["truth"][0]}, {b["truth"][0]}]
    assert scored.scores["coverage@2"].total == pytest.approx(
        np.mean([len(items) / 150 for items in distinct])
    )
    for order in (rows[::-1], rows[2:] + rows[:2]):
        again = scenario.score(prepared.cases, prepared.context, records(order))
        for name, scores in scored.scores.items():
            assert scores.values.tobytes() == again.scores[name].values.tobytes()
            assert scores.total == again.scores[name].total


def test_without_any_record_nobody_was_asked(world: Dataset) -> None:
    scenario = top_k()
    prepared = scenario.prepare(world)
    scored = scenario.score(prepared.cases, prepared.context, [])
    assert not scored.attempted.any()
    for scores in scored.scores.values():
        assert scores.reasons["not-attempted"].all()


def test_a_perfect_model_is_perfect_and_groups_come_along(world: Dataset) -> None:
    scenario = top_k(k=100, groups=["group"])
    prepared = scenario.prepare(world)
    cases = prepared.cases.to_pylist()
    rows: list[Row] = [(c["case"], 0, "ok", [world.items.strings[i] for i in c["truth"]]) for c in cases]
    scored = scenario.score(prepared.cases, prepared.context, records(rows))
    for name in ("ndcg", "recall", "mrr", "hit_rate"):
        assert mean(scored, f"{name}@100") == pytest.approx(1)
    assert mean(scored, "seen@100") == mean(scored, "duplicate@100") == mean(scored, "invalid@100") == 0
    assert scored.groups["group"].to_pylist() == [case["group.group"] for case in cases]
