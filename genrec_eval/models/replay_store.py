"""Recorded lists as arrays: streamed from parquet, or held in memory in compact form."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from genrec_eval.core.errors import UsageError
from genrec_eval.models.check_batch import is_text
from genrec_eval.protocol.arrays import Float64, Int64, Ragged
from genrec_eval.protocol.status import Status

ROWS = 8_192
"""Users that are decoded at a time."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Lists of consecutive wanted rows.

    Attributes
    ----------
    start
        Position of the first of them among the wanted rows.
    items, scores
        Arrow list arrays; scores may be None.
    """

    start: int
    items: Any
    scores: Any


@dataclass(frozen=True, slots=True)
class MemoryLists:
    """Lists as codes into the distinct ids of the file: 4 bytes an item, 8 more with scores.

    Attributes
    ----------
    users
        pyarrow string array without duplicates; position = row.
    lists
        Codes into ``words``, -1 for a missing id.
    refused
        Row → status and sentence, for rows that hold no proper list.
    """

    users: Any
    lists: Ragged
    words: Any
    scores: Float64 | None = None
    refused: Mapping[int, tuple[Status, str]] = field(default_factory=dict)

    def take(self, rows: Int64) -> Iterator[Piece]:
        """Yield the lists at ``rows``, which ascend."""
        part = self.lists.take(rows)
        offsets = pa.array(part.offsets)
        indices = pa.array(part.values, mask=part.values < 0)
        items = pa.LargeListArray.from_arrays(offsets, pa.DictionaryArray.from_arrays(indices, self.words))
        scores = None
        if self.scores is not None:
            lengths = part.lengths
            at = np.repeat(self.lists.offsets[rows] - part.offsets[:-1], lengths) + np.arange(
                len(part.values)
            )
            scores = pa.LargeListArray.from_arrays(offsets, pa.array(self.scores[at]))
        yield Piece(0, items, scores)


class ParquetLists:
    """Lists of a parquet file, decoded a few thousand users at a time, forward.

    A row group may hold the whole file, so memory is bounded by reading batches within it. Items
    are decoded to dictionary codes where the file stores them so: strings are never materialised.
    """

    refused: Mapping[int, tuple[Status, str]]

    def __init__(self, path: Path, user: str, items: str, scores: str | None) -> None:
        self.path = path
        self.refused = {}
        self._items, self._scores = items, scores
        self._columns = [items] if scores is None else [items, scores]
        self._file = _open(path)
        self._check_types()
        try:
            column = self._file.read(columns=[user]).column(0).combine_chunks()
        except (pa.ArrowException, OSError) as error:
            raise UsageError(f"{path} cannot be read: {error}") from None
        self.users = user_ids(column, path, user)
        metadata = self._file.metadata
        sizes = [metadata.row_group(group).num_rows for group in range(metadata.num_row_groups)]
        self._starts = np.concatenate([[0], np.cumsum(sizes)]).astype(np.int64)
        self._group = -1
        self._batches: Iterator[Any] = iter(())
        self._batch: Any = None
        self._first = 0
        leaf = self._leaf()
        self._decoded = _open(path, [leaf]) if leaf else self._file

    def take(self, rows: Int64) -> Iterator[Piece]:
        """Yield the lists at ``rows``, which ascend and may come again; going back decodes a group again."""
        done = 0
        while done < len(rows):
            self._seek(int(rows[done]))
            end = self._first + len(self._batch)
            upto = int(np.searchsorted(rows, end))
            wanted = rows[done:upto] - self._first
            if (np.diff(wanted) == 1).all():  # by their ends alone, 0 0 2 would look like 0 1 2
                part = self._batch.slice(int(wanted[0]), len(wanted))
            else:
                part = self._batch.take(pa.array(wanted))
            yield Piece(done, part.column(0), part.column(1) if self._scores else None)
            done = upto

    def _seek(self, row: int) -> None:
        group = int(np.searchsorted(self._starts, row, side="right")) - 1
        if group != self._group or row < self._first or self._batch is None:
            self._start(group)
        while row >= self._first + len(self._batch):
            self._first += len(self._batch)
            self._batch = self._next()

    def _start(self, group: int) -> None:
        self._group, self._first = group, int(self._starts[group])
        self._batches = self._decoded.iter_batches(ROWS, row_groups=[group], columns=self._columns)
        self._batch = self._next()

    def _next(self) -> Any:
        try:
            batch = next(self._batches)
        except pa.ArrowNotImplementedError:
            if self._decoded is self._file:
                raise UsageError(
                    f"{self.path}: column '{self._items}' is dictionary-coded in a way that arrow cannot read"
                    " inside lists; write it as plain strings"
                ) from None
            # Some pages of the column are not dictionary-coded: decode the strings after all.
            self._decoded = self._file
            self._batches = self._decoded.iter_batches(ROWS, row_groups=[self._group], columns=self._columns)
            skipped = int(self._starts[self._group])
            batch = next(self._batches)
            while skipped < self._first:
                skipped += len(batch)
                batch = next(self._batches)
        except (pa.ArrowException, OSError, StopIteration) as error:
            raise UsageError(f"{self.path} is damaged near row {self._first + 1}: {error}") from None
        return batch.select(self._columns)

    def _check_types(self) -> None:
        schema = self._file.schema_arrow
        kind = schema.field(self._items).type
        value = kind.value_type if is_list(kind) else None
        if value is not None and pa.types.is_dictionary(value):
            value = value.value_type
        if value is None or not (is_text(value) or pa.types.is_integer(value)):
            raise UsageError(
                f"{self.path}: column '{self._items}' is of type {kind}; lists of ids are needed"
            )
        if self._scores is not None:
            kind = schema.field(self._scores).type
            number = kind.value_type if is_list(kind) else None
            if number is None or not (pa.types.is_floating(number) or pa.types.is_integer(number)):
                raise UsageError(
                    f"{self.path}: column '{self._scores}' is of type {kind}; lists of numbers are needed"
                )

    def _leaf(self) -> str | None:
        """Path of the item strings inside the file's schema, when they are plain strings."""
        schema = self._file.schema
        if not is_text(self._file.schema_arrow.field(self._items).type.value_type):
            return None
        for position in range(len(schema)):
            if schema.column(position).path.split(".")[0] == self._items:
                return str(schema.column(position).path)
        return None


