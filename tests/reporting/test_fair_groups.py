"""Panels on groups of users: who is served otherwise, where attributes meet, and what is held back."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
from parsed_page import Page

import genrec_eval
from genrec_eval.reporting.fairness.compared import compared
from genrec_eval.reporting.fairness.crossed import Crossed, crossed
from genrec_eval.reporting.fairness.groups import Groups, groups
from genrec_eval.reporting.fairness.held import Held
from genrec_eval.reporting.fairness.suppressed import suppressed
from genrec_eval.reporting.html import render_report
from genrec_eval.reporting.page.against_rest import others_of, rests
from genrec_eval.reporting.page.by_group import figures_apart
from genrec_eval.reporting.page.detail import rows_by_metric
from genrec_eval.reporting.page.material import Material
from genrec_eval.reporting.results import Results

HOSTILE = "<img src=x onerror=alert(1)> \u202e{{ 7*7 }} " + "w" * 300
GAP = "group_gap(by=gender,least=150,of=ndcg)@5"
SUITE: dict[str, Any] = {
    "name": "groups",
    "seed": 11,
    "data": {"world": {"dataset": "synthetic", "options": {"users": 1000, "items": 120, "mainstream": 0.5}}},
    "models": {
        "pop": {"adapter": "reference", "model": "popularity"},
        "biased": {
            "adapter": "reference",
            "model": "unfair-value",
            "options": {"known_by": "membership", "attribute": "gender", "value": "F", "share": 1.0},
        },
    },
    "scenarios": {
        "served": {
            "scenario": "top-k",
            "data": "world",
            "options": {
                "k": 5,
                "groups": ["gender", "age", "gender*age"],
                "metrics": [
                    "ndcg@5",
                    GAP,
                    "group_difference(by=gender,group=F,of=ndcg)@5",
                    "differential_fairness(by=gender*age,least=40,outcome=hit)@5",
                ],
            },
        }
    },
    "claims": [
        {"claim": "alike", "scenario": "served", "model": "pop", "metric": GAP, "at_most": 0.2},
        {
            "claim": "caught",
            "scenario": "served",
            "model": "biased",
            "metric": GAP,
            "at_most": 0.02,
            "expect": "FAIL",
        },
    ],
}


def material(folder: Path) -> Material:
    results = Results.load(folder)
    return Material(results, json.loads((folder / "run.json").read_text("utf-8")), folder, results.models())


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("fair") / "run"
    genrec_eval.run(SUITE, out=folder, quiet=True, report=False)
    return folder


@pytest.fixture(scope="module")
def panel(played: Path) -> Groups:
    found = groups(material(played), "served")
    assert found is not None
    return found


def test_what_is_drawn_and_what_is_folded_are_adjusted_once(played: Path, panel: Groups) -> None:
    results = Results.load(played)
    by_metric = rows_by_metric(results)
    names = {(split.attribute, split.metric) for split in panel.splits}
    metrics = {metric for _, metric in names}
    drawn: dict[tuple[str, str, str], float] = {}
    for name, metric in names:
        for (model, where), rest in rests(results, by_metric["served", metric]).items():
            row = results.get("served", metric, model, where)
            if row is not None and where.startswith(f"{name}=") and row.n >= 30:
                drawn[name, model, where] = rest.p
    others = {key: mine for key, mine in by_metric.items() if key[1] not in metrics}
    folded = [rest.p for rest in figures_apart(results, "served", others).against.values()]
    assert folded
    said = re.search(r"over all (\d+) differences, (\d+) of them in metrics that are not drawn", panel.method)
    assert said is not None
    assert said.groups() == (str(len(drawn) + len(folded)), str(len(folded)))
    every = sorted([*drawn.values(), *folded])
    for split in panel.splits:
        for against in split.rows:
            key = (split.attribute, against.model, f"{split.attribute}={against.group}")
            if key[2] == "gender=F":
                continue  # its own test is measured
            below = every[: every.index(drawn[key]) + 1]
            holm = max(min(1.0, p * (len(every) - rank)) for rank, p in enumerate(below))
            assert against.p == pytest.approx(holm, rel=1e-9)


@pytest.fixture(scope="module")
def meets(played: Path) -> Crossed:
    (found,) = crossed(material(played), "served") or []
    return found


def test_the_model_that_serves_a_group_worse_comes_first_and_says_whom(panel: Groups) -> None:
    assert "biased (by gender" in panel.finding.striptags()
    gender = panel.splits[0]
    first = gender.loud[0]
    assert (gender.attribute, first.model) == ("gender", "biased")
    assert re.match(
        r"F has NDCG@5 0\.\d+ lower than the others \(−0\.\d+ to −0\.\d+\), n \d+ of ", first.text.striptags()
    )
    claimed = [one for one in first.beside if one.ruled is not None]
    assert [(one.ruled.word, one.ruled.tag, one.ruled.asked) for one in claimed if one.ruled] == [
        ("FAIL", "as expected", "at most 0.02")
    ]
    assert "without X, of fewer than 150" in claimed[0].without.striptags()


def test_inside_the_margin_is_said_to_be_alike_and_no_margin_says_nothing(panel: Groups) -> None:
    rows = {(row.model, row.group): row for row in panel.splits[0].rows}
    assert rows["pop", "F"].reading == rows["pop", "M"].reading == "alike: inside the margin"
    assert rows["biased", "F"].reading == "outside the margin"
    assert rows["pop", "F"].band == (-0.2, 0.2)
    age = panel.splits[1]
    assert {row.reading for row in age.rows if row.model == "pop"} <= {"not told apart", "lower", "higher"}
    assert any("nothing says how alike" in sentence for sentence in age.quiet)


def test_a_measured_difference_takes_the_place_of_the_one_made_from_means(
    played: Path, panel: Groups
) -> None:
    results = Results.load(played)
    own = results.get("served", "group_difference(by=gender,group=F)@5", "biased")
    assert own is not None
    row = next(row for row in panel.splits[0].rows if (row.model, row.group) == ("biased", "F"))
    assert row.ends == (own.value, own.low, own.high)
    made = rests(results, [one for one in results.estimates if one.metric == "ndcg@5"])["biased", "gender=F"]
    assert made.difference == pytest.approx(own.value, abs=1e-9)
    assert made.least == pytest.approx(own.low, abs=0.01)


def test_cells_are_as_in_the_scores_and_the_worst_come_first(played: Path, meets: Crossed) -> None:
    biased = next(one for one in meets.models if one.model == "biased")
    assert biased.loud
    shown = [cell for cell in biased.cells if not cell.hidden]
    assert {cell.name[:2] for cell in shown[:3]} == {"F*"}
    assert shown[0].mark == "lowest"
    assert shown[0].shade.startswith("low")
    assert [cell.hidden for cell in biased.cells] == sorted(cell.hidden for cell in biased.cells)
    assert biased.grid is not None
    assert biased.grid.across[0] == "F"
    assert "max-T p < 0.001" in biased.text.striptags()
    assert any(
        "driven by M" in one.more.striptags() and "over F" in one.more.striptags() for one in biased.beside
    )
    row = Results.load(played).get("served", "ndcg@5", "biased", f"gender*age={shown[0].name}")
    assert row is not None
    assert row.n == shown[0].n
    assert shown[0].raw.value == f"{row.value:.{len(shown[0].raw.value.partition('.')[2])}f}"


def test_parts_of_an_intersection_are_found_without_columns_of_their_own(played: Path) -> None:
    whole = Held.read(played, "served")
    assert whole is not None
    alone = Held(whole.units, {"gender*age": whole.groups["gender*age"]})
    for mine, theirs in zip(alone.parts("gender*age"), whole.parts("gender*age"), strict=True):
        assert set(mine.names) == set(theirs.names)
        assert np.array_equal(np.array(mine.names)[mine.codes], np.array(theirs.names)[theirs.codes])


def test_small_groups_stand_with_their_count_and_rule(played: Path) -> None:
    found = suppressed(material(played), "served")
    assert found is not None
    by = {(one.attribute, name): (n, one.rule) for one in found.small for name, n in one.cells}
    n, rule = by["gender", "X"]
    assert 20 <= n < 150
    assert rule.startswith("fewer than 150 scored: left out of NDCG@5, gap by gender")
    assert ("gender*age", "X*56+") in by
    said = dict(found.untested)
    assert said["What it changes when an attribute is disclosed"].startswith("no scenario of this run")
    assert "Whether groups by age and gender*age are alike" in said
    assert not found.unknown


@pytest.fixture(scope="module")
def hostile(played: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same run with a group of a hostile name, units of unknown group, and a group that all are in."""
    folder = tmp_path_factory.mktemp("hostile") / "run"
    shutil.copytree(played, folder)
    path = folder / "estimates.json"
    told = json.loads(path.read_text("utf-8"))
    for row in told["estimates"]:
        if row["slice"] == "gender=F":
            row["slice"] = f"gender={HOSTILE}"
        row["slice"] = row["slice"].replace("gender*age=F*", f"gender*age={HOSTILE}*")
    path.write_text(json.dumps(told), "utf-8")
    cases = folder / "cases" / "served.parquet"
    table = pq.read_table(cases)
    for name in ("group.gender", "group.gender*age"):
        column = pc.replace_substring_regex(table.column(name), "^F", HOSTILE.replace("\\", ""))
        table = table.set_column(table.column_names.index(name), name, column)
    known = pa.array([None if place < 17 else "all" for place in range(len(table))])
    pq.write_table(table.append_column("group.same", known), cases)
    return folder


