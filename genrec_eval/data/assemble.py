"""From columns as read to a dataset: ids to codes, order in time, duplicates counted, tables aligned."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.core.errors import UsageError
from genrec_eval.data.dataset import Dataset, Float32, Interactions
from genrec_eval.data.reading import clip
from genrec_eval.protocol.arrays import PAD, Int32, Int64, Vocabulary, stable_order

_MIX, _MIX_TOO = np.int64(0x1E3779B97F4A7C15), np.int64(0x2545F4914F6CDD1D)
_LAST = 2.0**63
_PARTS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_UNITS = ((10**17, 10**9, "nanoseconds"), (10**14, 10**6, "microseconds"), (10**11, 10**3, "milliseconds"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """Interactions as a file has them, one row each.

    Attributes
    ----------
    user, item, rating, timestamp
        Columns of any type that makes sense.
    names
        Role (``"user"``, ...) → the column's name in the file.
    where
        Row (from 0) → ``"file line 7"``, for messages.
    """

    user: pa.ChunkedArray
    item: pa.ChunkedArray
    rating: pa.ChunkedArray | None
    timestamp: pa.ChunkedArray | None
    where: Callable[[int], str]
    names: Mapping[str, str] = field(default_factory=dict)

    def fault(self, row: int, role: str, what: str) -> UsageError:
        """The sentence about one cell."""
        return UsageError(f"{self.where(row)}, column '{self.names.get(role, role)}': {what}")


def assemble(
    log: Log,
    *,
    name: str,
    digest: str,
    item_table: pa.Table | None = None,
    user_table: pa.Table | None = None,
    groups: tuple[str, ...] = (),
    licence: str | None = None,
    source: str | None = None,
    facts: Mapping[str, Any] | None = None,
) -> Dataset:
    """Make the dataset.

    ``item_table`` and ``user_table`` have distinct string ids in their first column, ``item`` and
    ``user``; ids that only the interactions know are added below with empty attributes, items by id.

    Raises
    ------
    UsageError
        For the first missing id, rating or time, and for ratings that are not finite.
    """
    warnings: list[str] = []
    user, user_ids = _codes(log, "user", log.user)
    item, item_ids = _sorted(*_codes(log, "item", log.item))
    rating = None if log.rating is None else _ratings(log, log.rating)
    timestamp = None if log.timestamp is None else _times(log, log.timestamp, warnings)
    users, user = _align(user_table, user_ids, user, "user")
    items, item = _align(item_table, item_ids, item, "item")

    read = len(user)
    order: Int64 = np.arange(read) if timestamp is None else stable_order(timestamp)
    keep, duplicates = _duplicates(user, item, timestamp, rating, order)
    examples = [
        f"rows {a + 1} and {b + 1}: user {clip(users.column(0)[int(user[a])])},"
        f" item {clip(items.column(0)[int(item[a])])}"
        for a, b in duplicates.examples
    ]
    if duplicates.count:
        warnings.append(
            f"{duplicates.count} duplicate rows are dropped, the first of each kept; {'; '.join(examples)}"
        )
    order = order[keep]
    interactions = Interactions(
        user=user[order],
        item=item[order],
        rating=None if rating is None else rating[order],
        timestamp=None if timestamp is None else timestamp[order],
    )
    ambiguous = _ambiguous(items)
    if ambiguous:
        warnings.append(f"{ambiguous} titles are shared by several items; text alone cannot tell them apart")
    strangers = _added(items, item_table)
    if strangers:
        some = ", ".join(clip(item) for item in items.column("item").slice(items.num_rows - strangers, 3))
        warnings.append(
            f"{strangers} of {len(item_ids)} items of the interactions are not among the items described,"
            f" which are matched by id: {some}"
        )
    return Dataset(
        name=name,
        users=Vocabulary(users.column("user")),
        items=Vocabulary(items.column("item")),
        interactions=interactions,
        item_table=items,
        user_table=users,
        groups=groups,
        digest=digest,
        licence=licence,
        source=source,
        facts={
            "rows_read": read,
            "interactions": len(interactions),
            "duplicates_dropped": duplicates.count,
            "duplicates_with_another_rating": duplicates.conflicting,
            "duplicate_examples": examples,
            "users": users.num_rows,
            "items": items.num_rows,
            "items_without_interactions": items.num_rows - len(item_ids),
            "items_added_from_interactions": strangers,
            "users_added_from_interactions": _added(users, user_table),
            "ambiguous_titles": ambiguous,
            "warnings": warnings,
            **(facts or {}),
        },
    )


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
    return codes.astype(np.int32)[rows], encoded.dictionary


def _codes(log: Log, role: str, column: pa.ChunkedArray) -> tuple[Int32, pa.Array]:
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


def _sorted(codes: Int32, ids: pa.Array) -> tuple[Int32, pa.Array]:
    """Codes in the order of the ids.

    In the order of first appearance they would give the future away: of two items without training
    interactions the one that is sold more often in the test tends to appear first, and ties go by code.
    """
    order = pc.sort_indices(ids)
    place = np.empty(len(ids), np.int32)
    place[order.to_numpy()] = np.arange(len(ids), dtype=np.int32)
    return place[codes], ids.take(order)


def _ratings(log: Log, column: pa.ChunkedArray) -> Float32:
    column = _numbers(log, "rating", column)
    values = column.to_numpy()
    with np.errstate(over="ignore"):
        stored = values.astype(np.float32)
    bad = np.flatnonzero(~np.isfinite(stored))
    if len(bad):
        row = int(bad[0])
        missing = not column[row].is_valid
        what = (
            "the rating is missing"
            if missing
            else f"a rating of {values[row]} is not a finite number of reasonable size"
        )
        raise log.fault(row, "rating", what)
    return stored


def _numbers(log: Log, role: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
    if pa.types.is_boolean(column.type) or pa.types.is_temporal(column.type):
        raise log.fault(0, role, f"{column.type} where a number is expected")
    try:
        return column.cast(pa.float64())
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        texts = column.to_pylist()
    for row, text in enumerate(texts):
        if not isinstance(text, str | None) or (text is not None and not _reads(float, text)):
            raise log.fault(row, role, f"{clip(text)} is not a number")
    raise log.fault(0, role, f"{column.type} where a number is expected")


def _times(log: Log, column: pa.ChunkedArray, warnings: list[str]) -> Int64:
    """Unix seconds."""
    kind = column.type
    if column.null_count:
        row = int(np.flatnonzero(column.is_null().to_numpy())[0])
        raise log.fault(row, "timestamp", "the timestamp is missing")
    if pa.types.is_dictionary(kind):
        column = column.cast(kind.value_type)
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        column = _moments(log, pc.utf8_trim_whitespace(column))
    if pa.types.is_date(column.type):
        column = column.cast(pa.timestamp("s" if pa.types.is_date32(column.type) else "ms"))
    if pa.types.is_timestamp(column.type):  # floored by hand: a cast refuses what it would round
        return np.floor_divide(column.cast(pa.int64()).to_numpy(), _PARTS[column.type.unit])
    if pa.types.is_temporal(column.type):
        raise log.fault(0, "timestamp", f"{column.type} where a date or Unix seconds are expected")
    if pa.types.is_integer(column.type):
        values: npt.NDArray[Any] = column.to_numpy()
    else:
        values = _numbers(log, "timestamp", column).to_numpy()
    with np.errstate(invalid="ignore"):
        bad = np.flatnonzero(~((values > -_LAST) & (values < _LAST)))
    if len(bad):
        raise log.fault(int(bad[0]), "timestamp", f"{values[bad[0]]} is not a time")
    if values.dtype.kind in "iu":
        values = values.astype(np.int64)
    _refuse_calendar(log, values)
    return _seconds(log, values, warnings)


def _refuse_calendar(log: Log, values: npt.NDArray[Any]) -> None:
    """20240131 is the last of January to a reader and a day of 1970 to a clock; say so and read neither."""
    if values.min() < 1900_01_01 or values.max() > 2199_12_31:
        return
    month, day = values // 100 % 100, values % 100
    if bool(((month >= 1) & (month <= 12) & (day >= 1) & (day <= 31)).all()):
        raise log.fault(
            0,
            "timestamp",
            f"{int(values[0])} reads like a date written YYYYMMDD, and as Unix seconds it would be in 1970;"
            " write dates as YYYY-MM-DD",
        )


def _moments(log: Log, column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Numbers or ISO 8601 in text."""
    moments = (pa.timestamp(unit, zone) for unit in ("us", "ns") for zone in (None, "UTC"))
    for kind in (pa.int64(), pa.float64(), *moments):
        try:
            return column.cast(kind)
        except pa.ArrowInvalid:
            continue
    texts = column.to_pylist()
    read = float if _reads(float, texts[0]) else datetime.fromisoformat  # as the file began
    for row, text in enumerate(texts):
        if not text.strip():
            raise log.fault(row, "timestamp", "the timestamp is missing")
        if not _reads(read, text):
            what = f"{clip(text)} is neither Unix seconds nor a date in ISO 8601"
            raise log.fault(row, "timestamp", what)
    raise log.fault(0, "timestamp", "some rows have a time zone and others none; write all the same way")


