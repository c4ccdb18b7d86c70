"""Counterfactual disclosure: what is asked of whom, what models are told, how lists become arms."""

from __future__ import annotations

import math
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
from genrec_eval.engine.batch_records import chunk_key
from genrec_eval.protocol.requests import RankRequest
from genrec_eval.scenarios.arms.score import arm_lists
from genrec_eval.scenarios.base import Case, Prepared
from genrec_eval.scenarios.counterfactual import Counterfactual, CounterfactualOptions

GENDER: dict[str, Any] = {
    "gender": {"values": ["female", "male"], "own": {"F": "female", "M": "male"}, "column": "gender"},
    "age": {"values": ["young", "old"]},
}
ONE = ["neutral_similarity(attribute=gender,value=female,of=jaccard)"]


@pytest.fixture(scope="module")
def world() -> Dataset:
    spec = SyntheticSpec.model_validate({"users": 60, "items": 80, "interactions_per_user": 15})
    return spec.load(Path(), 3)


def made(**options: Any) -> Counterfactual:
    given = {"attributes": GENDER, "k": 3, "max_users": 5, "metrics": ONE, **options}
    return Counterfactual(CounterfactualOptions.model_validate(given), 1)


@pytest.fixture(scope="module")
def prepared(world: Dataset) -> Prepared:
    return full().prepare(world)


def full() -> Counterfactual:
    return made(
        wordings={"formal": "paraphrase", "german": "language"},
        robustness={"typo": ["gender"], "language": ["gender"]},
    )


def records(rows: list[tuple[str, int, str, list[str | None] | None]]) -> list[pa.RecordBatch]:
    case, repeat, status, items = zip(*rows, strict=True)
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


# -- what is asked


def test_everybody_is_asked_in_every_way(world: Dataset, prepared: Prepared) -> None:
    rows = prepared.cases.to_pylist()
    by_user: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        by_user.setdefault(row["unit"], []).append(row)
    assert len(by_user) == 5
    genders = dict(
        zip(*(world.user_table.column(name).to_pylist() for name in ("user", "gender")), strict=True)
    )
    for user, own in by_user.items():
        assert [row["case"].removeprefix(f"{user}#") for row in own] == [
            "neutral",
            "formal",
            "age.young",
            "age.old",
            "gender.female",
            "gender.male",
            "typo.gender.female",
            "typo.gender.male",
            "german",
            "german.gender.female",
            "german.gender.male",
        ]
        assert len({(tuple(row["truth"]), tuple(row["history"])) for row in own}) == 1
        theirs = {"F": "female", "M": "male"}.get(genders[user])
        assert {row["own.gender"] for row in own} == {theirs}
        assert {row["own.age"] for row in own} == {None}
        for row in own:
            if row["attribute"] == "gender" and row["wording"] is None and "typo" not in row["case"]:
                known_other = theirs is not None and row["value"] != theirs
                assert row["arm"] == ("counterfactual" if known_other else "sensitive")
            if row["attribute"] == "age":
                assert row["arm"] == "sensitive"
    assert prepared.facts["units"] == 5
    assert prepared.facts["ways"] == 11
    assert "no value is 'X'" in prepared.facts["own_values"]["gender"] or "known of 5" in str(prepared.facts)


def test_single_requests_and_batches_say_the_same(prepared: Prepared) -> None:
    scenario = full()
    batch = scenario.batch(prepared, np.arange(11))
    cases = prepared.cases.slice(0, 11).to_pylist()
    for row, case in enumerate(cases):
        asked = scenario.request(prepared, Case(id=case["case"], unit=case["unit"], arm=case["arm"], row=row))
        told = {name: batch.profiles.column(name)[row].as_py() for name in batch.profiles.column_names}
        assert asked.profile == {name: value for name, value in told.items() if value is not None}
        assert asked.wording == batch.wordings[row].as_py() == case["wording"]
        assert asked.history == tuple(batch.items.strings[code] for code in batch.history[row])
        assert asked.profile == ({} if case["attribute"] is None else {case["attribute"]: case["disclosed"]})
    assert batch.profiles.column_names == ["age", "gender"]
    assert {case["disclosed"] for case in cases if case["arm"] == "typo"} == {"femle", "mae"}


def test_nobody_is_asked_in_other_words_unless_wanted(world: Dataset) -> None:
    plain = made()
    assert plain.batch(plain.prepare(world), np.arange(2)).wordings is None


