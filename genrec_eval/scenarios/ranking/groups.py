"""Groups of users that results are given by."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.dataset import Dataset
from genrec_eval.protocol.arrays import Int32, Int64

if TYPE_CHECKING:
    pass

HISTORY_BUCKETS = ("none", "1-9", "10-49", "50+")


MOST_VALUES = 100
"""Groups with more values say nothing that a person could read."""


_BUCKET_STARTS = (1, 10, 50)


def groups_of(
    scenario: str, dataset: Dataset, users: Int32, lengths: Int64 | None, groups: Iterable[str]
) -> dict[str, pa.Array]:
    """Columns ``group.<name>`` of the cases of ``users``, and how long their histories are, unless None.

    Raises
    ------
    UsageError
        When the users have no such column, or it cannot name groups.
    """
    columns: dict[str, pa.Array] = {}
    known = dataset.user_table.column_names[1:]
    for name in groups:
        if name not in known:
            raise UsageError(
                f"scenario '{scenario}': the users of data set '{dataset.name}' have no column '{name}'"
                f"{did_you_mean(name, known)} (columns: {', '.join(known) or 'none'});"
                f" take it out of the scenario's groups"
            )
        columns[f"group.{name}"] = _group(scenario, dataset, name).take(pa.array(users))
    if lengths is None:
        return columns
    buckets = history_buckets(lengths)
    if "group.history" not in columns and len(pc.unique(buckets)) > 1:
        columns["group.history"] = buckets
    return columns


def history_buckets(lengths: Int64) -> pa.Array:
    """The built-in group ``history``: how much training knows of a user.

    >>> history_buckets(np.array([0, 9, 10, 700])).to_pylist()
    ['none', '1-9', '10-49', '50+']
    """
    codes = np.searchsorted(_BUCKET_STARTS, lengths, side="right")
    return pa.array(HISTORY_BUCKETS).take(pa.array(codes))


def _group(scenario: str, dataset: Dataset, name: str) -> pa.Array:
    where = f"scenario '{scenario}': the column '{name}' of data set '{dataset.name}'"
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
