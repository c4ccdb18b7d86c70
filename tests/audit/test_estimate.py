"""Scores and estimates: counts that add up, pairs by id, slices, the same bytes again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fake_run import FakeRun, K
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from genrec_eval.audit.audit import audit_run
from genrec_eval.audit.estimate import estimate_run, pairs_of
from genrec_eval.audit.score import ANSWERED, StoredScores, score_run
from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.base import UnitScores
from genrec_eval.protocol.results import Estimate
from genrec_eval.protocol.status import Status
from genrec_eval.protocol.tables import SCORES
from genrec_eval.scenarios.base import ScoredUnits
from genrec_eval.scenarios.top_k import TopK


def by_key(estimates: list[Estimate]) -> dict[tuple[str, str, str, str | None], Estimate]:
    return {(e.metric, e.model, e.slice, e.baseline): e for e in estimates}


@pytest.fixture
def run(tmp_path: Path, world: Dataset) -> FakeRun:
    made = FakeRun(tmp_path, world)
    made.add("poor", 0.1)
    made.add("good", 0.8, lost={0: "timeout", 1: "not_attempted", 2: "unparsed"})
    return made


def test_scores_are_stored_as_declared(run: FakeRun) -> None:
    score_run(run)
    table = pq.read_table(run.path / "scores.parquet")
    assert table.schema.equals(SCORES)
    values, reasons = table.column("value"), table.column("reason")
    of_units = table.column("unit").is_valid().to_numpy(zero_copy_only=False)
    without = values.is_null().to_numpy(zero_copy_only=False)
    assert (reasons.is_valid().to_numpy(zero_copy_only=False) == without)[of_units].all()
    with StoredScores(run.path / "scores.parquet") as stored:
        assert stored.metrics("good", "top-k")[0] == f"ndcg@{K}"
        units, coverage = stored.get("good", "top-k", f"coverage@{K}")  # type: ignore[misc]
        assert units.equals(run.cases("top-k").column("unit").combine_chunks())
        assert coverage.total is not None
        assert coverage.reach is not None
        answered = stored.get("good", "top-k", ANSWERED)
        assert answered is not None
        assert answered[1].values[:3].tolist() == [0.0, 0.0, 1.0]
        assert answered[1].reasons["not-attempted"][:3].tolist() == [False, True, False]
        assert stored.get("good", "top-k", "ndcg@99") is None


def test_the_four_counts(run: FakeRun) -> None:
    score_run(run)
    found = by_key(estimate_run(run))
    n = len(run.cases("top-k"))
    ndcg = found[f"ndcg@{K}", "good", "all", None]
    assert (ndcg.attempted, ndcg.answered, ndcg.scored, ndcg.n) == (n, n - 2, n - 1, n - 1)
    assert ndcg.excluded == {"not-attempted": 1}
    invalid = found[f"invalid@{K}", "good", "all", None]
    assert invalid.excluded == {"empty-list": 1, "not-attempted": 1, "unanswered": 1}
    pair = found[f"ndcg@{K}", "good", "all", "poor"]
    assert (pair.attempted, pair.answered, pair.scored) == (n, n - 2, n - 1)
    assert pair.excluded == {"not-attempted": 1}
    assert pair.value is not None
    assert pair.value > 0.3
    assert ndcg.definition.startswith("ndcg(discount=log2,gain=linear,ideal=k,")


@settings(max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.dictionaries(st.integers(0, 60), st.sampled_from([str(s) for s in Status])), min_size=2, max_size=3
    )
)
def test_what_is_attempted_is_scored_or_excluded(
    tmp_path: Path, world: Dataset, lost: list[dict[int, str]]
) -> None:
    run = FakeRun(tmp_path, world, metrics=["recall"])
    for i, statuses in enumerate(lost):
        run.add(f"model-{i}", 0.5, lost=statuses)
    score_run(run)
    for estimate in estimate_run(run):
        assert estimate.attempted == estimate.scored + sum(estimate.excluded.values())
        assert estimate.answered <= estimate.attempted
        assert (estimate.value is None) <= (estimate.reason is not None)
        if estimate.low is not None:
            assert estimate.value is not None
            assert estimate.high is not None
            assert estimate.low <= estimate.value <= estimate.high


def test_slices_add_up_and_small_ones_have_no_value(run: FakeRun) -> None:
    score_run(run)
    found = estimate_run(run)
    whole = by_key(found)[f"recall@{K}", "poor", "all", None]
    groups = [
        e for e in found if e.metric == f"recall@{K}" and e.model == "poor" and e.slice.startswith("group=")
    ]
    assert [e.slice for e in groups] == ["group=A", "group=B", "group=C"]
    assert sum(e.attempted for e in groups) == whole.attempted
    small = [e for e in found if e.slice != "all" and e.n < 5]
    assert {"group=C"} <= {e.slice for e in small}
    for estimate in small:
        assert (estimate.value, estimate.low, estimate.high) == (None, None, None)
        assert (estimate.reason or "").startswith("fewer than 5 units")
    table = pq.read_table(run.path / "scores.parquet").to_pandas()
    values = table[(table["metric"] == f"recall@{K}") & (table["model"] == "poor")].set_index("unit")["value"]
    of_group = run.cases("top-k").to_pandas().set_index("unit")["group.group"]
    for estimate in groups[:2]:
        mean = values[of_group == estimate.slice.removeprefix("group=")].mean()
        assert estimate.value == pytest.approx(mean)
    assert not [e for e in found if e.slice != "all" and e.metric == f"coverage@{K}"]


def test_ranges_are_in_the_order_of_their_numbers(run: FakeRun) -> None:
    score_run(run)
    slices = dict.fromkeys(e.slice for e in estimate_run(run) if e.slice.startswith("history="))
    known = [f"history={name}" for name in ("none", "1-9", "10-49", "50+")]
    assert list(slices) == [name for name in known if name in slices]
    assert len(slices) > 1


def test_rows_follow_the_suite(run: FakeRun) -> None:
    score_run(run)
    found = estimate_run(run)
    assert list(dict.fromkeys(e.metric for e in found))[:2] == [f"ndcg@{K}", f"recall@{K}"]
    first = [(e.model, e.baseline) for e in found if e.metric == f"ndcg@{K}" and e.slice == "all"]
    assert first == [("poor", None), ("good", None), ("good", "poor")]


def test_the_difference_is_paired_by_unit_id(run: FakeRun) -> None:
    """Against plain numpy over units matched by name; and the interval is the paired one."""
    score_run(run)
    table = pq.read_table(run.path / "scores.parquet").to_pandas()
    table = table[table["metric"] == f"ndcg@{K}"].set_index("unit")
    good, poor = (table[table["model"] == name]["value"] for name in ("good", "poor"))
    difference = (good - poor).dropna()
    pair = by_key(estimate_run(run))[f"ndcg@{K}", "good", "all", "poor"]
    assert pair.value == pytest.approx(difference.mean())
    assert pair.n == len(difference)
    half = 1.96 * difference.std() / np.sqrt(len(difference))
    assert pair.low == pytest.approx(difference.mean() - half, abs=0.25 * half)
    assert pair.high == pytest.approx(difference.mean() + half, abs=0.25 * half)


def test_the_same_tables_give_the_same_bytes(run: FakeRun, tmp_path: Path) -> None:
    files = [run.path / name for name in ("scores.parquet", "estimates.json")]
    audit_run(run)
    first = [file.read_bytes() for file in files]
    for rows in run.rows.values():
        rows.reverse()  # arrival order is no content
    audit_run(run)
    assert [file.read_bytes() for file in files] == first
    assert sorted(path.name for path in run.path.iterdir()) == ["estimates.json", "scores.parquet"]


def test_another_model_changes_no_number(tmp_path: Path, world: Dataset) -> None:
    runs = [FakeRun(tmp_path / name, world) for name in ("two", "three")]
    found = []
    for run in runs:
        run.path.mkdir()
        run.add("poor", 0.1)
        run.add("good", 0.8)
        if run is runs[1]:
            run.add("third", 0.5, lost={3: "error"})
        score_run(run)
        rows = by_key(estimate_run(run))
        # the adjustment alone is for the number of comparisons
        found.append({key: replace(row, p_adjusted=None, adjustment=None) for key, row in rows.items()})
    assert found[0].items() <= found[1].items()


def test_pairs() -> None:
    claims: list[dict[str, Any]] = [
        {"scenario": "s", "model": "m9", "against": "m3", "slice": "age=9"},
        {"scenario": "elsewhere", "model": "m9", "against": "m4"},
    ]
    many = [f"m{i}" for i in range(10)]
    assert pairs_of({"baseline": "b"}, "s", ["a", "b", "c"]) == [
        ("a", "b", "all"), ("c", "b", "all"), ("c", "a", "all"),
    ]  # fmt: skip
    assert len(pairs_of({}, "s", many[:8])) == 28
    assert pairs_of({"claims": claims}, "s", many) == [("m9", "m3", "all"), ("m9", "m3", "age=9")]
    assert len(pairs_of({"claims": claims, "baseline": "m0"}, "s", many)) == 9 + 2


def test_a_metric_that_gives_nan_is_named(run: FakeRun, monkeypatch: pytest.MonkeyPatch) -> None:
    def score(self: TopK, cases: pa.Table, *_: object) -> ScoredUnits:
        n = len(cases)
        units = cases.column("unit").combine_chunks()
        flags = np.ones(n, bool)
        return ScoredUnits(
            units=units,
            scores={"mine": UnitScores(values=np.full(n, np.nan))},
            groups={},
            attempted=flags,
            answered=flags,
        )

    monkeypatch.setattr(TopK, "score", score)
    with pytest.raises(UsageError, match=r"metric 'mine' gave nan for unit '.*' of 'poor' in 'top-k'"):
        score_run(run)
    assert not list(run.path.iterdir())


def test_a_file_that_is_no_table_of_scores_is_refused(run: FakeRun) -> None:
    path = run.path / "scores.parquet"
    for content in (b"", b"PAR1 but no"):
        path.write_bytes(content)
        with pytest.raises(UsageError, match=r"scores.parquet is no table of scores"):
            estimate_run(run)
    path.unlink()
    with pytest.raises(UsageError, match="is no table of scores"):
        estimate_run(run)
