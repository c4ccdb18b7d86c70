"""Instances that changed status or crossed between nothing and something, with both answers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from made_run import made, scores, source

import genrec_eval
from genrec_eval.audit.comparing.answers import MOST_TEXT
from genrec_eval.audit.comparing.compare import compare
from genrec_eval.audit.comparing.flips import side
from genrec_eval.audit.comparing.types import Comparison
from genrec_eval.core.errors import UsageError

NDCG, HIT = "ndcg@10", "hit_rate@10"


def counted(found: Comparison) -> dict[tuple[str | None, str], int]:
    return {(row["metric"], row["kind"]): row["count"] for row in found.flip_counts}


def test_scores_that_cross_nothing_flip_and_the_largest_come_first(tmp_path: Path) -> None:
    before = [0.0, 0.0, 0.4, 0.9, 0.5, 0.0, 0.3]
    after = [0.2, 0.7, 0.0, 0.0, 0.6, 0.0, np.nan]
    a = made(tmp_path / "a", {"m": {NDCG: scores(before), "recall@10": scores(after)}})
    b = made(tmp_path / "b", {"m": {NDCG: scores(after), "recall@10": scores(before)}})
    found = compare(source(b), source(a))
    assert counted(found) == {(NDCG, "lost"): 2, (NDCG, "gained"): 2}
    assert [(one.case, one.kind) for one in found.flips] == [
        ("u0003", "lost"),
        ("u0001", "gained"),
        ("u0002", "lost"),
        ("u0000", "gained"),
    ]
    first = found.flips[0]
    assert (first.unit, first.metric) == ("u0003", NDCG)
    assert (first.reference.value, first.candidate.value) == (0.9, 0.0)
    assert first.reference.items == ("m-a", "3")
    assert first.candidate.items == ("m-b", "3")


def test_statuses_flip_by_case_lost_answers_first_and_all_changes_are_counted(tmp_path: Path) -> None:
    same = scores(np.ones(6))
    a = made(
        tmp_path / "a", {"m": {NDCG: same}}, statuses={"m": ["timeout", "ok", "ok", "ok", "refused", "ok"]}
    )
    b = made(tmp_path / "b", {"m": {NDCG: same}}, statuses={"m": ["ok", "ok", "error", "error", "ok", "ok"]})
    found = compare(source(b), source(a))
    (row,) = found.flip_counts
    assert (row["kind"], row["metric"], row["count"]) == ("status", None, 4)
    assert row["changes"] == {"ok → error": 2, "timeout → ok": 1, "refused → ok": 1}
    assert [one.case for one in found.flips] == ["u0002", "u0003", "u0000", "u0004"]
    assert (found.flips[0].reference.status, found.flips[0].candidate.status) == ("ok", "error")


def test_only_the_first_are_kept_and_the_same_units_are_shown_once(tmp_path: Path) -> None:
    before, after = scores(np.zeros(30)), scores(np.ones(30))
    a = made(tmp_path / "a", {"m": {NDCG: before, HIT: before}})
    b = made(tmp_path / "b", {"m": {NDCG: after, HIT: after}})
    found = compare(source(b), source(a), shown=5)
    assert counted(found) == {(NDCG, "gained"): 30, (HIT, "gained"): 30}
    assert [row.get("as") for row in found.flip_counts] == [None, NDCG]
    assert {one.metric for one in found.flips} == {NDCG}
    assert len(found.flips) == 5


def test_a_hostile_answer_stays_text_and_a_long_one_is_cut(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: scores([0.0, 1.0])}})
    b = made(tmp_path / "b", {"m": {NDCG: scores([1.0, 1.0])}})
    file = next((b / "records").glob("*.parquet"))
    table = pq.read_table(file)
    said = "<script>{{7*7}}</script>" + "x" * 1_000_000
    texts = pa.array([said, None], pa.string())
    pq.write_table(table.set_column(table.column_names.index("text"), "text", texts), file)
    text = compare(source(b), source(a)).flips[0].candidate.text
    assert text is not None
    assert text.startswith("<script>{{7*7}}</script>xxx")
    assert text.endswith(f"[… {len(said) - MOST_TEXT:,} more characters]")


def test_missing_records_are_a_sentence(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: scores([0.0, 1.0])}})
    b = made(tmp_path / "b", {"m": {NDCG: scores([1.0, 1.0])}})
    next((b / "records").glob("*.parquet")).unlink()
    with pytest.raises(UsageError, match="the records of 'm' in 'top-k' are missing"):
        compare(source(b), source(a))


def test_sides_of_nothing() -> None:
    assert side((0.0, 1.0), np.array([0.0, 0.1])).tolist() == [0, 1]
    assert side((0.0, None), np.array([0.0, 0.1])).tolist() == [0, 1]
    assert side((-1.0, 1.0), np.array([-0.5, 0.0, 0.5])).tolist() == [-1, 0, 1]
    assert side((None, None), np.array([-0.5, 0.5])).tolist() == [-1, 1]
    assert side((1.0, 5.0), np.array([1.0, 3.0, 3.5])).tolist() == [0, 0, 1]


def test_repeats_flip_by_what_most_of_them_say(tmp_path: Path) -> None:
    a = made(tmp_path / "a", {"m": {NDCG: scores([1.0, 1.0])}})
    b = made(tmp_path / "b", {"m": {NDCG: scores([1.0, 1.0])}})
    file = next((b / "records").glob("*.parquet"))
    once = pq.read_table(file)

    def repeat(number: int, statuses: list[str]) -> pa.Table:
        column = pa.array(statuses).cast(once.schema.field("status").type)
        numbered = once.set_column(once.column_names.index("status"), "status", column)
        repeats = pa.array([number] * len(once), pa.int16())
        return numbered.set_column(once.column_names.index("repeat"), "repeat", repeats)

    parts = [repeat(0, ["ok", "ok"]), repeat(1, ["error", "ok"]), repeat(2, ["error", "error"])]
    pq.write_table(pa.concat_tables(part.cast(once.schema) for part in parts), file)
    found = compare(source(b), source(a))
    assert [one.case for one in found.flips] == ["u0000"]


def test_really_played_flips_show_both_lists(played: tuple[Path, Path]) -> None:
    found = genrec_eval.compare(*played)
    flip = next(one for one in found.flips if one.metric == NDCG)
    for path, side_of in zip(played, (flip.reference, flip.candidate), strict=True):
        records = genrec_eval.load_run(path).records("knn", "top-k")
        assert list(side_of.items) == list(records[records.case == flip.case]["items"].item())
    frames = [
        genrec_eval.load_run(path).scores.query("metric == 'ndcg@10' and model == 'knn'") for path in played
    ]
    old, new = (frame.set_index("unit").value for frame in frames)
    assert counted(found)[NDCG, "lost"] == int(((old > 0) & (new.reindex(old.index) == 0)).sum())
    assert counted(found)[NDCG, "gained"] == int(((old == 0) & (new.reindex(old.index) > 0)).sum())
