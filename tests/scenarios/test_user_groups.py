"""Groups of users in ranking scenarios: crossed columns, sentences, and the verdict on a gap."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

import genrec_eval
from genrec_eval.core.errors import UsageError
from genrec_eval.scenarios.ranking.catalogue import _typed
from genrec_eval.scenarios.ranking.groups import groups_of

GAP = "group_gap(by=group,of=ndcg,least=10)@5"


def suite(**options: Any) -> dict[str, Any]:
    return {
        "name": "groups",
        "seed": 5,
        "data": {"world": {"dataset": "synthetic", "options": {"users": 300, "items": 120}}},
        "models": {"pop": {"adapter": "reference", "model": "popularity"}},
        "scenarios": {
            "top-k": {
                "scenario": "top-k",
                "data": "world",
                "options": {"k": 5, "metrics": ["ndcg@5"], "groups": ["group"], **options},
            }
        },
    }


def test_a_gap_is_decided_and_its_groups_are_named(tmp_path: Path) -> None:
    asked = suite(metrics=[GAP, "group_gap(by=group,of=ndcg,least=10000)@5"])
    shared = {"scenario": "top-k", "model": "pop", "at_most": 0.5}
    asked["claims"] = [
        {"claim": "no wide gap", "metric": GAP, **shared},
        {"claim": "nobody left", "metric": "group_gap(by=group,of=ndcg,least=10000)@5", **shared},
    ]
    run = genrec_eval.run(asked, out=tmp_path / "run", quiet=True, report=False)
    rows = run.estimates[run.estimates.slice == "all"].set_index("metric")
    gap, base = rows.loc["group_gap(by=group,least=10)@5"], rows.loc["ndcg@5"]
    assert 0 < gap.p <= gap.p_adjusted <= 1
    assert base.value > 0  # what is compared is measured too
    by_group = run.estimates[
        (run.estimates.metric == "ndcg@5") & run.estimates.slice.str.startswith("group=")
    ]
    assert gap.value == pytest.approx(by_group.value.max() - by_group.value.min())
    slices = set(run.estimates[run.estimates.metric == "group_gap(by=group,least=10)@5"].slice)
    assert not any(name.startswith("group=") for name in slices)
    first, second = run.verdicts.to_dict("records")[:2]
    assert "; ndcg@5 is highest for " in first["reason"]
    assert second["verdict"] == "INSUFFICIENT"
    assert "small group" in second["reason"]


def test_stored_scores_go_on_in_fairlearn(tmp_path: Path) -> None:
    pytest.importorskip("fairlearn")
    run = genrec_eval.run(suite(metrics=[GAP]), out=tmp_path / "run", quiet=True, report=False)
    frame = run.group_frame("top-k", "ndcg@5", "group")
    rows = run.estimates.set_index(["metric", "slice"]).value
    assert frame.difference()["ndcg@5"] == pytest.approx(rows["group_gap(by=group,least=10)@5", "all"])
    for asked, sentence in (
        (("top", "ndcg@5", "group"), "no scenario 'top'; did you mean 'top-k'?"),
        (("top-k", "ndgc@5", "group"), "measures no 'ndgc@5'; did you mean 'ndcg@5'?"),
        (("top-k", "ndcg@5", "grup"), "no group 'grup'; did you mean 'group'?"),
        (("top-k", "group_gap(by=group,least=10)@5", "group"), "one value for the whole run"),
    ):
        with pytest.raises(UsageError) as caught:
            run.group_frame(*asked)
        assert sentence in str(caught.value)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"groups": ["group*grup"]}, "no column 'grup', which 'group*grup' crosses; did you mean 'group'?"),
        ({"groups": ["group*group"]}, "crosses a column with itself"),
        (
            {"metrics": ["group_gap(by=grup)@5"]},
            "compares groups by 'grup', which the scenario does not have; did you mean 'group'?",
        ),
        ({"metrics": ["group_gap@5"]}, "needs by, a group of the scenario"),
        ({"metrics": ["group_difference(by=group,group=nobody)@5"]}, "no user has group 'nobody'"),
        ({"metrics": ["group_gap(by=group,of=calibraton)@5"]}, "did you mean 'calibration'?"),
    ],
)
def test_wrong_groups_get_a_sentence(options: dict[str, Any], sentence: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        genrec_eval.run(suite(**options), out=tmp_path / "run", quiet=True, report=False)
    assert sentence in str(caught.value)


def grouped(name: str, **columns: Any) -> list[str | None]:
    table = pa.table({"user": ["a", "b", "c", "d"], **columns})
    people: Any = SimpleNamespace(name="own", user_table=table)
    found = groups_of("top-k", people, np.arange(4, dtype=np.int32), None, [name])
    values: list[str | None] = found[f"group.{name}"].to_pylist()
    return values


def test_what_nobody_told_is_no_group() -> None:
    assert grouped("age", age=[1.5, float("nan"), None, 1.5]) == ["1.5", None, None, "1.5"]
    assert grouped("sex", sex=["F", "", "  ", None]) == ["F", None, None, None]
    assert grouped("sex*age", sex=["F", "", "M", "M"], age=[1.0, 2.0, float("nan"), 3.0]) == [
        "F*1",
        None,
        None,
        "M*3",
    ]


def test_crossed_values_that_could_not_be_told_apart_are_refused() -> None:
    one, other = ["x*y", "x", "x", "x"], ["z", "y*z", "z", "z"]
    assert grouped("one*two", one=one, two=["z"] * 4)[0] == "x*y*z"
    with pytest.raises(UsageError, match="values of the columns 'one' and 'two' of data set 'own' hold"):
        grouped("one*two", one=one, two=other)


@pytest.mark.parametrize("column", ["provider", "attributes"])
def test_a_blank_names_no_provider(column: str) -> None:
    stock: Any = SimpleNamespace(
        name="own", item_table=pa.table({"item": ["a", "b", "c"], "of": ["x", "", " "]})
    )
    found = _typed(stock, column, "of").to_pylist()
    assert found == (["x", None, None] if column == "provider" else [["x"], [], []])