def test_what_is_told_is_part_of_the_key(prepared: Prepared) -> None:
    scenario, rows = full(), np.arange(4)
    batch, cases = scenario.batch(prepared, rows), prepared.cases.select(["case", "unit", "arm"]).take(rows)
    other = pa.table({name: batch.profiles.column(name) for name in ("gender", "age")})
    nothing = pa.nulls(4, pa.string())
    variants = [
        batch,
        replace(batch, profiles=None),
        replace(batch, wordings=None),
        replace(batch, profiles=None, wordings=None),
        replace(batch, profiles=other),
        replace(batch, profiles=pa.table({"age": nothing, "gender": nothing})),
        replace(batch, profiles=pa.table({"age": nothing.fill_null(""), "gender": nothing})),
    ]
    assert len({chunk_key(one, cases, "model") for one in variants}) == len(variants)
    sliced = replace(batch, profiles=pa.concat_tables([batch.profiles, batch.profiles]).slice(0, 4))
    assert chunk_key(sliced, cases, "model") == chunk_key(batch, cases, "model")
    plain = RankRequest(user="u")
    assert "wording" not in plain.to_wire()
    assert RankRequest(user="u", wording="german").to_wire()["wording"] == "german"


@pytest.mark.parametrize(
    ("attributes", "sentence"),
    [
        ({"gender": {**GENDER["gender"], "column": "gendre"}}, "no column 'gendre'; did you mean 'gender'"),
        ({"gender": {"values": ["w", "m"], "column": "gender"}}, "holds none of the values ('"),
        (
            {"gender": {"values": ["a", "b"], "column": "gender", "own": dict.fromkeys("FMX", "a")}},
            "says 'a' of everybody",
        ),
    ],
)
def test_columns_that_tell_nothing_are_refused(world: Dataset, attributes: Any, sentence: str) -> None:
    with pytest.raises(UsageError) as caught:
        made(attributes=attributes, metrics=["snsr(of=jaccard)"]).prepare(world)
    assert sentence in str(caught.value)


def test_two_people_who_happen_to_be_alike_are_asked(world: Dataset) -> None:
    """A column is judged by everybody that it is about, and not by the few who were drawn."""
    attributes = {
        "gender": {"values": ["female", "male"], "column": "gender", "own": {"F": "female", "M": "male"}}
    }
    for seed in range(4):
        options = {"attributes": attributes, "k": 5, "max_users": 2}
        scenario = Counterfactual(CounterfactualOptions.model_validate(options), seed)
        assert scenario.prepare(world).facts["units"] == 2


