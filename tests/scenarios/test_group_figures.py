"""Figures of groups and of answers beside every kind of scenario: what a run measures of them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.audit.answers import answers_of
from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.answers import Answers
from genrec_eval.metrics.registry import metric
from genrec_eval.scenarios.generative_retrieval import GenerativeRetrieval

NESTED = "group_gap(by=group,least=10,of=ndcg(gain=exp))@5"
WRITER = """
from genrec_eval.protocol.responses import ChatResponse


def chat(messages):
    said = str(messages)
    if "group: B" in said:
        return ChatResponse(text="I cannot help with that.", finish_reason="refusal")
    return ChatResponse(text="Because of your history.")
"""


def suite(kind: str, models: dict[str, Any], metrics: list[str], **more: Any) -> dict[str, Any]:
    options = {"groups": ["group"], "metrics": metrics, **more.pop("options", {})}
    data = {"users": 160, "items": 80, "interactions_per_user": 14, "reviews": 0.5}
    return {
        "name": "groups",
        "seed": 5,
        "data": {"world": {"dataset": "synthetic", "options": data}},
        "models": models,
        "scenarios": {"s": {"scenario": kind, "data": "world", "options": options, **more}},
    }


def run(asked: dict[str, Any], to: Path) -> Any:
    return genrec_eval.run(asked, out=to, quiet=True, report=False)


def reference(name: str, **more: Any) -> dict[str, Any]:
    return {"m": {"adapter": "reference", "model": name, **more}}


def whole(found: Any) -> pd.DataFrame:
    return found.estimates[found.estimates.slice == "all"].set_index("metric")


@pytest.fixture(scope="module")
def ranked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Two repeats, so that every user has two lists."""
    named = [NESTED, "group_ratio(by=group,least=10,of=hit_rate)@5", "group_gap(by=group,of=refusal_rate)"]
    parity = ["demographic_parity(by=group,least=10)@5", "differential_fairness(by=group,least=10)@5"]
    asked = suite("top-k", reference("popularity"), [*named, *parity], options={"k": 5}, repeats=2)
    asked["claims"] = [
        {"claim": one, "metric": one, "scenario": "s", "model": "m", "at_most": 0.9}
        for one in ("group_gap(of=ndcg(gain=exp), by=group, least=10)@5", *parity)
    ]
    return run(asked, tmp_path_factory.mktemp("ranked") / "run")


def test_a_base_with_parameters_is_measured_too_and_named_in_any_spelling(ranked: Any) -> None:
    rows = whole(ranked)
    by_group = ranked.estimates[
        (ranked.estimates.metric == "ndcg(gain=exp)@5") & ranked.estimates.slice.str.startswith("group=")
    ]
    kept = by_group[by_group.n >= 10].value
    assert rows.loc[NESTED].value == pytest.approx(kept.max() - kept.min(), abs=1e-12)
    assert "of=ndcg(discount=log2,gain=exp," in rows.loc[NESTED].definition
    assert metric(str(rows.loc[NESTED].definition)).id == NESTED
    assert ranked.verdicts.metric[0] == NESTED


def test_users_count_once_however_often_they_are_asked(ranked: Any) -> None:
    rows = whole(ranked)
    assert rows.loc[NESTED].n == rows.loc["ndcg(gain=exp)@5"].n <= 160
    frame = ranked.group_frame("s", "hit_rate@5", "group")
    kept = frame.by_group[frame.by_group["users"] >= 10]["hit_rate@5"]
    assert rows.loc["group_ratio(by=group,least=10,of=hit_rate)@5"].value == pytest.approx(
        kept.min() / kept.max(), abs=1e-12
    )


def test_groups_too_small_in_a_slice_are_left_out_and_counted(ranked: Any) -> None:
    rows = ranked.estimates[ranked.estimates.metric == NESTED].set_index("slice")
    users = ranked.estimates[ranked.estimates.metric == "ndcg(gain=exp)@5"].set_index("slice")
    slices = [name for name in rows.index if name != "all"]
    assert slices
    for name in slices:
        row = rows.loc[name]
        assert row.n + sum(row.excluded.values()) == users.loc[name].attempted
        assert row.n == 0 or row.n >= 20
    assert any("small-group" in rows.loc[name].excluded for name in slices)


