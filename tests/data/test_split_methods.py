from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from split_toys import Row, dataset, lists, rows

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import GivenCases, Interactions
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.split import Split
from genrec_eval.protocol.arrays import Ragged

METHODS: list[dict[str, Any]] = [
    {"method": "global-temporal", "fraction": 0.6},
    {"method": "leave-one-out"},
    {"method": "leave-one-out", "validation": True},
    {"method": "user-ratio", "fraction": 0.7},
    {"method": "user-ratio", "fraction": 0.5, "pick": "random"},
    {"method": "random", "fraction": 0.75},
    {"method": "random", "folds": 3, "fold": 2},
    {"method": "strong-generalisation", "test_users": 0.4, "fold_in": 0.5},
    {"method": "strong-generalisation", "test_users": 2, "validation_users": 1, "pick": "last"},
    {"method": "session", "gap": 1},
    {"method": "session", "gap": 1, "revealed": 1, "fraction": 0.5},
    {"method": "session", "gap": 1, "revealed": 1, "context": "session"},
]
TIMELESS = [
    {"method": "random"},
    {"method": "user-ratio", "pick": "random"},
    {"method": "strong-generalisation", "test_users": 2},
    {"method": "leave-one-out", "order": "file"},
    {"method": "user-ratio", "order": "file"},
    {"method": "strong-generalisation", "test_users": 2, "pick": "last", "order": "file"},
]


def apply(data: Any, min_rating: float | None = None, seed: int = 0, **options: Any) -> Split:
    return SplitSpec.model_validate(options).apply(data, min_rating, seed)


def as_rows(log: Interactions, back: list[int] | None = None) -> Counter[tuple[int, ...]]:
    item = log.item if back is None else np.array(back, np.int32)[log.item]
    columns = [log.user, item, log.rating, log.timestamp]
    return Counter(zip(*(c.tolist() for c in columns if c is not None), strict=True))


@settings(max_examples=150)
@given(
    rows,
    st.sampled_from(METHODS),
    st.none() | st.integers(2, 5),
    st.sampled_from(["drop", "keep"]),
    st.sampled_from(["all", "trained"]),
    st.booleans(),
    st.integers(0, 3),
)
def test_nothing_is_lost_and_nothing_overlaps(
    data: list[Row],
    options: dict[str, Any],
    min_rating: int | None,
    repeats: str,
    items: str,
    core: bool,
    seed: int,
) -> None:
    whole = dataset(data)
    extra = {"k_core": {"users": 2, "items": 2}} if core else {}
    try:
        split = apply(whole, min_rating, seed, **options, **extra, repeats=repeats, items=items)
    except UsageError:
        return
    facts, train, test = split.facts, split.training.interactions, split.held_out
    lost = sum(facts.get("dropped", {}).values()) + facts.get("history_only", 0)
    assert len(train) + len(test) + lost == len(data) == facts["interactions"]
    assert facts["train"] == len(train)
    assert facts["test"] == len(test)
    # a core has a catalogue of its own
    back = [whole.items.codes[item] for item in split.dataset.items.strings]
    assert not (as_rows(train, back) + as_rows(test, back)) - as_rows(whole.interactions)
    assert facts["users_evaluated"] + sum(facts["excluded_users"].values()) == len(whole.users)

    assert train.timestamp is not None
    assert test.timestamp is not None
    assert (np.diff(train.timestamp) >= 0).all()
    trained_items, trained_users = set(train.item.tolist()), set(train.user.tolist())
    assert split.grades is not None
    assert split.cut is not None
    assert len(split.grades) == len(split.truth.values)
    assert facts["truth_pairs"] == len(split.truth.values)
    given_ratings = {(u, i, r) for u, i, r, _ in as_rows(test)}
    targets_in_test = {(u, i) for u, i, _, _ in as_rows(test)}
    for case, user in enumerate(split.users.tolist()):
        truth, history = split.truth[case].tolist(), split.history[case].tolist()
        grades = split.grades[split.truth.offsets[case] : split.truth.offsets[case + 1]]
        assert truth
        assert len(set(truth)) == len(truth)
        assert all((user, i, r) in given_ratings for i, r in zip(truth, grades.tolist(), strict=True))
        if repeats == "drop":
            assert not set(truth) & set(history)
        if items == "trained":
            assert set(truth) <= trained_items
        if min_rating is not None:
            assert split.rejected is not None
            rejected = split.rejected[case].tolist()
            assert (grades >= min_rating).all()
            assert not set(truth) & set(rejected)
            assert all((user, i) in targets_in_test for i in rejected)
        assert {back[item] for item in history} <= {row[1] for row in data if row[0] == user}
        if options["method"] == "strong-generalisation":
            assert user not in trained_users
    first = int(test.timestamp.min())
    assert facts["leaked_interactions"] == int((train.timestamp > first).sum())
    shares = [(train.timestamp > cut).mean() for cut in split.cut]
    assert facts["training_after_cut_share"] == pytest.approx(float(np.mean(shares)))
    if options["method"] == "global-temporal":
        assert facts["leaked_interactions"] == 0
    if options["method"] == "global-temporal" or "gap" in options:
        assert "cases_with_later_history" not in facts
    elif "random" not in (options["method"], options.get("pick")) and "fold_in" not in options:
        assert facts["cases_with_later_history"] == 0
    again = apply(whole, min_rating, seed, **options, **extra, repeats=repeats, items=items)
    assert again.training.digest == split.training.digest
    assert lists(again.truth) == lists(split.truth)


