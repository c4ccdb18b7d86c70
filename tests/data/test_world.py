from __future__ import annotations

import hashlib
from collections import Counter

import numpy as np
import pytest
from pydantic import ValidationError

from genrec_eval.core.randomness import generator
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.split import Split
from genrec_eval.data.world.make import World
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.arrays import Int32


@pytest.fixture(scope="module")
def world() -> World:
    return SyntheticSpec.model_validate({"users": 2000, "items": 600}).world(7)


@pytest.fixture(scope="module")
def split(world: World) -> Split:
    return SplitSpec.model_validate({"fraction": 0.8}).apply(world.dataset)


def small(run: int = 1, /, **options: object) -> World:
    given = {"users": 200, "items": 100, "interactions_per_user": 12, **options}
    return SyntheticSpec.model_validate(given).world(run)


def fingerprint(world: World) -> str:
    log = world.dataset.interactions
    arrays = (log.user, log.item, log.rating, log.timestamp)
    return hashlib.sha256(b"".join(a.tobytes() for a in arrays if a is not None)).hexdigest()


def test_same_seed_same_world_other_seed_other_world() -> None:
    first, again, other = small(1), small(1), small(2)
    assert fingerprint(first) == fingerprint(again)
    assert first.dataset.digest == again.dataset.digest
    assert first.dataset.item_table.equals(again.dataset.item_table)
    assert first.dataset.digest != other.dataset.digest
    assert fingerprint(first) != fingerprint(other)


def test_own_seed_overrides_that_of_the_run() -> None:
    assert small(1, seed=5).dataset.digest == small(2, seed=5).dataset.digest == small(5).dataset.digest
    assert small(1, noise=0.5).dataset.digest != small(1).dataset.digest


def test_shape_of_the_world(world: World) -> None:
    data = world.dataset
    log = data.interactions
    assert log.timestamp is not None
    assert log.rating is not None
    assert (len(data.users), len(data.items)) == (2000, 600)
    assert len(log) / 2000 == pytest.approx(30, rel=0.05)
    assert (np.diff(log.timestamp) >= 0).all()
    assert log.timestamp.min() >= world.truth.start
    assert log.timestamp.max() < world.truth.end
    assert set(np.unique(log.rating)) <= {1, 2, 3, 4, 5}
    assert (world.truth.released[log.item] <= log.timestamp).all()
    pairs = log.user.astype(np.int64) * 600 + log.item
    assert len(np.unique(pairs)) == len(pairs)
    shares = Counter(data.user_table.column("group").to_pylist())
    assert shares["A"] / 2000 == pytest.approx(0.6, abs=0.04)
    assert data.groups == ("group", "gender", "age")
    popular = np.sort(np.bincount(log.item, minlength=600))
    assert popular[-120:].sum() > 0.45 * len(log)  # a fifth of the items: the head


def test_titles_are_unique_with_their_year_and_some_are_remakes(world: World) -> None:
    table = world.dataset.item_table
    titles, years = table.column("title").to_pylist(), table.column("year").to_pylist()
    assert len(set(titles)) == 600
    assert all(title.endswith(f" ({year})") for title, year in zip(titles, years, strict=True))
    bare = Counter(title[:-7] for title in titles)
    assert sum(count == 2 for count in bare.values()) == 30 == world.dataset.facts["remakes"]
    ids = table.column("item").to_pylist()
    for item, original in zip(range(600), table.column("remake_of").to_pylist(), strict=True):
        if original is not None:
            source = ids.index(original)
            assert titles[source][:-7] == titles[item][:-7]
            assert years[item] >= years[source] + 8
    aliases = [alias for row in table.column("aliases").to_pylist() for alias in row]
    assert aliases
    assert not set(aliases) & set(titles)
    assert len(aliases) == len(set(aliases))


@pytest.mark.parametrize("items", [20, 3_000, 40_000])
def test_titles_do_not_run_out(items: int) -> None:
    world = small(items=items, users=2, interactions_per_user=2)
    titles = world.dataset.item_table.column("title").to_pylist()
    assert len(titles) == len(set(titles)) == items


def test_rows_of_probabilities_sum_to_one(world: World) -> None:
    truth = world.truth
    users = np.arange(50)
    assert truth.probability(users, truth.end).sum(axis=1) == pytest.approx(np.ones(50))
    assert (truth.probability(users, truth.start).sum(axis=1) < 1).all()  # some items are still to come
    assert truth.taste(users, truth.start + 5).sum(axis=1) == pytest.approx(np.ones(50))


def test_group_tilt_separates_tastes_and_nothing_else_does(world: World) -> None:
    table = world.dataset.user_table

    def gap(column: str, one: str, other: str, made: World = world) -> float:
        groups = np.array(made.dataset.user_table.column(column).to_pylist())
        taste = made.truth.taste_start
        return float(np.abs(taste[groups == one].mean(axis=0) - taste[groups == other].mean(axis=0)).sum())

    assert table.column_names == ["user", "group", "gender", "age"]
    assert gap("group", "A", "B") > 4 * gap("gender", "F", "M")
    level = SyntheticSpec.model_validate({"users": 2000, "items": 100, "group_tilt": 0.0}).world(7)
    assert gap("group", "A", "B", level) < 0.3 * gap("group", "A", "B")


