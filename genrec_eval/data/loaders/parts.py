"""What the loaders share: the end of the work, and columns as the house writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.fingerprint import digest, digest_file
from genrec_eval.data.dataset import Dataset
from genrec_eval.data.tables.assemble import assemble
from genrec_eval.data.tables.ids import ids_of
from genrec_eval.data.tables.log import CaseLog, Log
from genrec_eval.protocol.arrays import Int64

RECIPE = 1
"""Raised whenever the same files and options would load differently."""


def finish(
    log: Log,
    *,
    loader: str,
    files: Sequence[Path],
    options: Mapping[str, Any],
    name: str | None = None,
    item_table: pa.Table | None = None,
    user_table: pa.Table | None = None,
    given: CaseLog | None = None,
    groups: tuple[str, ...] = (),
    licence: str | None,
    source: str | None,
    facts: Mapping[str, Any] | None = None,
    warnings: Sequence[str] = (),
) -> Dataset:
    """Assemble the dataset and say what it was made of.

    The tables may describe an id more than once; the first description is kept.
    ``options`` are those of the spec; its path is left out of the digest.
    """
    told = list(warnings)
    digests: dict[str, str] = {}
    for path in files:  # the parts of a data set may call their files the same
        same = sum(name.partition(" ")[0] == path.name for name in digests)
        digests[path.name if not same else f"{path.name} ({same + 1})"] = digest_file(path)
    chosen = {key: value for key, value in options.items() if key != "path"}
    return assemble(
        log,
        name=name or loader,
        digest=digest({"dataset": loader, "recipe": RECIPE, "files": digests, "options": chosen}),
        item_table=None if item_table is None else keep_first(item_table, told),
        user_table=None if user_table is None else keep_first(user_table, told),
        given=given,
        groups=groups,
        licence=licence,
        source=source,
        facts={"files": digests, **(facts or {})},
        warnings=told,
    )


def keep_first(table: pa.Table, told: list[str]) -> pa.Table:
    """The table with one row per id of its first column; what is dropped is counted in ``told``."""
    role = table.column_names[0]
    codes, ids = ids_of(table.column(0))
    _, first = np.unique(codes, return_index=True)
    first = np.sort(first[codes[first] >= 0])
    dropped = int((codes >= 0).sum()) - len(first)
    if dropped:
        told.append(f"{dropped} further descriptions of {role}s that are described already are dropped")
    if missing := int((codes < 0).sum()):
        told.append(f"{missing} descriptions without an id of the {role} are dropped")
    if len(first) == table.num_rows:
        return table.set_column(0, role, ids.take(pa.array(codes)))
    return table.take(first).set_column(0, role, ids.take(pa.array(codes[first]))).combine_chunks()


def only(table: pa.Table, known: pa.ChunkedArray) -> pa.Table:
    """Rows of ``table`` whose id, in the first column, is among ``known``."""
    _, ids = ids_of(known)
    return table.filter(pc.is_in(table.column(0), value_set=ids))


def cleaned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As text without blanks around it; nothing becomes null."""
    column = pc.utf8_trim_whitespace(column.cast(pa.string()))
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def split_texts(column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Lists of the parts of each text, blank parts left out."""
    parts = [
        [part.strip() for part in (text or "").split(separator) if part.strip()]
        for text in column.to_pylist()
    ]
    return pa.chunked_array([pa.array(parts, pa.list_(pa.string()))])


def split_ids(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Lists of the ids in each text, with spaces between; null and nothing become empty lists."""
    column = pc.utf8_trim_whitespace(pc.fill_null(column.cast(pa.string()), ""))
    lists = pc.split_pattern(column, " ").combine_chunks()
    if isinstance(lists, pa.ChunkedArray):  # no rows at all
        return pa.chunked_array([], pa.list_(pa.string()))
    rows = pc.list_parent_indices(lists).to_numpy()
    ids = lists.flatten()
    full = pc.not_equal(ids, "").to_numpy(zero_copy_only=False)
    return lists_of(rows[full], ids.filter(pa.array(full)), len(lists))


def lists_of(rows: Int64, ids: pa.Array | pa.ChunkedArray, n: int) -> pa.ChunkedArray:
    """``n`` lists of ids; ``rows``, ascending, says to which each id belongs."""
    offsets = np.concatenate([[0], np.cumsum(np.bincount(rows, minlength=n))]).astype(np.int64)
    if isinstance(ids, pa.ChunkedArray):
        ids = ids.combine_chunks()
    return pa.chunked_array([pa.LargeListArray.from_arrays(offsets, ids)])


def first_of_each(ids: pa.ChunkedArray, columns: Mapping[str, pa.ChunkedArray], role: str) -> pa.Table:
    """A row for each id, with what the first row of that id says in the other columns."""
    codes, distinct = ids_of(ids)
    found, first = np.unique(codes, return_index=True)
    first = first[found >= 0]
    rows = pa.array(first)
    others = {name: column.take(rows).cast(pa.string()) for name, column in columns.items()}
    return pa.table({role: distinct.take(pa.array(codes[first])), **others})


def refused_rows(refused: Sequence[str]) -> list[str]:
    """The warning about rows that were passed over."""
    if not refused:
        return []
    return [f"{len(refused)} rows with too few or too many fields are passed over, the first {refused[0]}"]
