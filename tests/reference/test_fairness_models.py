"""Models with planted (un)fairness: what their lists show is the closed form that they state."""

from __future__ import annotations

import dataclasses
import itertools
import math
import re
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.core.errors import UsageError
from genrec_eval.data.world.spec import SyntheticSpec
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.base import REFERENCE
from genrec_eval.reference.fairness import effects
from genrec_eval.serving.catalogue import train_on

NAMES = ["unfair-value", "intersection-bias", "noisy-fair", "changes-for-all", "provider-bias"]
PAIR = {"gender": "F", "age": "18-24"}
CUTOFFS = (1, 3, 5, 10, 20)


@pytest.fixture(scope="module")
def world():
    """Training data with people and providers."""
    return train_on(SyntheticSpec(users=400, items=300, interactions_per_user=15).load(Path(), 3))


@pytest.fixture(scope="module")
def neutral(world):
    """A question of 20 items about every user that discloses nothing."""
    return RankBatch(
        users=world.users.ids,
        user_codes=np.arange(len(world.users), dtype=np.int32),
        history=world.histories(),
        k=20,
        items=world.items,
    )


def made(name, training, seed=0, **options):
    model = REFERENCE.get(name)
    return model(training, model.Options(**options), seed=seed)


def told(batch, repeat=0, **values):
    """The same question with these values disclosed of everybody."""
    profiles = pa.table({name: pa.array([value] * len(batch), pa.string()) for name, value in values.items()})
    return dataclasses.replace(batch, profiles=profiles, repeat=repeat)


def similarities(second, first, k):
    """Jaccard, SERP and PRAG of two lists by their definitions; ``second`` is the one asked with a value."""
    a, b = first[:k].tolist(), second[:k].tolist()
    place = {item: rank for rank, item in enumerate(a)}
    ordered = sum(x in place and place[x] < place.get(y, math.inf) for x, y in itertools.combinations(b, 2))
    return (
        len(set(a) & set(b)) / len(set(a) | set(b)),
        sum(k - rank for rank, item in enumerate(b) if item in place) / (k * (k + 1) / 2),
        ordered / (k * (k - 1) / 2) if k > 1 else 1.0,
    )


def everywhere(second, first, k):
    """The similarities of all pairs of rows, float[n, 3]."""
    return np.array([similarities(*pair, k) for pair in zip(second, first, strict=True)])


def sound(lists, batch):
    """Full lists without repeats and without what the user has."""
    for row, items in enumerate(lists.tolist()):
        assert len(set(items)) == len(items)
        assert -1 not in items
        assert not set(items) & set(batch.history[row].tolist())
    return lists


@pytest.mark.parametrize("share", [0.0, 0.1, 0.3, 0.5, 1.0])
@pytest.mark.parametrize("recommender", ["popularity", "item-knn"])
def test_the_unfair_value_has_the_closed_form_and_every_other_has_the_neutral_list(
    world, neutral, share, recommender
):
    model = made("unfair-value", world, share=share, recommender=recommender)
    plain = model.rank(neutral).items
    assert np.array_equal(plain, REFERENCE.get(recommender)(world).rank(neutral).items)
    for other in ({"gender": "M"}, {"age": "F"}, {"gender": "f"}, {"gender": None}):
        assert np.array_equal(model.rank(told(neutral, **other)).items, plain)
    unfair = sound(model.rank(told(neutral, **PAIR)).items, neutral)
    for k in CUTOFFS:
        expected = effects.jaccard(k, share), effects.serp(k, share), effects.prag(k, share) if k > 1 else 1
        assert everywhere(unfair[:40], plain[:40], k) == pytest.approx(np.tile(expected, (40, 1)))


def test_range_and_deviation_of_similarities_over_values_are_as_stated(world, neutral):
    model = made("unfair-value", world, share=0.3)
    plain = model.rank(neutral).items
    for values in (["F", "M"], ["F", "M", "X"], list("FGHIJKM")):
        means = [
            everywhere(model.rank(told(neutral, gender=v)).items[:10], plain[:10], 20)[:, 0].mean()
            for v in values
        ]
        similarity = effects.jaccard(20, 0.3)
        assert max(means) - min(means) == pytest.approx(effects.range_of_one(similarity))
        assert np.std(means) == pytest.approx(effects.deviation_of_one(similarity, len(values)))


