"""Findings say what the numbers support and no more; tables hold the numbers that are drawn."""

from __future__ import annotations

import pytest
from charted import claim, estimate, ranked, results, scene

from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.charts.chart import exactly
from genrec_eval.reporting.charts.choose import MOST, main_metrics
from genrec_eval.reporting.charts.curves import curves, families
from genrec_eval.reporting.charts.forest import forest, paired
from genrec_eval.reporting.charts.panel import Panel
from genrec_eval.reporting.charts.reliability import reliability
from genrec_eval.reporting.charts.tradeoff import tradeoff
from genrec_eval.reporting.tables import matrix


def test_the_best_is_who_the_paired_differences_call_best() -> None:
    found = forest(scene(results(ranked("ndcg@10", {"a": 0.1, "b": 0.3, "c": 0.2}))))
    assert found is not None
    assert found.title == "b is best on ndcg@10"


def test_a_tie_is_shared() -> None:
    found = forest(scene(results(ranked("ndcg@10", {"a": 0.31, "b": 0.3, "c": 0.1}))))
    assert found is not None
    assert found.title == "a and b are ahead on ndcg@10 and cannot be told apart"


def test_all_tied_is_no_best() -> None:
    rows = [*ranked("ndcg@10", {"a": 0.31, "b": 0.3}), *ranked("recall@10", {"a": 0.1, "b": 0.9})]
    found = forest(scene(results(rows)))
    assert found is not None
    assert found.title == "No model is shown to be best on ndcg@10; b is best on recall@10"


def test_lower_is_better_where_the_metric_says_so() -> None:
    found = forest(scene(results(ranked("rmse", {"a": 0.5, "b": 0.9}, direction="lower"))))
    assert found is not None
    assert found.title == "a is best on rmse"


def test_one_model_reaches_its_figure() -> None:
    found = forest(scene(results([estimate("ndcg@10", "a", 0.3)], {"ndcg@10": "share"})))
    assert found is not None
    assert found.title == "a reaches 30 ± 5 % in ndcg@10"


def test_a_metric_without_a_better_side_has_a_range() -> None:
    rows = ranked("length", {"a": 10.0, "b": 30.0}, half=1.0, direction="none")
    found = forest(scene(results(rows)))
    assert found is not None
    assert found.title == "length runs from 10.0 ± 1.0 (a) to 30.0 ± 1.0 (b)"


@pytest.mark.parametrize(
    "rows", [[], [estimate("ndcg@10", "a", None)], [estimate("ndcg@10", "a", 0.2, None)]]
)
def test_what_has_no_interval_is_not_drawn(rows: list[Estimate]) -> None:
    empty = scene(results(rows))
    assert forest(empty) is paired(empty) is tradeoff(empty) is None
    assert curves(empty) == reliability(empty) == []


def test_a_model_without_an_interval_stands_in_the_table_with_its_reason() -> None:
    found = forest(scene(results([estimate("ndcg@10", "a", 0.2), estimate("ndcg@10", "b", None)])))
    assert found is not None
    assert [row[1] for row in found.rows] == ["a", "b"]
    assert "no unit is scored" in found.rows[1]


def test_tables_hold_the_numbers_of_the_estimates() -> None:
    rows = ranked("ndcg@10", {"a": 0.123456, "b": 0.234567, "c": 0.2})
    read = results(rows, {"ndcg@10": "share"})
    drawn, apart = forest(scene(read)), paired(scene(read))
    assert drawn is not None
    assert apart is not None
    whole = [row for row in rows if row.baseline is None]
    assert [row[2:5] for row in drawn.rows] == [_figures(row) for row in whole]
    pairs = [row for row in rows if row.baseline is not None]
    assert [row[2:5] for row in apart.rows] == [_figures(row) for row in pairs]
    assert [row[1] for row in apart.rows] == [f"{row.model} − {row.baseline}" for row in pairs]


def _figures(row: Estimate) -> tuple[str, ...]:
    return tuple(exactly(value, "share") for value in (row.value, row.low, row.high))


def test_differences_are_counted_after_the_adjustment() -> None:
    found = paired(scene(results(ranked("ndcg@10", {"a": 0.1, "b": 0.12, "c": 0.4}))))
    assert found is not None
    assert found.title == "Of the paired differences 2 of 3 in ndcg@10 are clear of zero"
    assert [row[-1] for row in found.rows] == ["no", "yes", "yes"]


def test_many_pairs_are_those_with_the_leader() -> None:
    values = {f"m{i}": 0.1 * i for i in range(7)}
    found = paired(scene(results(ranked("ndcg@10", values, half=0.01))))
    assert found is not None
    assert len(found.rows) == 6
    assert all("m6" in row[1] for row in found.rows)
    assert "15 pairs more" in found.method


def test_sixty_metrics_make_no_sixty_panels() -> None:
    rows = [estimate(f"metric{i}@10", model, 0.01 * i) for i in range(60) for model in "ab"]
    read = results(rows, verdicts=[claim(f"metric{i}@10") for i in range(20, 40)])
    assert main_metrics(read, "s") == [f"metric{i}@10" for i in range(20, 20 + MOST)]
    found = forest(scene(read))
    assert found is not None
    assert len(found.panels) == MOST
    assert "all 60 metrics stand in the tables" in found.method


def test_claims_come_first_and_checks_of_lists_last() -> None:
    rows = [estimate(m, "a", 0.1) for m in ("duplicate@10", "ndcg@5", "ndcg@10", "recall@10", "mrr@10")]
    assert main_metrics(results(rows), "s") == ["ndcg@5", "recall@10"]
    assert main_metrics(results(rows, verdicts=[claim("mrr@10")]), "s") == ["ndcg@5", "mrr@10"]
    assert main_metrics(results(rows[:1]), "s") == ["duplicate@10"]


