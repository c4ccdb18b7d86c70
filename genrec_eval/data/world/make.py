"""The synthetic world: a seeded population of users and films whose truth is known.

How it is made
--------------
*Items* have a title with a year (some are remakes: the same title, another year), aliases, one to
three genres, a description, a provider (``major`` or ``independent``; majors hold more of the popular
items) and a popularity weight: a random rank to the power of ``-popularity_exponent``. The share
``new_items`` is released in the course of the period, the others lie there from the start.

*Tastes* are distributions over items. Taste 0 is popularity itself. Each other taste prefers two
genres and has a liking of its own for every item:
``appeal[z, i] ∝ popularity[i] · exp(taste_strength · (genre match + normal draw))``, where the
match is 1 for its first genre and ½ for its second.

*Users* belong to a group and have a gender, an age bucket and a mixture of tastes: the share of
taste 0 is Beta distributed with mean ``mainstream``; the rest is Dirichlet distributed around the
mean of the user's *group*, of which ``group_tilt`` says how far it departs from what groups have in
common. Gender and age are drawn independently of everything else, so that a difference found between
them is a false alarm. A second draw from the same distribution replaces the share ``drift`` of the
mixture evenly over the period. The share ``new_users`` joins at a random moment of the period.

*Visits*: their number is 1 + Poisson of a Gamma draw (a long tail) times the share of the period the
user is there for; their times are uniform between joining and the end. A visit picks a taste from the
user's mixture at that time, then an item from the taste. If the item is not released yet or was seen
before, nothing is recorded: so each recorded history is a draw without replacement, and the chance that
an item comes up within a window is known exactly
(:meth:`~genrec_eval.data.world.truth.WorldTruth.relevance`). The number of visits is scaled such that
``interactions_per_user`` is reached after these losses.

*Ratings* are whole stars from 1 to 5:
``round(3.4 + 0.5 · quality + 0.4 · log(lift) + noise · normal draw)``, where the lift says how much
likelier the item is for this user (mid-period) than for the popularity taste, clipped to e^±2.

*Facts* beside these, such as who directed a film, are drawn by :mod:`genrec_eval.data.world.facts`;
*reviews* of the share ``reviews`` of the interactions, by :mod:`genrec_eval.data.world.reviews`, which says
what they follow.

Every draw has its own generator, derived from the seed, so that the same options give the same world.
"""

from __future__ import annotations

import dataclasses
import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from genrec_eval.core.fingerprint import digest
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Dataset, Interactions
from genrec_eval.data.world.items import make_catalogue
from genrec_eval.data.world.people import make_people
from genrec_eval.data.world.reviews import make_reviews
from genrec_eval.data.world.truth import WorldTruth, utility
from genrec_eval.protocol.arrays import Float64, Int32, Int64, Ragged, Vocabulary, stable_order

if TYPE_CHECKING:
    from genrec_eval.data.world.spec import SyntheticSpec

RECIPE = 1
"""Raised whenever the same options would give another world."""

_CHUNK = 4096  # users; part of the recipe, since each chunk has its own generator


@dataclass(frozen=True, slots=True)
class World:
    """A dataset and the truth behind it."""

    dataset: Dataset
    truth: WorldTruth


def generate(spec: SyntheticSpec, seed: int) -> World:
    """Make the world of ``spec``.

    >>> from genrec_eval.data.world.spec import SyntheticSpec
    >>> world = generate(SyntheticSpec(users=50, items=60, interactions_per_user=10), seed=1)
    >>> len(world.dataset.users), world.truth.appeal.shape
    (50, (16, 60))
    """
    catalogue = make_catalogue(spec, seed)
    people = make_people(spec, seed, catalogue)
    unvisited = WorldTruth(
        taste_start=people.taste_start,
        taste_end=people.taste_end,
        appeal=catalogue.appeal,
        popularity=catalogue.popularity,
        quality=catalogue.quality,
        released=catalogue.released,
        visits=Ragged(np.zeros(spec.users + 1, np.int64), np.empty(0, np.int32)),
        start=catalogue.start,
        end=catalogue.end,
        drift=spec.drift,
        noise=spec.noise,
    )
    interactions, truth = _play(unvisited, people.joined, people.visits, seed)
    visits = len(truth.visits.values)
    dataset = Dataset(
        name="synthetic",
        users=Vocabulary(people.table.column("user")),
        items=Vocabulary(catalogue.table.column("item")),
        interactions=interactions,
        item_table=catalogue.table,
        user_table=people.table,
        groups=("group", "gender", "age"),
        digest=digest(
            {
                "dataset": "synthetic",
                "recipe": RECIPE,
                "seed": seed,
                # without reviews the world is the one it was before there were any
                "options": spec.model_dump(exclude={"seed"} if spec.reviews else {"seed", "reviews"}),
                "content": _content(interactions),
            }
        ),
        licence="CC0-1.0",
        source="generated by genrec-eval",
        facts={
            "interactions": len(interactions),
            "visits": visits,
            "visits_without_interaction": visits - len(interactions),
            "remakes": spec.items - catalogue.table.column("remake_of").null_count,
            "recipe": RECIPE,
            "seed": seed,
        },
    )
    if spec.reviews:
        dataset = dataclasses.replace(
            dataset, reviews=make_reviews(dataset, catalogue.quality, spec.reviews, seed)
        )
    return World(dataset, truth)


