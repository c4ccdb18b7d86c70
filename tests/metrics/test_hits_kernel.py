"""The shared kernel: marks found by stamping equal marks found by looking."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from ranked import N_ITEMS, User, arrays, populations

import genrec_eval.metrics.hits as kernel
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.hits import Marks, members, repeats
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import Ragged

ids = st.sampled_from([-3, -2, -1, 0, 1, 5])
matrices = st.integers(0, 6).flatmap(
    lambda width: st.lists(st.lists(ids, min_size=width, max_size=width), max_size=6).map(
        lambda rows: np.array(rows, np.int32).reshape(len(rows), width)
    )
)


def places(marks: Marks) -> list[tuple[int, int]]:
    return list(zip(marks.rows.tolist(), marks.ranks.tolist(), strict=True))


@given(items=matrices)
def test_repeats(items: np.ndarray) -> None:
    want = [
        (row, rank)
        for row, listed in enumerate(items.tolist())
        for rank, item in enumerate(listed)
        if item != -1 and item in listed[:rank]
    ]
    assert places(repeats(items)) == want


@given(population=populations)
def test_hits_and_seen(population: list[User]) -> None:
    lists = arrays(population, N_ITEMS)
    shown = [user.listed if user.answered else [] for user in population]
    assert places(lists.seen) == [
        (row, rank)
        for row, user in enumerate(population)
        for rank, item in enumerate(shown[row])
        if item in user.history
    ]
    assert places(lists.hits) == [
        (row, rank)
        for row, user in enumerate(population)
        for rank, item in enumerate(shown[row])
        if item in user.relevant and item not in shown[row][:rank]
    ]


@pytest.mark.parametrize("n_items", [3, 1000, 70_000, 5_000_000])
def test_blocks_and_large_catalogues(n_items: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Block edges and huge tables change nothing; checked by a different algorithm."""
    rng = np.random.default_rng(n_items)
    n, width = 500, 7
    items = rng.integers(-3, n_items, (n, width)).astype(np.int32)
    lengths = rng.integers(0, 9, n)
    sets = Ragged.group(np.repeat(np.arange(n), lengths), rng.integers(0, n_items, lengths.sum()), n)
    planted = rng.random((n, width)) < 0.3
    for row in np.flatnonzero(sets.lengths > 0):
        items[row, planted[row]] = rng.choice(sets[row], planted[row].sum())
    keys = np.repeat(np.arange(n), sets.lengths) * n_items + sets.values
    want = np.isin(np.arange(n)[:, None] * n_items + items, keys) & (items >= 0)
    assert places(members(items, sets, n_items)) == places(Marks.of(want))
    monkeypatch.setattr(kernel, "_TABLE", 1)
    monkeypatch.setattr(kernel, "_LARGEST", 4 * n_items)
    assert places(members(items, sets, n_items)) == places(Marks.of(want))


def test_sums_over_marks() -> None:
    marks = Marks.of(np.array([[True, False, True], [False, False, False], [False, True, True]]))
    assert marks.counts(2).tolist() == [1, 0, 1]
    assert marks.counts(50).tolist() == [2, 0, 2]
    assert marks.sums(np.array([1.0, 0.5])).tolist() == [1.0, 0.0, 0.5]
    assert marks.nth().tolist() == [1, 2, 1, 2]


def test_code_outside_the_catalogue_is_refused() -> None:
    with pytest.raises(ValueError, match="item code 20 is outside the catalogue of 20"):
        arrays([User([20], [1])], n_items=20)


def test_rows_that_do_not_match_are_refused() -> None:
    with pytest.raises(ValueError, match="truth has 1 rows for 2 lists"):
        RankedLists(
            items=np.zeros((2, 1), np.int32),
            truth=Ragged.from_lists([[1]]),
            history=Ragged.from_lists([[], []]),
            answered=np.ones(2, bool),
            catalogue=Catalogue(train_counts=np.zeros(3, np.int64)),
        )


def test_hole_in_a_list_is_refused() -> None:
    lists = arrays([User([1, -1, 2], [1])])
    with pytest.raises(ValueError, match="empty slot before its end"):
        _ = lists.lengths
