"""Exposure against shares that the user of a suite declares."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pydantic import ValidationError
from test_provider_exposure import world

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.scenarios.ranking.options import RankingOptions
from genrec_eval.stats.intervals import intervals

GROUPS = [[0], [0], [1], [1]]
LISTED = [[0, 2], [1, 3], [0, 1]]


def declared(targets: dict[str, float] | None) -> RankedLists:
    lists = world(LISTED, GROUPS)
    return replace(lists, catalogue=replace(lists.catalogue, provider_targets=targets))


def test_the_gap_is_to_what_is_declared() -> None:
    one = metric("exposure_gap(target=declared,weights=uniform)@2")
    found = intervals([one.sample(one(declared({"g0": 0.9, "g1": 0.1})))], seed=1)[0]
    assert found.value == pytest.approx(0.9 - 4 / 6)
    one = metric("exposure_ratio(target=declared,weights=uniform)@2")
    found = intervals([one.sample(one(declared({"g0": 1.0, "g1": 0.0})))], seed=1)[0]
    assert found.value == pytest.approx(4 / 6)


@pytest.mark.parametrize(
    ("targets", "said"),
    [
        ({"g0": 0.5, "G1": 0.5}, "'G1' is no provider; did you mean 'g1'?"),
        ({"g0": 1.0}, "says nothing of 'g1'"),
        (None, "is not given"),
    ],
)
def test_who_is_not_compared_and_who_is_left_out(targets: dict[str, float] | None, said: str) -> None:
    with pytest.raises(UsageError, match=said.replace("?", r"\?")):
        metric("exposure_gap(target=declared)@2")(declared(targets))


def test_attributes_have_no_declared_shares() -> None:
    with pytest.raises(UsageError, match="is about providers"):
        metric("exposure_gap(by=attributes,target=declared)@2")


@pytest.mark.parametrize("targets", [{"a": 0.5, "b": 0.4}, {"a": 1.5, "b": -0.5}])
def test_shares_sum_to_one(targets: dict[str, float]) -> None:
    with pytest.raises(ValidationError, match="sum to 1"):
        RankingOptions.model_validate({"provider_targets": targets})