def by_user(data: list[Row]) -> dict[int, list[Row]]:
    logs: dict[int, list[Row]] = defaultdict(list)
    for row in sorted(data, key=lambda row: row[3]):
        logs[row[0]].append(row)
    return dict(sorted(logs.items()))


@given(rows, st.booleans(), st.integers(0, 3))
def test_leave_one_out_agrees_with_a_plain_implementation(
    data: list[Row], validation: bool, least: int
) -> None:
    expected = {}
    train = []
    tied = 0
    for user, log in by_user(data).items():
        held = 2 if validation else 1
        if len(log) < held + least:
            train += log
            continue
        train += log[:-held]
        history = [row[1] for row in log[:-1]]
        if log[-1][1] not in history and len(history) >= least:
            expected[user] = (history, [log[-1][1]])
            tied += len(log) > 1 and log[-1][3] == log[-2][3]
    try:
        split = apply(dataset(data), method="leave-one-out", validation=validation, min_history=least)
    except UsageError:
        assert not expected or not train
        return
    assert as_rows(split.training.interactions) == Counter(train)
    assert split.users.tolist() == list(expected)
    assert lists(split.history) == [history for history, _ in expected.values()]
    assert lists(split.truth) == [truth for _, truth in expected.values()]
    assert split.facts["cases_tied_with_history"] == tied


def sessions_of(log: list[Row], gap: int) -> list[list[Row]]:
    found = [[log[0]]]
    for row in log[1:]:
        if row[3] - found[-1][-1][3] > gap:
            found.append([])
        found[-1].append(row)
    return found


@given(rows, st.integers(1, 4), st.integers(0, 2), st.none() | st.integers(1, 12), st.booleans())
def test_sessions_agree_with_a_plain_implementation(
    data: list[Row], gap: int, revealed: int, cut: int | None, alone: bool
) -> None:
    alone = alone and revealed > 0
    cases, train = [], []
    for user, log in by_user(data).items():
        found = sessions_of(log, gap)
        for place, session in enumerate(found):
            start, end = session[0][3], session[-1][3]
            if cut is None:
                tested = place == len(found) - 1 > 0 and len(session) > revealed
                trained = not tested
            else:
                tested, trained = start >= cut and len(session) > revealed, end < cut
            train += session if trained else []
            if tested:
                before = [] if alone else [row[1] for earlier in found[:place] for row in earlier]
                history = before + [row[1] for row in session[:revealed]]
                truth = list(dict.fromkeys(r[1] for r in session[revealed:] if r[1] not in history))
                if truth:
                    cases.append((user, history, truth, session[revealed][3]))
    options: dict[str, Any] = {"context": "session"} if alone else {}
    if cut is not None:
        options["time"] = cut
    try:
        split = apply(dataset(data), method="session", gap=gap, revealed=revealed, **options)
    except UsageError:
        assert not cases or not train
        return
    assert as_rows(split.training.interactions) == Counter(train)
    assert split.users.tolist() == [case[0] for case in cases]
    assert lists(split.history) == [case[1] for case in cases]
    assert lists(split.truth) == [case[2] for case in cases]
    assert split.cut is not None
    assert split.cut.tolist() == [case[3] for case in cases]
    if cut is not None:
        assert split.facts["leaked_interactions"] == 0


