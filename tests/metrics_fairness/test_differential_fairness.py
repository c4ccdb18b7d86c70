"""Differential fairness of lists: the published value, an independent count, the edges, amplification."""

from __future__ import annotations

import itertools
from math import log

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.evaluate import score_lists
from genrec_eval.metrics.grouped.by_group import base_of
from genrec_eval.metrics.lists import GroupCodes, RankedLists
from genrec_eval.metrics.registry import metric
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.stats.differential import driving_pair
from genrec_eval.stats.intervals import Interval, intervals

CELLS = ("F*18-24", "F*25-34", "M*18-24", "M*25-34")


def lists_of(
    hits: list[bool] | np.ndarray,
    codes: list[int] | np.ndarray,
    *,
    listed: np.ndarray | None = None,
    truth: list[list[int]] | None = None,
    answered: np.ndarray | None = None,
    names: tuple[str, ...] = CELLS,
) -> RankedLists:
    """One slot each: item 0 is what everyone wants; items 3 and 4 are the tail, and of provider Toho."""
    n = len(codes)
    items = np.where(np.asarray(hits, bool), 0, 1).astype(np.int32)[:, None] if listed is None else listed
    return RankedLists(
        items=items,
        truth=Ragged.from_lists(truth or [[0]] * n),
        history=Ragged.from_lists([[2, 3]] * n),
        answered=np.ones(n, bool) if answered is None else answered,
        catalogue=Catalogue(
            train_counts=np.array([50, 40, 20, 5, 1]),
            providers=np.array([0, 0, 0, 1, 1], np.int32),
            provider_names=("Acme", "Toho"),
        ),
        groups={"gender*age": GroupCodes(np.asarray(codes, np.int32), names)},
    )


def value(spelling: str, lists: RankedLists) -> tuple[UnitScores, Interval]:
    bound = metric(spelling)
    scores = bound(lists)
    return scores, intervals([bound.sample(scores)], seed=1)[0]


def plain_epsilon(hits: list[int], counts: list[int], alpha: float) -> float:
    """Every pair and both outcomes, one by one."""
    found = []
    for (h, n), (g, m) in itertools.permutations(zip(hits, counts, strict=True), 2):
        for y, z in ((h, g), (n - h, m - g)):
            found.append(log((y + alpha) / (n + 2 * alpha)) - log((z + alpha) / (m + 2 * alpha)))
    return max(found)


def test_adult_gives_the_value_that_aif360_documents() -> None:
    # income above 50K in the 45,222 complete rows of UCI Adult: Amer-Indian-Eskimo, Asian-Pac-Islander,
    # Black, Other, White, women and then men
    rich = [14, 65, 126, 9, 1455, 39, 304, 408, 36, 8752]
    people = [166, 436, 2084, 126, 11883, 269, 867, 2144, 227, 27020]
    codes = np.repeat(np.arange(10), people)
    hits = np.concatenate([np.arange(n) < h for h, n in zip(rich, people, strict=True)])
    names = tuple(f"cell {code}" for code in range(10))
    _scores, found = value(
        "differential_fairness(by=gender*age,alpha=0.5)@1", lists_of(hits, codes, names=names)
    )
    assert found.value == pytest.approx(1.7547611985549287, abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert found.low < 1.7547 < found.high
    assert found.method == "simultaneous-t-log"
    driving = driving_pair(np.array(rich, float), np.array(people, float), 0.5)
    assert driving is not None
    assert (driving.lower, driving.higher) == (2, 5 + 1)


cells = st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), min_size=2, max_size=4)


