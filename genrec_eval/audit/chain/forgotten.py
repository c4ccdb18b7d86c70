"""What is left of a redacted text: gone from the journal for good, and looked for everywhere else."""

from __future__ import annotations

import gzip
import html
import json
import sqlite3
from collections.abc import Collection, Iterator
from pathlib import Path

from genrec_eval.core.errors import UsageError

_EMPTY = b'{"redacted":true}'
_SOME = 500
"""Keys in one statement: SQLite takes no more than a thousand in older versions."""
_MOST = 1 << 29
_TABLES = (".parquet",)


def forget(path: Path, keys: Collection[str], said: str) -> int:
    """Empty the exchanges under ``keys`` in a journal, with what is left of them in free pages and the log.

    Keys, statuses, times and usage stay: they are what was spent.

    Returns
    -------
    int
        Exchanges that held something before.

    Raises
    ------
    UsageError
        When the journal cannot be written.
    """
    if not path.is_file():
        return 0
    emptied = 0
    try:
        db = sqlite3.connect(path, isolation_level=None)
        try:
            db.execute("PRAGMA secure_delete=ON")
            db.execute("BEGIN IMMEDIATE")
            ordered = sorted(keys)
            for start in range(0, len(ordered), _SOME):
                some = ordered[start : start + _SOME]
                places = ",".join("?" * len(some))
                emptied += db.execute(
                    "UPDATE exchanges SET request=?, response=NULL, blob=NULL, raw=NULL, meta=NULL, error=?"
                    f" WHERE key IN ({places}) AND request != ?",
                    (_EMPTY, said, *some, _EMPTY),
                ).rowcount
            db.execute("COMMIT")
            # the file itself still holds what was overwritten until it is written anew, and so does the log
            db.execute("VACUUM")
            db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        finally:
            db.close()
    except sqlite3.DatabaseError as error:
        raise UsageError(
            f"{path} cannot be redacted ({error}): it still holds the texts; delete it, which a finished run"
            " can do without, then run the same command again"
        ) from error
    return emptied


def holding(directory: Path, texts: Collection[str]) -> list[str]:
    """Files of a run that still hold one of the texts, as they are or escaped; tables are not looked into."""
    needles = {form.encode() for text in texts for form in _forms(text)}
    if not needles:
        return []
    found = []
    for path in _files(directory):
        try:
            data = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
        except (OSError, EOFError):
            continue
        if any(needle in data for needle in needles):
            found.append(path.relative_to(directory).as_posix())
    return found


def tables_beside(directory: Path) -> list[str]:
    """Tables that are no part of the run, such as exports, and may hold texts of it."""
    own = ("cases", "records", "spare")
    found = [path.relative_to(directory) for path in sorted(directory.rglob("*")) if path.suffix in _TABLES]
    return [path.as_posix() for path in found if len(path.parts) > 1 and path.parts[0] not in own]


def _files(directory: Path) -> Iterator[Path]:
    for path in sorted(directory.rglob("*")):
        if path.is_symlink() or not path.is_file() or path.suffix in _TABLES:
            continue
        if path.stat().st_size <= _MOST:
            yield path


def _forms(text: str) -> set[str]:
    found = {text, html.escape(text), html.escape(text, quote=False)}
    found |= {json.dumps(text)[1:-1], json.dumps(text, ensure_ascii=False)[1:-1]}
    return found
