"""Numbers behind drawings against computations of another kind."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from charted import estimate, results, scene
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.randomness import generator
from genrec_eval.engine.records import part_name, write_part
from genrec_eval.protocol.tables import RECORDS
from genrec_eval.reporting.charts.calibration import BINS, bins
from genrec_eval.reporting.charts.pareto import dominators, front
from genrec_eval.reporting.charts.spread import spread
from genrec_eval.reporting.charts.timing import cost, latency, mean_interval, percentile, timed
from genrec_eval.reporting.distributions import BARS, Distribution

points = st.lists(st.tuples(st.integers(-3, 3), st.integers(-3, 3)), max_size=12)


def _dominates(one: tuple[int, int], other: tuple[int, int]) -> bool:
    return one != other and one[0] >= other[0] and one[1] >= other[1]


@given(points)
def test_the_front_is_who_nobody_dominates(places: list[tuple[int, int]]) -> None:
    first, second = [a for a, _ in places], [b for _, b in places]
    expected = [not any(_dominates(other, one) for other in places) for one in places]
    assert front(first, second).tolist() == expected
    above = [[j for j, other in enumerate(places) if _dominates(other, one)] for one in places]
    assert dominators(first, second) == above


def test_bins_against_loops() -> None:
    draw = generator(5, "calibration test")
    users = draw.integers(0, 40, 500)
    predicted = np.round(draw.uniform(1, 5, 500), 2)
    observed = np.clip(np.round(predicted + draw.normal(size=500)), 1, 5)
    found = bins(predicted, observed, users)
    assert len(found) == BINS
    assert sum(one.n for one in found) == 500
    order = sorted(range(500), key=lambda i: predicted[i])
    start = 0
    for one in found:
        rows = order[start : start + one.n]
        start += one.n
        mean = sum(observed[i] for i in rows) / len(rows)
        by_user: dict[int, float] = {}
        for i in rows:
            by_user[users[i]] = by_user.get(users[i], 0.0) + observed[i] - mean
        g = len(by_user)
        error = math.sqrt(g / (g - 1) * sum(s * s for s in by_user.values())) / len(rows)
        assert one.observed == pytest.approx(mean)
        assert one.predicted == pytest.approx(sum(predicted[i] for i in rows) / len(rows))
        assert one.high is not None
        assert one.low is not None
        # Student's t lies between the normal value and that of few degrees of freedom
        assert 1.959 * error < one.high - mean < 2.2 * error
        assert one.high - mean == pytest.approx(mean - one.low)


@settings(max_examples=60)
@given(st.lists(st.sampled_from([1.0, 1.5, 2.0, 4.0]), min_size=1, max_size=60))
def test_equal_predictions_are_never_parted(values: list[float]) -> None:
    predicted = np.array(values)
    found = bins(predicted, predicted, np.arange(len(values)))
    assert sum(one.n for one in found) == len(values)
    assert [one.predicted for one in found] == sorted(one.predicted for one in found)
    edges = np.cumsum([one.n for one in found])[:-1]
    ranked = np.sort(predicted)
    assert all(ranked[i - 1] < ranked[i] for i in edges)
    assert bins(np.empty(0), np.empty(0), np.empty(0, np.int64)) == []


def _at_most(r: int, n: int, share: float) -> float:
    return sum(math.comb(n, j) * share**j * (1 - share) ** (n - j) for j in range(r + 1))


@pytest.mark.parametrize(("n", "share"), [(20, 0.5), (100, 0.5), (100, 0.95), (400, 0.99)])
def test_ranks_hold_a_percentile_as_often_as_they_say(n: int, share: float) -> None:
    times = np.arange(1.0, n + 1)
    value, found = percentile(times, share)
    assert value == pytest.approx(np.quantile(times, share))
    if found is None:
        assert 1 - share**n < 0.975  # too few lie beyond it for any rank to do
        return
    low, high = round(found[0]), round(found[1])
    # the low-th smallest value is at most the percentile, and the high-th at least
    inside = _at_most(high - 1, n, share) - _at_most(low - 1, n, share)
    assert inside >= 0.95
    assert _at_most(high - 2, n, share) < 0.975
    assert _at_most(low, n, share) > 0.025


def test_a_mean_has_students_interval() -> None:
    mean, low, high = mean_interval(np.array([1.0, 2, 3, 4, 5]))
    half = 2.776445 * math.sqrt(2.5) / math.sqrt(5)
    assert (mean, low, high) == pytest.approx((3, 3 - half, 3 + half), abs=1e-5)
    assert mean_interval(np.array([2.0])) == (2.0, None, None)


def _records(rows: list[dict[str, Any]], directory: Path, model: str) -> None:
    table = pa.Table.from_pylist(
        [{"model": model, "scenario": "s", "status": "ok", **row} for row in rows], RECORDS
    )
    (directory / "records").mkdir(exist_ok=True)
    write_part(directory / "records" / part_name(model, "s", 0), table)


def test_latency_and_cost_count_each_exchange_once(tmp_path: Path) -> None:
    rows = [
        {"case": f"c{i}", "unit": f"u{i // 2}", "key": f"k{i}", "sent": 10.0, "end": 10.1 + i, "cost": 0.5}
        for i in range(4)
    ]
    rows += [dict(rows[0]), {"case": "x", "unit": "u9", "key": None, "sent": 1.0, "end": 99.0}]
    _records(rows, tmp_path, "a")
    read = results([estimate("ndcg@10", model, 0.1) for model in "ab"])
    run = {"play": [{"model": m, "scenario": "s", "latency": {"p50": 1} if m == "a" else None} for m in "ab"]}
    part = scene(read, tmp_path, run)
    held = timed(part)
    assert list(held) == ["a"]
    assert held["a"].latency == pytest.approx([0.1, 1.1, 2.1, 3.1])
    assert held["a"].cost == pytest.approx([1.0, 1.0])
    shown, spent = latency(part, held), cost(part, held)
    assert shown is not None
    assert shown.title == "95 % of the exchanges with a end within 2.95 s"
    assert shown.rows[0][:3] == ("a", "4", "1.6 s")
    assert spent is not None
    assert spent.title == "The mean cost of a unit is $1.00 with a"
    assert spent.rows == [("a", "2", "$1.00", "$1.00", "$1.00", "$2.00")]


def test_a_run_that_was_not_timed_has_neither(tmp_path: Path) -> None:
    part = scene(
        results([estimate("ndcg@10", "a", 0.1)]), tmp_path, {"play": [{"model": "a", "scenario": "s"}]}
    )
    held = timed(part)
    assert held == {}
    assert latency(part, held) is cost(part, held) is None


def test_bars_are_the_histogram() -> None:
    values = generator(3, "spread test").beta(2, 5, 400)
    counts, edges = np.histogram(values, BARS, (0, 1))
    quartiles = tuple(np.quantile(values, [0.25, 0.5, 0.75]).tolist())
    one = Distribution(400, float(values.mean()), 0, 0, 0.0, 1.0, tuple((counts / 400).tolist()), quartiles)
    read = results([estimate("ndcg@10", "a", float(values.mean()))])
    found = spread(scene(read), {("a", "s", "ndcg@10"): one})
    assert found is not None
    boxes = next(rows for kind, rows, _ in found.panels[0].layers if kind == "boxes")
    heights = np.array([box["y"] - box["y2"] for box in boxes])
    assert heights / heights.max() == pytest.approx(counts[counts > 0] / counts.max())
    assert [box["x"] for box in boxes] == pytest.approx(edges[:-1][counts > 0])
    assert found.rows[0][4:] == tuple(f"{q:.2f}" for q in quartiles)


def test_what_is_not_spread_is_said_and_not_drawn() -> None:
    read = results([estimate(metric, "a", 0.5) for metric in ("flag", "whole", "same")])
    shares = (0.0,) * BARS
    held = {
        ("a", "s", "flag"): Distribution(4, 0.5, 2, 2, 0.0, 1.0, shares, (0.0, 0.5, 1.0)),
        ("a", "s", "whole"): Distribution(4, 0.9, 0, 0, 0.0, 1.0, shares, (0.1, 0.5, 0.6)),
        ("a", "s", "same"): Distribution(4, 0.5, 0, 0, 0.5, 0.5, shares, (0.5, 0.5, 0.5)),
    }
    assert spread(scene(read), held) is None
