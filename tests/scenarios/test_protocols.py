"""Which cases each protocol makes, checked against plain Python on small data."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset, GivenCases
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.scenarios.base import SCENARIOS, Case, Prepared, Scenario


@pytest.fixture(scope="module")
def world() -> Dataset:
    spec = SyntheticSpec.model_validate({"users": 120, "items": 150, "interactions_per_user": 20})
    return spec.load(Path(), 3)


def made(name: str, seed: int = 7, **options: Any) -> Scenario:
    family = SCENARIOS.get(name)
    scenario: Scenario = family(family.Options.model_validate(options), seed)
    return scenario


def lists(prepared: Prepared, column: str) -> list[list[int]]:
    return prepared.cases.column(column).to_pylist()


@pytest.mark.parametrize(
    "name", [n for n in SCENARIOS.names() if n not in ("ab-test", "cross-domain", "judge-probe")]
)
def test_without_data_there_is_one_sentence(name: str) -> None:
    with pytest.raises(UsageError, match="needs data"):
        made(name).prepare(None)


# -- next item


def test_next_item_asks_for_one_item_with_everything_before_it(world: Dataset) -> None:
    scenario = made("next-item", split={"method": "global-temporal"}, targets="all", most_targets=3)
    prepared = scenario.prepare(world)
    plain = made("top-k").prepare(world)
    whole = dict(
        zip(
            plain.cases.column("unit").to_pylist(),
            zip(lists(plain, "history"), lists(plain, "truth"), strict=True),
            strict=True,
        )
    )
    found: dict[str, list[tuple[list[int], list[int]]]] = {}
    for row in prepared.cases.to_pylist():
        found.setdefault(row["unit"], []).append((row["history"], row["truth"]))
    assert found == {
        user: [(history + truth[:step], [truth[step]]) for step in range(min(3, len(truth)))]
        for user, (history, truth) in whole.items()
    }
    assert len(set(prepared.cases.column("case").to_pylist())) == len(prepared.cases)
    several = prepared.cases.column("case")[1].as_py()
    assert several.endswith("#2")


def test_a_seen_item_is_no_flaw_where_people_come_back() -> None:
    names = {
        check.metric
        for check in made("next-item", split={"method": "leave-one-out", "repeats": "keep"}).checks()
    }
    assert "seen@10" not in names
    assert "seen@10" in {check.metric for check in made("next-item").checks()}


# -- re-ranking


def test_sampled_candidates_hold_the_truth_and_fresh_items_in_no_telling_order(world: Dataset) -> None:
    prepared = made("rerank", negatives=12).prepare(world)
    n_items = len(world.items)
    for row in prepared.cases.to_pylist():
        candidates = row["candidates"]
        assert candidates == sorted(set(candidates))
        if row["candidates_are"] == "full":
            assert candidates == sorted({*range(n_items)} - {*row["history"]} | {*row["truth"]})
        else:
            others = set(candidates) - set(row["truth"])
            assert set(row["truth"]) <= set(candidates)
            assert not others & set(row["history"])
            assert len(others) == 12
    assert prepared.facts["sampler"].startswith("uniform, without replacement")
    again = made("rerank", negatives=12).prepare(world)
    assert again.cases.equals(prepared.cases)
    assert not made("rerank", seed=8, negatives=12).prepare(world).cases.equals(prepared.cases)


def test_popular_negatives_are_more_popular(world: Dataset) -> None:
    counts = {}
    for sampler in ("uniform", "popularity"):
        prepared = made("rerank", negatives=12, full=False, candidates=sampler).prepare(world)
        train = prepared.context["items"].column("train_count").to_numpy()
        drawn = [c for row in prepared.cases.to_pylist() for c in set(row["candidates"]) - set(row["truth"])]
        counts[sampler] = train[drawn].mean()
    assert counts["popularity"] > 1.5 * counts["uniform"]


def test_given_candidates_come_from_the_data(world: Dataset) -> None:
    given = GivenCases(
        user=np.array([4, 4, 9], np.int32),
        history=Ragged.from_lists([[1], [1, 2], []]),
        truth=Ragged.from_lists([[5], [6], [7]]),
        candidates=Ragged.from_lists([[5, 8], [6, 9, 10], [7, 3]]),
    )
    scenario = made("rerank", candidates="given", split={"method": "given"})
    prepared = scenario.prepare(replace(world, given=given))
    assert lists(prepared, "candidates") == [[5, 8], [6, 9, 10], [7, 3]]
    users = prepared.cases.column("unit").to_pylist()
    assert users[0] == users[1] != users[2]
    case = Case(id=prepared.cases.column("case")[1].as_py(), unit=users[1], row=1)
    request = scenario.request(prepared, case)
    names = world.items.strings
    assert request.candidates == (names[6], names[9], names[10])  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"candidates": "given"}, "belong together"),
        ({"split": {"method": "given"}}, "belong together"),
        ({"candidates": "given", "split": {"method": "given"}, "negatives": 5}, "negatives are drawn only"),
        ({"relevance": "rating"}, "relevance: binary"),
    ],
)
def test_what_does_not_fit_together_is_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValueError, match=sentence):
        made("rerank", **options)


# -- cold start


def test_cold_items_are_the_only_truth_and_the_only_candidates(world: Dataset) -> None:
    scenario = made("cold-start", most_interactions=4)
    prepared = scenario.prepare(world)
    assert prepared.training is not None
    counts = np.bincount(prepared.training.interactions.item, minlength=len(world.items))
    assert all(counts[item] <= 4 for truth in lists(prepared, "truth") for item in truth)
    assert all(lists(prepared, "truth"))
    shared = prepared.context["candidates"].column("code").to_pylist()
    assert shared == np.flatnonzero(counts <= 4).tolist()
    batch = scenario.batch(prepared, np.array([1, 0]))
    assert batch.candidates is not None
    assert [row.tolist() for row in (batch.candidates[0], batch.candidates[1])] == [shared, shared]  # type: ignore[union-attr]


def test_cold_users_are_unknown_to_training_and_known_by_few_items(world: Dataset) -> None:
    scenario = made(
        "cold-start",
        of="users",
        shots=[0, 2],
        split={"method": "strong-generalisation", "pick": "last", "test_users": 0.3},
    )
    prepared = scenario.prepare(world)
    assert prepared.training is not None
    trained = set(prepared.training.interactions.user.tolist())
    for row in prepared.cases.to_pylist():
        assert world.users.codes[row["unit"]] not in trained
        assert len(row["history"]) == row["shots"]
    assert [metric.id for metric in scenario.metrics()][:2] == ["ndcg(shots=0)@10", "ndcg(shots=2)@10"]


def test_too_many_shots_are_refused(world: Dataset) -> None:
    with pytest.raises(UsageError, match="lower the greatest shot"):
        made("cold-start", of="users", shots=[900]).prepare(world)


# -- preference shift


def test_a_spliced_history_is_another_persons_past_and_then_ones_own(world: Dataset) -> None:
    scenario = made("preference-shift", since=[0, 3], before=4)
    prepared = scenario.prepare(world)
    plain = made("top-k").prepare(world)
    own = dict(zip(plain.cases.column("unit").to_pylist(), lists(plain, "history"), strict=True))
    for row in prepared.cases.to_pylist():
        mine = own[row["unit"]]
        if row["since"] == "settled":
            assert row["history"] == mine[-7:]
        else:
            known = int(row["since"])
            assert row["history"][len(row["history"]) - known :] == mine[len(mine) - known :]
            assert len(row["history"]) <= 4 + known
        assert not set(row["history"]) & set(row["truth"])
    batch = scenario.batch(prepared, np.arange(3))
    assert batch.user_codes.tolist() == [-1, -1, -1]  # type: ignore[union-attr]


def test_what_a_shift_costs_is_the_difference_of_a_users_scores(world: Dataset) -> None:
    scenario = made("preference-shift", since=[0], metrics=["recall"], k=5)
    prepared = scenario.prepare(world)
    names = world.items.strings
    rows = prepared.cases.to_pylist()
    # finds the first relevant item, but only where the taste never changed
    answers = [[names[row["truth"][0]]] if row["since"] == "settled" else ["none"] for row in rows]
    records = pa.record_batch(
        {
            "case": pa.array([row["case"] for row in rows]),
            "repeat": pa.array([0] * len(rows), pa.int16()),
            "status": pa.array(["ok"] * len(rows)).dictionary_encode(),
            "items": pa.array(answers, pa.list_(pa.string())),
        }
    )
    scored = scenario.score(prepared.cases, prepared.context, [records])
    lost = scored.scores["lost_recall(since=0)@5"]
    truth = {row["unit"]: len(row["truth"]) for row in rows}
    expected = [1 / truth[unit] for unit in scored.units.to_pylist()]
    assert lost.values.tolist() == pytest.approx(expected)


# -- pages and bundles


def test_a_page_has_as_many_slots_as_rows_times_columns() -> None:
    with pytest.raises(ValueError, match="has 12 slots, so k must be 12, not 20"):
        made("page", rows=3, columns=4)
    ids = [
        metric.id
        for metric in made("page", rows=3, columns=4, k=12, metrics=["page_ndcg", "recall"]).metrics()
    ]
    assert ids[:2] == ["page_ndcg(columns=4)@12", "recall@12"]


def test_a_bundle_is_a_session() -> None:
    with pytest.raises(ValueError, match="a bundle is a session"):
        made("bundle", split={"method": "leave-one-out"})


# -- transfer


def test_models_learn_from_the_source_and_choose_from_the_target(world: Dataset) -> None:
    other = SyntheticSpec.model_validate({"users": 80, "items": 90, "interactions_per_user": 15}).load(
        Path(), 4
    )
    scenario = made("cross-domain", source="other")
    scenario.datasets = {"other": other}
    assert scenario.others() == ("other",)
    prepared = scenario.prepare(world)
    training = prepared.training
    assert training is not None
    assert len(training.items) == len(world.items) + len(other.items)
    assert len(training.interactions) == len(other.interactions)
    assert training.interactions.item.min() >= len(world.items)
    ids = training.items.strings
    assert ids[: len(world.items)] == world.items.strings
    assert set(ids[len(world.items) :]) == {
        f"other:{i}" if i in world.items.codes else i for i in other.items.strings
    }
    assert prepared.context["candidates"].column("code").to_pylist() == list(range(len(world.items)))
    genres = training.item_table.column("genres").to_pylist()
    assert genres[len(world.items) :] == other.item_table.column("genres").to_pylist()
    assert all(len(row["history"]) < 200 for row in prepared.cases.to_pylist())


def test_a_source_that_the_suite_does_not_have_is_named(tmp_path: Path) -> None:
    suite = {
        "name": "transfer",
        "data": {"world": {"dataset": "synthetic", "options": {"users": 40, "items": 90}}},
        "models": {"random": {"adapter": "reference", "model": "random"}},
        "scenarios": {"t": {"scenario": "cross-domain", "data": "world", "options": {"source": "wold"}}},
    }
    with pytest.raises(UsageError, match=r"names the data set 'wold'.*did you mean 'world'"):
        genrec_eval.run(suite, out=tmp_path / "run", quiet=True)


# -- what is left of a catalogue


def test_an_item_outside_the_core_is_no_candidate_and_counts_in_no_share(world: Dataset) -> None:
    scenario = made("top-k", split={"method": "leave-one-out", "k_core": {"users": 5, "items": 12}})
    prepared = scenario.prepare(world)
    log = world.interactions
    alive = np.ones(len(log), bool)
    while True:
        users, items = np.bincount(log.user[alive], minlength=len(world.users)), np.bincount(log.item[alive])
        kept = alive & (users[log.user] >= 5) & (np.append(items, np.zeros(len(world.items)))[log.item] >= 12)
        if kept.sum() == alive.sum():
            break
        alive = kept
    inside = sorted(set(log.item[alive].tolist()))
    assert 0 < len(inside) < len(world.items)
    names = [world.items.strings[code] for code in inside]
    assert prepared.context["items"].column("item").to_pylist() == names
    assert prepared.training is not None
    assert prepared.training.items.strings == names
    assert scenario.batch(prepared, np.array([0])).items.strings == names  # type: ignore[union-attr]
    assert prepared.facts["items_outside_the_core"] == len(world.items) - len(inside)
    assert prepared.facts["candidates"] == f"the whole catalogue of {len(inside)} items"
