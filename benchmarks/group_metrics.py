"""Gaps between groups for 1,000,000 users × 8 attributes: scores, intervals and tests.

    python benchmarks/group_metrics.py [--users 1000000] [--attributes 8] [--rounds 2]

Lists of 10 items in chunks, as a run scores them: ndcg once, and from its scores the gap over each attribute
of 2 to 9 values with 5 % unknown. Compared with: the goal of 15 s on two cores.
"""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING

import numpy as np
from staged import timed_rounds

if TYPE_CHECKING:
    from genrec_eval.metrics.base import UnitScores
    from genrec_eval.metrics.lists import RankedLists

ITEMS, K, CHUNK = 4_999, 10, 100_000


def chunks(users: int, attributes: int) -> Iterator[RankedLists]:
    """Lists, truth and groups of the users, a chunk at a time."""
    from genrec_eval.metrics.catalogue import Catalogue
    from genrec_eval.metrics.lists import GroupCodes, RankedLists
    from genrec_eval.protocol.arrays import Ragged

    rng = np.random.default_rng(20261123)
    catalogue = Catalogue(train_counts=np.arange(ITEMS, 0, -1))
    for start in range(0, users, CHUNK):
        n = min(CHUNK, users - start)
        first, stride = rng.integers(0, ITEMS, (n, 1)), rng.integers(1, ITEMS, (n, 1))
        wanted = (first + stride * rng.integers(0, 3 * K, (n, 1))) % ITEMS
        groups = {
            f"a{which}": GroupCodes(
                rng.choice(which + 3, n, p=[0.05, *[0.95 / (which + 2)] * (which + 2)]).astype(np.int32) - 1,
                tuple("ABCDEFGHIJKLM"[: which + 2]),
            )
            for which in range(attributes)
        }
        yield RankedLists(
            items=((first + stride * np.arange(K)) % ITEMS).astype(np.int32),
            truth=Ragged(np.arange(n + 1), wanted.ravel().astype(np.int32)),
            history=Ragged(np.zeros(n + 1, np.int64), np.empty(0, np.int32)),
            answered=np.ones(n, bool),
            catalogue=catalogue,
            groups=groups,
        )


def main() -> None:
    """Print seconds by stage and the greatest resident memory."""
    from genrec_eval.metrics.evaluate import score_lists
    from genrec_eval.metrics.grouped.by_group import GroupedUnits
    from genrec_eval.metrics.lists import GroupCodes
    from genrec_eval.metrics.registry import metric

    options = argparse.ArgumentParser(description=__doc__)
    for name, default in (("users", 1_000_000), ("attributes", 8), ("rounds", 2)):
        options.add_argument(f"--{name}", type=int, default=default)
    asked = options.parse_args()
    lists = list(chunks(asked.users, asked.attributes))
    groups = {
        name: GroupCodes(np.concatenate([chunk.groups[name].codes for chunk in lists]), one.names)
        for name, one in lists[0].groups.items()
    }
    base = metric(f"ndcg@{K}")
    gaps = [metric(f"group_gap(by=a{which})@{K}") for which in range(asked.attributes)]

    def score() -> dict[str, UnitScores]:
        for chunk in lists:
            chunk.remembered.clear()
        scores = score_lists([base], lists)
        units = GroupedUnits(scores[base.id], groups)
        return scores | {one.id: one(units) for one in gaps}

    what = f"{asked.users:,} users, {asked.attributes} attributes"
    timed_rounds(what, asked.rounds, [base, *gaps], score, tests=len(gaps))


if __name__ == "__main__":
    main()
