"""The append-only journal of exchanges: the source of resume, safe under ``kill -9``."""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.core.secrets import scrub
from genrec_eval.protocol.status import TRANSIENT, Status

_TABLES = """
CREATE TABLE IF NOT EXISTS identities (digest TEXT PRIMARY KEY, identity TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS exchanges (
    id INTEGER PRIMARY KEY,
    key TEXT NOT NULL, model TEXT NOT NULL, repeat INTEGER NOT NULL,
    status TEXT NOT NULL, error TEXT,
    request BLOB NOT NULL, response BLOB, blob TEXT, media_type TEXT, raw TEXT, meta TEXT,
    attempts INTEGER NOT NULL, sent REAL, first REAL, ended REAL,
    input_tokens INTEGER, output_tokens INTEGER, cost REAL
);
CREATE INDEX IF NOT EXISTS exchanges_by_key ON exchanges (key);
CREATE TABLE IF NOT EXISTS chunks (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL, model TEXT NOT NULL, file TEXT NOT NULL, rows INTEGER NOT NULL
);
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One finished exchange as it lies in the journal.

    ``model`` is the digest of the model's identity; ``request`` and ``response`` are wire JSON.
    """

    key: str
    model: str
    repeat: int
    status: Status
    request: bytes
    response: bytes | None = None
    blob: str | None = None
    media_type: str | None = None
    raw: str | None = None
    meta: str | None = None
    error: str | None = None
    attempts: int = 1
    sent: float | None = None
    first: float | None = None
    ended: float | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None
    cost: float | None = None


_FIELDS = tuple(Exchange.__dataclass_fields__)
_INSERT = f"INSERT INTO exchanges ({', '.join(_FIELDS)}) VALUES ({', '.join('?' * len(_FIELDS))})"
_SELECT = f"SELECT {', '.join(_FIELDS)} FROM exchanges"
_PASSING = ", ".join(f"'{status}'" for status in sorted(TRANSIENT))


class Journal:
    """Exchanges of a run directory.

    Parameters
    ----------
    path
        The SQLite file; made when missing.

    Attributes
    ----------
    flights
        Key → the exchange that is under way, so that models with one identity share its answer.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.flights: dict[str, asyncio.Future[Exchange]] = {}
        try:
            self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
            # WAL survives kill -9 without an fsync per answer; a power cut may lose the last few, never more
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=NORMAL")
            self._db.executescript(_TABLES)
        except sqlite3.DatabaseError as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR):
                raise self._full(error) from error
            raise UsageError(
                f"{path} cannot be used as a journal ({error}); "
                "choose another --out, or run with --fresh to set the directory aside"
            ) from error

    @contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.OperationalError as error:
            raise self._full(error) from error
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _full(self, error: sqlite3.DatabaseError) -> IncompleteError:
        return IncompleteError(
            f"cannot write to {self.path} ({error}); everything answered before is kept: "
            "make room and run the same command again to resume"
        )

    @contextmanager
    def _reading(self) -> Iterator[None]:
        try:
            yield
        except sqlite3.DatabaseError as error:
            raise self._damaged(error) from error

    def _damaged(self, error: sqlite3.DatabaseError) -> UsageError:
        return UsageError(
            f"{self.path} is damaged ({error}); run with --fresh to set the directory aside and ask anew"
        )

    def append(self, exchange: Exchange) -> None:
        """Write one exchange; it is durable against ``kill -9`` when this returns."""
        with self._writing():
            self._db.execute(_INSERT, tuple(getattr(exchange, name) for name in _FIELDS))

    def find(self, key: str) -> Exchange | None:
        """The latest final answer under ``key``; None when there is none and it may be asked (again)."""
        return self._one(f"{_SELECT} WHERE key = ? AND status NOT IN ({_PASSING}) ORDER BY id DESC", key)

    def latest(self, key: str) -> Exchange | None:
        """The latest exchange under ``key``, whatever its status."""
        return self._one(f"{_SELECT} WHERE key = ? ORDER BY id DESC", key)

    def _one(self, query: str, key: str) -> Exchange | None:
        with self._reading():
            row = self._db.execute(f"{query} LIMIT 1", (key,)).fetchone()
        return None if row is None else _exchange(row)

    def __len__(self) -> int:
        return int(self._db.execute("SELECT count(*) FROM exchanges").fetchone()[0])

    def add_identity(self, digest: str, identity: dict[str, Any]) -> None:
        """Keep what a model digest stands for, without secrets."""
        with self._writing():
            self._db.execute(
                "INSERT OR IGNORE INTO identities VALUES (?, ?)",
                (digest, scrub(json.dumps(identity, sort_keys=True))),
            )

    def identity(self, digest: str) -> dict[str, Any] | None:
        """What a model digest stands for."""
        with self._reading():
            row = self._db.execute("SELECT identity FROM identities WHERE digest = ?", (digest,)).fetchone()
        return None if row is None else json.loads(row[0])

    def add_chunk(self, key: str, model: str, file: str, rows: int) -> None:
        """Note that a columnar chunk lies complete in ``file``."""
        with self._writing():
            self._db.execute(
                "INSERT INTO chunks (key, model, file, rows) VALUES (?, ?, ?, ?)", (key, model, file, rows)
            )

    def spent(self) -> dict[str, float]:
        """Calls, tokens and money of all exchanges so far."""
        with self._reading():
            calls, tokens, money = self._db.execute(
                "SELECT coalesce(sum(attempts), 0), coalesce(sum(coalesce(input_tokens, 0)"
                " + coalesce(output_tokens, 0)), 0), coalesce(sum(cost), 0.0) FROM exchanges"
            ).fetchone()
        return {"calls": calls, "tokens": tokens, "money": money}

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def _exchange(row: tuple[Any, ...]) -> Exchange:
    fields = dict(zip(_FIELDS, row, strict=True))
    return Exchange(**{**fields, "status": Status(fields["status"])})
