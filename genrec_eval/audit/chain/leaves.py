"""Leaves: the 32 bytes that stand for a row of a file of the run, and the root over them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from genrec_eval.audit.chain.files import BLOBS, ROWS_PER_LEAF, blobs, regular
from genrec_eval.core.errors import UsageError
from genrec_eval.core.fingerprint import canonical, digest, digest_file
from genrec_eval.protocol.row_digests import HELD, UInt8, encoded, head_of, row_digests

if TYPE_CHECKING:
    import pyarrow.parquet as pq

_MOST_JSON = 1 << 30


class Unreadable(UsageError):
    """A file of the run is no table or JSON any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaves:
    """A file of the run, hashed.

    Attributes
    ----------
    name
        Its path in the run, with ``/``; ``blobs/`` for all payloads.
    rows
        Rows of a table, entries of a JSON file, or payloads.
    per_leaf
        Rows that share a leaf.
    digests
        uint8[m, 32], m = ⌈rows / per_leaf⌉.
    labels
        What the rows are called, where they have names: keys of JSON, payloads.
    size, sha256
        Of the bytes of the file; no ``sha256`` for payloads, whose leaves are made of it.
    metadata
        SHA-256 of what a table says beside its rows; None where it says nothing.
    """

    name: str
    rows: int
    per_leaf: int
    digests: UInt8
    labels: tuple[str, ...] | None
    size: int
    sha256: str | None
    metadata: str | None

    @property
    def root(self) -> str:
        """Root of the file; see :func:`file_root`."""
        return file_root(self.name, self.rows, self.per_leaf, self.metadata, self.digests)


def file_root(name: str, rows: int, per_leaf: int, metadata: str | None, digests: UInt8) -> str:
    """SHA-256 over name, shape and leaves of a file, as 64 hex digits.

    It is ``SHA-256("genrec-eval/file/1\\n{name}\\n{rows}\\n{per_leaf}\\n{metadata or '-'}\\n" + leaves)``,
    the leaves one after the other in the order of the rows.

    >>> file_root("run.json", 0, 1, None, np.zeros((0, 32), np.uint8))[:16]
    '85fea5c10d2329e6'
    """
    head = f"genrec-eval/file/1\n{name}\n{rows}\n{per_leaf}\n{metadata or '-'}\n"
    content = hashlib.sha256(head.encode())
    content.update(np.ascontiguousarray(digests).data)
    return content.hexdigest()


def leaves(directory: Path, name: str, instead: Path | None = None) -> Leaves:
    """Hash one file of a run.

    Parameters
    ----------
    instead
        Where the file lies for now, before it takes its place.

    Raises
    ------
    Unreadable
        When it is broken.
    """
    if name == BLOBS:
        return _blobs(directory)
    path = regular(instead or directory / name)
    per_leaf = ROWS_PER_LEAF.get(name, 1)
    if name.endswith(".json"):
        labels, digests = _json(path)
        rows, metadata = len(labels), None
    else:
        labels = None
        rows, metadata, digests = _table(path, per_leaf)
    return Leaves(
        name=name,
        rows=rows,
        per_leaf=per_leaf,
        digests=digests,
        labels=labels,
        size=path.stat().st_size,
        sha256=digest_file(path),
        metadata=metadata,
    )


def _blobs(directory: Path) -> Leaves:
    import pyarrow as pa

    names = blobs(directory)
    paths = [directory / BLOBS / name for name in names]
    table = pa.table(
        {
            "name": pa.array(names, pa.string()),
            "sha256": pa.array([digest_file(path) for path in paths], pa.string()),
        }
    )
    return Leaves(
        name=BLOBS,
        rows=len(names),
        per_leaf=1,
        digests=row_digests(table),
        labels=tuple(names),
        size=sum(path.stat().st_size for path in paths),
        sha256=None,
        metadata=None,
    )


