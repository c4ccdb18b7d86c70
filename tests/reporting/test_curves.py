"""Curves by cutoff and by condition: every value at its place; two points are no course."""

from __future__ import annotations

import re

from genrec_eval.protocol.results import Estimate
from genrec_eval.reporting.curves import curves
from genrec_eval.reporting.results import Results


def estimate(metric: str, model: str, value: float | None) -> Estimate:
    known = value is not None
    return Estimate(
        model=model, scenario="s", metric=metric, definition=metric, value=value,
        low=value - 0.1 if known else None, high=value + 0.1 if known else None,
        interval="t" if known else None, reason=None if known else "no unit is scored",
        n=9, attempted=9, answered=9, scored=9, direction="higher",
    )  # fmt: skip


def read(rows: list[Estimate]) -> Results:
    return Results.read({"run": "r", "estimates": [row.to_json() for row in rows]})


def drawn(rows: list[Estimate]) -> list[tuple[str, str, int, int]]:
    """Title, what varies, markers, lines with a course."""
    found = curves(read(rows), "s", ["a", "b"])
    return [
        (c.title, c.along, str(c.drawing).count("<use"), len(re.findall(r'class="c" d="M', str(c.drawing))))
        for c in found
    ]


def test_a_metric_at_three_cutoffs_is_a_curve() -> None:
    rows = [estimate(f"ndcg@{k}", model, k / 100) for model in "ab" for k in (10, 5, 20)]
    assert drawn(rows) == [("ndcg", "k", 6, 2)]
    assert drawn(rows[:2]) == []


def test_a_condition_is_a_curve_and_what_is_no_number_stands_apart() -> None:
    values = ("settled", "10", "2", "0")
    rows = [estimate(f"ndcg(since={value})@10", "a", 0.3) for value in values]
    assert drawn(rows) == [("ndcg@10", "since", 4, 1)]
    (curve,) = curves(read(rows), "s", ["a"])
    labels = re.findall(r'text-anchor="middle">([^<]*)</text>', str(curve.drawing))
    assert labels == ["0", "2", "10", "settled", "since"]
    path = re.search(r'class="c" d="([^"]*)"', str(curve.drawing))
    assert path is not None
    assert path[1].count("L") == 2


def test_a_missing_value_leaves_a_gap_and_hostile_names_do_nothing() -> None:
    rows = [estimate(f"ndcg@{k}", "a", None if k == 5 else 0.5) for k in (1, 5, 10, 20)]
    assert drawn(rows) == [("ndcg", "k", 3, 1)]
    hostile = [estimate(f"<script>({k}=<b>)@{k}", "a", 0.5) for k in (1, 5, 10)]
    for curve in curves(read(hostile), "s", ["a"]):
        assert "<script>" not in str(curve.drawing)
