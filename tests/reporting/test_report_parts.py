"""What the page is made of: details of metrics, groups side by side, readers' sentences, the gate beside."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fixture_run import document, write_run
from parsed_page import Page

from genrec_eval.audit.gating.types import GateResult, GateRow
from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.results import Estimate, Ruling
from genrec_eval.reporting.gate.json import write_gate_json
from genrec_eval.reporting.html import render_report
from genrec_eval.reporting.page.against_rest import adjusted, rest_of
from genrec_eval.reporting.page.assemble import material_of
from genrec_eval.reporting.page.by_group import WIDEST, figures_apart, outlooks, splits
from genrec_eval.reporting.page.detail import detail, rows_by_metric
from genrec_eval.reporting.page.readers import readers
from genrec_eval.reporting.results import Results

MODELS = ["random", "popularity", "item-knn", "stutterer", "llm"]


@pytest.fixture(scope="module")
def results() -> Results:
    return Results.read(document())


def gate_of(run: str, verdict: Ruling = Ruling.FAIL) -> GateResult:
    row = GateRow(
        rule="NDCG@10 does not fall",
        kind="not_worse_by",
        scenario="top-k",
        metric="ndcg@10",
        model="item-knn",
        margin=0.01,
        verdict=verdict,
        reason="it fell by 0.05",
        value=-0.05,
        low=-0.06,
        high=-0.04,
        direction="higher",
    )
    return GateResult(
        run="runs/new",
        run_id=run,
        suite="quickstart",
        baseline="runs/old",
        baseline_run="old",
        adjust="holm",
        power=0.8,
        inconclusive="fail",
        rows=[row],
    )


def test_a_detail_holds_every_row_of_its_metric(results: Results) -> None:
    rows = rows_by_metric(results)["top-k", "ndcg@10"]
    found = detail(results, rows, MODELS, "s1m1", {}, ())
    assert [row.name for row in found.figures.rows] == MODELS[:4]
    assert len(found.pairs.rows) == sum(row.baseline is not None for row in rows)
    cells = sum(cell is not None for one in found.splits for *_, parts in one.rows for cell in parts)
    assert cells == sum(row.slice != "all" for row in rows)
    assert found.figures.common.startswith(
        "n 1,950, attempted 2,000, answered 2,000, scored 1,950, excluded 50"
    )
    assert found.finding.startswith("item-knn is best, 0.124")
    assert dict(found.facts)["Direction"].startswith("higher is better")


def test_what_breaks_a_rule_is_the_finding(results: Results) -> None:
    rows = rows_by_metric(results)["top-k", "duplicate@10"]
    assert detail(results, rows, MODELS, "s1m9", {}, ()).finding.startswith("stutterer breaks a rule")


def test_groups_stand_side_by_side_and_none_is_torn(results: Results) -> None:
    rows = rows_by_metric(results)["top-k", "ndcg@10"]
    tables = splits(results, rows, MODELS)
    assert [name for one in tables for name, _ in one.groups] == ["gender", "age", "taste"]
    assert all(len(one.values) <= WIDEST for one in tables)
    assert all(sum(n for _, n in one.groups) == len(one.values) for one in tables)
    assert {units for one in tables for _, units in one.values} == {
        "n 1,072, 27 excluded: no relevant item 27",
        "n 546, 14 excluded: no relevant item 14",
        "n 332, 9 excluded: no relevant item 9",
    }


def stood_out(rows: list[dict[str, Any]], metrics: tuple[str, ...] = ("x",)) -> Any:
    common = {"model": "m", "scenario": "s", "attempted": 100, "answered": 100, "scored": 100}
    made = [common | {"metric": metric} | row for metric in metrics for row in rows]
    results = Results.read({"estimates": made, "definitions": {metric: {} for metric in metrics}})
    found = figures_apart(results, "s", rows_by_metric(results))
    return outlooks(results, found, adjusted(found.against))


def test_a_group_stands_out_against_the_rest_and_not_against_a_whole_that_contains_it() -> None:
    rows = [
        {"slice": "all", "value": 0.5, "low": 0.45, "high": 0.55, "n": 100},
        {"slice": "g=a", "value": 0.55, "low": 0.49, "high": 0.61, "n": 80},
        {"slice": "g=b", "value": 0.3, "low": 0.2, "high": 0.4, "n": 20},
    ]
    (found,) = stood_out(rows)
    # the great group holds the whole inside its interval, and yet the rest is far from it
    assert {row.value for row in found.rows} == {"a", "b"}
    assert found.told == "By g: 2 of 2 different figures are told apart from the rest of the units"
    assert found.rows[0].rest.value in ("0.30", "0.55", "0.300", "0.550")


def test_figures_that_are_the_same_count_once() -> None:
    rows = [
        {"slice": "all", "value": 0.5, "low": 0.45, "high": 0.55, "n": 100},
        {"slice": "g=a", "value": 0.55, "low": 0.49, "high": 0.61, "n": 80},
        {"slice": "g=b", "value": 0.3, "low": 0.2, "high": 0.4, "n": 20},
    ]
    (found,) = stood_out(rows, ("x", "y", "z"))
    assert found.told.startswith("By g: 2 of 2 different figures")
    assert "y" in found.rows[0].also
    assert "z" in found.rows[0].also


def test_what_is_no_mean_over_units_is_not_held_against_the_rest() -> None:
    rows = [
        {"slice": "all", "value": 0.9, "low": 0.85, "high": 0.95, "n": 100},
        {"slice": "g=a", "value": 0.55, "low": 0.49, "high": 0.61, "n": 80},
        {"slice": "g=b", "value": 0.3, "low": 0.2, "high": 0.4, "n": 20},
    ]
    (found,) = stood_out(rows)
    assert not found.rows
    assert "no figure can be held against the rest" in found.told


def test_each_reader_gets_a_sentence_of_the_same_facts(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    run = json.loads((folder / "run.json").read_text("utf-8"))
    said = {one.key: one.sentence for one in readers(material_of(Results.load(folder), run, folder))}
    assert said["engineer"].startswith(
        "Begin with Hit rate@10 of item-knn in top-k: 51.0 ± 2.2 %, asked at least 55 %"
    )
    assert "item-knn is shown to be better than all others on" in said["owner"]
    assert "8,000 questions" in said["user"]
    tally = "1 failed, 1 could not be decided, 1 was not run and 1 holds (1 more, about models with a planted"
    assert all(tally in said[key] for key in ("owner", "user", "regulator"))
    assert said["regulator"].endswith("This is evidence on those claims, and no finding that a law is met.")


def test_sentences_hold_for_a_run_of_nothing(tmp_path: Path) -> None:
    material = material_of(Results.read({"run": "bare"}), {}, tmp_path)
    assert all(one.sentence.endswith(".") for one in readers(material))
    assert "were not asked anything" in readers(material)[2].sentence


def test_the_gate_stands_on_the_page_of_its_run(tmp_path: Path) -> None:
    folder = write_run(tmp_path / "run")
    run = Results.load(folder).run
    assert 'id="gate"' not in render_report(folder)
    write_gate_json(gate_of(run), folder / "gate.json")
    text = render_report(folder)
    assert text.index('id="tested"') < text.index('id="matrix"') < text.index('id="gate"')
    assert "NDCG@10 does not fall" in Page(text).words
    assert 'href="#gate"' in text


def _other_run(told: dict[str, Any]) -> None:
    told["run_id"] = "another"


def _newer(told: dict[str, Any]) -> None:
    told["schema"] = "genrec-eval/gate/9"


def _torn(told: dict[str, Any]) -> None:
    del told["rows"][0]["margin"]


@pytest.mark.parametrize(
    ("change", "said"),
    [(_other_run, "is about run another"), (_newer, "newer version"), (_torn, r"missing key 'margin'")],
)
def test_a_gate_that_is_not_this_run_s_ends_in_a_sentence(tmp_path: Path, change: Any, said: str) -> None:
    folder = write_run(tmp_path / "run")
    told = json.loads(json.dumps(gate_of(Results.load(folder).run).to_json(), default=str))
    change(told)
    (folder / "gate.json").write_text(json.dumps(told), "utf-8")
    with pytest.raises(UsageError, match=said) as caught:
        render_report(folder)
    assert "gate.json" in str(caught.value)
    assert "decide it again with 'genrec-eval gate'" in str(caught.value)


def test_a_group_like_the_rest_is_seldom_told_apart() -> None:
    draw = np.random.default_rng(5)
    told = []
    for _ in range(2000):
        scores = draw.normal(size=120)
        common = {"model": "m", "scenario": "s", "metric": "x", "attempted": 120, "answered": 120}
        rows = []
        for slice, part in (("all", scores), ("g=a", scores[:30])):
            half = 1.96 * part.std(ddof=1) / np.sqrt(len(part))
            value = float(part.mean())
            rows.append(
                Estimate(
                    **common,
                    definition="x",
                    slice=slice,
                    value=value,
                    low=value - half,
                    high=value + half,
                    interval="t",
                    n=len(part),
                    scored=len(part),
                    direction="higher",
                )
            )
        rest = rest_of(rows[1], rows[0])
        assert rest is not None
        assert rest.value == pytest.approx(scores[30:].mean())
        told.append(rest.p < 0.05)
    assert 0.03 < np.mean(told) < 0.075
