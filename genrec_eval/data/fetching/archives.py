"""Unpacking what strangers packed: nothing outside the folder, nothing but files, nothing without end."""

from __future__ import annotations

import bz2
import gzip
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any, Literal

from genrec_eval.core.errors import UsageError
from genrec_eval.data.tables.streams import clip, first_line

MOST_TIMES = 100
"""An archive may unpack to so many times its size; texts reach ten, bombs a thousand and more."""
SMALLEST = 1 << 24
"""Bytes that any archive may unpack to."""
MOST_ENTRIES = 10_000

_BLOCK = 1 << 16
_LONGEST_HEADER = 1 << 16
_DEEPEST = 16
_RESERVED = {"con", "prn", "aux", "nul", *(f"{port}{n}" for port in ("com", "lpt") for n in range(1, 10))}
_COMPRESSION = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA)
_BROKEN = (
    zipfile.BadZipFile,
    tarfile.TarError,
    zlib.error,
    lzma.LZMAError,
    gzip.BadGzipFile,
    EOFError,
    OSError,
    UnicodeError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for archives that are damaged or made to do harm."""

Kind = Literal["zip", "tar", "gz"]


@dataclass(slots=True)
class _Budget:
    """How much may still be written, and where something was written already."""

    archive: str
    bytes: int
    entries: int

    def entry(self) -> None:
        self.entries -= 1
        if self.entries < 0:
            raise UsageError(f"{self.archive} holds more than {MOST_ENTRIES:,} entries; nothing is unpacked")

    def spend(self, amount: int) -> None:
        self.bytes -= amount
        if self.bytes < 0:
            raise UsageError(
                f"{self.archive} unpacks to more than {MOST_TIMES} times its size, as no data set does;"
                " nothing is unpacked"
            )


def unpack(archive: Path, kind: Kind, folder: Path, name: str | None = None) -> list[Path]:
    """Unpack ``archive`` into ``folder`` and return the files.

    Parameters
    ----------
    folder
        An existing folder; a file that is there already is a fault.
    name
        How messages call the archive, and the file in it if ``kind`` is ``gz`` (without its ending).

    Raises
    ------
    UsageError
        When the archive is damaged; when an entry has a place outside the folder, is a link or a
        device, or comes twice; when there are too many entries or bytes. What was written by then
        is left in ``folder``, which is for the caller to remove.
    """
    name = name or archive.name
    budget = _Budget(name, max(MOST_TIMES * archive.stat().st_size, SMALLEST), MOST_ENTRIES)
    try:
        if kind == "gz":
            target = _place(folder, name.removesuffix(".gz"), name, set())
            with gzip.open(archive) as source:
                _write(source, target, budget)
            return [target]
        return list((_zip if kind == "zip" else _tar)(archive, folder, budget))
    except UsageError:
        raise
    except (FileExistsError, NotADirectoryError) as error:
        raise UsageError(f"{name}: {error.filename} is there already and is not overwritten") from None
    except _BROKEN as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault, not the archive's
        raise UsageError(f"{name} is no {kind} archive, or a damaged one: {first_line(error)}") from None


def _zip(archive: Path, folder: Path, budget: _Budget) -> Iterator[Path]:
    seen: set[str] = set()
    with zipfile.ZipFile(archive) as opened:
        for entry in opened.infolist():
            budget.entry()
            # the name as it was written: ZipInfo.filename is cut at a null
            target = _place(folder, entry.orig_filename, budget.archive, seen, entry.is_dir())
            kind = stat.S_IFMT(entry.external_attr >> 16)
            # mode bits mean something only where the archive was made on Unix
            if entry.create_system == 3 and kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                raise _odd(budget, entry.filename)
            if entry.flag_bits & 0x1:
                raise UsageError(f"{budget.archive}: {clip(entry.filename)} is encrypted")
            if entry.compress_type not in _COMPRESSION:
                raise UsageError(f"{budget.archive}: {clip(entry.filename)} is packed in an unknown way")
            if entry.is_dir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            with opened.open(entry) as source:
                _write(source, target, budget)
            yield target


class _Header(tarfile.TarInfo):
    """Refuses headers that would be read whole into memory."""

    @classmethod
    def frombuf(cls, buf: Any, encoding: str, errors: str) -> _Header:
        found: Any = super().frombuf(buf, encoding, errors)
        long = (tarfile.XHDTYPE, tarfile.XGLTYPE, tarfile.GNUTYPE_LONGNAME, tarfile.GNUTYPE_LONGLINK)
        if found.type in (*long, tarfile.SOLARIS_XHDTYPE) and not 0 <= found.size <= _LONGEST_HEADER:
            raise UsageError(f"the archive has a header of {found.size:,} bytes; nothing is unpacked")
        return found


def _tar(archive: Path, folder: Path, budget: _Budget) -> Iterator[Path]:
    seen: set[str] = set()
    with _decompressed(archive) as stream, tarfile.open(fileobj=stream, mode="r|", tarinfo=_Header) as opened:
        for entry in opened:
            budget.entry()
            if PurePosixPath(entry.name) == PurePosixPath(".") and entry.isdir():
                continue
            target = _place(folder, entry.name, budget.archive, seen, entry.isdir())
            if entry.isdir():
                target.mkdir(parents=True, exist_ok=True)
                continue
            if not entry.isreg() or entry.issparse():
                raise _odd(budget, entry.name)
            source = opened.extractfile(entry)
            assert source is not None
            _write(source, target, budget)
            if target.stat().st_size != entry.size:
                raise EOFError(f"{clip(entry.name)} breaks off")
            yield target


def _decompressed(archive: Path) -> Any:
    with archive.open("rb") as stream:
        start = stream.read(6)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(archive)
    if start.startswith(b"BZh"):
        return bz2.open(archive)
    return lzma.open(archive) if start.startswith(b"\xfd7zXZ") else archive.open("rb")


def _place(folder: Path, name: str, archive: str, seen: set[str], directory: bool = False) -> Path:
    """Where an entry goes: inside the folder, once, on any system."""
    parts = name.rstrip("/").split("/") if directory else name.split("/")
    while parts and parts[0] == ".":
        parts = parts[1:]
    plain = (
        0 < len(parts) <= _DEEPEST
        and len(name) < 1024
        and "\\" not in name
        and ":" not in name
        and name.isprintable()
        and all(_fine(part) for part in parts)
    )
    if not plain:
        raise UsageError(
            f"{archive} holds {clip(name)}, which is no place inside a folder; nothing is unpacked"
        )
    # file systems that do not tell cases apart would write one over the other
    key = "/".join(parts).casefold()
    if key in seen and not directory:
        raise UsageError(f"{archive} holds {clip(name)} twice; nothing is unpacked")
    if not directory:
        seen.add(key)
    return folder.joinpath(*parts)


def _fine(part: str) -> bool:
    stem = part.split(".")[0].strip().lower()
    return part not in ("", ".", "..") and len(part.encode()) < 256 and stem not in _RESERVED


def _odd(budget: _Budget, name: str) -> UsageError:
    return UsageError(
        f"{budget.archive}: {clip(name)} is a link or device where a file is expected; nothing is unpacked"
    )


def _write(source: IO[bytes] | gzip.GzipFile, target: Path, budget: _Budget) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with target.open("xb") as out:
        while block := source.read(_BLOCK):
            budget.spend(len(block))
            out.write(block)