@pytest.mark.parametrize("candidates", [False, True])
def test_what_is_put_in_is_least_popular_of_what_may_be_recommended(world, neutral, candidates):
    if candidates:
        each = np.arange(0, 300, 3, dtype=np.int32)
        neutral = dataclasses.replace(neutral, candidates=Ragged.from_lists([each] * len(neutral)))
    model = made("unfair-value", world, share=0.3)
    unfair, plain = model.rank(told(neutral, gender="F")).items, model.rank(neutral).items
    counts = np.bincount(world.interactions.item, minlength=300)
    for row in range(20):
        pool = set(neutral.candidates[row].tolist() if candidates else range(300))
        rest = sorted(
            pool - set(neutral.history[row].tolist()) - set(plain[row]), key=lambda i: (counts[i] or 10**9, i)
        )
        assert unfair[row][unfair[row] != plain[row]].tolist() == rest[:6]


def test_by_membership_only_the_group_loses_and_exactly_what_the_planted_ranks_earned(world, neutral):
    model = made("unfair-value", world, share=0.5, known_by="membership")
    lists, plain = model.rank(neutral).items, REFERENCE.get("popularity")(world).rank(neutral).items
    women = np.array(world.user_table["gender"].to_pylist()) == "F"
    assert np.array_equal(lists[~women], plain[~women])
    assert np.array_equal(model.rank(told(neutral, gender="M")).items, lists)  # what is disclosed is nothing
    kept = np.setdiff1d(np.arange(20), np.array(effects.planted_ranks(20, 0.5)) - 1)
    assert np.array_equal(lists[women][:, kept], plain[women][:, kept])
    # hits as the world's popularity makes them: a draw of ten items a user
    random = np.random.default_rng(4)
    weight = np.bincount(world.interactions.item, minlength=300) + 0.0
    truth = np.zeros((len(women), 300), bool)
    for row in truth:
        row[random.choice(300, 10, replace=False, p=weight / weight.sum())] = True
    hit, before = (np.take_along_axis(truth, items, axis=1) for items in (lists, plain))
    planted = np.delete(np.arange(20), kept)
    assert hit[women][:, planted].sum() < 0.1 * before[women][:, planted].sum()
    lost = (before[women] * 1.0 - hit[women]) @ (1 / np.log2(np.arange(2, 22)))
    assert lost.mean() > 5 * lost.std() / math.sqrt(women.sum())
    unknown = dataclasses.replace(neutral, user_codes=np.full(len(neutral), -1, np.int32))
    assert np.array_equal(model.rank(unknown).items, plain)


def test_intersection_strikes_who_holds_both_and_single_values_show_their_part_only(world, neutral):
    model = made("intersection-bias", world, share=0.3)
    plain = model.rank(neutral).items
    for values in (
        {"gender": "F"},
        {"age": "18-24"},
        {"gender": "F", "age": "56+"},
        {"gender": "M", "age": "18-24"},
    ):
        assert np.array_equal(model.rank(told(neutral, **values)).items, plain)
    both = model.rank(told(neutral, occupation="writer", **PAIR)).items
    assert np.array_equal(both, made("unfair-value", world, share=0.3).rank(told(neutral, gender="F")).items)

    gender, age = (np.array(world.user_table[name].to_pylist()) for name in ("gender", "age"))
    own = dataclasses.replace(neutral, profiles=world.user_table.select(["gender", "age"]))
    by_profile = model.rank(own).items
    member = made("intersection-bias", world, share=0.3, known_by="membership")
    assert np.array_equal(member.rank(neutral).items, by_profile)
    similar = everywhere(by_profile, plain, 20)[:, 0]
    effect = effects.jaccard(20, 0.3) - 1
    for first, value, second, other in ((gender, "F", age, "18-24"), (age, "18-24", gender, "F")):
        held = np.mean(second[first == value] == other)
        assert similar[first == value].mean() - 1 == pytest.approx(effects.marginal(effect, held))
        assert (similar[(first == value) & (second != other)] == 1).all()
        assert (similar[first != value] == 1).all()
    assert similar[(gender == "F") & (age == "18-24")] == pytest.approx(1 + effect)