def entries(document: Any) -> dict[str, Any]:
    """The rows of a JSON file: its keys, sorted, and of those that hold a mapping or a list their entries.

    >>> entries({"seed": 7, "suite": {"name": "x"}, "estimates": [{"n": 3}]})
    {'estimates[0]': {'n': 3}, 'seed': 7, 'suite.name': 'x'}
    """
    if not isinstance(document, dict):
        return {"": document}
    found: dict[str, Any] = {}
    for key, value in sorted(document.items()):
        if isinstance(value, dict) and value:
            found |= {f"{key}.{name}": one for name, one in sorted(value.items())}
        elif isinstance(value, list) and value:
            found |= {f"{key}[{place}]": one for place, one in enumerate(value)}
        else:
            found[key] = value
    return found


def read_json(path: Path) -> Any:
    """A JSON file of the run.

    Raises
    ------
    Unreadable
        When it is none.
    """
    import orjson

    if path.stat().st_size > _MOST_JSON:
        raise Unreadable(f"{path} is larger than {_MOST_JSON >> 30} GiB, which no run writes")
    try:
        return orjson.loads(path.read_bytes())
    except orjson.JSONDecodeError as error:
        raise Unreadable(f"{path} is not valid JSON ({error})") from None


def _json(path: Path) -> tuple[tuple[str, ...], UInt8]:
    import pyarrow as pa

    found = entries(read_json(path))
    try:
        values = [canonical(value).decode() for value in found.values()]
    except TypeError as error:  # a whole number beyond 64 bits
        raise Unreadable(f"{path} is not as a run writes it ({error})") from None
    table = pa.table(
        {"name": pa.array(list(found), pa.string()), "value": pa.array(values, pa.large_string())}
    )
    return tuple(found), row_digests(table)


def _table(path: Path, per_leaf: int) -> tuple[int, str | None, UInt8]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with pq.ParquetFile(path) as file:
            rows, head = file.metadata.num_rows, head_of(file.schema_arrow)
            batches = file.iter_batches(batch_size=rows_at_a_time(file))
            if per_leaf == 1:
                found = [row_digests(batch) for batch in batches]
                digests = np.concatenate([np.zeros((0, 32), np.uint8), *found])
            else:
                digests = _blocks(batches, head, per_leaf)
            return rows, _metadata(file), digests
    except (OSError, pa.ArrowException, OverflowError) as error:
        raise Unreadable(f"{path} cannot be read as a table ({error})") from None


def rows_at_a_time(file: pq.ParquetFile) -> int:
    """Rows of a table that are about as large as memory is given to: texts may be long."""
    held = file.metadata
    size = sum(held.row_group(i).total_byte_size for i in range(held.num_row_groups))
    return int(np.clip(HELD * held.num_rows // max(1, size), 16, 1 << 14))


def _blocks(batches: Any, head: bytes, per_leaf: int) -> UInt8:
    """The leaf of several rows is SHA-256 of the head and the encodings of all of them."""
    found = bytearray()
    leaf, left = hashlib.sha256(head), per_leaf
    for batch in batches:
        for rows, bounds in encoded(batch, b""):
            at, end = 0, len(bounds) - 1
            while at < end:
                taken = min(left, end - at)
                leaf.update(rows[bounds[at] : bounds[at + taken]])
                at, left = at + taken, left - taken
                if not left:
                    found += leaf.digest()
                    leaf, left = hashlib.sha256(head), per_leaf
    if left < per_leaf:
        found += leaf.digest()
    return np.frombuffer(bytes(found), np.uint8).reshape(-1, 32)


def _metadata(file: pq.ParquetFile) -> str | None:
    """Notes of the table's writer, which scoring reads, with the row groups that they are about."""
    noted = {
        key.decode("utf-8", "replace"): value.decode("utf-8", "replace")
        for key, value in (file.metadata.metadata or {}).items()
        if key != b"ARROW:schema"
    }
    if not noted:
        return None
    groups = [file.metadata.row_group(i).num_rows for i in range(file.metadata.num_row_groups)]
    return digest({"notes": noted, "row_groups": groups})
