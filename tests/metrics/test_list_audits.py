"""What lists tell of leaks, of scores and of how much of them can be used."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations, pairwise
from math import isnan

import numpy as np
import pytest
from furnished import NEVER, N, Shelf, Shopper, build, cutoffs, shelves, shoppers
from hypothesis import given, settings

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import PAD, Ragged

examples = settings(max_examples=40)


def check(found: UnitScores, row: int, want: float | str, what: object) -> None:
    why = [reason for reason, mask in found.reasons.items() if mask[row]]
    if isinstance(want, str):
        assert why == [want], what
    else:
        assert not why, what
        assert found.values[row] == pytest.approx(want, abs=1e-12), what


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_future_equals_plain_python(people: list[Shopper], shelf: Shelf, k: int) -> None:
    for candidates in (True, False):
        for of in ("test_counts", "first_seen"):
            found = metric(f"future(of={of})@{k}")(build(people, shelf, candidates=candidates))
            for row, one in enumerate(people):

                def ahead(item: int, one: Shopper = one, of: str = of) -> bool:
                    if of == "first_seen":
                        return one.cut <= shelf.first[item] < NEVER
                    return shelf.later[item] > 0 and shelf.counts[item] == 0

                pool = set(one.candidates if candidates else range(N)) - set(one.history)
                valid = [item for item in one.listed[:k] if item >= 0]
                if not one.answered or not one.listed:
                    want: float | str = "empty-list" if one.answered else "unanswered"
                elif not valid:
                    want = "no-valid-item"
                elif of == "test_counts" and not any(shelf.counts):
                    want = "no-training"
                elif not any(map(ahead, pool)):
                    want = "no-future-item"
                else:
                    want = sum(map(ahead, valid)) / len(valid) - sum(map(ahead, pool)) / len(pool)
                check(found, row, want, (of, candidates, one))


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_peeking_equals_plain_python(people: list[Shopper], shelf: Shelf, k: int) -> None:
    found = metric(f"peeking@{k}")(build(people, shelf))
    before = shelf.counts
    after = [one + other for one, other in zip(before, shelf.later, strict=True)]
    for row, one in enumerate(people):
        if not one.answered or not one.listed:
            check(found, row, "empty-list" if one.answered else "unanswered", one)
            continue
        pairs = [
            (i, j)
            for i, j in combinations([item for item in one.listed[:k] if item >= 0], 2)
            if before[i] != before[j] and after[i] != after[j]
        ]
        by_list = {place for place, (i, j) in enumerate(pairs) if before[i] < before[j]}
        by_test = {
            place for place, (i, j) in enumerate(pairs) if (before[i] < before[j]) != (after[i] < after[j])
        }
        either = by_list | by_test
        check(found, row, len(by_list & by_test) / len(either) if either else "no-departure", one)
        assert found.weights[row] == len(either)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_scores_equal_plain_python(people: list[Shopper], shelf: Shelf, k: int) -> None:
    lists = build(people, shelf)
    tied, misordered = metric(f"tied@{k}")(lists), metric(f"misordered@{k}")(lists)
    for row, one in enumerate(people):
        scores = one.scores[:k]
        given = [score for score in scores if not isnan(score)]
        if not one.answered or not scores or not given:
            why = "unanswered" if not one.answered else "no-scores" if scores else "empty-list"
            check(tied, row, why, one)
            check(misordered, row, why, one)
            continue
        check(tied, row, sum(given.count(score) > 1 for score in given) / len(given), one)
        pairs = [(a, b) for a, b in pairwise(scores) if not isnan(a) and not isnan(b)]
        check(misordered, row, sum(a < b for a, b in pairs) / len(pairs) if pairs else "one-item", one)
    silent = metric(f"tied@{k}")(build(people, shelf, scores=False))
    for row, one in enumerate(people):
        if one.answered and one.listed:
            check(silent, row, "no-scores", one)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_collision_outside_and_usable_equal_plain_python(people: list[Shopper], shelf: Shelf, k: int) -> None:
    for candidates in (True, False):
        lists = build(people, shelf, candidates=candidates)
        usable, short = metric(f"usable@{k}")(lists), metric(f"short@{k}")(lists)
        for row, one in enumerate(people):
            pool = set(one.candidates if candidates else range(N)) - set(one.history)
            room = min(k, len(pool))
            slots = one.listed[:k]
            if not one.answered or not room:
                why = "nothing-new" if one.answered else "unanswered"
                check(usable, row, why, one)
                check(short, row, why, one)
            else:
                check(usable, row, len(set(slots) & pool) / room, one)
                check(short, row, max(room - len(slots), 0) / room, one)
    lists = build(people, shelf)
    collision, outside = metric(f"collision@{k}")(lists), metric(f"outside@{k}")(lists)
    for row, one in enumerate(people):
        slots = one.listed[:k]
        if one.answered and slots:
            check(collision, row, sum(i >= 0 and shelf.ambiguous[i] for i in slots) / len(slots), one)
            check(outside, row, sum(i not in one.candidates for i in slots) / len(slots), one)


def world(seed: int, n_items: int = 120, n: int = 300) -> tuple[RankedLists, np.ndarray, np.random.Generator]:
    """Users without lists; popularity drifts from training to test, and some items come up only then."""
    draw = np.random.default_rng(seed)
    taste = draw.gamma(0.6, size=n_items)
    before = 1 + draw.poisson(60 * taste)
    after = draw.poisson(20 * taste * draw.lognormal(0, 0.6, n_items))
    before[:15], after[:15] = 0, draw.integers(1, 9, 15)
    history = [draw.choice(np.arange(15, n_items), 12, replace=False).tolist() for _ in range(n)]
    lists = RankedLists(
        items=np.full((n, 10), PAD, np.int32),
        truth=Ragged.from_lists([[]] * n),
        history=Ragged.from_lists(history),
        answered=np.ones(n, bool),
        catalogue=Catalogue(train_counts=before, test_counts=after),
    )
    return lists, taste, draw


def ranked(lists: RankedLists, score: np.ndarray) -> RankedLists:
    """Each user's 10 best new items by ``score``, float[n_items] or float[n, n_items]."""
    score = np.broadcast_to(score, (len(lists), lists.n_items)).astype(float).copy()
    rows = np.repeat(np.arange(len(lists)), lists.history.lengths)
    score[rows, lists.history.values] = -np.inf
    return replace(lists, items=np.argsort(-score, axis=1, kind="stable")[:, :10].astype(np.int32))


