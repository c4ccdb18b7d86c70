"""Metrics of single lists beyond accuracy, written down once more in plain Python."""

from __future__ import annotations

from collections.abc import Callable
from math import log, log2, sqrt

import numpy as np
import pytest
from furnished import GENRES, N, Shelf, Shopper, build, cutoffs, shelves, shoppers
from hypothesis import given, settings

from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.registry import metric

Expected = float | str | tuple[float, float]
"""Value, the reason why there is none, or value and weight."""


def agrees(
    people: list[Shopper], shelf: Shelf, name: str, want: Callable[[Shopper, list[int]], Expected], k: int
) -> None:
    """``want`` of every shopper and the filled slots of the first k; the usual reasons come first."""
    found = metric(f"{name}@{k}")(build(people, shelf))
    for row, one in enumerate(people):
        slots = one.listed[:k]
        usual = "unanswered" if not one.answered else "empty-list" if not slots else None
        value = usual or want(one, slots)
        why = [reason for reason, mask in found.reasons.items() if mask[row]]
        if isinstance(value, str):
            assert why == [value], (name, one)
            continue
        assert not why, (name, one)
        if isinstance(value, tuple):
            assert found.weights[row] == pytest.approx(value[1]), (name, one)
            value = value[0]
        assert found.values[row] == pytest.approx(value, abs=1e-9), (name, one)


def mean(values: list[float], reason: str) -> float | str:
    return sum(values) / len(values) if values else reason


