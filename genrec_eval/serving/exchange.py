"""One HTTP exchange: key, log, faults, answer. Plain ASGI, since the server is the peer in benchmarks."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import os
import time
import weakref
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import orjson

from genrec_eval.core.errors import UsageError
from genrec_eval.serving.faults import Draw, FaultName, Faults, FaultSource, RateLimit

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LARGEST_BODY = 64 << 20
"""Bytes; a request above it is answered with 413."""

_EVENTS_A_SEND = 16
_JSON: Headers = [(b"content-type", b"application/json")]
_STREAM: Headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"cache-control", b"no-cache")]


@dataclass(frozen=True, slots=True)
class Reply:
    """What is sent back: a body, or the events of a stream."""

    body: bytes = b""
    status: int = 200
    headers: Headers = field(default_factory=lambda: list(_JSON))
    events: list[bytes] | None = None
    """Server-sent events, complete with ``data:`` and blank line; the body is then not used."""


class ApiError(Exception):
    """An error in the form of the OpenAI API.

    Parameters
    ----------
    status
        HTTP status.
    message, type, param, code
        The fields of the error object.
    retry_after
        Seconds for the Retry-After header.
    """

    def __init__(
        self,
        status: int,
        message: str,
        type: str = "invalid_request_error",
        param: str | None = None,
        code: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.content = {"message": message, "type": type, "param": param, "code": code}
        self.retry_after = retry_after

    def reply(self) -> Reply:
        """As it is sent."""
        headers = list(_JSON)
        if self.retry_after is not None:
            headers.append((b"retry-after", f"{self.retry_after:.3f}".rstrip("0").rstrip(".").encode()))
            headers.append((b"retry-after-ms", str(round(self.retry_after * 1000)).encode()))
        return Reply(orjson.dumps({"error": self.content}), self.status, headers)


_BAD_GATEWAY = Reply(
    b"<html><body><h1>502 Bad Gateway</h1></body></html>", 502, [(b"content-type", b"text/html")]
)
"""As a proxy answers for a dead server: no JSON."""


def json_reply(value: Any) -> Reply:
    """A 200 with ``value`` as JSON."""
    return Reply(orjson.dumps(value))


Handler = Callable[[bytes, Scope], Reply]
"""(request body, ASGI scope) → reply; raises :class:`ApiError`."""


class CallLog:
    """Appends one JSON line per request received and per answer completed, each at once.

    Parameters
    ----------
    path
        File to append to.
    """

    def __init__(self, path: Path) -> None:
        try:
            self._file = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        except OSError as error:
            raise UsageError(f"cannot write the call log {path}: {error.strerror}") from error
        weakref.finalize(self, os.close, self._file)
        self._count = 0

    def request(self, path: str, digest: str) -> int:
        """Note that a request came; its number."""
        self._count += 1
        self._write({"event": "request", "call": self._count, "path": path, "digest": digest})
        return self._count

    def answer(self, call: int, digest: str, status: int | None, fault: str | None) -> None:
        """Note that all of an answer was handed to the connection."""
        self._write({"event": "answer", "call": call, "digest": digest, "status": status, "fault": fault})

    def abandoned(self, call: int, digest: str) -> None:
        """Note that the client was gone before its answer was ready."""
        self._write({"event": "abandoned", "call": call, "digest": digest})

    def _write(self, line: dict[str, Any]) -> None:
        os.write(self._file, orjson.dumps({**line, "time": time.time()}) + b"\n")


class Exchanges:
    """Key, log and faults that all endpoints of one server share.

    Parameters
    ----------
    faults
        What goes wrong on purpose.
    api_key
        Key that calls must bear; none is asked for when None.
    log
        Where calls are noted.
    """

    def __init__(self, faults: Faults, api_key: str | None, log: CallLog | None) -> None:
        self.faults = faults
        self.source = FaultSource(faults)
        self.limit = RateLimit(faults.rate_limit) if faults.rate_limit else None
        self.bearer = None if api_key is None else b"Bearer " + api_key.encode()
        self.log = log

    def check_key(self, scope: Scope) -> None:
        """Refuse a call without the key."""
        if self.bearer is None:
            return
        given = next((value for name, value in scope["headers"] if name == b"authorization"), b"")
        if not hmac.compare_digest(given, self.bearer):
            said = "Incorrect API key provided." if given else "You didn't provide an API key."
            raise ApiError(401, f"{said} Send it as 'Authorization: Bearer KEY'.", code="invalid_api_key")

    def refusal(self, draw: Draw) -> Reply | None:
        """What the rate limit or the drawn fault answers instead of the service; None lets the call pass."""
        wait = self.limit.wait(time.monotonic()) if self.limit else 0.0
        if wait == 0 and draw.fault == "error_5xx":
            if draw.status == 502:
                return _BAD_GATEWAY
            said = "The server is overloaded." if draw.status == 503 else "The server had an error."
            return ApiError(draw.status, said, type="server_error").reply()
        if wait == 0 and draw.fault != "error_429":
            return None
        wait = wait or self.faults.retry_after
        return ApiError(
            429,
            f"Rate limit reached. Please try again in {wait:.3f}s.",
            type="requests",
            code="rate_limit_exceeded",
            retry_after=wait,
        ).reply()


class Endpoint:
    """An ASGI application that answers one path through a handler, with faults where it may have them.

    Parameters
    ----------
    handler
        What answers.
    exchanges
        Key, log and faults.
    open_to_all
        Whether calls need no key and meet no fault (health checks).
    faulty
        Whether faults, latency and the log apply.
    """

    def __init__(
        self, handler: Handler, exchanges: Exchanges, *, faulty: bool = True, open_to_all: bool = False
    ) -> None:
        self.handler = handler
        self.exchanges = exchanges
        self.faulty = faulty
        self.open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        shared = self.exchanges
        arrival = time.monotonic()
        try:
            body = await _read(receive)
        except ApiError as error:
            await _send(error.reply(), send)
            return
        if body is None:
            return
        try:
            if not self.open_to_all:
                shared.check_key(scope)
        except ApiError as error:
            await _send(error.reply(), send)
            return
        if not self.faulty:
            await _send(self._reply(body, scope), send)
            return
        digest = hashlib.sha256(body).hexdigest()
        call = shared.log.request(scope["path"], digest) if shared.log else 0
        draw = shared.source.draw(f"{scope['path']} {digest}")
        if draw.fault == "stall":
            await _hang(receive)
            return
        fault: FaultName | None = None
        reply = shared.refusal(draw)
        if reply is not None:
            fault = "error_429" if reply.status == 429 else "error_5xx"
        else:
            reply = self._reply(body, scope)
            if draw.fault in ("truncate", "malformed") and reply.status == 200:
                fault = draw.fault
        if fault == "malformed":
            reply = _malformed(reply)
        if (left := draw.latency - (time.monotonic() - arrival)) > 0:
            await asyncio.sleep(left)
        if shared.log and await _gone(receive):
            shared.log.abandoned(call, digest)
            return
        if fault == "truncate":
            await _send_part(reply, send, draw.place)
        else:
            await _send(reply, send)
        if shared.log:
            shared.log.answer(call, digest, reply.status, fault)

    def _reply(self, body: bytes, scope: Scope) -> Reply:
        try:
            return self.handler(body, scope)
        except ApiError as error:
            return error.reply()


async def _read(receive: Receive) -> bytes | None:
    """The request's body; None when the client went away first."""
    message = await receive()
    if message["type"] == "http.request" and not message.get("more_body"):
        return bytes(message.get("body", b""))
    parts, size = [], 0
    while message["type"] == "http.request":
        parts.append(message.get("body", b""))
        size += len(parts[-1])
        if size > LARGEST_BODY:
            raise ApiError(413, f"The request is larger than {LARGEST_BODY >> 20} MiB.")
        if not message.get("more_body"):
            return b"".join(parts)
        message = await receive()
    return None


