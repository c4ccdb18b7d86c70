"""Plain Python lists for tests, and the metrics written down once more without arrays."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import log2

import numpy as np
from hypothesis import strategies as st

from genrec_eval.metrics.catalogue import Catalogue
from genrec_eval.metrics.lists import RankedLists
from genrec_eval.protocol.arrays import PAD, Ragged

ACCURACY = (
    "recall",
    "recall(denominator=min)",
    "precision",
    "precision(denominator=list)",
    "f1",
    "hit_rate",
    "mrr",
    "map",
    "map(denominator=relevant)",
    "map(denominator=k)",
    "ndcg",
    "ndcg(ideal=all)",
    "ndcg(ideal=slots)",
)
VALIDITY = ("invalid", "duplicate", "seen", "short")


@dataclass
class User:
    listed: list[int]
    """Item codes; negative (<= -2) for unknown ids."""
    relevant: list[int]
    history: list[int] = field(default_factory=list)
    answered: bool = True
    rejected: list[int] = field(default_factory=list)


def arrays(users: list[User], n_items: int = 20, counts: list[int] | None = None) -> RankedLists:
    """The users as the arrays that metrics take."""
    width = max([len(user.listed) for user in users], default=0)
    items = np.full((len(users), width), PAD, np.int32)
    for row, user in enumerate(users):
        items[row, : len(user.listed)] = user.listed
    return RankedLists(
        items=items,
        truth=Ragged.from_lists([user.relevant for user in users]),
        history=Ragged.from_lists([user.history for user in users]),
        rejected=Ragged.from_lists([sorted({*user.rejected} - {*user.relevant}) for user in users]),
        answered=np.array([user.answered for user in users], bool),
        catalogue=Catalogue(
            train_counts=np.array(counts if counts is not None else range(n_items), np.int64)
        ),
    )


def expected(name: str, user: User, k: int, counts: list[int]) -> float | str:
    """Value of a metric for one user, or the reason why there is none."""
    listed = user.listed[:k] if user.answered else []
    if name.partition("(")[0] in VALIDITY or name == "popularity":
        return _of_list(name, user, listed, k, counts)
    if not user.relevant:
        return "no-truth"
    r = len(user.relevant)
    hits = [item in user.relevant and item not in listed[:rank] for rank, item in enumerate(listed)]
    found = sum(hits)
    dcg = sum(1 / log2(rank + 2) for rank, hit in enumerate(hits) if hit)
    precisions = sum(sum(hits[: rank + 1]) / (rank + 1) for rank, hit in enumerate(hits) if hit)

    def best(hits: int) -> float:
        return sum(1 / log2(rank + 2) for rank in range(hits))

    precision, recall = found / k, found / r
    return {
        "recall": recall,
        "recall(denominator=min)": found / min(r, k),
        "precision": precision,
        "precision(denominator=list)": found / len(listed) if listed else 0.0,
        "f1": 2 * precision * recall / (precision + recall) if found else 0.0,
        "hit_rate": float(found > 0),
        "mrr": 1 / (hits.index(True) + 1) if found else 0.0,
        "map": precisions / min(r, k),
        "map(denominator=relevant)": precisions / r,
        "map(denominator=k)": precisions / k,
        "ndcg": dcg / best(min(r, k)),
        "ndcg(ideal=all)": dcg / best(r),
        "ndcg(ideal=slots)": dcg / best(k),
    }[name]


def _of_list(name: str, user: User, listed: list[int], k: int, counts: list[int]) -> float | str:
    if not user.answered:
        return "unanswered"
    if name == "short":
        room = min(k, len(counts) - len(set(user.history)))
        return max(room - len(listed), 0) / room if room else "nothing-new"
    if not listed:
        return "empty-list"
    if name == "popularity":
        known = [counts[item] for item in listed if item >= 0]
        return sum(known) / len(known) if known else "no-valid-item"
    bad = {
        "invalid": sum(item < 0 for item in listed),
        "duplicate": len(listed) - len(set(listed)),
        "seen": sum(item in user.history for item in listed),
    }
    return bad[name] / len(listed)


N_ITEMS = 12
items = st.integers(0, N_ITEMS - 1)
lists_of_ids = st.lists(items | st.integers(-5, -2), max_size=9)
users = st.builds(
    User,
    listed=lists_of_ids,
    relevant=st.lists(items, unique=True, max_size=6),
    history=st.lists(items, max_size=6) | st.permutations(range(N_ITEMS)),
    answered=st.booleans() | st.just(True),
    rejected=st.lists(items, max_size=4),
)
populations = st.lists(users, min_size=1, max_size=12)
cutoffs = st.integers(1, 12)
