"""What disclosed values do to lists: planted effects, noise, shares that add up, what cannot be scored."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.metrics.base import UnitScores
from genrec_eval.metrics.registry import metric
from genrec_eval.metrics.sensitivity.arm_lists import ArmLists, Variant
from genrec_eval.metrics.sensitivity.similarity import SIMILARITIES
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.stats.intervals import Interval, intervals

VALUES = ("F", "M", "X")
OUTCOMES = ("stable", "beneficial", "unjustified", "harmful")


def world(
    seed: int = 0, n: int = 60, r: int = 3, noise: float = 0.3, moved: tuple[float, float, float] = (0, 0, 0)
) -> ArmLists:
    """Lists of 10 among 40 items; each value replaces a share ``moved`` of what the unit would get."""
    rng = np.random.default_rng(seed)
    taste = rng.random((1, n, 1, 40))
    lists = np.broadcast_to(taste, (r, n, 4, 40)) + noise * rng.random((r, n, 4, 40))
    lists = np.argsort(-lists, axis=-1)[..., :10].astype(np.int32)
    for column, share in enumerate(moved, start=1):
        swap = rng.random((r, n, 10)) < share
        lists[:, :, column][swap] = 100 + np.argwhere(swap)[:, 2].astype(np.int32)
    liked = [row[:6].tolist() for row in np.argsort(-taste[0, :, 0], axis=-1)]
    return ArmLists(
        items=lists,
        answered=np.ones((r, n, 4), bool),
        asked=np.ones((n, 4), bool),
        variants=(
            Variant(arm="neutral"),
            *(Variant(arm="sensitive", attribute="gender", value=value) for value in VALUES),
        ),
        own={},
        truth=Ragged.from_lists(liked),
    )


def of(spelling: str, lists: ArmLists) -> tuple[Interval, UnitScores]:
    bound = metric(spelling)
    scores = bound(lists)
    return intervals([bound.sample(scores)], seed=1)[0], scores


def p_of(spelling: str, lists: ArmLists) -> float | None:
    bound = metric(spelling)
    scores = bound(lists)
    assert scores.sums is not None
    assert bound.definition.test is not None
    return bound.definition.test(scores.sums[scores.scored], bound.parameters, 1)


def mean_jaccard(lists: ArmLists, column: int) -> float:
    """Unit by unit, pair by pair, sets in Python."""
    r, n = lists.items.shape[:2]
    units = []
    for unit in range(n):
        pairs = []
        for i in range(r):
            for j in range(r):
                a = set(lists.items[i, unit, 0].tolist()) - {-1}
                b = set(lists.items[j, unit, column].tolist()) - {-1}
                if i != j:
                    pairs.append(len(a & b) / len(a | b))
        units.append(sum(pairs) / len(pairs))
    return sum(units) / n


def test_similarities_are_means_over_pairs_of_different_repeats() -> None:
    lists = world(moved=(0.3, 0, 0))
    sims = [mean_jaccard(lists, column) for column in range(4)]
    assert of("neutral_noise@10", lists)[0].value == pytest.approx(sims[0])
    for value, expected in zip(VALUES, sims[1:], strict=True):
        inside = f"attribute=gender,value={value}"
        assert of(f"neutral_similarity({inside})@10", lists)[0].value == pytest.approx(expected)
        found = of(f"relative_similarity({inside})@10", lists)[0].value
        assert found == pytest.approx(expected / sims[0])
    every = of("neutral_similarity(attribute=gender)@10", lists)[0].value
    assert every == pytest.approx(np.mean(sims[1:]))
    assert of("snsr(attribute=gender)@10", lists)[0].value == pytest.approx(max(sims[1:]) - min(sims[1:]))
    assert of("snsv(attribute=gender)@10", lists)[0].value == pytest.approx(np.std(sims[1:]))


@pytest.mark.parametrize("name", [name for name in SIMILARITIES if name != "prag_common"])
def test_a_planted_value_is_found_by_every_similarity_that_sees_which_items_are_listed(name: str) -> None:
    lists = world(moved=(0.5, 0, 0))
    inside = f"attribute=gender,of={name}"
    found, _ = of(f"snsr_excess({inside})@10", lists)
    assert found.low is not None
    assert found.low > 0
    assert p_of(f"snsr_excess({inside})@10", lists) == pytest.approx(1 / 5001)
    assert of(f"relative_similarity({inside},value=F)@10", lists)[0].high < 0.9  # type: ignore[operator]
    assert of(f"relative_similarity({inside},value=M)@10", lists)[0].high > 0.97  # type: ignore[operator]


def test_prag_common_is_blind_to_items_that_are_replaced() -> None:
    inside = "attribute=gender,of=prag_common"
    assert (of(f"snsr_excess({inside})@10", world(moved=(0.5, 0, 0)))[0].low or 0) < 0
    turned = world()
    items = turned.items.copy()
    items[:, :, 1] = items[:, :, 1, ::-1]
    assert (of(f"snsr_excess({inside})@10", replace(turned, items=items, kept={}))[0].low or 0) > 0.1


def test_noise_is_no_difference_and_a_change_for_all_is_seen_where_it_shows() -> None:
    ps = []
    for seed in range(20):
        noisy = world(seed, n=40, noise=0.8)
        found, _ = of("snsr_excess(attribute=gender)@10", noisy)
        assert found.low is not None
        assert found.low <= 0  # never a difference where there is none
        ps.append(p_of("snsr_excess(attribute=gender)@10", noisy) or 0.0)
    assert 0.2 < float(np.mean(ps)) < 0.8
    assert min(ps) > 0.001
    alike = world(moved=(0.5, 0.5, 0.5))
    assert (of("snsr(attribute=gender)@10", alike)[0].high or 1) < 0.1
    assert (of("relative_similarity(attribute=gender)@10", alike)[0].high or 1) < 0.7


def test_the_floor_of_resamples_is_carried_in_the_rows() -> None:
    bound = metric("snsr_excess(attribute=gender)@10")
    lists = world()
    scores = bound(lists)
    assert scores.sums is not None
    assert bound.definition.combine is not None
    value = float(bound.definition.combine(scores.sums.sum(axis=0), bound.parameters))
    twice = float(bound.definition.combine(2 * scores.sums.sum(axis=0), bound.parameters))
    whole = of("snsr(attribute=gender)@10", lists)[0].value or 0.0
    assert (whole - twice) == pytest.approx((whole - value) / np.sqrt(2))  # of twice as many units


def shares(lists: ArmLists, value: str = "") -> dict[str, float]:
    told = f",value={value}" if value else ""
    found = {o: of(f"quadrant(attribute=gender,outcome={o}{told})@10", lists)[0].value for o in OUTCOMES}
    return {name: share or 0.0 for name, share in found.items()}


def test_quadrants_add_up_and_name_what_happened() -> None:
    calm = shares(world(n=200))
    assert sum(calm.values()) == pytest.approx(1)
    assert calm["unjustified"] <= 0.08
    assert calm["harmful"] + calm["beneficial"] <= 0.08

    steady = world(noise=1e-6)
    worse, other, better = steady.items.copy(), steady.items.copy(), steady.items.copy()
    worse[:, :, 1, :4] = np.arange(300, 304)  # liked items go
    other[:, :, 1, 6:] = np.arange(300, 304)  # the rest goes
    better[:, :, 0, :4] = np.arange(300, 304)  # the value brings what was missing
    assert shares(replace(steady, items=worse, kept={}), "F")["harmful"] == 1
    assert shares(replace(steady, items=other, kept={}), "F")["unjustified"] == 1
    assert shares(replace(steady, items=better, kept={}), "F")["beneficial"] == 1
    assert shares(steady, "M")["stable"] >= 0.9


def test_alignment_looks_at_what_the_user_likes_alone() -> None:
    steady = world(noise=1e-6)
    other = steady.items.copy()
    other[:, :, 1, 6:] = np.arange(300, 304)
    lists = replace(steady, items=other, kept={})
    assert of("preference_alignment(attribute=gender,value=F)@10", lists)[0].value == pytest.approx(
        1, abs=0.01
    )
    assert (of("neutral_similarity(attribute=gender,value=F)@10", lists)[0].value or 1) < 0.5
    nothing = replace(lists, truth=Ragged.from_lists([[39]] * 30 + [[]] * 30), kept={})
    _, scores = of("preference_alignment(attribute=gender)@10", nothing)
    assert int(scores.reasons["no-truth"].sum()) == 30
    assert set(scores.reasons) <= {"no-truth", "no-hits"}
    assert (
        of("preference_alignment(attribute=gender)@10", replace(lists, truth=None, kept={}))[0].value is None
    )


EVERY = (
    "neutral_similarity(attribute=gender)@10",
    "relative_similarity(attribute=gender)@10",
    "preference_alignment(attribute=gender)@10",
    "snsr(attribute=gender)@10",
    "snsv(attribute=gender)@10",
    "snsr_excess(attribute=gender)@10",
    "quadrant(attribute=gender,outcome=stable)@10",
)


@pytest.mark.parametrize("spelling", EVERY)
def test_what_cannot_be_compared_is_excluded_and_counted(spelling: str) -> None:
    whole = world()
    answered, asked, items = whole.answered.copy(), whole.asked.copy(), whole.items.copy()
    answered[:, 0, 0] = False  # no neutral answer at all
    items[:, 1, 0] = -1  # neutral lists are empty
    answered[:, 2, 1] = False  # the model fails under one value
    asked[3, 1:] = False
    answered[:, 3, 1:] = False
    asked[4, 2] = False  # one value was not asked: the others count
    answered[:, 4, 2] = False
    lists = replace(whole, items=items, answered=answered, asked=asked, kept={})
    found, scores = of(spelling, lists)
    counts = {name: np.flatnonzero(mask).tolist() for name, mask in scores.reasons.items() if mask.any()}
    assert counts == {"neutral-failed": [0], "empty-neutral": [1], "arm-failed": [2], "not-asked": [3]}
    assert scores.scored[4]
    assert found.n == 56
    assert np.isfinite(scores.values).all()


def test_a_value_that_the_model_always_refuses_leaves_nothing_to_call_fair() -> None:
    whole = world()
    answered = whole.answered.copy()
    answered[:, :, 1] = False
    lists = replace(whole, answered=answered, kept={})
    for spelling in EVERY:
        found, scores = of(spelling, lists)
        assert found.value is None
        assert scores.reasons["arm-failed"].all()


def test_an_empty_list_under_a_value_is_the_greatest_change() -> None:
    whole = world()
    items = whole.items.copy()
    items[:, :, 1] = -1
    lists = replace(whole, items=items, kept={})
    assert of("neutral_similarity(attribute=gender,value=F)@10", lists)[0].value == 0
    assert (of("snsr(attribute=gender)@10", lists)[0].low or 0) > 0.4


def test_one_repeat_has_no_noise_floor_but_a_similarity() -> None:
    lists = world(r=1)
    assert of("neutral_similarity(attribute=gender)@10", lists)[0].value is not None
    for spelling in ("neutral_noise@10", "relative_similarity(attribute=gender)@10", EVERY[-1]):
        found, scores = of(spelling, lists)
        assert found.value is None
        assert scores.reasons["one-repeat"].all()


def test_few_pairs_and_single_values_decide_nothing() -> None:
    pair = world(n=5)
    two = replace(
        pair, items=pair.items[:, :, :3], answered=pair.answered[:, :, :3], asked=pair.asked[:, :3],
        variants=pair.variants[:3], kept={},
    )  # fmt: skip
    for name in ("snsr", "snsv", "snsr_excess"):
        found = of(f"{name}(attribute=gender)@10", two)[0]
        assert found.value is not None
        assert found.low is None
        assert "2 values and 5 paired units" in str(found.reason)
    one = replace(
        pair, items=pair.items[:, :, :2], answered=pair.answered[:, :, :2], asked=pair.asked[:, :2],
        variants=pair.variants[:2], kept={},
    )  # fmt: skip
    found, scores = of("snsr(attribute=gender)@10", one)
    assert found.value is None
    assert scores.reasons["one-value"].all()
    nobody = replace(world(n=1), answered=np.zeros((3, 1, 4), bool), kept={})
    for spelling in EVERY:
        assert of(spelling, nobody)[0].value is None


def test_a_model_that_never_changes_has_intervals_that_know_of_units_unseen() -> None:
    whole = world()
    items = np.broadcast_to(whole.items[:1, :, :1], whole.items.shape).copy()
    lists = replace(whole, items=items, kept={})
    for spelling, value in ((EVERY[1], 1.0), (EVERY[3], 0.0), (EVERY[4], 0.0), (EVERY[5], 0.0)):
        found = of(spelling, lists)[0]
        assert found.value == pytest.approx(value)
        assert found.low is not None
        assert found.high is not None
        assert found.high - found.low > 0.02
    assert shares(lists)["stable"] == 1


def test_other_ways_of_asking_have_a_floor_of_their_own() -> None:
    whole = world(moved=(0.5, 0, 0))
    told = replace(
        whole,
        variants=(whole.variants[0], Variant(arm="paraphrase", wording="b"), *whole.variants[2:]),
        kept={},
    )
    wording = of("neutral_noise(arm=paraphrase)@10", told)[0].value
    assert wording == pytest.approx(of("neutral_similarity(attribute=gender,value=F)@10", whole)[0].value)
    assert of("neutral_noise(arm=typo)@10", told)[1].reasons["not-asked"].all()


def test_wrong_names_are_one_sentence() -> None:
    lists = world(n=2)
    with pytest.raises(UsageError, match="did you mean 'gender'"):
        metric("snsr(attribute=gendr)@10")(lists)
    with pytest.raises(UsageError, match="was never disclosed as 'W'"):
        metric("neutral_similarity(attribute=gender,value=W)@10")(lists)
    for spelling in ("snsr@10", "quadrant(attribute=gender)@10", "neutral_similarity(of=serp*)@10"):
        with pytest.raises(UsageError):
            metric(spelling)
    with pytest.raises(UsageError, match="floor lies between"):
        metric("quadrant(attribute=gender,outcome=stable,floor=0.5)@10")
