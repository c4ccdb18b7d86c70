"""The reference models that a server offers, fitted on one data set."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pyarrow as pa

from genrec_eval.data.dataset import Dataset, Training
from genrec_eval.protocol.arrays import Ragged
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.reference.base import REFERENCE, ReferenceModel


def train_on(dataset: Dataset, seed: int = 0) -> Training:
    """All of a data set as training data: a server holds nothing back."""
    return Training(
        dataset=dataset.name,
        users=dataset.users,
        items=dataset.items,
        interactions=dataset.interactions,
        item_table=dataset.item_table,
        user_table=dataset.user_table,
        seed=seed,
        digest=dataset.digest,
        reviews=dataset.reviews,
    )


class Catalogue:
    """Models by name over one catalogue.

    Parameters
    ----------
    training
        What the models learn from.
    names
        Recommenders to offer; the first is the default of ``/rank``.
    seed
        Seed of models that draw.
    """

    def __init__(self, training: Training, names: Sequence[str], seed: int = 0) -> None:
        self.training = training
        self.models: dict[str, ReferenceModel] = {
            name: REFERENCE.get(name)(training, seed=seed) for name in names
        }

    def recommend(
        self,
        model: ReferenceModel,
        user: str,
        history: np.ndarray,
        k: int,
        candidates: np.ndarray | None = None,
        profile: Mapping[str, str] | None = None,
    ) -> tuple[list[str], list[float] | None]:
        """Ids of the list of one user, with scores where the model has them."""
        items = self.training.items
        ranked = model.rank(
            RankBatch(
                users=pa.array([user]),
                # By dict: a columnar look-up of one id would hash the whole vocabulary first.
                user_codes=np.array([self.training.users.codes.get(user, -1)], np.int32),
                history=_single(history),
                k=k,
                items=items,
                candidates=None if candidates is None else _single(candidates),
                profiles=pa.table({name: [value] for name, value in profile.items()}) if profile else None,
            )
        )
        row = ranked.items[0]
        row = row[row != -1]
        ids = [items.strings[code] if code >= 0 else ranked.unknown[-2 - code] for code in row.tolist()]
        return ids, None if ranked.scores is None else ranked.scores[0, : len(row)].tolist()


def _single(codes: np.ndarray) -> Ragged:
    return Ragged(np.array([0, len(codes)], np.int64), codes.astype(np.int32))