def one_user_each(sizes: list[int]) -> list[Row]:
    """User u has ``sizes[u]`` items, 0 first, all at times of their own."""
    return [(u, i, 5 - i % 2, 100 * i + u) for u, size in enumerate(sizes) for i in range(size)]


def test_user_ratio_rounds_the_test_down_but_takes_one() -> None:
    data = dataset(one_user_each([1, 2, 4, 5, 10]), items=10)
    split = apply(data, method="user-ratio", fraction=0.8)
    assert split.users.tolist() == [1, 2, 3, 4]
    assert lists(split.truth) == [[1], [3], [4], [8, 9]]
    assert lists(split.history)[-1] == list(range(8))
    assert split.facts["excluded_users"]["too-few"] == 1
    assert len(split.training.interactions) == 1 + 1 + 3 + 4 + 8


def test_random_picks_differ_by_seed_and_have_the_sizes_of_the_last() -> None:
    data = dataset(one_user_each([10, 10, 10, 10, 10]), items=10)
    drawn = [apply(data, seed=seed, method="user-ratio", pick="random") for seed in (1, 1, 2)]
    assert [len(t) for t in lists(drawn[0].truth)] == [2] * 5
    assert lists(drawn[0].truth) == lists(drawn[1].truth) != lists(drawn[2].truth)
    assert drawn[0].training.digest != drawn[2].training.digest
    assert drawn[0].facts["cases_with_later_history"] > 0


def test_folds_cover_each_interaction_once() -> None:
    data = dataset(one_user_each([5, 6, 7, 8, 5]), items=10)
    folds = [apply(data, method="random", folds=4, fold=fold, seed=5) for fold in range(1, 5)]
    together = sum((as_rows(split.held_out) for split in folds), Counter())
    assert together == as_rows(data.interactions)
    sizes = [len(split.held_out) for split in folds]
    assert max(sizes) - min(sizes) <= 1


def test_strong_generalisation_keeps_tested_users_apart() -> None:
    data = dataset(one_user_each([10] * 40), users=40, items=10)
    split = apply(
        data, seed=3, method="strong-generalisation", test_users=10, validation_users=0.25, fold_in=0.8
    )
    train = set(split.training.interactions.user.tolist())
    assert len(split.users) == 10
    assert len(train) == 20
    assert not train & set(split.users.tolist())
    assert {len(h) for h in lists(split.history)} == {8}
    assert split.facts["dropped"] == {"validation-user": 100}
    assert split.facts["excluded_users"] | {"no-test": 0} == {
        "no-test": 0, "training-user": 20, "validation-user": 10, "too-few": 0, "no-truth": 0, "cold": 0,
        "short-history": 0,
    }  # fmt: skip
    chronological = apply(data, method="strong-generalisation", test_users=3, pick="last")
    assert lists(chronological.truth) == [[8, 9]] * 3
    assert chronological.facts["cases_with_later_history"] == 0


def test_items_that_only_tested_users_had_can_be_left_out() -> None:
    rows: list[Row] = [(u, i, 5, i) for u in range(4) for i in range(5)] + [(4, i, 5, i) for i in range(3, 8)]
    for seed in range(20):
        split = apply(
            dataset(rows, items=8), seed=seed, method="strong-generalisation", test_users=1, items="trained"
        )
        if split.users.tolist() == [4]:
            break
    assert set(split.truth.values.tolist()) | set(split.history.values.tolist()) == {3, 4}
    assert split.facts["dropped"] == {"untrained-item": 3}


def test_cold_targets_can_be_left_out() -> None:
    rows: list[Row] = [(0, 0, 5, 1), (1, 0, 5, 1), (0, 1, 5, 9), (1, 2, 5, 9), (1, 1, 5, 5)]
    everything = apply(dataset(rows), method="leave-one-out")
    assert lists(everything.truth) == [[1], [2]]
    assert everything.facts["cold_items"] == 1
    trained = apply(dataset(rows), method="leave-one-out", items="trained")
    assert trained.users.tolist() == [0]
    assert trained.facts["dropped"] == {"untrained-item": 1}


