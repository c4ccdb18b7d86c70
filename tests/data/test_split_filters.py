from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from split_toys import Row, dataset, rows

from genrec_eval.data.dataset import Dataset
from genrec_eval.data.registry import DATASETS
from genrec_eval.data.splits.filters import k_core
from genrec_eval.data.splits.pairs import first_of_each, found_in
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.split import Split


@settings(max_examples=40)
@given(rows, st.integers(1, 5), st.integers(1, 5))
def test_k_core_agrees_with_a_loop_that_removes_one_at_a_time(
    data: list[Row], users: int, items: int
) -> None:
    left = sorted(data, key=lambda row: row[3])
    while True:
        weak = [
            row
            for row in left
            if sum(other[0] == row[0] for other in left) < users
            or sum(other[1] == row[1] for other in left) < items
        ]
        if not weak:
            break
        left.remove(weak[0])
    log = dataset(data).interactions
    mask, rounds = k_core(log, users, items)
    kept = log.where(mask)
    assert kept.timestamp is not None
    assert sorted(zip(kept.user, kept.item, kept.timestamp, strict=True)) == sorted(
        (user, item, time) for user, item, _, time in left
    )
    assert rounds[0]["interactions"] == len(data)
    assert rounds[-1] == {
        "interactions": len(left),
        "users": len({row[0] for row in left}),
        "items": len({row[1] for row in left}),
    }
    sizes = [entry["interactions"] for entry in rounds]
    assert sizes == sorted(set(sizes), reverse=True)


def test_k_core_goes_on_until_nobody_is_left_short() -> None:
    chain: list[Row] = [(u, i, 5, 1) for u in range(4) for i in (u, u + 1)]
    mask, rounds = k_core(dataset(chain).interactions, 2, 2)
    assert not mask.any()
    assert [entry["interactions"] for entry in rounds] == [8, 6, 4, 2, 0][: len(rounds)]


def test_what_was_filtered_is_said() -> None:
    rows: list[Row] = [(u, i, 1 + i, i) for u in range(3) for i in range(5)] + [(3, 0, 5, 9), (4, 5, 1, 9)]
    spec = SplitSpec.model_validate(
        {"method": "leave-one-out", "drop_below": 2, "k_core": {"users": 2, "items": 2}}
    )
    facts = spec.apply(dataset(rows)).facts
    assert facts["dropped"] == {"below-rating": 4, "k-core": 1}
    assert facts["k_core"]["counted"] == "training and test together"
    assert facts["k_core"]["rounds"] == [
        {"interactions": 13, "users": 4, "items": 5},
        {"interactions": 12, "users": 3, "items": 4},
    ]
    assert facts["excluded_users"]["filtered"] == 2


@given(st.lists(st.integers(-5, 60)), st.lists(st.integers(-5, 60)))
def test_sets_of_numbers(needles: list[int], haystack: list[int]) -> None:
    found = found_in(np.array(needles, np.int64), np.array(haystack, np.int64))
    assert found.tolist() == [number in haystack for number in needles]
    first = first_of_each(np.array(needles, np.int64))
    assert first.tolist() == [i for i, number in enumerate(needles) if number not in needles[:i]]


@pytest.fixture(scope="module")
def movielens(real_data: Path) -> Dataset:
    if not (real_data / "movielens-100k").is_dir():
        pytest.skip("no movielens-100k among the public data sets")
    spec = DATASETS.get("movielens").model_validate({"path": str(real_data / "movielens-100k")})
    return spec.load(real_data, 0)


def apply(data: Dataset, seed: int = 0, **options: Any) -> Split:
    return SplitSpec.model_validate(options).apply(data, None, seed)


def test_movielens_leave_one_out_leaks(movielens: Dataset) -> None:
    split = apply(movielens, method="leave-one-out")
    facts, log = split.facts, movielens.interactions
    assert log.timestamp is not None
    assert facts["users_evaluated"] == 943
    assert (facts["train"], facts["test"]) == (99_057, 943)
    assert (split.truth.lengths == 1).all()
    last = [log.timestamp[log.user == user].max() for user in range(943)]
    assert split.cut is not None
    assert split.cut.tolist() == last
    times = split.training.interactions.timestamp
    assert times is not None
    assert facts["leaked_interactions"] == int((times > min(last)).sum()) == 98_186
    assert facts["training_after_cut_share"] == pytest.approx(np.mean([(times > t).mean() for t in last]))
    # 415 of 943 users rated the last film in the very second of another: the file decides which is last
    assert facts["cases_tied_with_history"] == 415


def test_movielens_three_quarters_at_random(movielens: Dataset) -> None:
    one, same, other = (apply(movielens, seed=seed, method="random", fraction=0.75) for seed in (42, 42, 43))
    assert (one.facts["train"], one.facts["test"]) == (75_000, 25_000)
    assert (one.held_out.item == same.held_out.item).all()
    assert one.training.digest == same.training.digest != other.training.digest
    assert (one.held_out.item != other.held_out.item).any()


def test_movielens_is_its_own_twenty_core_of_users(movielens: Dataset) -> None:
    mask, rounds = k_core(movielens.interactions, 20, 1)
    assert mask.all()
    assert rounds == [{"interactions": 100_000, "users": 943, "items": 1682}]
