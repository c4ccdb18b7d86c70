"""Files as bytes and lines, compressed or not."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa

from genrec_eval.core.errors import UsageError

COMPRESSED = (".gz", ".bz2", ".zst", ".lz4")

LONGEST_LINE = 1 << 23
"""Bytes; a longer line is no record of any data set, and would have to be held whole."""


@contextmanager
def opened(path: Path) -> Iterator[io.BufferedReader]:
    """The file's bytes, decompressed if its name says that it is compressed.

    Raises
    ------
    UsageError
        When the file is empty, a folder, or breaks off, which is often noticed late.
    """
    refuse_empty(path)
    try:
        with pa.input_stream(path, compression="detect") as stream:
            yield io.BufferedReader(stream)
    except (OSError, pa.ArrowException) as error:
        raise UsageError(f"{path} cannot be read: {first_line(error)}") from error


def lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Number and bytes of each line that is not blank."""
    with opened(path) as stream:
        number = 0
        while raw := stream.readline(LONGEST_LINE + 1):
            number += 1
            if len(raw) > LONGEST_LINE:
                raise UsageError(f"{path} line {number} is longer than {LONGEST_LINE:,} bytes")
            if raw.strip():
                yield number, raw


def refuse_empty(path: Path) -> None:
    """Raise for a folder and for a file without bytes."""
    if path.is_dir():
        raise UsageError(f"{path} is a folder where a file is expected")
    if path.stat().st_size == 0:
        raise UsageError(f"{path} is empty")


def first_line(error: Exception) -> str:
    """What an error says, cut to one line."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def clip(value: Any, limit: int = 60) -> str:
    """``value`` in quotes, shortened: data may be long and may hold anything."""
    text = repr(str(value))
    return text if len(text) <= limit else f"{text[:limit]}…'"
