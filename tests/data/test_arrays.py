from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.protocol import arrays
from genrec_eval.protocol.arrays import Ragged, Vocabulary, stable_order

lists = st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=12)


@given(lists)
def test_ragged_keeps_the_lists(rows: list[list[int]]) -> None:
    ragged = Ragged.from_lists(rows)
    assert len(ragged) == len(rows)
    assert [ragged[i].tolist() for i in range(len(rows))] == rows
    assert ragged.lengths.tolist() == [len(row) for row in rows]


@given(lists.filter(bool), st.data())
def test_take_is_indexing(rows: list[list[int]], data: st.DataObject) -> None:
    picked = data.draw(st.lists(st.integers(0, len(rows) - 1), max_size=20))
    taken = Ragged.from_lists(rows).take(np.array(picked, np.int64))
    assert [taken[i].tolist() for i in range(len(taken))] == [rows[i] for i in picked]


@given(st.lists(st.tuples(st.integers(0, 9), st.integers(0, 99)), max_size=60))
def test_group_keeps_the_order_within_a_key(pairs: list[tuple[int, int]]) -> None:
    keys = np.array([key for key, _ in pairs], np.int32)
    values = np.array([value for _, value in pairs], np.int32)
    grouped = Ragged.group(keys, values, 10)
    assert len(grouped) == 10
    for key in range(10):
        assert grouped[key].tolist() == [value for k, value in pairs if k == key]


@given(st.lists(st.integers(-(2**62), 2**62), max_size=50) | st.lists(st.integers(-3, 3), max_size=200))
def test_stable_order_is_a_stable_argsort(keys: list[int]) -> None:
    array = np.array(keys, np.int64)
    assert stable_order(array).tolist() == np.argsort(array, kind="stable").tolist()


@given(st.lists(st.text(max_size=5), unique=True, max_size=20), st.lists(st.text(max_size=5), max_size=20))
def test_vocabulary_encodes_what_it_knows(known: list[str], asked: list[str]) -> None:
    vocabulary = Vocabulary(known)
    codes = vocabulary.encode(pa.array(asked, pa.string()))
    assert codes.dtype == np.int32
    assert codes.tolist() == [known.index(word) if word in known else -1 for word in asked]
    assert vocabulary.decode(codes).to_pylist() == [word if word in known else None for word in asked]


def test_vocabulary_encodes_nulls_dictionaries_and_chunks() -> None:
    vocabulary = Vocabulary(["a", "b", "c"])
    column = pa.chunked_array([["c", None], ["x", "a"]])
    assert vocabulary.encode(column).tolist() == [2, -1, -1, 0]
    assert vocabulary.encode(column.dictionary_encode()).tolist() == [2, -1, -1, 0]
    assert Vocabulary(pa.chunked_array([["a"], ["b"]])).strings == ["a", "b"]


words = st.text("ab\x00é", max_size=4)


@given(
    st.lists(words, unique=True, min_size=1, max_size=20),
    st.lists(st.none() | words, max_size=20),
    st.integers(0, 5),
    st.sampled_from([arrays.fingerprints, lambda ids: np.zeros(len(ids), np.uint64)]),
)
def test_a_few_ids_are_found_in_a_large_vocabulary(
    known: list[str], asked: list[str | None], skipped: int, prints: Callable[..., object]
) -> None:
    with patch.object(arrays, "_FEW", 0), patch.object(arrays, "fingerprints", prints):
        vocabulary = Vocabulary(pa.array(["?", *known]).slice(1))
        codes = vocabulary.encode(pa.array([*["a"] * skipped, *asked], pa.string()).slice(skipped))
    assert codes.dtype == np.int32
    assert codes.tolist() == [known.index(word) if word in known else -1 for word in asked]


def test_fingerprints_of_many_ids_are_distinct() -> None:
    ids = pa.array([f"user-{n}" for n in range(200_000)])
    prints = arrays.fingerprints(ids)
    assert len(np.unique(prints)) == len(ids)
    assert arrays.fingerprints(ids.slice(65_535, 3)).tolist() == prints[65_535:65_538].tolist()


def test_a_vocabulary_lists_its_ids_in_the_order_of_their_codes() -> None:
    assert list(Vocabulary(["b", "a"])) == ["b", "a"]