def test_repeats_and_grades() -> None:
    rows: list[Row] = [(0, 0, 5, 1), (0, 1, 4, 2), (0, 0, 3, 8), (0, 2, 1, 9), (0, 3, 4, 9), (0, 3, 5, 9)]
    dropped = apply(dataset(rows), time=5)
    assert lists(dropped.truth) == [[2, 3]]
    assert dropped.grades is not None
    assert dropped.grades.tolist() == [1.0, 4.0]
    assert dropped.rejected is None
    kept = apply(dataset(rows), 3, time=5, repeats="keep")
    assert lists(kept.truth) == [[0, 3]]
    assert kept.rejected is not None
    assert lists(kept.rejected) == [[2]]
    assert kept.facts["repeats_kept"] == 1
    assert kept.facts["duplicate_targets_dropped"] == 1
    assert kept.facts["test_below_min_rating"] == 1


def test_short_histories_are_left_out() -> None:
    rows: list[Row] = [(0, 0, 5, 1), (1, 0, 5, 1), (1, 1, 5, 2), (0, 3, 5, 9), (1, 3, 5, 9), (2, 3, 5, 9)]
    split = apply(dataset(rows), time=5, min_history=2)
    assert split.users.tolist() == [1]
    assert split.facts["excluded_users"]["short-history"] == 2


def given_dataset(**changes: Any) -> Any:
    from dataclasses import replace

    cases = GivenCases(
        user=np.array([2, 0, 2], np.int32),
        history=Ragged.from_lists([[0], [0, 1], [0, 4]]),
        truth=Ragged.from_lists([[4], [2, 2], [4, 5]]),
        candidates=Ragged.from_lists([[4, 5], [1, 2], [5, 3]]),
        timestamp=np.array([50, 40, 60]),
    )
    rows: list[Row] = [(0, 0, 5, 1), (0, 1, 5, 2), (2, 0, 5, 3)]
    return replace(dataset(rows), given=replace(cases, **changes))


def test_given_cases_are_taken_as_they_are() -> None:
    split = apply(given_dataset(), method="given")
    assert split.users.tolist() == [2, 0, 2]
    assert lists(split.truth) == [[4], [2], [5]]
    assert lists(split.history) == [[0], [0, 1], [0, 4]]
    assert split.candidates is not None
    assert lists(split.candidates) == [[4, 5], [1, 2], [5, 3]]
    assert split.cut is not None
    assert split.cut.tolist() == [50, 40, 60]
    assert split.facts["cases_evaluated"] == 3
    assert split.facts["repeats_dropped"] == 1
    assert split.facts["duplicate_targets_dropped"] == 1
    assert split.facts["excluded_users"] == {"no-test": 3, "no-truth": 0, "cold": 0}
    kept = apply(given_dataset(), method="given", repeats="keep")
    assert lists(kept.truth) == [[4], [2], [4, 5]]
    assert apply(given_dataset(timestamp=None), method="given").cut is None


@pytest.mark.parametrize("options", TIMELESS, ids=lambda options: "-".join(map(str, options.values())))
def test_data_without_times(options: dict[str, Any]) -> None:
    data = dataset(one_user_each([6, 6, 6, 6, 6]), timestamp=None)
    split = apply(data, 4, **options)
    assert split.cut is None
    assert split.facts["leaked_interactions"] is None
    assert len(split.training.interactions) + len(split.held_out) <= 30


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "leave-one-out"}, "does not know which interaction is the last; .* set order: file"),
        ({"method": "user-ratio"}, "does not know which interaction is the last"),
        ({"method": "session"}, "has no timestamps, so it cannot be split by time"),
        ({"method": "given"}, "brings no cases of its own"),
    ],
)
def test_what_needs_times_says_so(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence):
        apply(dataset(one_user_each([6, 6]), timestamp=None), **options)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "leave-one-out", "order": "file"}, "has timestamps and is ordered by them"),
        (
            {"method": "leave-one-out", "min_history": 9},
            r"leaves no user to evaluate \(3 no-test, 2 too-few\)",
        ),
        ({"method": "leave-one-out", "min_history": 0, "k_core": {"users": 7}}, "nothing is left .* k-core"),
        ({"method": "strong-generalisation", "test_users": 3}, "has 2 users with interactions, fewer than"),
        ({"method": "strong-generalisation", "test_users": 2}, "leave none to train on"),
        ({"method": "random", "folds": 100, "fold": 1}, "too few for 100 folds"),
        ({"method": "session", "gap": 10_000}, "has no session to test among 2 sessions"),
        ({"method": "session", "time": 9999}, "the test side"),
    ],
)
def test_faults_of_the_methods_are_one_sentence(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError, match=sentence) as caught:
        apply(dataset(one_user_each([6, 6])), **options)
    assert "\n" not in str(caught.value)


