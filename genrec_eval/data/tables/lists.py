"""Columns of an items or users file as text, as lists of text, as tokens of ids, as embeddings."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.reading import Source
from genrec_eval.data.tables.streams import clip

_BRACKETED = r"^(<[^<>]+>)+$"


def texts_of(source: Source, name: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """As text; empty cells, and what is no number in a column of numbers, become null."""
    if pa.types.is_floating(column.type):
        column = pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)
    try:
        column = column.cast(pa.string())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        raise UsageError(
            f"{source.path}, column '{name}' holds {column.type} where text is expected"
        ) from None
    column = pc.utf8_trim_whitespace(column)
    return pc.if_else(pc.equal(column, ""), pa.scalar(None, pa.string()), column)


def lists_of_text(source: Source, name: str, column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Lists of text: as they are, or each text cut at the separator."""
    if pa.types.is_list(column.type) or pa.types.is_large_list(column.type):
        try:
            return column.cast(pa.list_(pa.string()))
        except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
            raise UsageError(
                f"{source.path}, column '{name}' holds {column.type} where lists of text are expected"
            ) from None
    rows = texts_of(source, name, column).to_pylist()
    parts = [[p.strip() for p in (row or "").split(separator) if p.strip()] for row in rows]
    return pa.chunked_array([pa.array(parts, pa.list_(pa.string()))])


def tokens_of(source: Source, column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Tokens of semantic ids: lists, or texts such as ``<a_1><b_7>`` or ``a_1|b_7``; null for none."""
    if not (pa.types.is_list(column.type) or pa.types.is_large_list(column.type)):
        column = texts_of(source, "semantic_id", column)
        bracketed = pc.fill_null(pc.match_substring_regex(column, _BRACKETED), False)
        cut = pc.replace_substring(column, "><", f">{separator}<")
        column = pc.if_else(bracketed, cut, column)
    lists = lists_of_text(source, "semantic_id", column, separator)
    none = pc.equal(pc.fill_null(pc.list_value_length(lists), 0), 0)
    return pc.if_else(none, pa.scalar(None, pa.list_(pa.string())), lists)


def embeddings_of(source: Source, column: pa.ChunkedArray, separator: str) -> pa.ChunkedArray:
    """Lists of float32, all of one length; null where there is none.

    Raises
    ------
    UsageError
        For the first embedding with another length or with a number that is not finite.
    """
    if not pa.types.is_nested(column.type):
        column = lists_of_text(source, "embedding", column, separator)
    try:
        lists = column.cast(pa.list_(pa.float32()))
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise UsageError(
            f"{source.path}, column 'embedding' is no list of numbers: {clip(error, 100)}"
        ) from None
    lengths = pc.fill_null(pc.list_value_length(lists), 0).to_numpy()
    width = int(lengths.max(initial=0))
    odd = np.flatnonzero((lengths > 0) & (lengths != width))
    if len(odd):
        raise UsageError(
            f"{source.where(int(odd[0]))}, column 'embedding' has {lengths[odd[0]]} numbers where others have"
            f" {width}"
        )
    numbers = pc.list_flatten(lists)
    bad = np.flatnonzero(~np.isfinite(numbers.to_numpy()))
    if len(bad):
        row = int(np.searchsorted(np.cumsum(lengths), bad[0], "right"))
        raise UsageError(
            f"{source.where(row)}, column 'embedding' holds a number that is missing or not finite"
        )
    return pc.if_else(pa.array(lengths > 0), lists, pa.scalar(None, pa.list_(pa.float32())))
