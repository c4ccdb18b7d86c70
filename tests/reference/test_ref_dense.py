"""Lists from dense scores: right at ties, the same in any block."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.reference import lists
from genrec_eval.reference.dense import STEP, exact_product, largest, top_lists


@st.composite
def asked(draw):
    """(scores[n, m] with many ties, counts, histories, k, candidates or None)."""
    n, m = draw(st.integers(1, 5)), draw(st.integers(1, 9))
    item = st.integers(0, m - 1)
    values = st.sampled_from([-1.0, 0.0, 0.5, 0.5 + STEP / 8, 2.0, -np.inf])
    scores = draw(st.lists(st.lists(values, min_size=m, max_size=m), min_size=n, max_size=n))
    counts = draw(st.lists(st.integers(0, 3), min_size=m, max_size=m))
    rows = st.lists(st.lists(item | st.just(-1), max_size=6), min_size=n, max_size=n)
    return np.array(scores), np.array(counts), draw(rows), draw(st.integers(1, m)), draw(st.none() | rows)


@given(world=asked(), cells=st.sampled_from([1, 10, 1 << 23]))
def test_lists_are_ordered_by_score_then_popularity_then_code(training_of, batch_of, world, cells):
    scores, counts, histories, k, candidates = world
    training = training_of([[]], len(counts))
    batch = batch_of(training, histories, k, candidates)
    before, lists.CELLS = lists.CELLS, cells
    try:
        items, given_scores = top_lists(lambda rows: scores[rows].astype(np.float32), batch, k, counts)
    finally:
        lists.CELLS = before
    for row in range(len(scores)):
        rounded = {j: np.rint(scores[row, j] / STEP) for j in range(len(counts))}
        pool = range(len(counts)) if candidates is None else set(candidates[row]) - {-1}
        pool = [j for j in pool if j not in histories[row] and rounded[j] > -np.inf]
        wanted = sorted(pool, key=lambda j: (-rounded[j], -counts[j], j))[:k]
        assert items[row].tolist() == wanted + [-1] * (k - len(wanted))
        shown = given_scores[row, : len(wanted)]
        assert shown == pytest.approx([rounded[j] * STEP for j in wanted], abs=STEP)
        falls = [rounded[a] > rounded[b] or counts[a] > counts[b] for a, b in itertools.pairwise(wanted)]
        assert (np.diff(shown) < 0).tolist() == falls
        assert not given_scores[row, len(wanted) :].any()


def test_many_ties_at_the_edge_of_a_long_row():
    keys = np.zeros((2, 50_000))
    keys[0, -1] = 1
    rows, columns = largest(keys, 3)
    assert rows.tolist() == [0, 0, 0, 1, 1, 1]
    assert columns.tolist() == [0, 1, 49_999, 0, 1, 2]


def test_scores_that_are_not_numbers_get_a_sentence(training_of, batch_of):
    batch = batch_of(training_of([[]], 3), [[]], 2)
    with pytest.raises(UsageError, match="its training has diverged; lower the learning rate"):
        top_lists(lambda rows: np.array([[0.0, np.nan, 1.0]]), batch, 2, np.zeros(3, np.int64))


def test_exact_products_do_not_depend_on_the_block_or_the_order_of_dimensions():
    random = np.random.default_rng(3)
    left, right = random.normal(size=(37, 65)) * 3, random.normal(size=(211, 65)).astype(np.float32)
    left[5] = 0
    whole = exact_product(left, right)
    assert whole == pytest.approx(left @ right.T, rel=1e-4, abs=1e-4)
    for start in range(37):
        assert np.array_equal(exact_product(left[start : start + 3], right), whole[start : start + 3])
    order = random.permutation(65)
    assert np.array_equal(exact_product(left[:, order], right[:, order]), whole)