def value(name: str, lists: RankedLists) -> float:
    found = metric(name)(lists)
    weights = None if found.weights is None else found.weights[found.scored]
    return float(np.average(found.values[found.scored], weights=weights))


@pytest.mark.parametrize("seed", range(5))
def test_planted_leaks_stand_far_from_sound_models(seed: int) -> None:
    empty, _, draw = world(seed)
    before, after = empty.catalogue.train_counts, empty.catalogue.test_counts
    sound = {
        "popularity": ranked(empty, before),
        "random": ranked(empty, draw.random((len(empty), empty.n_items))),
        "personal": ranked(empty, before * draw.lognormal(0, 1, (len(empty), empty.n_items))),
        "noisy for all": ranked(empty, before * draw.lognormal(0, 0.3, empty.n_items)),
    }
    for name, lists in sound.items():
        assert value("peeking@10", lists) < 0.4, name
        assert value("future@10", lists) < 0.01, name
    assert value("peeking@10", ranked(empty, before + after)) == 1.0
    new = (before == 0) & (after > 0)
    assert value("future@10", ranked(empty, before + 1e6 * new)) > 0.8
    three = np.isin(np.arange(empty.n_items), np.flatnonzero(new)[:3])
    chance = new.sum() / (empty.n_items - 12)
    assert value("future@10", ranked(empty, before + 1e6 * three)) == pytest.approx(0.3 - chance)


def test_negative_log_probabilities_rise() -> None:
    empty, taste, _ = world(0)
    lists = ranked(empty, taste)
    chances = taste[lists.items]
    assert value("misordered@10", replace(lists, scores=-np.log(chances))) == 1.0
    assert value("misordered@10", replace(lists, scores=np.log(chances))) == 0.0
    assert value("tied@10", replace(lists, scores=np.ones(lists.items.shape))) == 1.0
