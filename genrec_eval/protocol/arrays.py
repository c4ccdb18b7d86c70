"""Columnar building blocks: ragged lists and the id ↔ code vocabulary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, TypeVar

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pyarrow as pa

Int32 = npt.NDArray[np.int32]
Int64 = npt.NDArray[np.int64]
Float64 = npt.NDArray[np.float64]
Whole = TypeVar("Whole", bound=np.integer)

PAD = -1
"""Code of an empty slot."""


_FEW = 8
"""Looking up fewer than one in so many ids searches a kept index; arrow's lookup hashes all of them anew."""

_ODD = np.uint64(0x9E3779B97F4A7C15)


def stable_order(keys: npt.NDArray[np.integer]) -> Int64:
    """What ``argsort(keys, kind="stable")`` gives for integers, several times faster.

    >>> stable_order(np.array([3, 1, 3, 1])).tolist()
    [1, 3, 0, 2]
    """
    n = len(keys)
    if n == 0:
        return np.empty(0, np.int64)
    low = int(keys.min())
    places = max(n - 1, 1).bit_length()
    if (int(keys.max()) - low).bit_length() + places > 62:
        return np.argsort(keys, kind="stable")
    # key and position in one number: plain sorting of int64 is vectorised, argsort is not
    packed = keys.astype(np.int64)
    packed -= low
    packed <<= places
    packed |= np.arange(n)
    packed.sort()
    packed &= (1 << places) - 1
    return packed


def distinct_of(values: npt.NDArray[Whole]) -> npt.NDArray[Whole]:
    """What ``np.unique(values)`` gives for integers; that hashes since numpy 2.3, some 50 times slower.

    >>> distinct_of(np.array([3, 1, 3])).tolist()
    [1, 3]
    """
    ordered = np.sort(values, axis=None)
    return ordered[np.append(True, ordered[1:] != ordered[:-1])[: len(ordered)]]


def fingerprints(ids: pa.Array) -> npt.NDArray[np.uint64]:
    """uint64[n], a polynomial of each id's bytes modulo 2**64; equal ids have equal ones.

    Different ids rarely do, unless somebody means them to: compare the ids where that matters.
    """
    n, (_, offsets, characters) = len(ids), ids.buffers()
    if n == 0:
        return np.empty(0, np.uint64)
    bounds = np.frombuffer(offsets, np.int32)[ids.offset : ids.offset + n + 1].astype(np.int64)
    text = np.frombuffer(characters or b"", np.uint8)
    found = np.empty(n, np.uint64)
    for start in range(0, n, 1 << 16):
        ends = bounds[start : start + (1 << 16) + 1]
        lengths = np.diff(ends)
        place = np.arange(ends[0], ends[-1]) - np.repeat(ends[:-1], lengths)
        powers = np.cumprod(np.full(int(lengths.max()) + 1, _ODD))
        terms = (text[ends[0] : ends[-1]].astype(np.uint64) + np.uint64(1)) * powers[place]
        sums = np.append(np.uint64(0), np.cumsum(terms))
        found[start : start + len(lengths)] = np.diff(sums[ends - ends[0]])
    return found


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of different lengths in two arrays.

    Attributes
    ----------
    offsets
        int64[n + 1]; list ``i`` is ``values[offsets[i]:offsets[i + 1]]``.
    values
        int32[offsets[-1]].
    """

    offsets: Int64
    values: Int32

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, row: int) -> Int32:
        return self.values[self.offsets[row] : self.offsets[row + 1]]

    @property
    def lengths(self) -> Int64:
        """int64[n], the length of each list."""
        return np.diff(self.offsets)

    def take(self, rows: Int64) -> Ragged:
        """Lists at ``rows``, in that order, without a Python loop."""
        lengths = self.lengths[rows]
        offsets = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        source = np.repeat(self.offsets[rows] - offsets[:-1], lengths) + np.arange(offsets[-1])
        return Ragged(offsets, self.values[source])

    @classmethod
    def group(cls, keys: npt.NDArray[np.integer], values: Int32, n: int) -> Ragged:
        """Collect ``values`` by ``keys`` in 0..n-1, keeping their order within a key."""
        order = stable_order(keys)
        counts = np.bincount(keys, minlength=n)
        offsets = np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
        return cls(offsets, values[order].astype(np.int32, copy=False))

    @classmethod
    def from_lists(cls, lists: Iterable[Iterable[int]]) -> Ragged:
        """Build from Python lists; for tests and small data."""
        rows = [np.asarray(list(row), dtype=np.int32) for row in lists]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows])]).astype(np.int64)
        return cls(offsets, np.concatenate(rows) if rows else np.empty(0, np.int32))


class Vocabulary:
    """Distinct string ids in a fixed order; the code of an id is its position.

    Parameters
    ----------
    ids
        pyarrow string array without duplicates or nulls.
    """

    def __init__(self, ids: pa.Array | pa.ChunkedArray | Iterable[str]) -> None:
        import pyarrow as pa  # here and below: metrics are named by suites, which are read without arrow

        if isinstance(ids, pa.ChunkedArray):
            ids = ids.combine_chunks()
        self.ids: pa.Array = (ids if isinstance(ids, pa.Array) else pa.array(list(ids), pa.string())).cast(
            pa.string()
        )

    def __len__(self) -> int:
        return len(self.ids)

    def __iter__(self) -> Iterator[str]:
        """Ids in order, for people's own code; columnar code uses ``ids``."""
        return iter(self.ids.to_pylist())

    def encode(self, ids: pa.Array) -> Int32:
        """Codes of ``ids``; -1 for unknown ids and nulls."""
        import pyarrow as pa
        import pyarrow.compute as pc

        if isinstance(ids, pa.ChunkedArray):
            ids = ids.combine_chunks()
        if pa.types.is_dictionary(ids.type):
            codes = self.encode(ids.dictionary)
            indices = ids.indices.fill_null(-1).to_numpy(zero_copy_only=False)
            return np.append(codes, np.int32(PAD))[indices]
        ids = ids.cast(pa.string())
        if len(ids) * _FEW < len(self) and self._index is not None:
            return self._search(ids, *self._index)
        found = pc.index_in(ids, value_set=self.ids, skip_nulls=True)
        return found.fill_null(PAD).to_numpy(zero_copy_only=False).astype(np.int32, copy=False)

    @cached_property
    def _index(self) -> tuple[npt.NDArray[np.uint64], Int64] | None:
        """Sorted fingerprints and their codes; None when two ids have the same."""
        prints = fingerprints(self.ids)
        order = np.argsort(prints)
        prints = prints[order]
        return None if (prints[1:] == prints[:-1]).any() else (prints, order)

    def _search(self, ids: pa.Array, prints: npt.NDArray[np.uint64], order: Int64) -> Int32:
        import pyarrow.compute as pc

        place = np.minimum(np.searchsorted(prints, fingerprints(ids)), len(prints) - 1)
        codes = order[place].astype(np.int32)
        same = pc.equal(self.ids.take(codes), ids).fill_null(False)
        codes[~same.to_numpy(zero_copy_only=False)] = PAD
        return codes

    def decode(self, codes: Int32) -> pa.Array:
        """Ids of ``codes``; null for negative codes."""
        import pyarrow as pa

        return self.ids.take(pa.array(codes, mask=codes < 0))

    @cached_property
    def strings(self) -> list[str]:
        """The ids as Python strings; for per-request work only."""
        return self.ids.to_pylist()

    @cached_property
    def codes(self) -> dict[str, int]:
        """Id → code as a dict; for per-request work only."""
        return {name: code for code, name in enumerate(self.strings)}