def test_hostile_groups_are_text_and_the_page_is_well_formed(hostile: Path) -> None:
    html = render_report(hostile)
    assert "<img src=x" not in html
    assert "\u202e" not in html
    assert "49" not in re.findall(r"U\+202E⟩(\S+)", html)
    page = Page(html)
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for words in ("Which groups of users are served otherwise", "where attributes meet", "What is held back"):
        assert words in page.words
    assert page.words.count("What stands out by group?") == 0


def test_unknown_and_constant_groups_are_named(hostile: Path) -> None:
    found = suppressed(material(hostile), "served")
    assert found is not None
    assert [(name, n) for name, n, _ in found.unknown] == [("same", 17)]
    assert found.constant == ("same: all known are all, so that there is nothing to compare",)


def row(slice: str, value: float, n: int, half: float = 0.02, **more: Any) -> dict[str, Any]:
    common = {"model": "m", "scenario": "s", "metric": "mae", "attempted": n, "answered": n, "scored": n}
    return common | {"slice": slice, "value": value, "low": value - half, "high": value + half, "n": n} | more


def made(rows: list[dict[str, Any]], folder: Path, **more: Any) -> Material:
    definitions = {
        "mae": {"title": "MAE", "direction": "lower", "name": "mae", "resampling_unit": "user"},
        "group_gap(by=g,of=mae)": {
            "title": "Group gap",
            "direction": "lower",
            "name": "group_gap",
            "parameters": {"by": "g", "of": "mae", "least": 30},
            "made": "computed from sums",
        },
    }
    results = Results.read({"estimates": rows, "definitions": definitions, **more})
    return Material(results, {}, folder, results.models())


