"""The users of the synthetic world: groups, tastes, how long they are there and how often they come."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from genrec_eval.core.randomness import generator
from genrec_eval.data.world.items import Catalogue, numbered
from genrec_eval.protocol.arrays import Float64, Int64

if TYPE_CHECKING:
    from genrec_eval.data.world.spec import SyntheticSpec

GENDERS = {"F": 0.48, "M": 0.48, "X": 0.04}
AGES = {
    "under 18": 0.06,
    "18-24": 0.2,
    "25-34": 0.3,
    "35-44": 0.2,
    "45-49": 0.08,
    "50-55": 0.08,
    "56+": 0.08,
}
_CONCENTRATION = 0.5  # small: a user has a few tastes, not a little of each
_SAMPLE = 2_000_000  # cells of the matrix from which the number of visits is tuned


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """What is known of the users.

    Attributes
    ----------
    table
        ``user_table`` of the dataset.
    taste_start, taste_end
        See :class:`~genrec_eval.data.world.truth.WorldTruth`.
    joined
        int64[n], Unix seconds.
    visits
        int64[n], at least 1.
    """

    table: pa.Table
    taste_start: Float64
    taste_end: Float64
    joined: Int64
    visits: Int64


def make_people(spec: SyntheticSpec, seed: int, catalogue: Catalogue) -> People:
    """Draw the users."""
    n = spec.users
    random = generator(seed, "world users")
    group = _draw(spec.groups, n, random)
    table = pa.table(
        {
            "user": numbered("u", n),
            "group": pa.array(list(spec.groups)).take(pa.array(group)),
            "gender": pa.array(list(GENDERS)).take(pa.array(_draw(GENDERS, n, random))),
            "age": pa.array(list(AGES)).take(pa.array(_draw(AGES, n, random))),
        }
    )
    common = random.dirichlet(np.ones(spec.tastes - 1) * 5)
    own = random.dirichlet(np.ones(spec.tastes - 1), len(spec.groups))
    mean = (1 - spec.group_tilt) * common + spec.group_tilt * own
    mainstream = random.beta(4 * spec.mainstream, 4 * (1 - spec.mainstream), (n, 1))
    start, end = (
        np.hstack([mainstream, (1 - mainstream) * _dirichlet(_CONCENTRATION * mean[group], random)])
        for _ in range(2)
    )

    length = catalogue.end - catalogue.start
    late = random.random(n) < spec.new_users
    joined = catalogue.start + np.where(late, random.random(n) * length * 0.98, 0).astype(np.int64)
    stay = (catalogue.end - joined) / length
    rate = random.gamma(2.0, 0.5, n) * stay
    average = (1 - spec.drift / 2) * start + spec.drift / 2 * end
    scale = _scale(spec, catalogue, average, joined, rate)
    visits = 1 + random.poisson(scale * rate)
    return People(table=table, taste_start=start, taste_end=end, joined=joined, visits=visits)


def _draw(shares: dict[str, float], n: int, random: np.random.Generator) -> Int64:
    weight = np.array(list(shares.values()))
    return random.choice(len(weight), n, p=weight / weight.sum())


def _dirichlet(alpha: Float64, random: np.random.Generator) -> Float64:
    """One draw per row; each row has parameters of its own."""
    draw = random.standard_gamma(alpha) + 1e-12  # with small parameters all draws of a row may vanish
    return draw / draw.sum(axis=1, keepdims=True)


def _scale(spec: SyntheticSpec, catalogue: Catalogue, taste: Float64, joined: Int64, rate: Float64) -> float:
    """Factor on the rate of visits by which ``interactions_per_user`` is met after lost visits."""
    some = slice(0, int(np.clip(_SAMPLE // spec.items, 16, 4000)))
    since = np.maximum(catalogue.released, joined[some, None])
    open_share = (catalogue.end - since) / (catalogue.end - joined[some, None])
    miss = np.log1p(-(taste[some] @ catalogue.appeal) * open_share)
    low, high = 0.0, 50.0 * spec.interactions_per_user
    for _ in range(20):
        middle = (low + high) / 2
        expected = -np.expm1((1 + middle * rate[some, None]) * miss).sum(axis=1).mean()
        low, high = (middle, high) if expected < spec.interactions_per_user else (low, middle)
    return high
