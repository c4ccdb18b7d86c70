"""What of a run is hashed, in the order in which it was made: later files follow from earlier ones.

``journal.sqlite`` is not part of the chain. It is the source of resume, not of any number: scoring never
reads it, it also holds attempts that came to nothing and answers of other plays, and its bytes change when
SQLite tidies up. What an answer said is hashed where it counts, in the records.
"""

from __future__ import annotations

import re
import stat
from pathlib import Path

from genrec_eval.core.errors import UsageError

BLOBS = "blobs/"
"""All payloads together, as one entry: a run may have ten thousand."""

ROWS_PER_LEAF = {"scores.parquet": 256}
"""Files of which several rows share a leaf: scores are many and short, and verifying computes each again."""

_FIRST = ("run.json",)
_LAST = (
    "judgements.parquet",
    "annotations/KEY.json",
    "annotations.parquet",
    "scores.parquet",
    "estimates.json",
)
_TABLES = ("cases", "records")
_NAME = re.compile(r"(?:cases|records)/[^/\\\x00-\x1f]+\.parquet")
_PAGES = ("*.html", "*.instances.*")


def hashed_files(directory: Path) -> list[str]:
    """Names of everything in a run directory that belongs to the chain, as far as it is there.

    Raises
    ------
    UsageError
        When one is a link or no file: a run is read nowhere but in its own directory.
    """
    found = [name for name in _FIRST if _there(directory, name)]
    for folder in _TABLES:
        if _there(directory, folder, folder=True):
            names = sorted(path.name for path in (directory / folder).glob("*.parquet"))
            found += [f"{folder}/{name}" for name in names if _there(directory, f"{folder}/{name}")]
    if _there(directory, "blobs", folder=True):
        found.append(BLOBS)
    _there(directory, "annotations", folder=True)
    found += [name for name in _LAST if _there(directory, name)]
    if "annotations.parquet" not in found and "annotations/KEY.json" in found:
        found.remove(
            "annotations/KEY.json"
        )  # sheets were exported and nothing has come back: no score is of it
    return found


def order_of(name: str) -> tuple[int, str]:
    """Sort key: the order in which the files of a run follow from each other."""
    if name in _FIRST:
        return (0, name)
    if name in _LAST:
        return (4 + _LAST.index(name), name)
    return (3 if name == BLOBS else 1 + name.startswith("records/"), name)


def is_name(name: str) -> bool:
    """Whether a file of the chain may be called so.

    >>> is_name("records/top-k@knn.00000.parquet"), is_name("../../etc/passwd"), is_name("cases/../x.parquet")
    (True, False, False)
    """
    return name in (*_FIRST, *_LAST, BLOBS) or bool(_NAME.fullmatch(name))


def blobs(directory: Path) -> list[str]:
    """Names of the payloads, sorted."""
    folder = directory / "blobs"
    names = sorted(path.name for path in folder.iterdir()) if folder.is_dir() else []
    return [name for name in names if not name.endswith(".partial") and _there(folder, name)]


def pages(directory: Path) -> list[str]:
    """Pages that were made from the run, and what they read: the report, its instances, pages of judges."""
    found = {path.name for pattern in _PAGES for path in directory.glob(pattern) if path.is_file()}
    return sorted(name for name in found if not name.startswith(".") and _there(directory, name))


def regular(path: Path) -> Path:
    """``path``, which must be a file and no link."""
    if not _there(path.parent, path.name):
        raise UsageError(f"{path} is missing")
    return path


def _there(directory: Path, name: str, folder: bool = False) -> bool:
    path = directory / name
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return False
    if stat.S_ISLNK(mode):
        raise UsageError(
            f"{path} is a link; a run is read nowhere but in its own directory: put the file there"
        )
    if not (stat.S_ISDIR(mode) if folder else stat.S_ISREG(mode)):
        raise UsageError(f"{path} is no {'folder' if folder else 'file'}, as it is in every run")
    return True
