"""Judges behind ``serve``: orders in answers win nothing under fences; retries, cost and resume as ever."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml

import genrec_eval
from genrec_eval.api import Run
from genrec_eval.serving.faults import Faults
from genrec_eval.serving.run import Served, serve_in_thread

JUDGES = ("obedient-judge", "rubric-judge")
SAID = ["model", "other", "case", "unit", "judge", "rubric", "task", "order", "sample", "status", "value",
        "label", "reason", "raw", "length", "other_length"]  # fmt: skip


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    faults = Faults(error_5xx=0.02, error_429=0.02, retry_after=0.01, max_faults_per_request=2)
    with serve_in_thread(None, list(JUDGES), faults=faults, seed=7) as server:
        yield server


def at_endpoint(url: str) -> Callable[[str], dict[str, Any]]:
    return lambda name: {
        "adapter": "openai",
        "model": name,
        "base_url": f"{url}/v1",
        "api_key": "none",
    }


def in_process(name: str) -> dict[str, Any]:
    return {"adapter": "reference", "model": name}


def suite(judge: Callable[[str], dict[str, Any]], folder: Path) -> dict[str, Any]:
    """Two writers, one of which only adds an order, against a third; a judge that obeys, fenced and not."""
    prices = {
        "as_of": "2026-01-01", "source": "a test",
        "endpoints": {"*": {name: {"input": 2.0, "output": 8.0} for name in JUDGES}},
    }  # fmt: skip
    (folder / "prices.yaml").write_text(yaml.safe_dump(prices))
    pair = {"rubric": "helpfulness", "task": "pairwise", "against": "neutral", "limit": 24}
    return {
        "name": "served",
        "seed": 7,
        "prices": str(folder / "prices.yaml"),
        "data": {"world": {"dataset": "synthetic", "options": {"users": 150, "items": 100, "reviews": 0.6}}},
        "models": {
            "neutral": {"adapter": "reference", "model": "retrieval-writer"},
            "plain": {"adapter": "reference", "model": "template-writer"},
            "smuggler": {"adapter": "reference", "model": "injects-orders"},
        },
        "judges": {
            "fenced": {"model": judge("obedient-judge")},
            "bare": {"model": judge("obedient-judge"), "fence": False},
            "rules": {"model": judge("rubric-judge"), "fence": False},
        },
        "scenarios": {
            "explanation": {
                "scenario": "explanation",
                "data": "world",
                "options": {"split": {"method": "leave-one-out"}, "max_users": 24, "variants": []},
                "judging": [{"judge": name, **pair} for name in ("fenced", "bare", "rules")],
            }
        },
        "baseline": "plain",
    }


@pytest.fixture(scope="module")
def runs(served: Served, tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Run]:
    """The same suite with judges in process and at the endpoint."""
    folder = tmp_path_factory.mktemp("judges")
    inside = genrec_eval.run(suite(in_process, folder), out=folder / "inside", quiet=True, report=False)
    outside = genrec_eval.run(
        suite(at_endpoint(served.url), folder), out=folder / "outside", quiet=True, report=False
    )
    return inside, outside


def raised(run: Run, judge: str) -> pd.Series:
    """What the order does to the win rate: the writer with it minus the same text without."""
    metric = f"win_rate(against=neutral,judge={judge},rubric=helpfulness)"
    table = run.estimates
    rows = table[(table["metric"] == metric) & (table["model"] == "smuggler") & (table["slice"] == "all")]
    (found,) = [row for _, row in rows.iterrows() if row["baseline"] == "plain"]
    return found


def test_orders_win_where_answers_stand_bare_and_nothing_under_fences(runs: tuple[Run, Run]) -> None:
    for run in runs:
        bare, fenced, rules = (raised(run, judge) for judge in ("bare", "fenced", "rules"))
        assert bare["low"] > 0.2
        # the judge that obeys marks the order down as no part of an answer, once it may not obey it
        assert fenced["high"] <= 0.05
        assert fenced["value"] == rules["value"]


def test_both_places_give_the_same_judgements(runs: tuple[Run, Run]) -> None:
    inside, outside = (run.judgements[SAID].astype(object) for run in runs)
    pd.testing.assert_frame_equal(inside, outside)
    assert set(inside["status"]) == {"ok"}


def test_faults_are_retried_and_cost_is_counted(runs: tuple[Run, Run]) -> None:
    inside, outside = runs
    table = outside.judgements
    assert table["attempts"].max() > 1
    cost = (table["input_tokens"] * 2.0 + table["output_tokens"] * 8.0) / 1e6
    assert table["cost"].tolist() == pytest.approx(cost.tolist())
    assert inside.judgements["cost"].isna().all()
    played = [one for judge in outside.directory.run["judges"].values() for one in judge["played"]]
    assert sum(one["cost"] for one in played) == pytest.approx(table["cost"].sum())
    assert all(one["attempts"] > one["calls"] for one in played[:1])


def test_a_second_run_asks_nothing(runs: tuple[Run, Run], served: Served, tmp_path: Path) -> None:
    _, outside = runs
    before = outside.judgements
    plan = copy.deepcopy(suite(at_endpoint(served.url), tmp_path))
    again = genrec_eval.run(plan, out=outside.path, quiet=True, report=False)
    played = [one for judge in again.directory.run["judges"].values() for one in judge["played"]]
    assert [one["cached"] for one in played] == [one["calls"] for one in played]
    pd.testing.assert_frame_equal(again.judgements.drop(columns="cached"), before.drop(columns="cached"))


def test_a_probe_at_the_endpoint_finds_what_it_finds_in_process(served: Served, tmp_path: Path) -> None:
    def probed(judge: Callable[[str], dict[str, Any]], place: str) -> pd.DataFrame:
        plan = {
            "name": "probed",
            "seed": 7,
            "models": {"obedient": judge("obedient-judge")},
            "scenarios": {
                "bare": {
                    "scenario": "judge-probe",
                    "options": {"bases": 5, "fence": False, "probes": ["injection"], "tasks": ["pairwise"]},
                }
            },
        }
        return genrec_eval.run(plan, out=tmp_path / place, quiet=True, report=False).estimates

    inside, outside = probed(in_process, "in"), probed(at_endpoint(served.url), "out")
    pd.testing.assert_frame_equal(inside, outside)
    success = inside.query("metric == 'injection_success'")["value"].item()
    assert success > 0.8