def _reads(read: Callable[[str], Any], text: str) -> bool:
    try:
        read(text)
    except ValueError:
        return False
    return True


def _seconds(log: Log, values: npt.NDArray[Any], warnings: list[str]) -> Int64:
    size = np.abs(values)
    largest = size.max()
    for threshold, divisor, unit in _UNITS:
        if largest <= threshold:
            continue
        small = np.flatnonzero((size <= threshold) & (size > 0))
        if len(small):
            row, other = int(small[0]), int(np.argmax(size))
            raise log.fault(
                row, "timestamp", f"{values[row]} looks like another unit than {values[other]} of another row"
            )
        warnings.append(f"timestamps are in {unit} and are divided by {divisor:,} to Unix seconds")
        values = np.floor_divide(values, divisor)
        break
    return np.floor(values).astype(np.int64)


@dataclass(frozen=True, slots=True)
class _Duplicates:
    count: int
    conflicting: int
    examples: list[tuple[int, int]]


def _duplicates(
    user: Int32, item: Int32, timestamp: Int64 | None, rating: Float32 | None, order: Int64
) -> tuple[npt.NDArray[np.bool_], _Duplicates]:
    """Which entries of ``order`` to keep: the first of each (user, item, timestamp)."""
    keep = np.ones(len(order), bool)
    pair = user.astype(np.int64) * (int(item.max()) + 1) + item
    # equal rows have equal marks and few others do: only rows whose mark comes twice are looked at
    mark = pair if timestamp is None else (pair * _MIX) ^ (timestamp * _MIX_TOO)
    ordered = np.sort(mark)
    twice = np.unique(ordered[1:][ordered[1:] == ordered[:-1]])
    if not len(twice):
        return keep, _Duplicates(0, 0, [])
    mark = mark[order]
    suspects = np.flatnonzero(twice[np.minimum(np.searchsorted(twice, mark), len(twice) - 1)] == mark)
    pair = pair[order][suspects]
    by_pair = stable_order(pair)  # within a pair by time, then by source position
    same = pair[by_pair][1:] == pair[by_pair][:-1]
    if timestamp is not None:
        when = timestamp[order][suspects][by_pair]
        same &= when[1:] == when[:-1]
    by_pair = suspects[by_pair]
    again = by_pair[1:][same]
    keep[again] = False
    if not len(again):
        return keep, _Duplicates(0, 0, [])
    starts = np.append(True, ~same)
    first = by_pair[np.maximum.accumulate(np.where(starts, np.arange(len(starts)), 0))][1:][same]
    originals, copies = order[first], order[again]
    conflicting = 0 if rating is None else int((rating[originals] != rating[copies]).sum())
    shown = np.argsort(copies, kind="stable")[:2]
    examples = [(int(originals[i]), int(copies[i])) for i in shown]
    return keep, _Duplicates(len(again), conflicting, examples)


def _align(table: pa.Table | None, ids: pa.Array, codes: Int32, role: str) -> tuple[pa.Table, Int32]:
    """The table with a row for every id, and the codes as its rows."""
    if table is None:
        return pa.table({role: ids}), codes
    place = Vocabulary(table.column(role)).encode(ids).copy()
    missing = np.flatnonzero(place < 0)
    place[missing] = table.num_rows + np.arange(len(missing))
    if len(missing):
        extra = pa.table({role: ids.take(pa.array(missing))})
        table = pa.concat_tables([table, extra], promote_options="default").combine_chunks()
    return table, place[codes]


def _added(table: pa.Table, given: pa.Table | None) -> int:
    return 0 if given is None else table.num_rows - given.num_rows


def _ambiguous(items: pa.Table) -> int:
    if "title" not in items.column_names:
        return 0
    counts = items.column("title").drop_null().value_counts()
    return int(pc.sum(pc.greater(counts.field("counts"), 1)).as_py() or 0)
