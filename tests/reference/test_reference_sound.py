"""Sound reference models: right lists, never seen or repeated items, the same in any chunking."""

from __future__ import annotations

import dataclasses
import math
import subprocess
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.batch import RankedBatch
from genrec_eval.reference import hashing, lists
from genrec_eval.reference.base import REFERENCE

SOUND = ["random", "popularity", "recent-popularity", "item-knn", "user-knn", "ease", "slim", "noisy-fair"]
FLAWED = ["duplicates", "unknown-ids", "seen-items", "short-lists", "ties-everywhere", "negated-scores"]

pytestmark = pytest.mark.filterwarnings("ignore:recent-popularity")


def rows_of(ranked: RankedBatch) -> list[list[int]]:
    """Lists without the empty slots, which must all stand at the end."""
    found = []
    for row in ranked.items.tolist():
        filled = [code for code in row if code != -1]
        assert row[: len(filled)] == filled, "an empty slot stands before an item"
        found.append(filled)
    return found


@st.composite
def worlds(draw):
    """(n_items, training histories, asked histories, k, candidates or None)."""
    n_items = draw(st.integers(1, 12))
    items = st.integers(0, n_items - 1)
    histories = draw(st.lists(st.lists(items, max_size=8), min_size=1, max_size=8))
    asked = draw(st.lists(st.lists(items | st.just(-1), max_size=8), min_size=1, max_size=6))
    k = draw(st.integers(1, 15))
    candidates = None
    if draw(st.booleans()):
        candidates = [draw(st.lists(items | st.just(-1), max_size=10)) for _ in asked]
    return n_items, histories, asked, k, candidates


@pytest.mark.parametrize("name", SOUND)
@settings(max_examples=60, deadline=None)
@given(world=worlds())
def test_sound_lists_are_full_fresh_and_free_of_repeats(training_of, batch_of, name, world):
    n_items, histories, asked, k, candidates = world
    training = training_of(histories, n_items)
    ranked = REFERENCE.get(name)(training, seed=3).rank(batch_of(training, asked, k, candidates))
    for row, given_list in enumerate(rows_of(ranked)):
        pool = set(range(n_items)) if candidates is None else set(candidates[row]) - {-1}
        fresh = pool - set(asked[row])
        assert set(given_list) <= fresh
        assert len(set(given_list)) == len(given_list) == min(k, len(fresh))


@pytest.mark.parametrize("candidates", [None, [list(range(100))] * 400])
def test_repeats_of_random_are_independent_draws(training_of, batch_of, candidates):
    training = training_of([[]] * 400, 100)
    model = REFERENCE.get("random")(training, seed=3)
    batch = batch_of(training, [[]] * 400, 10, candidates)
    drawn = [model.rank(dataclasses.replace(batch, repeat=repeat)).items for repeat in range(3)]
    for a, b in ((0, 1), (0, 2), (1, 2)):
        shared = [len(set(x) & set(y)) for x, y in zip(drawn[a].tolist(), drawn[b].tolist(), strict=True)]
        # hypergeometric: mean 10 * 10 / 100, variance 0.818
        assert np.mean(shared) == pytest.approx(1.0, abs=4 * math.sqrt(0.818 / 400))


@pytest.mark.parametrize("name", [*SOUND, *FLAWED])
@settings(max_examples=30, deadline=None)
@given(world=worlds(), cut=st.integers(0, 6))
def test_chunks_give_the_same_lists(training_of, batch_of, name, world, cut):
    n_items, histories, asked, k, candidates = world
    training = training_of(histories, n_items)
    model = REFERENCE.get(name)(training, seed=3)
    whole = model.rank(batch_of(training, asked, k, candidates))
    parts = []
    for start, stop in ((0, cut), (cut, len(asked))):
        part = None if candidates is None else candidates[start:stop]
        parts.append(model.rank(batch_of(training, asked[start:stop], k, part, first=start)))
    assert np.array_equal(np.concatenate([part.items for part in parts]), whole.items)
    if whole.scores is not None:
        assert np.array_equal(np.concatenate([part.scores for part in parts]), whole.scores)


