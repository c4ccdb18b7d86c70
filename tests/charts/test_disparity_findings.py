"""What less disparity costs is told where paired differences bear it out, and nowhere else."""

from __future__ import annotations

from charted import claim, ranked, results, scene

from genrec_eval.reporting.charts.tradeoff import disparity, tradeoff

GAP = "exposure_gap(target=train)@10"


def test_a_cost_is_told_where_both_differences_are_told_apart() -> None:
    rows = [
        *ranked("ndcg@10", {"knn": 0.30, "fair": 0.20}, half=0.01),
        *ranked(GAP, {"knn": 0.50, "fair": 0.10}, half=0.01, direction="lower"),
    ]
    found = disparity(scene(results(rows)))
    assert found is not None
    assert found.kind == "disparity"
    assert found.title.startswith("fair loses 0.10")
    assert "ndcg@10 to knn and has 0.40" in found.title
    assert found.title.endswith(f"less {GAP}")
    assert len(found.panels) == 1
    assert len(found.rows) == 2


def test_what_cannot_be_told_apart_costs_nothing_that_could_be_told() -> None:
    rows = [
        *ranked("ndcg@10", {"knn": 0.30, "fair": 0.29}, half=0.5),
        *ranked(GAP, {"knn": 0.50, "fair": 0.10}, half=0.01, direction="lower"),
    ]
    found = disparity(scene(results(rows)))
    assert found is not None
    assert found.title == (
        f"What less {GAP} costs in ndcg@10 cannot be told: no two models on the front are told apart on both"
    )


def test_who_is_ahead_on_both_is_no_exchange() -> None:
    rows = [
        *ranked("ndcg@10", {"a": 0.30, "b": 0.10}, half=0.01),
        *ranked(GAP, {"a": 0.10, "b": 0.50}, half=0.01, direction="lower"),
    ]
    found = disparity(scene(results(rows)))
    assert found is not None
    assert found.title.startswith("a has both the best ndcg@10")
    assert "b is dominated beyond chance" in found.method


def test_who_leads_on_both_by_chance_is_said_to() -> None:
    rows = [
        *ranked("ndcg@10", {"a": 0.30, "b": 0.29}, half=0.5),
        *ranked(GAP, {"a": 0.10, "b": 0.50}, half=0.01, direction="lower"),
    ]
    found = disparity(scene(results(rows)))
    assert found is not None
    assert "a leads on both as measured, but not on both beyond chance" in found.title


def test_at_most_two_disparities_and_claimed_ones_first() -> None:
    values = {"a": 0.3, "b": 0.1}
    rows = ranked("ndcg@10", values)
    for name in ("group_gap(by=sex)@10", GAP, "snsr_excess@10", "differential_fairness(by=sex)@10"):
        rows += ranked(name, values, direction="lower")
    verdicts = [claim("differential_fairness(by=sex)@10")]
    found = disparity(scene(results(rows, verdicts=verdicts)))
    assert found is not None
    assert [row[0] for row in found.rows][::2] == [
        "differential_fairness(by=sex)@10",
        "group_gap(by=sex)@10",
    ]


def test_a_gap_is_no_utility() -> None:
    rows = [*ranked("group_gap(by=sex)@10", {"a": 0.3, "b": 0.1}, direction="lower")]
    rows += ranked("coverage@10", {"a": 0.3, "b": 0.1})
    assert disparity(scene(results(rows))) is None
    assert tradeoff(scene(results(rows))) is None