@pytest.mark.parametrize("recommender", ["popularity", "item-knn"])
def test_any_profile_changes_the_list_alike(world, neutral, recommender):
    model = made("changes-for-all", world, share=0.5, recommender=recommender)
    plain = model.rank(neutral).items
    first = sound(model.rank(told(neutral, gender="F")).items, neutral)
    for values in ({"gender": "M"}, {"age": "56+"}, {"gender": "M", "age": None}, {"religion": ""}):
        assert np.array_equal(model.rank(told(neutral, **values)).items, first)
    assert np.array_equal(model.rank(told(neutral, gender=None)).items, plain)
    for k in CUTOFFS[1:]:
        expected = effects.jaccard(k, 0.5), effects.serp(k, 0.5), effects.prag(k, 0.5)
        assert everywhere(first[:40], plain[:40], k) == pytest.approx(np.tile(expected, (40, 1)))


@pytest.mark.parametrize(("share", "pool"), [(0.3, 40), (0.5, 12), (0.5, 4), (1.0, 30)])
def test_noise_between_values_is_the_noise_between_repeats(world, neutral, share, pool):
    model = made("noisy-fair", world, seed=5, share=share, pool=pool)
    base = sound(model.rank(neutral).items, neutral)
    expected = effects.noisy_jaccard(20, share, pool), effects.noisy_serp(20, share, pool)
    arms = [told(neutral, gender="F"), told(neutral, gender="M"), told(neutral, **PAIR), told(neutral, 1)]
    arms.append(dataclasses.replace(neutral, wordings=pa.array(["other"] * len(neutral))))
    for arm in arms:
        found = everywhere(model.rank(arm).items, base, 20)[:, :2]
        error = found.std(axis=0) / math.sqrt(len(found))
        assert (abs(found.mean(axis=0) - expected) <= 4 * error + 1e-12).all()
    kept = np.setdiff1d(np.arange(20), np.array(effects.planted_ranks(20, share)) - 1)
    plain = REFERENCE.get("popularity")(world).rank(neutral).items
    assert np.array_equal(base[:, kept], plain[:, kept])


def test_noise_has_no_dependence_on_the_value(world, neutral):
    """Range over seven values of the mean similarity: as large as by shuffling values within users."""
    model = made("noisy-fair", world, seed=11)
    base = model.rank(neutral).items
    sims = np.stack(
        [everywhere(model.rank(told(neutral, age=str(v))).items, base, 20)[:, 0] for v in range(7)], axis=1
    )
    random = np.random.default_rng(0)
    null = [np.ptp(random.permuted(sims, axis=1).mean(axis=0)) for _ in range(300)]
    assert 0.005 < np.mean(np.array(null) >= np.ptp(sims.mean(axis=0))) < 0.995
    # and draws for two values are as independent as two repeats
    one, other = (model.rank(told(neutral, age=value)).items for value in "12")
    again = model.rank(told(neutral, 1, age="1")).items
    by_value, by_repeat = (everywhere(x, one, 20)[:, 0] for x in (other, again))
    error = math.hypot(by_value.std(), by_repeat.std()) / math.sqrt(len(one))
    assert abs(by_value.mean() - by_repeat.mean()) < 4 * error


