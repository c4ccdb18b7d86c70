"""Records whose entries are semantic ids, as lists of semantic ids or of the items that they name."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.protocol.arrays import PAD, Int32, Ragged, Vocabulary
from genrec_eval.scenarios.ranking.catalogue import spelled
from genrec_eval.scenarios.ranking.records import list_column, ragged

View = tuple[pa.Table, pa.Table, list[pa.RecordBatch]]
"""Cases, items and records in which ids of one kind are spoken of."""


def by_first_item(cases: pa.Table, items: pa.Table, records: Sequence[pa.RecordBatch]) -> View:
    """Each semantic id stands for the first item of the catalogue that has it."""
    ids, first, _ = _semantic(items)
    names = items.column("item").combine_chunks()
    return (
        cases,
        items,
        [_replaced(batch, ids, names.take(pa.array(first)), names, names) for batch in records],
    )


def by_semantic_id(cases: pa.Table, items: pa.Table, records: Sequence[pa.RecordBatch]) -> View:
    """Items that share a semantic id are one; those without any stay what they are."""
    ids, first, of_item = _semantic(items)
    names = items.column("item").combine_chunks()
    kept = np.concatenate([first, np.flatnonzero(of_item < 0)])
    code = np.where(of_item >= 0, of_item, 0)
    code[of_item < 0] = len(first) + np.arange(int((of_item < 0).sum()))
    merged = items.take(pa.array(kept))
    shown = pa.concat_arrays([ids, names.take(pa.array(kept[len(ids) :]))])
    counts = {
        column: pa.array(
            np.bincount(code, weights=items.column(column).to_numpy(), minlength=len(kept)).astype(np.int64)
        )
        for column in ("train_count", "test_count", "train_users")
        if column in items.column_names
    }
    for column, values in {"item": shown, **counts}.items():
        merged = merged.set_column(merged.column_names.index(column), column, values)
    table = cases
    for column in ("truth", "history", "rejected", "candidates"):
        if column in cases.column_names:
            recoded, became = _recoded(ragged(cases.column(column)), code)
            table = table.set_column(table.column_names.index(column), column, list_column(recoded))
            if column == "truth" and "grades" in table.column_names:
                given = pc.list_flatten(cases.column("grades")).to_numpy()
                best = np.full(len(recoded.values), -np.inf)
                np.maximum.at(best, became, given)  # several items of a user may have become one
                grades = pa.ListArray.from_arrays(pa.array(recoded.offsets, pa.int32()), pa.array(best))
                table = table.set_column(table.column_names.index("grades"), "grades", grades)
    records = [_replaced(batch, ids, ids, names, shown.take(pa.array(code))) for batch in records]
    return table, merged.replace_schema_metadata(items.schema.metadata), records


def _semantic(items: pa.Table) -> tuple[pa.Array, np.ndarray, np.ndarray]:
    """Distinct semantic ids, the first item of each, and each item's (-1 where it has none)."""
    coded = spelled(items.column("semantic_id")).dictionary_encode()
    of_item = coded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    known = np.flatnonzero(of_item >= 0)
    first = np.zeros(len(coded.dictionary), np.int64)
    first[of_item[known[::-1]]] = known[::-1]  # the last write, that of the least item, stays
    return coded.dictionary, first, of_item


def _replaced(
    batch: pa.RecordBatch, ids: pa.Array, as_id: pa.Array, names: pa.Array, as_item: pa.Array
) -> pa.RecordBatch:
    """``batch`` with each listed semantic id, else item id, put in other words; the rest as it is."""
    place = batch.schema.get_field_index("items")
    lists = batch.column(place)
    if lists.offset:  # a slice of a longer column: arrow builds no list with nulls from it
        lists = pa.concat_arrays([lists])
    entries = lists.values
    entries = entries.dictionary_decode() if pa.types.is_dictionary(entries.type) else entries
    code = Vocabulary(ids).encode(entries)
    item = Vocabulary(names).encode(entries)
    known = pa.array(code >= 0)
    put = pc.if_else(
        known,
        as_id.take(pa.array(np.maximum(code, 0))),
        pc.if_else(
            pa.array(item >= 0), as_item.take(pa.array(np.maximum(item, 0))), entries.cast(pa.string())
        ),
    )
    offsets = lists.offsets
    rebuilt = pa.ListArray.from_arrays(offsets, put, mask=lists.is_null() if lists.null_count else None)
    return batch.set_column(place, "items", rebuilt)


def _recoded(lists: Ragged, code: np.ndarray) -> tuple[Ragged, np.ndarray]:
    """Other codes, and the place of each entry in them; an item that comes again stays at its first place."""
    values: Int32 = np.where(lists.values >= 0, code[np.maximum(lists.values, 0)], PAD).astype(np.int32)
    rows = np.repeat(np.arange(len(lists), dtype=np.int64), lists.lengths)
    keys = rows << 32 | values.astype(np.int64) & 0xFFFFFFFF
    _, first, of = np.unique(keys, return_index=True, return_inverse=True)
    order = np.argsort(first, kind="stable")
    place = np.empty(len(first), np.int64)
    place[order] = np.arange(len(first))
    kept = first[order]
    return Ragged.group(rows[kept], values[kept], len(lists)), place[of]
