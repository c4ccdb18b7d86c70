"""Labels as codes: what agreement statistics work on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

Int64 = npt.NDArray[np.int64]

MISSING = -1


def coded(columns: Sequence[Any], order: Sequence[Any] | None = None) -> tuple[list[Int64], list[Any]]:
    """Codes of several columns of labels over one list of categories.

    Parameters
    ----------
    columns
        Sequences of texts or of numbers; None and NaN are missing.
    order
        All categories in their order; without it those that occur, sorted.

    Returns
    -------
    codes, categories
        One int64 array per column, -1 where a label is missing.

    Raises
    ------
    ValueError
        When texts and numbers are mixed, or a label is none of ``order``.

    >>> coded([["b", None, "a"], ["a", "a", "b"]])
    ([array([ 1, -1,  0]), array([0, 0, 1])], ['a', 'b'])
    """
    lengths = [len(column) for column in columns]
    try:
        flat = pa.array([_plain(one) for column in columns for one in column], from_pandas=True)
    except (pa.ArrowInvalid, pa.ArrowTypeError, TypeError) as error:
        raise ValueError(f"labels are all texts or all numbers: {str(error).splitlines()[0]}") from None
    if pa.types.is_null(flat.type):
        return [np.full(n, MISSING) for n in lengths], list(order or ())
    words = flat.dictionary_encode()
    seen = words.dictionary.to_pylist()
    categories = sorted(seen) if order is None else list(order)
    place = {one: index for index, one in enumerate(categories)}
    if unknown := [one for one in seen if one not in place]:
        raise ValueError(f"label {unknown[0]!r} is none of the categories {categories}")
    code = np.array([place[one] for one in seen], np.int64)
    indices = words.indices.fill_null(MISSING).to_numpy(zero_copy_only=False).astype(np.int64)
    codes = np.where(indices < 0, MISSING, code[indices])
    return np.split(codes, np.cumsum(lengths)[:-1]), categories


def coded_table(labels: Any, order: Sequence[Any] | None = None) -> tuple[Int64, list[Any]]:
    """int64[items, raters] of codes from one row of labels per item; short rows are filled with missing."""
    rows = [list(row) for row in labels]
    wide = max((len(row) for row in rows), default=0)
    columns = [[row[rater] if rater < len(row) else None for row in rows] for rater in range(wide)]
    codes, categories = coded(columns, order)
    return (np.stack(codes, axis=1) if wide else np.zeros((len(rows), 0), np.int64)), categories


def _plain(value: Any) -> Any:
    """numpy scalars as Python's, truth values as numbers."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, bool) else value