@given(cells, st.sampled_from([0.5, 1.0, 3.0]))
def test_value_is_that_of_all_pairs_counted_one_by_one(pairs: list[tuple[int, int]], alpha: float) -> None:
    hits = [h for h, _ in pairs]
    counts = [h + miss for h, miss in pairs]
    codes = np.repeat(np.arange(len(pairs)), counts)
    hit = np.concatenate([np.arange(n) < h for h, n in zip(hits, counts, strict=True)])
    kept = [i for i, n in enumerate(counts) if n >= 4]
    scores, found = value(
        f"differential_fairness(by=gender*age,alpha={alpha},least=4)@1", lists_of(hit, codes)
    )
    if len(kept) < 2:
        assert found.value is None
        assert not scores.scored.any()
    else:
        expected = plain_epsilon([hits[i] for i in kept], [counts[i] for i in kept], alpha)
        assert found.value == pytest.approx(expected, abs=1e-12)
        assert found.low is not None
        assert 0 <= found.low <= found.value <= found.high


def test_who_is_left_out_is_counted_under_a_reason() -> None:
    codes = np.repeat([0, 1, 2, -1], [40, 40, 5, 7])
    hits = np.arange(92) % 2 == 0
    lists = lists_of(hits, codes, truth=[[]] + [[0]] * 91)
    scores, found = value("differential_fairness(by=gender*age)@1", lists)
    counted = {name: int(mask.sum()) for name, mask in scores.reasons.items() if mask.any()}
    assert counted == {"no-truth": 1, "no-group": 7, "small-group": 5}
    assert found.n == 79
    scores, found = value("differential_fairness(by=gender*age,least=41)@1", lists)
    assert (found.value, found.low) == (None, None)
    assert "one-group" not in scores.reasons or not scores.scored.any()


def test_a_user_without_an_answer_is_no_hit() -> None:
    codes, hits = np.repeat([0, 1], 40), np.ones(80, bool)
    answered = np.arange(80) < 60
    _, found = value("differential_fairness(by=gender*age)@1", lists_of(hits, codes, answered=answered))
    assert found.value == pytest.approx(plain_epsilon([40, 20], [40, 40], 1.0))


def test_groups_that_never_hit_are_not_known_exactly() -> None:
    codes, hits = np.repeat([0, 1], 40), np.zeros(80, bool)
    _, found = value("differential_fairness(by=gender*age)@1", lists_of(hits, codes))
    assert found.value == 0.0
    assert found.low == 0.0
    assert found.high is not None
    assert found.high > 2


def test_verdicts_can_name_the_pair_by_the_rate_that_is_compared() -> None:
    for outcome, rate in (
        ("hit", "hit_rate@5"),
        ("long_tail", "long_tail@5"),
        ("providers,items=Toho", None),
    ):
        found = base_of(metric(f"differential_fairness(by=gender*age,outcome={outcome})@5"))
        assert (found and found.id) == rate


def test_chunks_make_no_difference() -> None:
    codes = np.repeat([0, 1, 2], 40)
    hits = np.arange(120) % 3 == 0
    bound = metric("differential_fairness(by=gender*age)@1")
    whole = bound(lists_of(hits, codes))
    chunks = [lists_of(hits[rows], codes[rows]) for rows in (slice(0, 50), slice(50, 120))]
    groups = {"gender*age": GroupCodes(codes.astype(np.int32), CELLS)}
    parts = bound.settled(score_lists([bound], chunks)[bound.id], groups)
    assert np.array_equal(parts.sums, whole.sums)  # type: ignore[arg-type]
    assert np.array_equal(parts.values, whole.values)


def test_a_slice_with_a_tiny_group_has_no_interval() -> None:
    bound = metric("differential_fairness(by=gender*age)@1")
    sample = bound.sample(bound(lists_of(np.arange(120) % 3 == 0, np.repeat([0, 1, 2], 40))))
    found = intervals([sample.where(np.arange(120) < 90)], seed=1)[0]
    assert found.low is None
    assert found.reason == "a group has fewer than 30 units here"


