"""Factorisation and rating models on MovieLens 100K: the figures that their cards claim."""

from __future__ import annotations

import numpy as np
import pytest

from genrec_eval.data.registry import DATASETS
from genrec_eval.data.splits.spec import SplitSpec
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


def published_fold(movielens, number):
    """u1.base and u1.test to u5: GroupLens cut u.data in five runs of rows (mku.sh)."""
    return SplitSpec(method="random", folds=5, fold=number, order="file", repeats="keep").apply(movielens)


def errors(movielens, number, name, **options):
    """RMSE and MAE on one fold of a model that is fitted on the others."""
    split = published_fold(movielens, number)
    training, test, users = split.training, split.held_out, len(movielens.users)
    made = REFERENCE.get(name)
    batch = RateBatch(
        users=movielens.users.ids,
        user_codes=np.arange(users, dtype=np.int32),
        targets=Ragged.group(test.user, test.item, users),
        history=training.histories(),
        items=movielens.items,
    )
    predicted = made(training, made.Options(**options), seed=7).rate(batch).ratings
    missed = predicted - test.rating[np.argsort(test.user, kind="stable")]
    return float(np.sqrt((missed**2).mean())), float(np.abs(missed).mean())


def test_the_published_folds_are_runs_of_rows_of_u_data(movielens):
    # users of u1.test to u5.test as GroupLens ships them
    users = [len(published_fold(movielens, n).users) for n in range(1, 6)]
    assert users == [459, 653, 869, 923, 927]


def test_user_averages_on_u1_are_those_of_mymedialite(movielens):
    # MyMediaLite, documentation of its command line tools: UserAverage RMSE 1.063 MAE 0.85019 on u1
    found = errors(movielens, 1, "bias", user_damping=0, item_damping=1e12)
    assert found == pytest.approx((1.063, 0.85019), abs=5e-4)


def test_biases_agree_with_surprise(movielens):
    # Surprise, README, 5 folds of its own: BaselineOnly RMSE 0.944 MAE 0.748
    found = np.mean([errors(movielens, n, "bias") for n in range(1, 6)], axis=0)
    assert found == pytest.approx((0.9457, 0.7498), abs=2e-4)
    assert found == pytest.approx((0.944, 0.748), abs=0.005)


def test_factors_improve_on_biases(movielens):
    rmse, mae = errors(movielens, 1, "mf-ratings")
    assert (rmse, mae) == pytest.approx((0.9320, 0.7343), abs=0.003)
    assert rmse < errors(movielens, 1, "bias")[0] - 0.02


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
