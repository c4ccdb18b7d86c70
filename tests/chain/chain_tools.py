"""What tests do to runs."""

from __future__ import annotations

import hashlib
import json
import math
import struct
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq


def edit(path: Path, change: Callable[[list[dict[str, Any]]], Any]) -> None:
    """Change the rows of a table in place; its schema, notes and row groups stay."""
    with pq.ParquetFile(path) as file:
        schema = file.schema_arrow
        groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
        notes = {k: v for k, v in (file.metadata.metadata or {}).items() if k != b"ARROW:schema"}
        rows = file.read().to_pylist()
    change(rows)
    table = pa.Table.from_pylist(rows, schema=schema.remove_metadata())
    groups[-1] += len(rows) - sum(groups)
    with pq.ParquetWriter(path, schema.remove_metadata(), compression="zstd") as writer:
        start = 0
        for n in groups:
            writer.write_table(table.slice(start, n), row_group_size=max(1, n))
            start += n
        writer.add_key_value_metadata({k.decode(): v.decode() for k, v in notes.items()})


def edit_json(path: Path, change: Callable[[Any], Any]) -> None:
    """Change a JSON file in place."""
    held = json.loads(path.read_text())
    change(held)
    path.write_text(json.dumps(held))


def snapshot(folder: Path) -> dict[str, tuple[str, int]]:
    """Digest and time of change of every file."""
    return {
        path.relative_to(folder).as_posix(): (
            hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "",
            path.stat().st_mtime_ns,
        )
        for path in sorted(folder.rglob("*"))
    }


def encode(values: list[Any]) -> bytes:
    """The recipe of rows once more, one value at a time."""
    words, bodies = b"", b""
    for value in values:
        if value is None:
            kind, bits, body = 0, bytes(8), b""
        elif isinstance(value, bool):
            kind, bits, body = 1, struct.pack("<Q", value), b""
        elif isinstance(value, int):
            large = value >= 2**63
            kind, bits, body = (
                (3, struct.pack("<Q", value), b"") if large else (2, struct.pack("<q", value), b"")
            )
        elif isinstance(value, float):
            odd = math.isnan(value)
            kind, bits, body = 4, struct.pack("<Q", 0x7FF8 << 48) if odd else struct.pack("<d", value), b""
        elif isinstance(value, str):
            body = value.encode()
            kind, bits = 5, struct.pack("<Q", len(body))
        elif isinstance(value, bytes):
            kind, bits, body = 6, struct.pack("<Q", len(value)), value
        elif isinstance(value, list):
            kind, bits, body = 7, struct.pack("<Q", len(value)), encode(value)
        else:
            kind, bits, body = 8, struct.pack("<Q", len(value)), encode(list(value.values()))
        words += bytes([kind]) + bits
        bodies += body
    return words + bodies


def head(names: list[Any]) -> bytes:
    """What stands before each row."""
    text = json.dumps(names, ensure_ascii=False, separators=(",", ":"))
    return hashlib.sha256(b"genrec-eval/row/1\n" + text.encode()).digest()
