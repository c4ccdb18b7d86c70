from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from split_toys import Row, dataset, lists, rows

from genrec_eval.core.errors import UsageError
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.split import Split, global_temporal
from genrec_eval.data.tables.files import FilesSpec


@given(rows, st.integers(0, 13), st.none() | st.integers(1, 6), st.sampled_from(["include", "exclude"]))
def test_split_agrees_with_a_plain_implementation(
    data: list[Row], cut: int, min_rating: int | None, cold_users: Any
) -> None:
    ordered = sorted(data, key=lambda row: row[3])
    train = [row for row in ordered if row[3] < cut]
    test = [row for row in ordered if row[3] >= cut]
    history: dict[int, list[int]] = {}
    for user, item, *_ in train:
        history.setdefault(user, []).append(item)
    truth: dict[int, list[int]] = {}
    repeats = set()
    for user, item, rating, _ in test:
        if min_rating is not None and rating < min_rating:
            continue
        if item in history.get(user, []):
            repeats.add((user, item))
        elif item not in truth.setdefault(user, []):
            truth[user].append(item)
    tested = {row[0] for row in test}
    with_truth = {user for user, items in truth.items() if items}
    users = sorted(user for user in with_truth if cold_users == "include" or user in history)

    if not train or not test or not users:
        with pytest.raises(UsageError):
            global_temporal(dataset(data), time=cut, min_rating=min_rating, cold_users=cold_users)
        return
    split = global_temporal(dataset(data), time=cut, min_rating=min_rating, cold_users=cold_users)
    assert split.users.tolist() == users
    assert lists(split.truth) == [truth[user] for user in users]
    assert lists(split.history) == [history.get(user, []) for user in users]
    assert len(split.training.interactions) == len(train)
    assert split.facts["excluded_users"] == {
        "no-test": 5 - len(tested),
        "no-truth": len(tested - with_truth),
        "cold": len(with_truth) - len(users),
    }
    assert split.facts["repeats_dropped"] == len(repeats)
    assert split.facts["leaked_interactions"] == 0
    test_items, train_items = {row[1] for row in test}, {row[1] for row in train}
    assert split.facts["cold_items"] == len(test_items - train_items)
    assert split.facts["cold_item_share"] == pytest.approx(len(test_items - train_items) / len(test_items))


@given(rows, st.floats(0.05, 0.95))
def test_ties_never_straddle_the_cut(data: list[Row], fraction: float) -> None:
    try:
        split = global_temporal(dataset(data), fraction=fraction)
    except UsageError:
        return
    cut = split.facts["cut"]
    trained = split.training.interactions.timestamp
    assert trained is not None
    assert (trained < cut).all()
    assert len(trained) == sum(row[3] < cut for row in data)
    assert len(trained) <= fraction * len(data)
    assert split.facts["train"] + split.facts["test"] == len(data)


def toy() -> list[Row]:
    return [
        (0, 0, 5, 1),
        (0, 1, 2, 2),
        (1, 0, 4, 3),
        (0, 2, 5, 10),
        (0, 0, 5, 11),
        (2, 5, 4, 12),
        (1, 1, 1, 13),
    ]


def test_catalogue_and_vocabularies_stay_whole() -> None:
    data = dataset(toy())
    split = global_temporal(data, time=10, seed=3)
    assert split.training.items is data.items
    assert split.training.users is data.users
    assert split.training.seed == 3
    assert lists(split.truth) == [[2], [1], [5]]
    assert lists(split.training.histories()) == [[0, 1], [0], [], [], []]
    assert split.facts["users_evaluated_cold"] == 1
    assert split.facts["cold_item_interaction_share"] == 0.5
    assert split.facts["cut_utc"] == "1970-01-01T00:00:10Z"


def test_cold_users_can_be_left_out() -> None:
    split = global_temporal(dataset(toy()), time=10, cold_users="exclude")
    assert split.users.tolist() == [0, 1]
    assert split.facts["excluded_users"] == {"no-test": 2, "no-truth": 0, "cold": 1}


def test_digest_names_data_and_cut_alone() -> None:
    def digest(**options: Any) -> str:
        return global_temporal(dataset(toy()), **options).training.digest

    assert digest(time=10) == digest(time=10, min_rating=4, cold_users="exclude")
    assert digest(time=10) == digest(fraction=3 / 7)
    assert digest(time=10) != digest(time=11)


@pytest.mark.parametrize(
    ("change", "options", "sentence"),
    [
        ({"timestamp": None}, {"time": 10}, "dataset 'toy' has no timestamps, so it cannot be split by time"),
        ({"rating": None}, {"time": 10, "min_rating": 4}, "has no ratings, so min_rating cannot be applied"),
        ({}, {"time": 0}, "the training side .* is empty .*; choose a later cut"),
        ({}, {"time": 99}, "the test side .* is empty .*; choose an earlier cut"),
        (
            {},
            {"time": 13, "min_rating": 4},
            "no user .* has a new item rated at least 4 .*; lower min_rating",
        ),
        ({}, {"time": 12, "min_rating": 2, "cold_users": "exclude"}, "only users without training"),
        ({}, {"time": 10, "fraction": 0.5}, "takes either fraction or time"),
        ({}, {}, "takes either fraction or time"),
    ],
)
def test_faults_are_one_sentence(change: dict[str, Any], options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        global_temporal(dataset(toy(), **change), **options)
    assert "\n" not in str(caught.value)


def test_all_at_one_moment_leaves_no_training() -> None:
    with pytest.raises(UsageError, match="training side"):
        global_temporal(dataset([(0, 0, 5, 7), (1, 1, 5, 7)]), fraction=0.8)


def test_spec_reads_dates_as_utc() -> None:
    moment = 1_577_836_800
    for written in (
        moment,
        date(2020, 1, 1),
        datetime(2020, 1, 1),
        "2020-01-01",
        "2020-01-01T01:00:00+01:00",
    ):
        assert SplitSpec.model_validate({"time": written}).cut == moment


def test_spec_takes_one_cut_and_defaults_to_four_fifths() -> None:
    with pytest.raises(ValidationError, match="either fraction or time, not both"):
        SplitSpec.model_validate({"fraction": 0.5, "time": 3})
    with pytest.raises(ValidationError):
        SplitSpec.model_validate({"fraction": 1.0})
    rows = [(i % 5, i % 6, 5, i) for i in range(20)]
    split: Split = SplitSpec.model_validate({}).apply(dataset(rows))
    assert split.facts["train"] == 16


def test_the_order_of_the_catalogue_gives_nothing_of_the_test_away(tmp_path: Path) -> None:
    rows = ["u,old,1", "v,old,2", "u,new-z,3", "v,new-z,4", "w,new-z,5", "u,new-a,6"]
    log = tmp_path / "log.csv"
    log.write_text("user,item,timestamp\n" + "\n".join(rows) + "\n")
    data = FilesSpec(interactions=str(log)).load(tmp_path, 0)
    assert list(data.items) == ["new-a", "new-z", "old"]
    log.write_text("user,item,timestamp\n" + "\n".join([*rows[:2], rows[5], *rows[2:5]]) + "\n")
    assert list(FilesSpec(interactions=str(log)).load(tmp_path, 0).items) == list(data.items)
    (tmp_path / "items.csv").write_text("item,title\nold,Old\n")
    described = FilesSpec(interactions=str(log), items=str(tmp_path / "items.csv")).load(tmp_path, 0)
    assert list(described.items) == ["old", "new-a", "new-z"]
