"""Ids as they are written to codes."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.log import Rows
from genrec_eval.protocol.arrays import PAD, Int32


def ids_of(column: pa.ChunkedArray | pa.Array) -> tuple[Int32, pa.Array]:
    """Codes (-1 where missing) and distinct ids as text, in order of first appearance.

    Whole numbers written as ``1.0``, as pandas does once a column had a gap, become ``1``.

    Raises
    ------
    TypeError
        When the column holds something else than text or whole numbers.
    """
    if isinstance(column, pa.Array):
        column = pa.chunked_array([column])
    if pa.types.is_nested(column.type):
        raise TypeError(str(column.type))
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    whole = column.unify_dictionaries().combine_chunks()
    if isinstance(whole, pa.ChunkedArray):  # no rows at all
        return np.empty(0, np.int32), pa.array([], pa.string())
    values, kind = whole.dictionary, whole.type.value_type
    if pa.types.is_floating(kind):
        try:
            values = values.cast(pa.int64())
        except pa.ArrowInvalid:
            raise TypeError("fractions") from None
    elif not (pa.types.is_integer(kind) or pa.types.is_string(kind) or pa.types.is_large_string(kind)):
        raise TypeError(str(kind))
    values = pc.utf8_trim_whitespace(values.cast(pa.string()))
    if pc.all(pc.match_substring_regex(values, r"^-?\d+(\.0+)?$"), min_count=0).as_py():
        values = pc.replace_substring_regex(values, r"\.0+$", "")
    merged = pc.replace_with_mask(values, pc.equal(values, ""), pa.scalar(None, pa.string()))
    encoded = merged.dictionary_encode()
    codes = np.append(encoded.indices.fill_null(PAD).to_numpy(zero_copy_only=False), PAD)
    rows = whole.indices.fill_null(PAD).to_numpy(zero_copy_only=False)
    found = codes.astype(np.int32)[rows]
    used = np.bincount(found[found >= 0], minlength=len(encoded.dictionary)) > 0
    if used.all():
        return found, encoded.dictionary
    # categories that no row has, as a filtered table keeps them, are no ids
    place = np.append(np.cumsum(used) - 1, PAD).astype(np.int32)
    return place[found], encoded.dictionary.filter(pa.array(used))


def codes_of(log: Rows, role: str, column: pa.ChunkedArray) -> tuple[Int32, pa.Array]:
    """Codes and ids of a column in which no id may be missing.

    Raises
    ------
    UsageError
        For the first missing id, or when the column holds no ids.
    """
    try:
        codes, ids = ids_of(column)
    except TypeError as error:
        raise UsageError(
            f"{log.where(0)}, column '{log.names.get(role, role)}' holds {error} where ids, text or whole"
            " numbers, are expected"
        ) from None
    missing = np.flatnonzero(codes < 0)
    if len(missing):
        raise log.fault(int(missing[0]), role, f"the {role} is missing")
    return codes, ids


def by_id(codes: Int32, ids: pa.Array) -> tuple[Int32, pa.Array]:
    """Codes in the order of the ids.

    In the order of first appearance they would give the future away: of two items without training
    interactions the one that is sold more often in the test tends to appear first, and ties go by code.
    """
    order = pc.sort_indices(ids)
    place = np.empty(len(ids), np.int32)
    place[order.to_numpy()] = np.arange(len(ids), dtype=np.int32)
    return place[codes], ids.take(order)