examples = settings(max_examples=40)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_popularity_and_novelty(people: list[Shopper], shelf: Shelf, k: int) -> None:
    counts, whole = shelf.counts, sum(shelf.counts)

    def valid(slots: list[int]) -> list[int]:
        return [item for item in slots if item >= 0]

    def share(one: Shopper, slots: list[int]) -> Expected:
        return mean([counts[i] / max(whole, 1) for i in valid(slots)], "no-valid-item")

    def lift(one: Shopper, slots: list[int]) -> Expected:
        value = mean([counts[i] for i in valid(slots)], "no-valid-item")
        before = mean([counts[i] for i in one.history if i >= 0], "no-history")
        if isinstance(value, str):
            return value
        return (value / before - 1, before) if before and not isinstance(before, str) else "no-history"

    def novelty(one: Shopper, slots: list[int]) -> Expected:
        found = mean([-log2(max(counts[i], 1) / max(whole, 1)) for i in valid(slots)], "no-valid-item")
        return "no-training" if not whole and not isinstance(found, str) else found

    def by_users(one: Shopper, slots: list[int]) -> Expected:
        return mean([-log2(max(shelf.users[i], 1) / 10) for i in valid(slots)], "no-valid-item")

    def skipping(one: Shopper, slots: list[int]) -> Expected:
        seen = [i for i in valid(slots) if counts[i]]
        bits = [-log2(counts[i] / whole) / (log2(whole) if whole > 1 else 1) for i in seen]
        return mean(bits, "no-valid-item")

    agrees(people, shelf, "popularity(scale=share)", share, k)
    agrees(people, shelf, "popularity_lift", lift, k)
    agrees(people, shelf, "novelty", novelty, k)
    agrees(people, shelf, "novelty(of=users)", by_users, k)
    agrees(people, shelf, "novelty(scale=share,unseen=skip)", skipping, k)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_long_tail(people: list[Shopper], shelf: Shelf, k: int) -> None:
    """Items tied at the border: the mean over both orders of them, by code up and by code down."""
    counts = shelf.counts

    def tail(kind: str, order: list[int]) -> set[int]:
        if kind == "items":
            return set(order[N - max(N // 2, 1) :])
        head: list[int] = []
        while order and sum(counts[i] for i in head) < 0.8 * sum(counts) - 1e-9:
            head.append(order[len(head)])
        return set(range(N)) - set(head)

    def share(kind: str) -> dict[int, float]:
        levels = {c: [i for i in range(N) if counts[i] == c] for c in counts}
        found = dict.fromkeys(range(N), 0.0)
        for turn in range(
            60
        ):  # 60 turns each tied item past each place equally often: levels have 1..9 items
            order = [
                i
                for c in sorted(levels, reverse=True)
                for i in levels[c][turn % len(levels[c]) :] + levels[c][: turn % len(levels[c])]
            ]
            for i in tail(kind, order):
                found[i] += 1
        return found

    for kind, name in {"interactions": "long_tail", "items": "long_tail(by=items,share=0.5)"}.items():
        found = share(kind)
        if any(sum(c == d for d in counts) in (7, 8, 9) for c in counts):
            continue  # 60 is no multiple of these

        def value(one: Shopper, slots: list[int], found: dict[int, float] = found) -> Expected:
            return mean([found[i] / 60 for i in slots if i >= 0], "no-valid-item")

        agrees(people, shelf, name, value, k)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_intra_list_diversity(people: list[Shopper], shelf: Shelf, k: int) -> None:
    def pairs(items: list[int], distance: Callable[[int, int], float]) -> Expected:
        found = [distance(i, j) for place, i in enumerate(items) for j in items[:place]]
        return mean(found, "one-item")

    def jaccard(i: int, j: int) -> float:
        one, other = set(shelf.genres[i]), set(shelf.genres[j])
        return 1 - len(one & other) / len(one | other)

    def cosine(i: int, j: int) -> float:
        one, other = np.array(shelf.vectors[i]), np.array(shelf.vectors[j])
        return 1 - float(one @ other / np.sqrt((one @ one) * (other @ other)))

    agrees(
        people,
        shelf,
        "ild",
        lambda one, slots: pairs([i for i in slots if i >= 0 and shelf.genres[i]], jaccard),
        k,
    )
    agrees(
        people,
        shelf,
        "ild(of=embeddings)",
        lambda one, slots: pairs([i for i in slots if i >= 0 and any(shelf.vectors[i])], cosine),
        k,
    )


def scores_of(people: list[Shopper], shelf: Shelf, name: str) -> UnitScores:
    return metric(name)(build(people, shelf))


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_serendipity(people: list[Shopper], shelf: Shelf, k: int) -> None:
    levels = sorted(set(shelf.counts), reverse=True)

    def surprise(one: Shopper, rank: int, item: int) -> float:
        wanted = (N - rank) / N
        anyway = (N - levels.index(shelf.counts[item])) / N if shelf.counts[item] else 0.0
        return max(wanted - anyway, 0.0)

    def unlike(one: Shopper, rank: int, item: int) -> float:
        past = [np.array(shelf.vectors[i]) for i in one.history if i >= 0 and any(shelf.vectors[i])]
        mine = np.array(shelf.vectors[item])
        if not any(mine):
            return 0.0
        return 1 - float(np.mean([mine @ p / np.sqrt((mine @ mine) * (p @ p)) for p in past]))

    for name, of in {"serendipity": surprise, "serendipity(of=embeddings)": unlike}.items():
        found = scores_of(people, shelf, f"{name}@{k}")
        for row, one in enumerate(people):
            has_past = any(i >= 0 and any(shelf.vectors[i]) for i in one.history)
            if not one.relevant:
                assert found.reasons["no-truth"][row]
            elif of is unlike and not has_past:
                assert found.reasons["no-history"][row]
            else:
                slots = one.listed[:k] if one.answered else []
                hits = [(r, i) for r, i in enumerate(slots) if i in one.relevant and i not in slots[:r]]
                want = sum(of(one, r, i) for r, i in hits) / k
                assert found.values[row] == pytest.approx(want, abs=1e-9)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_unexpectedness(people: list[Shopper], shelf: Shelf, k: int) -> None:
    counts = shelf.counts

    def share(one: Shopper, slots: list[int]) -> Expected:
        new = [i for i in range(N) if i not in one.history]

        def in_base(item: int) -> float:
            above = sum(counts[i] > counts[item] for i in new)
            tied = sum(counts[i] == counts[item] for i in new)
            return min(max(k - above, 0), tied) / tied

        return mean([1 - in_base(i) for i in slots if i in new], "no-new-item")

    agrees(people, shelf, "unexpectedness", share, k)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_calibration(people: list[Shopper], shelf: Shelf, k: int) -> None:
    def mix(items: list[int], weights: list[float]) -> list[float] | None:
        found = [0.0] * len(GENRES)
        for item, weight in zip(items, weights, strict=True):
            for genre in shelf.genres[item] if item >= 0 else []:
                found[genre] += weight / len(shelf.genres[item])
        return [share / sum(found) for share in found] if sum(found) else None

    def kl(p: list[float], q: list[float]) -> float:
        return sum(a * log(a / b) for a, b in zip(p, q, strict=True) if a)

    def value(divergence: str, ranked: bool) -> Callable[[Shopper, list[int]], Expected]:
        def of(one: Shopper, slots: list[int]) -> Expected:
            q = mix(slots, [1 / log2(r + 2) if ranked else 1.0 for r in range(len(slots))])
            p = mix(one.history, [1.0] * len(one.history))
            if q is None or p is None:
                return "no-attributes" if q is None else "no-history"
            if divergence == "kl":
                return kl(p, [0.99 * b + 0.01 * a for a, b in zip(p, q, strict=True)])
            if divergence == "js":
                middle = [(a + b) / 2 for a, b in zip(p, q, strict=True)]
                return (kl(p, middle) + kl(q, middle)) / 2 / log(2)
            return sqrt(max(1 - sum(sqrt(a * b) for a, b in zip(p, q, strict=True)), 0.0))

        return of

    for divergence in ("kl", "js"):
        agrees(people, shelf, f"calibration(divergence={divergence})", value(divergence, False), k)
        agrees(
            people, shelf, f"calibration(divergence={divergence},weights=rank)", value(divergence, True), k
        )
    found = scores_of(people, shelf, f"calibration(divergence=hellinger)@{k}")
    for row, one in enumerate(people):
        if found.scored[row]:
            # the square: near 0 the root magnifies rounding
            assert found.values[row] ** 2 == pytest.approx(
                value("hellinger", False)(one, one.listed[:k]) ** 2
            )


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_exposure(people: list[Shopper], shelf: Shelf, k: int) -> None:
    def at(rank: int) -> float:
        return 1 / log2(rank + 2)

    def toho(one: Shopper, slots: list[int]) -> Expected:
        known = [(r, i) for r, i in enumerate(slots) if i >= 0 and shelf.studio[i] >= 0]
        whole = sum(at(r) for r, _ in known)
        return (sum(at(r) for r, i in known if shelf.studio[i] == 2) / whole, whole) if known else "no-group"

    def part(item: int) -> float:
        return (3 in shelf.genres[item]) / len(shelf.genres[item])

    some = [i for i in range(N) if shelf.genres[i]]
    all_counts = sum(shelf.counts[i] for i in some)
    target = sum(shelf.counts[i] * part(i) for i in some) / all_counts if all_counts else 0.0

    def war(one: Shopper, slots: list[int]) -> Expected:
        known = [(r, i) for r, i in enumerate(slots) if i >= 0 and shelf.genres[i]]
        if not known:
            return "no-group"
        whole = sum(0.85**r for r, _ in known)
        given = sum(0.85**r * part(i) for r, i in known)
        return (given / whole / target, whole) if target else "no-target"

    def nameless(one: Shopper, slots: list[int]) -> Expected:
        whole = sum(at(r) for r, _ in enumerate(slots))
        lost = sum(at(r) for r, i in enumerate(slots) if i < 0 or shelf.studio[i] < 0)
        return (lost / whole, whole) if slots else "empty-list"

    agrees(people, shelf, "unlabelled", nameless, k)
    agrees(people, shelf, "exposure(group=Toho)", toho, k)
    agrees(people, shelf, "exposure(by=attributes,group=War,relative=train,weights=geometric)", war, k)


@examples
@given(people=shoppers, shelf=shelves, k=cutoffs)
def test_shares_of_all_groups_sum_to_one(people: list[Shopper], shelf: Shelf, k: int) -> None:
    found = [scores_of(people, shelf, f"exposure(by=attributes,group={genre})@{k}") for genre in GENRES]
    np.testing.assert_allclose(sum(one.values for one in found)[found[0].scored], 1.0)
