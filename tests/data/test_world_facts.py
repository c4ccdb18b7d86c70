"""People, prices, lengths and reviews of the synthetic world."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.data.splits.spec import SplitSpec
from genrec_eval.data.world import words
from genrec_eval.data.world.facts import fact_columns
from genrec_eval.data.world.make import World
from genrec_eval.data.world.reviews import make_opinions, make_reviews
from genrec_eval.data.world.spec import SyntheticSpec

SMALL = {"users": 300, "items": 100, "interactions_per_user": 15}


def made(**options: object) -> World:
    return SyntheticSpec.model_validate({**SMALL, **options}).world(3)


@pytest.fixture(scope="module")
def world() -> World:
    return made(reviews=0.5)


@pytest.fixture(scope="module")
def rows(world: World) -> list[dict]:
    return world.dataset.reviews.to_pylist()


def test_what_was_there_before_is_what_it_was() -> None:
    # recorded before there were facts and reviews
    dataset = SyntheticSpec(users=2000, items=600).world(7).dataset
    assert dataset.digest == "a25f86449db89ccd95b99f979d6af9a9c8d900ccf36dd7a3a328798fb1690c8e"
    table = dataset.item_table
    old = str(table.select(table.column_names[:9]).to_pylist()).encode()
    assert (
        hashlib.sha256(old).hexdigest() == "ff02b6043683459f9fc285990ce10a635d809f3323635634e9c896b9b28511d2"
    )
    assert table.column_names[9:] == ["director", "cast", "price", "runtime"]
    assert dataset.reviews is None


@pytest.mark.parametrize("n", [20, 600, 30_000])
def test_facts_of_a_catalogue(n: int) -> None:
    facts = {name: column.to_pylist() for name, column in fact_columns(n, 5).items()}
    assert all(len(column) == n for column in facts.values())
    assert all(len(set(cast)) == 3 for cast in facts["cast"])
    assert not set(facts["director"]) & {name for cast in facts["cast"] for name in cast}
    assert all(round(price, 2) == price and 1 < price < 10 for price in facts["price"])
    assert all(72 <= minutes <= 190 for minutes in facts["runtime"])
    assert max(Counter(facts["director"]).values()) > 1  # films have makers in common
    assert {name: column.to_pylist() for name, column in fact_columns(n, 5).items()} == facts
    assert fact_columns(n, 6)["director"].to_pylist() != facts["director"]


def test_reviews_leave_everything_else_alone(world: World) -> None:
    bare = made()
    assert world.dataset.digest != bare.dataset.digest
    for name in ("user", "item", "rating", "timestamp"):
        mine, theirs = (getattr(one.dataset.interactions, name) for one in (world, bare))
        assert np.array_equal(mine, theirs)
    assert world.dataset.item_table.equals(bare.dataset.item_table)
    assert made(reviews=0.5).dataset.reviews.equals(world.dataset.reviews)


def test_a_review_does_not_depend_on_how_many_there_are(world: World) -> None:
    fewer = made(reviews=0.1).dataset.reviews.to_pylist()
    more = {(row["user"], row["item"]): row for row in world.dataset.reviews.to_pylist()}
    assert fewer
    assert all(more[row["user"], row["item"]] == row for row in fewer)


def test_reviews_belong_to_interactions_and_bear_their_rating(world: World, rows: list[dict]) -> None:
    data, log = world.dataset, world.dataset.interactions
    known = {
        (data.users.strings[u], data.items.strings[i]): r
        for u, i, r in zip(log.user.tolist(), log.item.tolist(), log.rating.tolist(), strict=True)
    }
    assert len(rows) == pytest.approx(0.5 * len(log), rel=0.05)
    assert all(known[row["user"], row["item"]] == row["rating"] for row in rows)
    assert len({(row["user"], row["item"]) for row in rows}) == len(rows)


def test_each_aspect_of_a_review_has_a_sentence_of_its_polarity(rows: list[dict]) -> None:
    for row in rows:
        assert 2 <= len(row["positive"] + row["negative"]) <= 4
        assert not set(row["positive"]) & set(row["negative"])
        sentences = re.findall(r"[^.]+\.", row["text"])
        for side, lexicon in (("positive", words.PRAISE), ("negative", words.BLAME)):
            for aspect in row[side]:
                about = [s for s in sentences if re.search(rf"\b{aspect}\b", s)]
                assert len(about) == 1
                assert any(re.search(rf"\b{word}\b", about[0]) for word in lexicon)
        assert row["feature"] in row["positive"] + row["negative"]
        assert row["explanation"] in row["text"]
        assert row["feature"] in row["explanation"]


def test_reviewers_have_a_name_each_and_some_names_stand_in_the_text(world: World, rows: list[dict]) -> None:
    by_user = {row["user"]: row["author"] for row in rows}
    assert all(by_user[row["user"]] == row["author"] for row in rows)
    assert len(set(by_user.values())) == len(by_user)
    for row in rows:
        assert all(name in row["text"] for name in row["names"])
        assert bool(row["names"]) == bool(re.search(r"[A-Z]\w+ [A-Z]\w+", row["text"]))
    share = sum(bool(row["names"]) for row in rows) / len(rows)
    assert share == pytest.approx(0.24, abs=0.04)
    film_people = set(world.dataset.item_table["director"].to_pylist())
    film_people |= {name for cast in world.dataset.item_table["cast"].to_pylist() for name in cast}
    assert not film_people & {name for row in rows for name in (*row["names"], row["author"])}


def test_opinions_follow_quality_leaning_and_rating(world: World, rows: list[dict]) -> None:
    data, quality = world.dataset, world.truth.quality
    opinions = make_opinions(len(data.users), quality, 3)
    assert (opinions.leaning == 1).sum(axis=1).tolist() == [2] * 300
    assert (opinions.leaning == -1).sum(axis=1).tolist() == [2] * 300
    users, items = data.users.codes, data.items.codes
    glad, leaning, good, stars = [], [], [], []
    for row in rows:
        for aspect in row["positive"] + row["negative"]:
            at = words.ASPECTS.index(aspect)
            glad.append(aspect in row["positive"])
            leaning.append(opinions.leaning[users[row["user"]], at])
            good.append(opinions.quality[items[row["item"]], at])
            stars.append(row["rating"])
    for cause in (leaning, good, stars):
        assert np.corrcoef(glad, cause)[0, 1] > 0.25
    assert np.mean([g for g, lean in zip(glad, leaning, strict=True) if lean == -1]) < 0.3


def test_training_holds_reviews_of_training_interactions_alone(world: World) -> None:
    split = SplitSpec.model_validate({"fraction": 0.8}).apply(world.dataset)
    reviews, data = split.training.reviews, world.dataset
    pairs = set(zip(reviews["user"].to_pylist(), reviews["item"].to_pylist(), strict=True))
    log = split.training.interactions
    trained = set(
        zip(data.users.decode(log.user).to_pylist(), data.items.decode(log.item).to_pylist(), strict=True)
    )
    every = set(zip(data.reviews["user"].to_pylist(), data.reviews["item"].to_pylist(), strict=True))
    assert pairs == every & trained
    assert 0 < len(pairs) < len(every)
    assert SplitSpec.model_validate({"fraction": 0.8}).apply(made().dataset).training.reviews is None


def test_a_review_of_a_pair_that_is_held_out_as_well_is_withheld(world: World) -> None:
    split = SplitSpec.model_validate({"fraction": 0.8}).apply(world.dataset)
    train, test = split.training.interactions, split.held_out
    # the first reviewed training pair comes again in the test part
    first = split.training.reviews.slice(0, 1).to_pylist()[0]
    codes = world.dataset.users.codes[first["user"]], world.dataset.items.codes[first["item"]]
    log = world.dataset.interactions
    again = replace(
        log,
        user=np.append(log.user, np.int32(codes[0])),
        item=np.append(log.item, np.int32(codes[1])),
        rating=np.append(log.rating, np.float32(1)),
        timestamp=np.append(log.timestamp, log.timestamp[-1]),
    )
    split = SplitSpec.model_validate({"fraction": 0.8}).apply(replace(world.dataset, interactions=again))
    left = split.training.reviews
    assert (first["user"], first["item"]) not in set(
        zip(left["user"].to_pylist(), left["item"].to_pylist(), strict=True)
    )
    assert len(train) + len(test) == len(log)


def test_reviews_of_unknown_ids_are_left_out(world: World) -> None:
    stranger = world.dataset.reviews.slice(0, 1).set_column(0, "user", pa.array(["nobody"]))
    table = pa.concat_tables([world.dataset.reviews, stranger.cast(world.dataset.reviews.schema)])
    split = SplitSpec.model_validate({"fraction": 0.8}).apply(replace(world.dataset, reviews=table))
    assert "nobody" not in split.training.reviews["user"].to_pylist()


def test_a_share_of_none_makes_an_empty_table(world: World) -> None:
    table = make_reviews(world.dataset, world.truth.quality, 0.0, 3)
    assert len(table) == 0
    assert table.schema == world.dataset.reviews.schema