def test_scenarios_of_other_kinds_have_groups_too_and_lower_may_be_better(tmp_path: Path) -> None:
    rows = [
        row("all", 0.5, 300, 0.01),
        row("g=a", 0.7, 100),
        row("g=b", 0.4, 200),
        row("all", 0.3, 300, metric="group_gap(by=g,of=mae)", p=0.001, p_adjusted=0.002),
    ]
    found = groups(made(rows, tmp_path), "s")
    assert found is not None
    (split,) = found.splits
    assert split.loud[0].text.striptags().startswith("a has MAE 0.300 higher than the others")
    assert split.loud[0].beside[0].p == "p 0.002"
    assert crossed(made(rows, tmp_path), "s") is None
    (one,) = compared(made(rows, tmp_path).results, "s")
    assert (one.by, one.of, one.least) == ("g", "mae", 30)


def test_across_the_margin_cannot_be_told_and_says_what_would(tmp_path: Path) -> None:
    verdict = {
        "claim": "c",
        "model": "m",
        "scenario": "s",
        "metric": "group_gap(by=g,of=mae)",
        "verdict": "INSUFFICIENT",
        "expected": "PASS",
        "gate": True,
        "reason": "it may be more",
        "margin": 0.05,
        "rule": "at_most",
        "direction": "lower",
    }
    rows = [
        row("all", 0.5, 300, 0.03),
        row("g=a", 0.51, 150, 0.05),
        row("g=b", 0.49, 150, 0.05),
        row("all", 0.02, 300, metric="group_gap(by=g,of=mae)"),
    ]
    found = groups(made(rows, tmp_path, verdicts=[verdict]), "s")
    assert found is not None
    said = found.splits[0].loud[0]
    assert "a and b cannot be told" in said.text.striptags()
    assert said.beside[0].ruled is not None
    assert said.beside[0].ruled.word == "INSUFFICIENT"
    assert re.search(r"cannot be told; about [\d,]+ units would decide", found.splits[0].rows[0].reading)


def test_units_of_unknown_group_are_in_no_rest(tmp_path: Path) -> None:
    rows = [row("all", 0.5, 400, 0.01), row("g=a", 0.2, 100), row("g=b", 0.4, 100)]
    results = made(rows, tmp_path).results
    found = rests(results, list(results.estimates))
    assert found["m", "g=a"].value == pytest.approx(0.4)
    assert found["m", "g=a"].difference == pytest.approx(-0.2)
    assert found["m", "g=a"].most < 0
    lone = [one for one in results.estimates if one.slice == "g=a"]
    assert others_of(lone[0], []) is None


def test_small_groups_are_not_drawn_and_nothing_is_made_of_nothing(tmp_path: Path) -> None:
    rows = [row("all", 0.5, 120, 0.01), row("g=a", 0.7, 20), row("g=b", 0.46, 100)]
    found = groups(made(rows, tmp_path), "s")
    assert found is not None
    assert {one.group for one in found.splits[0].rows} == {"b"}
    assert groups(made([row("all", 0.5, 120)], tmp_path), "s") is None
    assert suppressed(made([], tmp_path), "s") is None
    bare = suppressed(made([row("all", 0.5, 120)], tmp_path), "s")
    assert bare is not None
    assert bare.finding == "Nothing of fairness was tested here"
