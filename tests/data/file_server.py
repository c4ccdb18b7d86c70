"""A web server on this machine that serves files well, or badly in a chosen way."""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


class FileServer:
    """Files by path, and what goes wrong with them.

    Attributes
    ----------
    files
        Path → bytes.
    cut
        Path → bytes after which the connection breaks; the entry is used up.
    moved
        Path → address to go to instead.
    status
        Path → statuses of the next answers.
    ranges
        Whether parts of a file are served.
    asked
        (path, Range) of every request.
    """

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.files: dict[str, bytes] = {}
        self.cut: dict[str, int] = {}
        self.moved: dict[str, str] = {}
        self.status: dict[str, list[int]] = {}
        self.ranges = True
        self.length = True
        self.asked: list[tuple[str, str | None]] = []


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        served: FileServer = self.server.served  # type: ignore[attr-defined]
        served.asked.append((self.path, self.headers.get("Range")))
        if self.path in served.moved:
            self.send_response(302)
            self.send_header("Location", served.moved[self.path])
            return self.end_headers()
        statuses = served.status.get(self.path)
        body = served.files.get(self.path)
        if statuses or body is None:
            return self.send_error(statuses.pop(0) if statuses else 404)
        tag = f'"{hashlib.sha256(body).hexdigest()[:16]}"'
        found = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        start = int(found[1]) if found and served.ranges and self.headers.get("If-Range") == tag else 0
        if start and start >= len(body):
            return self.send_error(416)
        self.send_response(206 if start else 200)
        self.send_header("ETag", tag)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        if served.length:
            self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        self.wfile.write(body[start : start + served.cut.pop(self.path, len(body))])

    def log_message(self, *arguments: Any) -> None:
        pass


@contextmanager
def serving() -> Iterator[FileServer]:
    """A server on a free port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.served = FileServer(server.server_address[1])  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield server.served  # type: ignore[attr-defined]
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)
