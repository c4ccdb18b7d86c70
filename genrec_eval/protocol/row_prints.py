"""Prints of table rows in arrays: what a million rows are told apart by in seconds.

A print is 64 bits that are equal for equal values, however the table is stored. They find what changed
between two runs by accident; what somebody may change on purpose needs
:func:`~genrec_eval.protocol.row_digests.row_digests`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from genrec_eval.protocol.arrays import fingerprints

if TYPE_CHECKING:
    import pyarrow as pa

UInt64 = npt.NDArray[np.uint64]

_ROWS = 1 << 17
"""Rows handled at a time; bounds the memory whatever the size of the table."""
_NULL = np.uint64(0x9E3779B97F4A7C15)
_BASE = np.uint64(0xD1342543DE82EF95)
_MIX = ((30, np.uint64(0xBF58476D1CE4E5B9)), (27, np.uint64(0x94D049BB133111EB)))


def row_prints(table: pa.Table) -> UInt64:
    """uint64[n], a print of each row.

    Names of columns count, their order does not; neither do dictionary encoding, chunks, or whether a whole
    number has 8 bits or 64.

    Parameters
    ----------
    table
        n rows of any plain values, null and lists of them.

    >>> import pyarrow as pa
    >>> plain = pa.table({"case": ["a", "b"], "items": [["x", "y"], ["y", "x"]]})
    >>> coded = plain.set_column(0, "case", plain["case"].dictionary_encode()).select(["items", "case"])
    >>> bool((row_prints(plain) == row_prints(coded)).all())
    True
    """
    import pyarrow as pa

    names = mixed(fingerprints(pa.array(table.column_names, pa.string())))
    known: dict[int, tuple[pa.Array, UInt64]] = {}
    found = [np.empty(0, np.uint64)]
    for batch in table.to_batches(max_chunksize=_ROWS):
        prints = np.zeros(len(batch), np.uint64)
        for name, column in zip(names, batch.columns, strict=True):
            prints += mixed(_prints(column, known) + name)
        found.append(mixed(prints))
    return np.concatenate(found)


def mixed(values: UInt64) -> UInt64:
    """Spread every bit over all 64 (the finaliser of SplitMix64, Steele et al. 2014).

    >>> int(mixed(np.array([1], np.uint64))[0])
    6238072747940578789
    """
    values = values.copy()
    for shift, factor in _MIX:
        values ^= values >> np.uint64(shift)
        values *= factor
    values ^= values >> np.uint64(31)
    return values


def _prints(values: pa.Array, known: dict[int, tuple[pa.Array, UInt64]]) -> UInt64:
    import pyarrow as pa

    found = _reader(values.type)(values, known)
    if values.null_count and not pa.types.is_null(values.type):
        found[values.is_null().to_numpy(zero_copy_only=False)] = _NULL
    return found


def _reader(kind: pa.DataType) -> Callable[..., UInt64]:
    from pyarrow import types

    if types.is_dictionary(kind):
        return _dictionary
    if types.is_string(kind) or types.is_large_string(kind):
        return _strings
    if types.is_list(kind) or types.is_large_list(kind):
        return _lists
    if types.is_boolean(kind) or types.is_integer(kind):
        return _whole
    if types.is_floating(kind):
        return _floats
    return _others


def _dictionary(values: pa.DictionaryArray, known: dict[int, tuple[pa.Array, UInt64]]) -> UInt64:
    words = values.dictionary
    address = next((buffer.address for buffer in reversed(words.buffers()) if buffer is not None), 0)
    held = known.get(address)
    if held is None or not held[0].equals(words):  # batches of a table share the dictionary, its address too
        held = known[address] = (words, _prints(words, known))
    codes = values.indices.fill_null(0).to_numpy(zero_copy_only=False)
    return held[1][codes] if len(words) else np.zeros(len(values), np.uint64)


def _strings(values: pa.Array, known: object) -> UInt64:
    import pyarrow as pa

    return mixed(fingerprints(values.cast(pa.string())))


def _whole(values: pa.Array, known: object) -> UInt64:
    import pyarrow as pa

    if pa.types.is_uint64(values.type):
        return mixed(values.fill_null(0).to_numpy(zero_copy_only=False))
    return mixed(values.cast(pa.int64()).fill_null(0).to_numpy(zero_copy_only=False).view(np.uint64))


def _floats(values: pa.Array, known: object) -> UInt64:
    import pyarrow as pa

    numbers = values.cast(pa.float64()).fill_null(0.0).to_numpy(zero_copy_only=False)
    numbers = numbers + 0.0  # no negative zero
    numbers[np.isnan(numbers)] = np.nan
    return mixed(numbers.view(np.uint64))


def _lists(values: pa.ListArray, known: dict[int, tuple[pa.Array, UInt64]]) -> UInt64:
    """A polynomial of the members' prints."""
    import pyarrow.compute as pc

    members = _prints(values.flatten(), known)  # those of null lists left out
    lengths = pc.list_value_length(values).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
    ends = np.cumsum(lengths)
    place = np.arange(len(members)) - np.repeat(ends - lengths, lengths)
    powers = np.cumprod(np.full(int(lengths.max(initial=0)) + 1, _BASE))
    sums = np.append(np.uint64(0), np.cumsum(members * powers[place]))
    return mixed(sums[ends] - sums[ends - lengths] + lengths.astype(np.uint64))


def _others(values: pa.Array, known: object) -> UInt64:
    """Dates, structs and other rare kinds, one by one."""
    import orjson
    import pyarrow as pa

    texts = [orjson.dumps(value, default=str).decode() for value in values.to_pylist()]
    return _strings(pa.array(texts, pa.string()), known)
