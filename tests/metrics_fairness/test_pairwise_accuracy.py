"""Pairwise accuracy by group of the wanted item, against all pairs written out."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.stats.intervals import Interval, intervals

N = 7
Person = tuple[list[tuple[int, float]], list[int], list[int]]


def world(people: list[Person], groups: list[list[int]], scores: bool = True) -> RankedLists:
    """Listed items with scores, relevant items and candidates of each user."""
    width = max([len(listed) for listed, _, _ in people], default=0)
    items, values = np.full((len(people), width), -1, np.int32), np.full((len(people), width), np.nan)
    for row, (listed, _, _) in enumerate(people):
        items[row, : len(listed)] = [item for item, _ in listed]
        values[row, : len(listed)] = [score for _, score in listed]
    names = [f"g{code}" for code in range(1 + max([c for one in groups for c in one], default=0))]
    return RankedLists(
        items=items,
        truth=Ragged.from_lists([wanted for _, wanted, _ in people]),
        history=Ragged.from_lists([[] for _ in people]),
        answered=np.ones(len(people), bool),
        catalogue=Catalogue(
            train_counts=np.ones(len(groups), np.int64),
            providers=np.array([(one or [-1])[0] for one in groups], np.int32),
            provider_names=names,
            attributes=Ragged.from_lists(groups),
            attribute_names=names,
        ),
        candidates=Ragged.from_lists([candidates for _, _, candidates in people]),
        scores=values if scores else None,
    )


def estimate(spelling: str, lists: RankedLists) -> Interval:
    one = metric(spelling)
    return intervals([one.sample(one(lists))], seed=1)[0]


def by_pairs(
    people: list[Person], groups: list[list[int]], pairs: str, least: int, scores: bool
) -> float | None:
    won: dict[int, float] = defaultdict(float)
    counts: dict[int, int] = defaultdict(int)
    users: dict[int, set[int]] = defaultdict(set)
    for user, (listed, wanted, candidates) in enumerate(people):
        block, place = -1, {}
        for rank, (item, score) in enumerate(listed):
            if rank == 0 or not scores or score != listed[rank - 1][1]:
                block = rank
            place.setdefault(item, block)
        pool = set(candidates)
        for one in pool & set(wanted):
            for other in pool - set(wanted):
                if one not in place and other not in place:
                    continue
                a, b = place.get(one, 99), place.get(other, 99)
                for g in groups[one]:
                    same = g in groups[other]
                    if (pairs == "intra" and not same) or (pairs == "inter" and (same or not groups[other])):
                        continue
                    won[g] += 1.0 if a < b else 0.5 if a == b else 0.0
                    counts[g] += 1
                    users[g].add(user)
    shares = [won[g] / counts[g] for g in counts if len(users[g]) >= least]
    return max(shares) - min(shares) if len(shares) > 1 else None


items = st.integers(0, N - 1)
slots = st.lists(st.tuples(items | st.just(-2), st.sampled_from([0.0, 1.0, 2.0])), max_size=6)
drawn = st.lists(
    st.tuples(slots, st.lists(items, unique=True, max_size=4), st.lists(items, max_size=9)),
    min_size=1,
    max_size=8,
)
grouped = st.lists(st.lists(st.integers(0, 2), unique=True, max_size=2).map(sorted), min_size=N, max_size=N)


@settings(max_examples=120, deadline=None)
@given(
    people=drawn,
    groups=grouped,
    pairs=st.sampled_from(["all", "inter", "intra"]),
    least=st.integers(2, 3),
    by=st.sampled_from(["providers", "attributes"]),
    scores=st.booleans(),
)
def test_against_all_pairs(
    people: list[Person], groups: list[list[int]], pairs: str, least: int, by: str, scores: bool
) -> None:
    of = [one[:1] for one in groups] if by == "providers" else groups
    lists = world(people, groups, scores)
    found = estimate(f"pairwise_accuracy_gap(by={by},pairs={pairs},least={least})", lists)
    wanted = by_pairs(people, of, pairs, least, scores)
    assert found.value == (None if wanted is None else pytest.approx(wanted))


def test_users_are_cut_into_chunks_at_will() -> None:
    rng = np.random.default_rng(1)
    people = [
        (
            [(int(i), float(-r)) for r, i in enumerate(rng.permutation(N))],
            [int(rng.integers(N))],
            list(range(N)),
        )
        for _ in range(12)
    ]
    groups = [[code % 2] for code in range(N)]
    one = metric("pairwise_accuracy_gap(least=2)")
    stream = one.start()
    for start in (0, 5):
        stream.update(world(people[start : 5 if start == 0 else 12], groups))
    parts, whole = stream.finish(), one(world(people, groups))
    np.testing.assert_array_equal(parts.sums, whole.sums)


def test_who_is_left_out() -> None:
    best = [(0, 2.0), (1, 1.0)]
    people: list[Person] = [
        (best, [0], [0, 1, 2]),
        (best, [1], [0, 1, 2]),
        (best, [0], [0, 1, 2]),
        (best, [1], [0, 1, 2]),
        ([], [0], [0, 1]),
        (best, [2], [0, 1]),
        (best, [0, 1], [0, 1]),
        (best, [3], [3, 0]),
        (best, [2], [2, 3]),
        (best, [2], [2, 1]),
        (best, [0], [0, 1]),
    ]
    lists = world(people, [[0], [1], [2], []])
    lists = replace(lists, answered=np.arange(11) != 10)
    reasons = metric("pairwise_accuracy_gap(least=2)")(lists).reasons
    named = {name: np.flatnonzero(mask).tolist() for name, mask in reasons.items() if mask.any()}
    assert named == {
        "unanswered": [10],
        "empty-list": [4],
        "no-truth": [5],
        "no-negatives": [6],
        "no-group": [7],
        "no-pairs": [8],
        "small-group": [9],
    }
    few = metric("pairwise_accuracy_gap")(lists)
    assert not few.scored.any()


def test_what_it_needs() -> None:
    lists = world([([(0, 1.0)], [0], [0, 1])], [[0], [1]])
    assert metric("pairwise_accuracy_gap(by=attributes)").needs == ("attributes", "candidates")
    with pytest.raises(UsageError, match="needs candidate sets"):
        metric("pairwise_accuracy_gap")(replace(lists, candidates=None))
    with pytest.raises(UsageError, match="needs item providers"):
        metric("pairwise_accuracy_gap")(
            replace(lists, catalogue=Catalogue(train_counts=np.ones(2, np.int64)))
        )
    with pytest.raises(UsageError, match="least=1 is no number of users"):
        metric("pairwise_accuracy_gap(least=1)")
    alone = metric("pairwise_accuracy_gap(least=2)")(world([([(0, 1.0)], [0], [0, 1])] * 3, [[0], [0]]))
    assert alone.reasons["one-group"].all()


def shown(n: int, shift: float, rng: np.random.Generator) -> RankedLists:
    """12 random candidates of two groups, clicked by taste; the scores of one group are moved down."""
    people: list[Person] = []
    for _ in range(n):
        taste = rng.normal(size=12)
        scores = taste + rng.normal(size=12) - shift * (np.arange(12) % 2)
        order = np.argsort(-scores)
        clicked = int(np.argmax(taste + rng.gumbel(size=12)))
        people.append(([(int(i), float(scores[i])) for i in order], [clicked], list(range(12))))
    return world(people, [[code % 2] for code in range(12)])


def test_a_planted_gap_lies_in_its_interval_and_no_gap_is_seldom_found() -> None:
    rng = np.random.default_rng(2)
    true = estimate("pairwise_accuracy_gap(pairs=inter)", shown(8_000, 1.0, rng)).value or 0.0
    assert 0.3 < true < 0.6
    inside = alarms = seen = 0
    for _ in range(60):
        found = estimate("pairwise_accuracy_gap(pairs=inter)", shown(120, 1.0, rng))
        inside += found.low <= true <= found.high
        seen += found.low > 0
        alarms += estimate("pairwise_accuracy_gap(pairs=all)", shown(120, 0.0, rng)).low > 0
    assert inside >= 53
    assert seen == 60
    assert alarms <= 8
