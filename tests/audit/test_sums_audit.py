"""Additive statistics through the audit: stored, read back, sliced, compared, and refused when wrong."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from fake_run import FakeRun

from genrec_eval.audit.estimate import estimate_run
from genrec_eval.audit.score import SCORES_FILE, StoredScores, score_run
from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.base import Definition, Metric, UnitScores

METRICS = """
import numpy as np
from genrec_eval.metrics.base import Definition, UnitScores, define

def hits(lists, k):
    found = np.array([
        len({*lists.items[row, :k].tolist()} & {*lists.truth[row].tolist()}) if lists.answered[row] else 0
        for row in range(len(lists))
    ], float)
    wanted = np.diff(lists.truth.offsets).astype(float)
    return found, wanted, ~np.asarray(lists.answered)

def text(name):
    return dict(name=name, title=name, summary=name, formula="sqrt(hits / wanted)", degenerate="", source="",
                direction="higher")

def rooted(sums, parameters):
    return np.sqrt(sums[..., 0] / sums[..., 1])

@define(Definition(**text("rooted"), combine=rooted))
def pooled(lists, *, k):
    found, wanted, lost = hits(lists, k)
    return UnitScores(values=np.sqrt(found / wanted), reasons={"unanswered": lost},
                      sums=np.stack([found, np.where(lost, np.nan, wanted)], axis=1))

@define(Definition(**text("fitted"), refit=lambda rows, counts, _: rooted(counts @ rows, _)))
def fitted(lists, *, k):
    return pooled.function(lists, k=k)

@define(Definition(**text("forgetful"), combine=rooted))
def forgetful(lists, *, k):
    return UnitScores(values=np.zeros(len(lists)))

@define(Definition(**text("broken"), combine=rooted))
def broken(lists, *, k):
    return UnitScores(values=np.zeros(len(lists)), sums=np.full((len(lists), 2), np.inf))
"""


@pytest.fixture
def played(tmp_path: Path, world: Dataset) -> FakeRun:
    return _played(tmp_path, world, "pooled", "fitted")


def _played(path: Path, world: Dataset, *names: str) -> FakeRun:
    (path / "rooted_metrics.py").write_text(METRICS)
    run = FakeRun(path, world, metrics=[f"{path}/rooted_metrics.py:{name}@5" for name in names])
    run.add("poor", 0.1)
    run.add("good", 0.8, lost={0: "timeout", 1: "not_attempted", 2: "unparsed"})
    return run


def test_value_interval_slices_and_differences(played: FakeRun) -> None:
    score_run(played)
    estimates = estimate_run(played)
    found = {(e.metric, e.model, e.slice, e.baseline): e for e in estimates}
    with StoredScores(played.path / SCORES_FILE) as stored:
        sums = {model: stored.get(model, "top-k", "rooted@5")[1].sums for model in ("poor", "good")}  # type: ignore[index]
        assert stored.get("poor", "top-k", "answered")[1].sums is None  # type: ignore[index]
    good, poor = found["rooted@5", "good", "all", None], found["rooted@5", "poor", "all", None]
    total = sums["good"].sum(axis=0)
    assert good.value == pytest.approx(math.sqrt(total[0] / total[1]))
    assert good.n == len(sums["good"]) - 2
    assert (sums["good"][:2] == 0).all()
    assert poor.high < good.low
    pair = found["rooted@5", "good", "all", "poor"]
    both = sums["poor"][sums["good"][:, 1] > 0].sum(axis=0)
    assert pair.value == pytest.approx(good.value - math.sqrt(both[0] / both[1]))
    assert pair.detectable is not None
    assert pair.p < 1e-6
    groups = np.array(played.cases("top-k").column("group.group").to_pylist())
    some = sums["poor"][groups == "B"].sum(axis=0)
    assert found["rooted@5", "poor", "group=B", None].value == pytest.approx(math.sqrt(some[0] / some[1]))
    for (metric, *where), estimate in found.items():
        if metric == "rooted@5":
            twin = found["fitted@5", *where]
            assert twin.value == (None if estimate.value is None else pytest.approx(estimate.value))
            if estimate.low is not None and estimate.n > 20:
                width = estimate.high - estimate.low
                assert (twin.low, twin.high) == pytest.approx((estimate.low, estimate.high), abs=0.1 * width)


def test_the_file_holds_statistics_of_scored_units_alone(played: FakeRun) -> None:
    score_run(played)
    table = pq.read_table(played.path / SCORES_FILE).to_pylist()
    rows = [row for row in table if row["model"] == "good" and row["metric"] == "rooted@5"]
    assert [row["sums"] for row in rows[:2]] == [None] * 2
    assert all(len(row["sums"]) == 2 for row in rows[2:])
    assert {row["reason"] for row in rows[:2]} == {"unanswered", "not-attempted"}


def test_repeats_and_cases_of_a_unit_add_up(tmp_path: Path, world: Dataset) -> None:
    run = _played(tmp_path, world, "pooled")
    once = {model: list(rows) for model, rows in run.rows.items()}
    score_run(run)
    before = estimate_run(run)
    for model, rows in once.items():
        run.rows[model] = rows + [(case, 1, status, items) for case, _, status, items in rows]
    score_run(run)
    after = estimate_run(run)
    assert [e.value for e in after] == pytest.approx([e.value for e in before], nan_ok=True)
    with StoredScores(run.path / SCORES_FILE) as stored:
        assert stored.get("poor", "top-k", "rooted@5")[1].sums[:, 1].min() >= 2  # type: ignore[index]


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("forgetful", "gave no additive statistics beside its values: the metric is at fault"),
        ("broken", "gave statistics that are no finite numbers for unit"),
    ],
)
def test_a_metric_at_fault_is_named(tmp_path: Path, world: Dataset, name: str, sentence: str) -> None:
    run = _played(tmp_path, world, name)
    with pytest.raises(UsageError, match=sentence):
        _audit(run)


def _audit(run: FakeRun) -> None:
    score_run(run)
    estimate_run(run)


def test_chunks_and_places_keep_the_statistics() -> None:
    parts = [UnitScores(values=np.ones(n), sums=np.full((n, 2), float(n))) for n in (1, 2)]
    joined = UnitScores.join(parts)
    assert joined.sums.tolist() == [[1, 1], [2, 2], [2, 2]]
    placed = joined.place(np.array([3, 0, 1]), 4, "missing")
    assert placed.sums.tolist() == [[2, 2], [2, 2], [0, 0], [1, 1]]
    assert UnitScores.join([parts[0], UnitScores(values=np.ones(1))]).sums is None


def test_parameters_reach_the_function() -> None:
    definition = Definition(
        name="m", title="", summary="", formula="", degenerate="", source="", direction="higher",
        combine=lambda sums, parameters: sums[..., 0] * parameters["scale"],
    )  # fmt: skip
    one = Metric(definition=definition, function=lambda lists: lists, k=None, parameters={"scale": 3.0})
    pooled = one.sample(UnitScores(values=np.zeros(2), sums=np.ones((2, 1)))).pooled
    assert pooled.combine(np.array([[2.0]])).tolist() == [6.0]