def _play(truth: WorldTruth, joined: Int64, visits: Int64, seed: int) -> tuple[Interactions, WorldTruth]:
    """Draw every visit, a chunk of users at a time, and put the fruitful ones in order of time."""
    parts = [
        _visit(truth, joined[low : low + _CHUNK], visits[low : low + _CHUNK], low, seed)
        for low in range(0, len(joined), _CHUNK)
    ]
    times, user, item, stars, seconds = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = stable_order(seconds)
    interactions = Interactions(
        user=user[order],
        item=item[order],
        rating=stars[order],
        timestamp=seconds[order].astype(np.int64) + truth.start,
    )
    offsets = np.concatenate([[0], np.cumsum(visits)]).astype(np.int64)
    return interactions, dataclasses.replace(truth, visits=Ragged(offsets, times))


def _visit(
    truth: WorldTruth, joined: Int64, visits: Int64, low: int, seed: int
) -> tuple[Int32, Int32, Int32, np.ndarray, Int32]:
    """Visits of the users ``low``, ``low + 1``, ...: all times; user, item, stars, time of the fruitful."""
    random = generator(seed, "world visits", low)
    items = len(truth.popularity)
    owner = np.repeat(np.arange(len(visits)), visits)
    span = truth.end - joined
    seconds = (joined - truth.start)[owner] + (random.random(len(owner)) * span[owner]).astype(np.int64)
    seconds = seconds[np.lexsort((seconds, owner))]

    late = random.random(len(owner)) < truth.drift * seconds / (truth.end - truth.start)
    people = slice(low, low + len(visits))
    shares = np.vstack([truth.taste_start[people], truth.taste_end[people]])
    taste = _pick(shares, owner + late * len(visits), random)
    item = _pick(truth.appeal, taste, random)

    known = truth.released[item] <= seconds + truth.start
    pair = np.where(known, owner * items + item, -1)
    _, first = np.unique(pair, return_index=True)
    fruitful = np.zeros(len(owner), bool)
    fruitful[first] = True
    fruitful &= known
    owner, item, when = owner[fruitful], item[fruitful], seconds[fruitful].astype(np.int32)

    middle = truth.taste(np.arange(low, low + len(visits)), (truth.start + truth.end) // 2)
    fit = np.einsum("ij,ij->i", middle[owner], truth.appeal.T[item])
    mean = utility(truth.quality[item], fit / truth.popularity[item])
    stars = np.clip(np.rint(mean + truth.noise * random.normal(size=len(owner))), 1, 5)
    return (
        seconds.astype(np.int32),
        (owner + low).astype(np.int32),
        item.astype(np.int32),
        stars.astype(np.float32),
        when,
    )


def _pick(shares: Float64, row: Int64, random: np.random.Generator) -> Int64:
    """For each entry a column, drawn from the distribution in its row of ``shares``."""
    rows, width = shares.shape
    # one search for all rows: row z of the cumulated shares lies in [z, z + 1]
    ladder = (np.cumsum(shares, axis=1) + np.arange(rows)[:, None]).ravel()
    rung = np.searchsorted(ladder, row + random.random(len(row)), side="right")
    return np.clip(rung - row * width, 0, width - 1)


def _content(interactions: Interactions) -> str:
    """Digest of the drawn arrays: a platform whose arithmetic differs gets another digest."""
    state = hashlib.sha256()
    for array in (interactions.user, interactions.item, interactions.rating, interactions.timestamp):
        assert array is not None
        state.update(np.ascontiguousarray(array).data)
    return state.hexdigest()
