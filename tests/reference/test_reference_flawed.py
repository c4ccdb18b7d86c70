"""Planted flaws: exactly the stated share, at every cutoff."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged, Vocabulary
from genrec_eval.reference.base import REFERENCE

CUTOFFS = (1, 3, 5, 7, 10, 20)


def planted(name, training, batch, share):
    made = REFERENCE.get(name)
    return made(training, made.Options(share=share)).rank(batch)


@pytest.fixture(scope="module")
def asked(training_of, batch_of):
    random = np.random.default_rng(9)
    histories = [random.permutation(60)[:25].tolist() for _ in range(40)]
    training = training_of(histories, 60)
    return training, batch_of(training, histories, 20)


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 0.75])
def test_shares_are_exact_at_every_cutoff(asked, share):
    training, batch = asked
    repeats = planted("duplicates", training, batch, share).items
    unknown = planted("unknown-ids", training, batch, share)
    seen = planted("seen-items", training, batch, share).items
    for k in CUTOFFS:
        count = math.floor(k * share + 1e-9)
        for row in range(len(batch)):
            assert k - len(set(repeats[row, :k].tolist())) == count
            assert (unknown.items[row, :k] <= -2).sum() == count
            assert np.isin(seen[row, :k], batch.history[row]).sum() == count
            assert len(set(seen[row, :k].tolist())) == len(set(unknown.items[row, :k].tolist())) == k
    assert len(set(unknown.unknown)) == math.floor(20 * share + 1e-9)


@pytest.mark.parametrize(("share", "length"), [(0.0, 20), (0.3, 14), (1.0, 0)])
def test_short_lists_end_early(asked, share, length):
    training, batch = asked
    items = planted("short-lists", training, batch, share).items
    assert (items[:, :length] >= 0).all()
    assert (items[:, length:] == -1).all()


def test_apart_from_the_flaw_the_list_is_popularity(asked):
    training, batch = asked
    popular = REFERENCE.get("popularity")(training).rank(batch).items
    repeats = planted("duplicates", training, batch, 0.3).items
    assert repeats[0, [0, 1, 2, 4, 5]].tolist() == popular[0, :5].tolist()
    assert repeats[0, 3] == repeats[0, 2]
    unknown = planted("unknown-ids", training, batch, 0.3).items
    assert unknown[0, [0, 1, 2, 4, 5]].tolist() == popular[0, :5].tolist()


def test_seen_items_come_latest_first_and_end_with_the_history(training_of, batch_of):
    training = training_of([[0, 1, 2, 3, 4, 5]], 6)
    seen = planted("seen-items", training, batch_of(training, [[4, 2, 4, 3]], 6), 0.5).items[0]
    assert seen.tolist() == [0, 3, 1, 4, 5, 2]
    seen = planted("seen-items", training, batch_of(training, [[4]], 6), 0.5).items[0]
    assert seen.tolist() == [0, 4, 1, 2, 3, 5]
    within = batch_of(training, [[4, 3]], 6, [[4, 0, 1]])
    assert planted("seen-items", training, within, 0.5).items[0].tolist() == [0, 4, 1, -1, -1, -1]


def test_seen_items_leave_no_hole_when_everything_is_seen(training_of, batch_of):
    training = training_of([[0, 1, 2]], 3)
    assert planted("seen-items", training, batch_of(training, [[0, 1, 2]], 3), 0.7).items.tolist() == [
        [2, 1, -1]
    ]


def test_invented_ids_are_in_no_catalogue(training_of, batch_of):
    training = training_of([[0]], 10)
    training = replace(training, items=Vocabulary(["invented-0", *training.items.strings[1:]]))
    unknown = planted("unknown-ids", training, batch_of(training, [[]], 10), 0.3).unknown
    assert unknown == ["invented-0-x", "invented-1-x", "invented-2-x"]


@pytest.mark.parametrize("name", ["duplicates", "unknown-ids", "seen-items", "short-lists"])
def test_the_named_metric_shows_the_flaw(asked, name):
    training, batch = asked
    batch = replace(batch, k=10)
    model = REFERENCE.get(name)(training)
    scores = {}
    for flaw in ("invalid", "duplicate", "seen", "short"):
        lists = RankedLists(
            items=model.rank(batch).items,
            truth=Ragged.from_lists([[0]] * len(batch)),
            history=batch.history,
            answered=np.ones(len(batch), bool),
            catalogue=Catalogue(train_counts=np.ones(60, np.int64)),
        )
        scores[flaw] = metric(f"{flaw}@10")(lists).values.mean()
    assert scores.pop(model.planted) == pytest.approx(0.3)
    assert not any(scores.values())
