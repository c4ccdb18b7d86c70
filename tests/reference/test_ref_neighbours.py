"""UserKNN and recent popularity against their definitions."""

from __future__ import annotations

import math
import warnings
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from genrec_eval.reference.base import REFERENCE

UNIT = 2**24


def brute_user_knn(histories, n_items, asked, first, neighbours, shrinkage):
    """UserKNN with sets and loops: per asked row item → units."""
    made = []
    for row, history in enumerate(asked):
        own = set(history) - {-1}
        similar = []
        for user, other in enumerate(map(set, histories)):
            both = len(own & other)
            if both and user != first + row:
                cosine = both / (math.sqrt(len(own)) * math.sqrt(len(other)) + shrinkage)
                similar.append((round(cosine * UNIT), user))
        nearest = sorted(similar, key=lambda pair: (-pair[0], pair[1]))[:neighbours]
        made.append({j: sum(u for u, v in nearest if j in histories[v]) for j in range(n_items)})
    return made


@settings(max_examples=80)
@given(data=st.data())
def test_user_knn_equals_the_definition(training_of, batch_of, data):
    n_items = data.draw(st.integers(1, 10))
    items = st.integers(0, n_items - 1)
    histories = data.draw(st.lists(st.lists(items, max_size=8), min_size=1, max_size=9))
    asked = data.draw(st.lists(st.lists(items | st.just(-1), max_size=8), min_size=1, max_size=6))
    first = data.draw(st.sampled_from([0, 100]))  # 100: none of them is in the training
    neighbours = data.draw(st.integers(1, 5))
    shrinkage = data.draw(st.sampled_from([0.0, 3.0]))
    training = training_of(histories, n_items)
    made = REFERENCE.get("user-knn")
    model = made(training, made.Options(neighbours=neighbours, shrinkage=shrinkage))
    ranked = model.rank(batch_of(training, asked, n_items, first=first))
    counts = [sum(row.count(item) for row in histories) for item in range(n_items)]
    for row, units in enumerate(brute_user_knn(histories, n_items, asked, first, neighbours, shrinkage)):
        wanted = sorted(set(range(n_items)) - set(asked[row]), key=lambda j: (-units[j], -counts[j], j))
        assert ranked.items[row, : len(wanted)].tolist() == wanted
        expected = [(units[j] + counts[j] / (max(counts) + 1)) / UNIT for j in wanted]
        assert ranked.scores[row, : len(wanted)].tolist() == pytest.approx(expected, rel=1e-12)


def recent(training, **options):
    made = REFERENCE.get("recent-popularity")
    return made(training, made.Options(**options))


@pytest.fixture
def timed(training_of):
    """Item 0 three times long ago, item 1 twice of late, item 2 once of late, item 3 never."""
    training = training_of([[0, 1], [0, 1], [0, 2]], 4)
    day = 86400
    interactions = replace(
        training.interactions,
        user=np.array([0, 1, 2, 0, 1, 2], np.int32),
        item=np.array([0, 0, 0, 1, 1, 2], np.int32),
        timestamp=np.array([0, 1, 2, 97, 98, 100], np.int64) * day,
    )
    return replace(training, interactions=interactions)


@pytest.mark.parametrize(
    ("options", "order", "first"),
    [
        ({"days": 10}, [1, 2, 0, 3], 2.0),
        ({"days": 2}, [2, 0, 1, 3], 1.0),
        ({"days": 1000}, [0, 1, 2, 3], 3.0),
        ({"share": 0.5}, [1, 2, 0, 3], 2.0),
        ({}, [2, 0, 1, 3], 1.0),
        ({"half_life": 1}, [2, 1, 0, 3], 1.0),
        ({"half_life": 10}, [1, 2, 0, 3], 2**-0.3 + 2**-0.2),
    ],
)
def test_recent_popularity_counts_the_window(timed, batch_of, options, order, first):
    ranked = recent(timed, **options).rank(batch_of(timed, [[]], 4))
    assert ranked.items[0].tolist() == order
    assert ranked.scores[0, 0] == pytest.approx(first, abs=1e-5)
    assert (np.diff(ranked.scores[0]) < 0).all()


def test_a_moment_is_in_the_window_as_a_whole(timed, batch_of):
    same = replace(timed, interactions=replace(timed.interactions, timestamp=np.full(6, 7, np.int64)))
    assert recent(same, share=0.1).rank(batch_of(same, [[]], 4)).items[0].tolist() == [0, 1, 2, 3]


def test_without_timestamps_it_is_popularity_and_says_so(training_of, batch_of):
    training = training_of([[0, 1], [1]], 3)
    with pytest.warns(UserWarning, match="dataset 'hand' has no timestamps, so all training interactions"):
        ranked = recent(training, days=3).rank(batch_of(training, [[]], 3))
    assert ranked.items[0].tolist() == [1, 0, 2]


def test_times_are_no_reason_to_warn(timed):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        recent(timed)


def test_only_one_window():
    with pytest.raises(ValidationError, match="takes one of days, share and half_life, not several"):
        REFERENCE.get("recent-popularity").Options(days=3, share=0.1)