def test_noise_is_told_apart_by_what_is_disclosed_and_by_nothing_else(world, neutral):
    model = made("noisy-fair", world, seed=2)
    ask = dataclasses.replace(neutral, profiles=pa.table({"age": ["1"] * 400, "gender": ["F"] * 400}))
    swapped = dataclasses.replace(neutral, profiles=pa.table({"gender": ["F"] * 400, "age": ["1"] * 400}))
    assert np.array_equal(model.rank(ask).items, model.rank(swapped).items)
    renamed = model.rank(told(neutral, gender="1", age="F")).items
    assert not np.array_equal(model.rank(ask).items, renamed)
    usual = pa.nulls(len(neutral), pa.string())
    nothing = model.rank(dataclasses.replace(told(neutral, gender=None, age=None), wordings=usual)).items
    assert np.array_equal(nothing, model.rank(neutral).items)
    assert not np.array_equal(nothing, made("noisy-fair", world, seed=3).rank(neutral).items)
    empty = model.rank(told(neutral, gender="")).items
    assert not np.array_equal(nothing, empty)


@pytest.mark.parametrize("share", [0.0, 0.4, 0.7, 1.0])
@pytest.mark.parametrize("recommender", ["popularity", "item-knn"])
def test_provider_has_its_share_of_every_list_and_of_the_exposure(world, neutral, share, recommender):
    model = made("provider-bias", world, share=share, recommender=recommender, positions="fixed")
    items = sound(model.rank(told(neutral, gender="F")).items, neutral)
    own = np.array(world.item_table["provider_group"].to_pylist()) == "major"
    weight = 1 / np.log2(np.arange(2, 22))
    for k in CUTOFFS:
        assert (own[items[:, :k]].sum(axis=1) == len(effects.planted_ranks(k, share))).all()
        drawn = own[items[:, :k]] @ weight[:k] / weight[:k].sum()
        assert drawn == pytest.approx(np.full(400, effects.exposure(k, share)))
        assert effects.exposure(k, share, lambda r: 1.0) == math.floor(k * share + 1e-9) / k
    order = REFERENCE.get(recommender)(world).rank(dataclasses.replace(neutral, k=300)).items[0]
    order = order[order >= 0]
    assert [i for i in items[0] if own[i]] == [i for i in order if own[i]][: own[items[0]].sum()]
    assert [i for i in items[0] if not own[i]] == [i for i in order if not own[i]][: (~own[items[0]]).sum()]


@pytest.mark.parametrize("share", [0.0, 0.25, 0.7, 1.0])
def test_drawn_positions_give_the_provider_its_share_however_ranks_weigh(world, neutral, share):
    model = made("provider-bias", world, seed=8, share=share)
    items = sound(model.rank(neutral).items, neutral)
    own = np.array(world.item_table["provider_group"].to_pylist()) == "major"
    assert np.array_equal(items, model.rank(told(neutral, 1, gender="F")).items)
    for k, power in ((1, 0), (5, 1), (20, 0), (20, 2)):
        weight = np.arange(1, k + 1.0) ** -power
        drawn = own[items[:, :k]] @ weight / weight.sum()
        deviation = math.sqrt(share * (1 - share) * (weight**2).sum()) / weight.sum()
        assert abs(drawn.mean() - share) <= 4 * deviation / 20 + 1e-12
        assert drawn.std() == pytest.approx(deviation, rel=0.2, abs=1e-12)


def small(training_of, n_items=8):
    training = training_of([[0, 1, 2], [0, 1], [0, 5]], n_items)
    groups = pa.table(
        {"user": ["u0", "u1", "u2"], "gender": ["F", "M", None], "age": ["18-24", "18-24", "56+"]}
    )
    column = ["major" if code % 3 == 0 else "independent" for code in range(n_items)]
    table = pa.table({"item": training.items.ids, "provider_group": column, "year": range(n_items)})
    return dataclasses.replace(training, user_table=groups, item_table=table)


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("k", [1, 3, 6, 8, 11])
@pytest.mark.parametrize("candidates", [None, [[0, 3, 4, 6], [3], []]])
def test_where_items_run_out_lists_stay_full_and_free_of_repeats(training_of, batch_of, name, k, candidates):
    training = small(training_of)
    batch = told(batch_of(training, [[0], [1, 3], []], k, candidates), **PAIR)
    model = made(name, training, share=0.6)
    for row, items in enumerate(model.rank(batch).items.tolist()):
        pool = set(range(8) if candidates is None else candidates[row]) - set(batch.history[row].tolist())
        filled = [item for item in items if item >= 0]
        assert items[: len(filled)] == filled
        assert len(set(filled)) == len(filled) == min(k, len(pool))
        assert set(filled) <= pool