def test_verdicts_name_the_groups_with_rates_and_numbers(ranked: Any) -> None:
    gap, parity, epsilon = ranked.verdicts.reason[:3]
    assert "; ndcg(gain=exp)@5 is highest for " in gap
    assert "the share of lists with an item of the long tail is " in parity
    assert "the rate of a hit is highest for " in epsilon
    rows = ranked.estimates[ranked.estimates.metric == "hit_rate@5"].set_index("slice")
    named = epsilon.partition("highest for ")[2].partition(" ")[0]
    assert f" of {rows.loc[f'group={named}'].n})" in epsilon


def test_writers_are_compared_by_how_they_answer(tmp_path: Path) -> None:
    (tmp_path / "writer.py").write_text(WRITER)
    named = ["length", "group_gap(by=group,least=5,of=refusal_rate)", "group_gap(by=group,least=5,of=length)"]
    models = {"m": {"adapter": "python", "target": str(tmp_path / "writer.py:chat"), "kinds": ["chat"]}}
    options = {"disclose": ["group"], "max_users": 60, "split": {"method": "leave-one-out"}, "variants": []}
    asked = suite("explanation", models, [*named, "group_gap(by=group,least=5,of=latency)"], options=options)
    rows = whole(run(asked, tmp_path / "run"))
    assert rows.loc[named[1]].value == 1.0
    assert 0 < rows.loc["refusal_rate"].value < 1
    assert 0 < rows.loc["length"].n < 60  # a refusal has no length
    # and the gap between the groups that were answered is none of all groups
    assert rows.loc[named[2]].scored == 0
    assert rows.loc[named[2]].excluded == {
        "failed-group": rows.loc["length"].n,
        "no-text": 60 - rows.loc["length"].n,
    }
    seconds = rows.loc["latency"]
    assert seconds.n == 60
    assert 0 < seconds.value < 10
    assert rows.loc["group_gap(by=group,least=5,of=latency)"].value < 10


def test_ratings_and_conditions_have_groups_too(tmp_path: Path) -> None:
    gap = "group_gap(by=group,least=10,of=mae(average=macro))"
    rated = suite(
        "rating", reference("bias"), [gap], options={"split": {"method": "random", "fraction": 0.8}}
    )
    found = run(rated, tmp_path / "rated")
    rows = found.estimates[found.estimates.metric == "mae(average=macro)"].set_index("slice")
    kept = rows[rows.index.str.startswith("group=") & (rows.n >= 10)].value
    assert whole(found).loc[gap].value == pytest.approx(kept.max() - kept.min(), abs=1e-12)
    shots = {"of": "users", "shots": [1, 3], "k": 5}
    named = ["group_gap(by=group,least=4,of=hit_rate)@5", "group_gap(by=group,least=4,of=short)@5", "latency"]
    cold = run(suite("cold-start", reference("item-knn"), named, options=shots), tmp_path / "cold")
    ids = set(cold.estimates.metric)
    assert {f"group_gap(by=group,least=4,of=hit_rate,shots={n})@5" for n in (1, 3)} <= ids
    assert {"group_gap(by=group,least=4,of=short)@5", "latency", "hit_rate(shots=3)@5"} <= ids
    assert whole(cold).loc["latency"].excluded == {"not-timed": whole(cold).loc["latency"].attempted}


@pytest.mark.parametrize(
    ("kind", "metrics", "sentence"),
    [
        ("rating", ["group_gap(by=group,of=ndcg)@5"], "compares groups by 'ndcg@5', which is about lists"),
        ("rating", ["mae", "group_gap(by=grup,of=mae)"], "does not have; did you mean 'group'?"),
        ("explanation", ["group_gap(by=group,of=mae)"], "which is about ratings, not about texts"),
        ("explanation", ["group_gap(by=group,of=rubric_score)"], "which it does not measure"),
        ("counterfactual", ["group_gap(by=group,of=ndcg)@5"], "which is about lists, not about arms"),
        ("counterfactual", ["group_gap(by=age,of=answer_rate)"], "groups by 'age', which the scenario does"),
        ("top-k", ["group_difference(by=group,of=answer_rate)"], "group names the group to set against"),
    ],
)
def test_what_cannot_be_compared_gets_a_sentence(
    kind: str, metrics: list[str], sentence: str, tmp_path: Path
) -> None:
    models = reference(
        "template-writer" if kind == "explanation" else "bias" if kind == "rating" else "random"
    )
    with pytest.raises(UsageError) as caught:
        run(suite(kind, models, metrics), tmp_path / "run")
    assert sentence in str(caught.value)