def test_labels_that_mean_nothing_have_a_large_p_and_a_planted_cell_a_small_one() -> None:
    rng = np.random.default_rng(3)
    codes = rng.integers(0, 4, 400)
    bound = metric("differential_fairness(by=gender*age)@1")
    test = bound.definition.test
    assert test is not None
    fair = bound(lists_of(rng.random(400) < 0.5, codes)).sums
    unfair = bound(lists_of(rng.random(400) < np.where(codes == 2, 0.2, 0.5), codes)).sums
    assert fair is not None
    assert unfair is not None
    assert (test(fair, bound.parameters, 1) or 0.0) > 0.05
    assert (test(unfair, bound.parameters, 1) or 1.0) < 0.01


@pytest.mark.parametrize(
    ("spelling", "sentence"),
    [
        ("differential_fairness(by=gender*age,alpha=0)@1", "alpha is above 0, not 0.0"),
        ("differential_fairness(by=gender*age,least=1)@1", "least is at least 2 users, not 1"),
        ("differential_fairness(by=gender*age,outcome=providers)@1", "needs items=NAME"),
        ("differential_fairness(by=gender*age,items=Toho)@1", "goes with outcome=attributes"),
        (
            "differential_fairness_amplification(by=g,outcome=hit)@1",
            "outcome is one of long_tail, attributes",
        ),
    ],
)
def test_senseless_parameters_are_refused_in_one_sentence(spelling: str, sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        metric(spelling)


def test_unknown_groups_and_items_are_refused_in_one_sentence() -> None:
    lists = lists_of([True, False], [0, 1])
    with pytest.raises(UsageError, match=r"has no group 'gender'"):
        metric("differential_fairness(by=gender)@1")(lists)
    with pytest.raises(UsageError, match=r"hold 'Tohoo'; did you mean 'Toho'\?"):
        metric("differential_fairness(by=gender*age,outcome=providers,items=Tohoo)@1")(lists)
    with pytest.raises(UsageError, match="needs item attributes"):
        metric("differential_fairness(by=gender*age,outcome=attributes,items=War)@1")(lists)


@pytest.mark.parametrize("outcome", ["long_tail", "providers,items=Toho"])
def test_amplification_is_what_lists_add_to_the_choices_of_the_groups(outcome: str) -> None:
    codes = np.repeat([0, 1], 60)
    # a third of either group's choices are of the tail for the first group, two thirds for the second
    truth = [[0, 1, 3] if code == 0 else [0, 3, 4] for code in codes]
    same = np.array([[0, 1, 3] if code == 0 else [0, 3, 4] for code in codes], np.int32)
    wider = np.array([[0, 1, 2] if code == 0 else [0, 3, 4] for code in codes], np.int32)
    spelling = f"differential_fairness_amplification(by=gender*age,outcome={outcome})@3"
    scores, found = value(spelling, lists_of([], codes, listed=same, truth=truth))
    assert found.value == pytest.approx(0.0, abs=1e-12)
    assert found.low is not None
    assert found.high is not None
    assert found.low <= 0 <= found.high
    scores, found = value(spelling, lists_of([], codes, listed=wider, truth=truth))
    expected = log((40 + 1) / 62) - log(1 / 62) - (log((40 + 1) / 62) - log((20 + 1) / 62))
    assert found.value == pytest.approx(expected)
    assert found.low is not None
    assert found.low > 0
    assert scores.values[:1] == pytest.approx([-1 / 3])
    single = value(
        f"differential_fairness(by=gender*age,outcome={outcome})@3", lists_of([], codes, listed=wider)
    )
    assert single[1].value == pytest.approx(plain_epsilon([0, 40], [60, 60], 1.0))


def test_amplification_names_who_has_no_data() -> None:
    codes = np.repeat([0, 1], 40)
    listed = np.full((80, 2), 3, np.int32)
    truth = [[]] * 3 + [[0]] * 77
    scores, _ = value(
        "differential_fairness_amplification(by=gender*age)@2",
        lists_of([], codes, listed=listed, truth=truth),
    )
    assert int(scores.reasons["no-data"].sum()) == 3
    scores, _ = value(
        "differential_fairness_amplification(by=gender*age,data=history)@2",
        lists_of([], codes, listed=listed, truth=truth),
    )
    assert scores.scored.all()
