"""What holds for every metric beyond accuracy: order, chunks, names and edges change nothing."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from furnished import GENRES, OF_THE_RUN, PER_USER, N, Shelf, Shopper, build, cutoffs, shelves, shoppers
from hypothesis import given, settings
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import METRICS, metric
from genrec_eval.protocol.arrays import Ragged

EVERY = [*PER_USER, *OF_THE_RUN]


def scores(lists: RankedLists, k: int) -> dict[str, UnitScores]:
    return {name: metric(f"{name}@{k}")(lists) for name in EVERY}


def same(one: UnitScores, other: UnitScores, name: str) -> None:
    np.testing.assert_array_equal(one.scored, other.scored, err_msg=name)
    for reason in one.reasons.keys() | other.reasons.keys():
        nobody = np.zeros(len(one), bool)
        mine, theirs = one.reasons.get(reason, nobody), other.reasons.get(reason, nobody)
        np.testing.assert_array_equal(mine, theirs, err_msg=f"{name} {reason}")
    ok = one.scored
    np.testing.assert_allclose(one.values[ok], other.values[ok], rtol=0, atol=1e-12, err_msg=name)
    assert (one.total is None) == (other.total is None)
    assert one.total == pytest.approx(other.total, abs=1e-12), name
    if one.weights is not None:
        np.testing.assert_allclose(one.weights[ok], other.weights[ok], err_msg=name)


def rows_of(lists: RankedLists, rows: np.ndarray) -> RankedLists:
    return replace(
        lists,
        items=lists.items[rows],
        truth=lists.truth.take(rows),
        history=lists.history.take(rows),
        candidates=lists.candidates.take(rows),
        answered=lists.answered[rows],
        scores=lists.scores[rows],
        cut=lists.cut[rows],
    )


def taken(found: UnitScores, rows: np.ndarray) -> UnitScores:
    return UnitScores(
        values=found.values[rows],
        reasons={name: mask[rows] for name, mask in found.reasons.items()},
        total=found.total,
        reach=found.reach,
        weights=None if found.weights is None else found.weights[rows],
    )


@settings(max_examples=40)
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_values_are_finite_bounded_and_have_one_reason_at_most(
    people: list[Shopper], shelf: Shelf, k: int
) -> None:
    for name, found in scores(build(people, shelf), k).items():
        low, high = metric(f"{name}@{k}").definition.bounds
        assert np.isfinite(found.values).all(), name
        values = found.values[found.scored] if found.total is None else np.array([found.total])
        assert low is None or (values >= low - 1e-9).all(), name
        assert high is None or (values <= high + 1e-9).all(), name
        masks = np.array(list(found.reasons.values()), int)
        assert masks.sum(axis=0).max(initial=0) <= 1, f"{name}: a unit has at most one reason"
        if found.weights is not None:
            assert (found.weights[found.scored] > 0).all(), name
        if found.reach is not None and found.scored.any():
            assert (np.abs(found.values) <= found.reach + 1e-9).all(), name


@settings(max_examples=40)
@given(people=shoppers, shelf=shelves, k=cutoffs, data=st.data())
def test_order_of_users_and_chunks_change_nothing(
    people: list[Shopper], shelf: Shelf, k: int, data: st.DataObject
) -> None:
    lists = build(people, shelf)
    order = np.array(data.draw(st.permutations(range(len(people)))))
    cuts = data.draw(st.lists(st.integers(0, len(people)), max_size=3).map(sorted))
    chunks = [rows_of(lists, rows) for rows in np.split(order, cuts)]
    streamed = score_lists([metric(f"{name}@{k}") for name in EVERY], chunks)
    for name, whole in scores(lists, k).items():
        same(taken(whole, order), streamed[metric(f"{name}@{k}").id], name)


@settings(max_examples=40)
@given(people=shoppers, shelf=shelves, k=cutoffs, data=st.data())
def test_renaming_items_changes_nothing(
    people: list[Shopper], shelf: Shelf, k: int, data: st.DataObject
) -> None:
    code = list(data.draw(st.permutations(range(N))))

    def renamed(ids: list[int]) -> list[int]:
        return [code[i] if i >= 0 else i for i in ids]

    moved = [
        replace(
            one,
            listed=renamed(one.listed),
            relevant=renamed(one.relevant),
            history=renamed(one.history),
            candidates=renamed(one.candidates),
        )
        for one in people
    ]
    before, after = scores(build(people, shelf), k), scores(build(moved, shelf.renamed(code)), k)
    for name in EVERY:
        same(before[name], after[name], name)


BARE = Shelf(
    counts=[0] * N,
    users=[0] * N,
    later=[0] * N,
    first=[0] * N,
    genres=[[]] * N,
    studio=[-1] * N,
    vectors=[[0.0, 0.0]] * N,
    ambiguous=[False] * N,
)
EDGES = {
    "nobody": [],
    "empty lists": [Shopper([], []), Shopper([], [])],
    "unknown ids": [Shopper([-2, -3], [1.0, 0.5])],
    "no answer": [Shopper([1], [1.0], answered=False)],
    "one item": [Shopper([1], [1.0], relevant=[1])],
}


@pytest.mark.parametrize("edge", EDGES)
@pytest.mark.parametrize("k", [1, 100])
def test_edges_are_finite_even_where_nothing_is_known_of_the_items(edge: str, k: int) -> None:
    for name, found in scores(build(EDGES[edge], BARE), k).items():
        assert len(found) == len(EDGES[edge]), name
        assert np.isfinite(found.values).all(), name


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("ild@3", "metric 'ild' needs item attributes"),
        ("ild(of=embeddings)@3", "needs item embeddings"),
        ("serendipity(of=embeddings)@3", "needs item embeddings"),
        ("calibration@3", "needs item attributes"),
        ("exposure(group=Toho)@3", "needs item providers"),
        ("collision@3", "needs semantic ids"),
        ("outside@3", "needs candidate sets"),
        ("future@3", "needs the held-out interactions"),
        ("future(of=first_seen)@3", "needs timestamps"),
        ("peeking@3", "needs the held-out interactions"),
        ("novelty(of=users)@3", "needs the number of users of each item"),
        ("entropy_over_time@3", "needs timestamps"),
    ],
)
def test_missing_facts_are_named_even_without_users(name: str, sentence: str) -> None:
    lists = build([], BARE, candidates=False)
    bare = replace(lists, catalogue=type(lists.catalogue)(train_counts=np.ones(3, np.int64)), cut=None)
    with pytest.raises(UsageError) as caught:
        metric(name)(bare)
    assert sentence in str(caught.value)


def test_needs_follow_the_parameters() -> None:
    assert metric("ild@3").needs == ("attributes",)
    assert metric("ild(of=embeddings)@3").needs == ("embeddings",)
    assert metric("serendipity@3").needs == ()
    assert metric("exposure(by=attributes,group=War)@3").needs == ("attributes",)
    assert metric("future(of=first_seen)@3").needs == ("first_seen",)


def test_groups_of_exposure_are_checked() -> None:
    lists = build([], BARE)
    for name, sentence in {
        "exposure@3": "needs a group, as in exposure(by=providers,group=Acme)@10",
        "exposure(group=Tohu)@3": "no item's providers hold 'Tohu'; did you mean 'Toho'?",
        "exposure(by=attributes,group=war)@3": f"did you mean 'War'? (known: {', '.join(GENRES)})",
    }.items():
        with pytest.raises(UsageError) as caught:
            metric(name)(lists)
        assert sentence in str(caught.value)


def test_chunks_of_different_catalogues_are_refused() -> None:
    small = replace(build([], BARE, candidates=False), catalogue=BARE.catalogue())
    other = replace(small, catalogue=type(small.catalogue)(train_counts=np.ones(3, np.int64)))
    assert isinstance(small.truth, Ragged)
    for name in ("gini@3", "entropy@3"):
        stream = metric(name).start()
        stream.update(small)
        with pytest.raises(ValueError, match="catalogues of 9 and 3 items"):
            stream.update(other)


def test_every_metric_of_these_families_is_tested_here() -> None:
    families = {
        f"genrec_eval.metrics.{name}"
        for name in (
            "popularity",
            "concentration",
            "over_time",
            "diversity",
            "serendipity",
            "calibration",
            "exposure",
            "score_order",
            "leakage",
        )
    }
    built_in = {name for name, place in METRICS.builtin.items() if place.partition(":")[0] in families}
    assert built_in <= {name.partition("(")[0] for name in EVERY}
