"""Vectors that other libraries publish, and closed forms, for metrics beyond accuracy."""

from __future__ import annotations

from dataclasses import replace
from math import log
from typing import ClassVar

import numpy as np
import pytest

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import PAD, Ragged


def lists_of(
    rows: list[list[int]], catalogue: Catalogue, history: list[list[int]], truth: list[list[int]]
) -> RankedLists:
    items = np.full((len(rows), max(map(len, rows))), PAD, np.int32)
    for row, listed in enumerate(rows):
        items[row, : len(listed)] = listed
    return RankedLists(
        items=items,
        truth=Ragged.from_lists(truth),
        history=Ragged.from_lists(history),
        answered=np.ones(len(rows), bool),
        catalogue=catalogue,
    )


def learnt(history: list[list[int]], n: int, **facts: object) -> Catalogue:
    """The catalogue as training on these histories leaves it, with who-has-what as embeddings."""
    has = np.zeros((n, len(history)), np.float32)
    for user, items in enumerate(history):
        has[items, user] = 1.0
    flat = [item for items in history for item in items]
    return Catalogue(
        train_counts=np.bincount(flat, minlength=n),
        train_users=has.sum(axis=1).astype(np.int64),
        n_users=len(history),
        **{"embeddings": has, **facts},
    )


class TestRecommenders:
    """``diversity_data`` of tests/unit/recommenders/evaluation of recommenders-team/recommenders (MIT).

    Its items 1..5 are 0..4 here.
    """

    history: ClassVar = [[0, 1, 3], [2, 3], [2, 3, 4]]
    rows: ClassVar = [[2, 4], [1, 4], [0, 1]]
    relevant: ClassVar = [[2], [1, 4], [0]]
    features = np.array(
        [[0, 1, 1, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 1, 0], [0, 0, 1, 0, 1], [0, 0, 0, 1, 1]], np.float32
    )

    def lists(self, **facts: object) -> RankedLists:
        return lists_of(self.rows, learnt(self.history, 5, **facts), self.history, self.relevant)

    def test_coverage_and_entropy(self) -> None:
        assert metric("coverage@2")(self.lists()).total == pytest.approx(0.8)
        assert metric("entropy@2")(self.lists()).total == pytest.approx(1.9183, abs=1e-4)

    def test_novelty(self) -> None:
        one = lists_of([[i] for i in range(5)], learnt(self.history, 5), [[]] * 5, [[]] * 5)
        assert metric("novelty@1")(one).values == pytest.approx([3, 3, 2, 1.41504, 3], abs=1e-5)
        assert metric("novelty@2")(self.lists()).values.mean() == pytest.approx(2.83333, abs=1e-5)

    def test_diversity_by_who_has_what_and_by_features(self) -> None:
        found = metric("ild(of=embeddings)@2")(self.lists()).values
        assert found == pytest.approx([0.29289, 1, 0], abs=1e-5)
        assert found.mean() == pytest.approx(0.43096, abs=1e-5)
        by_features = metric("ild(of=embeddings)@2")(self.lists(embeddings=self.features))
        assert by_features.values == pytest.approx([0.5, 0.5, 0.5])

    def test_serendipity_by_who_has_what_and_by_features(self) -> None:
        found = metric("serendipity(of=embeddings)@2")(self.lists()).values
        assert found == pytest.approx([0.363915, 0.53455, 0.403775], abs=1e-5)
        assert found.mean() == pytest.approx(0.43408, abs=1e-5)
        by_features = metric("serendipity(of=embeddings)@2")(self.lists(embeddings=self.features))
        assert by_features.values.mean() == pytest.approx(0.4028, abs=1e-4)


def values(name: str, rows: list[list[int]], history: list[list[int]], n: int) -> list[float]:
    lists = lists_of(rows, learnt(history, n), [[]] * len(rows), [[]] * len(rows))
    return metric(name)(lists).values.tolist()


def test_rectools_mean_inverse_user_frequency() -> None:
    """Docstring of rectools.metrics.novelty (Apache-2.0): items 1..3 are 0..2 here."""
    rows, history = [[2], [1, 2], [0, 1]], [[0, 1], [0], [0]]
    for k, want in {1: [1.5849625, 1.5849625, 0], 3: [1.5849625, 1.5849625, 0.79248125]}.items():
        assert values(f"novelty(of=users)@{k}", rows, history, 3) == pytest.approx(want)


def test_replay_surprisal_is_relative_to_the_rarest() -> None:
    """replay.metrics.surprisal (Apache-2.0): divided by log2 of the users; a cold item counts one user."""
    rows, history = [[2], [1, 2], [0, 1]], [[0, 1], [0], [0]]
    assert values("novelty(of=users,scale=share)@2", rows, history, 3) == pytest.approx([1, 1, 0.5])


def test_rectools_average_popularity() -> None:
    """Docstring of rectools.metrics.popularity."""
    rows, history = [[0, 1], [2, 0, 1], [2, 1]], [[0, 1], [0, 2], [0, 1]]
    for k, want in {1: [3, 1, 1], 3: [2.5, 2, 1.5]}.items():
        assert values(f"popularity@{k}", rows, history, 3) == pytest.approx(want)


