"""Factorisation, sequence and rating models: what they recommend, whom they know, what they refuse."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.protocol.batch import RateBatch
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.pairwise import Chosen, Table

QUICK = {
    "ials": {"factors": 4, "sweeps": 3},
    "bpr-mf": {"factors": 4, "epochs": 3, "batch_size": 8},
    "fpmc": {"factors": 4, "epochs": 3, "batch_size": 8},
    "markov": {},
    "bias": {},
    "mf-ratings": {"factors": 3, "sweeps": 3},
}
LONGER = {
    "ials": {"sweeps": 10},
    "bpr-mf": {"epochs": 60, "batch_size": 64},
    "fpmc": {"epochs": 60, "batch_size": 64},
}
RATING = ("bias", "mf-ratings")


def fitted(name, training, seed=3, **options):
    made = REFERENCE.get(name)
    return made(training, made.Options(**{**QUICK[name], **options}), seed=seed)


def with_ratings(training):
    log = training.interactions
    if not len(log):  # models of ratings say so instead of guessing
        return None
    rating = (1 + (log.user.astype(int) * 7 + log.item * 3) % 5).astype(np.float32)
    return dataclasses.replace(training, interactions=dataclasses.replace(log, rating=rating))


@st.composite
def worlds(draw):
    """(n_items, training histories, asked histories, k, candidates or None)."""
    n_items = draw(st.integers(1, 12))
    items = st.integers(0, n_items - 1)
    histories = draw(st.lists(st.lists(items, max_size=8), min_size=1, max_size=8))
    asked = draw(st.lists(st.lists(items | st.just(-1), max_size=8), min_size=1, max_size=10))
    candidates = None
    if draw(st.booleans()):
        candidates = [draw(st.lists(items | st.just(-1), max_size=10)) for _ in asked]
    return n_items, histories, asked, draw(st.integers(1, 15)), candidates


@pytest.mark.parametrize("name", QUICK)
@settings(max_examples=25, deadline=None)
@given(world=worlds(), cut=st.integers(0, 8))
def test_lists_are_full_fresh_and_the_same_in_any_chunking(training_of, batch_of, name, world, cut):
    n_items, histories, asked, k, candidates = world
    training = training_of(histories, n_items)
    training = with_ratings(training) if name in RATING else training
    if training is None:
        return
    model = fitted(name, training)
    whole = model.rank(batch_of(training, asked, k, candidates))
    for row, given_list in enumerate(whole.items.tolist()):
        found = [code for code in given_list if code != -1]
        assert given_list[: len(found)] == found
        pool = set(range(n_items)) if candidates is None else set(candidates[row]) - {-1}
        fresh = pool - set(asked[row])
        assert set(found) <= fresh
        assert len(set(found)) == len(found) == min(k, len(fresh))
    parts = []
    for start, stop in ((0, cut), (cut, len(asked))):
        part = None if candidates is None else candidates[start:stop]
        parts.append(model.rank(batch_of(training, asked[start:stop], k, part, first=start)))
    assert np.array_equal(np.concatenate([part.items for part in parts]), whole.items)
    assert np.array_equal(np.concatenate([part.scores for part in parts]), whole.scores)


@pytest.mark.parametrize("name", QUICK)
def test_nobody_and_nothing_are_answered(training_of, batch_of, name):
    some = with_ratings(training_of([[0, 1]], 3))
    assert fitted(name, some).rank(batch_of(some, [], 5)).items.shape == (0, 3)
    if name not in RATING:
        empty = training_of([[]], 0)
        assert fitted(name, empty).rank(batch_of(empty, [[], []], 5)).items.shape == (2, 0)
        unread = training_of([[], []], 4)
        assert fitted(name, unread).rank(batch_of(unread, [[], [2]], 4)).items.tolist() == [
            [0, 1, 2, 3],
            [0, 1, 3, -1],
        ]


@pytest.fixture(scope="module")
def camps(training_of):
    """Two camps of users that read two halves of the catalogue; the first half is far more popular."""
    random = np.random.default_rng(5)
    lists = []
    for user in range(90):
        low = 0 if user < 60 else 20
        lists.append((low + random.permutation(20)[:10]).tolist())
    return training_of(lists, 40)


@pytest.mark.parametrize(("name", "options"), LONGER.items())
def test_planted_camps_are_found(camps, batch_of, name, options):
    model = fitted(name, camps, **options)
    histories = [camps.histories()[user].tolist() for user in range(90)]
    top = model.rank(batch_of(camps, histories, 10)).items
    assert (top[:60] < 20).mean() > 0.97
    assert (top[60:] >= 20).mean() > 0.97


@pytest.mark.parametrize(("name", "options"), LONGER.items())
def test_a_user_unseen_in_training_is_known_by_the_history(camps, batch_of, name, options):
    model = fitted(name, camps, **options)
    top = model.rank(batch_of(camps, [[0, 1, 2], [20, 21, 22], [25]], 5, first=500)).items
    assert (top[0] < 20).all()
    assert (top[1] >= 20).all()
    assert (top[2] >= 20).sum() >= 4


def test_ials_asks_the_history_not_the_name(camps, batch_of):
    model = fitted("ials", camps)
    history = camps.histories()[70].tolist()
    known, stranger = (model.rank(batch_of(camps, [history], 10, first=first)) for first in (70, 900))
    assert np.array_equal(known.items, stranger.items)
    assert np.array_equal(known.scores, stranger.scores)


@pytest.mark.parametrize("name", ["ials", "bpr-mf", "fpmc", "mf-ratings"])
def test_the_seed_decides_and_is_part_of_the_identity(camps, batch_of, name):
    training = with_ratings(camps)
    batch = batch_of(training, [[0, 1]], 10)
    first, again, other = (fitted(name, training, seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(first.rank(batch).scores, again.rank(batch).scores)
    assert not np.array_equal(first.rank(batch).scores, other.rank(batch).scores)
    assert first.identity()["seed"] == 1


def test_markov_by_hand(training_of, batch_of):
    # 0 is followed by 1 twice and by 2 once; 3 is the most popular and follows 2
    training = training_of([[0, 1, 3], [0, 1], [0, 2, 3], [3, 3], [3]], 5)
    model = fitted("markov", training, smoothing=2.0)
    batch = batch_of(training, [[4, 0, -1], [], [4]], 5)
    ranked = model.rank(batch)
    share = np.array([3, 2, 1, 5, 0]) / 11
    after = (np.array([0, 2, 1, 0, 0]) + 2 * share) / (3 + 2)
    assert ranked.items.tolist() == [[1, 2, 3, -1, -1], [3, 0, 1, 2, 4], [3, 0, 1, 2, -1]]
    assert ranked.scores[0, :3] == pytest.approx(after[[1, 2, 3]], abs=1e-8)
    assert ranked.scores[1] == pytest.approx(share[[3, 0, 1, 2, 4]], abs=1e-8)
    assert after.sum() == pytest.approx(1)


def test_markov_with_a_window_counts_what_comes_soon_after(training_of, batch_of):
    training = training_of([[0, 1, 2]] * 3, 4)
    near = fitted("markov", training).rank(batch_of(training, [[0]], 3))
    wide = fitted("markov", training, window=2).rank(batch_of(training, [[0]], 3))
    assert near.scores[0, 1] < wide.scores[0, 1]
    assert near.items.tolist() == wide.items.tolist() == [[1, 2, 3]]


def test_fpmc_follows_the_last_item(training_of, batch_of):
    random = np.random.default_rng(7)
    # whoever has just had an even item takes the odd one after it
    lists = []
    for _ in range(80):
        evens = random.permutation(10)[:4] * 2
        lists.append(np.stack([evens, evens + 1], axis=1).ravel().tolist())
    training = training_of(lists, 20)
    model = fitted("fpmc", training, epochs=100, factors=8, batch_size=128, regularisation=0.001)
    top = model.rank(batch_of(training, [[2 * i] for i in range(10)], 1, first=500)).items[:, 0]
    assert (top == 2 * np.arange(10) + 1).mean() >= 0.9


def test_negatives_were_not_chosen_and_are_uniform():
    random = np.random.default_rng(1)
    users = np.repeat(np.arange(3, dtype=np.int32), [2, 9, 10])
    items = np.concatenate([[0, 1], np.arange(9), np.arange(10)]).astype(np.int32)
    chosen = Chosen(users, items, 10)
    asked = np.repeat(np.arange(3, dtype=np.int32), 4000)
    found, good = chosen.others(asked, random)
    assert not good[asked == 2].any()  # who has had everything leaves nothing to draw
    assert good[asked == 0].all()
    assert (found[(asked == 1) & good] == 9).all()
    counts = np.bincount(found[asked == 0], minlength=10)
    assert not counts[:2].any()
    assert abs(counts[2:] - 500).max() < 6 * np.sqrt(500)


def test_adagrad_sums_the_gradients_of_a_row_that_comes_twice():
    table = Table(np.ones((3, 1), np.float32), rate=0.5, ridge=0.1)
    table.descend(np.array([1, 0, 1], np.int32), np.array([[1.0], [0.0], [2.0]], np.float32))
    # AdaGrad's first step is the rate in the direction of the gradient, whatever its size
    assert table.values[:, 0] == pytest.approx([0.5, 0.5, 1.0], abs=1e-4)
    table.descend(np.array([1], np.int32), np.array([[4.0]], np.float32))
    first, second = 1 + 2 + 2 * 0.1, 4 + 0.1 * 0.5
    assert table.values[1, 0] == pytest.approx(0.5 - 0.5 * second / np.hypot(first, second), abs=1e-5)


def rate_batch(training, targets, first=0):
    import pyarrow as pa

    users = pa.array([f"u{first + row}" for row in range(len(targets))], pa.string())
    return RateBatch(
        users=users,
        user_codes=training.users.encode(users),
        targets=Ragged.from_lists(targets),
        history=Ragged.from_lists([[] for _ in targets]),
        items=training.items,
    )


@pytest.mark.parametrize("name", RATING)
def test_ratings_stand_beside_their_targets(camps, name):
    training = with_ratings(camps)
    model = fitted(name, training)
    targets = [[3, 1, 3], [], [39], [-1, 0]]
    whole = model.rate(rate_batch(training, targets)).ratings
    assert whole.shape == (6,)
    assert whole[0] == whole[2]
    one_by_one = [model.rate(rate_batch(training, [row], first=at)).ratings for at, row in enumerate(targets)]
    assert np.array_equal(np.concatenate(one_by_one), whole)
    log = training.interactions
    fit = model.rate(
        rate_batch(training, [training.histories()[user].tolist() for user in range(90)])
    ).ratings
    assert ((fit - log.rating) ** 2).mean() < log.rating.var()


def test_what_was_never_seen_counts_as_average(camps):
    training = with_ratings(camps)
    training = dataclasses.replace(
        training, interactions=training.interactions.where(training.interactions.item > 0)
    )
    model = fitted("mf-ratings", training)
    mean, biases = model.biases.mean, model.biases
    stranger = model.rate(rate_batch(training, [[5, 0, -1]], first=900)).ratings
    assert stranger == pytest.approx([mean + biases.items[5], mean, mean])
    user = model.rate(rate_batch(training, [[0]], first=3)).ratings
    assert user == pytest.approx([mean + biases.users[3]])


def test_predictions_stay_on_the_scale_unless_told_otherwise(training_of):
    # user 0 gives 5 to everything, user 1 gives 1; item 0 is the best
    training = training_of([[0, 1, 2, 3], [1, 2, 3], [0]], 4)
    rating = np.array([5, 5, 5, 5, 1, 1, 1, 5], np.float32)
    training = dataclasses.replace(
        training, interactions=dataclasses.replace(training.interactions, rating=rating)
    )
    options = {"user_damping": 0.1, "item_damping": 0.1}
    clipped = fitted("bias", training, **options).rate(rate_batch(training, [[0]])).ratings
    free = fitted("bias", training, clip=False, **options).rate(rate_batch(training, [[0]])).ratings
    assert clipped == [5.0]
    assert free > 5.0


@pytest.mark.parametrize("name", RATING)
def test_data_without_ratings_is_refused(training_of, name):
    with pytest.raises(UsageError, match=f"'{name}' predicts ratings, but data set 'hand' has none"):
        fitted(name, training_of([[0]], 1))
    bare = training_of([[]], 1)
    log = dataclasses.replace(bare.interactions, rating=np.empty(0, np.float32))
    with pytest.raises(UsageError, match="the training part of data set 'hand' is empty"):
        fitted(name, dataclasses.replace(bare, interactions=log))


def test_kinds_say_what_a_model_answers(camps, batch_of):
    for name in QUICK:
        assert REFERENCE.get(name).kinds == ({"rank", "rate"} if name in RATING else {"rank"})
    with pytest.raises(NotImplementedError, match="Markov does not rate"):
        fitted("markov", camps).rate(rate_batch(camps, [[0]]))


def test_another_catalogue_is_refused_when_rating(camps, training_of):
    model = fitted("bias", with_ratings(camps))
    with pytest.raises(
        UsageError, match="fitted on a catalogue of 40 items, but is asked about another one of 2"
    ):
        model.rate(rate_batch(training_of([[0]], 2), [[0]]))


def test_bias_ranks_everybody_alike(camps, batch_of):
    training = with_ratings(camps)
    top = fitted("bias", training).rank(batch_of(training, [[], [], []], 40)).items
    assert (top == top[0]).all()


def test_divergence_is_a_sentence(camps, batch_of):
    model = fitted("bpr-mf", camps)
    model.factors.items[3] = np.nan
    with pytest.raises(UsageError, match=r"scores that are not numbers: its training has diverged"):
        model.rank(batch_of(camps, [[1]], 5))
