"""Ratings and times as they are written to numbers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from genrec_eval.data.dataset import Float32
from genrec_eval.data.tables.log import Rows
from genrec_eval.data.tables.streams import clip
from genrec_eval.protocol.arrays import Float64, Int64

_LAST = 2.0**63
_LARGEST = 1e30
_PARTS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_UNITS = ((10**17, 10**9, "nanoseconds"), (10**14, 10**6, "microseconds"), (10**11, 10**3, "milliseconds"))


def ratings_of(log: Rows, column: pa.ChunkedArray) -> Float32:
    """Ratings as float32.

    Raises
    ------
    UsageError
        For the first rating that is missing, no number or not finite.
    """
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


def numbers_of(log: Rows, role: str, column: pa.ChunkedArray) -> Float64:
    """Numbers as float64, NaN where missing; true counts as 1, false as 0.

    Raises
    ------
    UsageError
        For the first that is no number, or too large to be added up.
    """
    if pa.types.is_boolean(column.type):
        column = column.cast(pa.int8())
    column = _numbers(log, role, column)
    values: Float64 = column.fill_null(np.nan).to_numpy().astype(np.float64)
    endless = np.flatnonzero(np.abs(values) > _LARGEST)
    if len(endless):
        what = f"{values[endless[0]]} is not a finite number of reasonable size"
        raise log.fault(int(endless[0]), role, what)
    return values


def _numbers(log: Rows, role: str, column: pa.ChunkedArray) -> pa.ChunkedArray:
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


def times_of(log: Rows, column: pa.ChunkedArray, warnings: list[str]) -> Int64:
    """Unix seconds; what was divided is added to ``warnings``.

    Raises
    ------
    UsageError
        For the first time that is missing or no time.
    """
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
    if log.unit is not None:
        return np.floor_divide(values, _PARTS[log.unit]).astype(np.int64)
    if not len(values):
        return values.astype(np.int64)
    _refuse_calendar(log, values)
    return _seconds(log, values, warnings)


def _refuse_calendar(log: Rows, values: npt.NDArray[Any]) -> None:
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


def _moments(log: Rows, column: pa.ChunkedArray) -> pa.ChunkedArray:
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


def _seconds(log: Rows, values: npt.NDArray[Any], warnings: list[str]) -> Int64:
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