@pytest.mark.parametrize(
    ("metric", "sentence"),
    [
        ("ndcg", "is about lists, not about arms"),
        ("snsr(attribute=gendre)", "'gendre', which is not disclosed; did you mean 'gender'"),
        ("neutral_similarity(attribute=gender,value=femal)", "no value of 'gender'; did you mean 'female'"),
        ("snsrr", "did you mean 'snsr'"),
    ],
)
def test_metrics_about_nothing_that_is_asked(world: Dataset, metric: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        made(metrics=[metric]).prepare(world)


def test_metrics_are_taken_for_every_attribute_similarity_value_and_arm() -> None:
    scenario = full()
    options = scenario.options.model_copy(
        update={
            "metrics": ("snsr", "neutral_similarity(of=serp,value=*)@2", "neutral_noise(arm=*,of=jaccard)"),
            "similarities": ("jaccard", "serp"),
        }
    )
    found = [one.id for one in Counterfactual(options, 1).metrics()]
    assert found == [
        "snsr(attribute=age)@3",
        "snsr(attribute=age,of=serp)@3",
        "snsr(attribute=gender)@3",
        "snsr(attribute=gender,of=serp)@3",
        "neutral_similarity(attribute=age,of=serp,value=young)@2",
        "neutral_similarity(attribute=age,of=serp,value=old)@2",
        "neutral_similarity(attribute=gender,of=serp,value=female)@2",
        "neutral_similarity(attribute=gender,of=serp,value=male)@2",
        "neutral_noise@3",
        "neutral_noise(arm=paraphrase)@3",
        "neutral_noise(arm=typo)@3",
        "neutral_noise(arm=language)@3",
        "invalid@3",
        "duplicate@3",
        "seen@3",
        "short@3",
    ]


# -- from records to arms


def test_lists_stand_by_repeat_unit_and_variant(prepared: Prepared) -> None:
    user, other = prepared.cases.column("unit").unique().to_pylist()[:2]
    known = prepared.context["items"].column("item")[7].as_py()
    rows: list[tuple[str, int, str, list[str | None] | None]] = [
        (f"{user}#neutral", 0, "ok", [known, "strange", "odd"]),
        (f"{user}#gender.male", 0, "ok", ["odd", "strange", "new", "beyond k"]),
        (f"{user}#neutral", 1, "ok", []),
        (f"{user}#gender.female", 1, "refused", None),
        (f"{user}#age.old", 1, "error", None),
        (f"{other}#neutral", 0, "ok", [None, "odd"]),
        (f"{other}#gender.male", 0, "ok", [None, None]),
    ]
    batches = [batch for row in rows for batch in records([row])]
    lists = arm_lists(full().options, prepared.cases, prepared.context, batches)
    assert lists.items.shape == (2, 5, 11, 3)
    assert lists.answered.sum() == 5
    assert lists.asked.all()
    neutral, male = lists.items[0, 0, 0], lists.items[0, 0, 5]
    assert neutral[0] == 7
    assert neutral[1] == male[1] <= -2
    assert neutral[2] == male[0] <= -2
    assert len({*neutral.tolist(), *male.tolist()}) == 4
    assert lists.answered[1, 0, 0]
    assert (lists.items[1, 0] == -1).all()
    assert not lists.answered[1, 0, 4]
    nameless = [lists.items[0, 1, 0, 0], *lists.items[0, 1, 5, :2]]
    assert len(set(nameless)) == 3  # an item without an id is equal to no other
    assert max(nameless) <= -2
    assert lists.truth is not None
    assert lists.truth[0].tolist() == prepared.cases.column("truth")[0].as_py()
    own = prepared.cases.column("own.gender")[0].as_py()
    assert lists.own["gender"][0] == {"female": 4, "male": 5, None: -1}[own]
    assert (lists.own["age"] == -1).all()
    assert lists.variants[5].value == "male"
    assert lists.variants[6].arm == "typo"


def test_cases_that_were_left_out_are_not_asked(prepared: Prepared) -> None:
    some = prepared.cases.slice(0, 14)
    lists = arm_lists(full().options, some, prepared.context, [])
    assert lists.asked.sum(axis=1).tolist() == [11, 3]
    assert not lists.answered.any()
    scored = full().score(some, prepared.context, [])
    assert all("not-attempted" in scores.reasons for scores in scored.scores.values())


# -- played


def told(user: str, history: list[str], k: int, profile: dict[str, str]) -> list[str]:
    """Two films for all, and a third by what it is told."""
    third = {"female": "f", "male": "m"}.get(profile.get("gender", ""), "neutral")
    return ["x", "y", third][:k]


CHAT = """
def chat(messages):
    text = messages[-1]["content"]
    if "customer" in text:
        return "1. Ran (1985)\\n2. Kes (1969)\\n3. Alien (1979)"
    third = "Heat (1995)" if "gender: female" in text else "Fargo (1996)"
    return "1. Ran (1985)\\n2. Kes (1969)\\n3. " + third
"""


def suite(**scenario: Any) -> dict[str, Any]:
    return {
        "name": "arms",
        "data": {
            "w": {"dataset": "synthetic", "options": {"users": 60, "items": 80, "interactions_per_user": 9}}
        },
        "models": {"popularity": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {
            "c": {
                "scenario": "counterfactual",
                "data": "w",
                "options": {
                    "attributes": GENDER,
                    "k": 3,
                    "max_users": 12,
                    "metrics": ["neutral_similarity(of=jaccard,value=*)", "neutral_noise(of=jaccard)"],
                },
                **scenario,
            }
        },
    }


def values(run: genrec_eval.Run, model: str) -> dict[str, Any]:
    frame = run.estimates
    mine = frame[(frame["model"] == model) & (frame["slice"] == "all") & frame["baseline"].isna()]
    return dict(zip(mine["metric"], mine["value"], strict=True))


def test_a_model_that_reads_the_profile_is_seen_to(tmp_path: Path) -> None:
    run = genrec_eval.run(
        suite(repeats=2), models={"told": told}, out=tmp_path / "r", quiet=True, report=False
    )
    found = values(run, "told")
    assert found["neutral_similarity(attribute=gender,value=female)@3"] == pytest.approx(0.5)
    assert found["neutral_similarity(attribute=age,value=old)@3"] == pytest.approx(1)
    assert found["neutral_noise@3"] == pytest.approx(1)
    assert values(run, "popularity")["neutral_similarity(attribute=gender,value=female)@3"] == pytest.approx(
        1
    )
    remarks = {row.model: row.remark for row in run.results.coverage}
    assert "never gets it" not in str(remarks["told"])
    assert "the model never gets it" in str(remarks["popularity"])
    before = (tmp_path / "r" / "estimates.json").read_bytes()
    assert genrec_eval.api.score(tmp_path / "r", report=False)
    assert (tmp_path / "r" / "estimates.json").read_bytes() == before


def test_one_answer_each_says_nothing_of_noise(tmp_path: Path) -> None:
    run = genrec_eval.run(suite(), models={"told": told}, out=tmp_path / "r", quiet=True, report=False)
    frame = run.estimates
    noise = frame[
        frame["baseline"].isna() & (frame["metric"] == "neutral_noise@3") & (frame["slice"] == "all")
    ]
    assert noise["value"].map(lambda v: v is None or math.isnan(v)).all()
    assert all("one-repeat" in str(said) for said in noise["excluded"])


def test_recorded_lists_answer_what_they_were_recorded_for(tmp_path: Path) -> None:
    played = genrec_eval.run(
        suite(repeats=2), models={"told": told}, out=tmp_path / "p", quiet=True, report=False
    )
    frame = played.records("told", "c")
    frame["id"] = [
        case if not r else f"{case}@{r}" for case, r in zip(frame["case"], frame["repeat"], strict=True)
    ]
    frame = frame[["id", "items"]]
    frame["items"] = [" ".join(items) for items in frame["items"]]
    frame.to_csv(tmp_path / "all.csv", index=False)
    frame[~frame["id"].str.contains("gender.female", regex=False)].to_csv(tmp_path / "some.csv", index=False)
    bare = frame[frame["id"].str.endswith("#neutral")]
    bare.assign(id=bare["id"].str.removesuffix("#neutral")).to_csv(tmp_path / "users.csv", index=False)
    models = {
        name: {
            "adapter": "replay",
            "path": str(tmp_path / f"{name}.csv"),
            "columns": {"user": "id"},
        }
        for name in ("all", "some", "users")
    }
    again = {**suite(repeats=2), "models": models}
    run = genrec_eval.run(again, out=tmp_path / "r", quiet=True, report=False)
    assert values(run, "all") == values(played, "told")
    female = "neutral_similarity(attribute=gender,value=female)@3"
    for model in ("some", "users"):  # lists of users, or of other values, are no answers to this one
        assert math.isnan(values(run, model)[female])
    assert values(run, "some")["neutral_noise@3"] == pytest.approx(1)
    assert math.isnan(values(run, "users")["neutral_noise@3"])  # recorded once


def test_a_chat_model_is_told_and_asked_in_other_words(tmp_path: Path) -> None:
    asked = suite(repeats=1)
    options = asked["scenarios"]["c"]["options"]
    options |= {
        "wordings": {"formal": "paraphrase"},
        "metrics": [*ONE, "neutral_noise(arm=paraphrase,of=jaccard)"],
    }
    (tmp_path / "m.py").write_text(CHAT)
    model: dict[str, Any] = {
        "adapter": "python",
        "target": f"{tmp_path}/m.py:chat",
        "kinds": ["chat"],
        "recommender": {"prompt": "rank-wordings", "grounding": {"tiers": ["exact"]}},
    }
    asked["models"] = {"llm": model}
    run = genrec_eval.run(asked, out=tmp_path / "r", quiet=True, report=False)
    found = values(run, "llm")
    assert found["neutral_similarity(attribute=gender,value=female)@3"] == pytest.approx(0.5)
    assert found["neutral_noise(arm=paraphrase)@3"] == pytest.approx(0.5)
    model["recommender"] = {"prompt": "rank-list"}
    with pytest.raises(UsageError, match="prompt 'rank-list' has no wording 'formal'"):
        genrec_eval.run(asked, out=tmp_path / "s", quiet=True, report=False)
