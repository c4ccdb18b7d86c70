"""Small datasets for tests of splits."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
from hypothesis import strategies as st

from genrec_eval.data.dataset import Dataset, Interactions
from genrec_eval.protocol.arrays import Ragged, Vocabulary

Row = tuple[int, int, int, int]
"""user, item, rating, timestamp"""


def dataset(rows: list[Row], users: int = 5, items: int = 6, **changes: Any) -> Dataset:
    rows = sorted(rows, key=lambda row: row[3])
    user, item, rating, timestamp = (np.array([row[i] for row in rows]) for i in range(4))
    user_ids, item_ids = [f"u{i}" for i in range(users)], [f"i{i}" for i in range(items)]
    interactions = Interactions(
        user=user.astype(np.int32),
        item=item.astype(np.int32),
        rating=None if changes.get("rating", 0) is None else rating.astype(np.float32),
        timestamp=None if changes.get("timestamp", 0) is None else timestamp.astype(np.int64),
    )
    return Dataset(
        name="toy",
        users=Vocabulary(user_ids),
        items=Vocabulary(item_ids),
        interactions=interactions,
        item_table=pa.table({"item": item_ids}),
        user_table=pa.table({"user": user_ids}),
        digest="d",
    )


def lists(ragged: Ragged) -> list[list[int]]:
    return [ragged[i].tolist() for i in range(len(ragged))]


rows = st.lists(
    st.tuples(st.integers(0, 4), st.integers(0, 5), st.integers(1, 5), st.integers(0, 12)),
    min_size=1,
    max_size=60,
)
