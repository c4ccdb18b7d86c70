"""From stored records to arrays of ranked lists: joined to the cases by id, chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.protocol.arrays import PAD, Float64, Int32, Int64, Ragged, Vocabulary, distinct_of
from genrec_eval.protocol.status import CODES, UNANSWERED, Status

Mask = npt.NDArray[np.bool_]

EXAMPLES = 3
CELLS = 1_000_000
"""List slots handled at once; bounds the memory of scoring whatever the size of the run."""

_STATUSES = pa.array([str(status) for status in CODES])
NOT_ATTEMPTED = CODES.index(Status.NOT_ATTEMPTED)
ANSWERED = np.array([status not in UNANSWERED for status in CODES])
USABLE = np.array([status in (Status.OK, Status.TRUNCATED) for status in CODES])


@dataclass(frozen=True, slots=True)
class Chunk:
    """Lists of m cases.

    Attributes
    ----------
    rows
        int64[m], rows of the case table.
    items
        int32[m, k] as in :class:`~genrec_eval.metrics.lists.RankedLists`.
    answered
        bool[m].
    scores
        float64[m, k], NaN at empty slots and where a list has none; None when no list has any.
    statuses
        int64[m], how each exchange ended, index into ``CODES``.
    """

    rows: Int64
    items: Int32
    answered: Mask
    scores: Float64 | None = None
    statuses: Int64 | None = None


class RecordReader:
    """Reads rank records against a case table.

    Parameters
    ----------
    cases
        Case ids, distinct; a list belongs to the row of its case.
    items
        The catalogue.
    k
        Only the first ``k`` items of a list are read.

    Attributes
    ----------
    attempted, answered
        bool[n], True where at least one repeat was; complete once :meth:`read` is exhausted.
    strangers
        The first few ids of the alphabet that are not in the catalogue, as examples.
    """

    def __init__(self, cases: pa.Array, items: Vocabulary, k: int) -> None:
        self.cases, self.items, self.k = cases, items, k
        self.attempted: Mask = np.zeros(len(cases), bool)
        self.answered: Mask = np.zeros(len(cases), bool)
        self.strangers: list[str] = []
        self._recorded: dict[int, Mask] = {}
        self._rows = Vocabulary(cases)

    def read(self, records: Iterable[pa.RecordBatch]) -> Iterator[tuple[int, Chunk]]:
        """Yield (repeat, chunk) pairs; cases that were not attempted are left out.

        Raises
        ------
        UsageError
            When a record belongs to no case, a case has two records of one repeat, or a status
            is unknown.
        """
        for block in _blocks(records, max(1, CELLS // self.k)):
            yield from self._read_block(block)

    def _read_block(self, block: pa.Table) -> Iterator[tuple[int, Chunk]]:
        rows = rows_of(self._rows, block)
        status = status_codes(block)
        repeats = block.column("repeat").combine_chunks().fill_null(0).to_numpy(zero_copy_only=False)
        asked = status != NOT_ATTEMPTED
        items = block.column("items").combine_chunks()
        scores = block.column("item_scores").combine_chunks() if "item_scores" in block.column_names else None
        for repeat in distinct_of(repeats).tolist():
            of_repeat = repeats == repeat
            self._refuse_twice(repeat, rows[of_repeat])
            chosen = np.flatnonzero(of_repeat & asked)
            if not chosen.size:
                continue
            own = items if len(chosen) == len(items) else items.take(pa.array(chosen))
            codes = status[chosen]
            matrix = self._matrix(own, USABLE[codes])
            beside = None if scores is None else self._scores(scores.take(pa.array(chosen)), matrix)
            chunk = Chunk(rows[chosen], matrix, ANSWERED[codes], beside, codes)
            self.attempted[chunk.rows] = True
            self.answered[chunk.rows] |= chunk.answered
            yield repeat, chunk

    def _refuse_twice(self, repeat: int, rows: Int64) -> None:
        recorded = self._recorded.setdefault(repeat, np.zeros(len(self.cases), bool))
        if recorded[rows].any() or len(distinct_of(rows)) < len(rows):
            values, counts = np.unique(rows, return_counts=True)
            twice = rows[recorded[rows]] if recorded[rows].any() else values[counts > 1]
            raise UsageError(
                f"case '{self.cases[int(twice[0])].as_py()}' has two records of repeat {repeat}: "
                "the run directory is damaged; run again with --fresh"
            )
        recorded[rows] = True

    def _matrix(self, lists: pa.ListArray, usable: Mask) -> Int32:
        """int32[m, k] of catalogue codes; lists that are null or not usable are empty."""
        lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        width = np.where(usable, np.minimum(lengths, self.k), 0)
        starts = lists.offsets.to_numpy(zero_copy_only=False)[:-1].astype(np.int64)
        ends = np.cumsum(width)
        total = int(ends[-1]) if len(ends) else 0
        index = np.repeat(starts - (ends - width), width) + np.arange(total)
        first = int(index[0]) if total else 0
        contiguous = total == 0 or (int(index[-1]) - first + 1 == total and bool((width == lengths).all()))
        values = lists.values.slice(first, total) if contiguous else lists.values.take(pa.array(index))
        codes = self._codes(values)
        if total == len(lists) * self.k:
            matrix = codes.reshape(-1, self.k)
            nulls = np.nonzero(matrix == PAD)
        else:
            place = np.arange(self.k) < width[:, None]
            matrix = np.full(place.shape, PAD, np.int32)
            matrix[place] = codes
            nulls = np.nonzero(place & (matrix == PAD))
        # a null is some unknown item, never the same one twice in a list: its code is its position
        matrix[nulls] = np.iinfo(np.int32).min + nulls[1]
        return matrix

    def _scores(self, lists: pa.ListArray, items: Int32) -> Float64 | None:
        """float64[m, k] beside ``items``; a list whose scores do not match it in length counts as without."""
        if lists.null_count == len(lists):
            return None
        lengths = pc.list_value_length(lists).fill_null(0).to_numpy(zero_copy_only=False).astype(np.int64)
        filled = np.count_nonzero(items != PAD, axis=1)
        width = np.where(np.minimum(lengths, self.k) == filled, filled, 0)
        starts = lists.offsets.to_numpy(zero_copy_only=False)[:-1].astype(np.int64)
        index = np.repeat(starts - (np.cumsum(width) - width), width) + np.arange(int(width.sum()))
        found = np.full(items.shape, np.nan)
        values = lists.values.take(pa.array(index)).to_numpy(zero_copy_only=False)
        found[np.arange(items.shape[1]) < width[:, None]] = values
        return found

    def _codes(self, values: pa.Array) -> Int32:
        """Catalogue codes, PAD for nulls, and below it a number for each distinct unknown id.

        The numbers hold within these values alone: a run may invent more ids than memory can hold.
        """
        coded = values if pa.types.is_dictionary(values.type) else values.dictionary_encode()
        codes = np.append(self.items.encode(coded.dictionary), np.int32(PAD))
        strange = np.flatnonzero(codes[:-1] < 0)
        if strange.size:
            unknown = coded.dictionary.take(pa.array(strange))
            self._note(unknown)
            codes[strange] = PAD - 1 - self._numbers(unknown)  # null: PAD
        return codes[coded.indices.fill_null(PAD).to_numpy(zero_copy_only=False)]

    def _numbers(self, unknown: pa.Array) -> Int64:
        """A number from 0 up for each distinct unknown id, -1 for nulls."""
        numbers = unknown.dictionary_encode().indices.fill_null(-1)
        return numbers.to_numpy(zero_copy_only=False).astype(np.int64)

    def _note(self, unknown: pa.Array) -> None:
        first = pc.unique(unknown.drop_null().cast(pa.string())).sort()[:EXAMPLES].to_pylist()
        self.strangers = sorted({*self.strangers, *first})[:EXAMPLES]


def ragged(column: pa.ChunkedArray) -> Ragged:
    """A list<int32> column as :class:`Ragged`; null lists are empty.

    >>> ragged(pa.chunked_array([[[1, 2], None, [3]]], pa.list_(pa.int32()))).lengths.tolist()
    [2, 0, 1]
    """
    array = column.combine_chunks()
    if array.null_count:
        array = pc.fill_null(array, pa.scalar([], array.type))
    offsets = array.offsets.to_numpy(zero_copy_only=False).astype(np.int64)
    values = array.values.to_numpy(zero_copy_only=False)[offsets[0] : offsets[-1]]
    return Ragged(offsets - offsets[0], values.astype(np.int32, copy=False))


def with_ids(cases: pa.Table, names: Iterable[str], items: pa.Table) -> pa.Table:
    """``cases`` with item ids, as dictionaries of the catalogue, where its columns ``names`` hold codes."""
    ids = items.column("item").combine_chunks().cast(pa.string())
    for name in names:
        if name not in cases.column_names:
            continue
        column = cases.column(name).combine_chunks()
        lists = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
        flat = lists.values
        if len(flat) and not 0 <= pc.min(flat).as_py() <= pc.max(flat).as_py() < len(ids):
            raise UsageError(
                f"the case table names items in '{name}' that its catalogue does not have: the run directory"
                " is damaged; run again with --fresh"
            )
        named = pa.ListArray.from_arrays(lists.offsets, pa.DictionaryArray.from_arrays(flat, ids))
        cases = cases.set_column(cases.column_names.index(name), name, named)
    return cases


def list_column(lists: Ragged) -> pa.Array:
    """:class:`Ragged` as a list<int32> array."""
    return pa.ListArray.from_arrays(pa.array(lists.offsets, pa.int32()), pa.array(lists.values, pa.int32()))


def rows_of(cases: Vocabulary, block: pa.Table | pa.RecordBatch) -> Int64:
    """int64[m], the row of the case table that each record belongs to.

    Raises
    ------
    UsageError
        When a record belongs to none.
    """
    column = block.column("case")
    ids = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    rows = cases.encode(ids).astype(np.int64)
    if len(rows) and rows.min() < 0:
        stranger = ids[int(rows.argmin())].as_py()
        raise UsageError(
            f"the records hold case '{str(stranger)[:80]}', which is not in the case table: "
            "they belong to another run or to other data"
        )
    return rows


def status_codes(block: pa.Table | pa.RecordBatch) -> npt.NDArray[np.int64]:
    """int64[m], index into ``CODES`` of each record's status."""
    column = block.column("status").cast(pa.string())
    if isinstance(column, pa.ChunkedArray):
        column = column.combine_chunks()
    codes = pc.index_in(column, value_set=_STATUSES).fill_null(-1).to_numpy(zero_copy_only=False)
    if len(codes) and codes.min() < 0:
        row = int(codes.argmin())
        raise UsageError(
            f"the record of case '{block.column('case')[row].as_py()}' has the unknown status "
            f"'{str(column[row].as_py())[:40]}': it was written by another version or by hand"
        )
    return codes.astype(np.int64)


def _blocks(records: Iterable[pa.RecordBatch], size: int) -> Iterator[pa.Table]:
    """Gather small batches and cut large ones, so that a block has about ``size`` rows."""
    held: list[pa.RecordBatch] = []
    rows = 0
    for batch in records:
        for start in range(0, batch.num_rows, size):
            piece = batch.slice(start, size)
            held.append(piece)
            rows += piece.num_rows
            if rows >= size:
                yield _table(held)
                held, rows = [], 0
    if held:
        yield _table(held)


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches).unify_dictionaries()
