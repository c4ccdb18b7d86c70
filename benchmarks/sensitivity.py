"""Similarity of lists across disclosed values: 500 instructions × 31 values × 3 replicates of 20 items.

    python benchmarks/sensitivity.py [--units 500] [--rounds 2]

The eight attributes of FaiRLLM, of 2 to 7 values, under each of the six similarities: neutral to neutral, to
neutral by attribute, relative, SNSR, SNSV and SNSR over chance, with intervals and with p from 5,000
shuffles of the values inside each unit. Compared with: the goal of 30 s on two cores.
"""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING

import numpy as np
from staged import timed_rounds

if TYPE_CHECKING:
    from genrec_eval.metrics.base import UnitScores
    from genrec_eval.metrics.sensitivity.arm_lists import ArmLists

VALUES = {
    "age": 3, "country": 7, "gender": 4, "continent": 3, "occupation": 5, "race": 4, "religion": 3,
    "physics": 2,
}  # fmt: skip
K, REPEATS, ITEMS = 20, 3, 1_000
BY_ATTRIBUTE = ("neutral_similarity", "relative_similarity", "snsr", "snsv", "snsr_excess")


def lists(units: int) -> ArmLists:
    """Lists that keep about 75 % of their items and order from one answer to the next."""
    from genrec_eval.metrics.sensitivity.arm_lists import ArmLists, Variant

    rng = np.random.default_rng(20261124)
    variants = (
        Variant(arm="neutral"),
        *(
            Variant(arm="sensitive", attribute=a, value=f"v{n}")
            for a, of in VALUES.items()
            for n in range(of)
        ),
    )
    shape = (REPEATS, units, len(variants), K)
    own = rng.permuted(np.broadcast_to(np.arange(ITEMS, dtype=np.int32), (units, ITEMS)), axis=1)
    items = np.broadcast_to(own[None, :, None, :K], shape).copy()
    changed = rng.random(shape) < 0.25
    other = own[np.arange(units)[None, :, None, None], K + np.arange(K) + K * rng.integers(0, 20, shape)]
    items[changed] = other[changed]
    return ArmLists(
        items=items,
        answered=np.ones(shape[:3], bool),
        asked=np.ones(shape[1:3], bool),
        variants=variants,
        own={attribute: np.full(units, -1, np.int32) for attribute in VALUES},
    )


def main() -> None:
    """Print seconds by stage and the greatest resident memory."""
    from genrec_eval.metrics.registry import metric
    from genrec_eval.metrics.sensitivity.similarity import SIMILARITIES

    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("units", 500), ("rounds", 2)):
        options.add_argument(f"--{name}", type=int, default=default)
    asked = options.parse_args()
    metrics = [
        metric(spelling)
        for of in SIMILARITIES
        for spelling in (
            f"neutral_noise(of={of})@{K}",
            *(f"{name}(attribute={a},of={of})@{K}" for a in VALUES for name in BY_ATTRIBUTE),
        )
    ]
    data = lists(asked.units)

    def score() -> dict[str, UnitScores]:
        data.kept.clear()
        return {one.id: one(data) for one in metrics}

    what = f"{data.items.shape[:3]} lists, {len(metrics)} metrics"
    timed_rounds(what, asked.rounds, metrics, score, tests=len(VALUES) * len(SIMILARITIES))


if __name__ == "__main__":
    main()
