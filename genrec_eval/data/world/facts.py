"""More facts of the synthetic catalogue: who made a film, what it costs, how long it is."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from genrec_eval.core.randomness import generator
from genrec_eval.data.world import words
from genrec_eval.protocol.arrays import Int64

_PRICES = (1.99, 2.49, 2.99, 3.49, 3.99, 4.99, 5.99)


def fact_columns(n: int, seed: int) -> dict[str, pa.Array]:
    """``director``, ``cast``, ``price`` (of a rental) and ``runtime`` (minutes) of ``n`` items.

    A director has made about six films and an actor been in about eight, more where the 3,960 names run
    out: so films have people in common. Nobody directs and acts. The draws have a generator of their own:
    what else the world holds does not depend on them.
    """
    random = generator(seed, "world facts")
    directors, actors = max(4, n // 6), max(8, 3 * n // 8)
    # the names of people: distinct pairs as long as there are any
    pairs = len(words.NAMES) * len(words.SURNAMES)
    picked = random.permutation(pairs)[: min(directors + actors, pairs)]
    first, last = np.divmod(picked, len(words.SURNAMES))
    names = pa.array([f"{words.NAMES[a]} {words.SURNAMES[b]}" for a, b in zip(first, last, strict=True)])
    directors = min(directors, len(names) // 3)
    cast = _cast(n, len(names) - directors, random) + directors
    return {
        "director": names.take(pa.array(random.integers(directors, size=n))),
        "cast": pa.ListArray.from_arrays(
            pa.array(np.arange(0, 3 * n + 1, 3), pa.int32()), names.take(pa.array(cast.ravel()))
        ),
        "price": pa.array(np.array(_PRICES)[random.integers(len(_PRICES), size=n)]),
        "runtime": pa.array(np.clip(np.rint(random.normal(108, 16, n)), 72, 190).astype(np.int32)),
    }


def _cast(n: int, actors: int, random: np.random.Generator) -> Int64:
    """int64[n, 3], three different actors a film: steps along a circle of actors never meet."""
    start = random.integers(actors, size=(n, 1))
    third = max(1, (actors - 1) // 2)
    steps = np.cumsum(1 + random.integers(third, size=(n, 2)), axis=1)
    return np.hstack([start, (start + steps) % actors])
