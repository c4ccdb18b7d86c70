"""On MovieLens 100K: above popularity with intervals that say so, and near printed figures."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genrec_eval.data.registry import DATASETS
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.split import split
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.base import REFERENCE
from genrec_eval.stats.intervals import intervals
from genrec_eval.stats.sample import Sample, paired

PUBLISHED = {
    # Recommenders.jl, README: random 80/20, implicit; another split of the same share
    "popularity": ({}, 0.2197),
    "item-knn": ({"neighbours": 100, "weighting": "idf"}, 0.3986),
    "slim": ({"neighbours": 120}, 0.4359),
    # Burton-David/Recommender-Systems, README: seeded 80/20
    "user-knn": ({}, 0.3856),
    # RecTools 0.19 on this very split, which multiplies with the transposed weights; see the card
    "ease": ({}, 0.4390),
}


def ndcg(cut, name, options=None):
    """nDCG@10 of each user."""
    made = REFERENCE.get(name)
    training = replace(cut.training, future=cut.held_out if made.peeks else None)
    model = made(training, made.Options(**(options or {})))
    ranked = model.rank(
        RankBatch(
            users=training.users.decode(cut.users),
            user_codes=cut.users,
            history=cut.history,
            k=10,
            items=training.items,
        )
    )
    lists = RankedLists(
        items=ranked.items,
        truth=cut.truth,
        history=cut.history,
        answered=np.ones(len(cut.users), bool),
        catalogue=Catalogue(train_counts=np.bincount(training.interactions.item, minlength=1682)),
    )
    values = metric("ndcg@10")(lists).values
    return Sample(values=values, scored=np.ones(len(values), bool), bounds=(0.0, 1.0))


@pytest.fixture(scope="module")
def movielens(real_data):
    return DATASETS.get("movielens")(path=str(real_data / "movielens-100k")).load(real_data, 1)


@pytest.fixture(scope="module")
def at_random(movielens):
    cut = split(movielens, SplitSpec(method="random", fraction=0.8), seed=7)
    return {name: ndcg(cut, name, options) for name, (options, _) in PUBLISHED.items()}


@pytest.mark.parametrize("name", PUBLISHED)
def test_figures_agree_with_printed_ones(at_random, name):
    assert at_random[name].values.mean() == pytest.approx(PUBLISHED[name][1], abs=0.01)


@pytest.mark.parametrize("name", sorted(set(PUBLISHED) - {"popularity"}))
def test_models_beat_popularity(at_random, name):
    difference = intervals([paired(at_random[name], at_random["popularity"])], seed=1)[0]
    assert difference.low > 0.13


def test_peeking_at_the_future_pays_where_tastes_change(movielens):
    cut = split(movielens, SplitSpec(method="global-temporal", fraction=0.8), min_rating=4, seed=7)
    honest, peeking = ndcg(cut, "popularity"), ndcg(cut, "peeking-popularity")
    assert intervals([paired(peeking, honest)], seed=1)[0].low > 0
    assert intervals([paired(ndcg(cut, "recent-popularity"), honest)], seed=1)[0].low > 0
