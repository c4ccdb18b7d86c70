"""Canonical JSON and digests: the ground of cache keys, provenance and replay."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

RECIPE = 1
"""Version of the key recipe; raised whenever the same content would hash differently."""


def canonical(value: Any) -> bytes:
    """Return the one JSON form of ``value``: sorted keys, no spaces, UTF-8.

    >>> canonical({"b": 1, "a": [True, None]})
    b'{"a":[true,null],"b":1}'
    """
    import orjson

    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY)


def digest(value: Any) -> str:
    """SHA-256 of the canonical form, 64 hex digits."""
    return hashlib.sha256(canonical(value)).hexdigest()


def digest_file(path: Path) -> str:
    """SHA-256 of a file's bytes, read in blocks."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