@pytest.mark.parametrize("name", NAMES)
def test_chunks_and_order_change_nothing(world, neutral, name, monkeypatch):
    own = dataclasses.replace(neutral, profiles=world.user_table.drop(["user"]), repeat=2)
    model = made(name, world, seed=4)
    whole = model.rank(own).items
    random = np.random.default_rng(1)
    order = random.permutation(400)
    monkeypatch.setattr("genrec_eval.reference.lists.CELLS", 5000)
    for rows in np.array_split(order, 3):
        part = dataclasses.replace(
            own,
            users=own.users.take(pa.array(rows)),
            user_codes=own.user_codes[rows],
            history=own.history.take(rows),
            profiles=own.profiles.take(pa.array(rows)),
        )
        assert np.array_equal(model.rank(part).items, whole[rows])


@pytest.mark.parametrize("name", NAMES)
def test_nobody_and_no_catalogue(training_of, batch_of, name):
    some = small(training_of)
    assert made(name, some).rank(told(batch_of(some, [], 5), **PAIR)).items.shape == (0, 5)
    if name != "provider-bias":
        empty = training_of([[]], 0)
        assert made(name, empty).rank(told(batch_of(empty, [[], []], 5), **PAIR)).items.shape == (2, 0)


@pytest.mark.parametrize(
    ("name", "options", "sentence"),
    [
        (
            "unfair-value",
            {"known_by": "membership", "attribute": "gendre"},
            "reference model 'unfair-value': the users of data set 'hand' have no column 'gendre';"
            " did you mean 'gender'? (columns: gender, age)",
        ),
        (
            "unfair-value",
            {"known_by": "membership", "value": "m"},
            "no user of data set 'hand' has gender 'm'; did you mean 'M'? (values: F, M)",
        ),
        (
            "intersection-bias",
            {"known_by": "membership", "values": ["M", "99"]},
            "no user of data set 'hand' has age '99' (values: 18-24, 56+)",
        ),
        (
            "intersection-bias",
            {"known_by": "membership", "values": ["M", "56+"]},
            "no user of data set 'hand' has gender 'M' and age '56+' at once",
        ),
        ("provider-bias", {"column": "provider"}, "the items of data set 'hand' have no column 'provider'"),
        ("provider-bias", {"provider": "mayor"}, "has provider_group 'mayor'; did you mean 'major'?"),
        ("provider-bias", {"column": "year", "provider": "99"}, "no item of data set 'hand' has year '99'"),
    ],
)
def test_who_is_not_there_cannot_be_struck(training_of, name, options, sentence):
    with pytest.raises(UsageError, match=re.escape(sentence)):
        made(name, small(training_of), **options)


def test_figures_of_the_pages_and_docstrings_are_those_of_the_formulas():
    pages = {name: (REFERENCE.get(name).__doc__ or "") for name in NAMES}
    folder = Path(effects.__file__).parents[1] / "cards"
    figures = {
        "unfair-value": [effects.jaccard(20, 0.3), effects.serp(20, 0.3), effects.prag(20, 0.3)],
        "changes-for-all": [effects.jaccard(20, 0.3), effects.serp(20, 0.3), effects.prag(20, 0.3)],
        "intersection-bias": [effects.jaccard(20, 0.3)],
        "noisy-fair": [effects.noisy_jaccard(20, 0.3, 40), effects.noisy_serp(20, 0.3, 40)],
        "provider-bias": [effects.exposure(10, 0.7)],
    }
    for name, values in figures.items():
        card = (folder / f"{name}.md").read_text(encoding="utf-8")
        assert all(f"{value:.4f}" in page for value in values for page in (pages[name], card))
        options = REFERENCE.get(name).Options()
        assert options.share == (0.7 if name == "provider-bias" else 0.3)
