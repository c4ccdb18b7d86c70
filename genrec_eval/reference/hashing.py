"""Counter-based randomness: whole columns of draws that depend on a seed and an id, not on order."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from genrec_eval.core.randomness import generator
from genrec_eval.protocol.arrays import Int32

UInt64 = npt.NDArray[np.uint64]

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_ROUNDS = 6
_LEAST_BITS = 8  # on fewer, pairs of positions are visibly not uniform


def mix(values: UInt64) -> UInt64:
    """A bijection of 64-bit integers whose output bits depend on all input bits.

    References
    ----------
    Steele, Lea, Flood (2014), Fast splittable pseudorandom number generators: the finaliser of
    SplitMix64.
    """
    values = (values ^ (values >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    values = (values ^ (values >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return values ^ (values >> np.uint64(31))


def hash_strings(strings: pa.Array, seed: int) -> UInt64:
    """A 64-bit key per string, from its UTF-8 bytes and the seed; no Python object per string.

    Each byte is weighted by a hash of its position, summed modulo 2^64 and mixed with the length.
    """
    if isinstance(strings, pa.ChunkedArray):
        strings = strings.combine_chunks()
    strings = strings.cast(pa.large_string())
    _, offset_buffer, data = strings.buffers()
    count, first = len(strings), strings.offset
    salt = generator(seed, "random recommender").integers(2**64, dtype=np.uint64)
    if not count:
        return np.empty(0, np.uint64)
    offsets = np.frombuffer(offset_buffer, np.int64, count + 1, first * 8)
    lengths = np.diff(offsets)
    sums = np.zeros(count, np.uint64)
    if offsets[-1] > offsets[0]:
        size = int(offsets[-1] - offsets[0])
        characters = np.frombuffer(data, np.uint8, size, int(offsets[0])).astype(np.uint64)
        places = np.arange(size) - np.repeat(offsets[:-1] - offsets[0], lengths)
        weights = mix((np.arange(int(lengths.max()), dtype=np.uint64) + np.uint64(1)) * _GOLDEN + salt)
        filled = lengths > 0  # reduceat gives an empty segment its neighbour's first value
        starts = (offsets[:-1] - offsets[0])[filled]
        sums[filled] = np.add.reduceat((characters + np.uint64(1)) * weights[places], starts)
    return mix(mix(sums + salt) ^ lengths.astype(np.uint64) * _GOLDEN)


def again(keys: UInt64, repeat: int) -> UInt64:
    """Keys of the ``repeat``-th independent draw; those of draw 0 are ``keys``."""
    step = np.array([repeat], np.uint64) * _GOLDEN  # an array wraps around without a warning
    return mix(keys + step) if repeat else keys


def scores(keys: UInt64, items: Int32) -> UInt64:
    """A uniform 64-bit draw per (key, item)."""
    return mix(keys ^ mix((items.astype(np.uint64) + np.uint64(1)) * _GOLDEN))


def permuted(keys: UInt64, start: int, stop: int, n: int) -> Int32:
    """Positions ``start`` to ``stop`` of a random permutation of 0..n-1 per key.

    A Feistel network permutes the next power of two; results above n are fed back until they fall
    below it, which keeps it a permutation (cycle walking).

    References
    ----------
    Black, Rogaway (2002), Ciphers with arbitrary finite domains.

    >>> sorted(permuted(np.array([7], np.uint64), 0, 5, 5)[0].tolist())
    [0, 1, 2, 3, 4]
    """
    bits = max(_LEAST_BITS, (n - 1).bit_length())
    low = bits // 2
    rounds = mix(keys[:, None] + np.arange(1, _ROUNDS + 1, dtype=np.uint64) * _GOLDEN)
    values = _feistel(np.arange(start, stop, dtype=np.uint64)[None, :], rounds[:, None, :], low, bits - low)
    row, column = np.nonzero(values >= n)
    while len(row):
        values[row, column] = _feistel(values[row, column], rounds[row], low, bits - low)
        outside = values[row, column] >= n
        row, column = row[outside], column[outside]
    return values.astype(np.int32)


def _feistel(values: UInt64, rounds: UInt64, low: int, high: int) -> UInt64:
    low_mask, high_mask = np.uint64((1 << low) - 1), np.uint64((1 << high) - 1)
    right, left = values & low_mask, values >> np.uint64(low)
    for step in range(_ROUNDS):
        if step % 2:
            right = (right + mix(rounds[..., step] ^ left)) & low_mask
        else:
            left = (left + mix(rounds[..., step] ^ right)) & high_mask
    return left << np.uint64(low) | right
