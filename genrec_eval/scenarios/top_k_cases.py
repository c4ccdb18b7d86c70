"""The case table of the top-k scenario, and the requests made from it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.core.randomness import generator
from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.arrays import Int32, Int64, Ragged, Vocabulary
from genrec_eval.protocol.batch import RankBatch
from genrec_eval.scenarios.base import Prepared
from genrec_eval.scenarios.ranking_records import list_column, ragged

if TYPE_CHECKING:
    from genrec_eval.scenarios.top_k import TopKOptions

HISTORY_BUCKETS = ("none", "1-9", "10-49", "50+")
MOST_VALUES = 100
"""Groups with more values say nothing that a person could read."""
_BUCKET_STARTS = (1, 10, 50)


def prepare(dataset: Dataset, options: TopKOptions, seed: int) -> Prepared:
    """Split ``dataset`` and make one case per user who has truth."""
    split = options.split.apply(dataset, options.min_rating, seed)
    users, truth, history = split.users, split.truth, split.history
    facts: dict[str, Any] = {**split.facts, "cases": len(users)}
    if options.max_users is not None and options.max_users < len(users):
        rows = generator(seed, "top-k users").choice(len(users), options.max_users, replace=False)
        rows.sort()
        facts["cases"] = options.max_users
        facts["users_sampled_from"] = len(users)
        users, truth, history = users[rows], truth.take(rows), history.take(rows)
    ids = dataset.users.ids.take(pa.array(users))
    columns: dict[str, Any] = {
        "case": ids,
        "unit": ids,
        "arm": pa.DictionaryArray.from_arrays(np.zeros(len(users), np.int32), pa.array(["neutral"])),
    }
    for name in options.groups:
        columns[f"group.{name}"] = _group(dataset, name).take(pa.array(users))
    buckets = history_buckets(history.lengths)
    if "history" not in options.groups and len(pc.unique(buckets)) > 1:
        columns["group.history"] = buckets
    columns["truth"] = list_column(truth)
    columns["history"] = list_column(history)
    return Prepared(
        cases=pa.table(columns),
        context={"items": _items(dataset, split.training.interactions.item)},
        training=split.training,
        future=split.held_out,
        facts=facts,
    )


def history_buckets(lengths: Int64) -> pa.Array:
    """The built-in group ``history``: how much training knows of a user.

    >>> history_buckets(np.array([0, 9, 10, 700])).to_pylist()
    ['none', '1-9', '10-49', '50+']
    """
    codes = np.searchsorted(_BUCKET_STARTS, lengths, side="right")
    return pa.array(HISTORY_BUCKETS).take(pa.array(codes))


def _group(dataset: Dataset, name: str) -> pa.Array:
    where = f"scenario 'top-k': the column '{name}' of data set '{dataset.name}'"
    column = dataset.user_table.column(name).combine_chunks()
    try:
        values = column.cast(pa.string())
    except pa.ArrowException:
        raise UsageError(
            f"{where} holds {column.type} values, which cannot name groups; "
            "choose a column of text or numbers"
        ) from None
    distinct = len(pc.unique(values.drop_null()))
    if distinct > MOST_VALUES:
        raise UsageError(
            f"{where} has {distinct} values, and a group may have at most {MOST_VALUES}; "
            "choose a coarser column or put ranges in its place"
        )
    return values


def _items(dataset: Dataset, trained_on: Int32) -> pa.Table:
    columns: dict[str, Any] = {
        "item": dataset.items.ids,
        "train_count": np.bincount(trained_on, minlength=len(dataset.items)).astype(np.int64),
    }
    if "title" in dataset.item_table.column_names:
        columns["title"] = dataset.item_table.column("title")
    return pa.table(columns)


@dataclass(frozen=True, slots=True)
class Asked:
    """What requests are made of: the case table's columns as arrays."""

    users: pa.Array
    user_codes: Int32
    history: Ragged
    items: Vocabulary

    @classmethod
    def of(cls, prepared: Prepared, history_limit: int | None) -> Asked:
        """Read ``prepared``, keeping the latest ``history_limit`` items of each history."""
        assert prepared.training is not None
        users = prepared.cases.column("unit").combine_chunks()
        history = ragged(prepared.cases.column("history"))
        if history_limit is not None:
            history = latest(history, history_limit)
        items = Vocabulary(prepared.context["items"].column("item"))
        return cls(users, prepared.training.users.encode(users), history, items)

    def batch(self, rows: Int64, k: int) -> RankBatch:
        """Requests of the cases at ``rows``."""
        return RankBatch(
            users=self.users.take(pa.array(rows)),
            user_codes=self.user_codes[rows],
            history=self.history.take(rows),
            k=k,
            items=self.items,
        )


def latest(lists: Ragged, limit: int) -> Ragged:
    """The last ``limit`` entries of each list.

    >>> latest(Ragged.from_lists([[1, 2, 3], [4]]), 2).values.tolist()
    [2, 3, 4]
    """
    kept = np.minimum(lists.lengths, limit)
    offsets = np.concatenate([[0], np.cumsum(kept)]).astype(np.int64)
    source = np.repeat(lists.offsets[1:] - offsets[1:], kept) + np.arange(offsets[-1])
    return Ragged(offsets, lists.values[source])
