"""Servers on this machine that answer as they are told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest


class RawServer:
    """Answers every HTTP request with given bytes, then closes; keeps the requests it got.

    What a framework would never send (half an answer, malformed JSON, silence) is sent from here.
    """

    def __init__(self) -> None:
        self.reply: bytes | Callable[[bytes], bytes | None] = b""
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._release = threading.Event()
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._release.set()
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection:
            data = b""
            while b"\r\n\r\n" not in data:
                data += connection.recv(65536) or b"\r\n\r\n"
            head, _, body = data.partition(b"\r\n\r\n")
            length = next(
                (int(h.split(b":")[1]) for h in head.lower().split(b"\r\n") if b"content-length" in h), 0
            )
            while len(body) < length:
                body += connection.recv(65536)
            self.requests.append(head + b"\r\n\r\n" + body)
            reply = self.reply(body) if callable(self.reply) else self.reply
            if reply is None:
                self._release.wait(30)  # never answers
                return
            try:
                connection.sendall(reply)
            except OSError:
                return


def http(status: str, body: bytes | str, *headers: str, length: int | None = None) -> bytes:
    """The bytes of an HTTP answer; ``length`` may lie."""
    body = body.encode() if isinstance(body, str) else body
    lines = [
        f"HTTP/1.1 {status}",
        "content-type: application/json",
        f"content-length: {len(body) if length is None else length}",
        "connection: close",
        *headers,
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


@pytest.fixture
def raw_server() -> Iterator[RawServer]:
    server = RawServer()
    yield server
    server.close()


@pytest.fixture
def reply() -> Any:
    return http