def test_small_working_blocks_change_nothing(training_of, batch_of, monkeypatch):
    random = np.random.default_rng(5)
    histories = [random.integers(0, 40, 12).tolist() for _ in range(60)]
    training = training_of(histories, 40)
    batch = batch_of(training, [row[:6] for row in histories], 10)
    before = {name: REFERENCE.get(name)(training).rank(batch).items for name in SOUND}
    monkeypatch.setattr(lists, "CELLS", 50)
    for name in SOUND:
        assert np.array_equal(REFERENCE.get(name)(training).rank(batch).items, before[name])


def test_popularity_counts_and_breaks_ties_by_code(training_of, batch_of):
    training = training_of([[3, 1], [3, 2], [0, 3]], 5)
    ranked = REFERENCE.get("popularity")(training).rank(batch_of(training, [[], [1]], 5))
    assert ranked.items.tolist() == [[3, 0, 1, 2, 4], [3, 0, 2, 4, -1]]
    assert ranked.scores.tolist() == [[3, 1, 1, 1, 0], [3, 1, 1, 0, 0]]


def brute_item_knn(histories, n_items, asked, k, neighbours, shrinkage):
    """ItemKNN with dictionaries and loops."""
    owners = [{user for user, row in enumerate(histories) if item in row} for item in range(n_items)]
    popularity = [sum(row.count(item) for row in histories) for item in range(n_items)]
    kept = []
    for i in range(n_items):
        similar = {}
        for j in range(n_items):
            both = len(owners[i] & owners[j])
            if i != j and both:
                cosine = both / (math.sqrt(len(owners[i])) * math.sqrt(len(owners[j])) + shrinkage)
                units = round(cosine * 2**24)
                if units:
                    similar[j] = units
        kept.append(sorted(similar.items(), key=lambda pair: (-pair[1], pair[0]))[:neighbours])
    made = []
    for row in asked:
        score = dict.fromkeys(range(n_items), 0)
        for j in range(n_items):
            score[j] = sum(units for i, units in kept[j] if i in row)
        order = sorted(set(score) - set(row), key=lambda j: (-score[j], -popularity[j], j))[:k]
        share = 1 / (max(popularity) + 1)
        made.append([(j, (score[j] + popularity[j] * share) / 2**24) for j in order])
    return made


@settings(max_examples=80, deadline=None)
@given(world=worlds(), neighbours=st.integers(1, 6), shrinkage=st.sampled_from([0.0, 1.0, 10.0]))
def test_item_knn_equals_the_definition(training_of, batch_of, world, neighbours, shrinkage):
    n_items, histories, asked, k, candidates = world
    training = training_of(histories, n_items)
    made = REFERENCE.get("item-knn")
    model = made(training, made.Options(neighbours=neighbours, shrinkage=shrinkage))
    ranked = model.rank(batch_of(training, asked, k))
    expected = brute_item_knn(histories, n_items, asked, n_items, neighbours, shrinkage)
    for row, wanted in enumerate(expected):
        wanted = wanted[:k]
        assert ranked.items[row, : len(wanted)].tolist() == [j for j, _ in wanted]
        assert ranked.scores[row, : len(wanted)].tolist() == pytest.approx(
            [value for _, value in wanted], rel=1e-12
        )
    if candidates is not None:
        ranked = model.rank(batch_of(training, asked, k, candidates))
        for row, wanted in enumerate(expected):
            wanted = [pair for pair in wanted if pair[0] in candidates[row]][:k]
            assert ranked.items[row, : len(wanted)].tolist() == [j for j, _ in wanted]
            assert ranked.scores[row, : len(wanted)].tolist() == pytest.approx(
                [value for _, value in wanted], rel=1e-12
            )


def test_item_knn_gives_popular_items_to_a_user_without_history(training_of, batch_of):
    training = training_of([[0, 1], [0, 1], [0, 2], [3]], 6)
    ranked = REFERENCE.get("item-knn")(training).rank(batch_of(training, [[], [5]], 3))
    assert ranked.items.tolist() == [[0, 1, 2], [0, 1, 2]]
    # below any similarity, and equal only where the popularity is
    assert (ranked.scores < 2.0**-24).all()
    assert (np.diff(ranked.scores) < 0).tolist() == [[True, True], [True, True]]


