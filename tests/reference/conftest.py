"""Small training data by hand."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
import pyarrow as pa
import pytest

from genrec_eval.data.dataset import Interactions, Training
from genrec_eval.protocol.arrays import Ragged, Vocabulary
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.base import ReferenceModel


def make_training(histories: Sequence[Sequence[int]], n_items: int, digest: str = "d") -> Training:
    """Training data in which user ``u<row>`` has the items of ``histories[row]``."""
    lists = Ragged.from_lists(histories)
    users = [f"u{row}" for row in range(len(histories))]
    items = [f"i{code}" for code in range(n_items)]
    return Training(
        dataset="hand",
        users=Vocabulary(users),
        items=Vocabulary(items),
        interactions=Interactions(
            user=np.repeat(np.arange(len(histories), dtype=np.int32), lists.lengths), item=lists.values
        ),
        item_table=pa.table({"item": pa.array(items, pa.string())}),
        user_table=pa.table({"user": pa.array(users, pa.string())}),
        seed=7,
        digest=digest,
    )


def make_batch(
    training: Training,
    histories: Sequence[Sequence[int]],
    k: int,
    candidates: Sequence[Sequence[int]] | None = None,
    first: int = 0,
) -> RankBatch:
    """A batch of users ``u<first>``, ``u<first + 1>``, ... with these histories."""
    users = pa.array([f"u{first + row}" for row in range(len(histories))], pa.string())
    return RankBatch(
        users=users,
        user_codes=training.users.encode(users),
        history=Ragged.from_lists(histories),
        k=k,
        items=training.items,
        candidates=None if candidates is None else Ragged.from_lists(candidates),
    )


@pytest.fixture(scope="session")
def training_of() -> Callable[..., Training]:
    """Builds training data."""
    return make_training


@pytest.fixture(scope="session")
def batch_of() -> Callable[..., RankBatch]:
    """Builds batches."""
    return make_batch


@pytest.fixture(scope="session")
def same_in_chunks() -> Callable[..., None]:
    """Asserts that a model gives the same lists and scores wherever the histories are cut in two."""

    def check(
        model: ReferenceModel, training: Training, histories: Sequence[Sequence[int]], cuts: Sequence[int]
    ) -> None:
        whole = model.rank(make_batch(training, histories, 10))
        for cut in cuts:
            parts = [
                model.rank(make_batch(training, histories[start:stop], 10, first=start))
                for start, stop in ((0, cut), (cut, len(histories)))
            ]
            assert np.array_equal(np.concatenate([part.items for part in parts]), whole.items)
            assert np.array_equal(np.concatenate([part.scores for part in parts]), whole.scores)

    return check
