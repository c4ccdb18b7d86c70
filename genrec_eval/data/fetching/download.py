"""One file over HTTP: streamed, resumed where the server allows it, bounded in size, never led astray."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from genrec_eval.core.errors import IncompleteError, UsageError
from genrec_eval.data.fetching.sources import SourceFile, local
from genrec_eval.data.tables.streams import clip, first_line

if TYPE_CHECKING:
    import httpx2

Report = Callable[[int, int | None], None]
"""Called with the bytes that are there and, where known, those that will be."""

PAUSES = (1.0, 5.0)
"""Seconds before each further try of a broken transfer."""
CONNECT, READ = 20.0, 60.0
"""Seconds to wait for a connection, and for the next bytes."""

_MOST_REDIRECTS = 5
_BUSY = (429, 500, 502, 503, 504)


class _Broken(Exception):
    """The transfer broke off; what came is kept."""


def download(
    file: SourceFile, folder: Path, report: Report | None = None, pauses: Sequence[float] = PAUSES
) -> Path:
    """Fetch ``file`` into ``folder`` and return where it is; its content is not verified here.

    What an earlier, broken call left in ``folder`` is gone on with, if the server still has the same file.

    Raises
    ------
    UsageError
        When the server has no such file, the file is larger than the catalogue says or the disk is
        too small for it, or the address leads somewhere that the catalogue does not name.
    IncompleteError
        When the transfer broke off and further tries did too; another call goes on from there.
    """
    import httpx2

    part = folder / f"{file.file}.part"
    if _kept(file, part).get("done") == (size := _size(part)) > 0:
        if report is not None:
            report(size, size)
        return part
    timeout = httpx2.Timeout(READ, connect=CONNECT)
    for pause in (*pauses, None):
        try:
            # a proxy of the environment is none for this machine
            with httpx2.Client(timeout=timeout, trust_env=not local(file.url)) as client:
                _transfer(client, file, part, report or (lambda done, total: None))
            return part
        except (httpx2.TransportError, _Broken) as error:
            if pause is None:
                raise IncompleteError(_gave_up(file, part, error)) from None
        except httpx2.InvalidURL as error:
            raise UsageError(f"{file.url} leads to an address that is none: {first_line(error)}") from None
        time.sleep(pause)
    raise AssertionError("unreachable")


def _gave_up(file: SourceFile, part: Path, error: Exception) -> str:
    why = first_line(error)
    done = _size(part)
    if not done:
        return f"{file.url} cannot be downloaded: {why}"
    return f"{file.url} broke off after {done:,} bytes: {why}; run the same command again to go on from there"


def _transfer(client: httpx2.Client, file: SourceFile, part: Path, report: Report) -> None:
    start, headers = _resumed(file, part)
    response = _opened(client, file, headers)
    try:
        if response.status_code == 416 or (start and not _goes_on(response, start)):
            # the file has changed, or the server starts over: a start that it did not ask for is dropped
            part.unlink(missing_ok=True)
            start = 0
            if response.status_code != 200:
                response.close()
                response = _opened(client, file, {})
        if response.status_code in _BUSY:
            raise _Broken(_status(response))
        if response.status_code != (206 if start else 200):
            raise UsageError(
                f"{file.url} answers {_status(response)}; if it moved for good, give its new place in a"
                " catalogue of your own (--catalogue)"
            )
        total = _expected(response, file, start, part)
        _note(part, file, response)
        with part.open("ab" if start else "wb") as out:
            done = start
            report(done, total)
            # raw, or a compressed file would not be what the checksum is of; and no block is held back
            for chunk in response.iter_raw():
                done += len(chunk)
                if done > file.limit:
                    break
                out.write(chunk)
                report(done, total)
        if done > file.limit:
            part.unlink()
            raise UsageError(f"{file.url} sends more than the {file.limit:,} bytes that the catalogue allows")
        if total is not None and done < total:
            raise _Broken(f"{total - done:,} bytes are missing")
        _note(part, file, response, done)
    finally:
        response.close()


def _resumed(file: SourceFile, part: Path) -> tuple[int, dict[str, str]]:
    """Bytes that are there already, and the headers that ask for the rest."""
    start = _size(part)
    if not start:
        return 0, {}
    validator = _kept(file, part).get("validator")
    if not isinstance(validator, str):
        part.unlink()  # nothing would tell whether the rest belongs to the same file
        return 0, {}
    return start, {"Range": f"bytes={start}-", "If-Range": validator}


def _kept(file: SourceFile, part: Path) -> dict[str, Any]:
    """What was noted about the bytes that are there; nothing when they are of another address."""
    with suppress(OSError, ValueError):
        kept = json.loads(_beside(part).read_text())
        if isinstance(kept, dict) and kept.get("url") == file.url:
            return kept
    return {}


def _note(part: Path, file: SourceFile, response: httpx2.Response, done: int | None = None) -> None:
    """Keep what tells this version of the file from another one, and whether it is whole."""
    tag = response.headers.get("etag", "")
    validator = tag if tag and not tag.startswith("W/") else response.headers.get("last-modified")
    _beside(part).write_text(json.dumps({"url": file.url, "validator": validator, "done": done}))


def _goes_on(response: httpx2.Response, start: int) -> bool:
    ranged = response.headers.get("content-range", "")
    return response.status_code in _BUSY or (
        response.status_code == 206 and ranged.startswith(f"bytes {start}-")
    )


def _expected(response: httpx2.Response, file: SourceFile, start: int, part: Path) -> int | None:
    """Bytes of the whole file, checked before any is written."""
    length = response.headers.get("content-length", "")
    total = start + int(length) if length.isascii() and length.isdecimal() else None
    if file.size is not None and total not in (None, file.size):
        raise UsageError(f"{file.url} has {total:,} bytes where the catalogue says {file.size:,}")
    if total is not None and total > file.limit:
        raise UsageError(
            f"{file.url} has {total:,} bytes, more than the {file.limit:,} that the catalogue allows"
        )
    expected = total or file.size
    free = shutil.disk_usage(part.parent).free
    if expected is not None and expected - start > free:
        raise UsageError(f"{part.parent} has {free:,} bytes left, and {file.file} needs {expected - start:,}")
    return expected


def _opened(client: httpx2.Client, file: SourceFile, headers: dict[str, str]) -> httpx2.Response:
    """The answer at the end of all redirects, each of which is looked at before it is followed."""
    url = file.url
    fixed = {"Accept-Encoding": "identity", "User-Agent": "genrec-eval"}
    for _ in range(_MOST_REDIRECTS + 1):
        response = client.send(client.build_request("GET", url, headers={**fixed, **headers}), stream=True)
        if not response.has_redirect_location:
            return response
        response.close()
        target = str(response.url.join(response.headers["location"]))
        _refuse_elsewhere(file, target)
        url = target
    raise UsageError(f"{file.url} leads to more than {_MOST_REDIRECTS} other addresses, one after the other")


def _refuse_elsewhere(file: SourceFile, target: str) -> None:
    parts, own = urlsplit(target), urlsplit(file.url)
    host = parts.hostname or ""
    plain = local(file.url) and local(target)
    if parts.scheme != "https" and not (parts.scheme == "http" and (plain or file.insecure)):
        raise UsageError(f"{file.url} leads to {clip(target, 200)}, which is not https")
    same = host == own.hostname and (parts.port == own.port or parts.scheme != own.scheme)
    if not same and host not in file.redirects and f"{host}:{parts.port}" not in file.redirects:
        raise UsageError(
            f"{file.url} leads to {clip(target, 200)}, a host that the catalogue does not name; if it is the"
            " publisher's, list it under redirects in a catalogue of your own (--catalogue)"
        )


def _status(response: httpx2.Response) -> str:
    return f"{response.status_code} {response.reason_phrase}".strip()


def _size(part: Path) -> int:
    return part.stat().st_size if part.is_file() else 0


def _beside(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")