def test_exchanges_without_a_time_of_their_own_have_none() -> None:
    cases = pa.table({"case": ["a", "b", "c"], "unit": ["u", "u", "v"]})
    block = pa.record_batch(
        {
            "case": ["c", "a", "b", "c"],
            "status": ["ok", "refused", "not_attempted", "ok"],
            "key": pa.array(["k1", None, None, "k2"]),
            "sent": [1.0, 2.0, 3.0, 4.0],
            "end": [3.0, 2.5, 3.5, 8.0],
        }
    )
    found = answers_of(cases, [block], timed=True)
    assert (found.units.tolist(), found.n) == ([1, 0, 1], 2)
    assert np.array_equal(found.seconds, [2.0, np.nan, 4.0], equal_nan=True)
    assert isinstance(found, Answers)
    assert np.isnan(answers_of(cases, [block], timed=False).seconds).all()


def test_groups_are_compared_under_each_condition_of_a_scenario() -> None:
    named = ("hit_rate", "group_gap(by=g,of=hit_rate)", "group_gap(by=g,of=short)", "latency")
    options = GenerativeRetrieval.Options.model_validate({"k": 5, "metrics": named})
    scenario = GenerativeRetrieval(options, 1)
    ids = [one.id for one in scenario.measured()]
    assert [name for name in ids if "resolve" in name] == [
        "hit_rate(resolve=any)@5",
        "hit_rate(resolve=first)@5",
        "group_gap(by=g,of=hit_rate,resolve=any)@5",
        "group_gap(by=g,of=hit_rate,resolve=first)@5",
    ]
    assert ids.count("group_gap(by=g,of=short)@5") == ids.count("latency") == 1
    assert not {"latency", "group_gap(by=g,of=short)@5"} & {one.id for one in scenario.own()}


@pytest.mark.parametrize("least", [10, 33])
def test_differences_of_models_leave_out_groups_too_small_in_a_slice(least: int, tmp_path: Path) -> None:
    named = [f"{name}(by=group,least={least})@5" for name in ("group_gap", "differential_fairness")]
    both = {**reference("popularity"), "n": {"adapter": "reference", "model": "random"}}
    asked = suite("top-k", both, named, options={"k": 5})
    asked["claims"] = [
        {
            "claim": name,
            "metric": name,
            "scenario": "s",
            "model": "n",
            "against": "m",
            "slice": "history=1-9",
            "not_worse_by": 0.9,
        }
        for name in named
    ]
    found = run(asked, tmp_path / "run")
    compared = genrec_eval.compare(found, found, models={"n": "m"}).frame
    for name in named:
        rows = found.estimates[(found.estimates.metric == name) & (found.estimates.slice == "history=1-9")]
        alone, pair = rows[rows.baseline.isna()].set_index("model"), rows[rows.baseline.notna()].iloc[0]
        runs = compared[(compared.metric == name) & (compared.slice == "history=1-9")]
        other = runs[runs.model == "n"].iloc[0]
        for one in (pair, other):
            assert one.excluded["small-group"] == alone.loc["m"].excluded["small-group"] > 0
            assert one.excluded == alone.loc["m"].excluded == alone.loc["n"].excluded
            assert one.n == alone.loc["n"].n
        if least == 10:
            away = alone.loc["n"].value - alone.loc["m"].value
            assert [pair.value, other.value] == pytest.approx([away, away], abs=1e-12)
        else:
            assert pair.n == 0
            assert pd.isna(pair.value)
            assert pd.isna(other.value)
            ruled = found.verdicts[found.verdicts.metric == name].iloc[0]
            assert str(ruled.verdict) == "INSUFFICIENT"
