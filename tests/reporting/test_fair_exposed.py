"""What a report says of providers and of criteria that conflict, from a small run and from nothing."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from fair_shop import EVIL, shop

from genrec_eval.metrics.grouped.exposure_shares import group_shares
from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.fairness.conflicts import conflicts
from genrec_eval.reporting.fairness.exposed import exposed
from genrec_eval.reporting.html import environment
from genrec_eval.reporting.page.assemble import material_of
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results, read_json


def material(directory: Path) -> Material:
    return material_of(Results.load(directory), read_json(directory / "run.json"), directory)


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return material(shop(tmp_path_factory.mktemp("shop")))


@pytest.fixture(scope="module")
def alike(tmp_path_factory: pytest.TempPathFactory) -> Material:
    """One provider, and users of one kind."""
    return material(shop(tmp_path_factory.mktemp("alike"), providers=1, kinds=1))


def test_bars_agree_with_the_metric(played: Material) -> None:
    found = exposed(played, "served")
    assert found is not None
    first = found[0]
    rows = [line for line in first.lines if line.model == "popular"]
    row = played.results.get("served", "exposure_gap@5", "popular")
    assert row is not None
    assert row.value is not None
    assert [line.due for line in rows] == ["50.0", "50.0"]
    gaps = [float(line.difference.value.replace("−", "-")) for line in rows]
    assert max(abs(gap) for gap in gaps) == pytest.approx(100 * row.value, abs=0.1)
    assert sum(float(line.share.value) for line in rows) == pytest.approx(100, abs=0.2)
    assert first.drawing.count("<svg") == 2
    assert first.beside[0].cells[0] is not None


def test_what_is_of_no_known_provider_is_told(played: Material) -> None:
    plain = exposed(played, "served")
    rows = [
        replace(row, value=0.4, low=0.35, high=0.45) if row.metric == "unlabelled@5" else row
        for row in played.results.estimates
    ]
    told = replace(played.results, estimates=tuple(rows), _index={}, _models={}, _metrics={})
    found = exposed(replace(played, results=told), "served")
    assert plain is not None
    assert found is not None
    assert not any("known provider" in one.text for one in plain[0].said)
    for one in found[0].said:
        assert "; 40 ± 5 % of what the lists show goes to items of no known provider" in one.text


def test_the_comparison_that_is_claimed_comes_first_and_the_rest_is_named(played: Material) -> None:
    found = exposed(played, "served")
    assert found is not None
    assert len(found) == 2
    assert "catalogue" in found[0].summary
    assert "attention_per_merit@5" in found[0].metrics
    assert "1 / log2(rank + 1), as in DCG" in found[0].method
    assert "the same at every rank" in found[1].method
    assert found[1].others == (
        "exposure_gap(target=train,weights=geometric)@5",
        "exposure_ratio(target=declared)@5",
    )
    assert [one.verdict.word for one in found[0].said if one.model == "knn" and one.verdict] != []


def test_declared_shares_are_drawn_as_what_is_due(played: Material) -> None:
    rows = [row for row in played.results.estimates if row.metric == "exposure_ratio(target=declared)@5"]
    alone = replace(played.results, estimates=tuple(rows), _index={}, _models={}, _metrics={})
    for row in rows:
        alone._index[row.scenario, row.metric, row.slice, row.model, row.baseline] = row
    found = exposed(replace(played, results=alone), "served")
    assert found is not None
    assert "the declared share" in found[0].summary
    assert [line.due for line in found[0].lines[:2]] == ["25.0", "75.0"]


def test_women_who_see_one_provider_alone_are_told_apart(played: Material) -> None:
    found = exposed(played, "served")
    assert found is not None
    (gender,) = (one for one in found[0].by_users if one.users == "gender")
    knn = [cells[1] for _, _, cells in gender.rows]
    assert all(cell is not None and cell[1] for cell in knn)
    assert gender.rows[0][:2] == ("F", "60")


def test_one_provider_is_no_comparison(alike: Material) -> None:
    found = exposed(alike, "served")
    assert found is not None
    assert len(found) == 1
    assert found[0].summary == "Exposure by provider could not be compared: all items are of one provider"
    assert {one.gravity for one in found[0].said} == {0}
    assert "one group" in found[0].said[0].text
    assert found[0].drawing == ""


def test_criteria_that_base_rates_set_apart(played: Material) -> None:
    found = conflicts(played, "served")
    assert found is not None
    assert [one.impossible for one in found.conflicts] == [True, False, False]
    parity, odds = found.conflicts[0].first, found.conflicts[0].second
    assert "parity" in parity
    assert "odds" in odds
    assert "Kleinberg et al. 2016 and Chouldechova 2017" in found.conflicts[0].source
    assert "M 8" in found.conflicts[0].evidence
    assert "1 pair of criteria cannot both hold" in found.summary
    assert {one.metric for one in found.criteria if one.claimed} == {"exposure_gap@5"}


def test_a_constant_attribute_has_no_base_rates_to_compare(alike: Material) -> None:
    found = conflicts(alike, "served")
    assert found is not None
    assert found.conflicts == ()
    assert found.summary.startswith("Base rates cannot be compared")
    assert "may hold together" not in found.clear


def test_without_the_tables_of_the_run_nothing_is_drawn_and_it_is_said(
    played: Material, tmp_path: Path
) -> None:
    lost = replace(played, directory=tmp_path)
    shown, told = exposed(lost, "served"), conflicts(lost, "served")
    assert shown is not None
    assert told is not None
    assert "do not lie beside its estimates" in shown[0].said[0].text
    assert shown[0].beside[0].cells[0] is not None
    assert "do not lie beside its estimates" in told.missing
    assert told.conflicts == ()


def test_no_metric_no_panel(played: Material) -> None:
    rows: list[Estimate] = [row for row in played.results.estimates if row.metric == "ndcg@5"]
    plain = replace(played.results, estimates=tuple(rows), _index={}, _models={}, _metrics={})
    assert exposed(replace(played, results=plain), "served") is None
    assert conflicts(replace(played, results=plain), "served") is None


def test_hostile_names_are_text(played: Material) -> None:
    page = environment("run")
    for name, panel in (("exposed", exposed), ("conflicts", conflicts)):
        made = panel(played, "served")
        text = page.get_template(f"_fair_{name}.html.j2")
        source = '{% import "_cells.html.j2" as ui with context %}{% include name %}'
        cells = dict.fromkeys(played.results.metrics("served"), "m")
        titles = {metric: played.results.title(metric) for metric in cells}
        given = {"panel": made, "keys": {}, "s": {"cells": cells}, "titles": titles, "name": text.name}
        shown = page.from_string(source).render(given)
        assert "&lt;script&gt;alert(1)" in shown
        assert "<script" not in shown
        assert EVIL not in shown
        assert "49 " not in shown.replace("49 users", "")


def test_shares_of_users_who_are_alike() -> None:
    rows = np.tile([3.0, 1.0, 2.0, 2.0], (40, 1))
    found = group_shares(rows, False, 0.95)
    assert found is not None
    assert found.share.tolist() == [0.75, 0.25]
    assert (found.share_ends[0] < found.share).all()
    assert (found.p < 0.05).all()
    assert group_shares(rows[:1], False, 0.95) is None


def test_p_and_interval_say_the_same() -> None:
    rng = np.random.default_rng(1)
    for _ in range(20):
        mine = rng.random((60, 3)) * rng.random(3)
        rows = np.concatenate([mine, mine.sum(axis=1, keepdims=True) * [0.3, 0.3, 0.4]], axis=1)
        found = group_shares(rows, False, 0.95)
        assert found is not None
        low, high = found.difference_ends
        assert ((found.p < 0.05) == ((low > 0) | (high < 0))).all()
