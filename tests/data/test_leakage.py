"""Each leak is planted into a sound split and must be found, by its name and in its number."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from split_toys import dataset, lists

from genrec_eval.data.dataset import Dataset, GivenCases, Interactions
from genrec_eval.data.quality.leakage import Finding, audit
from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.splits.split import Split
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.arrays import Int64, Ragged

SOUND: list[dict[str, Any]] = [
    {},
    {"repeats": "keep"},
    {"method": "leave-one-out"},
    {"method": "leave-one-out", "validation": True, "items": "trained", "k_core": {"users": 5, "items": 5}},
    {"method": "user-ratio"},
    {"method": "user-ratio", "pick": "random"},
    {"method": "random", "fraction": 0.75},
    {"method": "strong-generalisation", "drop_below": 3},
    {"method": "session", "gap": 86_400},
    {"method": "session", "gap": 86_400, "fraction": 0.8, "revealed": 1},
]


@pytest.fixture(scope="module")
def world() -> Dataset:
    spec = SyntheticSpec.model_validate({"users": 400, "items": 200})
    return spec.world(5).dataset


def apply(data: Dataset, **options: Any) -> Split:
    return SplitSpec.model_validate(options).apply(data, None, 1)


@pytest.fixture(scope="module")
def sound(world: Dataset) -> Split:
    return apply(world)


def counts(split: Split) -> Int64:
    return np.bincount(split.training.interactions.item, minlength=len(split.training.items))


def run(data: Dataset, split: Split, stored: Any = None) -> dict[str, Finding]:
    findings = audit(split, counts(split) if stored is None else stored)
    for finding in findings:
        assert (finding.severity == "ok") == (finding.count == 0) or "cannot be told" in finding.sentence
        assert 0 <= finding.share <= 1
        assert len(finding.examples) <= 3
        assert finding.sentence.endswith(".")
        assert json.loads(json.dumps(finding.to_json())) == finding.to_json()
    found = {finding.name: finding for finding in findings}
    assert len(found) == len(findings)
    return found


def warned(found: dict[str, Finding]) -> set[str]:
    return {name for name, finding in found.items() if finding.severity == "warning"}


def trained_on(split: Split, log: Interactions) -> Split:
    return replace(split, training=replace(split.training, interactions=log))


def joined(a: Interactions, b: Interactions, when: int | None = None) -> Interactions:
    """``b`` after ``a``; all of ``b`` at ``when`` if that is given."""

    def both(name: str) -> Any:
        return np.concatenate([getattr(a, name), getattr(b, name)])

    late = b.timestamp if when is None else np.full(len(b), when, np.int64)
    return Interactions(
        user=both("user"),
        item=both("item"),
        rating=both("rating"),
        timestamp=np.concatenate([a.timestamp, late]),  # type: ignore[list-item]
    )


def few(log: Interactions, n: int) -> Interactions:
    mask = np.zeros(len(log), bool)
    mask[:n] = True
    return log.where(mask)


@pytest.mark.parametrize(
    "options", SOUND, ids=lambda options: "-".join(map(str, options.values())) or "default"
)
def test_sound_splits_of_the_synthetic_world_are_not_warned_of(
    world: Dataset, options: dict[str, Any]
) -> None:
    found = run(world, apply(world, **options))
    assert not warned(found)
    assert found["popularity-with-test"].severity == "ok"
    assert found["duplicate-user"].severity == "ok"


@pytest.mark.parametrize("seed", range(5))
def test_the_default_split_has_nothing_but_new_users(seed: int) -> None:
    data = SyntheticSpec.model_validate({"users": 300, "items": 150}).world(seed).dataset
    found = run(data, apply(data))
    assert {n for n, finding in found.items() if finding.severity != "ok"} <= {"user-without-training"}


def test_a_split_that_makes_no_promise_is_measured_and_not_warned_of(world: Dataset) -> None:
    split = apply(world, method="leave-one-out")
    found = run(world, split)
    late = found["training-after-cut"]
    assert late.severity == "note"
    assert late.count == split.facts["leaked_interactions"] > 0
    assert found["items-from-the-future"].count == split.facts["future_targets"]
    assert found["history-after-cut"].severity == "ok"
    drawn = run(world, apply(world, method="random"))
    assert drawn["history-after-cut"].severity == "note"


def test_test_interactions_in_the_training(world: Dataset, sound: Split) -> None:
    leak = trained_on(sound, joined(sound.training.interactions, few(sound.held_out, 7)))
    found = run(world, leak)
    assert found["test-in-training"].count == 7
    assert found["target-in-training"].count == 7
    assert {"test-in-training", "target-in-training", "training-after-cut"} <= warned(found)
    user = world.users.strings[int(sound.held_out.user[0])]
    assert found["test-in-training"].examples[0].startswith(f"user {user!r}, item ")


def test_targets_in_the_training_at_another_time(world: Dataset, sound: Split) -> None:
    early = int(world.interactions.timestamp[0])  # type: ignore[index]
    leak = trained_on(sound, joined(sound.training.interactions, few(sound.held_out, 4), early))
    found = run(world, leak)
    assert warned(found) == {"target-in-training"}
    assert found["target-in-training"].count == 4
    kept = replace(leak, facts={**leak.facts, "repeats": "keep"})
    assert run(world, kept)["target-in-training"].severity == "note"


def test_history_that_contains_the_target(world: Dataset, sound: Split) -> None:
    histories = lists(sound.history)
    histories[0].append(int(sound.truth[0][0]))
    histories[3] += sound.truth[3].tolist()
    found = run(world, replace(sound, history=Ragged.from_lists(histories)))
    assert {"target-in-history", "history-after-cut"} == warned(found)
    assert found["target-in-history"].count == 1 + len(sound.truth[3])
    # found by its time as well: two users whose history goes on after their test begins
    assert found["history-after-cut"].count == 2


def test_history_from_the_future_that_is_no_target(world: Dataset) -> None:
    split = apply(world, method="user-ratio", fraction=0.6)
    assert split.cut is not None
    log, histories, truths = world.interactions, lists(split.history), lists(split.truth)
    row = next(i for i, truth in enumerate(truths) if len(truth) > 2)
    histories[row].append(truths[row].pop())
    leak = replace(split, history=Ragged.from_lists(histories), truth=Ragged.from_lists(truths))
    found = run(world, leak)
    assert warned(found) == {"history-after-cut"}
    assert found["history-after-cut"].count == 1
    assert log.timestamp is not None


def test_items_from_the_future(world: Dataset, sound: Split) -> None:
    unknown = np.flatnonzero(counts(sound)[sound.truth.values] == 0)
    target = int(sound.truth.values[unknown[0]])
    last = few(sound.held_out, 1)
    stranger = np.setdiff1d(np.arange(len(world.users)), sound.users)[0]
    late = replace(last, user=np.array([stranger], np.int32), item=np.array([target], np.int32))
    leak = trained_on(sound, joined(sound.training.interactions, late, int(sound.held_out.timestamp[-1]) + 1))  # type: ignore[index]
    found = run(world, leak)
    assert warned(found) == {"training-after-cut", "items-from-the-future"}
    assert found["training-after-cut"].count == 1
    assert found["items-from-the-future"].count == int((sound.truth.values == target).sum())
    assert found["items-from-the-future"].examples[0].endswith(f"item {world.items.strings[target]!r}")


def test_popularity_counted_with_the_test(world: Dataset, sound: Split) -> None:
    held = np.bincount(sound.held_out.item, minlength=len(world.items))
    found = run(world, sound, counts(sound) + held)
    assert warned(found) == {"popularity-with-test"}
    assert found["popularity-with-test"].count == np.count_nonzero(held)
    assert "it counts the test as well" in found["popularity-with-test"].sentence
    off = counts(sound)
    off[3] += 1
    other = run(world, sound, off)["popularity-with-test"]
    assert (other.count, "the test as well" in other.sentence) == (1, False)
    assert "popularity-with-test" not in {finding.name for finding in audit(sound)}


def doubled(world: Dataset, user: int, twin: int) -> Dataset:
    """The world, with ``twin`` doing at the same moments what ``user`` does."""
    log = world.interactions
    rest = log.where(log.user != twin)
    copy = log.where(log.user == user)
    both = joined(rest, replace(copy, user=np.full(len(copy), twin, np.int32)))
    assert both.timestamp is not None
    order = np.argsort(both.timestamp, kind="stable")
    return replace(
        world,
        interactions=Interactions(
            user=both.user[order],
            item=both.item[order],
            rating=both.rating[order],  # type: ignore[index]
            timestamp=both.timestamp[order],
        ),
    )


def test_duplicated_users(world: Dataset) -> None:
    sizes = np.bincount(world.interactions.user, minlength=400)
    user, twin = np.argsort(-sizes, kind="stable")[[0, 1]].tolist()
    data = doubled(world, user, twin)
    found = run(data, apply(data))
    assert found["duplicate-user"].count == 2
    assert found["duplicate-user"].severity == "note"  # both are cut alike: neither knows the other's test
    names = {f"user {data.users.strings[code]!r}" for code in (user, twin)}
    assert set(found["duplicate-user"].examples) == names
    for seed in range(10):
        split = SplitSpec.model_validate({"method": "strong-generalisation"}).apply(data, None, seed)
        tested = {user, twin} & set(split.users.tolist())
        if len(tested) == 1:
            break
    else:
        split = apply(data, method="random")
    finding = run(data, split)["duplicate-user"]
    assert finding.severity == "warning"
    assert "are in the training of the user's double" in finding.sentence


def test_duplicated_interactions(world: Dataset) -> None:
    log = world.interactions
    order = np.sort(np.append(np.arange(len(log)), [3, 3, 50]))
    again = Interactions(
        user=log.user[order],
        item=log.item[order],
        rating=log.rating[order],
        timestamp=log.timestamp[order],  # type: ignore[index]
    )
    data = replace(world, interactions=again)
    found = run(data, apply(data))
    assert found["duplicate-interaction"].count == 3
    assert found["duplicate-interaction"].severity == "note"
    # and when the copies fall on both sides of a split
    half = Interactions(
        user=again.user[1::2],
        item=again.item[1::2],
        rating=again.rating[1::2],
        timestamp=again.timestamp[1::2],  # type: ignore[index]
    )
    split = apply(data, method="random")
    assert run(data, trained_on(split, half))["test-in-training"].severity == "warning"


def test_users_without_training(world: Dataset) -> None:
    split = apply(world, cold_users="exclude")
    assert run(world, split)["user-without-training"].severity == "ok"
    log = split.training.interactions
    found = run(world, trained_on(split, log.where(log.user != split.users[0])))
    assert found["user-without-training"].count == 1
    assert found["user-without-training"].severity == "warning"
    assert run(world, apply(world))["user-without-training"].severity == "note"


def test_held_out_users_in_the_training(world: Dataset) -> None:
    split = apply(world, method="strong-generalisation", test_users=30)
    known = world.interactions
    mask = (known.user == split.users[2]) & (np.arange(len(known)) % 2 == 0)
    leak = trained_on(split, joined(split.training.interactions, known.where(mask)))
    found = run(world, leak)
    assert found["held-out-user-in-training"].count == 1
    assert "held-out-user-in-training" in warned(found)


def given_world(lead: bool) -> Dataset:
    cases = [(user, [user, user + 1], user + 2) for user in range(40)]
    offered = [
        [target, *((target + j) % 60 for j in range(5, 9))] if lead else sorted({target, 50, 51, 52, 53})
        for _, _, target in cases
    ]
    base = dataset([(u, i, 5, i) for u in range(40) for i in (u, u + 1)], users=40, items=60)
    return replace(
        base,
        given=GivenCases(
            user=np.arange(40, dtype=np.int32),
            history=Ragged.from_lists([history for _, history, _ in cases]),
            truth=Ragged.from_lists([[target] for *_, target in cases]),
            candidates=Ragged.from_lists(offered),
        ),
    )


def test_candidates_that_begin_with_the_target() -> None:
    data = given_world(lead=True)
    found = run(data, apply(data, method="given"))
    assert found["target-first-among-candidates"].severity == "warning"
    assert found["target-first-among-candidates"].count == 40
    assert found["target-not-offered"].severity == "ok"


def test_targets_that_are_not_offered() -> None:
    data = given_world(lead=False)
    split = apply(data, method="given")
    rng = np.random.default_rng(0)
    offered = [rng.permutation(row).tolist() for row in lists(split.candidates)]  # type: ignore[arg-type]
    offered[0] = [58, 59]
    found = run(data, replace(split, candidates=Ragged.from_lists(offered)))
    assert found["target-not-offered"].count == 1
    assert found["target-not-offered"].severity == "note"
    assert found["target-first-among-candidates"].severity == "ok"


def test_without_times_the_questions_of_time_stay_open() -> None:
    data = dataset([(u, i, 5, 0) for u in range(5) for i in range(6)], timestamp=None)
    found = run(data, apply(data, method="random"))
    assert found["training-after-cut"].severity == "note"
    assert "cannot be told" in found["training-after-cut"].sentence
    assert "test-in-training" not in found
    assert not warned(found) - {"duplicate-user"}


def test_ids_of_strangers_are_shortened() -> None:
    data = dataset([(0, 0, 5, 1), (0, 1, 5, 9)], users=2)
    split = apply(data, time=5)
    from genrec_eval.protocol.arrays import Vocabulary

    long = replace(data, users=Vocabulary(["x" * 5000 + "\n<script>", "b"]))
    leak = trained_on(split, joined(split.training.interactions, split.held_out))
    example = run(long, leak)["test-in-training"].examples[0]
    assert len(example) < 200
    assert "\n" not in example
