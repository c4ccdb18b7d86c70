"""Stored records become arrays: joined by id, in any order, nothing repaired."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Vocabulary
from genrec_eval.protocol.status import UNANSWERED, Status
from genrec_eval.protocol.tables import RECORDS
from genrec_eval.scenarios.ranking.records import RecordReader, list_column, ragged

ITEMS = Vocabulary(["a", "b", "c", "d"])
CASES = pa.array(["u0", "u1", "u2"])


def batch(rows: list[tuple[str, int, str, list[str | None] | None]]) -> pa.RecordBatch:
    """Records with the columns that scoring reads, typed as on disk."""
    case, repeat, status, items = zip(*rows, strict=True) if rows else ((), (), (), ())
    return pa.record_batch(
        {
            "case": pa.array(case, pa.string()),
            "repeat": pa.array(repeat, pa.int16()),
            "status": pa.array(status, pa.string()).cast(RECORDS.field("status").type),
            "items": pa.array(items, RECORDS.field("items").type),
        }
    )


def read(records: list[pa.RecordBatch], k: int = 3) -> tuple[dict[tuple[int, int], list[int]], RecordReader]:
    reader = RecordReader(CASES, ITEMS, k)
    found = {}
    for repeat, chunk in reader.read(records):
        found.update(
            {(repeat, int(row)): items.tolist() for row, items in zip(chunk.rows, chunk.items, strict=True)}
        )
    return found, reader


def test_lists_are_joined_by_id_and_padded() -> None:
    found, reader = read([batch([("u2", 0, "ok", ["d", "a"]), ("u0", 0, "ok", ["b", "c", "a", "d"])])])
    assert found == {(0, 2): [3, 0, -1], (0, 0): [1, 2, 0]}
    assert reader.attempted.tolist() == reader.answered.tolist() == [True, False, True]


def test_unknown_ids_are_equal_when_their_text_is_and_nulls_never_are() -> None:
    found, _ = read([batch([("u0", 0, "ok", ["x", "a", "x"])]), batch([("u1", 0, "ok", ["y", "x", None])])])
    x, _, again = found[0, 0]
    y, x_later, null = found[0, 1]
    assert x == again == x_later
    assert len({x, y, null}) == 3
    assert max(x, y, null) <= -2
    nulls, _ = read([batch([("u0", 0, "ok", [None, None, "a"])])])
    assert len(set(nulls[0, 0])) == 3


@pytest.mark.parametrize("status", list(Status))
def test_what_each_status_leaves(status: Status) -> None:
    found, reader = read([batch([("u1", 0, str(status), ["a", "b"]), ("u2", 0, "ok", ["c"])])])
    if status is Status.NOT_ATTEMPTED:
        assert (0, 1) not in found
        assert not reader.attempted[1]
        return
    kept = status in (Status.OK, Status.TRUNCATED)
    assert found[0, 1] == ([0, 1, -1] if kept else [-1, -1, -1])
    assert found[0, 2] == [2, -1, -1]
    assert reader.attempted[1]
    assert reader.answered[1] == (status not in UNANSWERED)


def test_a_record_of_another_run_is_refused() -> None:
    with pytest.raises(UsageError, match="case 'stranger', which is not in the case table"):
        read([batch([("stranger", 0, "ok", ["a"])])])


@pytest.mark.parametrize("apart", [True, False])
def test_two_records_of_one_case_and_repeat_are_refused(apart: bool) -> None:
    rows = [("u1", 0, "ok", ["a"]), ("u1", 0, "ok", ["b"])]
    batches = [batch([row]) for row in rows] if apart else [batch(rows)]
    with pytest.raises(UsageError, match="case 'u1' has two records of repeat 0"):
        read(batches)
    read([batch([("u1", 0, "ok", ["a"]), ("u1", 1, "ok", ["b"])])])


def test_an_unknown_status_is_refused() -> None:
    with pytest.raises(UsageError, match="case 'u1' has the unknown status 'splendid'"):
        read([batch([("u1", 0, "splendid", ["a"])])])


def test_dictionary_encoded_items_read_the_same() -> None:
    plain = batch([("u0", 0, "ok", ["a", "x", "b"]), ("u1", 0, "error", ["a"]), ("u2", 0, "ok", [None, "c"])])
    coded = pa.ListArray.from_arrays(plain["items"].offsets, plain["items"].values.dictionary_encode())
    assert read([plain])[0] == read([plain.set_column(3, "items", coded)])[0]


@given(
    st.lists(st.lists(st.sampled_from(["a", "b", "c", "d", "x", "y"]), max_size=6), min_size=3, max_size=3),
    st.permutations(range(3)),
    st.integers(1, 4),
    st.integers(1, 5),
)
def test_order_and_batches_change_nothing(
    lists: list[list[str]], order: list[int], size: int, k: int
) -> None:
    rows = [(f"u{i}", 0, "ok", items) for i, items in enumerate(lists)]
    straight, _ = read([batch(rows)], k)
    shuffled = [rows[i] for i in order]
    cut, _ = read([batch(shuffled[i : i + size]) for i in range(0, 3, size)], k)
    known = {(key, j): code for key, items in straight.items() for j, code in enumerate(items) if code >= -1}
    assert known == {
        (key, j): code for key, items in cut.items() for j, code in enumerate(items) if code >= -1
    }
    for (_, row), items in cut.items():
        names = lists[row][:k]
        assert [ITEMS.strings[c] if c >= 0 else None for c in items[: len(names)]] == [
            name if name in "abcd" else None for name in names
        ]
        assert (np.array(items[len(names) :]) == -1).all()


@given(st.lists(st.lists(st.integers(0, 9), max_size=4), max_size=5))
def test_list_columns_round_trip_also_when_sliced(lists: list[list[int]]) -> None:
    column = pa.chunked_array([pa.array([[7, 7], *lists], pa.list_(pa.int32())).slice(1)])
    read_back = ragged(column)
    assert [row.tolist() for row in read_back] == lists
    assert list_column(read_back).to_pylist() == lists
