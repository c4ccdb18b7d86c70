"""Digests of table rows: the same values have the same digest, however the table is stored.

Recipe 1, an on-disk contract (baselines and the evidence of a run hold such digests). A row is hashed as

    SHA-256( SHA-256("genrec-eval/row/1\\n" + names) + encode(values of the row) )

``names`` is the JSON array of the columns' names, in UTF-8 and without spaces; a column of structs stands in
it as ``[name, [names of its fields]]``, and lists of structs likewise. ``encode`` of values v1 … vm is their
m words of 9 bytes one after the other, then their bodies one after the other. A word is one byte that says
what kind of value it is, and 8 bytes, little-endian:

====  ==========================  ==================================  ===========================
kind  value                       the 8 bytes of the word             body
====  ==========================  ==================================  ===========================
0     null                        0                                   nothing
1     truth value                 0 or 1                              nothing
2     whole number below 2**63    int64                               nothing
3     whole number from 2**63 on  uint64                              nothing
4     number                      float64; any NaN as 0x7ff8 << 48    nothing
5     text                        number of bytes                     the bytes, UTF-8
6     bytes                       number of bytes                     the bytes
7     list                        number of elements                  ``encode`` of the elements
8     struct                      number of fields                    ``encode`` of the fields
====  ==========================  ==================================  ===========================

A value of any other type (a date, a decimal) is hashed as the text that Arrow casts it to.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt

from genrec_eval.core.errors import UsageError

if TYPE_CHECKING:
    import pyarrow as pa

UInt8 = npt.NDArray[np.uint8]
Int64 = npt.NDArray[np.int64]

RECIPE = 1
"""Version of the recipe; raised whenever the same values would be hashed differently."""

HELD = 1 << 25
"""Bytes of a table that are encoded at a time, about; a row alone may be larger."""

_ROWS = 1 << 14
_WORD = np.dtype([("kind", "u1"), ("bits", "<u8")])
_NAN = 0x7FF8 << 48
_NULL, _TRUTH, _WHOLE, _LARGE, _NUMBER, _TEXT, _BYTES, _LIST, _STRUCT = range(9)


def row_digests(table: pa.Table | pa.RecordBatch) -> UInt8:
    """SHA-256 of each row.

    Neither dictionary encoding, nor chunks, nor the width of numbers, nor compression count; values, and
    names and order of the columns do. The recipe stands at the head of this module.

    Parameters
    ----------
    table
        n rows of text, numbers, truth values, null, and lists and structs of them.

    Returns
    -------
    numpy.ndarray
        uint8[n, 32].

    Raises
    ------
    UsageError
        When a column holds what is none of these.

    Examples
    --------
    >>> import pyarrow as pa
    >>> plain = pa.table({"case": ["a", "b"], "items": [["x"], None]})
    >>> coded = plain.set_column(0, "case", plain["case"].dictionary_encode())
    >>> bool((row_digests(plain) == row_digests(coded)).all())
    True
    """
    found = bytearray()
    sha256 = hashlib.sha256  # one call a row: everything around it is done in columns
    for rows, bounds in encoded(table, head_of(table.schema)):
        ends = bounds.tolist()
        found += b"".join([sha256(rows[a:b]).digest() for a, b in itertools.pairwise(ends)])
    return np.frombuffer(bytes(found), np.uint8).reshape(table.num_rows, 32)


def head_of(schema: pa.Schema) -> bytes:
    """The 32 bytes before each row: what its columns are called.

    >>> import pyarrow as pa
    >>> head_of(pa.schema([("case", pa.string())])).hex()[:16]
    '483d486d224a8958'
    """
    import orjson

    return hashlib.sha256(b"genrec-eval/row/1\n" + orjson.dumps([_name(one) for one in schema])).digest()


def _name(field: pa.Field) -> Any:
    import pyarrow as pa

    kind = field.type
    while hasattr(kind, "value_type") and not pa.types.is_struct(kind):
        kind = kind.value_type
    return [field.name, [_name(one) for one in kind]] if pa.types.is_struct(kind) else field.name


def encoded(table: pa.Table | pa.RecordBatch, head: bytes) -> Iterator[tuple[memoryview, Int64]]:
    """``head`` and the encoding of each row, some rows at a time.

    Parameters
    ----------
    head
        What stands before each row; see :func:`head_of`.

    Yields
    ------
    tuple
        The rows, one after the other, and int64[m + 1], where each of the m rows begins and the last ends.
    """
    import pyarrow as pa

    batches = table.to_batches(max_chunksize=_ROWS) if isinstance(table, pa.Table) else [table]
    for batch in batches:
        for part in _bounded(batch):
            yield _joined(part, head)


def _bounded(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    n = batch.num_rows
    if n > 1 and (n > _ROWS or batch.nbytes > HELD):
        yield from _bounded(batch.slice(0, n // 2))
        yield from _bounded(batch.slice(n // 2))
    elif n:
        yield batch


def _joined(batch: pa.RecordBatch, head: bytes) -> tuple[memoryview, Int64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    n, width = batch.num_rows, batch.num_columns
    fixed = np.empty((n, len(head) + width * _WORD.itemsize), np.uint8)
    fixed[:, : len(head)] = np.frombuffer(head, np.uint8)
    words = fixed[:, len(head) :].view(_WORD) if width else np.empty((n, 0), _WORD)
    starts = np.arange(n + 1, dtype=np.int64) * fixed.shape[1]
    pieces = [_cut(fixed.ravel(), starts)]
    for place, (name, column) in enumerate(zip(batch.schema.names, batch.columns, strict=True)):
        try:
            pieces += _encode(column, words[:, place])
        except pa.ArrowException as error:
            raise UsageError(f"column '{name}' ({column.type}) cannot be hashed: {error}") from error
    if len(pieces) == 1:
        return fixed.reshape(-1).data, starts
    whole = pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.large_binary()))
    _, bounds, data = whole.buffers()
    return memoryview(data), np.frombuffer(bounds, np.int64, n + 1, whole.offset * 8)


def _encode(array: pa.Array, words: npt.NDArray[Any]) -> list[pa.Array]:
    """Fill in the words of an array; returns the pieces of which the bodies are made, each as long as it."""
    import pyarrow as pa
    import pyarrow.compute as pc

    kind = array.type
    if pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
        kind = array.type
    if isinstance(array, pa.ExtensionArray):
        return _encode(array.storage, words)
    there = None if array.null_count == 0 else array.is_valid().to_numpy(zero_copy_only=False)
    if pa.types.is_null(kind):
        words["kind"], words["bits"] = _NULL, 0
        return []
    if array.null_count == len(array):
        words["kind"], words["bits"] = _NULL, 0
        return []
    pieces: list[pa.Array] = []
    if pa.types.is_boolean(kind):
        mark: Any = _TRUTH
        bits = pc.fill_null(array, False).cast(pa.uint8()).to_numpy().astype(np.uint64)
    elif pa.types.is_integer(kind):
        whole = pc.fill_null(array, 0).to_numpy()
        mark = _WHOLE
        if kind == pa.uint64():
            bits = whole
            mark = np.where(whole >= np.uint64(1 << 63), _LARGE, _WHOLE)
        else:
            bits = whole.astype(np.int64).view(np.uint64)
    elif pa.types.is_floating(kind):
        mark = _NUMBER
        numbers = pc.fill_null(array.cast(pa.float64()), 0.0).to_numpy()
        bits = numbers.view(np.uint64)
        if (odd := np.isnan(numbers)).any():
            bits = np.where(odd, np.uint64(_NAN), bits)
    elif _is_bytes(kind):
        mark = _BYTES
        bits, pieces = _bodies(pc.fill_null(array, b"").cast(pa.large_binary()))
    elif _is_list(kind):
        mark = _LIST
        bits, pieces = _elements(array)
    elif pa.types.is_struct(kind):
        mark = _STRUCT
        bits = np.full(len(array), kind.num_fields, np.uint64)
        pieces = _fields(array, there)
    else:
        mark = _TEXT
        texts = array.cast(pa.large_string())
        if there is not None:
            texts = pc.fill_null(texts, "")
        bits, pieces = _bodies(texts.cast(pa.large_binary()))
    if there is None:
        words["kind"], words["bits"] = mark, bits
    else:
        words["kind"], words["bits"] = np.where(there, mark, _NULL), np.where(there, bits, np.uint64(0))
    return pieces


def _is_bytes(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(
        pa.types.is_binary(kind) or pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind)
    )


def _is_list(kind: pa.DataType) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind))


def _bodies(array: pa.Array) -> tuple[npt.NDArray[np.uint64], list[pa.Array]]:
    bounds = np.frombuffer(array.buffers()[1], np.int64, len(array) + 1, array.offset * 8)
    return np.diff(bounds).astype(np.uint64), [array] if bounds[-1] > bounds[0] else []


def _elements(array: pa.Array) -> tuple[npt.NDArray[np.uint64], list[pa.Array]]:
    """Numbers of elements, and the encodings of the elements of each list."""
    import pyarrow.compute as pc

    lengths = pc.fill_null(pc.list_value_length(array), 0).to_numpy().astype(np.int64)
    flat = array.flatten()  # without what may lie beneath a null
    bounds = np.concatenate([[0], np.cumsum(lengths)])
    words = np.empty(len(flat), _WORD)
    inner = _encode(flat, words)
    pieces = [_cut(words.view(np.uint8), bounds * _WORD.itemsize)]
    if inner:
        # the bodies of all elements lie one after the other: a list's are a stretch of them
        data, ends = _concatenated(inner, len(flat))
        pieces.append(_cut(data, ends[bounds]))
    return lengths.astype(np.uint64), pieces


def _fields(array: pa.Array, there: npt.NDArray[np.bool_] | None) -> list[pa.Array]:
    words = np.empty((len(array), array.type.num_fields), _WORD)
    inner: list[pa.Array] = []
    for place, column in enumerate(array.flatten()):  # null where the struct is
        inner += _encode(column, words[:, place])
    present = np.ones(len(array), bool) if there is None else there
    ends = np.concatenate([[0], np.cumsum(present * array.type.num_fields * _WORD.itemsize)])
    return [_cut(words[present].reshape(-1).view(np.uint8), ends.astype(np.int64)), *inner]


def _concatenated(pieces: list[pa.Array], n: int) -> tuple[Any, Int64]:
    import pyarrow as pa
    import pyarrow.compute as pc

    whole = pieces[0]
    if len(pieces) > 1:
        whole = pc.binary_join_element_wise(*pieces, pa.scalar(b"", pa.large_binary()))
    _, bounds, data = whole.buffers()
    return data, np.frombuffer(bounds, np.int64, n + 1, whole.offset * 8)


def _cut(data: Any, bounds: Int64) -> pa.Array:
    """Stretches of some bytes as an array, without a copy."""
    import pyarrow as pa

    offsets = pa.py_buffer(np.ascontiguousarray(bounds, np.int64))
    held = data if isinstance(data, pa.Buffer) else pa.py_buffer(np.ascontiguousarray(data))
    return pa.LargeBinaryArray.from_buffers(pa.large_binary(), len(bounds) - 1, [None, offsets, held])
