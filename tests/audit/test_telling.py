"""The clause of a verdict on which groups or values a figure comes from: told again from the lists."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import genrec_eval
from genrec_eval.audit.verdicts import Evidence
from genrec_eval.metrics.item_groups import OTHERS

EXPOSURES = (
    "exposure_gap(target=uniform)@5",
    "exposure_ratio(target=uniform)@5",
    "exposure_divergence(target=uniform)@5",
    "attention_per_merit@5",
    "exposure_gap(by=attributes,largest=2,target=uniform)@5",
)
GAP = "group_gap(by=gender)@5"
VALUES = ("snsr(attribute=age)@5", "snsv(attribute=age)@5", "snsr_excess(attribute=age)@5")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> genrec_eval.Run:
    suite: dict[str, Any] = {
        "name": "told",
        "seed": 3,
        "data": {"world": {"dataset": "synthetic", "options": {"users": 300, "items": 120}}},
        "models": {
            "biased": {"adapter": "reference", "model": "provider-bias", "options": {"share": 0.9}},
            "unfair": {
                "adapter": "reference",
                "model": "unfair-value",
                "options": {"attribute": "age", "value": "old"},
            },
        },
        "scenarios": {
            "served": {
                "scenario": "top-k",
                "data": "world",
                "models": ["biased"],
                "options": {
                    "k": 5,
                    "providers": "provider_group",
                    "groups": ["gender"],
                    "metrics": [*EXPOSURES, GAP],
                },
            },
            "disclosed": {
                "scenario": "counterfactual",
                "data": "world",
                "models": ["unfair"],
                "options": {
                    "k": 5,
                    "max_users": 60,
                    "attributes": {"age": {"values": ["young", "old", "aged"]}},
                    "similarities": ["jaccard"],
                    "metrics": ["snsr", "snsv", "snsr_excess"],
                },
            },
        },
        "claims": [
            {"claim": metric, "scenario": where, "model": model, "metric": metric, rule: 0.5}
            for where, model, metrics in (("served", "biased", EXPOSURES), ("disclosed", "unfair", VALUES))
            for metric in metrics
            for rule in ["at_least" if "ratio" in metric or "merit" in metric else "at_most"]
        ],
    }
    out: Path = tmp_path_factory.mktemp("told") / "run"
    return genrec_eval.run(suite, out=out, quiet=True, report=False)


def told(run: genrec_eval.Run, metric: str) -> str:
    (found,) = (row for row in run.results.verdicts if row.gate and row.metric == metric)
    return found.reason.rpartition("; ")[2]


def exposure(run: genrec_eval.Run, groups: pd.Series) -> pd.Series:
    """Share of the exposure by DCG's weights; ``groups`` holds those of each item."""
    paths = sorted((run.path / "records").glob("served@biased.*.parquet"))
    listed = pd.concat(pd.read_parquet(path, columns=["items"]) for path in paths)["items"]
    rows = [
        (group, 1 / np.log2(rank + 1) / len(groups[item]))
        for one in listed
        for rank, item in enumerate(one[:5], 1)
        for group in groups[item]
    ]
    sums = pd.DataFrame(rows, columns=["group", "weight"]).groupby("group")["weight"].sum()
    return sums / sums.sum()


def items(run: genrec_eval.Run, column: str) -> pd.Series:
    return pd.read_parquet(run.path / "cases/served@items.parquet").set_index("item")[column]


def percent(share: float) -> str:
    return f"{float(f'{share * 100:.3g}'):g} %"


def test_providers_are_named_with_what_they_get_and_what_is_due(run) -> None:
    shares = exposure(run, items(run, "provider").map(lambda one: [one]))
    assert shares["major"] > 0.85
    most, least = percent(shares["major"]), percent(shares["independent"])
    for metric in EXPOSURES[0], EXPOSURES[2]:
        assert told(run, metric) == f"major gets {most} of the exposure, and 50 % is due to it"
    assert told(run, EXPOSURES[1]) == f"independent gets {least} of the exposure, and 50 % is due to it"
    merit = told(run, EXPOSURES[3])
    assert merit.startswith(f"least is that of independent ({least} of the exposure, ")
    assert f"most that of major ({most}, " in merit


def test_the_largest_groups_and_all_others_are_named(run) -> None:
    attributes = items(run, "attributes")
    counts = attributes.explode().value_counts().sort_index()
    largest = set(counts.sort_values(ascending=False, kind="stable").index[:2])
    # an item of several small groups is once among all others
    merged = attributes.map(lambda of: sorted({one if one in largest else OTHERS for one in of}))
    shares = exposure(run, merged)
    name = (shares - 1 / 3).abs().idxmax()
    expected = f"{name} gets {percent(shares[name])} of the exposure, and 33.3 % is due to it"
    assert told(run, EXPOSURES[4]) == expected


@pytest.mark.parametrize("metric", VALUES)
def test_values_are_named_with_their_similarity_to_neutral(run, metric) -> None:
    (row,) = (
        one
        for one in run.results.estimates
        if one.metric == "snsr(attribute=age)@5" and one.slice == "all" and one.baseline is None
    )
    least = f"{float(f'{1 - row.value:.3g}'):g}"  # the model changes nothing for the others
    said = "with age disclosed, similarity to neutral is highest for young (1), lowest for old"
    assert told(run, metric) == f"{said} ({least})"


def test_groups_whose_figures_read_alike_are_not_told_apart(run) -> None:
    of_groups = [
        row for row in run.results.estimates if row.metric == "ndcg@5" and row.slice.startswith("gender=")
    ]
    (gap,) = (row for row in run.results.estimates if row.metric == GAP and row.slice == "all")
    for step, said in ((1e-9, "; ndcg@5 is 0.30 in every group"), (0.1, "; ndcg@5 is highest for ")):
        rows = [
            replace(row, value=0.3 + step * place, low=0.25, high=0.55, n=100)
            for place, row in enumerate(of_groups)
        ]
        evidence = Evidence.of([*rows, gap], run.results.coverage, 0.05, {}, {GAP: ("gender", "ndcg@5")})
        assert evidence.furthest_groups(gap).startswith(said)