Store = MemoryLists | ParquetLists


def is_list(kind: Any) -> bool:
    """Whether an arrow type holds one list per row."""
    checks = (pa.types.is_list, pa.types.is_large_list, pa.types.is_fixed_size_list)
    return any(check(kind) for check in checks)


def user_ids(column: Any, path: Path, name: str) -> Any:
    """The column as strings; refuses nulls, other types and users that come twice."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if not (is_text(column.type) or pa.types.is_integer(column.type)):
        raise UsageError(f"{path}: column '{name}' is of type {column.type}; ids are strings or integers")
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy(zero_copy_only=False))[0])
        raise UsageError(f"{path}: row {row + 1} has no user")
    coded = column.dictionary_encode()
    if len(coded.dictionary) < len(column):
        indices = coded.indices.to_numpy()
        first = np.full(len(coded.dictionary), -1, np.int64)
        places = np.arange(len(indices))
        first[indices[::-1]] = places[::-1]  # the last write wins: the first occurrence
        again = int(np.flatnonzero(first[indices] != places)[0])
        raise UsageError(
            f"{path}: user '{column[again].as_py()}' is recorded twice, in rows {first[indices[again]] + 1}"
            f" and {again + 1}; keep one list per user"
        )
    return column.cast(pa.string())


def _open(path: Path, dictionary: list[str] | None = None) -> Any:
    try:
        return pq.ParquetFile(path, read_dictionary=dictionary, pre_buffer=False, buffer_size=1 << 20)
    except (pa.ArrowException, OSError) as error:
        raise UsageError(f"{path} is not a readable parquet file: {error}") from None