def test_random_depends_on_seed_and_user_alone(training_of, batch_of):
    training = training_of([[0]], 50)
    random = REFERENCE.get("random")
    batch = batch_of(training, [[]] * 20, 10)
    first = random(training, seed=1).rank(batch).items
    assert np.array_equal(first, random(training, seed=1).rank(batch).items)
    assert not np.array_equal(first, random(training, seed=2).rank(batch).items)
    assert len({tuple(row) for row in first.tolist()}) == 20
    # The longer list of the same user starts with the shorter one; a seen item is only left out.
    longer = random(training, seed=1).rank(batch_of(training, [[]] * 20, 30)).items
    assert np.array_equal(longer[:, :10], first)
    row = first[4].tolist()
    without = random(training, seed=1).rank(batch_of(training, [[row[3]]], 9, first=4)).items[0].tolist()
    assert without == [code for code in row if code != row[3]]


@pytest.mark.parametrize("n_items", [2, 3, 7, 10])
def test_random_is_uniform_in_every_position(training_of, batch_of, n_items):
    training = training_of([[0]], n_items)
    users = 6000
    model = REFERENCE.get("random")(training, seed=11)
    for candidates in (None, [list(range(n_items))] * users):
        items = model.rank(batch_of(training, [[]] * users, n_items, candidates)).items
        for place in range(n_items):
            counts = np.bincount(items[:, place], minlength=n_items)
            # Six standard deviations of a binomial: a bias of 2 points would show.
            assert abs(counts - users / n_items).max() < 6 * math.sqrt(users / n_items)


def test_random_pairs_of_items_are_uniform(training_of, batch_of):
    training = training_of([[0]], 6)
    users = 20_000
    items = REFERENCE.get("random")(training, seed=2).rank(batch_of(training, [[]] * users, 2)).items
    counts = np.bincount(items[:, 0] * 6 + items[:, 1], minlength=36).reshape(6, 6)
    assert not counts.diagonal().any()
    expected = users / 30
    assert abs(counts[~np.eye(6, dtype=bool)] - expected).max() < 6 * math.sqrt(expected)


@settings(max_examples=50, deadline=None)
@given(st.lists(st.text(max_size=12), max_size=20), st.integers(0, 5))
def test_hash_of_a_string_is_its_own(strings, start):
    import pyarrow as pa

    whole = hashing.hash_strings(pa.array(strings, pa.string()), 3)
    assert np.array_equal(hashing.hash_strings(pa.array(strings, pa.string()).slice(start), 3), whole[start:])
    assert len(set(whole.tolist())) == len(set(strings))


@settings(max_examples=40, deadline=None)
@given(st.integers(1, 70), st.integers(0, 2**64 - 1))
def test_permuted_is_a_permutation(n, key):
    assert sorted(hashing.permuted(np.array([key], np.uint64), 0, n, n)[0].tolist()) == list(range(n))


def test_another_catalogue_is_refused(training_of, batch_of):
    model = REFERENCE.get("popularity")(training_of([[0]], 3))
    with pytest.raises(
        UsageError, match="fitted on a catalogue of 3 items, but is asked about another one of 4"
    ):
        model.rank(batch_of(training_of([[0]], 4), [[]], 2))


def test_empty_catalogue_and_empty_batch(training_of, batch_of):
    empty, some = training_of([[]], 0), training_of([[0, 1]], 3)
    for name in [*SOUND, *FLAWED]:
        assert REFERENCE.get(name)(empty).rank(batch_of(empty, [[], []], 5)).items.shape == (2, 0)
        assert REFERENCE.get(name)(some).rank(batch_of(some, [], 5)).items.shape == (0, 3)


def test_models_on_the_synthetic_world():
    from pathlib import Path

    from genrec_eval.data.world.spec import SyntheticSpec
    from genrec_eval.serving.catalogue import train_on

    training = train_on(SyntheticSpec(users=300, items=120, interactions_per_user=15).load(Path(), 1), 1)
    from genrec_eval.protocol.batch import RankBatch

    batch = RankBatch(
        users=training.users.ids,
        user_codes=np.arange(len(training.users), dtype=np.int32),
        history=training.histories(),
        k=10,
        items=training.items,
    )
    for name in SOUND:
        for row, made in enumerate(rows_of(REFERENCE.get(name)(training).rank(batch))):
            assert len(set(made)) == 10
            assert not set(made) & set(batch.history[row].tolist())


def test_algorithms_load_without_numpy_until_they_are_fitted():
    code = (
        "import sys\n"
        "from genrec_eval.reference.adapter import ReferenceSpec\n"
        "ReferenceSpec(adapter='reference', model='item-knn', options={'neighbours': 3})\n"
        "print([m for m in ('numpy', 'pandas', 'pyarrow', 'scipy') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
