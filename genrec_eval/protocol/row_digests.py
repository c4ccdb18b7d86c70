"""Digests of table rows: the same values have the same digest, however the table is stored."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

UInt8 = npt.NDArray[np.uint8]


def row_digests(table: pa.Table | pa.RecordBatch) -> UInt8:
    """SHA-256 of each row.

    A row is hashed as the JSON array of its values in the order of the columns, with numbers in their
    shortest form that reads back the same: neither dictionary encoding, nor chunks, nor compression count,
    names and order of the columns do.

    Parameters
    ----------
    table
        n rows of text, numbers, truth values, null and lists of them.

    Returns
    -------
    numpy.ndarray
        uint8[n, 32].

    Examples
    --------
    >>> import pyarrow as pa
    >>> plain = pa.table({"case": ["a", "b"], "items": [["x"], None]})
    >>> coded = plain.set_column(0, "case", plain["case"].dictionary_encode())
    >>> bool((row_digests(plain) == row_digests(coded)).all())
    True
    """
    import orjson
    import pyarrow as pa

    head = hashlib.sha256(orjson.dumps(table.schema.names) + b"\n")
    found = np.empty((table.num_rows, 32), np.uint8)
    batches = table.to_batches(max_chunksize=1 << 14) if isinstance(table, pa.Table) else [table]
    row = 0
    for batch in batches:
        for values in zip(*(column.to_pylist() for column in batch.columns), strict=True):
            digest = head.copy()
            digest.update(orjson.dumps(values))
            found[row] = np.frombuffer(digest.digest(), np.uint8)
            row += 1
    return found