async def _gone(receive: Receive) -> bool:
    """Whether the client has closed the connection."""
    try:
        async with asyncio.timeout(0):
            return (await receive())["type"] == "http.disconnect"
    except TimeoutError:
        return False


async def _hang(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _send(reply: Reply, send: Send) -> None:
    if reply.events is None:
        headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        await send({"type": "http.response.body", "body": reply.body})
        return
    await _send_events(reply, reply.events, send)
    await send({"type": "http.response.body", "body": b""})


async def _send_events(reply: Reply, events: list[bytes], send: Send) -> None:
    await send({"type": "http.response.start", "status": reply.status, "headers": _STREAM})
    if events:  # the first event alone: it is what a time to first token is measured by
        await send({"type": "http.response.body", "body": events[0], "more_body": True})
    for start in range(1, len(events), _EVENTS_A_SEND):
        part = b"".join(events[start : start + _EVENTS_A_SEND])
        await send({"type": "http.response.body", "body": part, "more_body": True})


async def _send_part(reply: Reply, send: Send, place: float) -> None:
    """Send a share of the answer; returning before the end makes the server close the connection."""
    if reply.events is None:
        headers = [*reply.headers, (b"content-length", str(len(reply.body)).encode())]
        await send({"type": "http.response.start", "status": reply.status, "headers": headers})
        part = reply.body[: int(place * len(reply.body))]
        await send({"type": "http.response.body", "body": part, "more_body": True})
        return
    whole = b"".join(reply.events)
    await _send_events(reply, [whole[: int(place * len(whole))]], send)


def _malformed(reply: Reply) -> Reply:
    if reply.events is None:
        return Reply(reply.body[: len(reply.body) // 2] + b'"unfinished', reply.status, reply.headers)
    middle = len(reply.events) // 2
    return Reply(events=[*reply.events[:middle], b'data: {"choices": [{"delta"\n\n', *reply.events[middle:]])