def test_rectools_serendipity() -> None:
    """Docstring of rectools.metrics.serendipity: items i1..i4 are 0..3 here."""
    history = [[0, 1], [0, 1], [0]]
    lists = lists_of([[0, 1], [1, 2], [2], [1, 2]], learnt(history, 4), [[]] * 4, [[0, 1], [1, 2], [1], [1]])
    assert metric("serendipity@1")(lists).values == pytest.approx([0, 0.25, 0, 0.25])
    assert metric("serendipity@2")(lists).values == pytest.approx([0, 0.5, 0, 0.125])


def test_recbole_tail_percentage() -> None:
    """tests/metrics/test_topk_metrics.py of RUCAIBox/RecBole (MIT), tail of 0.1 of 6 items: item 1.

    Its items 0 and 7 have no count and never belong to the tail; here they must be popular for that.
    """
    rows = [[5, 7, 3], [4, 5, 2], [2, 3, 5], [1, 4, 6], [5, 3, 7]]
    catalogue = Catalogue(train_counts=np.array([9, 0, 1, 2, 3, 4, 5, 9]))
    lists = lists_of(rows, catalogue, [[]] * 5, [[]] * 5)
    for k, want in {1: [0, 0, 0, 1, 0], 2: [0, 0, 0, 0.5, 0], 3: [0, 0, 0, 1 / 3, 0]}.items():
        found = metric(f"long_tail(by=items,share=0.1)@{k}")(lists)
        assert found.values == pytest.approx(want)


def test_replay_unexpectedness() -> None:
    """replay.metrics.unexpectedness: overlap of first k with a base list; here popularity is that list."""
    catalogue = Catalogue(train_counts=np.array([9, 8, 7, 6, 1, 1]))
    lists = lists_of([[0, 4, 1, 5], [3, 2, 1, 0]], catalogue, [[], []], [[], []])
    assert metric("unexpectedness@2")(lists).values == pytest.approx([0.5, 1.0])
    assert metric("unexpectedness@4")(lists).values == pytest.approx([0.5, 0.0])


class TestCalibration:
    """Closed forms of Steck 2018."""

    genres = Ragged.from_lists([[0], [0], [1], [1], [2], [0, 1]])
    catalogue = Catalogue(
        train_counts=np.ones(6, np.int64), attributes=genres, attribute_names=("a", "b", "c")
    )

    def score(self, name: str, rows: list[list[int]], history: list[list[int]]) -> UnitScores:
        return metric(name)(lists_of(rows, self.catalogue, history, [[]] * len(rows)))

    @pytest.mark.parametrize("divergence", ["kl", "js", "hellinger"])
    def test_the_same_mix_is_at_nought_whatever_the_length(self, divergence: str) -> None:
        found = self.score(
            f"calibration(divergence={divergence})@4", [[0, 2], [5, 0, 2]], [[1, 3, 1, 3], [0, 3] * 20]
        )
        assert found.values == pytest.approx([0, 0], abs=1e-7)

    @pytest.mark.parametrize(("divergence", "worst"), [("kl", -log(0.01)), ("js", 1.0), ("hellinger", 1.0)])
    def test_a_list_without_any_genre_of_the_history_is_worst(self, divergence: str, worst: float) -> None:
        found = self.score(f"calibration(divergence={divergence})@4", [[4]], [[0, 2]])
        assert found.values == pytest.approx([worst])

    def test_alpha_bounds_the_divergence(self) -> None:
        assert self.score("calibration(alpha=0.1)@4", [[4]], [[0]]).values == pytest.approx([-log(0.1)])

    def test_rank_weights_favour_the_top(self) -> None:
        rows, history = [[0, 0, 2], [2, 0, 0]], [[0, 0, 2]] * 2
        plain = self.score("calibration@3", rows, history).values
        ranked = self.score("calibration(weights=rank)@3", rows, history).values
        assert plain == pytest.approx([0, 0], abs=1e-12)
        assert (ranked > 0.001).all()


def test_swapping_two_providers_swaps_their_exposure() -> None:
    catalogue = Catalogue(
        train_counts=np.array([3, 1]),
        providers=np.array([0, 1], np.int32),
        provider_names=("north", "south"),
    )
    lists = lists_of([[0, 1], [0, 1]], catalogue, [[], []], [[], []])
    swapped = replace(lists, catalogue=replace(catalogue, provider_names=("south", "north")))

    def share(lists: RankedLists, spelling: str) -> float:
        found = metric(f"exposure({spelling})@2")(lists)
        return float(np.average(found.values, weights=found.weights))

    first = 1 / (1 + 1 / np.log2(3))
    assert share(lists, "group=north") == pytest.approx(first)
    assert share(swapped, "group=south") == pytest.approx(first)
    assert share(lists, "group=north,relative=catalogue") == pytest.approx(first / 0.5)
    assert share(lists, "group=north,relative=train") == pytest.approx(first / 0.75)
    one = replace(lists, catalogue=replace(catalogue, providers=np.zeros(2, np.int32)))
    assert share(one, "group=north,relative=catalogue") == 1.0


def test_lift_is_the_ratio_of_means() -> None:
    catalogue = Catalogue(train_counts=np.array([10, 2]))
    lists = lists_of([[0], [1]], catalogue, [[1], [0]], [[], []])
    found = metric("popularity_lift@1")(lists)
    assert found.values == pytest.approx([4.0, -0.8])
    assert np.average(found.values, weights=found.weights) == pytest.approx(0.0)
