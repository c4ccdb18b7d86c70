"""Prints of rows: equal for equal values, however they are stored, and for nothing else."""

from __future__ import annotations

import datetime

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.protocol.row_prints import row_prints

plain = st.one_of(st.none(), st.text(max_size=5))
rows = st.lists(
    st.tuples(plain, st.lists(plain, max_size=3) | st.none(), st.floats() | st.none()), max_size=8
)


def table(found: list[tuple]) -> pa.Table:  # type: ignore[type-arg]
    kinds = {"a": pa.string(), "b": pa.list_(pa.string()), "c": pa.float64()}
    return pa.table(
        {name: pa.array([row[i] for row in found], kind) for i, (name, kind) in enumerate(kinds.items())}
    )


@given(rows)
def test_rows_are_told_apart_exactly_by_their_values(found: list[tuple]) -> None:  # type: ignore[type-arg]
    prints = row_prints(table(found)).tolist()
    values = [repr(tuple(0.0 if part == 0 else part for part in row)) for row in found]
    for i, one in enumerate(values):
        for j, other in enumerate(values):
            assert (one == other) is (prints[i] == prints[j])


@given(rows)
def test_neither_chunks_nor_dictionaries_nor_order_of_columns_count(found: list[tuple]) -> None:  # type: ignore[type-arg]
    whole = table(found)
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    coded = whole.set_column(0, "a", whole["a"].dictionary_encode()).select(["c", "b", "a"])
    lists = whole["b"].combine_chunks()
    inside = pa.ListArray.from_arrays(
        lists.offsets, lists.values.dictionary_encode(), mask=lists.is_null() if lists.null_count else None
    )
    nested = whole.set_column(1, "b", inside)
    for other in (pieces, coded, nested):
        assert row_prints(other).tolist() == row_prints(whole).tolist()


def test_names_order_and_place_count() -> None:
    one = pa.table({"a": ["x"], "b": ["y"]})
    assert row_prints(one)[0] != row_prints(pa.table({"a": ["y"], "b": ["x"]}))[0]
    assert row_prints(one)[0] != row_prints(one.rename_columns(["a", "c"]))[0]
    lists = [["x", "y"], ["y", "x"], ["x", "y", None], ["x"], [], None, ["xy"]]
    assert len(set(row_prints(pa.table({"a": lists})).tolist())) == len(lists)


@pytest.mark.parametrize("kind", [pa.int8(), pa.int16(), pa.int64()])
def test_the_width_of_whole_numbers_does_not_count(kind: pa.DataType) -> None:
    assert (
        row_prints(pa.table({"a": pa.array([3, None], kind)})).tolist()
        == row_prints(pa.table({"a": pa.array([3, None], pa.int32())})).tolist()
    )


def test_rare_kinds_and_no_rows() -> None:
    days = pa.table({"a": [datetime.date(2026, 1, 1), datetime.date(2026, 1, 2), None]})
    assert len(set(row_prints(days).tolist())) == 3
    structs = pa.table({"a": [{"x": 1}, {"x": 2}]})
    assert len(set(row_prints(structs).tolist())) == 2
    assert row_prints(pa.table({"a": pa.nulls(2)}))[0] == row_prints(pa.table({"a": pa.nulls(1)}))[0]
    assert len(row_prints(days.slice(0, 0))) == 0


def test_a_million_rows_have_a_million_prints() -> None:
    prints = row_prints(pa.table({"a": np.arange(200_000), "b": np.zeros(200_000)}))
    assert len(np.unique(prints)) == 200_000
