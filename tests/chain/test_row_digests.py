"""Row digests: the recipe by hand, and what does and does not count."""

from __future__ import annotations

import hashlib
import math
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from chain_tools import encode, head
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol import row_digests as module
from genrec_eval.protocol.row_digests import row_digests


def slow(table: pa.Table, names: list[Any] | None = None) -> list[bytes]:
    start = head(table.column_names if names is None else names)
    return [hashlib.sha256(start + encode(list(row.values()))).digest() for row in table.to_pylist()]


def fast(table: pa.Table | pa.RecordBatch) -> list[bytes]:
    return [row.tobytes() for row in row_digests(table)]


def test_one_row_by_hand() -> None:
    names = hashlib.sha256(b'genrec-eval/row/1\n["case","n"]').digest()
    row = b"\x05" + (2).to_bytes(8, "little") + b"\x02" + (3).to_bytes(8, "little") + "é".encode()
    assert fast(pa.table({"case": ["é"], "n": [3]})) == [hashlib.sha256(names + row).digest()]
    # an on-disk contract: this digest never changes while the recipe has this number
    assert module.RECIPE == 1
    assert fast(pa.table({"case": ["u1"], "items": [["a", None]], "value": [0.5]}))[0].hex() == PINNED


PINNED = "45b1a075fbea75ebfc482a6bdba53fb9420a87cdf692c334e9e988a11f4c5f1c"

TEXT = st.one_of(st.none(), st.text(max_size=5))
WHOLE = st.one_of(st.none(), st.integers(-(2**63), 2**63 - 1))
NUMBER = st.one_of(st.none(), st.floats())
ROWS = st.lists(
    st.tuples(
        TEXT,
        WHOLE,
        NUMBER,
        st.one_of(st.none(), st.booleans()),
        st.one_of(st.none(), st.integers(0, 2**64 - 1)),
        st.one_of(st.none(), st.binary(max_size=4)),
        st.one_of(st.none(), st.lists(TEXT, max_size=3)),
        st.one_of(st.none(), st.lists(NUMBER, max_size=3)),
        st.one_of(st.none(), st.lists(st.one_of(st.none(), st.lists(TEXT, max_size=2)), max_size=2)),
        st.one_of(st.none(), st.fixed_dictionaries({"k": WHOLE, "v": TEXT})),
        st.one_of(st.none(), st.lists(st.one_of(st.none(), st.fixed_dictionaries({"q": TEXT})), max_size=2)),
    ),
    max_size=6,
)
KINDS = [
    pa.string(),
    pa.int64(),
    pa.float64(),
    pa.bool_(),
    pa.uint64(),
    pa.binary(),
    pa.list_(pa.string()),
    pa.list_(pa.float64()),
    pa.list_(pa.list_(pa.string())),
    pa.struct([("k", pa.int64()), ("v", pa.string())]),
    pa.list_(pa.struct([("q", pa.string())])),
]
NAMES: list[Any] = [f"c{i}" for i in range(9)] + [["c9", ["k", "v"]], ["c10", ["q"]]]


@settings(max_examples=50)
@given(ROWS, st.integers(0, 3))
def test_any_rows_as_the_recipe_says_and_slices_of_them(rows: list[Any], start: int) -> None:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(KINDS)
    arrays = [pa.array(column, kind) for column, kind in zip(columns, KINDS, strict=True)]
    table = pa.table(arrays, names=[f"c{i}" for i in range(len(KINDS))])
    by_hand = slow(table, NAMES)
    assert fast(table) == by_hand
    assert fast(table.slice(start)) == by_hand[start:]
    assert fast(table.take(np.arange(len(rows))[::-1])) == by_hand[::-1]


def test_encodings_do_not_count(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = pa.table(
        {
            "a": ["x", None, "y"] * 40,
            "n": pa.array([1, 2, None] * 40, pa.int64()),
            "l": [["p"], [], None] * 40,
        }
    )
    known = fast(plain)
    coded = plain.set_column(0, "a", plain["a"].dictionary_encode())
    narrow = plain.set_column(1, "n", plain["n"].cast(pa.int8()))
    large = plain.set_column(0, "a", plain["a"].cast(pa.large_string()))
    lists = plain.set_column(2, "l", plain["l"].cast(pa.large_list(pa.large_string())))
    chunks = pa.concat_tables([plain.slice(0, 7), plain.slice(7)])
    for other in (coded, narrow, large, lists, chunks, plain.combine_chunks().to_batches()[0]):
        assert fast(other) == known
    for how in ("zstd", "none"):
        pq.write_table(coded, tmp_path / "t.parquet", compression=how, row_group_size=11)
        assert fast(pq.read_table(tmp_path / "t.parquet")) == known
    monkeypatch.setattr(module, "HELD", 64)  # as a table of long texts is cut
    assert fast(plain) == known
    single = plain.set_column(1, "n", plain["n"].cast(pa.float32()))
    assert fast(single) == fast(single.set_column(1, "n", single["n"].cast(pa.float64())))


def test_values_names_and_order_count() -> None:
    base = {"a": ["x"], "b": ["y"]}
    others = [
        {"a": ["x"], "c": ["y"]},
        {"b": ["y"], "a": ["x"]},
        {"a": ["xy"], "b": [""]},
        {"a": [""], "b": ["xy"]},
        {"a": [None], "b": ["y"]},
        {"a": ["x"], "b": [None]},
        {"a": ["x"]},
        {"a": ["x"], "b": [["y"]]},
        {"a": ["x"], "b": [[]]},
        {"a": ["x"], "b": [b"y"]},
        {"a": ["x"], "b": [1]},
        {"a": ["x"], "b": [1.0]},
        {"a": ["x"], "b": [True]},
        {"a": ["x"], "b": [0.0]},
        {"a": ["x"], "b": [-0.0]},
        {"a": ["x"], "b": [math.nan]},
    ]
    found = [fast(pa.table(one))[0] for one in (base, *others)]
    assert len(set(found)) == len(found)


def test_what_lies_beneath_nulls_does_not_count() -> None:
    hidden = pa.Array.from_buffers(
        pa.string(),
        2,
        [pa.py_buffer(b"\x01"), pa.py_buffer(np.array([0, 1, 9], np.int32)), pa.py_buffer(b"asecret!!")],
    )
    assert hidden.to_pylist() == ["a", None]
    assert fast(pa.table({"t": hidden})) == fast(pa.table({"t": ["a", None]}))
    lists = pa.ListArray.from_arrays(
        pa.array([0, 1, 3], pa.int32()), pa.array(["p", "q", "r"]), mask=pa.array([False, True])
    )
    assert fast(pa.table({"t": lists})) == fast(pa.table({"t": [["p"], None]}))
    odd = np.array([0x7FF8000000000001, 0xFFF8000000000000], np.uint64).view(np.float64)
    assert len(set(fast(pa.table({"t": odd})))) == 1


def test_no_rows_no_columns_and_types_that_have_no_digest() -> None:
    assert row_digests(pa.table({"a": pa.array([], pa.string())})).shape == (0, 32)
    empty = pa.table({"a": [1, 2]}).select([])
    assert fast(empty) == [hashlib.sha256(head([])).digest()] * 2
    assert fast(pa.table({"d": pa.array([1], pa.int32()).cast(pa.date32())})) == fast(
        pa.table({"d": ["1970-01-02"]})
    )
    pairs = pa.array([[("a", 1)]], pa.map_(pa.string(), pa.int64()))
    with pytest.raises(UsageError, match=r"column 'm' .* cannot be hashed"):
        row_digests(pa.table({"m": pairs}))
