"""Planted flaws that look ahead or lie in their scores."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Interactions
from genrec_eval.reference.base import REFERENCE


@pytest.fixture
def ahead(training_of):
    """Training on items 0 to 29; the held-out part has item 35 often, then 33, 31, and item 4 most."""
    random = np.random.default_rng(2)
    training = training_of([random.permutation(30)[:12].tolist() for _ in range(25)], 40)
    item = np.repeat(np.array([4, 35, 33, 31], np.int32), [50, 9, 5, 5])
    return replace(training, future=Interactions(user=np.zeros(len(item), np.int32), item=item))


def test_peeking_popularity_counts_the_test_too(ahead, batch_of):
    model = REFERENCE.get("peeking-popularity")(ahead)
    honest = REFERENCE.get("popularity")(ahead)
    assert model.counts.sum() == honest.counts.sum() + 69
    ranked = model.rank(batch_of(ahead, [[], [4]], 40))
    assert ranked.items[0, 0] == 4
    assert ranked.scores[0, 0] == honest.counts[4] + 50
    assert 4 not in ranked.items[1]
    assert ranked.items[0].tolist().index(35) < ranked.items[0].tolist().index(30)


@pytest.mark.parametrize("name", ["peeking-popularity", "future-items"])
def test_without_a_future_there_is_nothing_to_look_at(ahead, name):
    assert REFERENCE.get(name).peeks
    with pytest.raises(UsageError, match=f"'{name}' has the planted flaw to look at the held-out interac"):
        REFERENCE.get(name)(replace(ahead, future=None))


def test_no_other_model_asks_for_the_future():
    asking = {name for name in REFERENCE.names() if REFERENCE.get(name).peeks}
    assert asking == {"peeking-popularity", "future-items"}


def test_future_items_stand_at_the_planted_share(ahead, batch_of):
    made = REFERENCE.get("future-items")
    for share in (0.0, 0.1, 0.3):
        items = made(ahead, made.Options(share=share)).rank(batch_of(ahead, [[], [0, 1]], 10)).items
        for k in range(1, 11):
            assert (np.isin(items[:, :k], [31, 33, 35]).sum(axis=1) == math.floor(k * share + 1e-9)).all()
        assert all(len(set(row)) == 10 and -1 not in row for row in items.tolist())
    assert [j for j in items[0].tolist() if j > 29] == [35, 31, 33]


def test_future_items_give_way_where_there_are_no_more(ahead, batch_of):
    made = REFERENCE.get("future-items")
    model = made(ahead, made.Options(share=0.5))
    row = model.rank(batch_of(ahead, [[]], 40)).items[0].tolist()
    assert sorted(row) == list(range(40))
    assert [j for j in row if j in {31, 33, 35}] == [35, 31, 33]
    within = model.rank(batch_of(ahead, [[2, 33]], 5, [[0, 1, 2, 31, 33]])).items[0].tolist()
    assert within[1] == 31
    assert sorted(within) == [-1, -1, 0, 1, 31]


def test_scores_lie_as_planted_and_the_lists_are_popularity(ahead, batch_of):
    batch = batch_of(ahead, [[], [4, 5]], 12)
    popular = REFERENCE.get("popularity")(ahead).rank(batch)
    tied = REFERENCE.get("ties-everywhere")(ahead).rank(batch)
    negated = REFERENCE.get("negated-scores")(ahead).rank(batch)
    assert np.array_equal(tied.items, popular.items)
    assert np.array_equal(negated.items, popular.items)
    assert (tied.scores == 1).all()
    assert (negated.scores > 0).all()
    assert ((np.diff(negated.scores) > 0) == (np.diff(popular.scores) < 0)).all()
    counts = REFERENCE.get("popularity")(ahead).counts
    probability = np.exp(-negated.scores)
    assert probability == pytest.approx((counts[popular.items] + 1) / (counts.sum() + 40))
