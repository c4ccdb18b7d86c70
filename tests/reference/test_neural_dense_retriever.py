"""The dense retriever: nearest in text, with and without towers, the same in any chunking."""

from __future__ import annotations

import dataclasses
import sys

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.histories import latest, windows

N = 30


@pytest.fixture(scope="module")
def training(training_of):
    random = np.random.default_rng(0)
    words = [f"{'pen' if item < 15 else 'desk'} {random.integers(0, 9)} kind{item % 5}" for item in range(N)]
    histories = [[(user + 7 * step) % N for step in range(6)] for user in range(60)]
    made = training_of(histories, N)
    return dataclasses.replace(made, item_table=made.item_table.append_column("title", pa.array(words)))


def fitted(training, seed: int = 0, **options):
    made = REFERENCE.get("dense-retriever")
    return made(training, made.Options(**options), seed=seed)


@pytest.mark.parametrize(("user", "read"), [("mean", 50), ("mean", 2), ("last", 1)])
def test_lists_are_ordered_by_the_cosine_with_the_history(training, batch_of, user, read):
    model = fitted(training, user=user, max_length=max(read, 2))
    histories = [[0, 1, 2], [20, -1, 3], [16, 17, 18, 19]]
    ranked = model.rank(batch_of(training, histories, N))
    vectors = model.vectors
    for row, history in enumerate(histories):
        items = [item for item in ranked.items[row].tolist() if item >= 0]
        assert sorted(items) == sorted(set(range(N)) - set(history))
        mean = vectors[[item for item in history if item >= 0][-read:]].mean(axis=0)
        cosines = vectors[items] @ mean / np.linalg.norm(mean)
        assert ranked.scores[row, : len(items)] == pytest.approx(cosines, abs=1e-5)


def test_history_that_says_nothing_gets_popular_items(training, batch_of):
    popular = REFERENCE.get("popularity")(training).rank(batch_of(training, [[], [-1]], 5)).items
    assert np.array_equal(fitted(training).rank(batch_of(training, [[], [-1]], 5)).items, popular)


def test_untrained_needs_no_torch_and_towers_say_so(training, monkeypatch):
    monkeypatch.setitem(sys.modules, "torch", None)
    fitted(training)
    with pytest.raises(
        UsageError, match=r"'dense-retriever' needs torch.*pip install 'genrec-eval\[torch\]'"
    ):
        fitted(training, towers="bi-encoder")


@pytest.mark.parametrize("towers", ["none", "bi-encoder"])
def test_chunks_and_runs_give_the_same_lists(training, batch_of, towers):
    if towers != "none":
        pytest.importorskip("torch")
    random = np.random.default_rng(3)
    histories = [random.integers(-1, N, random.integers(0, 8)).tolist() for _ in range(200)]
    model = fitted(training, towers=towers, epochs=2)
    whole = model.rank(batch_of(training, histories, 10))
    again = fitted(training, towers=towers, epochs=2).rank(batch_of(training, histories, 10))
    assert np.array_equal(again.scores, whole.scores)
    for cut in (1, 90):
        parts = [
            model.rank(batch_of(training, histories[start:stop], 10, first=start))
            for start, stop in ((0, cut), (cut, 200))
        ]
        assert np.array_equal(np.concatenate([part.items for part in parts]), whole.items)
        assert np.array_equal(np.concatenate([part.scores for part in parts]), whole.scores)


def test_towers_learn_that_desks_follow_pens(training_of, batch_of):
    pytest.importorskip("torch")
    random = np.random.default_rng(1)
    texts = [f"{'pen' if item < 15 else 'desk'} size{item % 15}" for item in range(N)]
    histories = [[pen := int(random.integers(14)), pen + 15] for _ in range(150)]  # item 29 is never had
    made = training_of(histories, N)
    training = dataclasses.replace(made, item_table=made.item_table.append_column("title", pa.array(texts)))
    asked = [[pen] for pen in range(15)]
    plain = fitted(training).rank(batch_of(training, asked, 5)).items
    learnt = fitted(training, towers="bi-encoder", epochs=30, learning_rate=0.02)
    found = learnt.rank(batch_of(training, asked, 5)).items
    assert np.mean(plain < 15) > 0.7
    assert np.mean(found[:14] >= 15) > 0.9


def test_windows_cover_every_step_of_long_histories():
    from genrec_eval.protocol.arrays import Ragged

    random = np.random.default_rng(0)
    histories = Ragged.from_lists([list(range(random.integers(0, 30))) for _ in range(50)])
    for width in (2, 3, 7, 40):
        rows, cut = windows(histories, width)
        foreseen = [[] for _ in range(50)]
        for row, window in zip(rows.tolist(), cut.tolist(), strict=True):
            filled = [item for item in window if item >= 0]
            assert window[len(window) - len(filled) :] == filled
            assert filled == list(range(filled[0], filled[0] + len(filled)))
            foreseen[row] += filled[1:]
        assert [sorted(row) for row in foreseen] == [list(range(1, n)) for n in histories.lengths.tolist()]
        assert latest(histories, width).shape == (50, width)