def precision(split: Split, lists: Int32) -> np.ndarray:
    return np.array([np.isin(lists[i], split.truth[i]).mean() for i in range(len(split.users))])


def ranked(scores: np.ndarray, split: Split, k: int = 10) -> Int32:
    scores = scores.copy()
    owner = np.repeat(np.arange(len(split.users)), split.history.lengths)
    scores[owner, split.history.values] = -np.inf
    return np.argsort(-scores, axis=1, kind="stable")[:, :k].astype(np.int32)


def test_expected_precision_is_met(world: World, split: Split) -> None:
    truth, cut = world.truth, split.facts["cut"]
    relevance = truth.relevance(split.users, cut, history=split.history)
    popularity = np.bincount(split.training.interactions.item, minlength=600)
    for scores in (relevance, np.tile(popularity, (len(split.users), 1)).astype(float)):
        lists = ranked(scores, split)
        expected = truth.expected_precision(split.users, lists, cut, history=split.history)
        expected = expected / truth.chance_of_truth(split.users, cut, history=split.history)
        difference = precision(split, lists) - expected
        error = difference.std() / np.sqrt(len(difference))
        assert abs(difference.mean()) < 4 * error


def test_expected_precision_counts_good_ratings_and_empty_slots(world: World, split: Split) -> None:
    truth, cut = world.truth, split.facts["cut"]
    everyone = np.arange(2000)
    good = SplitSpec.model_validate({"fraction": 0.8}).apply(world.dataset, min_rating=4)
    seen = split.training.histories()
    relevance = truth.relevance(everyone, cut, history=seen, min_rating=4)
    expected, found = relevance.sum(), int(good.truth.lengths.sum())
    assert abs(found - expected) < 4 * np.sqrt((relevance * (1 - relevance)).sum())
    assert (truth.relevance(everyone[:9], cut, min_rating=6) == 0).all()
    lists = np.array([[3, -1]], np.int32)
    one = truth.expected_precision(everyone[:1], lists, cut)
    assert one == pytest.approx(truth.relevance(everyone[:1], cut)[:, 3] / 2)


def test_relevance_is_calibrated(world: World, split: Split) -> None:
    relevance = world.truth.relevance(split.users, split.facts["cut"], history=split.history)
    hit = np.zeros(relevance.shape, bool)
    hit[np.repeat(np.arange(len(split.users)), split.truth.lengths), split.truth.values] = True
    edges = np.quantile(relevance[relevance > 0], np.linspace(0, 1, 11))
    place = np.digitize(relevance, edges[1:-1])
    for decile in range(10):
        chosen = (place == decile) & (relevance > 0)
        spread = np.sqrt((relevance * (1 - relevance))[chosen].sum())
        assert abs(hit[chosen].sum() - relevance[chosen].sum()) < 4.5 * spread


def test_item_knn_beats_popularity_beats_random(world: World, split: Split) -> None:
    log = split.training.interactions
    matrix = np.zeros((2000, 600))
    matrix[log.user, log.item] = 1
    together = matrix.T @ matrix
    size = np.sqrt(np.diag(together)) + 1e-9
    similar = together / size / size[:, None]
    np.fill_diagonal(similar, 0)
    similar[similar < np.sort(similar, axis=1)[:, -50][:, None]] = 0
    knn = precision(split, ranked((matrix @ similar)[split.users], split))
    popular = precision(split, ranked(np.tile(matrix.sum(axis=0), (len(split.users), 1)), split))
    chance = precision(split, ranked(generator(1, "test", "random").random((len(split.users), 600)), split))
    for better, worse in ((knn, popular), (popular, chance)):
        difference = better - worse
        assert difference.mean() > 8 * difference.std() / np.sqrt(len(difference))


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"items": 60, "interactions_per_user": 21}, "may be at most a third of items"),
        ({"groups": {"A": 1, "B": 0}}, "each share in groups must be greater than 0"),
        ({"user": 5}, "did you mean 'users'"),
        ({"drift": 1.5}, "less than or equal to 1"),
    ],
)
def test_options_that_cannot_be(options: dict[str, object], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SyntheticSpec.model_validate(options)


@pytest.mark.parametrize(
    "options",
    [
        {"users": 2, "items": 20, "interactions_per_user": 1},
        {"drift": 0, "new_items": 0, "new_users": 0, "remakes": 0},
        {"groups": {"only": 1}, "tastes": 2, "taste_strength": 0, "popularity_exponent": 0},
        {"days": 2, "mainstream": 0.99, "new_items": 0.9, "new_users": 0.9},
        {"users": 5000, "items": 20, "interactions_per_user": 3},
    ],
)
def test_extreme_worlds(options: dict[str, object]) -> None:
    world = small(**options)
    assert len(world.dataset.interactions) > 0
    assert np.isfinite(world.truth.appeal).all()
    assert len(world.truth.visits) == len(world.dataset.users)
