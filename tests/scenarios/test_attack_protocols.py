"""What strangers' suites and answers once broke in the ranking protocols."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.engine.ready import _rows
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged, Vocabulary
from genrec_eval.scenarios.base import SCENARIOS, Prepared, Scenario, ScoredUnits


@pytest.fixture(scope="module")
def world() -> Dataset:
    spec = SyntheticSpec.model_validate({"users": 60, "items": 70, "interactions_per_user": 14})
    return spec.load(Path(), 3)


def made(name: str, seed: int = 7, **options: Any) -> Scenario:
    family = SCENARIOS.get(name)
    scenario: Scenario = family(family.Options.model_validate(options), seed)
    return scenario


def scored(scenario: Scenario, prepared: Prepared, answers: list[list[str]], **columns: Any) -> ScoredUnits:
    rows = prepared.cases.column("case").to_pylist()
    given: dict[str, Any] = {
        "case": pa.array(rows),
        "repeat": pa.array([0] * len(rows), pa.int16()),
        "status": pa.array(["ok"] * len(rows)).dictionary_encode(),
        "items": pa.array(answers, pa.list_(pa.string())),
        **columns,
    }
    return scenario.score(prepared.cases, prepared.context, [pa.record_batch(given)])


# -- what is measured


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("cold-start", {"of": "users", "shots": [0, 1]}),
        ("preference-shift", {"since": [0]}),
        ("rerank", {"negatives": 5}),
        ("top-k", {}),
    ],
)
def test_a_metric_named_twice_or_always_measured_takes_no_others_place(
    name: str, options: dict[str, Any]
) -> None:
    plain = made(name, metrics=["ndcg", "recall"], **options)
    again = made(name, metrics=["ndcg", "ndcg@10", "invalid", "recall@10", "seen@10"], **options)
    assert [m.id for m in again.metrics()] == [m.id for m in plain.metrics()]
    assert {check.metric for check in again.checks()} <= {m.id for m in again.metrics()}


def test_items_that_nobody_offered_are_measured_and_claimed_wherever_there_are_candidates() -> None:
    for name, options in {
        "rerank": {},
        "cross-domain": {"source": "other"},
        "cold-start": {"most_interactions": 3},
    }.items():
        scenario = made(name, **options)  # type: ignore[arg-type]
        assert "outside@10" in {metric.id for metric in scenario.metrics()}
        assert "outside@10" in {check.metric for check in scenario.checks()}
    for options in ({"of": "users"}, {"choose_from": "all"}):
        assert "outside@10" not in {metric.id for metric in made("cold-start", **options).metrics()}


def test_a_model_that_ignores_the_candidates_shows(world: Dataset) -> None:
    scenario = made("cold-start", most_interactions=4, k=5)
    prepared = scenario.prepare(world)
    cold = set(prepared.context["candidates"].column("code").to_pylist())
    names = world.items.strings
    known = [names[code] for code in range(len(names)) if code not in cold][:4]
    one_cold = names[min(cold)]
    found = scored(scenario, prepared, [[*known, one_cold]] * len(prepared.cases))
    assert found.scores["outside@5"].values.tolist() == pytest.approx([0.8] * len(prepared.cases))


# -- re-ranking


def test_stored_options_are_read_again_with_their_defaults() -> None:
    for name, options in {
        "rerank": {"candidates": "given", "split": {"method": "given"}},
        "cold-start": {"of": "users"},
        "next-item": {},
    }.items():
        kind = SCENARIOS.get(name).Options
        stored = kind.model_validate(options).model_dump(by_alias=True)
        assert kind.model_validate(json.loads(json.dumps(stored))).model_dump(by_alias=True) == stored


def test_only_a_metric_as_it_is_by_default_has_an_expectation() -> None:
    spelled = ["recall(denominator=min)", "ndcg", "ndcg(gain=exp)", "mrr@5"]
    ids = [metric.id for metric in made("rerank", metrics=spelled).metrics()]
    assert [one for one in ids if one.startswith("expected")] == ["expected_ndcg@10", "expected_mrr@5"]


def test_auc_of_the_sample_is_on_average_that_of_the_full_ranking(world: Dataset) -> None:
    scenario = made("rerank", negatives=12, metrics=["auc", "recall"], k=10)
    prepared = scenario.prepare(world)
    names, rng = world.items.strings, np.random.default_rng(0)
    liking = rng.normal(size=(len(world.users), len(names)))
    for row in prepared.cases.to_pylist():
        liking[world.users.codes[row["unit"]], row["truth"]] += 0.7
    answers = []
    for row in prepared.cases.to_pylist():
        own = liking[world.users.codes[row["unit"]]]
        answers.append([names[code] for code in sorted(row["candidates"], key=lambda code: -own[code])])
    found = scored(scenario, prepared, answers).scores
    full, sample = found["auc(candidates_are=full)"], found["auc(candidates_are=sampled)"]
    assert full.values.mean() == pytest.approx(sample.values.mean(), abs=0.03)
    expected = found["expected_recall(negatives=12)@10"].values.mean()
    assert found["recall(candidates_are=sampled)@10"].values.mean() == pytest.approx(expected, abs=0.03)


def lists_of(items: list[list[int]], truth: list[list[int]], history: list[list[int]], n: int) -> RankedLists:
    from genrec_eval.metrics.catalogue import Catalogue

    return RankedLists(
        items=np.array(items, np.int32),
        truth=Ragged.from_lists(truth),
        history=Ragged.from_lists(history),
        answered=np.ones(len(items), bool),
        catalogue=Catalogue(train_counts=np.ones(n, np.int64), n_users=3),
    )


def test_expectations_miss_what_a_list_does_not_hold_and_count_a_known_target_once() -> None:
    # five others, ten places: an item that is nowhere in the ranking must not come in as sixth
    nowhere = lists_of([[1, 2, -1]], [[5]], [[]], 6)
    assert metric("expected_recall(negatives=5)@10")(nowhere).values.tolist() == [0.0]
    # of 6 items, 0 is wanted and known, 1 is known: two of {2, 3, 4, 5} are drawn, and one stands above 0
    again = lists_of([[2, 0, 3, 4, 5]], [[0]], [[0, 1]], 6)
    chance = metric("expected_mrr(negatives=2)@10")(again).values[0]
    assert chance == pytest.approx(0.5 * 0.5 + 0.5 * 1.0)


# -- next item


def test_a_later_target_is_asked_for_at_its_own_time(world: Dataset) -> None:
    split = {"method": "global-temporal", "fraction": 0.7}
    prepared = made("next-item", split=split, targets="all").prepare(world)
    log = world.interactions
    assert log.timestamp is not None
    cut = prepared.cases.column("cut")[0].as_py()
    for row in prepared.cases.to_pylist():
        user = world.users.codes[row["unit"]]
        if row["case"].endswith("#1"):
            assert row["cut"] == cut
            continue
        mine = (log.user == user) & (log.item == row["truth"][0]) & (log.timestamp >= cut)
        assert row["cut"] == log.timestamp[mine].min()
    late = [finding for finding in prepared.facts["leakage"] if finding["name"] == "history-after-cut"]
    assert late[0]["severity"] == "ok"


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        ("next-item", {"split": {"method": "random"}}, "draws the test at random"),
        ("next-item", {"split": {"method": "user-ratio", "pick": "random"}}, "draws the test at random"),
        ("next-item", {"most_targets": 3}, "most_targets is an option of targets: all"),
        ("cold-start", {"shots": [1]}, "shots is an option of cold users"),
        ("cold-start", {"of": "users", "choose_from": "all"}, "choose_from is an option of cold items"),
        ("cold-start", {"of": "users", "most_interactions": 2}, "most_interactions is an option of cold"),
    ],
)
def test_options_without_effect_are_refused(name: str, options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        made(name, **options)


# -- several cases of one user


def test_how_much_of_a_history_is_told_is_no_group_of_users(world: Dataset) -> None:
    split = {"method": "strong-generalisation", "pick": "last", "test_users": 0.4}
    prepared = made("cold-start", of="users", shots=[0, 1, 3], split=split).prepare(world)
    assert "group.history" not in prepared.cases.column_names
    prepared = made("next-item", targets="all", split={"method": "global-temporal"}).prepare(world)
    assert "group.history" in prepared.cases.column_names


def test_a_limit_takes_whole_units(world: Dataset) -> None:
    prepared = made("preference-shift", since=[0, 2]).prepare(world)
    rows = _rows(prepared, 9, 1, "shift")
    units = [prepared.cases.column("unit")[int(row)].as_py() for row in rows]
    assert len(rows) == 9
    assert len(set(units)) == 3
    assert len(_rows(prepared, 4, 1, "shift")) == 4


def test_nobody_is_spliced_with_oneself(world: Dataset) -> None:
    from genrec_eval.scenarios.preference_shift import _strangers

    split = made("next-item", targets="all", split={"method": "global-temporal"}).cases(world)[0]  # type: ignore[attr-defined]
    partner = _strangers(split, 1)
    assert (split.users[partner] != split.users).all()
    bare = replace(
        split, dataset=replace(split.dataset, item_table=split.dataset.item_table.select(["item"]))
    )
    assert (split.users[_strangers(bare, 1)] != split.users).all()


# -- transfer


def transfer(source: Dataset, target: Dataset, **options: Any) -> Prepared:
    scenario = made("cross-domain", source="other", **options)
    scenario.datasets = {"other": source}
    return scenario.prepare(target)


def test_a_data_set_is_no_source_for_itself(world: Dataset) -> None:
    with pytest.raises(UsageError, match="models would learn the test; name another one"):
        transfer(world, replace(world))


def test_ids_that_only_the_prefix_makes_equal_are_refused(world: Dataset) -> None:
    first = world.items.strings[0]
    ids = pa.array([f"other:{first}", *world.items.strings[1:]])
    other = replace(
        world,
        digest="other",
        items=Vocabulary(pa.array([first, *(f"x{name}" for name in world.items.strings[1:])])),
    )
    with pytest.raises(UsageError, match=rf"would both be called 'other:{first}'; give the source 'other'"):
        transfer(other, replace(world, items=Vocabulary(pa.concat_arrays([ids[:1], world.items.ids[:-1]]))))


def test_what_models_learn_from_is_counted(world: Dataset) -> None:
    spec = {"users": 30, "items": 40, "interactions_per_user": 12}
    other = SyntheticSpec.model_validate(spec).load(Path(), 4)
    prepared = transfer(other, world)
    assert prepared.training is not None
    assert prepared.facts["train"] == len(prepared.training.interactions) == len(other.interactions)


# -- suites

SUITE: dict[str, Any] = {
    "name": "bad",
    "data": {
        "world": {"dataset": "synthetic", "options": {"users": 40, "items": 60, "interactions_per_user": 10}}
    },
    "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
}  # fmt: skip


@pytest.mark.parametrize(
    ("scenario", "claim", "sentence"),
    [
        ({"scenario": "generative-retrieval"}, None, "scenario 'mine': the items of data set"),
        ({"scenario": "cross-domain", "options": {"source": "wrld"}}, None, "did you mean 'world'"),
        ({"scenario": "cross-domain", "options": {"source": "world"}}, None, "names its own data set"),
        ({"scenario": "cold-start", "options": {"of": "users", "shots": [0]}}, "ndcg(shots=0)",
         r"scenario 'mine' does not measure 'ndcg(shots=0)'; did you mean 'ndcg(shots=0)@10'"),
        ({"scenario": "preference-shift", "options": {"since": [0]}}, "lost_ndgc(since=0)@10",
         "did you mean 'lost_ndcg(since=0)@10'"),
    ],
)  # fmt: skip
def test_the_sentence_names_the_place_in_the_suite(
    scenario: dict[str, Any], claim: str | None, sentence: str, tmp_path: Path
) -> None:
    path = tmp_path / "suite.yaml"
    suite = {**SUITE, "scenarios": {"mine": {"data": "world", **scenario}}}
    if claim is not None:
        said = {"claim": "x", "scenario": "mine", "metric": claim, "model": "popularity", "at_least": 0}
        suite["claims"] = [said]
    path.write_text(json.dumps(suite, indent=1))
    with pytest.raises(UsageError) as caught:
        genrec_eval.run(path, out=tmp_path / "run", quiet=True)
    assert sentence in str(caught.value)
    assert "suite.yaml:" in str(caught.value)


def test_equal_expectations_are_equal_and_their_differences_can_be_drawn() -> None:
    from genrec_eval.reporting.svg import Scale

    # nine others, all places: whatever the order, everything that is listed is found
    values = [
        metric("expected_recall(negatives=7)@10")(lists_of([order], [[4, 8]], [[]], 11)).values[0]
        for order in ([4, 8, *(set(range(11)) - {4, 8})], [*(set(range(11)) - {4, 8}), 8, 4])
    ]
    assert values == [1.0, 1.0]
    scale = Scale.covering([-5.4e-16, 2.8e-16, 0.0])
    assert 0 <= scale.at(0.0) <= 100


def test_no_default_asks_for_more_than_any_data_set_has(world: Dataset) -> None:
    bare = replace(
        world,
        item_table=world.item_table.select(["item"]),
        user_table=world.user_table.select(["user"]),
        interactions=replace(world.interactions, rating=None),
    )
    for name in ("top-k", "rerank", "page", "preference-shift", "next-item"):
        assert len(made(name).prepare(bare).cases)
    assert len(made("cold-start", most_interactions=5).prepare(bare).cases)
    assert len(made("cold-start", of="users", shots=[0, 1]).prepare(bare).cases)


def test_metrics_of_pages_are_about_this_page() -> None:
    spelled = ["page_ndcg", " first_row@3", "row_coherence(columns=2)@4"]
    scenario = made("page", rows=2, columns=2, k=4, metrics=spelled)
    ids = [one.id for one in scenario.metrics()][:3]
    assert ids == ["page_ndcg(columns=2)@4", "first_row(columns=2)@3", "row_coherence(columns=2)@4"]
    with pytest.raises(UsageError, match="about another page: this one has 2 columns"):
        made("page", rows=2, columns=2, k=4, metrics=["page_ndcg(columns=3)"]).metrics()