def test_ratings_are_asked_for_where_they_are_needed() -> None:
    data = dataset(one_user_each([6, 6]), rating=None)
    with pytest.raises(UsageError, match="has no ratings, so drop_below"):
        apply(data, drop_below=3)
    with pytest.raises(UsageError, match="have no ratings, so min_rating"):
        apply(given_dataset(), 4, method="given")
    assert apply(data).grades is None


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"method": "leave-one-out", "fold": 1}, "'fold' is an option of random, not of leave-one-out"),
        ({"validation": True}, "'validation' is an option of leave-one-out, not of global-temporal"),
        (
            {"method": "random", "time": 4},
            "'time' is an option of global-temporal and session, not of random",
        ),
        ({"method": "given", "fraction": 0.5}, r"options of given alone: none"),
        ({"method": "random", "folds": 5}, "folds and fold belong together"),
        ({"method": "random", "order": "time"}, "for one in time set method: global-temporal"),
        ({"method": "random", "folds": 5, "fold": 6}, r"fold must be at most folds \(5\)"),
        ({"method": "random", "folds": 5, "fold": 1, "fraction": 0.5}, "either fraction or folds"),
        ({"method": "user-ratio", "pick": "random", "order": "file"}, "set pick: last"),
        ({"method": "strong-generalisation", "cold_users": "exclude"}, "cold_users must be include"),
        ({"method": "session", "context": "session"}, "revealed is at least 1"),
        ({"method": "given", "k_core": {"users": 2}}, "k_core cannot be applied to given cases"),
        ({"method": "leave-one-out", "k_core": {"user": 2}}, "did you mean 'users'"),
        ({"method": "leave-one-in"}, "Input should be 'global-temporal'"),
    ],
)
def test_options_that_do_not_belong_are_refused(options: dict[str, Any], sentence: str) -> None:
    with pytest.raises(ValidationError, match=sentence):
        SplitSpec.model_validate(options)


@pytest.mark.parametrize("options", METHODS, ids=lambda options: "-".join(map(str, options.values())))
def test_a_spec_survives_being_written_with_all_its_defaults(options: dict[str, Any]) -> None:
    spec = SplitSpec.model_validate(options)
    assert SplitSpec.model_validate(spec.model_dump(mode="json")) == spec


@settings(max_examples=50)
@given(rows, st.integers(2, 5), st.integers(0, 99))
def test_folds_in_the_order_of_the_file_are_runs_of_its_rows(log: list[Row], folds: int, seed: int) -> None:
    log = list(dict.fromkeys(log))
    data = dataset(log)
    order = sorted(range(len(log)), key=lambda at: log[at][3])
    data = replace(data, interactions=replace(data.interactions, row=np.array(order)))
    for fold in range(1, folds + 1):
        spec = SplitSpec.model_validate(
            {"method": "random", "order": "file", "folds": folds, "fold": fold, "repeats": "keep"}
        )
        run = {at for at in range(len(log)) if at * folds // len(log) == fold - 1}
        if len(log) < folds:
            with pytest.raises(UsageError, match="too few"):
                spec.apply(data, seed=seed)
            continue
        split = spec.apply(data, seed=seed)
        assert as_rows(split.held_out) == Counter(log[at] for at in run)
        assert as_rows(split.training.interactions) == Counter(
            log[at] for at in range(len(log)) if at not in run
        )


def test_a_share_in_the_order_of_the_file_is_its_first_rows() -> None:
    log = [(user, item, 3, 9 - item) for item in range(4) for user in range(3)]  # the latest rows come first
    order = sorted(range(len(log)), key=lambda at: log[at][3])
    data = dataset(log)
    data = replace(data, interactions=replace(data.interactions, row=np.array(order)))
    split = apply(data, method="random", fraction=0.5, order="file")
    assert as_rows(split.training.interactions) == Counter(log[:6])
    assert split.facts["order"] == "file"
    # filters leave rows out, and those that are left are counted
    split = apply(data, method="random", fraction=0.5, order="file", k_core={"users": 4, "items": 3})
    assert as_rows(split.training.interactions) == Counter(log[:6])


def test_without_a_file_there_is_no_order_of_rows() -> None:
    with pytest.raises(UsageError, match=r"read from no file, .* leave out order: file"):
        apply(dataset(one_user_each([6, 6])), method="random", order="file")
