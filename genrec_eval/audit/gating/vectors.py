"""Vectors of a baseline file: packed small, read strictly, exact wherever that is affordable.

A vector is the base64 of zlib of little-endian numbers. Its numbers are kept in one of three ways:

``book``
    Every distinct value once, as float64, and for each unit which it is, as uint8 or uint16: exact, for up to
    65,536 values and where it is smaller than the bare numbers.
``plain``
    float64 for each unit: exact. Up to :data:`EXACT_UNITS` units, where intervals are resampled, and for
    whatever is no mean (weights, statistics that are summed), of any size.
``steps``
    uint16 for each unit, in equal steps from the least value to the greatest: off by at most half a step,
    which is said beside it and widens the intervals (:mod:`genrec_eval.audit.gating.blur`).
"""

from __future__ import annotations

import base64
import binascii
import zlib
from typing import Annotated, Any, Literal

import numpy as np
import numpy.typing as npt
from pydantic import Field, model_validator

from genrec_eval.core.strict import StrictModel
from genrec_eval.stats.fitting import BOOTSTRAP_UNITS

Float64 = npt.NDArray[np.float64]

EXACT_UNITS = BOOTSTRAP_UNITS
MOST_UNITS = 50_000_000
"""Units of a scenario; stops files that claim more than they could hold."""
_BOOK = 1 << 16
_STEPS = (1 << 16) - 1

Count = Annotated[int, Field(ge=0, le=MOST_UNITS)]


class PackedNumbers(StrictModel):
    """Numbers of a baseline file."""

    how: Literal["book", "plain", "steps"]
    data: str
    book: str | None = None
    values: Annotated[int, Field(ge=0, le=_BOOK)] = 0
    low: float = 0.0
    step: Annotated[float, Field(ge=0)] = 0.0
    error: Annotated[float, Field(ge=0)] = 0.0

    @model_validator(mode="after")
    def _fits(self) -> PackedNumbers:
        if (self.how == "book") != (self.book is not None):
            raise ValueError("a book of values and codes into it go together")
        if self.how == "steps" and self.error < self.step / 2:
            raise ValueError("the error of steps is at least half a step")
        return self


def pack_numbers(values: Float64, *, exact: bool = False) -> dict[str, Any]:
    """Pack n finite numbers; without ``exact`` many of them may be rounded.

    >>> packed = pack_numbers(np.array([0.5, 0.0, 0.5]))
    >>> packed["how"], packed["values"]
    ('book', 2)
    >>> unpack_numbers(PackedNumbers.model_validate(packed), 3)
    array([0.5, 0. , 0.5])
    """
    values = (
        np.ascontiguousarray(values, np.float64) + 0.0
    )  # no negative zero, which would be a value of its own
    book, codes = np.unique(values, return_inverse=True)
    width = 1 if len(book) <= 256 else 2
    if len(book) <= _BOOK and 8 * len(book) + width * len(values) < 8 * max(len(values), 1) + 8:
        kind = "<u1" if width == 1 else "<u2"
        return {
            "how": "book",
            "values": len(book),
            "book": pack_bytes(book.astype("<f8").tobytes()),
            "data": pack_bytes(codes.astype(kind).tobytes()),
        }
    if exact or len(values) <= EXACT_UNITS or not np.isfinite(book[-1] - book[0]):
        return {"how": "plain", "data": pack_bytes(values.astype("<f8").tobytes())}
    low, step = float(book[0]), float(book[-1] - book[0]) / _STEPS
    codes = np.clip(np.rint((values - low) / step), 0, _STEPS)
    error = float(np.abs(low + step * codes - values).max())
    return {
        "how": "steps",
        "low": low,
        "step": step,
        "error": max(error, step / 2),
        "data": pack_bytes(codes.astype("<u2").tobytes()),
    }


def unpack_numbers(packed: PackedNumbers, n: int) -> Float64:
    """float64[n].

    Raises
    ------
    ValueError
        When the bytes are not those of n finite numbers.
    """
    if packed.how == "plain":
        values = np.frombuffer(unpack_bytes(packed.data, 8 * n), "<f8").astype(np.float64)
    elif packed.how == "steps":
        codes = np.frombuffer(unpack_bytes(packed.data, 2 * n), "<u2")
        with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is refused below
            values = packed.low + packed.step * codes.astype(np.float64)
    else:
        book = np.frombuffer(unpack_bytes(packed.book or "", 8 * packed.values), "<f8").astype(np.float64)
        kind = "<u1" if len(book) <= 256 else "<u2"
        codes = np.frombuffer(unpack_bytes(packed.data, n * np.dtype(kind).itemsize), kind)
        if n and (not len(book) or int(codes.max()) >= len(book)):
            raise ValueError("a code stands for no value of the book")
        values = book[codes] if n else np.empty(0)
    if not np.isfinite(values).all():
        raise ValueError("not all numbers are finite")
    return values


def pack_mask(mask: npt.NDArray[np.bool_]) -> str:
    """Pack n truth values, 8 to a byte."""
    return pack_bytes(np.packbits(mask).tobytes())


def unpack_mask(text: str, n: int) -> npt.NDArray[np.bool_]:
    """bool[n].

    >>> unpack_mask(pack_mask(np.array([True, False, True])), 3)
    array([ True, False,  True])
    """
    return np.unpackbits(np.frombuffer(unpack_bytes(text, (n + 7) // 8), np.uint8), count=n).astype(bool)


def pack_bytes(data: bytes) -> str:
    """Base64 of zlib."""
    return base64.b64encode(zlib.compress(data, 9)).decode()


def unpack_bytes(text: str, size: int) -> bytes:
    """Exactly ``size`` bytes; what would unpack to more is never unpacked.

    Raises
    ------
    ValueError
        When the text is no base64 of zlib, or of another size.
    """
    try:
        packed = base64.b64decode(text.encode("ascii"), validate=True)
    except (binascii.Error, UnicodeEncodeError):
        raise ValueError("not base64") from None
    stream = zlib.decompressobj()
    try:
        data = stream.decompress(packed, size + 1)
    except zlib.error:
        raise ValueError("damaged: not what zlib packed") from None
    if len(data) > size or not stream.eof or stream.unused_data:
        more = "more" if len(data) > size or stream.unused_data else "less"
        raise ValueError(f"damaged: holds {more} than {size:,} bytes")
    if len(data) < size:
        raise ValueError(f"damaged: holds less than {size:,} bytes")
    return data
