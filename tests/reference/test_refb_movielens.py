"""Factorisation and rating models on MovieLens 100K: the figures that their cards claim."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.data.dataset import Training
from genrec_eval.data.registry import DATASETS
from genrec_eval.data.split_spec import SplitSpec
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.protocol.batch import RankBatch, RateBatch
from genrec_eval.reference.base import REFERENCE
from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.sample import Sample, paired


@pytest.fixture(scope="module")
def movielens(real_data):
    return DATASETS.get("movielens")(path=str(real_data / "movielens-100k")).load(real_data, 1)


@pytest.fixture(scope="module")
def published_fold(real_data, movielens):
    """int[n], which of u1.test to u5.test each rating is in: GroupLens cut u.data in five (mku.sh)."""
    lines = np.loadtxt(real_data / "movielens-100k" / "u.data", dtype=np.int64, usecols=(0, 1))
    places = {(str(user), str(item)): row // 20_000 for row, (user, item) in enumerate(lines.tolist())}
    users, items, log = movielens.users.strings, movielens.items.strings, movielens.interactions
    pairs = zip(log.user.tolist(), log.item.tolist(), strict=True)
    return np.array([places[users[user], items[item]] for user, item in pairs])


def errors(dataset, fold, number, name, **options):
    """RMSE and MAE on one fold of a model that is fitted on the others."""
    log = dataset.interactions
    training = Training(
        dataset=dataset.name,
        users=dataset.users,
        items=dataset.items,
        interactions=log.where(fold != number),
        item_table=dataset.item_table,
        user_table=dataset.user_table,
        seed=7,
        digest="",
    )
    made = REFERENCE.get(name)
    test, users = log.where(fold == number), len(dataset.users)
    batch = RateBatch(
        users=dataset.users.ids,
        user_codes=np.arange(users, dtype=np.int32),
        targets=Ragged.group(test.user, test.item, users),
        history=training.histories(),
        items=dataset.items,
    )
    predicted = made(training, made.Options(**options), seed=7).rate(batch).ratings
    missed = predicted - test.rating[np.argsort(test.user, kind="stable")]
    return float(np.sqrt((missed**2).mean())), float(np.abs(missed).mean())


def test_the_published_folds_can_be_made_from_u_data(movielens, published_fold):
    # users of u1.test to u5.test as GroupLens ships them
    users = [len(np.unique(movielens.interactions.user[published_fold == n])) for n in range(5)]
    assert users == [459, 653, 869, 923, 927]


def test_user_averages_on_u1_are_those_of_mymedialite(movielens, published_fold):
    # MyMediaLite, documentation of its command line tools: UserAverage RMSE 1.063 MAE 0.85019 on u1
    found = errors(movielens, published_fold, 0, "bias", user_damping=0, item_damping=1e12)
    assert found == pytest.approx((1.063, 0.85019), abs=5e-4)


def test_biases_agree_with_surprise(movielens, published_fold):
    # Surprise, README, 5 folds of its own: BaselineOnly RMSE 0.944 MAE 0.748
    found = np.mean([errors(movielens, published_fold, n, "bias") for n in range(5)], axis=0)
    assert found == pytest.approx((0.9457, 0.7498), abs=2e-4)
    assert found == pytest.approx((0.944, 0.748), abs=0.005)


def test_factors_improve_on_biases(movielens, published_fold):
    rmse, mae = errors(movielens, published_fold, 0, "mf-ratings")
    assert (rmse, mae) == pytest.approx((0.9320, 0.7343), abs=0.003)
    assert rmse < errors(movielens, published_fold, 0, "bias")[0] - 0.02


def test_ials_beats_popularity(movielens):
    split = SplitSpec(method="user-ratio", fraction=0.75, pick="random").apply(movielens, seed=7)
    training = split.training
    batch = RankBatch(
        users=training.users.ids.take(split.users),
        user_codes=split.users,
        history=split.history,
        k=10,
        items=training.items,
    )
    samples = []
    for name in ("ials", "popularity"):
        lists = RankedLists(
            items=REFERENCE.get(name)(training, seed=7).rank(batch).items,
            truth=split.truth,
            history=split.history,
            answered=np.ones(len(batch), bool),
            catalogue=Catalogue(
                train_counts=np.bincount(training.interactions.item, minlength=len(training.items))
            ),
        )
        scores = metric("ndcg@10")(lists)
        samples.append(Sample(values=scores.values, scored=scores.scored, bounds=(0, 1)))
    ours, difference = intervals([samples[0], paired(*samples)], seed=7)
    assert ours.value == pytest.approx(0.468, abs=0.01)
    assert difference.low > 0.18