def test_a_dominated_model_is_hollow_only_beyond_chance() -> None:
    rows = [
        *ranked("ndcg@10", {"a": 0.1, "b": 0.3, "c": 0.29}),
        *ranked("coverage@10", {"a": 0.2, "b": 0.5, "c": 0.49}, direction="none"),
    ]
    found = tradeoff(scene(results(rows)))
    assert found is not None
    assert found.title == "On ndcg@10 together with coverage@10 a is dominated beyond chance"
    assert [row[-1] for row in found.rows] == [
        "dominated by b and c",
        "on the front",
        "dominated by b, not beyond chance",
    ]
    assert "More coverage@10 is read as the better side" in found.method


def test_models_that_pull_apart_dominate_nobody() -> None:
    rows = [
        *ranked("ndcg@10", {"a": 0.1, "b": 0.3}),
        *ranked("popularity@10", {"a": 0.2, "b": 0.5}, direction="none"),
    ]
    found = tradeoff(scene(results(rows)))
    assert found is not None
    assert found.title == "On ndcg@10 together with popularity@10 no model is dominated beyond chance"


def test_a_metric_at_three_cutoffs_is_a_curve() -> None:
    rows = [row for k in (10, 5, 20) for row in ranked(f"ndcg@{k}", {"a": 0.1 + k / 100, "b": k / 100})]
    (found,) = curves(scene(results(rows)))
    assert found.title == "a is best on ndcg at every k shown"
    assert [row[2] for row in found.rows] == ["5", "10", "20"] * 2
    assert curves(scene(results([row for row in rows if row.metric != "ndcg@5"]))) == []


def test_a_condition_is_a_curve_and_what_is_no_number_stands_apart() -> None:
    rows = [estimate(f"ndcg(since={value})@10", "a", 0.3) for value in ("settled", "10", "2", "0")]
    (found,) = curves(scene(results(rows)))
    assert [row[2] for row in found.rows] == ["0", "2", "10", "settled"]
    (panel,) = found.panels
    paths = next(rows_ for kind, rows_, _ in panel.layers if kind == "paths")
    assert [row["x"] for row in paths] == [0, 1, 2]
    assert found.title == "ndcg@10 of a goes from 0.3000 to 0.3000 over since 0 to 10"


def test_a_gap_is_not_joined_over() -> None:
    rows = [estimate(f"ndcg@{k}", "a", None if k == 5 else 0.5) for k in (1, 2, 5, 10, 20)]
    ((_, _, members),) = families(scene(results(rows)))
    assert len(members) == 5
    (found,) = curves(scene(results(rows)))
    paths = next(held for kind, held, _ in found.panels[0].layers if kind == "paths")
    assert [len([row for row in paths if row["g"] == g]) for g in dict.fromkeys(r["g"] for r in paths)] == [
        2,
        2,
    ]


def test_judges_that_are_tested_have_their_reliability_drawn() -> None:
    rows = [*ranked("ndcg@10", {"a": 0.1, "b": 0.3}), *ranked("recall@10", {"a": 0.1, "b": 0.3})]
    rows += ranked("position_consistency", {"a": 0.4, "b": 0.9})
    (found,) = reliability(scene(results(rows, {"position_consistency": "share"})))
    assert found.title == "position_consistency from 40 ± 5 % (a) to 90 ± 5 % (b)"
    assert [row[1:3] for row in found.rows] == [("a", "40.00"), ("b", "90.00")]


def uprights(panel: Panel) -> list[tuple[float, list[int]]]:
    """Where dashed lines stand, and in which rows."""
    found = [rows for kind, rows, mark in panel.layers if kind == "spans" and mark.get("strokeDash")]
    return [(rows[0]["x"], [round((row["y"] + row["y2"]) / 2) for row in rows]) for rows in found]


def test_a_margin_stands_in_the_rows_of_the_models_that_it_binds() -> None:
    one = claim("m", "b", rule="at_least", margin=0.3)
    both = [claim("m", model, rule="at_most", margin=0.9) for model in ("a", "b")]
    drawing = scene(results(ranked("m", {"a": 0.2, "b": 0.5}), verdicts=[one, *both]))
    found = forest(drawing)
    assert found is not None
    assert uprights(found.panels[0]) == [(0.3, [1]), (0.9, [0, 1])]
    names = [row["t"] for kind, rows, _ in found.panels[0].layers if kind == "words" for row in rows]
    assert "b at least 0.3" in names
    assert "at most 0.9" in names


def test_a_margin_between_two_models_stands_in_their_row_on_its_side() -> None:
    """Stored is b minus a, and claimed is a against b."""
    one = claim("m", "a", rule="better_by", margin=0.1, baseline="b")
    drawing = scene(results(ranked("m", {"a": 0.2, "b": 0.5, "c": 0.9}), verdicts=[one]))
    found = paired(drawing)
    assert found is not None
    assert uprights(found.panels[0]) == [(-0.1, [0])]


def test_the_matrix_draws_a_margin_beside_the_model_that_it_binds() -> None:
    one = claim("m", "b", rule="at_least", margin=0.3)
    read = results(ranked("m", {"a": 0.2, "b": 0.5}), verdicts=[one])
    (table,) = matrix(read, "s", ["m"], read.models())
    ruled = {row.name: 'class="r"' in cell.drawing for row in table.lines for cell in row.cells if cell}
    assert ruled == {"a": False, "b": True}
