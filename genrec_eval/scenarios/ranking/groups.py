"""Groups of users that results are given by."""

from __future__ import annotations

import re
from collections.abc import Iterable

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError, did_you_mean
from genrec_eval.data.dataset import Dataset
from genrec_eval.metrics.lists import GroupCodes
from genrec_eval.protocol.arrays import Int32, Int64

HISTORY = "history"
"""The built-in group: how much training knows of a user."""

HISTORY_BUCKETS = ("none", "1-9", "10-49", "50+")

MOST_VALUES = 100
"""Groups with more values say nothing that a person could read."""

_BUCKET_STARTS = (1, 10, 50)


CROSSED = "*"
"""Between the columns of an intersection, as in gender*age, and between its values, as in F*18-24."""


def groups_of(
    scenario: str, dataset: Dataset, users: Int32, lengths: Int64 | None, groups: Iterable[str]
) -> dict[str, pa.Array]:
    """Columns ``group.<name>`` of the cases of ``users``, and how long their histories are, unless None.

    Raises
    ------
    UsageError
        When the users have no such column, or it cannot name groups.
    """
    columns = {
        f"group.{name}": _intersection(scenario, dataset, name).take(pa.array(users)) for name in groups
    }
    if lengths is None:
        return columns
    buckets = history_buckets(lengths)
    if f"group.{HISTORY}" not in columns and len(pc.unique(buckets)) > 1:
        columns[f"group.{HISTORY}"] = buckets
    return columns


def named_groups(column: pa.Array | pa.ChunkedArray) -> GroupCodes:
    """The column of a group as codes, its values in the order of reports.

    >>> named_groups(pa.array(["9-17", "all", None, "18-24"]))
    GroupCodes(codes=array([ 1,  0, -1,  2], dtype=int32), names=('all', '9-17', '18-24'))
    """
    array = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    coded = array if pa.types.is_dictionary(array.type) else array.cast(pa.string()).dictionary_encode()
    found = coded.dictionary.cast(pa.string()).to_pylist()
    names = sorted(set(found), key=natural)
    place = {name: code for code, name in enumerate(names)}
    # a dictionary may name a value twice; -1, for nulls, looks up the last entry
    table = np.array([*(place[name] for name in found), -1], np.int32)
    return GroupCodes(table[coded.indices.fill_null(-1).to_numpy(zero_copy_only=False)], tuple(names))


def natural(text: str) -> tuple[int, str]:
    """Ranges such as 9-17 before 18-24; words, which start with no number, first."""
    number = re.match(r"\d+", text)
    return (int(number[0]) if number else -1, text)


def history_buckets(lengths: Int64) -> pa.Array:
    """The built-in group ``history``: how much training knows of a user.

    >>> history_buckets(np.array([0, 9, 10, 700])).to_pylist()
    ['none', '1-9', '10-49', '50+']
    """
    codes = np.searchsorted(_BUCKET_STARTS, lengths, side="right")
    return pa.array(HISTORY_BUCKETS).take(pa.array(codes))


def _intersection(scenario: str, dataset: Dataset, name: str) -> pa.Array:
    """One column, or several crossed: null where any part is."""
    known = dataset.user_table.column_names[1:]
    parts = [name] if name in known else [part.strip() for part in name.split(CROSSED)]
    for part in parts:
        if part not in known:
            named = f"'{part}'" if len(parts) == 1 else f"'{part}', which '{name}' crosses"
            raise UsageError(
                f"scenario '{scenario}': the users of data set '{dataset.name}' have no column {named}"
                f"{did_you_mean(part, known)} (columns: {', '.join(known) or 'none'});"
                f" take it out of the scenario's groups"
            )
    if len(set(parts)) < len(parts):
        raise UsageError(f"scenario '{scenario}': the group '{name}' crosses a column with itself")
    values = [_group(scenario, dataset, part) for part in parts]
    if len(values) == 1:
        return values[0]
    starred = [part for part, of in zip(parts, values, strict=True) if _holds_star(of)]
    if len(starred) > 1:  # x*y crossed with z would be x crossed with y*z
        raise UsageError(
            f"scenario '{scenario}': values of the columns '{starred[0]}' and '{starred[1]}' of data set"
            f" '{dataset.name}' hold '{CROSSED}', which stands between the values of '{name}'; write them"
            " without"
        )
    crossed = pc.binary_join_element_wise(*values, CROSSED)
    distinct = len(pc.unique(crossed.drop_null()))
    if distinct > MOST_VALUES:
        raise UsageError(
            f"scenario '{scenario}': the group '{name}' of data set '{dataset.name}' has {distinct} values,"
            f" and a group may have at most {MOST_VALUES}; cross fewer or coarser columns"
        )
    return crossed


def _holds_star(values: pa.Array) -> bool:
    return bool(pc.any(pc.match_substring(pc.unique(values), CROSSED)).as_py())


def _group(scenario: str, dataset: Dataset, name: str) -> pa.Array:
    where = f"scenario '{scenario}': the column '{name}' of data set '{dataset.name}'"
    column = dataset.user_table.column(name).combine_chunks()
    if pa.types.is_floating(column.type):  # a gap in a column of numbers is no group of people
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    try:
        values = column.cast(pa.string())
    except pa.ArrowException:
        raise UsageError(
            f"{where} holds {column.type} values, which cannot name groups; "
            "choose a column of text or numbers"
        ) from None
    values = pc.if_else(pc.equal(pc.utf8_trim_whitespace(values), ""), pa.scalar(None, pa.string()), values)
    distinct = len(pc.unique(values.drop_null()))
    if distinct > MOST_VALUES:
        raise UsageError(
            f"{where} has {distinct} values, and a group may have at most {MOST_VALUES}; "
            "choose a coarser column or put ranges in its place"
        )
    return values
